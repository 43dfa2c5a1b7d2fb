"""Plain files: CSV that says which line is damaged, and writing that leaves the old file or the new one.

A file is written under another name beside it and renamed: within a file system that is atomic. The other name tells
the machine and process it belongs to, so that what a killed process left is known for what it is and swept.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import platform
import re
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import DataError
from asdbench.words import counted

LEFT = ".asdbench-"
"""How the names begin under which files are written."""
SETTLED_NS = 2 * 10**9
"""Nanoseconds after which a file that stands is taken as unchanged: earlier it may change again at the same time."""
SAFE = "[]=,@+ "
"""What stands in a file's name as it is, beside letters, digits and ``_.-~``."""
LARGEST = 200 * 10**6
"""Bytes of a file that is still read; the largest of a result folder have a few million."""


def digest(path: Path) -> str:
    """The sha256 (hex) of a file, read block by block."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def as_file_name(name: str) -> str:
    """A name as a folder's or file's; characters that cannot stand there, or would hide it, are percent-encoded.

    Raises
    ------
    DataError
        Where it is too long.
    """
    quoted = quote(name, safe=SAFE)
    if quoted.startswith("."):
        quoted = f"%2E{quoted[1:]}"  # hidden, or "." and "..", which are other folders
    if quoted.endswith((".", " ")):
        quoted = f"{quoted[:-1]}%{ord(quoted[-1]):02X}"  # not on Windows
    if len(quoted) > 200:
        raise DataError(
            f"a name is too long for a folder: {len(quoted)} characters", looked=name[:80], hint="shorten it"
        )
    return quoted


def check_size(path: Path) -> None:
    """Refuse a file that nobody's results are: reading it would take all memory.

    Raises
    ------
    DataError
        Where it is larger than :data:`LARGEST`.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size > LARGEST:
        raise damaged(path, f"{size} bytes, more than the {LARGEST} that are read")


def read_rows(path: Path, head: Sequence[str]) -> list[list[str]]:
    """The rows of a CSV file, its head line first; none where there is no file.

    Raises
    ------
    DataError
        Where it cannot be read, begins otherwise than ``head``, or a line is not as long as the head line.
    """
    content = read_content(path)
    try:
        return [] if content is None else rows_of(content, head)
    except ValueError as error:
        raise damaged(path, str(error)) from error


def read_content(path: Path) -> bytes | None:
    """What a file holds, or None where there is none; DataError where it cannot be read or is too large."""
    if not path.exists():
        return None
    check_size(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise damaged(path, str(error)) from error


def rows_of(content: bytes, head: Sequence[str]) -> list[list[str]]:
    """The rows of a CSV file's content; ValueError where it is not what :func:`read_rows` asks for."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if not rows or rows[0][: len(head)] != list(head):
        raise ValueError(f"head line {rows[0] if rows else 'missing'}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise ValueError(f"line {number} has {counted(len(row), 'field')}, not {len(rows[0])}")
    return rows


def read_pairs(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Names and numbers of a file of ``name,number`` lines without a head line.

    Raises
    ------
    DataError
        Where it cannot be read or a line is not that.
    """
    names, values = [], []
    check_size(path)
    try:
        text = path.read_bytes().decode("utf-8")
        plain = '"' not in text and "\r" not in text  # as nearly always; splitting takes half of csv's time
        lines = text.removesuffix("\n").split("\n") if text else []
        rows = (line.split(",") for line in lines) if plain else csv.reader(io.StringIO(text, newline=""))
        for number, row in enumerate(rows, start=1):
            try:
                name, value = row
                values.append(float(value))
            except ValueError as error:
                raise damaged(path, f"line {number} is not `clip,number`: {row}") from error
            names.append(name)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise damaged(path, str(error)) from error
    return names, np.array(values, dtype=np.float64)


def write_rows(path: Path, head: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file atomically, with or without a head line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if head is not None:
        writer.writerow(head)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def damaged(path: Path, what: str) -> DataError:
    """The error for a file of a result folder that is not what was written."""
    return DataError(
        f"{path.name} is damaged", looked=f"{path}: {what[:200]}", hint="remove that seed folder and run again"
    )


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: other processes see the old one or the new one, never half of it.

    Raises
    ------
    DataError
        Where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A path that is no text (as bytes of another encoding are) must not end a run: JSON reads it back so.
        write_whole(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise DataError(
            f"cannot write {path.name}",
            looked=f"{path.parent}: {error.strerror}",
            hint="check permissions and free space, or choose another folder",
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """The same for bytes, in a folder that is there; OSError where it cannot be written."""
    temporary = path.with_name(f"{LEFT}{_machine()}-{os.getpid()}-{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def sweep(folder: Path) -> None:
    """Remove what processes of this machine that are no more have left half-written in a folder."""
    if os.name != "posix" or not folder.is_dir():
        return
    own = re.compile(rf"{re.escape(LEFT + _machine())}-(\d+)-[0-9a-f]{{32}}")
    for entry in os.scandir(folder):
        match = own.fullmatch(entry.name)
        if match and not _alive(int(match[1])):
            Path(entry.path).unlink(missing_ok=True)


def _machine() -> str:
    return re.sub(r"[^\w.]", "_", platform.node())[:40]


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:  # one that has ended, and whom nobody has asked for, still has its number: no more than that
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:  # not on Linux, or gone by now
        return not Path("/proc/self/stat").exists()
