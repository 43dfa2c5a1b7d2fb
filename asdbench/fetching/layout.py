"""From an archive's files to the layout of a data set.

Conventions
-----------
- Sound lies in the folders ``train``, ``test``, ``source_test`` and ``target_test`` of a machine type. Archives hold
  them as ``<machine>/train/...``, ``dev_data/<machine>/train/...`` or bare; they come to ``<part>/<machine>/train/...``
  under the catalogue's name of the machine. Files beside them (attributes) come to the machine's folder, others not.
- What is there with the same content stays; with other content it is an error, unless it shall be replaced. Where two
  archives bring different files that are no sound under one name, the later one's carries the archive's name.
"""

from __future__ import annotations

import filecmp
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from asdbench.datasets.grammar import FOLDERS
from asdbench.errors import ConflictError
from asdbench.fetching.unpack import ArchiveError, Member
from asdbench.words import counted

TRUTH = "ground_truth_"
"""How the folders of an evaluator's ground truth begin: ``ground_truth_data``, ``ground_truth_domain``."""


def lay_out(archive: str, members: Sequence[Member]) -> tuple[list[tuple[Member, PurePosixPath]], list[str]]:
    """Where members belong, relative to their machine's folder.

    Returns
    -------
    list of (Member, PurePosixPath)
    list of str
        Members that belong nowhere (a README above the machine's folder).

    Raises
    ------
    ArchiveError
        Where there is no folder of sound, or those of several machines.
    """
    tops = set()
    for member in members:
        for depth, part in enumerate(member.path.parts[:-1]):
            if part in FOLDERS:
                tops.add(member.path.parts[:depth])
                break
    if len(tops) != 1:
        shown = ", ".join(sorted("/".join(top) or "." for top in tops)) or "none of " + ", ".join(FOLDERS)
        raise ArchiveError(
            f"{archive} is not laid out as a machine's archive",
            looked=f"folders that hold {' or '.join(FOLDERS)}: {shown}" if tops else f"there is {shown}",
            hint="see whether this is the official file",
        )
    (top,) = tops
    placed, outside = [], []
    for member in members:
        if member.path.parts[: len(top)] == top:
            placed.append((member, PurePosixPath(*member.path.parts[len(top) :])))
        else:
            outside.append(str(member.path))
    return placed, outside


def truth(archive: str, members: Sequence[Member]) -> list[tuple[Member, PurePosixPath]]:
    """Where the files of an evaluator's ground truth belong, relative to the folder of ground truth.

    Raises
    ------
    ArchiveError
        Where there are none.
    """
    placed = []
    for member in members:
        for depth, part in enumerate(member.path.parts[:-1]):
            if part.startswith(TRUTH) and member.path.suffix == ".csv":
                placed.append((member, PurePosixPath(*member.path.parts[depth:])))
                break
    if not any(place.parts[0] == f"{TRUTH}data" for _, place in placed):
        raise ArchiveError(
            f"{archive} holds no ground truth",
            looked=f"no folder {TRUTH}data with .csv files in it",
            hint="see whether this is the organizers' evaluator",
        )
    return placed


def holds(folder: Path, part: str) -> bool:
    """Whether a machine's folder holds sound of a part."""
    splits = {"additional": FOLDERS[:1], "eval": FOLDERS[1:]}.get(part, FOLDERS)
    return any((folder / split).is_dir() for split in splits)


def differing(source: Path, target: Path) -> list[Path]:
    """Files under ``target`` that are other than those under ``source``, relative to ``target``."""
    if not target.exists() or source.is_dir() != target.is_dir():
        return [Path()] if target.exists() else []
    if source.is_file():
        return [] if filecmp.cmp(source, target, shallow=False) else [Path()]
    children = [child.name for child in sorted(source.iterdir())]
    return [Path(name) / below for name in children for below in differing(source / name, target / name)]


def place(source: Path, target: Path, archive: str, replace: bool = False) -> list[tuple[Path, Path]]:
    """Move a folder's files to another: whole folders by one renaming, where nothing is there yet.

    Parameters
    ----------
    source, target : Path
        On one file system.
    archive : str
        Where the files come from, for messages.
    replace : bool
        Whether files that differ are replaced.

    Returns
    -------
    list of (Path, Path)
        Files that got another name since theirs was taken: (meant, taken), relative to ``target``.

    Raises
    ------
    ConflictError
        Where files that differ are there; nothing has been moved then.
    """
    renamed = []
    for name in [] if replace else differing(source, target):
        if len(name.parts) == 1 and name.suffix.lower() != ".wav":  # beside the folders of sound, and none itself
            other = name.with_name(f"{name.stem}.{Path(archive).stem}{name.suffix}")
            (source / name).rename(source / other)
            renamed.append((name, other))
    different = differing(source, target)
    if different and not replace:
        shown = ", ".join(str(target / name) for name in different[:3])
        raise ConflictError(
            f"{counted(len(different), 'file')} in {target} other than in {archive}",
            looked=shown + (f" and {len(different) - 3} more" if len(different) > 3 else ""),
            hint="move them away, or give --replace to have the archive's; nothing was changed",
        )
    _move(source, target)
    return renamed


def _move(source: Path, target: Path) -> None:
    if source.is_dir() and target.is_dir():
        for child in sorted(source.iterdir()):
            _move(child, target / child.name)
        source.rmdir()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
