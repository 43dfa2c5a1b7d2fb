"""From components to the challenge's files, and from those files to metrics.

The score of a clip is the system's weighted sum of the components as written. Decisions come from a gamma distribution
fitted to the system's scores of all training clips of a machine, 90th percentile (the organizers' rule; the report).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell, System
from asdbench.components import Components
from asdbench.errors import DataError
from asdbench.metrics.aggregate import CellMetrics, label_codes, score_cells
from asdbench.metrics.decision import decide, gamma_threshold
from asdbench.store import SeedFolder

CONSTANT = 1e-6  # a component whose spread over each section's clips is below this part of its size is called constant


def write_machine_scores(
    folder: SeedFolder,
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
        Of this machine, training and test.
    cells : collection of Cell
        The cells to write.
    failed : mapping of Cell to str
        Cells without components, with the reason.

    Returns
    -------
    dict
        For the manifest: ``threshold``, ``cells`` (cell -> None or the reason it is not scored), ``files`` (name ->
        sha256), ``constant`` (names of components that hardly vary over the machine's clips).
    """
    train, test = components.where(split="train"), components.where(split="test")
    threshold = gamma_threshold(system.score(train.values) if train.identity else np.array([]))
    scores = system.score(test.values) if test.identity else np.array([])
    rows: dict[Cell, list[int]] = {}
    for number, (_, _, section, domain, _) in enumerate(test.identity):
        rows.setdefault(Cell(machine, section, domain), []).append(number)
    outcome: dict[str, str | None] = {}
    for cell in sorted(cells):
        keep = rows.get(cell, [])
        clips, own = [test.identity[number][4] for number in keep], scores[keep]
        reason = failed.get(cell)
        if reason is None and not keep:
            reason = "no test clips"
        lost = [clip for clip, score in zip(clips, own, strict=True) if not np.isfinite(score)]
        if reason is None and lost:
            reason = f"the score of {len(lost)} of {len(own)} clips is not a number: {', '.join(lost[:2])}"
        outcome[f"{cell.section}/{cell.domain}"] = reason
        if reason is None:
            folder.write_scores(cell, clips, own)
            decisions = None if threshold.value is None else decide(own, threshold)
            folder.write_decisions(cell, clips, None if decisions is None else decisions.tolist())
    return {
        "threshold": {
            "shape": threshold.shape,
            "location": threshold.location,
            "scale": threshold.scale,
            "value": threshold.value,
            "above": threshold.above,
            "reason": threshold.reason,
        },
        "cells": outcome,
        "files": folder.digests(sorted(cells)),
        "constant": constant_components(components, system.formula),
    }


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
    """Metrics of all cells of a seed folder, computed from its score, decision and label files alone.

    A cell that was not scored, or whose labels are unknown, has None and a reason.

    Raises
    ------
    DataError
        Where files contradict one another.
    """
    labels = folder.labels()
    rows = []
    missing: list[CellMetrics] = []
    for machine, entry in folder.manifest().get("machines", {}).items():
        for name, reason in entry["cells"].items():
            cell = Cell(machine, *name.rsplit("/", 1))
            files = {name: digest for name, digest in entry["files"].items() if name in folder.names(cell)}
            if reason is None and folder.digests([cell]) != files:
                reason = "its score or decision file is not the one that was written: run again"
            if reason is not None:
                missing.append(CellMetrics(*_identity(cell), None, None, None, None, None, 0, 0, reason))
                continue
            clips, scores = folder.scores(cell)
            decisions = folder.decisions(cell)
            if decisions is not None and set(decisions) != set(clips):
                raise DataError(
                    "score and decision file name different clips",
                    looked=f"{folder.path}: {cell}",
                    hint="run that system again with --replace",
                )
            codes = label_codes(labels.get((machine, clip)) for clip in clips)
            rows.append((cell, codes, scores, None if decisions is None else [decisions[clip] for clip in clips]))
    return sorted([*score_cells(rows), *missing], key=_identity)


def _identity(cell: Cell | CellMetrics) -> tuple[str, str, str]:
    return cell.machine, cell.section, cell.domain
