"""What the folder of a system is called, and which folders somebody means who names a system.

Conventions
-----------
A folder has a short readable name that no file system hides: ``distance`` for ``./mine.py:distance``, ``knn[k=1]`` for
``knn[ k = 1 ]``, ``ae[weights=model.npz]`` for ``ae[weights=/data/model.npz]``. Where another system has that name, the
file stands before it (``mine.distance``), or its folder as well, or a number behind it. The manifest has the spec
itself. Folders of before, which are called like the spec, go on being used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import count
from pathlib import Path
from urllib.parse import quote, unquote

from asdbench.errors import AsdbenchError, UsageError
from asdbench.files import SAFE
from asdbench.plugins.registry import entries
from asdbench.plugins.spec import canonical, parse
from asdbench.results.results_folder import seed_folder
from asdbench.results.seed_folder import SeedFolder
from asdbench.results.selection import folder_name, parted

LONGEST = 120
"""Characters of a folder's name, as it is encoded."""


def folder_names(results: Path, dataset: str, systems: Sequence[str]) -> dict[str, str]:
    """The folder's name of each system, as it was asked for.

    Parameters
    ----------
    results : Path
        What its folders hold already keeps its name.
    dataset : str
    systems : sequence of str
        Specs, each in its canonical form.
    """
    folder = seed_folder(results, dataset, "any", 0).path.parents[1]
    there = sorted(unquote(path.name) for path in folder.iterdir()) if folder.is_dir() else []
    held = {parted(name)[0]: parted(_held(results, dataset, name))[0] for name in there}
    names: dict[str, str] = {}
    for system in systems:
        own = (name for name, asked in held.items() if asked == system)
        names[system] = next(own, None) or _free(system, {*held, *names.values()})
    return names


def of_system(folders: Sequence[SeedFolder], typed: str) -> list[SeedFolder]:
    """The folders of a system: by the folder's name, else by the spec as it was typed for ``run``."""
    named = [folder for folder in folders if folder.system == typed]
    if named:
        return named
    try:
        asked = _canonical(typed)
    except UsageError:  # no spec, so a name that is not there
        return []
    return [folder for folder in folders if _canonical(folder.asked) == asked]


def _free(system: str, taken: Collection[str]) -> str:
    return next(name for name in _candidates(system) if name not in taken)


def _candidates(system: str) -> Iterator[str]:
    """Names for a system, the best first."""
    spec = parse(system)
    inner = re.sub(r"[^\[\]=,]*[/\\]", "", str(spec)[len(spec.name) :])  # paths by their last part
    file, colon, attribute = spec.name.rpartition(":")
    path = Path(file)
    plain = [spec.name]
    if colon:
        plain = [attribute, f"{path.stem}.{attribute}", f"{path.absolute().parent.name}.{path.stem}.{attribute}"]
    for name in plain:
        if not colon or name not in entries("systems"):
            yield _short(name + inner, system)
    for number in count(2):
        yield _short(f"{plain[0]}{inner}-{number}", system)


def _short(name: str, system: str) -> str:
    kept = name
    while len(quote(kept, safe=SAFE)) > LONGEST:
        kept = kept[:-1]
    return kept if kept == name else f"{kept}~{hashlib.sha256(system.encode()).hexdigest()[:8]}"


def _held(results: Path, dataset: str, name: str) -> str:
    """The spec of the system that a folder is of; of one that nothing says it of, its name."""
    inside = seed_folder(results, dataset, name, 0).path.parent
    first = next(iter(sorted(inside.glob("seed-*/manifest.json"))), None)
    try:
        return _canonical(SeedFolder(first.parent).asked if first else name)
    except AsdbenchError:  # no spec; or a damaged manifest, which whoever uses that folder is told
        return name


def _canonical(asked: str) -> str:
    """A spec in its canonical form, with what chooses an epoch (``@oracle``) behind it."""
    spec, choice = parted(asked)
    return folder_name(canonical(spec), choice)
