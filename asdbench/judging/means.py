"""Means of values: what each fit and each clip contributes to an arithmetic or a harmonic mean over cells.

Conventions
-----------
- A fit contributes to the values of its unit; units are independent of each other.
- Of a harmonic mean H of n values a, with S_u the sum of 1/a over the values of unit u: a fit's contribution is H with
  that unit's S at this fit and the other units' at their means, and the influences are those of the values times
  H^2 / (n a^2), a and H of this very fit (the delta method).
- A harmonic mean's estimate is the mean of the seeds' means, as tables show them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.judging.influence import Floats
from asdbench.judging.measuring import FileValues, Measured, Value
from asdbench.metrics.aggregate import Metric
from asdbench.words import counted

Mean: TypeAlias = Literal["arithmetic", "harmonic"]
ByUnit: TypeAlias = Mapping[str, Floats]
Linear: TypeAlias = tuple[float, ByUnit, ByUnit]
"""The estimate; by unit each fit's contribution (fits,) and the weight of each value (fits, values)."""
FEWEST: Mapping[Metric, int] = {"auc": 5, "pauc": 20}
"""Clips of either class in each cell from which on intervals of differences hold the truth in 92 or more of 100
simulated cases (docs/verdicts.md)."""
FEWEST_HARMONIC = 10
"""The same of a harmonic mean of AUC and pAUC, which hangs on the lowest values: those are AUCs."""
OFTEN = 1 / 40
"""From so many resamples in which a harmonic mean is 0 on it has no interval: it would begin there."""


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
    fits = {unit: files[own[0]][0].scored.fits for unit, own in by_unit.items()}
    estimate, ys, weights = linear(mean, matrix, fits)
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
    mixed = mean == "harmonic" and len(metrics) > 1
    needed = FEWEST_HARMONIC if mixed else max(FEWEST[metric] for metric in metrics)
    fewest = min(min(one.clips[value]) for one, own in files for value in own)
    return "" if fewest >= needed else f"{counted(fewest, 'clip')} of a class in a cell, and an interval needs {needed}"


def _falling(files: Sequence[tuple[FileValues, Sequence[Value]]]) -> tuple[Cell, ...]:
    """The cells whose AUC is 0 in some resamples, most often first, where that makes the mean 0 too often."""
    zeros = {
        cell: chance for one, own in files for cell, chance in one.zeros.items() if chance and (cell, "auc") in own
    }
    if 1 - math.prod(1 - chance for chance in zeros.values()) < OFTEN:
        return ()
    return tuple(sorted(zeros, key=lambda cell: -zeros[cell]))


def linear(mean: Mean, matrix: ByUnit, fits: Mapping[str, tuple[str, ...]]) -> Linear:
    """A mean of values from each unit's values of each fit.

    Parameters
    ----------
    mean : {"arithmetic", "harmonic"}
    matrix : mapping of unit to float array (fits, values)
    fits : mapping of unit to tuple of str
        Their seeds.

    Returns
    -------
    Linear
    """
    count = sum(own.shape[1] for own in matrix.values())
    return (_arithmetic if mean == "arithmetic" else _harmonic)(matrix, fits, count)


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
