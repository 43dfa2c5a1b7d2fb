"""Values of several scorings on the same resamples of a cell's clips: the reference that influences are held to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.metrics.roc import MAX_FPR, check

RESAMPLES = 2000
Draws = NDArray[np.float64]


@dataclass(frozen=True)
class Resamples:
    """AUC and pAUC of some clips: the estimate first, then each resample, (1 + resamples,).

    ``own`` holds, by domain, the AUC of the domain's normal clips against all anomalies, where domains were given.
    """

    auc: Draws
    pauc: Draws
    own: Mapping[str, Draws] = field(default_factory=dict)


def resample_together(
    clips: Sequence[str],
    labels: ArrayLike,
    scores: Sequence[ArrayLike],
    domains: Sequence[str] | None = None,
    *,
    count: int = RESAMPLES,
    seed: int = 0,
) -> list[Resamples]:
    """AUC and pAUC of several scorings of a cell, on the same stratified resamples of its clips.

    Parameters
    ----------
    clips : sequence of str
        Names, each once; they alone decide which clips a resample holds.
    labels : array (clips,)
        0 normal, 1 anomaly.
    scores : sequence of array (clips,)
        One array a scoring.
    domains : sequence of str or None
        Each clip's: clips are then drawn within domain and class.
    count : int
        How many resamples.
    seed : int

    Returns
    -------
    list of Resamples
        One a scoring; the estimate first, then each resample.

    """
    order = np.array(sorted(range(len(clips)), key=clips.__getitem__))
    random = np.random.default_rng(seed)
    anomalous, _ = check(labels, scores[0])
    normals, anomalies = (
        {domain: order[own[order]] for domain, own in strata(domains, of_class)} for of_class in (~anomalous, anomalous)
    )
    weights = [
        {domain: _weights(len(own), count, random) for domain, own in side.items()} for side in (normals, anomalies)
    ]
    up, up_weights = np.concatenate(list(anomalies.values())), np.concatenate(list(weights[1].values()), axis=1)
    down, down_weights = np.concatenate(list(normals.values())), np.concatenate(list(weights[0].values()), axis=1)
    found = []
    for row in scores:
        _, values = check(labels, row)
        false, true = _curves([values[down], values[up]], [down_weights, up_weights])
        # Nearly all of a curve lies beyond max_fpr in every resample.
        reached = int(np.argmax(false.min(axis=0) >= MAX_FPR)) + 1
        partial = area_under(*cut_at(false[:, :reached], true[:, :reached], MAX_FPR))
        own = (
            {}
            if domains is None
            else {
                domain: area_under(*_curves([values[clips], values[up]], [weights[0][domain], up_weights]))
                for domain, clips in normals.items()
            }
        )
        found.append(Resamples(area_under(false, true), standardised(partial, MAX_FPR), own))
    return found


def _weights(clips: int, count: int, random: np.random.Generator) -> Draws:
    """How often each clip is drawn: once in the estimate (first row), then in each resample."""
    drawn = random.multinomial(clips, np.full(clips, 1 / clips), size=count)
    return np.concatenate([np.ones((1, clips)), drawn])


def _curves(values: Sequence[NDArray[np.float64]], weights: Sequence[Draws]) -> tuple[Draws, Draws]:
    """False and true positive rates of all resamples at the corners of the curve, (1 + resamples, corners)."""
    levels = np.unique(np.concatenate([-one for one in values]))  # from the highest score down
    below = [np.searchsorted(np.sort(-one), levels, side="right") for one in values]
    counts = [np.concatenate(([0], one)) for one in below]
    # A point between two steps of one class alone lies on a straight line, whatever the weights.
    still = [np.diff(one) == 0 for one in counts]
    corner = np.ones(len(levels) + 1, dtype=np.bool_)
    corner[1:-1] = ~((still[0][1:] & still[0][:-1]) | (still[1][1:] & still[1][:-1]))
    rates = []
    for own, weight, count in zip(values, weights, counts, strict=True):
        drawn = np.zeros((len(weight), len(own) + 1))
        np.cumsum(weight[:, np.argsort(-own, kind="stable")], axis=1, out=drawn[:, 1:])
        rates.append(drawn[:, count[corner]] / len(own))
    return rates[0], rates[1]


def strata(domains: Sequence[str] | None, of_class: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.bool_]]]:
    """The clips of a class by domain, sorted; all of them as "" where there are no domains."""
    if domains is None:
        return [("", of_class)]
    own = np.array(domains, dtype=np.str_)
    return [(domain, of_class & (own == domain)) for domain in sorted(set(own[of_class].tolist()))]


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


def harmonic(cells: Iterable[Draws]) -> Draws:
    """The harmonic mean, values floored at the float epsilon as in the official score."""
    values = np.maximum(np.stack(list(cells)), np.finfo(np.float64).eps)
    return np.asarray(len(values) / (1 / values).sum(axis=0))
