"""Intervals of a result folder: computed once, kept in ``metrics.json`` beside the scores, keyed by their content.

Development and evaluation sections have aggregates of their own. All values are fractions. A mean over cells of few
clips has no interval: resamples of so few do not tell what other clips would give (:data:`FEWEST`).
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from asdbench.api import Cell
from asdbench.files import write_text
from asdbench.metrics.aggregate import RANKING, Metric
from asdbench.metrics.challenge import DEFINITIONS, Column, Definition, Group, by_column
from asdbench.metrics.intervals import (
    PAUC_FLOOR,
    RESAMPLES,
    Draws,
    Interval,
    arithmetic,
    cell_interval,
    harmonic,
    interval,
    resample,
)
from asdbench.results.scoring import ScoredFile, scored_files
from asdbench.results.seed_folder import SeedFolder

FORMAT = 6
FEWEST: Mapping[Metric, int] = {"auc": 5, "pauc": 20}
"""Clips of either class in each cell from which on intervals of means hold the truth in 90 or more of 100 simulated
cases (docs/intervals.md); the official score's from that of the AUC on, 2020's, whose mean is arithmetic as that of
pAUC is, from that of pAUC."""


def fewest_of_official(definition: Definition) -> int:
    """Clips of either class in each cell from which on the official score of a year has an interval."""
    return FEWEST["pauc" if definition.official == "arithmetic" else "auc"]


@dataclass(frozen=True)
class Uncertainty:
    """The intervals of one seed folder's part (development or evaluation sections).

    Parameters
    ----------
    cells : mapping of (Cell, metric) to Interval
        Each value once: the cell's domain is "" where the value is the section's.
    arithmetic, harmonic : mapping of (domain, metric) to Interval
        Of the means over the column's cells; absent where it cannot be told.
    official : Interval or None
    overall : mapping of metric to Interval
        Of the arithmetic means over all cells, whatever their domain; absent where it cannot be told.
    """

    cells: Mapping[tuple[Cell, Metric], Interval]
    arithmetic: Mapping[Column, Interval]
    harmonic: Mapping[Column, Interval]
    official: Interval | None
    overall: Mapping[Metric, Interval]


def intervals(folder: SeedFolder) -> dict[str, Uncertainty]:
    """The intervals of a folder by part, from ``metrics.json`` where that is of these scores, else computed and kept.

    Cells without a value have none.
    """
    files = [file for file in scored_files(folder) if any(cell.auc is not None for cell in file.cells)]
    files.sort(key=lambda file: file.cells[0].cell)
    digest = _digest(folder.year, files)
    kept = _read(folder, digest)
    if kept is None:
        definition = DEFINITIONS[folder.year]
        kept = {
            part: _measure(definition, own)
            for part in ("dev", "eval")
            if (own := [file for file in files if file.part == part])
        }
        _write(folder, digest, kept)
    return kept


def _cell(definition: Definition, group: Group, column: Column, draws: Draws) -> Interval:
    return cell_interval(draws, _clips(definition, group, column), partial=column[1] == "pauc")


def _clips(definition: Definition, group: Group, column: Column) -> tuple[int, int]:
    """How many normal clips and anomalies a value is of."""
    domain, _ = column
    # From 2022 on a cell's AUC is of its own domain's normal clips; all else is of all clips of the file.
    if domain and definition.domains == "clips":
        normal = sum(own == domain for own, label in zip(group.domains, group.labels, strict=True) if label == 0)
    else:
        normal = int((group.labels == 0).sum())
    return normal, int((group.labels == 1).sum())


def _draws(definition: Definition, group: Group) -> dict[Column, Draws]:
    """The name of the file is the seed of the resampling."""
    domains = group.domains if definition.domains == "clips" else None
    found = resample(group.labels, group.scores, domains, seed=zlib.crc32(str(group.file).encode()))
    return by_column(definition, group.file, found)


def _digest(year: int, files: Sequence[ScoredFile]) -> str:
    content = hashlib.sha256(f"{FORMAT} {RESAMPLES} {year}".encode())
    for file in files:
        group = file.group
        assert group is not None  # it has a value
        asked = [str(cell.cell) for cell in file.cells if cell.auc is not None]
        content.update(json.dumps([file.part, asked, *group.clips, *group.domains]).encode())
        content.update(group.scores.tobytes() + group.labels.tobytes())
    return content.hexdigest()


def _measure(definition: Definition, files: Sequence[ScoredFile]) -> Uncertainty:
    draws: dict[tuple[Cell, Metric], Draws] = {}
    cells: dict[tuple[Cell, Metric], Interval] = {}
    counts: list[int] = []
    for file in files:
        assert file.group is not None  # it has a value
        domains = [cell.domain for cell in file.cells if cell.auc is not None]
        wanted = {definition.column(domain, metric) for metric in RANKING for domain in domains}
        place = file.group.file
        for (domain, metric), values in _draws(definition, file.group).items():
            if (domain, metric) in wanted:
                key = Cell(place.machine, place.section, domain), metric
                draws[key] = values
                cells[key] = _cell(definition, file.group, (domain, metric), values)
                counts += _clips(definition, file.group, (domain, metric))
    fewest = min(counts, default=0)
    columns: dict[Column, list[Draws]] = {}
    for (cell, metric), values in draws.items():
        columns.setdefault((cell.domain, metric), []).append(values)
    every = {("", metric): [own for (_, what), own in draws.items() if what == metric] for metric in RANKING}
    ordered = {column: columns[column] for column in definition.columns() if column in columns}
    official = arithmetic if definition.official == "arithmetic" else harmonic
    return Uncertainty(
        cells,
        _of_means(arithmetic, ordered, fewest),
        _of_means(harmonic, ordered, fewest),
        interval(official(draws.values())) if fewest >= fewest_of_official(definition) else None,
        {metric: bounds for (_, metric), bounds in _of_means(arithmetic, every, fewest).items()},
    )


def _of_means(
    mean: Callable[[Iterable[Draws]], Draws], columns: Mapping[Column, Sequence[Draws]], fewest: int
) -> dict[Column, Interval]:
    found = {
        (domain, metric): interval(mean(values), low=PAUC_FLOOR if metric == "pauc" else 0.0)
        for (domain, metric), values in columns.items()
        if fewest >= FEWEST[metric]
    }
    return {column: bounds for column, bounds in found.items() if bounds is not None}


def _write(folder: SeedFolder, digest: str, found: Mapping[str, Uncertainty]) -> None:
    parts = {
        part: {
            "cells": [[c.machine, c.section, c.domain, metric, asdict(i)] for (c, metric), i in one.cells.items()],
            "arithmetic": [[*column, asdict(i)] for column, i in one.arithmetic.items()],
            "harmonic": [[*column, asdict(i)] for column, i in one.harmonic.items()],
            "official": None if one.official is None else asdict(one.official),
            "overall": {metric: asdict(i) for metric, i in one.overall.items()},
        }
        for part, one in found.items()
    }
    text = json.dumps({"format": FORMAT, "scores": digest, "resamples": RESAMPLES, "parts": parts}, indent=1)
    write_text(folder.path / "metrics.json", text + "\n")


def _read(folder: SeedFolder, digest: str) -> dict[str, Uncertainty] | None:
    """What is kept, or None where it is of other scores or cannot be read: it is then computed again."""
    path = folder.path / "metrics.json"
    if not path.is_file():
        return None
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["scores"] != digest:
            return None
        return {
            part: Uncertainty(
                {(Cell(m, s, d), metric): Interval(**i) for m, s, d, metric, i in one["cells"]},
                {(domain, metric): Interval(**i) for domain, metric, i in one["arithmetic"]},
                {(domain, metric): Interval(**i) for domain, metric, i in one["harmonic"]},
                None if one["official"] is None else Interval(**one["official"]),
                {metric: Interval(**i) for metric, i in one["overall"].items()},
            )
            for part, one in kept["parts"].items()
        }
    except (ValueError, KeyError, TypeError):
        return None
