"""What is kept between runs: features by recipe, and facts of sound files. What it holds, whether it is whole, pruning.

Conventions
-----------
- The cache folder is ASDBENCH_CACHE, else the user's cache folder (platformdirs). It holds ``features/<recipe>/`` (see
  :mod:`asdbench.embeddings.cache`) and ``digests.sqlite`` (see :mod:`asdbench.datasets.file_facts`).
- Ours is what has the names we give, lies where we put it and is no link. Anything else is listed and never touched.
- Everything in it can be computed again: pruning costs time only.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdbench.errors import DataError, UsageError
from asdbench.files import LEFT
from asdbench.plugins.registry import unknown
from asdbench.progress import Progress

FEATURES, DATABASE = "features", "digests.sqlite"
UNFINISHED_S = 3600
"""Seconds after which a file that was not finished is taken as left by a run that ended."""
_RECIPE = re.compile(r"[0-9a-f]{16}")
_ENTRY = re.compile(r"[0-9a-f]{64}\.safetensors")
_TEMPORARY = re.compile(re.escape(LEFT) + r"[\w.]*-\d+-[0-9a-f]{32}")
_DATABASE = re.compile(re.escape(DATABASE) + r"(?:-journal|-wal|-shm)?")


def default_cache() -> Path:
    """Where features and hashes are kept: ASDBENCH_CACHE, else the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("ASDBENCH_CACHE") or platformdirs.user_cache_dir("asdbench"))


@dataclass(frozen=True)
class KeptFile:
    """A file of ours: its size in bytes and when it was written (seconds since 1970)."""

    path: Path
    size: int
    written: float


@dataclass(frozen=True)
class Recipe:
    """The features made by one recipe.

    Parameters
    ----------
    id : str
        The name of its folder.
    about : mapping or None
        The recipe; None where ``recipe.json`` is missing or is not that of the folder's name.
    files : tuple of KeptFile
        ``recipe.json``, where it is there.
    entries, unfinished : tuple of KeptFile
        One entry a clip; files that a run did not finish.
    """

    id: str
    about: Mapping[str, Any] | None
    files: tuple[KeptFile, ...]
    entries: tuple[KeptFile, ...]
    unfinished: tuple[KeptFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in (*self.files, *self.entries, *self.unfinished))


