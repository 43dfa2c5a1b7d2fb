"""From components to the challenge's files, and from those files to metrics.

The score of a clip is the system's weighted sum of the components as written. Decisions come from a gamma distribution
fitted to the scores of a fit's training clips of a machine, 90th percentile (the organizers' rule; the report): each
trained model has its own threshold for each machine, since the scores of two models have no common scale.
File names and metrics are those of the data set's year (:mod:`asdbench.metrics.challenge`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
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
from asdbench.metrics.decision import Threshold, decide, gamma_threshold
from asdbench.precision import varies
from asdbench.results.components import Column, Components, Row
from asdbench.results.score_files import ScoreFiles
from asdbench.results.seed_folder import SeedFolder, State, Truth


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
        For the manifest: ``thresholds`` (fit -> the gamma distribution, its ``clips`` and the ``sections`` it decides),
        ``cells`` (cell -> None or the reason it is not scored), ``files`` (name -> sha256), ``constant`` (components
        that do not vary over the clips of a section, and the fit unless it is so of all).
    """
    definition = files.year.definition
    scores = score_rows(system, components)
    thresholds = _thresholds(components.identity, scores)
    rows: dict[Cell, list[int]] = {}
    for number, row in enumerate(components.identity):
        if row.split == "test":
            rows.setdefault(Cell(machine, row.section, row.domain), []).append(number)
    trained = {row.section for row in components.identity if row.split == "train"}
    outcome: dict[Cell, str | None] = {}
    for file in sorted({definition.file(cell) for cell in cells}):
        keep = rows.get(file, [])
        clips, own = [components.identity[number].clip for number in keep], scores[keep]
        reason = failed.get(file)
        if reason is None and not keep:
            reason = "no test clips"
        lost = [clip for clip, score in zip(clips, own, strict=True) if not np.isfinite(score)]
        if reason is None and lost:
            beyond = np.count_nonzero(np.isinf(own))
            what = "is infinite: beyond float64" if beyond == len(lost) else "is not a number"
            reason = f"the score of {len(lost)} of {len(own)} clips {what}: {', '.join(lost[:2])}"
            if beyond:
                pass  # that its section or domain is unknown makes no score infinite
            elif file.section not in trained:
                reason += f"; no training clip is known to be of {definition.unit} {file.section}"
            elif definition.domains != "files":
                reason += f"; the domain of test clips is not told in {files.year.year}, if that is what it needs"
        outcome[file] = reason
        if reason is None:
            files.write_scores(file, clips, own)
            fits = [components.identity[number].fit for number in keep]
            files.write_decisions(file, clips, _decisions(own, fits, thresholds))
    return {
        "thresholds": {fit: _about(fit, own, components.identity) for fit, own in thresholds.items()},
        "cells": {f"{cell.section}/{cell.domain}": outcome[definition.file(cell)] for cell in sorted(cells)},
        "files": files.digests(sorted(cells)),
        "constant": constant_components(components, system.formula),
    }


def score_rows(system: System[Any], components: Components) -> NDArray[np.float64]:
    """The score of each row of a machine, training and test; standardised ones are so over their own fit's clips."""
    scores = np.full(len(components.identity), np.nan)
    places: dict[str, list[int]] = {}
    for number, row in enumerate(components.identity):
        places.setdefault(row.fit, []).append(number)
    for rows in places.values():
        train = [number for number in rows if components.identity[number].split == "train"]
        own, over = ({name: values[keep] for name, values in components.values.items()} for keep in (rows, train))
        scores[rows] = system.score(own, over)
    return scores


def _thresholds(identity: Sequence[Row], scores: NDArray[np.float64]) -> dict[str, Threshold]:
    """The threshold of each fit that has test clips of a machine, by the fit's training clips of that machine."""
    fits = sorted({row.fit for row in identity if row.split == "test"})
    own = {fit: [n for n, row in enumerate(identity) if (row.split, row.fit) == ("train", fit)] for fit in fits}
    return {fit: gamma_threshold(scores[rows]) for fit, rows in own.items()}


def _about(fit: str, threshold: Threshold, identity: Sequence[Row]) -> dict[str, Any]:
    own = [row for row in identity if row.fit == fit]
    sections = sorted({row.section for row in own if row.split == "test"})
    return {**asdict(threshold), "clips": sum(row.split == "train" for row in own), "sections": sections}


def _decisions(
    scores: NDArray[np.float64], fits: Sequence[str], thresholds: Mapping[str, Threshold]
) -> list[int] | None:
    """Each clip's by the threshold of its own fit; None where one of them has none."""
    if any(thresholds[fit].value is None for fit in fits):
        return None
    return [int(decide(score, thresholds[fit])) for score, fit in zip(scores, fits, strict=True)]


def constant_components(components: Components, names: Collection[str]) -> list[str]:
    """The named components that do not vary over the clips of any section of a fit: a collapsed model (dead units).

    Section by section, since a dead encoder still gives each section's centre another distance. What varies is judged
    by the resolution of the component's own type. The fit is named, ``kld (fan/dev)``, unless it is so of all.
    """
    places: dict[str, dict[str, list[int]]] = {}
    for number, row in enumerate(components.identity):
        places.setdefault(row.fit, {}).setdefault(row.section, []).append(number)
    found = []
    for name in (name for name in names if name in components.values):
        column = components.values[name]
        states = {
            fit: [varies(group.min(), group.max(), column.dtype) for group in _groups(column, sections.values())]
            for fit, sections in places.items()
        }
        told = {fit: states for fit, states in states.items() if states}
        collapsed = [fit for fit, states in told.items() if not any(states)]
        found += [name] if collapsed and len(collapsed) == len(told) else [f"{name} ({fit})" for fit in collapsed]
    return found


def _groups(column: Column, sections: Iterable[Sequence[int]]) -> Iterator[Column]:
    """The finite values of each section that has more than one."""
    for rows in sections:
        values = column[rows]
        values = values[np.isfinite(values)]
        if len(values) > 1:
            yield values


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
