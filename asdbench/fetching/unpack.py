"""Unpacking a zip archive that somebody else made, without trusting it.

Refused before anything is written: paths that leave the folder, absolute ones, links and other special files, encrypted
members, names that are there twice (also where only case differs), unknown compression, more bytes or files than an
archive of its size can honestly hold. While writing, each member must have the length and CRC that the directory says.
"""

from __future__ import annotations

import itertools
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from asdbench.datasets.tree import MACOS
from asdbench.errors import DataError

RATIO = 50
"""An archive may not hold more than this many times its own bytes; recorded sound shrinks to half or so."""
MAX_BYTES, MAX_FILES = 100 << 30, 1_000_000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BLOCK = 1 << 20
LITTER = (MACOS, ".DS_Store", "Thumbs.db", "desktop.ini")
"""What file managers leave in archives."""


class ArchiveError(DataError):
    """An archive that is damaged or not to be trusted."""


@dataclass(frozen=True)
class Member:
    """A file in an archive: its place there (also its path in zip terms), length, CRC and place in the directory."""

    path: PurePosixPath
    bytes: int
    crc: int
    number: int


def inspect(archive: Path) -> list[Member]:
    """The files of an archive, all of them harmless; folders and file managers' litter left out.

    Raises
    ------
    ArchiveError
        Where it is no zip archive, or holds what is refused.
    """
    members: list[Member] = []
    seen: dict[str, str] = {}
    with _opened(archive) as file:
        infos = file.infolist()
        if len(infos) > MAX_FILES:
            raise _refused(archive, f"{len(infos):,} members, more than {MAX_FILES:,}")
        for number, info in enumerate(infos):
            if problem := _problem(info):
                raise _refused(archive, f"{info.orig_filename!r} {problem}")
            path = PurePosixPath(info.filename)
            if info.is_dir() or set(path.parts) & set(LITTER) or path.name.startswith("._"):
                continue
            if (key := str(path).casefold()) in seen:
                raise _refused(archive, f"{str(path)!r} is there twice (as {seen[key]!r})")
            seen[key] = str(path)
            members.append(Member(path, info.file_size, info.CRC, number))
        ordered = sorted(infos, key=lambda info: info.header_offset)
        for one, other in itertools.pairwise(ordered):
            if one.header_offset + one.compress_size > other.header_offset:
                raise _refused(archive, f"{one.filename!r} and {other.filename!r} share bytes: a bomb")
    for member in members:
        for folder in member.path.parents:
            if str(folder).casefold() in seen:
                raise _refused(archive, f"{str(folder)!r} is both a file and a folder")
    packed, total = archive.stat().st_size, sum(member.bytes for member in members)
    if total > min(RATIO * packed, MAX_BYTES):
        raise _refused(archive, f"it claims to hold {total:,} bytes in {packed:,}: a bomb")
    if not members:
        raise ArchiveError(f"{archive.name} is empty", looked=str(archive), hint="get it again")
    return members


def unpack(
    archive: Path, targets: Sequence[tuple[Member, Path]], advance: Callable[[int], None] = lambda amount: None
) -> None:
    """Write members to paths, which must not be there yet.

    Parameters
    ----------
    archive : Path
    targets : sequence of (Member, Path)
        Members that :func:`inspect` gave.
    advance : callable
        Told of each number of bytes written; what it raises ends the unpacking.

    Raises
    ------
    ArchiveError
        Where a member is damaged or has another length than the directory says.
    OSError
        Where the system does not write.
    """
    with _opened(archive) as file:
        infos = file.infolist()
        for member, path in targets:
            path.parent.mkdir(parents=True, exist_ok=True)
            written = 0
            with file.open(infos[member.number]) as packed, path.open("xb") as plain:
                while block := packed.read(BLOCK):
                    written += len(block)
                    if written > member.bytes:
                        raise _refused(archive, f"{member.path} is longer than the directory says")
                    plain.write(block)
                    advance(len(block))
            if written != member.bytes:
                raise _refused(archive, f"{member.path} has {written:,} bytes, not {member.bytes:,}")


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    """The open archive; what zipfile finds wrong with it comes as an ArchiveError."""
    try:
        with zipfile.ZipFile(archive) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError) as error:
        with archive.open("rb") as opened:
            begins = opened.read(24)
        found = f"{error}" if begins[:2] == b"PK" else f"no zip archive: it begins with {begins!r}"
        raise ArchiveError(
            f"{archive.name} is damaged or no zip archive",
            looked=f"{archive}, {archive.stat().st_size:,} bytes: {found}",
            hint="run the same command again to get it anew; if it stays so, try another source with --from",
        ) from error


def _problem(info: zipfile.ZipInfo) -> str:
    """What is wrong with a member; "" where nothing is."""
    name, mode = info.orig_filename, info.external_attr >> 16
    path = PurePosixPath(name)
    if "\\" in name or any(ord(character) < 32 for character in name):
        return "has a backslash or control characters in its name"
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] if path.parts else True:
        return "leads out of the folder"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link" if stat.S_ISLNK(mode) else "is a special file"
    if info.flag_bits & 0x41:
        return "is encrypted"
    if info.compress_type not in METHODS:
        return f"is compressed by method {info.compress_type}; stored and deflated members are read"
    return ""


def _refused(archive: Path, what: str) -> ArchiveError:
    return ArchiveError(
        f"{archive.name} was not unpacked: it is not to be trusted",
        looked=f"{archive}: {what}",
        hint="get it from its official place; nothing of it was kept",
    )
