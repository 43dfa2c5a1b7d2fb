"""What was fetched into a root: ``ROOT/.asdbench``.

Conventions
-----------
- ``downloads.json``: one entry an archive, by file name: where it came from, its size and checksums, how it was checked
  and when. An entry is written after all of the archive's files are in place.
- ``<archive>.csv`` beside it: the archive's files, ``path,bytes,crc32``, paths relative to the root.
- A checksum that nobody publishes counts from its first record on.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from asdbench.datasets.fetched import FILE, FOLDER
from asdbench.errors import ConflictError, DataError
from asdbench.fetching.catalogue import Source
from asdbench.files import read_rows, write_rows, write_text

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]  # the module or nothing

FORMAT = 1
HEAD = ("path", "bytes", "crc32")


@dataclass(frozen=True)
class Entry:
    """One archive in a root.

    Parameters
    ----------
    file, name, part, machine : str
        As in the catalogue.
    origin : str
        The address or folder it came from.
    bytes : int
    md5 : str or None
        The published one that it agreed with, where there is one.
    sha256 : str
    checked : str
        What its content was held against.
    fetched : str
        Date, as YYYY-MM-DD.
    files : int
        How many files it put into the root.
    """

    file: str
    name: str
    part: str
    machine: str
    origin: str
    bytes: int
    md5: str | None
    sha256: str
    checked: str
    fetched: str
    files: int


class Records:
    """The record of a root; safe to use from several threads.

    Raises
    ------
    DataError
        Where ``downloads.json`` cannot be read.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER
        self.path = self.folder / FILE
        self._lock = Lock()
        self._entries: dict[str, Entry] = {}
        if not self.path.exists():
            return
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            if found["format"] != FORMAT:
                raise ValueError(f"format {found['format']}, not {FORMAT}")
            self._entries = {name: Entry(file=name, **entry) for name, entry in found["downloads"].items()}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(
                "the record of downloads cannot be read",
                looked=f"{self.path}: {error}",
                hint="move it away: what is there is then fetched again and compared",
            ) from error

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, source: Source) -> Entry | None:
        """The entry of a file, or None."""
        return self._entries.get(source.file)

    def put(self, entry: Entry, contents: Sequence[tuple[str, int, int]]) -> None:
        """Remember an archive and its files (path, bytes, crc32)."""
        rows = [(path, str(size), f"{crc:08x}") for path, size, crc in contents]
        with self._lock:
            write_rows(self._listing(entry.file), HEAD, rows)
            self._entries[entry.file] = entry
            entries = {name: asdict(self._entries[name]) for name in sorted(self._entries)}
            for name in entries:
                del entries[name]["file"]
            write_text(self.path, json.dumps({"format": FORMAT, "downloads": entries}, indent=1) + "\n")

    def missing(self, source: Source) -> list[str] | None:
        """The files of a recorded archive that are not there with their size; None where it is not recorded."""
        listing = self._listing(source.file)
        if source.file not in self._entries or not listing.is_file():
            return None
        lost = []
        for path, size, _ in list(read_rows(listing, HEAD))[1:]:
            try:
                if str((self.root / path).stat().st_size) == size:
                    continue
            except OSError:
                pass  # not there, or not to be read: to be fetched either way
            lost.append(path)
        return lost

    def _listing(self, file: str) -> Path:
        return self.folder / f"{file}.csv"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Within it, no other fetch works in a folder. (Not on systems without flock.)

    Nothing stays of what it makes for that, the folder and those above it included, unless something came to be there.

    Raises
    ------
    ConflictError
        Where another one does.
    DataError
        Where nothing can be written there.
    """
    private = folder.absolute() / FOLDER
    made = list(itertools.takewhile(lambda path: not path.exists(), (private, *private.parents)))
    lock = private / "lock"
    try:
        private.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DataError(
            f"cannot write to {folder}", looked=f"{private}: {error.strerror}", hint="choose another folder with --to"
        ) from error
    try:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not os.fstat(handle).st_nlink:
                    raise BlockingIOError("removed by a fetch that ended just now")
            except BlockingIOError as error:
                raise ConflictError(
                    "another fetch works in this folder", looked=str(folder), hint="wait for it to end, or stop it"
                ) from error
        try:
            yield
        finally:
            _leave(lock, made)
    finally:
        os.close(handle)


def _leave(lock: Path, made: Sequence[Path]) -> None:
    """Remove a lock that guards nothing, while it is held, and the empty folders that were made for it."""
    with suppress(OSError):  # another fetch made a lock again, or something came to a folder: then it stays
        if list(lock.parent.iterdir()) != [lock]:
            return
        lock.unlink()
        for folder in made:
            folder.rmdir()
