"""``asdbench fetch dcase2021``: a data set's files in the layout that the benchmark reads."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asdbench.datasets.fetched import FOLDER as RECORDS
from asdbench.errors import ConflictError, DataError
from asdbench.fetching.catalogue import Source, choose
from asdbench.fetching.dataset_archive import ARCHIVES, UNPACKING, Arrivals
from asdbench.fetching.disk_space import DiskFullError, check_room, free_bytes
from asdbench.fetching.download import Wishes
from asdbench.fetching.http import length
from asdbench.fetching.layout import holds
from asdbench.fetching.parallel import side_by_side
from asdbench.fetching.records import Records, locked
from asdbench.progress import Transfers
from asdbench.words import counted

ASKING = 8
"""Servers are asked for so many lengths at a time."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch did: files that came and files that were there, by name; bytes that came."""

    root: Path
    fetched: tuple[str, ...]
    there: tuple[str, ...]
    bytes: int


def fetch_dataset(
    name: str,
    root: Path,
    *,
    machines: Sequence[str] = (),
    parts: Sequence[str] = (),
    wishes: Wishes | None = None,
    adopt: bool = False,
    watcher: Transfers | None = None,
) -> Fetched:
    """Bring a data set's files to ``root``: download, verify, unpack, lay out. What is there and verified stays.

    Parameters
    ----------
    name : str
        ``dcase2020`` to ``dcase2026``.
    root : Path
    machines, parts : sequence of str
        Machine types and parts (dev, additional, eval, truth); none: all of which a file is known.
    wishes : Wishes or None
    adopt : bool
        Whether sound that somebody else put there counts as there; else it is fetched and compared.
    watcher : Transfers or None

    Raises
    ------
    UsageError
        For unknown names, a root of another data set, files that differ from what is there.
    DataError
        Where something could not be had, was not what it should be, or there is no space. What could be had, is there.
    """
    wishes, watcher = wishes or Wishes(), watcher or Transfers()
    chosen = choose(name, machines, parts)
    _ = wishes.folder  # a mistake there is to be known before anything is made
    with locked(root):
        records = Records(root)
        if other := next((entry for entry in records if entry.name != name), None):
            raise ConflictError(
                f"{root} holds {other.name} already",
                looked=f"{records.path} names {other.file}",
                hint=f"give each data set a root of its own: --to {root.with_name(name)}",
            )
        _tidy(root)
        there = [source for source in chosen if _is_there(source, records, adopt)]
        if any(source.part == "truth" for source in there):
            chosen = [source for source in chosen if source.part != "truth" or source in there]
        if there:
            watcher.say(f"there already: {len(there)} of {counted(len(chosen), 'file')}")
        todo = _todo([s for s in chosen if s not in there], records, wishes, watcher, explicit="truth" in parts)
        arrivals = Arrivals(records, wishes, watcher)
        copies = [source for source in todo if source.part == "truth"][1:]
        todo = [source for source in todo if source not in copies]

        def bring(source: Source) -> None:
            try:
                arrivals(source)
            except DiskFullError:
                raise
            except DataError as error:
                if source.part != "truth" or not copies:
                    raise
                watcher.say(f"{error.message}: {copies[0].file} is taken instead, a copy of the same labels")
                arrivals(copies[0])

        try:
            if todo:
                _check_space(todo, root, wishes, watcher)
                side_by_side(todo, bring, wishes.parallel, arrivals.stop, root)
        finally:
            _tidy(root)
            if count := len(arrivals.unpublished):
                checksums = counted(count, "checksum is", "checksums are")
                watcher.say(f"{checksums} published nowhere: recorded in {records.path}, and compared from now on")
    came = arrivals.came
    return Fetched(root, tuple(came), tuple(source.file for source in there), sum(came.values()))


def _tidy(root: Path) -> None:
    """Remove what a process that was stopped may have left, but for what is worth going on with."""
    shutil.rmtree(root / RECORDS / UNPACKING, ignore_errors=True)
    archives = root / ARCHIVES
    if archives.is_dir():
        for stale in archives.glob("tmp*"):  # pooch's
            stale.unlink()
        if not any(archives.iterdir()):
            archives.rmdir()


