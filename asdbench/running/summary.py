"""What a run did: jobs, cells without a value and why, warnings, files. ``asdbench run`` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asdbench.api import Cell
from asdbench.results.manifest import undecided
from asdbench.results.scoring import evaluate, scored_files, unlabelled_beside
from asdbench.results.seed_folder import SeedFolder
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


def summarise(folders: Sequence[SeedFolder], cells: Sequence[Cell], stopped: bool, summary: RunSummary) -> None:
    """Note what the folders hold of what was asked for.

    Parameters
    ----------
    folders : sequence of SeedFolder
        All that were asked for.
    cells : sequence of Cell
        Asked for, in each folder.
    stopped : bool
        Whether the run ended at a job that failed.
    summary : RunSummary
        Filled.
    """
    summary.folders = [folder for folder in folders if folder.manifest()]
    for folder in folders:
        _collect(folder, cells, summary, stopped)


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