@dataclass(frozen=True)
class Inventory:
    """What a cache folder holds.

    Parameters
    ----------
    root : Path
    recipes : tuple of Recipe
    database : tuple of KeptFile
        The database of facts and what sqlite puts beside it.
    facts : mapping of str to int
        How many of each kind the database holds; empty where it cannot be read.
    foreign : tuple of Path
        What is not ours.
    """

    root: Path
    recipes: tuple[Recipe, ...]
    database: tuple[KeptFile, ...]
    facts: Mapping[str, int]
    foreign: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes of all that is ours."""
        return sum(recipe.size for recipe in self.recipes) + sum(file.size for file in self.database)


def inventory(root: Path) -> Inventory:
    """Look at a cache folder; one that is not there holds nothing.

    Raises
    ------
    DataError
        Where it cannot be listed, or is a file.
    """
    recipes: list[Recipe] = []
    database: list[KeptFile] = []
    foreign: list[Path] = []
    for entry in _listing(root):
        if entry.name == FEATURES and _is(entry, stat.S_ISDIR):
            for folder in _listing(Path(entry.path)):
                if _RECIPE.fullmatch(folder.name) and _is(folder, stat.S_ISDIR):
                    recipes.append(_recipe(Path(folder.path), foreign))
                else:
                    foreign.append(Path(folder.path))
        elif _DATABASE.fullmatch(entry.name) and _is(entry, stat.S_ISREG):
            database.append(_file(entry))
        else:
            foreign.append(Path(entry.path))
    return Inventory(root, tuple(recipes), tuple(database), _facts(root / DATABASE), tuple(foreign))


def verify(found: Inventory, progress: Progress | None = None) -> dict[Path, str]:
    """What is damaged, with the reason: every entry is read and its checksum compared.

    Nothing is changed. A file that was not finished counts once its run must have ended.
    """
    told = progress or Progress()
    told.stage("reading", sum(len(recipe.entries) for recipe in found.recipes))
    damaged: dict[Path, str] = {}
    for recipe in found.recipes:
        damaged.update(_damage(recipe, told))
    for file in found.database:
        if file.path.name == DATABASE and (reason := _database_damage(file.path)):
            damaged[file.path] = reason
    return damaged


@dataclass(frozen=True)
class Pruned:
    """What was removed, or would be: number of files and bytes; ``left``: folders that hold files not ours."""

    files: int
    size: int
    left: tuple[Path, ...] = ()


def prune(
    root: Path,
    *,
    older_than: float | None = None,
    recipe: str | None = None,
    damaged: bool = False,
    everything: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Pruned:
    """Remove what is ours and meets all conditions given.

    Parameters
    ----------
    root : Path
    older_than : float or None
        Features written more than so many days ago.
    recipe : str or None
        Features of the recipe whose id begins so.
    damaged : bool
        What :func:`verify` finds.
    everything : bool
        All that is ours, hashes and headers too.
    dry_run : bool
        Remove nothing, only say what would be.
    progress : Progress or None

    Raises
    ------
    UsageError
        Where no condition is given, ``everything`` comes with others, or the recipe is unknown or not the only one.
    DataError
        Where a file cannot be removed; those before it are gone.
    """
    narrow = older_than is not None or recipe is not None or damaged
    if everything == narrow:
        raise UsageError(
            "say what to remove" if not narrow else "--all leaves nothing to choose",
            looked=str(root),
            hint="give --older-than DAYS, --recipe ID and --damaged as you like, or --all alone; --dry-run only tells",
        )
    found = inventory(root)
    recipes = found.recipes if recipe is None else (_chosen(found, recipe),)
    before = None if older_than is None else time.time() - older_than * 86400
    database = found.database if recipe is None and before is None else ()
    bad = verify(Inventory(root, recipes, database, {}, ()), progress) if damaged else {}
    doomed = [
        file
        for own in recipes
        for file in (*own.entries, *own.unfinished, *(own.files if damaged or everything else ()))
        if (not damaged or file.path in bad) and (before is None or file.written < before)
    ]
    if everything or any(file.path in bad for file in database):
        doomed += database
    gone = {file.path for file in doomed}
    for own in recipes:  # a recipe without entries says nothing to anybody
        if own.entries and all(file.path in gone for file in (*own.entries, *own.unfinished)):
            doomed += [file for file in own.files if file.path not in gone]
    left = () if dry_run else _remove(doomed, [root / FEATURES / own.id for own in recipes])
    return Pruned(len(doomed), sum(file.size for file in doomed), left)


def _remove(files: list[KeptFile], folders: list[Path]) -> tuple[Path, ...]:
    """Remove files, then the folders that are empty; gives those that only what is not ours keeps from being so."""
    for file in files:
        try:
            file.path.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(
                f"cannot remove {file.path.name}: {error.strerror}",
                looked=str(file.path),
                hint="see who may write there; what came before it is gone",
            ) from error
    left = []
    for folder in folders:
        own = _recipe(folder, [])
        if folder.is_dir() and not (own.files or own.entries or own.unfinished):
            try:
                folder.rmdir()
            except OSError:
                left.append(folder)
    return tuple(left)


def _chosen(found: Inventory, recipe: str) -> Recipe:
    near = [own for own in found.recipes if own.id.startswith(recipe)] if recipe else []
    if not near:
        raise unknown("recipe in the cache", recipe, [own.id for own in found.recipes])
    if len(near) > 1:
        raise UsageError(
            f"several recipes begin with {recipe}",
            looked=", ".join(own.id for own in near),
            hint="give more of the id",
        )
    return near[0]


def _recipe(folder: Path, foreign: list[Path]) -> Recipe:
    from asdbench.embeddings.cache import ABOUT, recipe_id

    files: list[KeptFile] = []
    entries: list[KeptFile] = []
    unfinished: list[KeptFile] = []
    for entry in _listing(folder):
        if not _is(entry, stat.S_ISREG):
            foreign.append(Path(entry.path))
        elif _ENTRY.fullmatch(entry.name):
            entries.append(_file(entry))
        elif _TEMPORARY.fullmatch(entry.name):
            unfinished.append(_file(entry))
        elif entry.name == ABOUT:
            files.append(_file(entry))
        else:
            foreign.append(Path(entry.path))
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        whole = isinstance(about, dict) and recipe_id(about) == folder.name
    except (OSError, ValueError):  # a damaged file is what `verify` is for
        about, whole = None, False
    return Recipe(folder.name, about if whole else None, tuple(files), tuple(entries), tuple(unfinished))


def _damage(recipe: Recipe, progress: Progress) -> Iterator[tuple[Path, str]]:
    from asdbench.embeddings.cache import read_entry

    for file in recipe.entries:
        try:
            read_entry(file.path)
        except FileNotFoundError:
            pass  # another run has pruned it meanwhile
        except (OSError, ValueError) as error:
            yield file.path, str(error)
        progress.advance(1, "entries")
    for file in recipe.unfinished:
        if file.written < time.time() - UNFINISHED_S:
            yield file.path, "left unfinished by a run that ended"
    if recipe.about is None:
        for file in recipe.files:
            yield file.path, "not the recipe that its folder is named after"


def _facts(path: Path) -> dict[str, int]:
    if not path.is_file():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as database:
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: database.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names}
    except sqlite3.Error:  # `verify` says what is wrong with it
        return {}


def _database_damage(path: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as database:
            answer = str(database.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return "" if answer == "ok" else answer


def _listing(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(
            f"the cache cannot be listed: {error.strerror}", looked=str(folder), hint="see who may read it: ls -ld"
        ) from error


def _is(entry: os.DirEntry[str], kind: Any) -> bool:
    return bool(kind(entry.stat(follow_symlinks=False).st_mode))


def _file(entry: os.DirEntry[str]) -> KeptFile:
    status = entry.stat(follow_symlinks=False)
    return KeptFile(Path(entry.path), status.st_size, status.st_mtime)
