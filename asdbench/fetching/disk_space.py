"""Is there room on the disk?"""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from asdbench.errors import DataError
from asdbench.files import nearest

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFullError(DataError):
    """No space left; what has come is kept."""


def free_bytes(folder: Path) -> int:
    """Free space where a folder is or will be."""
    return shutil.disk_usage(nearest(folder)).free


def check_room(folder: Path, needed: int, purpose: str, hint: str) -> None:
    """Raise DiskFullError where less than ``needed`` bytes are free."""
    from rich.filesize import decimal

    free = free_bytes(folder)
    if needed > free:
        raise DiskFullError(
            f"not enough space {purpose}: {decimal(needed)} are needed, {decimal(free)} are free",
            looked=str(folder.absolute()),
            hint=hint,
        )


def refused(error: OSError, folder: Path) -> DataError:
    """The error for a system that does not write: the disk is full, or something else."""
    if error.errno in FULL:
        return DiskFullError(
            "the disk is full (or a quota is used up)",
            looked=f"{folder}: {error.strerror}",
            hint="free some space, then run the same command again: it goes on where it stopped",
        )
    return DataError(
        "the system refused",
        looked=f"{error.filename or folder}: {error.strerror or error}",
        hint="see who may read and write there (ls -ld), or choose another folder with --to",
    )
