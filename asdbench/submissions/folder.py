"""A folder of score files: which are there, and which others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asdbench.datasets.years import YEARS, Unit, Year
from asdbench.errors import DataError
from asdbench.submissions.rows import Problem


@dataclass(frozen=True)
class Submission:
    """The files of a folder.

    Parameters
    ----------
    path : Path
    scores, decisions : mapping of Unit to Path
    others : tuple of str
        Names of files that are no score or decision file of the year, sorted; hidden ones too.
    problems : tuple of Problem
        Two files for one unit: which of them counts nobody can know, so neither is among the others.
    ambiguous : frozenset of (str, Unit)
        Kind and unit of such files.
    """

    path: Path
    scores: Mapping[Unit, Path] = field(hash=False)
    decisions: Mapping[Unit, Path] = field(hash=False)
    others: tuple[str, ...]
    problems: tuple[Problem, ...]
    ambiguous: frozenset[tuple[str, Unit]] = frozenset()


def open_submission(path: Path, year: Year) -> Submission:
    """List the files of a folder. Links are followed when files are read.

    Raises
    ------
    DataError
        Where there is no folder, or no score file of that year in it.
    """
    if not path.is_dir():
        what = "is a file, not a folder" if path.exists() else "is not there"
        raise DataError(
            f"{path} {what}", looked=str(path.absolute()), hint="name the folder that holds the score files"
        )
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        raise DataError(f"{path} cannot be read", looked=str(error.strerror), hint="check its permissions") from error
    named: dict[str, dict[Unit, list[str]]] = {"anomaly_score": {}, "decision_result": {}}
    others = []
    for name in names:
        parsed = year.parse_file(name)
        if parsed is None:
            others.append(name)
            continue
        kind, unit = parsed
        named[kind].setdefault(unit, []).append(name)
    if not named["anomaly_score"]:
        raise DataError(
            f"there are no score files of {year.year} in {path}",
            looked=f"{_some(names) or 'an empty folder'}; expected names such as {year.example}",
            hint=_other_year(names, year)
            or _inside(path, names, year)
            or "name the folder that holds the score files; see --year",
        )
    twice = {(kind, unit): own for kind, units in named.items() for unit, own in units.items() if len(own) > 1}
    problems = [
        Problem(own[1], None, f"ambiguous: {own[0]} is of {unit}, too; keep one of them")
        for (_, unit), own in twice.items()
    ]
    scores, decisions = (
        {unit: path / own[0] for unit, own in units.items() if len(own) == 1} for units in named.values()
    )
    return Submission(path, scores, decisions, tuple(others), tuple(problems), frozenset(twice))


def near_miss(year: Year, unit: Unit, others: tuple[str, ...]) -> str | None:
    """A passed-over file whose name is the unit's but for upper and lower case."""
    wanted = year.file_name("anomaly_score", unit).lower()
    return next((name for name in others if name.lower() == wanted), None)


def _other_year(names: list[str], year: Year) -> str | None:
    for other in YEARS.values():
        if other.year != year.year and any(other.parse_file(name) for name in names):
            return f"their names are those of {other.year}: --year {other.year}"
    return None


def _inside(path: Path, names: list[str], year: Year) -> str | None:
    """Which folder in it was meant: teams hand in several systems in one."""
    for name in names:
        try:
            if (path / name).is_dir() and any(year.parse_file(file.name) for file in (path / name).iterdir()):
                return f"a folder in it has some: {path / name}"
        except OSError:
            continue  # one that cannot be looked into is not what was meant
    return None


def _some(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
