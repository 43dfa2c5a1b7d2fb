"""``asdbench run``: ask, plan, embed, train, record, summarise. What is done already is not done again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import groupby
from pathlib import Path

from asdbench.api import Cell, Dataset
from asdbench.datasets import open_dataset
from asdbench.datasets.dcase import DcaseDataset
from asdbench.datasets.digests import Digests
from asdbench.datasets.doubts import in_words
from asdbench.errors import UsageError
from asdbench.files import sweep
from asdbench.progress import Progress, log_path, logged
from asdbench.results.selection import Selection, choices
from asdbench.running.blinding import Outcome
from asdbench.running.execution import check_device, default_workers, uninterrupted
from asdbench.running.executors import Kind, executing
from asdbench.running.recording import About, environment, record, refresh
from asdbench.running.request import Asked, ask, choose_cells, chosen_weights
from asdbench.running.resuming import Wanted, Work, compare
from asdbench.running.summary import RunSummary, summarise
from asdbench.running.training import Settings, calls, embed, title, train
from asdbench.upkeep.cache import DATABASE, FEATURES, default_cache
from asdbench.words import counted


def run(
    dataset: str | None = None,
    systems: str | None = None,
    *,
    machines: Sequence[str] = (),
    sections: Sequence[str] = (),
    domains: Sequence[str] = (),
    seeds: Sequence[int] = (777,),
    epochs: int | None = None,
    weights: str | None = None,
    selection: Selection = "last",
    device: str = "cpu",
    threads: int = 1,
    workers: int | None = 1,
    results: Path | str = "results",
    cache: Path | str | None = None,
    replace: bool = False,
    fail_fast: bool = False,
    executor: Executor | Kind | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
    command: str = "asdbench.run(...)",
) -> RunSummary:
    """Run systems over a data set and write their result folders.

    Parameters
    ----------
    dataset : str or None
        A spec (``toy``, ``dcase2021:ROOT``, ``features:DIR``); None: ASDBENCH_DATA, asdbench.toml, else toy.
    systems : str or None
        Specs separated by commas; None: all registered ones.
    machines, sections, domains : sequence of str
        The cells to score; empty: all. What a model trains on depends on its scope alone.
    seeds : sequence of int
    epochs : int or None
        Training epochs of every system that has them, unless its spec says otherwise.
    weights : str or None
        Checkpoint of the pretrained embedding, or ``random``.
    selection : {"last", "pseudo", "oracle", "oracle-pauc", "both", "all"}
        Which epoch counts; ``pseudo`` chooses it by pseudo-AUC on training clips and goes to ``<system>@pseudo``,
        ``oracle`` by AUC on the development test labels to ``<system>@oracle``, ``oracle-pauc`` by pAUC to
        ``<system>@oracle-pauc``; ``both``: ``last`` and ``oracle``; ``all``: all four.
    device : str
        ``cpu``, ``cuda``, ``cuda:1``.
    threads : int
        Threads of a job: part of its identity.
    workers : int or None
        Processes; None: as many as fill the processors. With more than 1, call from a module that is safe to import
        (``if __name__ == "__main__"``).
    results, cache : path
    replace : bool
        Replace results made with other parameters instead of refusing.
    fail_fast : bool
        Stop at the first job that fails; the others' cells are then named as not run.
    executor : concurrent.futures.Executor, {"inline", "processes", "dask"} or None
        Anybody's executor, or one of ours by name (see :func:`asdbench.running.executors.executing`). Moves no score.
    scheduler : str or None
        Address of a Dask scheduler, ``tcp://host:8786``.
    progress : Progress or None
    command : str
        How it was called, for the manifest.

    Returns
    -------
    RunSummary

    Raises
    ------
    AsdbenchError
        Where the run as a whole cannot go on. What fails for some cells only stands in the summary.
    """
    started = time.perf_counter()
    progress = progress or Progress()
    chosen_by = choices(selection)
    if threads < 1 or (workers is not None and workers < 1):
        raise UsageError(
            "--threads and --workers start at 1", looked=f"threads {threads}, workers {workers}", hint="give at least 1"
        )
    results, cache = Path(results), Path(cache) if cache else default_cache()
    features = cache / FEATURES

    data, chosen = open_dataset(dataset)
    keep_digests(data, cache)
    summary = RunSummary(data.name, chosen, results)
    progress.say(f"data: {chosen}")
    asked = _ask(data, systems, epochs, weights, progress, summary)
    cells = choose_cells(data, machines, sections, domains)
    if device != "cpu":
        check_device(device)

    work = compare(
        data,
        asked,
        sorted({cell.machine for cell in cells}),
        list(dict.fromkeys(seeds)),
        selection=chosen_by,
        threads=threads,
        device=device,
        results=results,
        replace=replace,
    )
    summary.warnings += _doubts(data, cells, work)
    _clear(work, features)
    _record_what_is_there(data, work, cells, command, summary)

    stopped = False
    if work.jobs:
        with ExitStack() as stack:
            summary.log = log_path(results, data.name)
            progress = stack.enter_context(logged(progress, summary.log, command))
            count = min(workers or default_workers(threads), calls(work.jobs))
            pool = stack.enter_context(_pool(executor, count, scheduler, device, cache, data))
            settings = Settings(features, threads, device)
            unusable, seconds = embed(data, work.jobs, settings, pool, progress)
            about = About(environment(device), command, {"embedding": seconds})
            progress.stage("training", len(work.jobs), found=summary.reused + summary.shared)
            for wanted, outcome in train(data, work.jobs, unusable, settings, pool, progress):
                with uninterrupted():
                    _record(data, wanted, outcome, cells, about, progress, summary)
                if outcome.failed and fail_fast:
                    stopped = True
                    break

    summarise(work.folders, cells, stopped, summary)
    summary.seconds = time.perf_counter() - started
    return summary


def _ask(
    data: Dataset,
    systems: str | None,
    epochs: int | None,
    weights: str | None,
    progress: Progress,
    summary: RunSummary,
) -> list[Asked]:
    """The systems that can run on this data; those that cannot are told and noted.

    Raises
    ------
    UsageError
        Where none can.
    """
    asked, summary.not_applicable = ask(data, systems, epochs, chosen_weights(data, weights, progress))
    for name, reason in summary.not_applicable:
        progress.say(f"{name}: not applicable: {reason}")
    if not asked:
        raise UsageError(
            "none of these systems can run on this data",
            looked="; ".join(f"{name}: {reason}" for name, reason in summary.not_applicable),
            hint="see `asdbench systems`",
        )
    return asked


def _doubts(data: Dataset, cells: Sequence[Cell], work: Work) -> list[str]:
    """What is odd about the data, as warnings."""
    untested = {clip.machine for clip in data.clips} - {clip.machine for clip in data.clips if clip.split == "test"}
    lone = [f"{machine} has training clips but no test clips" for machine in sorted(untested)]
    return lone + list(in_words(data, {cell.machine for cell in cells}, work.leaked))


def _clear(work: Work, features: Path) -> None:
    """Take away folders of earlier versions that are to be replaced, and what killed runs left half-written."""
    for folder in work.outdated:
        folder.clear()
    for left in {*(wanted.folder.path for wanted in work.wanted), *features.glob("*")}:
        sweep(left)


def _record_what_is_there(data: Dataset, work: Work, cells: Sequence[Cell], command: str, summary: RunSummary) -> None:
    """Bring finished folders up to date, and take over what a system with the same model has."""
    for _, finished in groupby(work.reused, key=lambda one: one.folder):
        refresh(data, list(finished), cells)
    summary.reused = sum(len(one.unit.machines) for one in work.reused)
    for one, outcome, where in work.shared:
        record(data, one, outcome, cells, About(where, command, {}))
        summary.shared += 1


def _pool(
    executor: Executor | Kind | None, count: int, scheduler: str | None, device: str, cache: Path, data: Dataset
) -> AbstractContextManager[Executor]:
    """Anybody's executor, which stays open, or one of ours, which ends with the run."""
    if isinstance(executor, Executor):
        return nullcontext(executor)
    return executing(executor, count, scheduler=scheduler, device=device, shared=cache, seen=data.clips[0].path)


def _record(
    data: Dataset,
    wanted: Sequence[Wanted],
    outcome: Outcome,
    cells: Sequence[Cell],
    about: About,
    progress: Progress,
    summary: RunSummary,
) -> None:
    """Write what came of a job into the folders that want it."""
    for one in wanted:
        record(data, one, outcome, cells, about)
    if outcome.components.identity:
        summary.trained += 1
    else:
        summary.refused += 1
    for one in wanted:
        trace = one.folder.failure(one.unit.label)
        if trace:
            summary.traces.append(trace)
    seconds = sum(fit.get("seconds", {}).get("fit", 0.0) for fit in outcome.fits.values())
    lost = len(outcome.failed) + len(outcome.impossible)
    failed = f", {counted(lost, 'cell')} without a score" if lost else ""
    progress.advance(1, f"{title(wanted)} · {seconds:.1f} s{failed}", failed=bool(outcome.failed))


def keep_digests(data: Dataset, cache: Path) -> None:
    """Keep the hashes of sound files in the cache folder, so that a file that stands is not hashed again."""
    if isinstance(data, DcaseDataset):
        data.digests = Digests(cache / DATABASE)
