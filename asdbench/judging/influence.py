"""What each clip contributes to an AUC or pAUC: the value and its influence function, of many trainings at once.

Conventions
-----------
- Scores are (trainings, clips); larger means more anomalous; only their order within a row counts.
- The influences of a row are such that value(other clips) is about value + the sum of influences of those clips, less
  the sum over the clips at hand. So a covariance over clips between two trainings is a sum of products of centred
  influences.
- For the AUC these are the structural components of DeLong, DeLong & Clarke-Pearson (1988), exactly. For the pAUC they
  are the derivatives of the same statistic by the weights of the clips (the infinitesimal jackknife): no resampling.

An anomaly that lies, among the normal clips, from false positive rate f0 (share of normal clips above it) to f1 (above
it or tied with it) adds to the area left of the limit p

    h = r (p - f0) - r^2 (f1 - f0) / 2,    r = (p - f0) / (f1 - f0) cut to 0..1,

and the area is the mean of h over the anomalies. A normal clip's influence is the derivative by f0 and f1.

Sources: DeLong et al., Biometrics 44 (1988) 837-845; McClish, Medical Decision Making 9 (1989) 190-195 (the
standardised pAUC); Efron, The Jackknife, the Bootstrap and Other Resampling Plans (1982), chapter 6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asdbench.metrics.roc import MAX_FPR

Floats = NDArray[np.float64]


def areas(anomalous: NDArray[np.bool_], scores: Floats, max_fpr: float = 1.0) -> tuple[Floats, Floats]:
    """Area under the ROC curve up to a false positive rate, McClish-standardised, and each clip's influence.

    Parameters
    ----------
    anomalous : bool array (clips,)
        Both classes must occur.
    scores : float64 array (trainings, clips)
        Finite.
    max_fpr : float
        In (0, 1]; 1 is the whole AUC.

    Returns
    -------
    values : float64 array (trainings,)
        Fractions, as :func:`asdbench.metrics.roc.pauc`.
    influences : float64 array (trainings, clips)
        Not centred: subtract the mean within what is drawn together (a class, or a class and domain).
    """
    ranks = _dense_ranks(scores)
    down, up = ranks[:, ~anomalous], ranks[:, anomalous]
    normals, anomalies = down.shape[1], up.shape[1]
    below, upto = _counts(down, up)
    first, last = (normals - upto) / normals, (normals - below) / normals
    gap = last - first
    inside = np.divide(max_fpr - first, gap, out=_on_the_limit(first, max_fpr), where=gap > 0).clip(0, 1)
    height = inside * (max_fpr - first) - inside**2 * gap / 2
    lower, through = _counts(up, down)
    order = np.argsort(up, axis=1, kind="stable")
    whole, tied = (_sums(np.take_along_axis(one, order, axis=1)) for one in (inside, inside**2 / 2))
    lost = np.take_along_axis(whole, lower, axis=1)
    lost += np.take_along_axis(tied, through, axis=1) - np.take_along_axis(tied, lower, axis=1)
    factor = 0.5 / (max_fpr - max_fpr**2 / 2)
    influences = np.empty(scores.shape)
    influences[:, anomalous] = factor * height / anomalies
    influences[:, ~anomalous] = -factor * lost / (anomalies * normals)
    chance = max_fpr**2 / 2
    return 0.5 + factor * (height.mean(axis=1) - chance), influences


def partial_areas(anomalous: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """:func:`areas` of the pAUC (false positive rates up to 0.1)."""
    return areas(anomalous, scores, MAX_FPR)


def chance_of_zero(anomalous: NDArray[np.bool_], scores: Floats) -> Floats:
    """How often the AUC is 0 among resamples of the clips (each class with replacement), exactly.

    It is where every drawn anomaly lies below every drawn normal clip: summed over which anomaly is the highest drawn.

    Parameters
    ----------
    anomalous : bool array (clips,)
    scores : float64 array (trainings, clips)

    Returns
    -------
    float64 array (trainings,)
    """
    ranks = _dense_ranks(scores)
    down, up = ranks[:, ~anomalous], np.sort(ranks[:, anomalous], axis=1)
    normals, anomalies = down.shape[1], up.shape[1]
    _, upto = _counts(down, up)
    at_most = (np.arange(anomalies + 1) / anomalies) ** anomalies
    return np.asarray((np.diff(at_most) * ((normals - upto) / normals) ** normals).sum(axis=1))


def _dense_ranks(scores: Floats) -> NDArray[np.int64]:
    """Ranks from 0 within each row; equal scores share one."""
    order = np.argsort(scores, axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    steps = np.zeros(scores.shape, dtype=np.int64)
    np.cumsum(ordered[:, 1:] != ordered[:, :-1], axis=1, out=steps[:, 1:])
    ranks = np.empty_like(steps)
    np.put_along_axis(ranks, order, steps, axis=1)
    return ranks


def _counts(among: NDArray[np.int64], of: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each rank: how many ranks of the same row lie below it, and at or below it."""
    rows, width = among.shape
    row = np.arange(rows)[:, None]
    apart = row * (max(int(among.max()), int(of.max())) + 1)  # rows one after the other: one search for all
    ordered = (np.sort(among, axis=1) + apart).ravel()
    below, upto = (np.searchsorted(ordered, of + apart, side=side) - row * width for side in ("left", "right"))
    return below, upto


def _on_the_limit(first: Floats, limit: float) -> Floats:
    """An untied anomaly counts left of the limit, not right of it, and half on it: the derivative from both sides."""
    return np.where(np.abs(first - limit) < 1e-9, 0.5, (first < limit).astype(np.float64))


def _sums(values: Floats) -> Floats:
    """Running sums of each row, from 0."""
    sums = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums
