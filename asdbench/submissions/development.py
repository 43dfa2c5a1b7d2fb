"""What a set whose clip names carry labels must hold. No list of its clips is at hand, so the set itself is looked at.

Conventions
-----------
- Half of the score files or more as large as those of the year's development set: taken for that set, and every section
  of a machine that is there must be there. Smaller: somebody's own data in the year's form (a toy run, a part of the
  data); then all machines must have the sections that any of them has. (2020: ids differ between machines; those there
  count.)
- 2021, where most files name exactly the official clips: all must, clip by clip.
- Otherwise, for 2020 to 2022: the numbers in a file's clip names must run without a gap, within each label and domain,
  or within each domain, or within the file. A gap is a clip that is missing. The last clip missing is not seen.
- 2021: each section in both domains. 2022 and later: clips of both domains in each file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from asdbench.api import DOMAINS
from asdbench.datasets.shipped_truth import CODES, Answer, Truth
from asdbench.datasets.years import YEARS, ClipFields, Unit, Year

Named = Mapping[str, ClipFields]
"""The clips of a file with what their names say."""


def expected_units(year: Year, found: Mapping[Unit, Named]) -> set[Unit]:
    """The units that should be there, given those that are."""
    large = sum(year.dev_clips is not None and len(clips) >= year.dev_clips for clips in found.values())
    official = large > 0 and 2 * large >= len(found)
    everywhere = {unit.section for unit in found}
    domains = DOMAINS if year.definition.domains == "files" else ("",)
    expected = set()
    for machine in {unit.machine for unit in found}:
        own = {unit.section for unit in found if unit.machine == machine}
        sections = set(own)
        if official:
            for part in (year.dev, year.eval):
                if own & set(part.get(machine, ())):
                    sections |= set(part[machine])
        elif year.year != 2020:
            sections |= everywhere
        expected |= {Unit(machine, section, domain) for section in sections for domain in domains}
    return expected


def official_clips(year: Year, found: Mapping[Unit, Named]) -> Truth | None:
    """The official development clips of the machines found, 2021, where most files name exactly those; else None."""
    if year.year != 2021 or not found:
        return None
    official = _development_2021()
    same = sum(set(clips) == set(official.clips.get(unit, ())) for unit, clips in found.items())
    if 2 * same <= len(found):
        return None
    machines = {unit.machine for unit in found}
    return Truth(official.origin, {unit: clips for unit, clips in official.clips.items() if unit.machine in machines})


@cache
def _development_2021() -> Truth:
    from asdbench.published import official_counts

    year = YEARS[2021]
    clips: dict[Unit, dict[str, Answer]] = {}
    for (machine, section, domain, split, label), count in official_counts().items():
        if split == "test" and section in year.dev.get(machine, ()):
            own = clips.setdefault(Unit(machine, section, domain), {})
            for number in range(count):
                own[f"section_{section}_{domain}_test_{label}_{number:04d}.wav"] = Answer(CODES[label], domain)
    return Truth("the development set of 2021", clips)


def unnoticed(year: Year, units: Iterable[Unit]) -> str:
    """What of such a set nobody can know, in a sentence."""
    where = "at the end of a file " if all(_numbered(year, unit) for unit in units) else ""
    return f"Clips that are missing {where}cannot be noticed: no list of the clips of this set is at hand."


def _numbered(year: Year, unit: Unit) -> bool:
    """Whether the numbers of a unit's clips run without a gap where none is missing."""
    return year.gapless and unit.section in year.dev.get(unit.machine, ())


def gap(year: Year, unit: Unit, clips: Named) -> str | None:
    """That the numbers show clips to be missing, in words, or None."""
    if not _numbered(year, unit) or not clips:
        return None
    fewest: tuple[int, str] | None = None
    for key in _NUMBERED:
        absent = _absent(clips.values(), key)
        if absent is None:
            continue
        if not absent[0]:
            return None
        fewest = min(fewest or absent, absent)
    if fewest is None:
        return "the numbers of its clips repeat"
    count, first = fewest
    return f"a clip is missing: the numbers leave out {first}{f' (and {count - 1} more)' if count > 1 else ''}"


_NUMBERED: tuple[Callable[[ClipFields], tuple[str, ...]], ...] = (
    lambda fields: (fields.domain, fields.label),
    lambda fields: (fields.domain,),
    lambda fields: (),
)
"""What the clips may be numbered within."""


def _absent(clips: Iterable[ClipFields], key: Callable[[ClipFields], tuple[str, ...]]) -> tuple[int, str] | None:
    """How many numbers are left out and the first of them; None where clips of a group share a number."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for fields in clips:
        groups.setdefault(key(fields), []).append(fields.number)
    start = min(min(numbers) for numbers in groups.values())
    count, first = 0, ""
    for names, numbers in groups.items():
        numbers.sort()
        # Anomalies may be numbered from 100 on where normal clips are from 0: then nothing is missing before them.
        previous = start - 1 if numbers[0] - start <= len(numbers) else numbers[0] - 1
        for number in numbers:
            if number == previous:
                return None
            if number > previous + 1:
                first = first or " ".join([*filter(None, names), f"{previous + 1:04d}"])
                count += number - previous - 1
            previous = number
    return count, first
