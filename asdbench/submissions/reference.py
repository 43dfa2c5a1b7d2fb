"""What a submission is held against: its clips with their labels, and the files that must be there.

Conventions
-----------
- Labels come from the ground truth that is given, else from the clip names (development set), else from the ground
  truth in the package (evaluation sets of 2021 and 2022). The two parts are never mixed: each has its own official
  score.
- An evaluation set must hold every file of the ground truth; a development set every section and domain of each machine
  that is there (:mod:`asdbench.submissions.development`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from asdbench.datasets.grammar import expected
from asdbench.datasets.ground_truth import read_truth
from asdbench.datasets.shipped_truth import CODES, Answer, Truth, shipped
from asdbench.datasets.years import ClipFields, Unit, Year
from asdbench.errors import DataError
from asdbench.submissions.development import expected_units, official_clips, unnoticed
from asdbench.submissions.folder import Submission
from asdbench.submissions.rows import Problem, Rows
from asdbench.words import counted

Part: TypeAlias = Literal["development", "evaluation"]

SHOWN = 8
"""Problems that an error lists."""


@dataclass(frozen=True)
class Reference:
    """The clips of a set.

    Parameters
    ----------
    part : {"development", "evaluation"}
    truth : Truth
        Of all clips; made from the clip names where those carry the labels.
    expected : frozenset of Unit
        The files that must be there.
    machines : tuple of str
        The machine types of the whole set.
    named : mapping of Unit to mapping of clip to ClipFields
        What the clip names say, where the truth is made from them.
    """

    part: Part
    truth: Truth
    expected: frozenset[Unit]
    machines: tuple[str, ...]
    named: Mapping[Unit, Mapping[str, ClipFields]] = field(default_factory=dict)

    def remarks(self, year: Year) -> list[str]:
        """What a reader of the scores must know of the set."""
        found = []
        if year.year == 2021 and self.part == "development" and self.named:
            found.append("These are not the clips of the official development set.")
        foreign = sorted(str(unit) for unit in self.named if not _known(year, unit))
        if foreign:
            more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
            found.append(f"DCASE {year.year} has no {', '.join(foreign[:3])}{more}.")
        dev, evaluation = (
            {unit for unit in self.named if unit.section in part.get(unit.machine, ())}
            for part in (year.dev, year.eval)
        )
        if dev and evaluation:
            found.append("Development and evaluation sections together: the challenge scores each set by itself.")
        if self.named:
            found.append(unnoticed(year, self.named))
        return found

    def stranger(self, unit: Unit, clip: str) -> str:
        """Why a clip is not one of the unit's."""
        if unit in self.named:
            return f"{clip} is no clip name of {unit} with its label"
        return f"{clip} is not among the clips of {unit} in {self.truth.origin}"


def _known(year: Year, unit: Unit) -> bool:
    return any(unit.section in part.get(unit.machine, ()) for part in (year.dev, year.eval))


def find_reference(
    submission: Submission,
    year: Year,
    scores: Mapping[Unit, Rows],
    decisions: Mapping[Unit, Rows],
    ground_truth: Path | None,
) -> Reference:
    """The set that a folder's files are of.

    Parameters
    ----------
    submission : Submission
    year : Year
    scores, decisions : mapping of Unit to Rows
        The folder's files as read.
    ground_truth : Path or None
        A folder or list (:mod:`asdbench.datasets.ground_truth`).

    Raises
    ------
    DataError
        Where no file can be read, labels cannot be had, or files of both sets are there.
    """
    if ground_truth is not None:
        truth = read_truth(ground_truth, year)
        return Reference("evaluation", truth, frozenset(truth.clips), truth.machines)
    first = next((clip for rows in scores.values() for clip in rows.values), None)
    if first is None:
        problems = [*submission.problems, *(problem for rows in scores.values() for problem in rows.problems)]
        raise DataError(
            f"no score file in {submission.path} can be read",
            looked="\n".join(map(str, problems[:SHOWN])),
            hint="a line is `clip,score`, without a head line",
        )
    labelled = {unit: _named(year, rows) for unit, rows in scores.items()}
    development = {unit for unit, named in labelled.items() if 2 * len(named) > len(scores[unit].values)}
    evaluation = {
        unit
        for unit, rows in scores.items()
        if 2 * sum(year.unit(unit.machine, clip) is not None for clip in rows.values) > len(rows.values)
    }
    if development and evaluation:
        raise DataError(
            f"{submission.path} holds development and evaluation files: their scores are never mixed",
            looked=f"labels in the clip names of {counted(len(development), 'file')}, such as"
            f" {submission.scores[min(development)].name}; none in {len(evaluation)}, such as"
            f" {submission.scores[min(evaluation)].name}",
            hint="put them into two folders; of a results folder, `asdbench export --part dev` writes one",
        )
    if development:
        return _development(year, labelled, {unit: _named(year, rows) for unit, rows in decisions.items()})
    if not evaluation:
        raise _not_understood(submission, year, scores)
    known = shipped(year)
    if known is None:
        raise DataError(
            f"the clip names in {submission.path} carry no labels",
            looked=f"such as {first[:80]!r}",
            hint=f"give --ground-truth PATH; the organizers keep it at {year.evaluator}",
        )
    return Reference("evaluation", known, frozenset(known.clips), known.machines)


def _not_understood(submission: Submission, year: Year, scores: Mapping[Unit, Rows]) -> DataError:
    """Names of no clips of the year: which set they are of, nobody can say."""
    unit, clip = next(
        (unit, clip)
        for unit, rows in scores.items()
        for clip in rows.values
        if year.parse_clip(clip) is None and year.unit(unit.machine, clip) is None
    )
    name, line = submission.scores[unit].name, scores[unit].lines[clip]
    return DataError(
        f"the clip names in {submission.path} are not those of {year.year}",
        looked=str(Problem(name, line, f"{clip!r} is no clip name of {year.year}")),
        hint=f"a clip is called {expected('', year.year)}",
    )


def _named(year: Year, rows: Rows) -> dict[str, ClipFields]:
    parsed = ((clip, year.parse_clip(clip)) for clip in rows.values)
    return {clip: fields for clip, fields in parsed if fields is not None}


def _development(
    year: Year, scored: Mapping[Unit, Mapping[str, ClipFields]], decided: Mapping[Unit, Mapping[str, ClipFields]]
) -> Reference:
    own = {unit: named for unit, named in scored.items() if unit.machine in year.machines}
    there = {unit.machine for unit in own}
    machines = tuple(dict.fromkeys(m for part in (year.dev, year.eval) if there & set(part) for m in part))
    official = official_clips(year, own)
    if official is not None:
        return Reference("development", official, frozenset(official.clips), machines)
    own = {unit: {**named, **decided.get(unit, {})} for unit, named in own.items()}
    clips = {
        unit: {
            clip: Answer(CODES[fields.label], fields.domain)
            for clip, fields in named.items()
            if fields.section == unit.section and unit.domain in ("", fields.domain)
        }
        for unit, named in own.items()
    }
    truth = Truth("the clip names", clips)
    return Reference("development", truth, frozenset(expected_units(year, own)), machines, own)
