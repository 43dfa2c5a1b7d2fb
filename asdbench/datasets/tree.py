"""The clips under a root as they lie on disk, whatever the year: which folders hold them, of which part and machine.

Conventions
-----------
- A machine is a folder with folders ``train``, ``test``, ``source_test`` or ``target_test``, or one that holds clips
  itself. Any folder can be a machine, whatever it is called.
- Machines lie in ``dev_data`` and ``eval_data``; in ``raw`` within them, as the organizers' baselines since 2023 have
  it; in folders named like the archives (``dev_fan``, ``eval_data_fan_train``) or their records (``15097779``), as
  unpacking each where it was downloaded leaves them; or, where there is neither ``dev_data`` nor ``eval_data``, in the
  root. The part is what the path says, else open.
- A clip is a file that ends in ``.wav``, or in ``.flac`` and then goes by its official name, with ``.wav``. Hidden
  files (``._*``, which file managers leave) and all others are no clips.
- ``supplemental`` (since 2025: machine or background sound alone) is neither training nor test data: left out, and
  said.
- Names are in UTF-8: they become text in results and reports.
- Folders are listed once; no file is opened and no file's size asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from asdbench.datasets import grammar
from asdbench.errors import DataError

Side: TypeAlias = Literal["dev", "eval"]

SHOWN = 5
"""Offending files that an error lists."""
UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".download", ".aria2", ".tmp", ".temp")
"""Endings of files that a browser or a copying program has not finished."""
PACKED = (".zip", ".7z", ".tar", ".gz")
SUPPLEMENTAL = "supplemental"
MACOS = "__MACOSX"
"""A folder that macOS leaves in archives, with files named like the clips that are none."""

_CONTAINER = re.compile(r"(?P<part>dev|eval)(_.*)?|raw|\d{7,}")
_DEPTH = 3
"""Folders between the root and a machine, at most: record, archive, raw."""


@dataclass(frozen=True)
class Folder:
    """A folder of clips.

    Parameters
    ----------
    path : Path
    machine : str
        As its folder is called.
    name : str
        ``train``, ``test``, ...; "" where the clips lie in the machine's folder itself.
    part : {"dev", "eval"} or None
        None where the path does not say.
    files : tuple of str
        Its clips, in no order.
    shown : str
        Its path below the root, for messages.
    """

    path: Path
    machine: str
    name: str
    part: Side | None
    files: tuple[str, ...]
    shown: str

    def clips(self) -> Iterator[tuple[str, str]]:
        """Official name and file of each clip."""
        for file in self.files:
            stem, dot, ending = file.rpartition(".")
            yield (f"{stem}{dot}wav" if ending.lower() == "flac" else file), file


@dataclass
class Tree:
    """What lies under a root.

    Parameters
    ----------
    root : Path
        Absolute, with links as they are.
    folders : list of Folder
    supplemental : list of str
        Machines that have such a folder.
    remarks : list of str
        What a user should know of it.
    """

    root: Path
    folders: list[Folder] = field(default_factory=list)
    supplemental: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def scan(root: Path, spec: str) -> Tree:
    """List the folders of clips under a root.

    Parameters
    ----------
    root : Path
    spec : str
        Name of the data set, for hints.

    Raises
    ------
    DataError
        No such folder, no such layout, no clips, a folder that may not be read, names that are not UTF-8.
    """
    _check_root(root, spec)
    tree = Tree(Path(os.path.abspath(root)))  # noqa: PTH100 # drops "..", keeps links
    undecodable: list[str] = []
    for machine, part in _machines(tree.root, tree, None, 0):
        _add(tree, machine, part, undecodable)
    if undecodable:
        raise DataError(
            f"{len(undecodable)} name{'s are' if len(undecodable) > 1 else ' is'} not UTF-8",
            looked=some(undecodable),
            hint="rename them, say with convmv: results and reports are UTF-8",
        )
    if not any(folder.files for folder in tree.folders):
        raise _nothing(root, tree.remarks)
    if tree.supplemental:
        tree.remarks.append(f"supplemental sound is left out ({', '.join(sorted(set(tree.supplemental)))})")
    return tree


def some(texts: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    return "; ".join(texts[:SHOWN]) + (f"; and {len(texts) - SHOWN} more" if len(texts) > SHOWN else "")


def _machines(folder: Path, tree: Tree, part: Side | None, depth: int) -> Iterator[tuple[Path, Side | None]]:
    """Folders that may be machines: all in a container; in the root those that hold clips or folders of clips."""
    names = _directories(folder)
    bare = not depth and not _is_root(folder)
    if bare and set(names).intersection(grammar.FOLDERS):
        tree.remarks.append(
            f"{', '.join(name for name in names if name in grammar.FOLDERS)} lie in the root itself: "
            f"the machine is called {shown(folder.name)}, as the root is"
        )
        yield folder, part
        return
    for name in names:
        match = _CONTAINER.fullmatch(name)
        if match and depth < _DEPTH:
            below: Side | None = "dev" if match["part"] == "dev" else "eval" if match["part"] else part
            yield from _machines(folder / name, tree, below, depth + 1)
        elif depth or (bare and _holds_clips(folder / name)):
            yield folder / name, part


def _holds_clips(folder: Path) -> bool:
    """Whether a folder of the root is a machine; others in the root (results, papers, ...) are nobody's business."""
    try:
        with os.scandir(folder) as entries:
            return any(
                entry.name in grammar.FOLDERS or (_is_clip(entry.name) and not entry.name.startswith("."))
                for entry in entries
            )
    except OSError:
        return False  # a folder that may not be read, such as lost+found, is none that anybody asked for


