"""A folder of score files to metrics.

Conventions
-----------
- Clips are matched by name, never by position; a file counts only when it is complete and every line of it is right.
- What a folder is held against, and what must be there: :mod:`asdbench.submissions.reference`.
- Decision files: all or none.
- A partial score leaves out what is not right, and says so, where otherwise the whole is refused. A file whose
  decisions are not right keeps its AUC and pAUC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from asdbench.api import DOMAINS, Cell
from asdbench.datasets.years import Unit, Year
from asdbench.errors import DataError
from asdbench.metrics.aggregate import CellMetrics
from asdbench.metrics.challenge import Group, Summary, score_group, summarise
from asdbench.submissions.development import gap
from asdbench.submissions.folder import Submission, near_miss, open_submission
from asdbench.submissions.reference import SHOWN, Part, Reference, find_reference
from asdbench.submissions.rows import Problem, Rows, read_decisions, read_scores
from asdbench.words import counted


@dataclass(frozen=True)
class Scored:
    """The metrics of a submission.

    Parameters
    ----------
    year : Year
    part : {"development", "evaluation"}
        Whether labels come from the clip names or from a ground truth.
    origin : str
        Where the labels come from, in words.
    cells : tuple of CellMetrics
        Sorted by machine, section, domain.
    summary : Summary
    remarks : tuple of str
        What a reader must know of the set: sentences.
    absent : tuple of str
        Machine types of the set of which the folder has no file.
    left_out : tuple of Problem
        What is not scored, or not completely; empty unless a partial score was asked for.
    others : tuple of str
        Other files of the folder, passed over.
    groups : tuple of Group
        The clips behind the cells: labels, scores, decisions; one group a score file, sorted.
    """

    year: Year
    part: Part
    origin: str
    cells: tuple[CellMetrics, ...]
    summary: Summary = field(hash=False)
    remarks: tuple[str, ...]
    absent: tuple[str, ...]
    left_out: tuple[Problem, ...]
    others: tuple[str, ...]
    groups: tuple[Group, ...] = field(default=(), repr=False, compare=False)

    @property
    def machines(self) -> tuple[str, ...]:
        """The machine types scored, sorted."""
        return tuple(dict.fromkeys(cell.machine for cell in self.cells))

    @property
    def decided(self) -> bool:
        """Whether any row has precision, recall and F1."""
        return any(cell.f1 is not None for cell in self.cells)


def score_folder(path: Path, year: Year, ground_truth: Path | None = None, partial: bool = False) -> Scored:
    """Score the challenge files of a folder as a year does.

    Parameters
    ----------
    path : Path
        Holds ``anomaly_score_….csv`` and, where there are decisions, ``decision_result_….csv``.
    year : Year
        One of :data:`asdbench.datasets.years.YEARS`.
    ground_truth : Path or None
        A folder or list (:mod:`asdbench.datasets.ground_truth`).
    partial : bool
        Score what is complete.

    Raises
    ------
    DataError
        Where anything is missing, unknown, twice or unreadable (partial: where nothing is complete), or labels cannot
        be had.
    """
    submission = open_submission(path, year)
    scores = {unit: read_scores(file) for unit, file in submission.scores.items()}
    decisions = {unit: read_decisions(file) for unit, file in submission.decisions.items()}
    reference = find_reference(submission, year, scores, decisions, ground_truth)
    problems = list(submission.problems)
    groups = []
    for unit in sorted(set(scores) & set(reference.truth.clips)):
        group, found = _group(submission, year, unit, scores[unit], decisions.get(unit), reference)
        problems += found
        if group is not None:
            groups.append(group)
    problems += _files(submission, year, reference)
    shown = "\n".join([*map(str, problems[:SHOWN]), *([f"and {len(problems) - SHOWN} more"] * (len(problems) > SHOWN))])
    if problems and not partial:
        raise DataError(
            f"{path} is not a complete submission: {counted(len(problems), 'problem')}",
            looked=shown,
            hint="correct the files, or score what is complete with --partial",
        )
    if not groups:
        raise DataError(f"nothing in {path} is complete", looked=shown, hint="correct the files")
    cells = [cell for group in groups for cell in score_group(year.definition, group)]
    there = {unit.machine for unit in submission.scores}
    return Scored(
        year=year,
        part=reference.part,
        origin=reference.truth.origin,
        cells=tuple(sorted(cells, key=lambda one: one.cell)),
        summary=summarise(year.definition, cells),
        remarks=tuple(reference.remarks(year)),
        absent=tuple(machine for machine in reference.machines if machine not in there),
        left_out=tuple(problems),
        others=submission.others,
        groups=tuple(groups),
    )


def _files(submission: Submission, year: Year, reference: Reference) -> Iterator[Problem]:
    """Files that are missing, and files that do not belong there."""
    ambiguous = {unit for kind, unit in submission.ambiguous if kind == "anomaly_score"}
    there = {unit.machine for unit in {*submission.scores, *ambiguous}}
    known = set(reference.truth.machines)
    for machine in sorted({unit.machine for unit in reference.expected} - there):
        count = sum(unit.machine == machine for unit in reference.expected)
        yield Problem(f"anomaly_score_{machine}_{year.tail}", None, f"missing: no file of {machine}, {count} expected")
    for unit in sorted(reference.expected - set(submission.scores) - ambiguous):
        if unit.machine in there:
            near = near_miss(year, unit, submission.others)
            there_is = f"; there is {near}, but upper and lower case count" if near else ""
            yield Problem(year.file_name("anomaly_score", unit), None, f"missing{there_is}")
    for unit in sorted({*submission.scores, *submission.decisions} - reference.expected):
        file = submission.scores.get(unit) or submission.decisions[unit]
        if unit.machine not in known:
            names = ", ".join(reference.truth.machines if reference.part == "evaluation" else year.machines)
            yield Problem(file.name, None, f"unknown machine type {unit.machine}: there are {names}")
        elif unit not in submission.scores and unit not in ambiguous:
            yield Problem(file.name, None, f"its score file {year.file_name('anomaly_score', unit)} is missing")
        elif unit in submission.scores and unit not in reference.truth.clips:
            yield Problem(file.name, None, f"there is no {unit} in {reference.truth.origin}")
    if submission.decisions:
        doubtful = {unit for kind, unit in submission.ambiguous if kind == "decision_result"}
        for unit in sorted(set(submission.scores) & reference.expected - set(submission.decisions) - doubtful):
            name = year.file_name("decision_result", unit)
            yield Problem(name, None, f"missing, beside {counted(len(submission.decisions), 'other decision file')}")


def _group(
    submission: Submission, year: Year, unit: Unit, scored: Rows, decided: Rows | None, reference: Reference
) -> tuple[Group | None, list[Problem]]:
    """The clips of a file with their answers (None where it is not complete), and what is wrong."""
    name = submission.scores[unit].name
    answers = reference.truth.clips[unit]
    scores, problems = _matched(name, unit, scored, reference)
    decisions = None
    if decided is not None:
        decisions, found = _matched(submission.decisions[unit].name, unit, decided, reference)
        decisions = None if found else decisions
    else:
        found = []
    group = Group(
        Cell(*unit),
        np.array([answers[clip].label for clip in scores], dtype=np.int64),
        np.array(list(scores.values()), dtype=np.float64),
        None if decisions is None else np.array([int(decisions[clip]) for clip in scores], dtype=np.int64),
        [answers[clip].domain for clip in scores],
        list(scores),
    )
    if not problems:
        reason = gap(year, unit, reference.named.get(unit, {})) or _unscored(year, group)
        problems += [Problem(name, None, reason)] if reason else []
    return (None if problems else group), [*problems, *found]


def _unscored(year: Year, group: Group) -> str | None:
    """Why a complete file has not all the cells that it should have, or None where it has."""
    cells = score_group(year.definition, group)
    lacking = [domain for domain in DOMAINS if domain not in {cell.domain for cell in cells}]
    for cell in cells:
        if cell.auc is None:
            return cell.reason
    return f"no clips of the {lacking[0]} domain" if lacking and year.definition.domains == "clips" else None


def _matched(name: str, unit: Unit, rows: Rows, reference: Reference) -> tuple[dict[str, float], list[Problem]]:
    """A file's values by the truth's clip names, and what is wrong: clips unknown, twice under two names, missing."""
    problems = list(rows.problems)
    answers, labelled = reference.truth.clips[unit], reference.truth.labelled.get(unit, {})
    values: dict[str, float] = {}
    strangers = []
    for clip, value in rows.values.items():
        known = clip if clip in answers else labelled.get(clip)
        if known is None:
            strangers.append(clip)
        elif known in values:
            problems.append(Problem(name, rows.lines[clip], f"{known} stands twice, here as {clip}"))
        else:
            values[known] = value
    if strangers:
        more = f" (and {len(strangers) - 1} more like it)" if len(strangers) > 1 else ""
        problems.append(Problem(name, rows.lines[strangers[0]], reference.stranger(unit, strangers[0]) + more))
    missing = [clip for clip in answers if clip not in values]
    if missing and not rows.problems:  # the clip of a line that cannot be read is not missing
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        reason = f"{missing[0]} is missing{more}: {len(values)} of {len(answers)} clips are there"
        problems.append(Problem(name, None, reason))
    return values, problems
