"""How sure a number is: bootstrap intervals of AUC and pAUC, of means over cells and of the official score.

Conventions
-----------
- Clips are resampled with replacement within their cell and class (stratified), so that the counts stay. Where cells
  share clips (2022 and later: the anomalies of a section), all are resampled once and together.
- A resample is a set of weights: how often each clip was drawn. All resamples of a cell are one array operation.
- An aggregate is resampled by taking the same function of the cells' resamples; cells are independent.
- Resampled pAUC is biased (drawing a clip twice makes ties), and a mean over 42 cells keeps the bias while its spread
  shrinks: a plain percentile interval of such a mean covers the truth about half of the time. So intervals are
  corrected for bias, see :func:`interval`.
- The random numbers follow from a seed: the same scores and seed, the same interval.
- An interval speaks of the clips: what other test clips of the same kind would give. Of other trainings it says
  nothing.

Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapters 10 and 13. Coverage measured by
simulation: docs/intervals.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.metrics.roc import MAX_FPR, check

RESAMPLES = 2000
LEVEL = 0.95
PAUC_FLOOR = 0.5 * (1 - MAX_FPR / (2 - MAX_FPR))
"""The least standardised pAUC there is: about 0.474."""
BLOCK = 100
"""Resamples whose curves are held at a time: they then stay in the processor's cache."""
ROUNDING = 1e-12
"""Below this a difference of fractions is none."""
PAUC_PER_AREA = 0.5 / (MAX_FPR - MAX_FPR**2 / 2)
"""What an area left of the maximum false positive rate counts in the standardised pAUC."""

Draws = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval, in the estimate's own unit."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Resamples:
    """AUC and pAUC of some clips: the estimate first, then each resample, (1 + resamples,).

    ``own`` holds, by domain, the AUC of the domain's normal clips against all anomalies, where domains were given.
    """

    auc: Draws
    pauc: Draws
    own: Mapping[str, Draws] = field(default_factory=dict)


def resample(
    labels: ArrayLike,
    scores: ArrayLike,
    domains: Sequence[str] | None = None,
    *,
    count: int = RESAMPLES,
    seed: int = 0,
) -> Resamples:
    """AUC and pAUC of some clips and of their stratified resamples.

    Parameters
    ----------
    labels : array (clips,)
        0 normal, 1 anomaly.
    scores : array (clips,)
    domains : sequence of str or None
        Each clip's: clips are then drawn within domain and class.
    count : int
        How many resamples.
    seed : int

    Raises
    ------
    DataError
        As :func:`asdbench.metrics.roc.auc`.
    """
    anomalous, values = check(labels, scores)
    levels, level = np.unique(-values, return_inverse=True)  # from the highest score down
    random = np.random.default_rng(seed)
    normal, anomalies = (
        {domain: _drawn(level[own], random, count) for domain, own in strata(domains, of_class)}
        for of_class in (~anomalous, anomalous)
    )
    blocks = [
        _areas(normal, anomalies, len(levels), slice(start, start + BLOCK)) for start in range(0, 1 + count, BLOCK)
    ]
    area, partial, own = zip(*blocks, strict=True)
    return Resamples(
        np.concatenate(area),
        np.concatenate(partial),
        {} if domains is None else {domain: np.concatenate([block[domain] for block in own]) for domain in normal},
    )


def _drawn(clips: NDArray[np.int64], random: np.random.Generator, count: int) -> tuple[NDArray[np.int64], Draws]:
    """The levels that some clips have, and how often each is there: once each clip, then as resampled."""
    clips = np.sort(clips)
    drawn = random.multinomial(len(clips), np.full(len(clips), 1 / len(clips)), size=count)
    present, starts = np.unique(clips, return_index=True)
    weights = np.concatenate([np.ones((1, len(clips)), dtype=np.int64), drawn])
    return present, np.add.reduceat(weights, starts, axis=1)


def _areas(
    normal: Mapping[str, tuple[NDArray[np.int64], Draws]],
    anomalies: Mapping[str, tuple[NDArray[np.int64], Draws]],
    levels: int,
    rows: slice,
) -> tuple[Draws, Draws, dict[str, Draws]]:
    """AUC, pAUC and the AUC of each domain's normal clips, of some of the resamples."""

    def passed(present: NDArray[np.int64], weights: Draws) -> Draws:  # clips at or above each level
        own = weights[rows]
        rises = np.zeros((len(own), 1 + levels))
        rises[:, 1 + present] = own
        return np.cumsum(rises, axis=1, out=rises)

    by_domain = {domain: passed(*own) for domain, own in normal.items()}
    false = _rates(sum(by_domain.values(), start=np.zeros(())))
    true = _rates(sum((passed(*own) for own in anomalies.values()), start=np.zeros(())))
    return (
        area_under(false, true),
        standardised(area_under(*cut_at(false, true, MAX_FPR)), MAX_FPR),
        {domain: area_under(_rates(own), true) for domain, own in by_domain.items()},
    )


def strata(domains: Sequence[str] | None, of_class: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.bool_]]]:
    """The clips of a class by domain, sorted; all of them as "" where there are no domains."""
    if domains is None:
        return [("", of_class)]
    own = np.array(domains, dtype=np.str_)
    return [(domain, of_class & (own == domain)) for domain in sorted(set(own[of_class].tolist()))]


def _rates(passed: Draws) -> Draws:
    return np.asarray(passed / passed[0, -1])


