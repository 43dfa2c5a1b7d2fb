"""The ground truth that is part of this package, and what every ground truth is.

Conventions
-----------
- 2021: ``ground_truth_2021.txt`` beside this module holds the 8,635 labels of the organizers' evaluator (github
  y-kawagu/dcase2021_task2_evaluator, ``ground_truth_data``; MIT, Hitachi, Ltd.), one line a cell and one digit a clip.
- 2022: ``ground_truth_2022.txt`` holds the labels and domains of the 4,200 clips of theirs of that year (github
  Kota-Dohi/dcase2022_evaluator at de8719b; MIT, Hitachi, Ltd.), one line a file and one digit a clip.
- The list ``eval_data_list_2022.csv`` that comes with the organizers' later baseline contradicts their evaluator in 608
  labels and 592 domains of ToyCar and ToyTrain: no truth that contradicts what is shipped is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

from asdbench.api import DOMAINS, Label
from asdbench.datasets.years import YEARS, Unit, Year

LABELS: tuple[Label, Label] = ("normal", "anomaly")
"""By the evaluators' number; so are the domains."""
CODES: Mapping[Label, int] = {label: number for number, label in enumerate(LABELS)}


class Answer(NamedTuple):
    """What a clip is: 0 normal or 1 anomaly, and its domain ("" in 2020)."""

    label: int
    domain: str


@dataclass(frozen=True)
class Truth:
    """The clips of a set.

    Parameters
    ----------
    origin : str
        Where it comes from, for messages.
    clips : mapping of Unit to mapping of clip to Answer
    labelled : mapping of Unit to mapping of labelled name to clip
        Other names of clips.
    """

    origin: str
    clips: Mapping[Unit, Mapping[str, Answer]] = field(hash=False)
    labelled: Mapping[Unit, Mapping[str, str]] = field(hash=False, default_factory=dict)

    @property
    def machines(self) -> tuple[str, ...]:
        """Its machine types, sorted."""
        return tuple(sorted({unit.machine for unit in self.clips}))


@cache
def labels_2021() -> Mapping[tuple[str, str], Label]:
    """The labels of the 2021 evaluation set by (machine, clip name); read at the first call.

    Returns
    -------
    mapping of (str, str) to {"normal", "anomaly"}
        8,635 clips of 7 machine types, sections 03 to 05: ``("fan", "section_03_source_test_0000.wav")``.
    """
    found: dict[tuple[str, str], Label] = {}
    for machine, section, domain, digits in _lines(2021):
        for number, digit in enumerate(digits):
            found[machine, f"section_{section}_{domain}_test_{number:04d}.wav"] = LABELS[int(digit)]
    return MappingProxyType(found)


def shipped(year: Year) -> Truth | None:
    """The ground truth that the package has of a year's evaluation set: of 2021 and 2022; else None."""
    return _shipped(year.year)


def contradiction(year: Year, clips: Mapping[Unit, Mapping[str, Answer]]) -> str:
    """How a truth contradicts the shipped one, in words, or "".

    Only files that name exactly the official clips are compared: others are somebody's own data in the year's names.

    Parameters
    ----------
    year : Year
    clips : mapping of Unit to mapping of clip to Answer
        Clips under either form of their names, with ``_test`` or without.
    """
    official = shipped(year)
    if official is None:
        return ""
    compared = labels = domains = 0
    machines = set()
    for unit, own in clips.items():
        known = official.clips.get(unit, {})
        aliases = official.labelled.get(unit, {})
        named = {aliases.get(clip, clip): answer for clip, answer in own.items()}
        if len(named) != len(own) or named.keys() != known.keys():
            continue
        wrong_labels = sum(known[clip].label != answer.label for clip, answer in named.items())
        wrong_domains = sum(known[clip].domain != answer.domain for clip, answer in named.items())
        if wrong_labels or wrong_domains:
            machines.add(unit.machine)
            compared, labels, domains = compared + len(named), labels + wrong_labels, domains + wrong_domains
    if not machines:
        return ""
    return (
        f"{labels} of {compared:,} labels and {domains} domains of {', '.join(sorted(machines))} contradict the "
        f"organizers' evaluator ({year.evaluator})"
    )


@cache
def _shipped(year: int) -> Truth | None:
    read = {2021: _clips_2021, 2022: _clips_2022}.get(year)
    if read is None:
        return None
    clips = read()
    aliases = {unit: {_with_test(clip): clip for clip in own} for unit, own in clips.items()} if year > 2021 else {}
    return Truth(f"the ground truth of {year}", MappingProxyType(clips), MappingProxyType(aliases))


def _clips_2021() -> dict[Unit, dict[str, Answer]]:
    clips: dict[Unit, dict[str, Answer]] = {}
    for (machine, name), label in labels_2021().items():
        unit = YEARS[2021].unit(machine, name)
        assert unit is not None  # a test holds all of them
        clips.setdefault(unit, {})[name] = Answer(CODES[label], unit.domain)
    return clips


def _clips_2022() -> dict[Unit, dict[str, Answer]]:
    return {
        Unit(machine, section): {
            f"section_{section}_{number:04d}.wav": Answer(int(digit) % 2, DOMAINS[int(digit) // 2])
            for number, digit in enumerate(digits)
        }
        for machine, section, digits in _lines(2022)
    }


def _lines(year: int) -> Iterator[list[str]]:
    text = files("asdbench.datasets").joinpath(f"ground_truth_{year}.txt").read_text(encoding="ascii")
    return (line.split() for line in text.splitlines() if not line.startswith("#"))


def _with_test(clip: str) -> str:
    """The other form of an unlabelled name of 2022 and later: ``section_03_test_0000.wav``."""
    head, _, number = clip.rpartition("_")
    return f"{head}_test_{number}"
