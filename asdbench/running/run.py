"""``asdbench run``: data set, systems, plan, embedding, jobs, results. What is done already is not done again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
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
from asdbench.results.intervals import intervals
from asdbench.results.manifest import undecided
from asdbench.results.scoring import evaluate, scored_files, unlabelled_beside
from asdbench.results.seed_folder import SeedFolder
from asdbench.results.selection import Selection, choices
from asdbench.running.blinding import Blinded, Outcome
from asdbench.running.execution import Lost, check_device, default_workers, each, uninterrupted
from asdbench.running.executors import Kind, executing
from asdbench.running.extraction import CHUNK, Bad, Request, extract, source
from asdbench.running.fitting import Answer
from asdbench.running.jobs import Job, run_job
from asdbench.running.recording import About, environment, record, refresh
from asdbench.running.request import ask, choose_cells, chosen_weights
from asdbench.running.resuming import Wanted, Work, compare
from asdbench.upkeep.cache import DATABASE, FEATURES, default_cache
from asdbench.words import counted


@dataclass
class RunSummary:
    """What a run did.

    Parameters
    ----------
    dataset, chosen : str
        The data set's name, and in words which one was taken and why.
    results : Path
    folders : list of SeedFolder
        The folders that hold the answer to what was asked.
    trained, refused, shared, reused : int
        Jobs trained; jobs that gave nothing; units taken over from a system with the same model; machines found
        finished.
    cells : int
        Cells asked for, over all systems and seeds.
    failed : list of (system, seed, Cell, reason)
        Those without a value.
    warnings : list of str
        Constant components, missing thresholds.
    traces : list of Path
        Files with the tracebacks of failed jobs.
    log : Path or None
        The log file, where there was something to do.
    not_applicable : list of (system, reason)
        Systems that cannot work on these features.
    seconds : float
        Time of the whole run.
    """

    dataset: str
    chosen: str
    results: Path
    folders: list[SeedFolder] = field(default_factory=list)
    trained: int = 0
    refused: int = 0
    shared: int = 0
    reused: int = 0
    cells: int = 0
    failed: list[tuple[str, int, Cell, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    traces: list[Path] = field(default_factory=list)
    log: Path | None = None
    not_applicable: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0


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
    cache_folder = Path(cache) if cache else default_cache()
    data, chosen = open_dataset(dataset)
    keep_digests(data, cache_folder)
    summary = RunSummary(data.name, chosen, Path(results))
    progress.say(f"data: {chosen}")
    asked, summary.not_applicable = ask(data, systems, epochs, chosen_weights(data, weights, progress))
    for name, reason in summary.not_applicable:
        progress.say(f"{name}: not applicable: {reason}")
    if not asked:
        raise UsageError(
            "none of these systems can run on this data",
            looked="; ".join(f"{name}: {reason}" for name, reason in summary.not_applicable),
            hint="see `asdbench systems`",
        )
    cells = choose_cells(data, machines, sections, domains)
    untested = sorted(
        {clip.machine for clip in data.clips} - {clip.machine for clip in data.clips if clip.split == "test"}
    )
    summary.warnings += [f"{machine} has training clips but no test clips" for machine in untested]
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
        results=Path(results),
        replace=replace,
    )
    summary.warnings += in_words(data, {cell.machine for cell in cells}, work.leaked)
    for folder in work.outdated:
        folder.clear()
    for left in {*(wanted.folder.path for wanted in work.wanted), *(cache_folder / FEATURES).glob("*")}:
        sweep(left)
    for _, finished in groupby(work.reused, key=lambda one: one.folder):
        refresh(data, list(finished), cells)
    summary.reused = sum(len(one.unit.machines) for one in work.reused)
    for one, outcome, where in work.shared:
        record(data, one, outcome, cells, About(where, command, {}))
        summary.shared += 1
    stopped = False
    if work.jobs:
        count = min(workers or default_workers(threads), _steps(work))
        with ExitStack() as stack:
            summary.log = log_path(Path(results), data.name)
            progress = stack.enter_context(logged(progress, summary.log, command))
            if isinstance(executor, Executor):
                pool = executor
            else:
                seen = data.clips[0].path
                ours = executing(executor, count, scheduler=scheduler, device=device, shared=cache_folder, seen=seen)
                pool = stack.enter_context(ours)
            before = time.perf_counter()
            features = cache_folder / FEATURES
            # Seeds and models of the same machines have the same clips, which are looked for once.
            embedded_for = {(one.asked.embedding, one.unit.machines): one for one, *_ in work.jobs.values()}
            requests = (
                Request(embedding, one.asked.recipe, one.unit.clips) for (embedding, _), one in embedded_for.items()
            )
            unusable = extract(data, requests, features, pool, progress, device)
            embedded = round(time.perf_counter() - before, 3)
            about = About(environment(device), command, {"embedding": embedded})
            calls = (
                ((wanted, blinded), run_job, (job,))
                for wanted in work.jobs.values()
                for blinded, job in [_job(data, wanted, unusable, features, threads, device)]
            )
            progress.stage("training", len(work.jobs), found=summary.reused + summary.shared)

            def watch(running: Sequence[tuple[Sequence[Wanted], Blinded]]) -> None:
                progress.running([_title(wanted) for wanted, _ in running])

            for (wanted, blinded), answers in each(pool, calls, watch):
                if isinstance(answers, Lost):
                    answers = [Answer(failed=answers.reason) for _ in blinded.tasks]
                outcome = blinded.opened(answers)
                with uninterrupted():
                    _keep(data, wanted, outcome, progress, cells, about, summary)
                if outcome.failed and fail_fast:
                    stopped = True
                    break
    summary.folders = [folder for folder in work.folders if folder.manifest()]
    for folder in work.folders:
        _collect(folder, cells, summary, stopped)
        intervals(folder)  # kept, so that `report` need not wait for them
    summary.seconds = time.perf_counter() - started
    return summary


def _steps(work: Work) -> int:
    """How many calls there are to spread over workers, about."""
    clips = {(clip.machine, clip.name) for one, *_ in work.jobs.values() for clip in one.unit.clips}
    return max(len(work.jobs), len(clips) // CHUNK)


def keep_digests(data: Dataset, cache: Path) -> None:
    """Keep the hashes of sound files in the cache folder, so that a file that stands is not hashed again."""
    if isinstance(data, DcaseDataset):
        data.digests = Digests(cache / DATABASE)


def _job(
    data: Dataset, wanted: Sequence[Wanted], unusable: Bad, features: Path, threads: int, device: str
) -> tuple[Blinded, Job]:
    """What a worker is told of the job that some want."""
    one = wanted[0]
    asked, seed = one.asked, one.folder.seed
    where, keys = source(data, one.unit.clips, asked.recipe, asked.features.kind, features, device)
    blinded = Blinded(one.unit, seed, keys, unusable.get(asked.embedding, {}))
    by = {other.choice.measure for other in wanted} - {None}
    return blinded, Job(
        str(asked.spec),
        seed,
        threads,
        device,
        where,
        blinded.tasks,
        every_epoch=bool(by),
        pseudo="pseudo" in by,
        code=dict(asked.code.modules),
    )


def _keep(
    data: Dataset,
    wanted: Sequence[Wanted],
    outcome: Outcome,
    progress: Progress,
    cells: Sequence[Cell],
    about: About,
    summary: RunSummary,
) -> None:
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
    progress.advance(1, f"{_title(wanted)} · {seconds:.1f} s{failed}", failed=bool(outcome.failed))


def _title(wanted: Sequence[Wanted]) -> str:
    names = ", ".join(dict.fromkeys(one.folder.system for one in wanted))
    return f"{names} · {wanted[0].unit.label} · seed {wanted[0].folder.seed}"


def _collect(folder: SeedFolder, cells: Sequence[Cell], summary: RunSummary, stopped: bool) -> None:
    """Note the cells without a value, and warnings of a folder, as far as they were asked for."""
    asked = set(cells)
    summary.cells += len(cells)
    machines = folder.manifest().get("machines", {})
    there = {Cell(m, *name.rsplit("/", 1)) for m, e in machines.items() for name in e["cells"]}
    for cell in sorted(asked - there):
        reason = "another run took it out of the results meanwhile: run again"
        if stopped:
            reason = "not run: an earlier job failed (--fail-fast)"
        summary.failed.append((folder.system, folder.seed, cell, reason))
    if others := unlabelled_beside(file for file in scored_files(folder) if asked & {one.cell for one in file.cells}):
        clips = counted(others, "test clip of unknown label is", "test clips of unknown label are")
        summary.warnings.append(f"{clips} in no metric: AUC is over the labelled clips beside them")
    for metrics in evaluate(folder):
        if metrics.cell in asked and metrics.auc is None:
            summary.failed.append((folder.system, folder.seed, metrics.cell, metrics.reason or "no value"))
    for machine, entry in machines.items():
        if machine not in {cell.machine for cell in cells}:
            continue
        if entry["constant"]:
            names = ", ".join(entry["constant"])
            summary.warnings.append(f"{folder.system}, seed {folder.seed}, {machine}: constant component: {names}")
        for name, reason in undecided(machine, entry).items():
            summary.warnings.append(f"{folder.system}, seed {folder.seed}, {name}: no decisions: {reason}")
