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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from asdbench.api import DOMAINS, Cell
from asdbench.errors import DataError
from asdbench.judging.comparable import CommonFile, check_alike, check_data, common_cells, common_files
from asdbench.judging.means import FEWEST
from asdbench.metrics.aggregate import RANKING, Metric
from asdbench.metrics.challenge import DEFINITIONS, Column, Definition, against, by_column
from asdbench.metrics.intervals import ROUNDING, Draws, arithmetic, falls_to_zero, harmonic
from asdbench.metrics.paired import Difference, bootstrapped, delong, resample_together
from asdbench.results.manifest import reduced
from asdbench.results.seed_folder import SeedFolder

Sides = tuple[Draws, Draws]
"""Resamples of a quantity of both systems, (trainings, 1 + resamples) each."""


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
    """One cell of both systems; ``clips`` is how many the smaller of the two classes of its AUC has."""

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
    definition : Definition
        Of the data set's year.
    cells : tuple of CellPair
    means : mapping of (domain or "", metric) to Pair
        Arithmetic means over the domain's cells; "" stands for all cells. Each value once.
    official : Pair
        The official score of the year.
    falling : tuple of Cell
        Cells whose AUC is 0 in some resamples, most often first; a harmonic official score then is 0, too: its
        interval is wide for their sake.
    falls : bool
        Whether a training's official score is 0 in 1 of 40 resamples or more.
    """

    part: str
    definition: Definition
    cells: tuple[CellPair, ...]
    means: Mapping[tuple[str, Metric], Pair]
    official: Pair
    falling: tuple[Cell, ...]
    falls: bool

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
    shared = common_files(folders, cells)
    definition = DEFINITIONS[folders[0][0].year]
    machines = {cell.machine for cell in cells}
    sides = [
        _side(name, own, files, machines, tuple(sorted(set(mine) - set(seeds))))
        for name, own, files, mine in zip(called, manifests, folders, by_seed, strict=True)
    ]
    return Comparison(
        sides[0],
        sides[1],
        tuple(seeds),
        tuple(
            _told(paired(part, definition, common))
            for part in ("dev", "eval")
            if (common := [file for file in shared if file.part == part])
        ),
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
    return Side(
        name,
        folders[0].dataset,
        tuple(dict.fromkeys(stamp for one in manifests for stamp in one["stamps"])),
        reduced(manifests[0]),
        tuple(f"{m} (seed {s})" if len(manifests) > 1 else m for s, m, e in entries if e["constant"]),
        len(entries),
        only_seeds,
    )


def paired(part: str, definition: Definition, files: Sequence[CommonFile]) -> Part:
    """Compare two sides cell by cell and overall, with an interval of everything, however few clips there are.

    Parameters
    ----------
    part : {"dev", "eval"}
    definition : Definition
        Of the year: which clips a value is over, and how often it counts.
    files : sequence of CommonFile
        Each side's trainings' scores of the same clips.
    """
    pairs: list[CellPair] = []
    draws: dict[tuple[Cell, Metric], Sides] = {}
    for common in files:
        columns = _resampled(definition, common)
        one = common.groups[0][0]
        scores = [np.stack([group.scores for group in side]) for side in common.groups]
        clips = against(definition, one)
        for cell in common.cells:
            area, partial = (definition.column(cell.domain, metric) for metric in RANKING)
            draws |= {
                (replace(cell, domain=domain), metric): columns[domain, metric] for domain, metric in (area, partial)
            }
            over = clips[cell.domain]
            exact = delong(one.labels[over], scores[0][:, over], scores[1][:, over])
            fewest = int(np.bincount(one.labels[over]).min())
            pairs.append(CellPair(cell, _pair(columns[area], exact), _pair(columns[partial]), fewest))
    means: dict[tuple[str, Metric], Pair] = {}
    for domain in (*DOMAINS, ""):
        for metric in RANKING:
            chosen = [sides for (cell, what), sides in draws.items() if what == metric and domain in ("", cell.domain)]
            if chosen:
                means[domain, metric] = _pair((arithmetic(a for a, _ in chosen), arithmetic(b for _, b in chosen)))
    mean = arithmetic if definition.official == "arithmetic" else harmonic
    scores_of = mean(a for a, _ in draws.values()), mean(b for _, b in draws.values())
    official = _pair(scores_of)
    falls = any(falls_to_zero(training) for side in scores_of for training in side)
    zeros = {
        cell: sum(int(np.sum(side < ROUNDING)) for side in sides)
        for (cell, metric), sides in draws.items()
        if metric == "auc"
    }
    falling = sorted((-often, cell) for cell, often in zeros.items() if often and definition.official == "harmonic")
    return Part(part, definition, tuple(pairs), means, official, tuple(cell for _, cell in falling), falls)


def _told(part: Part) -> Part:
    """The same without intervals that say nothing: of too few clips, as in tables, or of scores that fall to 0."""
    fewest = min(cell.clips for cell in part.cells)
    few = fewest < FEWEST["pauc" if part.definition.official == "arithmetic" else "auc"]
    return replace(
        part,
        official=_untold(part.official) if part.falls or few else part.official,
        means={
            (domain, metric): _untold(pair) if fewest < FEWEST[metric] else pair
            for (domain, metric), pair in part.means.items()
        },
    )


def _untold(pair: Pair) -> Pair:
    estimate = pair.difference.estimate
    if abs(estimate) < ROUNDING:  # equal, whatever the clips
        return pair
    return replace(pair, difference=Difference(estimate, None, None, None))


def _resampled(definition: Definition, common: CommonFile) -> dict[Column, Sides]:
    """Both systems' values on the same resamples of a file's clips, by column."""
    groups = [*common.groups[0], *common.groups[1]]
    one = groups[0]
    found = resample_together(
        one.clips,
        one.labels,
        [group.scores for group in groups],
        one.domains if definition.domains == "clips" else None,
        seed=zlib.crc32(str(common.file).encode()),
    )
    columns = [by_column(definition, common.file, resamples) for resamples in found]
    return {column: _halves([each[column] for each in columns]) for column in columns[0]}


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
