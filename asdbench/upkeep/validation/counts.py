"""How many clips there are, beside how many there should be.

Conventions
-----------
- All official counts are known of DCASE 2021 (:func:`asdbench.published.official_counts`), of other years those of the
  evaluation clips, where their ground truth is there. What they do not tell is counted, not compared.
- A subset counts by what one download holds: a machine's development, additional or evaluation part may be absent as a
  whole (a note). Less than that is missing: a section, a domain or a clip of a part that is there.
- Clips of an evaluation set may be without labels; then the sum of both is compared.
- Missing clips are named by their numbers where the official numbers, from 0 without a gap, explain what is missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TypeAlias

from asdbench.api import Clip, Dataset, Label, Part, Split
from asdbench.datasets.dcase import DcaseDataset
from asdbench.datasets.grammar import SYNTHETIC, parse
from asdbench.datasets.years import YEARS
from asdbench.published import official_counts
from asdbench.upkeep.validation.findings import Finding
from asdbench.words import counted

PARTS: tuple[Part, ...] = ("dev", "additional", "eval")
_NUMBER = re.compile(r"_([0-9]{4,})(?=[_.])")
MOST_RANGES = 4


@dataclass(frozen=True, order=True)
class Place:
    """Where clips stand: a machine's section, part, domain and split."""

    machine: str
    section: str
    part: Part
    domain: str
    split: Split

    def __str__(self) -> str:
        return " ".join(word for word in (self.machine, self.section, self.domain, self.split) if word)


@dataclass(frozen=True)
class Count:
    """Clips by label; ``unknown`` have none."""

    normal: int = 0
    anomaly: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.normal + self.anomaly + self.unknown

    def agrees(self, official: Count) -> bool:
        """Whether it can be the official count, as far as labels are known."""
        within = self.normal <= official.normal and self.anomaly <= official.anomaly
        return self.total == official.total and within


_Key: TypeAlias = tuple[str, str, Part, str, Split]  # of a Place: plain tuples are quicker to count by
Counts: TypeAlias = Mapping[Place, Count]


def count(clips: Iterable[Clip]) -> Counts:
    """The clips of each place, places sorted."""
    labels: dict[_Key, Counter[Label | None]] = {}
    for clip in clips:
        labels.setdefault(_key(clip), Counter())[clip.label] += 1
    return {Place(*key): Count(n["normal"], n["anomaly"], n[None]) for key, n in sorted(labels.items())}


def official(data: Dataset) -> Counts:
    """The official counts of all machines of its year, as far as they are known; empty where it has none of them."""
    if SYNTHETIC in data.stamps or not any(clip.path for clip in data.clips):
        return {}
    found = _counts_2021() if data.year == 2021 else _ground_truth(data)
    return {} if {place.machine for place in found}.isdisjoint(clip.machine for clip in data.clips) else found


def _counts_2021() -> Counts:
    found: dict[Place, Count] = {}
    for (machine, section, domain, split, label), number in official_counts().items():
        part: Part = "additional" if split == "train" else "eval"
        place = Place(machine, section, "dev" if section in YEARS[2021].dev[machine] else part, domain, split)
        known = found.get(place, Count())
        found[place] = Count(number, known.anomaly) if label == "normal" else Count(known.normal, number)
    return found


def _ground_truth(data: Dataset) -> Counts:
    """The evaluation clips that the ground truth names which the data set was opened with."""
    labels: dict[Place, Counter[Label]] = {}
    known = data.answers().known if isinstance(data, DcaseDataset) else {}
    for (machine, name), answer in known.items():
        place = Place(machine, parse(name, "", data.year).section, "eval", answer.domain, "test")
        labels.setdefault(place, Counter())[answer.label] += 1
    return {place: Count(number["normal"], number["anomaly"]) for place, number in labels.items()}


