"""One system beside another on the same data, clip by clip: is the one better, and how sure is that?

- Compared are the cells that both have, over the seeds that both have; what only one has is named and left out.
- A difference is the first system's value minus the second's, a fraction. Of several seeds it is the mean of the seeds'
  differences. Its interval speaks of the clips, for these very trainings; how the seeds differ among themselves is kept
  beside it (``per_seed``) and never mixed in.
- Development and evaluation sections have aggregates of their own.
"""

from __future__ import annotations

import statistics
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.api import DOMAINS, Cell
from asdbench.comparable import check_alike, check_data, common_cells, common_scores
from asdbench.errors import DataError
from asdbench.metrics.aggregate import RANKING, Metric
from asdbench.metrics.intervals import Draws, arithmetic, harmonic
from asdbench.metrics.paired import ROUNDING, Difference, bootstrapped, delong, resample_together
from asdbench.store import SeedFolder

Sides = tuple[Draws, Draws]
"""Resamples of a quantity of both systems, (trainings, 1 + resamples) each."""

Scored: TypeAlias = tuple[list[str], NDArray[np.int64], list[list[NDArray[np.float64]]]]
"""A cell's clips, their labels, and each side's scores of them, one array a training."""


@dataclass(frozen=True)
class Pair:
    """A quantity of both systems, means over the seeds, and their difference (fractions).

    ``per_seed`` holds each seed's own difference, in the order of the comparison's seeds.
    """

    a: float
    b: float
    difference: Difference
    per_seed: tuple[float, ...]

    @property
    def spread(self) -> float | None:
        """Standard deviation of the difference over seeds; None for a single seed."""
        return statistics.stdev(self.per_seed) if len(self.per_seed) > 1 else None

    @property
    def agreeing(self) -> int:
        """Seeds whose own difference has the sign of the mean."""
        return sum(one * self.difference.estimate > 0 for one in self.per_seed)


@dataclass(frozen=True)
class CellPair:
    """One cell of both systems; ``clips`` is how many the smaller of its two classes has."""

    cell: Cell
    auc: Pair
    pauc: Pair
    clips: int


@dataclass(frozen=True)
class Part:
    """The development (``dev``) or evaluation (``eval``) sections of a comparison.

    Parameters
    ----------
    part : {"dev", "eval"}
    cells : tuple of CellPair
    means : mapping of (domain or "", metric) to Pair
        Arithmetic means over the domain's cells; "" stands for all cells.
    official : Pair
        The official score: the harmonic mean of all AUC and pAUC.
    falling : tuple of Cell
        Cells whose AUC is 0 in some resamples, most often first; the official score then is 0, too, and its interval is
        wide for their sake.
    """

    part: str
    cells: tuple[CellPair, ...]
    means: Mapping[tuple[str, Metric], Pair]
    official: Pair
    falling: tuple[Cell, ...]

    @property
    def balance(self) -> tuple[int, int, int]:
        """Cells whose AUC is higher in the first system, in the second, and equal."""
        found = [cell.auc.difference.estimate for cell in self.cells]
        won, lost = sum(one > ROUNDING for one in found), sum(one < -ROUNDING for one in found)
        return won, lost, len(found) - won - lost


