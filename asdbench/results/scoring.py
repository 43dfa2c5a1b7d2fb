"""From components to the challenge's files, and from those files to metrics.

The score of a clip is the system's weighted sum of the components as written. Decisions come from a gamma distribution
fitted to the system's scores of all training clips of a machine, 90th percentile (the organizers' rule; the report).
File names and metrics are those of the data set's year (:mod:`asdbench.metrics.challenge`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell, System
from asdbench.datasets.shipped_truth import Answer, contradiction
from asdbench.datasets.years import Unit, Year
from asdbench.errors import DataError
from asdbench.metrics.aggregate import CellMetrics, label_codes
from asdbench.metrics.challenge import UNLABELLED, Group, labelled, score_group
from asdbench.metrics.decision import decide, gamma_threshold
from asdbench.results.components import Components
from asdbench.results.score_files import ScoreFiles
from asdbench.results.seed_folder import SeedFolder, State, Truth

CONSTANT = 1e-6  # a component whose spread over each section's clips is below this part of its size is called constant


@dataclass(frozen=True)
class ScoredFile:
    """A score file of a result folder, and the cells asked for that it gives.

    Parameters
    ----------
    part : {"dev", "eval"}
    group : Group or None
        Its clips, those of known label where there are some; None where there are no scores.
    cells : sequence of CellMetrics
        Sorted by domain.
    """

    part: str
    group: Group | None
    cells: tuple[CellMetrics, ...]


def write_machine_scores(
    files: ScoreFiles,
    system: System[Any],
    machine: str,
    components: Components,
    cells: Collection[Cell],
    failed: Mapping[Cell, str],
) -> dict[str, Any]:
    """Write the score and decision files of a machine's cells.

    Parameters
    ----------
    components : Components
        Of this machine, training and test; a test clip's domain is "" where the year's file names have none.
    cells : collection of Cell
        The cells to write.
    failed : mapping of Cell to str
        Files without components (see :meth:`asdbench.metrics.challenge.Definition.file`), with the reason.

    Returns
    -------
    dict
        For the manifest: ``threshold``, ``cells`` (cell -> None or the reason it is not scored), ``files`` (name ->
        sha256), ``constant`` (names of components that hardly vary over the machine's clips).
    """
    definition = files.year.definition
    train, test = components.where(split="train"), components.where(split="test")
    threshold = gamma_threshold(scores_of(system, train, train))
    scores = scores_of(system, test, train)
    rows: dict[Cell, list[int]] = {}
    for number, (_, _, section, domain, _) in enumerate(test.identity):
        rows.setdefault(Cell(machine, section, domain), []).append(number)
    trained = {section for _, _, section, _, _ in train.identity}
    outcome: dict[Cell, str | None] = {}
    for file in sorted({definition.file(cell) for cell in cells}):
        keep = rows.get(file, [])
        clips, own = [test.identity[number][4] for number in keep], scores[keep]
        reason = failed.get(file)
        if reason is None and not keep:
            reason = "no test clips"
        lost = [clip for clip, score in zip(clips, own, strict=True) if not np.isfinite(score)]
        if reason is None and lost:
            reason = f"the score of {len(lost)} of {len(own)} clips is not a number: {', '.join(lost[:2])}"
            if file.section not in trained:
                reason += f"; no training clip is known to be of {definition.unit} {file.section}"
            elif definition.domains != "files":
                reason += f"; the domain of test clips is not told in {files.year.year}, if that is what it needs"
        outcome[file] = reason
        if reason is None:
            files.write_scores(file, clips, own)
            decisions = None if threshold.value is None else decide(own, threshold)
            files.write_decisions(file, clips, None if decisions is None else decisions.tolist())
    return {
        "threshold": {
            "shape": threshold.shape,
            "location": threshold.location,
            "scale": threshold.scale,
            "value": threshold.value,
            "above": threshold.above,
            "reason": threshold.reason,
        },
        "cells": {f"{cell.section}/{cell.domain}": outcome[definition.file(cell)] for cell in sorted(cells)},
        "files": files.digests(sorted(cells)),
        "constant": constant_components(components, system.formula),
    }


def scores_of(system: System[Any], components: Components, train: Components) -> NDArray[np.float64]:
    """The scores of some clips of a machine; ``train`` are the components of its training clips."""
    return system.score(components.values, train.values) if components.identity else np.array([])


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def constant_components(components: Components, names: Collection[str]) -> list[str]:
    """The named components that hardly vary over the clips of any section: a collapsed model (dead units).

    Section by section, since a dead encoder still gives each section's centre another distance.
    """
    sections = np.array([row[2] for row in components.identity])
    found = []
    for name in (name for name in names if name in components.values):
        column = components.values[name].astype(np.float64)
        groups = [_finite(column[sections == section]) for section in dict.fromkeys(sections.tolist())]
        groups = [group for group in groups if len(group) > 1]
        if groups and all(np.ptp(group) <= CONSTANT * max(abs(group).max(), 1e-30) for group in groups):
            found.append(name)
    return found


def evaluate(folder: SeedFolder) -> list[CellMetrics]:
    """Metrics of all cells of a seed folder that were asked for, sorted.

    A cell that was not scored, or whose labels are unknown, has None and a reason.

    Raises
    ------
    DataError
        Where files contradict one another.
    """
    found = [cell for file in scored_files(folder) for cell in file.cells]
    return sorted(found, key=lambda metrics: metrics.cell)


def scored_files(folder: SeedFolder) -> Sequence[ScoredFile]:
    """What a seed folder holds, by its score, decision and label files alone, by its year's definition.

    Reports ask many times: what was read is kept as long as no file of the folder changes.

    Raises
    ------
    DataError
        Where files contradict one another.
    """
    state = folder.state()
    return _scored_files(folder) if state is None else _kept(folder, state)


@lru_cache(maxsize=64)
def _kept(folder: SeedFolder, state: State) -> Sequence[ScoredFile]:
    return _scored_files(folder)


def _scored_files(folder: SeedFolder) -> Sequence[ScoredFile]:
    files, truth, parts = folder.files, folder.truth(), folder.parts()
    definition = files.year.definition
    found = []
    for machine, entry in folder.manifest().get("machines", {}).items():
        asked: dict[Cell, dict[Cell, str | None]] = {}
        for name, reason in entry["cells"].items():
            cell = Cell(machine, *name.rsplit("/", 1))
            asked.setdefault(definition.file(cell), {})[cell] = reason
        for file, cells in asked.items():
            part = parts.get(min(cells), "dev")
            reason = next(filter(None, cells.values()), None)
            stated = {name: entry["files"][name] for name in files.names(file) if name in entry["files"]}
            if reason is None and files.digests([file]) != stated:
                reason = "its score or decision file is not the one that was written: run again"
            group = None if reason else _group(folder, files, file, truth)
            if group is not None and part == "eval" and _contradicted(files.year, group):
                group, reason = None, "its labels contradict the organizers' evaluator: run again, nothing is trained"
            scored = {} if group is None else {one.cell: one for one in score_group(definition, group)}
            if reason is None:
                reason = UNLABELLED if group is not None and group.unlabelled else "no clips of this domain"
            own = (scored.get(cell) or _missing(cell, reason) for cell in sorted(cells))
            found.append(ScoredFile(part, group, tuple(own)))
    return tuple(found)


def unlabelled_beside(files: Iterable[ScoredFile]) -> int:
    """How many clips of unknown label stand beside labelled ones, which alone count."""
    return sum(file.group.unlabelled for file in files if file.group is not None)


def _contradicted(year: Year, group: Group) -> bool:
    """Whether labels were taken from a ground truth that contradicts the organizers'."""
    if (group.labels == -1).any():
        return False
    answers = {
        clip: Answer(int(label), domain)
        for clip, label, domain in zip(group.clips, group.labels, group.domains, strict=True)
    }
    return bool(contradiction(year, {Unit(group.file.machine, group.file.section, group.file.domain): answers}))


def _group(folder: SeedFolder, files: ScoreFiles, file: Cell, truth: Mapping[tuple[str, str], Truth]) -> Group:
    clips, scores = files.scores(file)
    decisions = files.decisions(file)
    if decisions is not None and set(decisions) != set(clips):
        raise DataError(
            "score and decision file name different clips",
            looked=f"{folder.path}: {file}",
            hint="run that system again with --replace",
        )
    known = [truth.get((file.machine, clip)) for clip in clips]
    return labelled(
        Group(
            file,
            label_codes(None if one is None else one.label for one in known),
            scores,
            None if decisions is None else np.array([decisions[clip] for clip in clips], dtype=np.int64),
            ["" if one is None else one.cell.domain for one in known],
            clips,
        )
    )


def _missing(cell: Cell, reason: str) -> CellMetrics:
    return CellMetrics(cell.machine, cell.section, cell.domain, None, None, None, None, None, 0, 0, reason)
