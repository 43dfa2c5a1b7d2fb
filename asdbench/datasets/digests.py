"""Hashes of files' content, kept so that a file that has not changed is not read again.

Conventions
-----------
- A file is taken as unchanged while its path, size, modification time (ns) and inode stand. The inode counts because
  clips of a data set all have the same size and, out of an archive, often the same time: swapping two must show.
- A file modified in the last two seconds is hashed but not kept: it may change again within the clock's granularity.
- The database is a convenience. Where it cannot be opened, read or written (read-only or missing folder, damaged file,
  another process holding it for long), hashes are computed and the reason is logged.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from asdbench.errors import ClipError

Identity: TypeAlias = tuple[int, int, int]

SETTLED_NS = 2 * 10**9
CHUNK = 500
"""Files between two commits: what an interrupted run may have to hash again; sqlite takes up to 999 values a query."""

_log = logging.getLogger(__name__)


class Digests:
    """sha256 of files, remembered in memory and, where a path is given, in an sqlite database.

    Parameters
    ----------
    path : Path or None
        The database; made at the first use, with its folder. None: this process's memory alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._known: dict[bytes, tuple[Identity, str]] = {}

    def of(self, paths: Iterable[Path]) -> dict[Path, str]:
        """The sha256 (hex) of each file's bytes.

        Raises
        ------
        ClipError
            For the first file that cannot be read.
        """
        wanted = {path: os.fsencode(path.absolute()) for path in paths}
        identities = {key: _identity(key) for key in wanted.values()}
        missing = [key for key, identity in identities.items() if not self._knows(key, identity)]
        for chunk in _chunks(missing):
            self._recall(chunk)
            unknown = [key for key in chunk if not self._knows(key, identities[key])]
            with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
                fresh = dict(zip(unknown, pool.map(_sha256, unknown), strict=True))
            self._known.update({key: (identities[key], digest) for key, digest in fresh.items()})
            self._keep(identities, fresh)
        return {path: self._known[key][1] for path, key in wanted.items()}

    def _knows(self, key: bytes, identity: Identity) -> bool:
        return key in self._known and self._known[key][0] == identity

    def _recall(self, keys: list[bytes]) -> None:
        if self.path is None or not self.path.is_file():
            return
        query = f"SELECT path, size, mtime_ns, inode, sha256 FROM files WHERE path IN ({','.join('?' * len(keys))})"
        try:
            with closing(sqlite3.connect(self.path, timeout=5)) as database:
                for key, size, mtime, inode, digest in database.execute(query, keys):
                    self._known[key] = ((size, mtime, inode), digest)
        except sqlite3.Error as error:
            _log.warning("hashes kept in %s cannot be read, they are computed again: %s", self.path, error)

    def _keep(self, identities: Mapping[bytes, Identity], fresh: Mapping[bytes, str]) -> None:
        if self.path is None:
            return
        settled = time.time_ns() - SETTLED_NS
        rows = [(key, *identities[key], digest) for key, digest in fresh.items() if identities[key][1] < settled]
        if not rows:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=30)) as database, database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS files "
                    "(path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER, sha256 TEXT)"
                )
                database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            _log.warning("hashes cannot be kept in %s, they will be computed again: %s", self.path, error)


def _chunks(keys: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _identity(key: bytes) -> Identity:
    path = Path(os.fsdecode(key))
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    # sqlite's integers are signed 64 bit; some network file systems number inodes above that
    return status.st_size, status.st_mtime_ns, status.st_ino & (2**63 - 1)


def _sha256(key: bytes) -> str:
    path = Path(os.fsdecode(key))
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ClipError:
    return ClipError(f"cannot read {path.name}: {error.strerror}", looked=str(path), hint="copy it again, or remove it")
