"""Hashes of files' content, kept so that a file that has not changed is not read again (see ``kept``)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from asdbench.datasets.file_facts import KeptFacts, unreadable

BLOCK = 1 << 22


class Digests:
    """sha256 of files, kept in an sqlite database; in memory where no path is given, or it does not take them.

    Parameters
    ----------
    path : Path or None
        The database; made at the first use, with its folder. None: this process's memory alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._kept = KeptFacts(path, "sha256", _sha256)

    def of(self, paths: Iterable[Path]) -> dict[Path, str]:
        """The sha256 (hex) of each file's bytes.

        Raises
        ------
        ClipError
            For the first file that cannot be read.
        """
        found, failed = self._kept.look(paths)
        for error in failed.values():
            raise error
        return found


def _sha256(key: bytes) -> str:
    digest = hashlib.sha256()
    try:
        with open(key, "rb", buffering=0) as file:  # noqa: PTH123 # a path as bytes
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError as error:
        raise unreadable(key, error) from error
    return digest.hexdigest()
