"""Intervals of a result folder: computed once, kept in ``metrics.json`` beside the scores, keyed by their content.

Development and evaluation sections have aggregates of their own. All values are fractions.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from asdbench.api import DOMAINS, Cell
from asdbench.files import write_text
from asdbench.metrics.aggregate import RANKING, Metric, label_codes
from asdbench.metrics.intervals import PAUC_FLOOR, RESAMPLES, Draws, Interval, arithmetic, harmonic, interval, resample
from asdbench.store import SeedFolder

FORMAT = 1
Column: TypeAlias = tuple[str, Metric]


@dataclass(frozen=True)
class Uncertainty:
    """The intervals of one seed folder's part (development or evaluation sections).

    Parameters
    ----------
    cells : mapping of (Cell, metric) to Interval
    arithmetic, harmonic : mapping of (domain, metric) to Interval
        Of the means over the column's cells.
    official : Interval or None
    """

    cells: Mapping[tuple[Cell, Metric], Interval]
    arithmetic: Mapping[Column, Interval]
    harmonic: Mapping[Column, Interval]
    official: Interval | None


def intervals(folder: SeedFolder) -> dict[str, Uncertainty]:
    """The intervals of a folder by part, from ``metrics.json`` where that is of these scores, else computed and kept.

    Cells without labels or with one class only have none.
    """
    rows = _rows(folder)
    digest = _digest(rows)
    kept = _read(folder, digest)
    if kept is None:
        kept = {part: _measure(own) for part, own in rows.items() if own}
        _write(folder, digest, kept)
    return kept


def cell_intervals(cell: Cell, labels: ArrayLike, scores: ArrayLike) -> dict[Metric, Interval]:
    """The intervals of one cell's AUC and pAUC: those that a result folder with these scores has.

    Parameters
    ----------
    cell : Cell
        Its name is the seed of the resampling.
    labels : int array (clips,)
        0 normal, 1 anomaly.
    scores : float array (clips,)
    """
    return {metric: interval(draws, low=_floor(metric)) for metric, draws in _draws(cell, labels, scores).items()}


def _draws(cell: Cell, labels: ArrayLike, scores: ArrayLike) -> dict[Metric, Draws]:
    found = resample(labels, scores, seed=zlib.crc32(str(cell).encode()))
    return {"auc": found.auc, "pauc": found.pauc}


_Row: TypeAlias = tuple[Cell, Sequence[str], Draws, np.ndarray[Any, np.dtype[np.int64]]]


def _rows(folder: SeedFolder) -> dict[str, list[_Row]]:
    labels, parts = folder.labels(), folder.parts()
    found: dict[str, list[_Row]] = {"dev": [], "eval": []}
    for machine, entry in folder.manifest().get("machines", {}).items():
        for name, reason in entry["cells"].items():
            cell = Cell(machine, *name.rsplit("/", 1))
            if reason is None and folder.has_scores(cell):
                clips, scores = folder.scores(cell)
                codes = label_codes(labels.get((machine, clip)) for clip in clips)
                if set(codes.tolist()) == {0, 1}:
                    found[parts.get(cell, "dev")].append((cell, clips, scores, codes))
    return {part: sorted(own, key=lambda row: row[0]) for part, own in found.items()}


def _digest(rows: Mapping[str, Sequence[_Row]]) -> str:
    content = hashlib.sha256(f"{FORMAT} {RESAMPLES}".encode())
    for part, own in rows.items():
        for cell, clips, scores, codes in own:
            content.update(json.dumps([part, str(cell), *clips]).encode() + scores.tobytes() + codes.tobytes())
    return content.hexdigest()


def _measure(rows: Sequence[_Row]) -> Uncertainty:
    draws: dict[tuple[Cell, Metric], Draws] = {}
    for cell, _, scores, codes in rows:
        draws |= {(cell, metric): values for metric, values in _draws(cell, codes, scores).items()}
    columns: dict[Column, list[Draws]] = {}
    for (cell, metric), values in draws.items():
        columns.setdefault((cell.domain, metric), []).append(values)
    ordered = {
        (domain, metric): columns[domain, metric]
        for metric in RANKING
        for domain in DOMAINS
        if (domain, metric) in columns
    }
    return Uncertainty(
        {key: interval(values, low=_floor(key[1])) for key, values in draws.items()},
        {column: interval(arithmetic(values), low=_floor(column[1])) for column, values in ordered.items()},
        {column: interval(harmonic(values), low=_floor(column[1])) for column, values in ordered.items()},
        interval(harmonic(draws.values())) if draws else None,
    )


def _floor(metric: Metric) -> float:
    return PAUC_FLOOR if metric == "pauc" else 0.0


def _write(folder: SeedFolder, digest: str, found: Mapping[str, Uncertainty]) -> None:
    parts = {
        part: {
            "cells": [[c.machine, c.section, c.domain, metric, asdict(i)] for (c, metric), i in one.cells.items()],
            "arithmetic": [[*column, asdict(i)] for column, i in one.arithmetic.items()],
            "harmonic": [[*column, asdict(i)] for column, i in one.harmonic.items()],
            "official": None if one.official is None else asdict(one.official),
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
            )
            for part, one in kept["parts"].items()
        }
    except (ValueError, KeyError, TypeError):
        return None
