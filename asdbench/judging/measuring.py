"""The values of all cells of a system's trainings, with what each clip contributes, and means of them.

Conventions
-----------
- A *value* is one AUC or pAUC, named (Cell, metric); the cell's domain is "" where the value is the section's. Each
  value once, as the year counts it (:mod:`asdbench.metrics.challenge`).
- Clips are drawn within class and cell; from 2022 on within class and domain of a section, whose values share them.
- Influences are centred within what is drawn together and scaled, so that a covariance over clips is a sum of products.
- Of a harmonic mean H of n values a, with S_u the sum of 1/a over the values of unit u: a fit's contribution is H with
  that unit's S at this fit and the other units' at their means, and the influences are those of the values times
  H^2 / (n a^2), a and H of this very fit (the delta method).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.judging.influence import Floats, areas, chance_of_zero, partial_areas
from asdbench.judging.samples import Sample, Scored
from asdbench.metrics.aggregate import RANKING, Metric
from asdbench.metrics.challenge import Definition, Group, against
from asdbench.words import counted

Value: TypeAlias = tuple[Cell, Metric]
Mean: TypeAlias = Literal["arithmetic", "harmonic"]
Clusters: TypeAlias = Mapping[Cell, NDArray[np.int64]]
"""By file: which clips hang together, one number a clip in the order of the checked sample."""
FAR = 6.0
"""Standard errors from 0 beyond which no resample of an AUC is 0."""
FEWEST: Mapping[Metric, int] = {"auc": 5, "pauc": 20}
"""Clips of either class in each cell from which on intervals of differences hold the truth in 92 or more of 100
simulated cases (docs/verdicts.md)."""
OFTEN = 1 / 40
"""From so many resamples in which a harmonic mean is 0 on it has no interval: it would begin there."""


@dataclass(frozen=True, eq=False)
class FileValues:
    """The values of one file.

    Parameters
    ----------
    scored : Scored
    values : mapping of Value to float array (fits,)
    influences : mapping of Value to float array (fits, draws)
        Centred and scaled; a draw is a clip, or clips that hang together.
    starts : int array (strata,)
        Where each stratum's draws begin.
    sizes : int array (strata,)
        How many draws each has.
    clips : mapping of Value to (int, int)
        Normal clips and anomalies of a value.
    over : mapping of Cell to bool array (clips,)
        Which clips a cell's AUC is over.
    """

    scored: Scored
    values: Mapping[Value, Floats]
    influences: Mapping[Value, Floats]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    clips: Mapping[Value, tuple[int, int]]
    over: Mapping[Cell, NDArray[np.bool_]]

    @cached_property
    def zeros(self) -> Mapping[Cell, float]:
        """How often a cell's AUC is 0 among resamples of its clips, in the fit in which it is so most often."""
        found = {}
        for (cell, metric), own in self.values.items():
            reach = FAR * np.sqrt((self.influences[cell, metric] ** 2).sum(axis=1))
            if metric == "auc" and (own <= reach).any():
                over = self.over[cell]
                anomalous = self.scored.labels[over] == 1
                found[cell] = float(chance_of_zero(anomalous, self.scored.scores[:, over]).max())
        return found


@dataclass(frozen=True, eq=False)
class Measured:
    """A system's trainings, measured."""

    sample: Sample
    definition: Definition
    files: Mapping[Cell, FileValues]

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """All values, AUC before pAUC, cells in order."""
        return tuple(
            value for metric in RANKING for one in self.files.values() for value in one.values if value[1] == metric
        )

    @cached_property
    def place(self) -> Mapping[Value, Cell]:
        """The file of each value."""
        return {value: file for file, one in self.files.items() for value in one.values}


def measure(sample: Sample, definition: Definition, clusters: Clusters | None = None) -> Measured:
    """All values of a checked sample.

    Parameters
    ----------
    sample : Sample
        As :func:`asdbench.judging.samples.checked` gives it.
    definition : Definition
    clusters : mapping of file to int array (clips,), optional
        Which clips are drawn together; else each by itself.
    """
    files = {one.file: _measured(one, definition, (clusters or {}).get(one.file)) for one in sample.files}
    return Measured(sample, definition, files)


def restricted(side: Measured, common: Sequence[Cell], rows: Mapping[str, Sequence[int]]) -> Measured:
    """A system over some of its files, and of some units with some of the fits (by row)."""
    files = {}
    for file in common:
        own = side.files[file]
        kept = rows.get(own.scored.unit)
        if kept is not None and list(kept) != list(range(len(own.scored.fits))):
            own = replace(
                own,
                scored=own.scored.of(kept),
                values={value: found[list(kept)] for value, found in own.values.items()},
                influences={value: found[list(kept)] for value, found in own.influences.items()},
            )
        files[file] = own
    sample = replace(side.sample, files=tuple(own.scored for own in files.values()))
    return Measured(sample, side.definition, files)