def area_under(x: Draws, y: Draws) -> Draws:
    """The areas under curves of straight pieces, (curves, points) each."""
    return np.asarray(((x[:, 1:] - x[:, :-1]) * (y[:, 1:] + y[:, :-1])).sum(axis=1) / 2)


def cut_at(x: Draws, y: Draws, end: float) -> tuple[Draws, Draws]:
    """The curves up to x = end, interpolated there; beyond it they stand still."""
    rise = x[:, 1:] - x[:, :-1]
    share = np.divide(end - x[:, :-1], rise, out=np.ones_like(rise), where=rise > 0).clip(0, 1)
    height = y[:, :-1] + share * (y[:, 1:] - y[:, :-1])
    return np.minimum(x, end), np.concatenate([y[:, :1], height], axis=1)


def standardised(area: Draws, end: float) -> Draws:
    """McClish: 0.5 at chance, 1 at best."""
    chance = end**2 / 2
    return 0.5 * (1 + (area - chance) / (end - chance))


def arithmetic(cells: Iterable[Draws]) -> Draws:
    """The arithmetic mean over cells of the estimate and of each resample."""
    return np.asarray(np.mean(np.stack(list(cells)), axis=0))


def harmonic(cells: Iterable[Draws]) -> Draws:
    """The harmonic mean, values floored at the float epsilon as in the official score."""
    values = np.maximum(np.stack(list(cells)), np.finfo(np.float64).eps)
    return np.asarray(len(values) / (1 / values).sum(axis=0))


def cell_interval(draws: Draws, clips: tuple[int, int], *, partial: bool = False) -> Interval:
    """The interval of one cell's AUC or pAUC: the estimate, give or take the resamples' spread, on the log-odds scale.

    Near 1 percentiles are too short (at 30 + 30 clips and an AUC of .98 they hold the truth in 85 of 100 cases), and
    where the classes do not overlap they have no width at all. On the log-odds scale the interval lies wider on the
    side away from 1, as it should. Centred at the estimate it is free of the resamples' bias. Classes that do not
    overlap are given the spread that they would have with their two closest clips in the wrong order.

    Parameters
    ----------
    draws : array (1 + resamples,)
        The estimate, then its resamples.
    clips : (int, int)
        How many normal clips and anomalies.
    partial : bool
        Whether it is a pAUC.

    Notes
    -----
    Log odds: Qin & Hotilovac, Comparison of non-parametric confidence intervals for the area under the ROC curve
    (2008). Spread and quantile for few clips: Hesterberg, What teachers should know about the bootstrap (2015).
    """
    fewest = max(min(clips), 2)
    pair = (PAUC_PER_AREA if partial else 1.0) / (clips[0] * clips[1])
    estimate = float(draws[0])
    spread = max(float(draws[1:].std()) * math.sqrt(fewest / (fewest - 1)), math.sqrt(3) * pair)
    inner = min(max(estimate, min(pair, 0.5)), max(1 - pair, 0.5))
    reach = _quantile(fewest - 1) * spread / (inner * (1 - inner))
    bottom, top = (1 / (1 + (1 / inner - 1) * math.exp(min(sign * reach, 700.0))) for sign in (1, -1))
    floor = PAUC_FLOOR if partial else 0.0
    return Interval(estimate, min(max(bottom, floor), estimate), max(top, estimate))


def _quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t, by its expansion at the normal one."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def falls_to_zero(draws: Draws, level: float = LEVEL) -> bool:
    """Whether the percentile interval of a mean begins at 0, where a harmonic one jumps because a cell's AUC is 0.

    Parameters
    ----------
    draws : array (1 + resamples,)
        The estimate, then its resamples.
    level : float
        Of confidence.
    """
    return bool(np.quantile(draws[1:], (1 - level) / 2) < ROUNDING)


def interval(draws: Draws, *, low: float = 0.0, high: float = 1.0, level: float = LEVEL) -> Interval | None:
    """The interval of a mean over cells: the percentile interval of the resamples, shifted by twice their bias.

    The resamples' mean lies off the estimate by about as much as the estimate lies off the truth, in the same
    direction: once back to the estimate, once more to the truth. Unlike the basic bootstrap this keeps the side on
    which the resamples spread more, which for a pAUC near chance is the upper one. It always holds the estimate: of a
    few clips a harmonic mean, which is 0 wherever one cell's AUC is, may fall so far that the shift leaves it out.

    Parameters
    ----------
    draws : array (1 + resamples,)
        The estimate, then its resamples.
    low, high : float
        Where the quantity ends.
    level : float
        Of confidence.

    Returns
    -------
    Interval or None
        None where all resamples are one value (cells of one clip a class, or classes that nowhere overlap): what
        other clips would give cannot be told from them, and an interval without width would say that it can. None,
        too, where the percentile interval begins at 0: a harmonic mean jumps there where a cell's AUC is 0, and twice
        that jump as a bias would move the interval to where no harmonic mean can be.
    """
    estimate, others = float(draws[0]), draws[1:]
    if np.ptp(others) < ROUNDING or (low >= 0 and falls_to_zero(draws, level)):
        return None
    shift = 2 * (float(others.mean()) - estimate)
    bottom, top = np.quantile(others, [(1 - level) / 2, (1 + level) / 2]) - shift
    bottom, top = min(bottom, estimate), max(top, estimate)
    return Interval(estimate, float(np.clip(bottom, low, high)), float(np.clip(top, low, high)))
