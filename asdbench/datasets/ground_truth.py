"""Ground truth: which evaluation clips there are and what they are, as the organizers published it after the challenge.

Conventions
-----------
- Three forms are read: the evaluator's folder (``ground_truth_<machine>_section_<NN>[_<domain>]_test.csv`` of
  ``clip,0|1``; from 2022 on with the folder ``ground_truth_domain`` beside it, ``clip,0|1`` for source and target, and
  perhaps ``ground_truth_attributes``, ``clip,labelled name``); the folder above, which holds ``ground_truth_data``; and
  one list of all machines (``eval_data_list.csv``): a line with one field starts a machine, the others are
  ``clip,labelled name[,0|1]``.
- A clip may then also be called by its labelled name, as the organizers' own baseline does and their evaluators accept.
- What contradicts the labels that are part of this package (:mod:`asdbench.datasets.shipped_truth`) is refused.

Which of it belongs to a data set is said in :mod:`asdbench.datasets.evaluation_clips`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from asdbench.api import DOMAINS
from asdbench.datasets.shipped_truth import CODES, Answer, Truth, contradiction
from asdbench.datasets.years import YEARS, Unit, Year
from asdbench.errors import DataError


def read_truth(path: Path, year: Year) -> Truth:
    """Read a ground truth from a folder or a list.

    Raises
    ------
    DataError
        Where there is none, or it is damaged, contradicts itself or the organizers' evaluator, or is of another year;
        names file and line.
    """
    if not path.exists():
        raise DataError(f"no ground truth at {path}", looked=str(path.absolute()), hint=f"get it from {year.evaluator}")
    truth = _read_list(path, year) if path.is_file() else _read_folder(path, year)
    if (other := _other_year(truth, year)) is not None:
        raise _bad(path, None, f"its machines and sections are those of {other}", year)
    if wrong := contradiction(year, truth.clips):
        raise DataError(
            f"this ground truth of {year.year} is wrong",
            looked=f"{path}: {wrong}",
            hint=f"remove it, and name no other: the labels of {year.year} are part of asdbench",
        )
    return truth


def _other_year(truth: Truth, year: Year) -> int | None:
    """The year that a ground truth is of where it is not all of this one's; the names are the same from 2022 on."""

    def holds(other: Year) -> bool:
        return all(unit.section in other.eval.get(other.machine(unit.machine), ()) for unit in truth.clips)

    if year.year < 2022 or holds(year):
        return None
    return next((other.year for other in YEARS.values() if other.year >= 2022 and holds(other)), None)


def _read_folder(path: Path, year: Year) -> Truth:
    folder = path / "ground_truth_data"
    folder = (folder if folder.is_dir() else path).absolute()  # `.` has no parent to look in
    found = sorted(folder.glob("ground_truth_*.csv"))
    if not found:
        lists = sorted(folder.glob("eval_data_list*.csv"))
        if len(lists) == 1:
            return _read_list(lists[0], year)
        raise DataError(
            f"no ground truth in {path}",
            looked=f"no files ground_truth_<machine>_{year.tail} there",
            hint=f"get it from {year.evaluator}",
        )
    clips: dict[Unit, dict[str, Answer]] = {}
    labelled: dict[Unit, dict[str, str]] = {}
    for file in found:
        parsed = year.parse_file(file.name.replace("ground_truth_", "anomaly_score_", 1))
        if parsed is None:
            raise _bad(file, None, f"its name is not that of a ground truth of {year.year}", year)
        unit = parsed[1]
        labels, domains = _flags(file, year), dict[str, str]()
        if year.definition.domains == "clips":
            domains = _domains(folder.parent / "ground_truth_domain" / file.name, labels, year)
        clips[unit] = {clip: Answer(label, domains.get(clip, unit.domain)) for clip, label in labels.items()}
        labelled[unit] = dict(_attributes(folder.parent / "ground_truth_attributes" / file.name))
    return Truth(f"the ground truth in {path}", MappingProxyType(clips), MappingProxyType(labelled))


def _flags(path: Path, year: Year) -> dict[str, int]:
    """``clip,0|1`` of a file of the evaluator's."""
    found: dict[str, int] = {}
    for line, row in _rows(path):
        if len(row) != 2 or row[1] not in ("0", "1"):
            raise _bad(path, line, f"{','.join(row)[:80]!r} is neither `clip,0` nor `clip,1`", year)
        if row[0] in found:
            raise _bad(path, line, f"{row[0]} stands twice", year)
        found[row[0]] = int(row[1])
    if not found:
        raise _bad(path, None, "it lists no clips", year)
    return found


def _domains(path: Path, labels: Mapping[str, int], year: Year) -> dict[str, str]:
    if not path.is_file():
        raise DataError(
            "the ground truth does not say which domain a clip is of",
            looked=f"no file {path}",
            hint=f"name the evaluator's folder, with ground_truth_data and ground_truth_domain: {year.evaluator}",
        )
    found = _flags(path, year)
    if set(found) != set(labels):
        odd = sorted(set(found) ^ set(labels))[0]
        raise _bad(path, None, f"it and ground_truth_data name different clips, such as {odd}", year)
    return {clip: DOMAINS[number] for clip, number in found.items()}


def _attributes(path: Path) -> Iterator[tuple[str, str]]:
    """Labelled name and clip, where the evaluator knows both."""
    if path.is_file():
        for _, row in _rows(path):
            if len(row) >= 2:  # 2024 and later: a third field names attributes that were never published in names
                yield f"{row[1].removesuffix('.wav')}.wav", row[0]


def _read_list(path: Path, year: Year) -> Truth:
    clips: dict[Unit, dict[str, Answer]] = {}
    labelled: dict[Unit, dict[str, str]] = {}
    machine = ""
    for line, row in _rows(path):
        if len(row) == 1:
            machine = row[0]
            if not re.fullmatch(r"\w+", machine):
                raise _bad(path, line, f"{machine[:40]!r} is no machine type", year)
            continue
        unit = year.unit(machine, row[0])
        if unit is None or not machine:
            raise _bad(path, line, f"{row[0][:60]!r} is not the name of an evaluation clip of {year.year}", year)
        fields = year.parse_clip(row[1])
        if fields is None or len(row) > 3:
            raise _bad(path, line, f"{row[1][:80]!r} is not a clip name of {year.year} with its label", year)
        answer = Answer(CODES[fields.label], fields.domain)
        if len(row) == 3 and row[2] != str(answer.label):
            raise _bad(path, line, f"the label {row[2][:20]} and the name {row[1]} contradict each other", year)
        if fields.section != unit.section or unit.domain not in ("", fields.domain):
            raise _bad(path, line, f"{row[0]} and {row[1]} are of different sections or domains", year)
        if row[0] in clips.setdefault(unit, {}):
            raise _bad(path, line, f"{row[0]} stands twice", year)
        clips[unit][row[0]] = answer
        labelled.setdefault(unit, {})[row[1]] = row[0]
    if not clips:
        raise _bad(path, None, "it lists no clips", year)
    return Truth(f"the ground truth {path.name}", MappingProxyType(clips), MappingProxyType(labelled))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, with their line numbers."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file, strict=True), start=1):
                if row:
                    yield number, [value.strip() for value in row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError("a ground truth cannot be read", looked=f"{path}: {error}", hint="get it again") from error


def _bad(path: Path, line: int | None, reason: str, year: Year) -> DataError:
    where = "" if line is None else f", line {line}"
    return DataError(
        f"this is no ground truth of {year.year}",
        looked=f"{path}{where}: {reason}",
        hint=f"is it of another year? the organizers keep that of {year.year} at {year.evaluator}",
    )
