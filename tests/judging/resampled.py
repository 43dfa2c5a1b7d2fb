"""Values of several scorings on the same resamples of a cell's clips: the reference that influences are held to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.metrics.intervals import RESAMPLES, Draws, Resamples, area_under, cut_at, standardised, strata
from asdbench.metrics.roc import MAX_FPR, check


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