def _measured(one: Scored, definition: Definition, clusters: NDArray[np.int64] | None) -> FileValues:
    anomalous = one.labels == 1
    group = Group(one.file, one.labels, one.scores[0], None, one.domains, one.clips)
    raw: dict[Value, tuple[Floats, Floats]] = {}
    counts: dict[Value, tuple[int, int]] = {}
    used: dict[Cell, NDArray[np.bool_]] = {}
    wanted = [cell.domain for cell in one.cells] if one.cells else list(against(definition, group))
    place = one.file.machine, one.file.section
    for domain, over in against(definition, group).items():
        if domain in wanted:
            column, metric = definition.column(domain, "auc")
            key = Cell(*place, column), metric
            values, own = areas(anomalous[over], one.scores[:, over])
            used[key[0]] = over
            influences = np.zeros(one.scores.shape)
            influences[:, over] = own
            raw[key], counts[key] = (values, influences), _counted(anomalous[over])
    column, metric = definition.column(one.file.domain, "pauc")
    key = Cell(*place, column), metric
    raw[key], counts[key] = partial_areas(anomalous, one.scores), _counted(anomalous)
    # Clips are sorted by class, domain and name, so strata lie side by side.
    split = definition.domains == "clips"
    stratum = [(label, domain if split else "") for label, domain in zip(one.labels.tolist(), one.domains, strict=True)]
    firsts = np.array([n for n, own_stratum in enumerate(stratum) if not n or own_stratum != stratum[n - 1]])
    draws, starts = firsts, firsts
    if clusters is None:
        draws = np.arange(len(one.clips))
    else:
        order = np.zeros(len(one.clips), dtype=np.int64)
        order[firsts[1:]] = 1
        of_stratum = np.cumsum(order)
        lexical = np.lexsort((clusters, of_stratum))
        raw = {value: (found, own[:, lexical]) for value, (found, own) in raw.items()}
        pairs = np.stack([of_stratum[lexical], clusters[lexical]])
        draws = np.flatnonzero(np.r_[True, (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)])
        starts = np.searchsorted(draws, firsts)
    sizes = np.diff(np.append(starts, len(draws)))
    clips = np.diff(np.append(firsts, len(one.clips)))
    scale = np.sqrt(sizes / np.maximum(sizes - 1, 1))
    return FileValues(
        one,
        {value: found for value, (found, _) in raw.items()},
        {value: _drawn(own, firsts, clips, draws, sizes, scale) for value, (_, own) in raw.items()},
        starts,
        sizes,
        counts,
        used,
    )


def _counted(anomalous: NDArray[np.bool_]) -> tuple[int, int]:
    return int((~anomalous).sum()), int(anomalous.sum())


def _drawn(
    raw: Floats,
    firsts: NDArray[np.int64],
    clips: NDArray[np.int64],
    draws: NDArray[np.int64],
    sizes: NDArray[np.int64],
    scale: Floats,
) -> Floats:
    """Centred within strata, summed over what is drawn together, scaled."""
    centred = raw - np.repeat(np.add.reduceat(raw, firsts, axis=1) / clips, clips, axis=1)
    summed = centred if len(draws) == raw.shape[1] else np.add.reduceat(centred, draws, axis=1)
    return np.asarray(summed * np.repeat(scale, sizes))


@dataclass(frozen=True, eq=False)
class Unit:
    """What the fits of one unit contribute to a mean.

    Parameters
    ----------
    trainings : tuple of str
        Their keys.
    y : float array (fits,)
        The mean with this unit at this fit, less a constant.
    influences : float array (fits, draws)
    place : int array (draws,)
        Where these draws stand among all draws of the mean.
    """

    trainings: tuple[str, ...]
    y: Floats
    influences: Floats
    place: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Contributions:
    """A mean of values of one system: the estimate, and what each unit's fits and clips contribute.

    Parameters
    ----------
    estimate : float
        Expected over trainings.
    units : mapping of unit to Unit
    starts, sizes : int array (strata,)
        Of all draws.
    falling : tuple of Cell
        Cells that fall to 0: a harmonic mean has no interval then.
    too_few : str
        Why there are too few clips for the interval of a difference (:data:`FEWEST`), or "".
    """

    estimate: float
    units: Mapping[str, Unit]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    falling: tuple[Cell, ...]
    too_few: str


