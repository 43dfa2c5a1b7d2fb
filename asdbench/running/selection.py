"""Chooses the epoch that counts, for each machine: the best one by some measure of every epoch.

The last epoch of a fixed budget is what an honest run reports. The report author's public development code kept, per
machine, the epoch with the best AUC (his CL-VAE) or pAUC (his CVAE) on the labelled *test* clips of the development
sections; ``--selection oracle`` and ``oracle-pauc`` do the same, in a folder of their own that is stamped wherever it
is shown. Evaluation labels take no part, whether they are known or not. The difference to the last epoch is the
optimism of that choice; chosen on one half of the clips and measured on the other, it is what the choice is worth.

``--selection pseudo`` needs no anomaly: it takes the epoch with the best AUC of pseudo-anomalies against the training
clips that they are made from (:mod:`asdbench.running.pseudo`).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from asdbench.api import Cell, Clip, System
from asdbench.metrics.aggregate import RANKING, CellMetrics, Metric, harmonic_mean, label_codes
from asdbench.metrics.challenge import Definition, Group, score_group, values
from asdbench.metrics.roc import auc
from asdbench.results.components import Components, join
from asdbench.results.scoring import score_rows
from asdbench.results.selection import Epochs, Measure
from asdbench.running.blinding import Outcome


def measure(
    outcome: Outcome, system: System[Any], machines: Sequence[str], clips: Sequence[Clip], definition: Definition
) -> Epochs:
    """What each epoch's model gives: AUC and pAUC on the labelled development test clips, and pseudo-AUC.

    They are harmonic means over a machine's cells; of the pseudo-AUC, over its sections.

    Parameters
    ----------
    outcome : Outcome
        With the components of every epoch.
    clips : sequence of Clip
        With labels and domains: this is the harness, not a model.
    definition : Definition
        Of the year: what an AUC is over, and how often a pAUC counts.

    Returns
    -------
    mapping of machine to epoch to measure to float
        What cannot be measured is absent: AUC and pAUC without labels, pseudo-AUC without pseudo-anomalies.
    """
    found: dict[str, dict[int, dict[str, float]]] = {}
    for machine in machines:
        truth = _development(clips, machine)
        for epoch, components in outcome.epochs.items():
            cells = _cells(components, system, machine, truth, definition)
            known: dict[str, float] = {}
            for by in RANKING:
                merit = _merit(cells, definition, by)
                known |= {} if merit is None else {by: merit}
            area = _pseudo_area(outcome, epoch, system, machine)
            known |= {} if area is None else {"pseudo": area}
            if known:
                found.setdefault(machine, {})[epoch] = known
    return found


def choose(
    outcome: Outcome,
    measured: Epochs,
    by: Measure,
    machines: Sequence[str],
    clips: Sequence[Clip],
    definition: Definition,
) -> tuple[Outcome, dict[str, int]]:
    """The outcome at each machine's best epoch by what was ``measured``, the first among equals.

    Returns
    -------
    outcome : Outcome
        A machine that was not measured has failed cells instead of components. The latent space is that of the last
        epoch and is left out.
    epochs : mapping of machine to epoch
    """
    parts: list[Components] = []
    epochs: dict[str, int] = {}
    failed = dict(outcome.failed)
    for machine in machines:
        merits = {epoch: own[by] for epoch, own in measured.get(machine, {}).items() if by in own}
        if merits:
            epochs[machine] = max(merits, key=lambda epoch: merits[epoch])
            parts.append(outcome.epochs[epochs[machine]].where(machine=machine))
        else:
            test = [clip for clip in clips if clip.machine == machine and clip.split == "test"]
            failed.update({definition.file(clip.cell): _why_not(outcome, test, by) for clip in test})
    chosen = Outcome(
        join(parts), failed, dict(outcome.impossible), list(outcome.history), dict(outcome.fits), trace=outcome.trace
    )
    return chosen, epochs


def both_ways(
    outcome: Outcome,
    system: System[Any],
    by: Metric,
    machine: str,
    clips: Sequence[Clip],
    definition: Definition,
) -> list[dict[str, Any]]:
    """What the choice gives on clips that it has not seen: chosen on one half, measured on the other, and vice versa.

    Returns
    -------
    list of {"epoch", "cells"}
        JSON values, one a way; ``cells`` are "section/domain" -> {"chosen", "last"} -> {"auc", "pauc"}. Nothing where a
        half lacks normal or anomalous clips of a cell that the other has.
    """
    if not outcome.epochs:
        return []
    found = []
    for half, other in _halves(_development(clips, machine)):
        seen = {
            epoch: _cells(components, system, machine, half, definition) for epoch, components in outcome.epochs.items()
        }
        merits = {epoch: _merit(cells, definition, by) for epoch, cells in seen.items()}
        known = {epoch: merit for epoch, merit in merits.items() if merit is not None}
        if not known:
            return []
        epoch = max(known, key=lambda epoch: known[epoch])
        chosen, after = (_cells(outcome.epochs[one], system, machine, other, definition) for one in (epoch, max(seen)))
        if {cell.cell for cell in chosen} != {cell.cell for cell in seen[epoch]} or len(after) != len(chosen):
            return []
        cells = {
            f"{one.section}/{one.domain}": {
                "chosen": {metric: one.value(metric) for metric in RANKING},
                "last": {metric: two.value(metric) for metric in RANKING},
            }
            for one, two in zip(chosen, after, strict=True)
        }
        found.append({"epoch": epoch, "cells": cells})
    return found


def _pseudo_area(outcome: Outcome, epoch: int, system: System[Any], machine: str) -> float | None:
    """The pseudo-AUC of an epoch; None without pseudo-anomalies, or where a score is not a number."""
    made = outcome.pseudo.get(epoch, Components([], {})).where(machine=machine)
    rows = join([outcome.epochs[epoch].where(split="train", machine=machine), made])
    scores = score_rows(system, rows)
    if not made.identity or not np.isfinite(scores).all():
        return None
    sections: dict[str, list[int]] = {}
    for number, row in enumerate(rows.identity):
        sections.setdefault(row.section, []).append(number)
    labels = np.array([int(row.split == "pseudo") for row in rows.identity])
    return harmonic_mean(auc(labels[own], scores[own]) for own in sections.values() if labels[own].any())


def _why_not(outcome: Outcome, test: Sequence[Clip], by: Measure) -> str:
    if not outcome.epochs:
        return "it has no epochs to choose from"
    if by == "pseudo":
        return "no epoch gives a score to every training clip and pseudo-anomaly"
    labelled = any(clip.label for clip in test)
    return "no labelled development cell to choose by" if labelled else "no labelled cell to choose by"


def _development(clips: Sequence[Clip], machine: str) -> dict[str, Clip]:
    return {
        clip.name: clip for clip in clips if clip.machine == machine and clip.split == "test" and clip.part == "dev"
    }


def _halves(truth: Mapping[str, Clip]) -> tuple[tuple[dict[str, Clip], dict[str, Clip]], ...]:
    """The clips in two halves, and again the other way round: each cell's normal and anomalous clips drawn apart.

    The same halves for every system and seed, so that their gains can be compared.
    """
    strata: dict[tuple[Cell, str], list[str]] = {}
    for name, clip in sorted(truth.items()):
        strata.setdefault((clip.cell, clip.label or ""), []).append(name)
    one: set[str] = set()
    extra = 0
    for (cell, label), names in sorted(strata.items()):
        order = np.random.default_rng(zlib.crc32(f"{cell} {label}".encode())).permutation(len(names))
        count = (len(names) + extra) // 2  # of odd numbers, the one clip more goes to the halves in turn
        extra = (extra + len(names)) % 2
        one |= {names[position] for position in order[:count]}
    first, second = (
        {name: clip for name, clip in truth.items() if (name in one) == inside} for inside in (True, False)
    )
    return (first, second), (second, first)


def _cells(
    components: Components, system: System[Any], machine: str, truth: Mapping[str, Clip], definition: Definition
) -> list[CellMetrics]:
    """The cells of a machine's clips of ``truth`` that have a value."""
    own = components.where(machine=machine)
    scores = score_rows(system, own)
    rows: dict[Cell, list[int]] = {}
    for number, row in enumerate(own.identity):
        if row.split == "test" and row.clip in truth:
            rows.setdefault(Cell(machine, row.section, row.domain), []).append(number)
    found: list[CellMetrics] = []
    for file, keep in rows.items():
        clips = [truth[own.identity[number].clip] for number in keep]
        codes = label_codes(clip.label for clip in clips)
        group = Group(file, codes, scores[keep], domains=[clip.domain for clip in clips])
        found += [cell for cell in score_group(definition, group) if cell.auc is not None]
    return sorted(found, key=lambda one: one.cell)


def _merit(cells: Sequence[CellMetrics], definition: Definition, by: Metric) -> float | None:
    known = values(definition, cells, by)
    return harmonic_mean(known) if known else None