def _add(tree: Tree, machine: Path, part: Side | None, undecodable: list[str]) -> None:
    below = shown(str(machine.relative_to(tree.root)))
    entries = _listing(machine)
    names = sorted(entry.name for entry in entries if entry.is_dir())
    present = [name for name in grammar.FOLDERS if name in names]
    flat = [entry.name for entry in entries if _is_clip(entry.name)] if not present else []
    if not is_utf8(machine.name) and (present or flat):
        undecodable.append(below)
        return
    if SUPPLEMENTAL in names:
        tree.supplemental.append(machine.name)
    if not present and not flat:
        tree.remarks.append(f"{below} holds none of {', '.join(grammar.FOLDERS)}")
    for name in present or ([""] if flat else []):
        path = machine / name
        label = f"{below}/{name}".strip("./") if name else below
        files = [entry.name for entry in _listing(path)] if name else [entry.name for entry in entries]
        unfinished = sum(file.lower().endswith(UNFINISHED) for file in files)
        if unfinished:
            copies = "an unfinished copy" if unfinished == 1 else f"{unfinished} unfinished copies"
            tree.remarks.append(f"{label} holds {copies} (.part, .tmp or the like)")
        clips = [file for file in files if _is_clip(file)]
        undecodable += [f"{label}/{shown(file)}" for file in clips if not is_utf8(file)]
        if not clips:
            tree.remarks.append(f"{label} holds no .wav file")
        tree.folders.append(Folder(path, machine.name, name, part, tuple(clips), label))


def _is_clip(file: str) -> bool:
    return file[-4:].lower() == ".wav" or file[-5:].lower() == ".flac"


def is_utf8(name: str) -> bool:
    """Whether a name is text; Python stands lone surrogates for the bytes that are not."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def shown(name: str) -> str:
    """The name with backslashes for bytes that are not UTF-8, so that it can be printed and written."""
    return name if is_utf8(name) else os.fsencode(name).decode("utf-8", "backslashreplace")


def _directories(folder: Path) -> list[str]:
    found = [entry.name for entry in _listing(folder) if entry.is_dir()]
    return sorted(name for name in found if name != MACOS)


def _listing(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(
            f"cannot list {folder.name}: {error.strerror}", looked=str(folder), hint="see who may read it: ls -ld"
        ) from error


def _is_root(folder: Path) -> bool:
    return any((folder / part).is_dir() for part in ("dev_data", "eval_data"))


def _check_root(root: Path, spec: str) -> None:
    if not root.is_dir():
        raise DataError(
            f"there is no data set at {root}",
            looked=f"{root.absolute()} is {'a file' if root.exists() else 'not there'}",
            hint=f"give the folder that holds dev_data: {spec}:ROOT",
        )
    if _is_root(root):
        return
    above = next((near for near in root.absolute().parents[:3] if _is_root(near)), None)
    names = _directories(root)
    if above is None and (
        set(names).intersection(grammar.FOLDERS)
        or any(_CONTAINER.fullmatch(name) or _holds_clips(root / name) for name in names)
    ):
        return
    found = sorted(entry.name for entry in _listing(root) if is_utf8(entry.name))
    below = next((root / name for name in names if _is_root(root / name)), None)
    packed = [name for name in found if name.lower().endswith(PACKED)]
    if near := above or below:
        hint = f"did you mean {spec}:{near}"
    elif packed:
        hint = f"still packed: unpack {packed[0]} and its like into {root / 'dev_data'}"
    elif (root / "index.csv").is_file():
        hint = f"a folder of given features is features:{root}"
    elif any(_is_clip(name) for name in found):
        hint = f"clips lie in a machine's folder: {root / 'dev_data' / '<machine>' / 'train'}"
    else:
        hint = "the official layout is ROOT/dev_data/<machine>/train and test (2021: source_test, target_test)"
    listing = ", ".join(found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
    raise DataError(
        f"{root} holds neither dev_data nor eval_data",
        looked=f"there is: {listing or 'nothing, it is empty'}",
        hint=hint,
    )


def _nothing(root: Path, remarks: Sequence[str]) -> DataError:
    for part in ("dev_data", "eval_data"):
        packed = sorted(path.name for path in (root / part).glob("*.[zZ][iI][pP]"))
        if packed:
            return DataError(
                f"the data set at {root} is still packed",
                looked=f"{root / part} holds {', '.join(packed[:SHOWN])}",
                hint=f"unpack them there: unzip {packed[0]}",
            )
    return DataError(
        f"the data set at {root} has no clips",
        looked="; ".join(remarks[:SHOWN]) or "the folders dev_data and eval_data are empty",
        hint="finish copying or unpacking it; the official layout is ROOT/dev_data/<machine>/train/*.wav",
    )