def contributions(measured: Measured, values: Sequence[Value], mean: Mean) -> Contributions:
    """A mean of some values of a system.

    Parameters
    ----------
    measured : Measured
    values : sequence of Value
        At least one.
    mean : {"arithmetic", "harmonic"}
    """
    by_file: dict[Cell, list[Value]] = {}
    for value in values:
        by_file.setdefault(measured.place[value], []).append(value)
    files = [(measured.files[file], own) for file, own in by_file.items()]
    widths = [int(one.sizes.sum()) for one, _ in files]
    ends = np.cumsum(widths)
    starts = np.concatenate(
        [one.starts + end - width for (one, _), end, width in zip(files, ends, widths, strict=True)]
    )
    by_unit: dict[str, list[int]] = {}
    for number, (one, _) in enumerate(files):
        by_unit.setdefault(one.scored.unit, []).append(number)
    matrix = {
        unit: np.stack([files[number][0].values[value] for number in own for value in files[number][1]], axis=1)
        for unit, own in by_unit.items()
    }
    estimate, ys, weights = (_arithmetic if mean == "arithmetic" else _harmonic)(
        matrix, {unit: files[own[0]][0].scored.fits for unit, own in by_unit.items()}, len(values)
    )
    units = {}
    for unit, own in by_unit.items():
        parts, column = [], 0
        for number in own:
            one, chosen = files[number]
            part = np.zeros((len(one.scored.fits), widths[number]))
            for value in chosen:
                part += weights[unit][:, column, None] * one.influences[value]
                column += 1
            parts.append(part)
        place = np.concatenate([np.arange(ends[number] - widths[number], ends[number]) for number in own])
        units[unit] = Unit(files[own[0]][0].scored.trainings, ys[unit], np.concatenate(parts, axis=1), place)
    return Contributions(
        estimate,
        units,
        starts,
        np.concatenate([one.sizes for one, _ in files]),
        _falling(files) if mean == "harmonic" else (),
        _too_few(files, mean),
    )


def _too_few(files: Sequence[tuple[FileValues, Sequence[Value]]], mean: Mean) -> str:
    metrics = {metric for _, own in files for _, metric in own}
    # A harmonic mean of AUC and pAUC hangs on the lowest values, which are AUCs.
    metric: Metric = "pauc" if metrics == {"pauc"} or ("pauc" in metrics and mean == "arithmetic") else "auc"
    fewest = min(min(one.clips[value]) for one, own in files for value in own)
    if fewest >= FEWEST[metric]:
        return ""
    return f"{counted(fewest, 'clip')} of a class in a cell, and an interval needs {FEWEST[metric]}"


def _falling(files: Sequence[tuple[FileValues, Sequence[Value]]]) -> tuple[Cell, ...]:
    """The cells whose AUC is 0 in some resamples, most often first, where that makes the mean 0 too often."""
    zeros = {
        cell: chance for one, own in files for cell, chance in one.zeros.items() if chance and (cell, "auc") in own
    }
    if 1 - math.prod(1 - chance for chance in zeros.values()) < OFTEN:
        return ()
    return tuple(sorted(zeros, key=lambda cell: -zeros[cell]))


ByUnit: TypeAlias = Mapping[str, Floats]
Linear: TypeAlias = tuple[float, ByUnit, ByUnit]
"""The estimate; by unit each fit's contribution (fits,) and the weight of each value (fits, values)."""


def _arithmetic(matrix: ByUnit, fits: Mapping[str, tuple[str, ...]], count: int) -> Linear:
    ys = {unit: own.sum(axis=1) / count for unit, own in matrix.items()}
    weights = {unit: np.full(own.shape, 1 / count) for unit, own in matrix.items()}
    return float(sum(y.mean() for y in ys.values())), ys, weights


def _harmonic(matrix: ByUnit, fits: Mapping[str, tuple[str, ...]], count: int) -> Linear:
    floored = {unit: np.maximum(own, np.finfo(np.float64).eps) for unit, own in matrix.items()}
    sums = {unit: (1 / own).sum(axis=1) for unit, own in floored.items()}
    level = sum(float(own.mean()) for own in sums.values())
    ys = {unit: count / (level - own.mean() + own) for unit, own in sums.items()}
    weights = {unit: ys[unit][:, None] ** 2 / (count * own**2) for unit, own in floored.items()}
    if len(set(fits.values())) == 1:  # each seed is a row of the results table: the mean of what it shows
        estimate = float((count / sum(sums.values())).mean())
    else:  # to second order what all combinations of the units' fits would give
        spread = sum(float(own.var(ddof=1)) for own in sums.values() if len(own) > 1)
        estimate = count / level * (1 + spread / level**2)
    return estimate, ys, weights