def compare(data: Dataset, found: Counts, expected: Counts, complete: bool) -> list[Finding]:
    """What is absent, missing and more than there should be.

    Parameters
    ----------
    data : Dataset
    found, expected : mapping of Place to Count
        What :func:`count` and :func:`official` give.
    complete : bool
        Whether a machine or part that is absent as a whole is wrong, too.
    """
    if not expected:
        return [Finding("no official counts are known of this data set", (), wrong=False)]
    units = {(place.machine, place.part) for place in found}
    machines, parts = {place.machine for place in expected}, {place.part for place in expected}
    own: dict[_Key, list[Clip]] = {}
    for clip in data.clips:
        own.setdefault(_key(clip), []).append(clip)
    missing, extra = [], []
    for place in sorted({*found, *expected}):
        known = place.machine in machines and place.part in parts
        if not known or (place not in found and (place.machine, place.part) not in units):
            continue
        have, should = found.get(place, Count()), expected.get(place)
        if should is None:
            extra.append(f"{place}: {have.total}, DCASE {data.year} has none there")
        elif not have.agrees(should):
            short, long = _difference(place, have, should, own.get(astuple(place), []))
            missing += short
            extra += long
    unknown = sorted({place.machine for place in found if place.part in parts} - machines)
    uncounted = [part for part in PARTS if part not in parts and any(place.part == part for place in found)]
    absent = [
        f"{part}: {'all machines' if len(lost) == len(machines) else ', '.join(lost)}"
        for part in PARTS
        if part in parts and (lost := sorted(machine for machine in machines if (machine, part) not in units))
    ]
    findings = [
        Finding("missing clips", tuple(missing), hint="copy or unpack that part again; `asdbench fetch` completes it"),
        Finding("more clips than there should be", tuple(extra), hint="move what is not of the data set away"),
        Finding(
            "absent as a whole" if complete else "absent as a whole, fine for a part of the benchmark",
            tuple(absent),
            wrong=complete,
            hint="get these parts, or check without --complete" if complete else "",
        ),
        Finding(f"machines that DCASE {data.year} does not have: no counts are known", tuple(unknown), wrong=False),
        Finding("parts of which no official counts are known", tuple(uncounted), wrong=False),
    ]
    return [finding for finding in findings if finding.items]


def _difference(place: Place, have: Count, should: Count, clips: Sequence[Clip]) -> tuple[list[str], list[str]]:
    """Lines on what a place lacks and has too many of, a label each where all labels are known."""
    if have.unknown or have.total == 0:
        sides = [("", have.total, should.total, clips)]
    else:
        sides = [
            (label, getattr(have, label), getattr(should, label), [clip for clip in clips if clip.label == label])
            for label in ("normal", "anomaly")
        ]
    if place.part == "eval" and place.split == "test" and have.total < should.total:
        sides = [("", have.total, should.total, clips)]  # numbered across labels
    missing, extra = [], []
    for label, there, wanted, own in sides:
        where = f"{place} {label}".rstrip()
        if there < wanted:
            missing.append(f"{where}: {there} of {wanted}{_gaps(own, wanted)}")
        elif there > wanted:
            extra.append(f"{where}: {there}, not {wanted}")
    return missing, extra


def _gaps(clips: Sequence[Clip], wanted: int) -> str:
    """Which numbers are missing, where the numbers tell."""
    numbers = {int(match[1]) for clip in clips if (match := _NUMBER.search(clip.name))}
    gaps = sorted(set(range(wanted)) - numbers)
    if not clips or len(gaps) != wanted - len(clips):
        return ""
    ranges: list[list[int]] = []
    for number in gaps:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = [f"{first:04d}" if first == last else f"{first:04d} to {last:04d}" for first, last in ranges[:MOST_RANGES]]
    more = f" and {counted(len(ranges) - MOST_RANGES, 'more gap')}" if len(ranges) > MOST_RANGES else ""
    return f"; not there: {', '.join(shown)}{more}"


def _key(clip: Clip) -> _Key:
    return clip.machine, clip.section, clip.part, clip.domain, clip.split
