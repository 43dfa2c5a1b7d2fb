"""``index.csv``: the clips that belong to the rows of ``features.npy``.

Conventions
-----------
- UTF-8 with a head line; columns clip, machine, section, domain (source, target), split (train, test), label (normal,
  anomaly or empty) and, where wanted, part (dev, additional, eval; default dev), in any order; others are ignored. In
  years other than 2021 the domain may be empty: there is none (2020), or it is not known (evaluation clips).
- All values are text: section "00" stays "00". Machine and section become parts of file names.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from asdbench.api import DOMAINS, Clip, Label, Part, Split
from asdbench.errors import DataError
from asdbench.words import counted

COLUMNS = ("clip", "machine", "section", "domain", "split", "label")
VALUES: Mapping[str, tuple[str, ...]] = {
    "domain": DOMAINS,
    "split": ("train", "test"),
    "label": ("normal", "anomaly", ""),
    "part": ("dev", "additional", "eval"),
}


def read(path: Path, year: int = 2021) -> list[Clip]:
    """The clips in the order of the file, with ``row`` set.

    Parameters
    ----------
    path : Path
    year : int
        The challenge year of the clips.

    Raises
    ------
    DataError
        Not CSV, a column or value that is missing or unknown, a clip that is there twice; names the line.
    """
    clips: list[Clip] = []
    seen: dict[tuple[str, str], int] = {}
    values = {**VALUES, "domain": DOMAINS if year == 2021 else (*DOMAINS, "")}
    for line, row in _rows(path):
        for column, allowed in values.items():
            if row[column] not in allowed:
                raise _bad(
                    path, line, f"{column} is {row[column]!r}", f"{column} is one of {', '.join(allowed)}".rstrip(", ")
                )
        for column in ("machine", "section"):
            if not _file_name(row[column]):
                raise _bad(
                    path, line, f"{column} {row[column]!r} cannot be part of a file's name", "use letters and digits"
                )
        if not row["clip"] or _has_controls(row["clip"]):
            raise _bad(path, line, f"clip {row['clip']!r} is no name", "give every clip a name")
        if row["split"] == "train" and row["label"] == "anomaly":
            raise _bad(
                path,
                line,
                f"training clip {row['clip']} is an anomaly",
                "training clips are normal: make it a test clip",
            )
        key = (row["machine"], row["clip"])
        if key in seen:
            raise _bad(path, line, f"{key[0]} clip {key[1]} stands in line {seen[key]} too", "a clip has one row")
        seen[key] = line
        clips.append(
            Clip(
                name=row["clip"],
                machine=row["machine"],
                section=row["section"],
                domain=row["domain"],
                split=cast(Split, row["split"]),
                part=cast(Part, row["part"]),
                label=cast("Label | None", row["label"] or None),
                row=len(clips),
            )
        )
    if not clips:
        raise DataError(
            f"{path.name} names no clips", looked=str(path), hint="write one line a clip below the head line"
        )
    return clips


def write(path: Path, clips: Sequence[Clip]) -> None:
    """Write the clips in the order given."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([*COLUMNS, "part"])
        for clip in clips:
            rows.writerow([clip.name, clip.machine, clip.section, clip.domain, clip.split, clip.label or "", clip.part])


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and stripped values of each row, with the default part."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            head = [name.strip() for name in next(reader, [])]
            missing = [name for name in COLUMNS if name not in head]
            if missing:
                raise DataError(
                    f"{path.name} has no column {', '.join(missing)}",
                    looked=f"{path}: its first line is {','.join(head) or 'empty'}",
                    hint=f"the first line names the columns: {','.join(COLUMNS)}",
                )
            for values in reader:
                if values and len(values) != len(head):
                    what = f"{counted(len(values), 'value')} under {counted(len(head), 'column')}"
                    raise _bad(path, reader.line_num, what, "quote commas")
                if values:
                    yield reader.line_num, {"part": "dev", **dict(zip(head, map(str.strip, values), strict=True))}
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(
            f"{path.name} is not a CSV file: {error}", looked=str(path), hint="save it as CSV in UTF-8"
        ) from error
    except OSError as error:
        raise DataError(
            f"cannot read {path.name}: {error.strerror}", looked=str(path), hint="see who may read it"
        ) from error


def _bad(path: Path, line: int, what: str, hint: str) -> DataError:
    return DataError(f"{path.name} line {line}: {what}", looked=str(path), hint=hint)


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)


def _file_name(text: str) -> bool:
    return bool(re.fullmatch(r"[^/\\:.][^/\\:]*", text)) and ".." not in text and not _has_controls(text)
