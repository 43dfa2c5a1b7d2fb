"""One score or decision file, read strictly.

Conventions
-----------
- ``clip,value`` a line, without a head line; UTF-8; lines end in LF or CRLF, the last one need not end at all; fields
  may be quoted and have spaces around them. An empty line is refused: the organizers' programs stop at it.
- A value is a decimal number: ``1.5``, ``-3e-4``; not ``nan``, ``inf``, ``1_000``, ``0x1p3``. A decision is 0 or 1.
- A clip counts by its base name, so that ``test/section_00_….wav`` is the same clip, in a Windows path too; it may
  stand in a file once.
- A byte-order mark is refused: the organizers' programs take it for a part of the first clip's name, sort that clip
  behind all others and shift every label by one.

Reading goes on after a problem, so that a file's problems are seen together.
"""

from __future__ import annotations

import csv
import io
import math
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asdbench.files import LARGEST
from asdbench.words import counted

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(?:nan(?:\(.*\))?|inf|infinity)", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, and in which line where it is one line."""

    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        where = "" if self.line is None else f", line {self.line}"
        return _short(f"{self.file}{where}: {self.reason}", most=400)


@dataclass(frozen=True)
class Rows:
    """The rows of a file that could be read, and what is wrong with the others.

    Parameters
    ----------
    values : mapping of clip to number
        In the order of the file.
    lines : mapping of clip to line number, from 1
    problems : list of Problem
        The first few, and how many more.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_scores(path: Path) -> Rows:
    """The anomaly scores of a file, by clip."""
    return _read(path, decisions=False)


def read_decisions(path: Path) -> Rows:
    """The decisions of a file, 0 or 1, by clip."""
    return _read(path, decisions=True)


def _read(path: Path, decisions: bool) -> Rows:
    text = _text(path)
    if isinstance(text, Problem):
        return Rows(problems=[text])
    values: dict[str, float] = {}
    lines: dict[str, int] = {}
    problems: list[Problem] = []
    rows = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    last = 0
    try:
        for row in rows:
            number, last = last + 1, rows.line_num
            found = _row(row, number, decisions)
            if isinstance(found, str):
                problems.append(Problem(path.name, number, found))
                continue
            clip, value = found
            if clip in values:
                problems.append(Problem(path.name, number, f"{clip} stands twice, first in line {lines[clip]}"))
                continue
            values[clip], lines[clip] = value, number
    except csv.Error as error:
        problems.append(Problem(path.name, last + 1, f"not CSV: {error}"))
    return Rows(values, lines, _some(path.name, problems))


def _some(name: str, problems: list[Problem], most: int = 3) -> list[Problem]:
    """The first problems, and how many more: a file of the wrong kind has one in each line."""
    if len(problems) <= most + 1:
        return problems
    return [*problems[:most], Problem(name, None, f"{len(problems) - most} more lines with problems")]


def _text(path: Path) -> str | Problem:
    """The text of a file, or why it is none."""
    if path.is_dir():
        return Problem(path.name, None, "a folder, not a file")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Problem(path.name, None, "a pipe or a device, not a file")
        if status.st_size > LARGEST:
            return Problem(path.name, None, f"{status.st_size // 10**6} MB: no score file is that large")
        content = path.read_bytes()
    except OSError as error:
        return Problem(path.name, None, f"cannot be read: {error.strerror}")
    if not content.strip():
        return Problem(path.name, None, "empty")
    if content.startswith(_BOM):
        return Problem(path.name, 1, "starts with a byte-order mark: save it as UTF-8 without one")
    if b"\0" in content:
        return Problem(path.name, content[: content.index(b"\0")].count(b"\n") + 1, "binary: no text")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        return Problem(path.name, content[: error.start].count(b"\n") + 1, "binary, or not UTF-8 text")


def _row(row: list[str], number: int, decisions: bool) -> tuple[str, float] | str:
    """Clip and value of a row, or what is wrong with it."""
    if not any(map(str.strip, row)):
        return "an empty line"
    if len(row) != 2:
        return f"{counted(len(row), 'field')} instead of `clip,value`: {_short(','.join(row))}"
    clip, text = (part.strip() for part in row)
    clip = clip.replace("\\", "/").rpartition("/")[2]
    if _NOT_FINITE.fullmatch(text):
        return f"{text} is not finite ({_short(clip)})"
    if not _NUMBER.fullmatch(text):
        if number == 1 and not clip.lower().endswith(".wav"):
            return f"a header line: {_short(','.join(row))}"
        return f"{_short(text)} is no number ({_short(clip)})" if text else f"no value ({_short(clip)})"
    if not clip:
        return "no clip name"
    value = float(text)
    if not math.isfinite(value):
        return f"{_short(text)} is not finite ({_short(clip)})"
    if decisions and value not in (0, 1):
        return f"the decision {_short(text)} is neither 0 nor 1 ({_short(clip)})"
    return clip, value


def _short(text: str, most: int = 80) -> str:
    """Text from a file for a message: one line, printable, not too long."""
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
