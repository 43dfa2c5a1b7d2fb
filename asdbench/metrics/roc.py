"""Area under the ROC curve, whole and partial.

Conventions
-----------
- Labels: 0 normal, 1 anomaly. Scores: larger means more anomalous; only their order counts.
- Values are fractions, not percent. Chance is 0.5 for both metrics.
- Tied scores get half credit: the curve runs diagonally through a group of ties.
- pAUC is standardised after McClish (1989): area up to ``max_fpr``, mapped so that chance is 0.5 and a perfect order 1.
  It is not the raw truncated area; its floor is 0.5 (1 - max_fpr / (2 - max_fpr)), which is 0.474 at 0.1. The curve is
  cut at ``max_fpr`` by linear interpolation.
- Both equal scikit-learn's ``roc_auc_score`` (with ``max_fpr``), which the official DCASE evaluators call. It is not
  imported here because reports must be quick. The curve is kept in whole counts and divided once at the end, so
  that AUC(scores) + AUC(-scores) is 1 to the last digit.

Source: Kawaguchi et al., arXiv 2106.04492 (the 2021 task: AUC, and pAUC with p = 0.1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError, UsageError

MAX_FPR = 0.1


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve: the probability that an anomaly scores above a normal clip, ties counted half.

    Parameters
    ----------
    labels : array (clips,)
        0 normal, 1 anomaly; both must occur.
    scores : array (clips,)
        Finite.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    DataError
        For one class only, labels other than 0 and 1, scores that are not finite numbers, or unequal lengths.
    """
    false, true = _curve(labels, scores)
    return float(_area(false, true) / (false[-1] * true[-1]))


def pauc(labels: ArrayLike, scores: ArrayLike, max_fpr: float = MAX_FPR) -> float:
    """Partial area under the ROC curve up to a false-positive rate, McClish-standardised.

    Parameters
    ----------
    labels : array (clips,)
        0 normal, 1 anomaly; both must occur.
    scores : array (clips,)
        Finite.
    max_fpr : float
        In (0, 1]. At 1 the value is the AUC.

    Returns
    -------
    float
        At most 1; 0.5 is chance.

    Raises
    ------
    DataError
        As :func:`auc`.
    UsageError
        Where ``max_fpr`` is not in (0, 1].
    """
    if not 0 < max_fpr <= 1:
        raise UsageError(f"max_fpr={max_fpr} is out of range", hint="give a false-positive rate in (0, 1]")
    false, true = _curve(labels, scores)
    limit = max_fpr * false[-1]
    inside = int(np.searchsorted(false, limit, side="right"))  # the points at or left of the limit
    area = _area(false[:inside], true[:inside])
    if inside < len(false):
        width, step = limit - false[inside - 1], false[inside] - false[inside - 1]
        height = true[inside - 1] + (true[inside] - true[inside - 1]) * width / step
        area += width * (true[inside - 1] + height) / 2
    area /= false[-1] * true[-1]
    chance = max_fpr**2 / 2
    return float((1 + (area - chance) / (max_fpr - chance)) / 2)


def curve(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ROC curve.

    Returns
    -------
    false, true : float64 arrays (points,)
        False and true positive rates, from (0, 0) to (1, 1); a point behind each group of tied scores.

    Raises
    ------
    DataError
        As :func:`auc`.
    """
    false, true = _curve(labels, scores)
    return false / false[-1], true / true[-1]


def check(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Labels and scores as arrays that a metric is defined on.

    Returns
    -------
    anomaly : bool array (clips,)
    scores : float64 array (clips,)

    Raises
    ------
    DataError
        As :func:`auc`.
    """
    anomaly, values = as_binary(labels, "labels"), np.asarray(scores)
    if values.dtype.kind not in "biuf":
        raise DataError("the scores are not numbers", looked=f"type {values.dtype}", hint="give one number a clip")
    values = values.astype(np.float64)
    if values.shape != anomaly.shape:
        raise DataError(
            "labels and scores differ in length",
            looked=f"labels {anomaly.shape}, scores {values.shape}",
            hint="give one label and one score a clip",
        )
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"{len(bad)} of {len(values)} scores are not finite",
            looked=f"the first is {values[bad[0]]} at position {bad[0]}",
            hint="a clip without a score cannot be ranked: find out why the system gave none",
        )
    normals, anomalies = int(np.sum(~anomaly)), int(np.sum(anomaly))
    if not normals or not anomalies:
        raise DataError(
            "an ROC curve needs clips of both classes",
            looked=f"{normals} normal, {anomalies} anomaly",
            hint="score a set that holds normal and anomalous clips",
        )
    return anomaly, values


def as_binary(values: ArrayLike, what: str) -> NDArray[np.bool_]:
    """A one-dimensional array of 0 and 1 as booleans; DataError, naming ``what``, for anything else."""
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        found = f"shape {array.shape}, type {array.dtype}"
        if array.ndim == 1:
            odd = [value for value in array.tolist() if value not in (0, 1)]
            found += f", among them {odd[0]!r}" if odd else ""
        raise DataError(f"the {what} are not a list of 0 and 1", looked=found, hint="0 is normal, 1 is anomaly")
    return array.astype(np.bool_)


def _curve(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts of false and true positives at every threshold, from (0, 0) to (normals, anomalies)."""
    anomaly, values = check(labels, scores)
    order = np.argsort(-values, kind="stable")
    values, anomaly = values[order], anomaly[order]
    last = np.append(np.flatnonzero(values[1:] != values[:-1]), len(values) - 1)  # last clip of each group of ties
    true = np.cumsum(anomaly)[last]
    false = last + 1 - true
    return np.concatenate(([0.0], false)), np.concatenate(([0.0], true))


def _area(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2)