def _is_there(source: Source, records: Records, adopt: bool) -> bool:
    missing = records.missing(source)
    if missing is None and adopt:
        return holds(records.root / source.folder, source.part)
    return missing == []


def _todo(
    chosen: Sequence[Source], records: Records, wishes: Wishes, watcher: Transfers, explicit: bool
) -> list[Source]:
    """What can and shall be had of what is not there; says what a person would wonder about."""
    todo: list[Source] = []
    for source in chosen:
        if missing := records.missing(source):
            watcher.say(f"{source.file}: {len(missing)} of its files gone ({missing[0]}, ...): fetched again")
        elif source.machine and holds(records.root / source.folder, source.part):
            watcher.say(f"{source.folder} is there, but not from here: fetched to compare it file by file")
        if source.part != "truth":
            todo.append(source)
    todo += _truths([source for source in chosen if source.part == "truth"], wishes, watcher, explicit)
    if folder := wishes.folder:
        lacking = [source.file for source in todo if not (folder / source.file).is_file()]
        if lacking:
            raise DataError(
                f"{folder} lacks {len(lacking)} of {counted(len(todo), 'file')}",
                looked=", ".join(lacking[:4]) + (f" and {len(lacking) - 4} more" if len(lacking) > 4 else ""),
                hint="put them there, or choose with --machines and --parts what is there",
            )
    return todo


def _truths(labels: Sequence[Source], wishes: Wishes, watcher: Transfers, explicit: bool) -> list[Source]:
    """Which files of labels can and shall be fetched, the best first: one is enough. Says so where there are none."""
    from asdbench.datasets.shipped_truth import shipped
    from asdbench.datasets.years import YEARS

    if not labels:
        return []
    year = int(labels[0].name.removeprefix("dcase"))
    if not explicit and shipped(YEARS[year]) is not None:
        watcher.say(f"truth: the labels of the {year} evaluation clips are part of asdbench; not fetched")
        return []
    if folder := wishes.folder:
        found = [source for source in labels if (folder / source.file).is_file()]
    elif wishes.origin and not explicit:
        found = [s for s in labels if (url := wishes.url(s)) and length(url, wishes.patience.timeout) is not None]
    else:
        found = list(labels)
    if not found:
        names = " and no ".join(source.file for source in labels)
        if explicit:
            raise DataError(
                f"{wishes.origin} holds no labels of {year}",
                looked=f"no {names} there",
                hint=f"get one of them from {labels[0].page}",
            )
        watcher.say(f"truth: {wishes.origin} holds no {names}; not fetched")
    return found


def _check_space(todo: Sequence[Source], root: Path, wishes: Wishes, watcher: Transfers) -> None:
    """Is there room for what will come? A lower estimate: archives unpack to no less than their own size.

    Raises
    ------
    DiskFullError
        Where there is not.
    """
    from rich.filesize import decimal

    sizes: list[int] = []

    def ask(source: Source) -> None:
        if folder := wishes.folder:
            sizes.append((folder / source.file).stat().st_size)
        elif (url := wishes.url(source)) and (size := length(url, wishes.patience.timeout)) is not None:
            sizes.append(size)

    side_by_side(todo, ask, ASKING, threading.Event(), root)
    come = sum(path.stat().st_size for path in (root / ARCHIVES).glob("*")) if (root / ARCHIVES).is_dir() else 0
    watcher.expect(sum(sizes) if len(sizes) == len(todo) else None)
    beside = sizes if wishes.keep_archives else sorted(sizes)[-wishes.parallel :]
    needed = sum(sizes) + (0 if wishes.folder else sum(beside) - come)
    unknown = f" and {len(todo) - len(sizes)} of unknown size" if len(sizes) < len(todo) else ""
    what = f"{counted(len(sizes), 'file')} of {decimal(sum(sizes))}{unknown}"
    check_room(root, needed, f"for {what}", "free some space, choose another --to, or fewer --machines and --parts")
    if sizes:
        watcher.say(f"to fetch: {what}; {decimal(free_bytes(root))} are free")
