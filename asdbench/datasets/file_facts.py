"""Facts about files (a hash, what a header says), kept so that a file that has not changed is not read again.

Conventions
-----------
- A file is taken as unchanged while its path, size, modification time (ns) and inode stand. The inode counts because
  clips of a data set all have the same size and, out of an archive, often the same time: swapping two must show.
- A fact of a file modified in the last two seconds is not kept: it may change again within the clock's granularity.
- Failures are never kept.
- The database is a convenience. Where it cannot be opened, read or written (read-only or missing folder, damaged file,
  another process holding it for long), facts are found anew and the reason is logged.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from asdbench.errors import ClipError
from asdbench.files import SETTLED_NS

Identity: TypeAlias = tuple[int, int, int]

CHUNK = 500
"""Files between two commits: what an interrupted run may have to read again; sqlite takes up to 999 values a query."""
THREADS = min(4, os.cpu_count() or 1)

_log = logging.getLogger(__name__)


class KeptFacts:
    """One fact a file, kept in an sqlite database; in memory where there is none, or it does not take it.

    Parameters
    ----------
    path : Path or None
        The database; made at the first use, with its folder. None: this process's memory alone.
    kind : str
        Which fact; the name of its table.
    find : callable
        Finds the fact of a file, given its path as bytes; ClipError where the file cannot be read.
    """

    def __init__(self, path: Path | None, kind: str, find: Callable[[bytes], str]) -> None:
        self.path = path
        self._kind, self._find = kind, find
        self._known: dict[bytes, tuple[Identity, str]] = {}

    def look(self, paths: Iterable[Path]) -> tuple[dict[Path, str], dict[Path, ClipError]]:
        """The fact of each file, or why it has none."""
        wanted = {path: _key(path) for path in paths}
        identities: dict[bytes, Identity] = {}
        failed: dict[bytes, ClipError] = {}
        for key in wanted.values():
            try:
                identities[key] = _identity(key)
            except ClipError as error:
                failed[key] = error
        facts = {key: self._known[key][1] for key, one in identities.items() if self._known.get(key, ((),))[0] == one}
        facts |= self._recall({key: identity for key, identity in identities.items() if key not in facts})
        unknown = [key for key in identities if key not in facts]
        for start in range(0, len(unknown), CHUNK):
            fresh: dict[bytes, str] = {}
            for key, found in self._found(unknown[start : start + CHUNK]):
                if isinstance(found, ClipError):
                    failed[key] = found
                else:
                    fresh[key] = found
            facts |= fresh
            kept = self._keep(identities, fresh)
            self._known.update({key: (identities[key], fact) for key, fact in fresh.items() if key not in kept})
        return (
            {path: facts[key] for path, key in wanted.items() if key not in failed},
            {path: failed[key] for path, key in wanted.items() if key in failed},
        )

    def _found(self, keys: list[bytes]) -> Iterator[tuple[bytes, str | ClipError]]:
        # A task a thread, not a task a file: for small files the handing over would cost more than the reading.
        def share(first: int) -> list[tuple[bytes, str | ClipError]]:
            return [(key, self._tried(key)) for key in keys[first::THREADS]]

        with ThreadPoolExecutor(THREADS) as pool:
            for part in pool.map(share, range(THREADS)):
                yield from part

    def _tried(self, key: bytes) -> str | ClipError:
        try:
            return self._find(key)
        except ClipError as error:
            return error

    def _recall(self, identities: Mapping[bytes, Identity]) -> dict[bytes, str]:
        """What the database has of these files as they are."""
        found: dict[bytes, str] = {}
        if self.path is None or not self.path.is_file():
            return found
        keys = list(identities)
        try:
            with closing(sqlite3.connect(self.path, timeout=5)) as database:
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [self._kind]).fetchone():
                    return found
                for start in range(0, len(keys), CHUNK):
                    own = keys[start : start + CHUNK]
                    places = ",".join("?" * len(own))
                    query = f"SELECT path, size, mtime_ns, inode, fact FROM {self._kind} WHERE path IN ({places})"
                    for key, size, mtime, inode, fact in database.execute(query, own):
                        if identities[key] == (size, mtime, inode):
                            found[key] = fact
        except sqlite3.Error as error:
            _log.warning("what is kept in %s cannot be read, it is found anew: %s", self.path, error)
        return found

    def _keep(self, identities: Mapping[bytes, Identity], fresh: Mapping[bytes, str]) -> set[bytes]:
        """Put facts into the database; those that it has taken."""
        settled = time.time_ns() - SETTLED_NS
        rows = [(key, *identities[key], fact) for key, fact in fresh.items() if identities[key][1] < settled]
        if self.path is None or not rows:
            return set()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=30)) as database, database:
                database.execute("PRAGMA synchronous = OFF")  # a database that a power cut damages costs time only
                database.execute(
                    f"CREATE TABLE IF NOT EXISTS {self._kind} "
                    "(path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER, fact TEXT) WITHOUT ROWID"
                )
                database.executemany(f"INSERT OR REPLACE INTO {self._kind} VALUES (?, ?, ?, ?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            _log.warning("nothing can be kept in %s, it will be found anew: %s", self.path, error)
            return set()
        return {row[0] for row in rows}


def _key(path: Path) -> bytes:
    text = os.fspath(path)
    return os.fsencode(text if os.path.isabs(text) else path.absolute())  # noqa: PTH117 # quicker for many thousand


def _identity(key: bytes) -> Identity:
    try:
        status = os.stat(key)  # noqa: PTH116 # a Path each would take three times as long
    except OSError as error:
        raise unreadable(key, error) from error
    # sqlite's integers are signed 64 bit; some network file systems number inodes above that
    return status.st_size, status.st_mtime_ns, status.st_ino & (2**63 - 1)


def unreadable(key: bytes, error: OSError) -> ClipError:
    """The error for a file that the system will not read."""
    path = Path(os.fsdecode(key))
    return ClipError(f"cannot read {path.name}: {error.strerror}", looked=str(path), hint="copy it again, or remove it")