@dataclass(frozen=True)
class Side:
    """One of the two systems.

    Parameters
    ----------
    name : str
    dataset : str
    stamps : tuple of str
    budget : str
        Where fewer epochs were trained than the full budget: how many of how many. Else empty.
    collapsed : tuple of str
        Trainings (machine, and seed where there are several) with a component that is constant.
    trainings : int
        Of how many machines and seeds.
    only_seeds : tuple of int
        Seeds that the other has not.
    """

    name: str
    dataset: str
    stamps: tuple[str, ...]
    budget: str
    collapsed: tuple[str, ...]
    trainings: int
    only_seeds: tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same data.

    Parameters
    ----------
    a, b : Side
    seeds : tuple of int
        Those that both have.
    parts : tuple of Part
    left_out : mapping of str to tuple of Cell
        Why some cells are not compared.
    """

    a: Side
    b: Side
    seeds: tuple[int, ...]
    parts: tuple[Part, ...]
    left_out: Mapping[str, tuple[Cell, ...]]


def compare(a: Sequence[SeedFolder], b: Sequence[SeedFolder], names: tuple[str, str] | None = None) -> Comparison:
    """Compare two systems over the seeds and cells that both have.

    Parameters
    ----------
    a, b : sequence of SeedFolder
        The seeds of one system each.
    names : (str, str) or None
        How to call them. Default: as the systems were asked for.

    Raises
    ------
    DataError
        Where they were made on different data, with different settings from seed to seed, or have no seed or no cell
        in common.
    """
    by_seed = [{folder.seed: folder for folder in side} for side in (a, b)]
    seeds = sorted(by_seed[0].keys() & by_seed[1].keys())
    called = names or (a[0].system, b[0].system)
    if not seeds:
        stated = [f"{name}: {', '.join(map(str, side))}" for name, side in zip(called, by_seed, strict=True)]
        raise DataError(
            "there is no seed that both have",
            looked="; ".join(stated),
            hint="run both with the same --seeds",
        )
    folders = [[side[seed] for seed in seeds] for side in by_seed]
    manifests = [[folder.manifest() for folder in side] for side in folders]
    for name, own in zip(called, manifests, strict=True):
        check_alike(name, own)
    check_data(called, manifests)
    cells, left_out = common_cells(folders, called)
    if not cells:
        raise DataError(
            "there is no cell that both have a value of",
            looked="; ".join(f"{own[0]}{' and others' if own[1:] else ''}: {why}" for why, own in left_out.items())
            or "no cells",
            hint="run both on the same machines and sections",
        )
    parts = folders[0][0].parts()
    split = {part: [cell for cell in cells if parts.get(cell, "dev") == part] for part in ("dev", "eval")}
    machines = {cell.machine for cell in cells}
    sides = [
        _side(name, own, files, machines, tuple(sorted(set(mine) - set(seeds))))
        for name, own, files, mine in zip(called, manifests, folders, by_seed, strict=True)
    ]
    labels = [[folder.labels() for folder in side] for side in folders]

    def scores_of(cell: Cell) -> Scored:
        return common_scores(cell, folders, labels)

    return Comparison(
        sides[0],
        sides[1],
        tuple(seeds),
        tuple(paired(part, own, scores_of) for part, own in split.items() if own),
        left_out,
    )


def _side(
    name: str,
    manifests: Sequence[Mapping[str, Any]],
    folders: Sequence[SeedFolder],
    machines: set[str],
    only_seeds: tuple[int, ...],
) -> Side:
    entries = [(one["seed"], m, e) for one in manifests for m, e in one["machines"].items() if m in machines]
    epochs, full = entries[0][2]["key"]["parameters"].get("epochs"), manifests[0]["system"].get("full_epochs")
    reduced = epochs is not None and full is not None and epochs < full
    return Side(
        name,
        folders[0].dataset,
        tuple(dict.fromkeys(stamp for one in manifests for stamp in one["stamps"])),
        f"{epochs} of {full} epochs" if reduced else "",
        tuple(f"{m} (seed {s})" if len(manifests) > 1 else m for s, m, e in entries if e["constant"]),
        len(entries),
        only_seeds,
    )


def paired(part: str, cells: Sequence[Cell], scores_of: Callable[[Cell], Scored]) -> Part:
    """Compare two sides cell by cell and overall.

    Parameters
    ----------
    part : {"dev", "eval"}
    cells : sequence of Cell
    scores_of : function of Cell
        Gives a cell's clips, their labels (0, 1), and each side's trainings' scores of them.
    """
    pairs: list[CellPair] = []
    draws: dict[Metric, list[Sides]] = {metric: [] for metric in RANKING}
    for cell in cells:
        clips, codes, scores = scores_of(cell)
        found = resample_together(clips, codes, [*scores[0], *scores[1]], seed=zlib.crc32(str(cell).encode()))
        own: dict[Metric, Sides] = {
            "auc": _halves([one.auc for one in found]),
            "pauc": _halves([one.pauc for one in found]),
        }
        for metric, sides in own.items():
            draws[metric].append(sides)
        area = _pair(own["auc"], delong(codes, np.stack(scores[0]), np.stack(scores[1])))
        pairs.append(CellPair(cell, area, _pair(own["pauc"]), int(np.bincount(codes).min())))
    means: dict[tuple[str, Metric], Pair] = {}
    for domain in (*DOMAINS, ""):
        for metric in RANKING:
            chosen = [one for cell, one in zip(cells, draws[metric], strict=True) if domain in ("", cell.domain)]
            if chosen:
                means[domain, metric] = _pair((arithmetic(a for a, _ in chosen), arithmetic(b for _, b in chosen)))
    every = [sides for metric in RANKING for sides in draws[metric]]
    official = _pair((harmonic(a for a, _ in every), harmonic(b for _, b in every)))
    zeros = [sum(int(np.sum(side < ROUNDING)) for side in sides) for sides in draws["auc"]]
    falling = sorted((-often, cell) for often, cell in zip(zeros, cells, strict=True) if often)
    return Part(part, tuple(pairs), means, official, tuple(cell for _, cell in falling))


def _halves(found: Sequence[Draws]) -> Sides:
    half = len(found) // 2
    return np.stack(found[:half]), np.stack(found[half:])


def _pair(sides: Sides, difference: Difference | None = None) -> Pair:
    """Both systems' quantity; the difference from the resamples where it is not given."""
    a, b = sides
    gaps = a - b
    return Pair(
        float(a[:, 0].mean()),
        float(b[:, 0].mean()),
        difference or bootstrapped(gaps.mean(axis=0)),
        tuple(gaps[:, 0].tolist()),
    )
