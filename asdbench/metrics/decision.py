"""From scores to normal/anomaly decisions, and how good those are.

Conventions
-----------
- One threshold a trained model and machine type: a gamma distribution (shape, location and scale all free) is fitted
  to the anomaly scores of all its training clips, and the 90th percentile of the fit is the threshold. Report, section
  3; the organizers' 2021 baseline (``scipy.stats.gamma.fit``, ``decision_threshold: 0.9``).
- A clip is decided anomalous (1) where its score is strictly above the threshold, else normal (0).
- Precision, recall and F1 are fractions; their denominators are clamped at the float epsilon, as the official
  evaluator does, so that an empty class gives 0 and not a division by zero.
- AUC and pAUC never depend on any of this.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError
from asdbench.metrics.roc import as_binary
from asdbench.words import counted

QUANTILE = 0.9
FEWEST_CLIPS = 3  # as many as the distribution has parameters


@dataclass(frozen=True)
class Threshold:
    """A decision threshold and the gamma distribution it comes from, or the reason why there is none.

    Parameters
    ----------
    shape, location, scale : float or None
        The fitted gamma distribution.
    value : float or None
        The threshold, in the scores' units; None exactly where ``reason`` is given.
    above : float or None
        The share of training scores above the threshold: about 1 - quantile where the fit holds. scipy's fit with a
        free location can end far from it without a sign (in simulation, 3,009 log-normal scores with 1 % outliers:
        between 0 and 0.997), so this is kept beside the value to be shown.
    reason : str or None
        Why there is no threshold.
    """

    shape: float | None = None
    location: float | None = None
    scale: float | None = None
    value: float | None = None
    above: float | None = None
    reason: str | None = None


def gamma_threshold(train_scores: ArrayLike, quantile: float = QUANTILE) -> Threshold:
    """Fit a gamma distribution to training scores and take a quantile of it.

    Parameters
    ----------
    train_scores : array (clips,)
        The anomaly scores of all training clips of a machine type.
    quantile : float
        Between 0 and 1.

    Returns
    -------
    Threshold
        Without a value, but with a reason, for fewer than 3 clips, constant or non-finite scores and where the fit
        fails.
    """
    scores = np.asarray(train_scores, dtype=np.float64)
    if len(scores) < FEWEST_CLIPS:
        return Threshold(reason=f"{counted(len(scores), 'training clip')}: a gamma distribution needs {FEWEST_CLIPS}")
    lost = int(np.sum(~np.isfinite(scores)))
    if lost:
        return Threshold(reason=f"{lost} of {len(scores)} training scores are not finite")
    if np.min(scores) == np.max(scores):
        return Threshold(reason=f"all {len(scores)} training scores are equal ({scores[0]:g})")

    from scipy import stats

    with warnings.catch_warnings():
        # The optimiser tries parameters outside the distribution's range on its way; what counts is where it ends.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            shape, location, scale = (float(value) for value in stats.gamma.fit(scores))
            value = float(stats.gamma.ppf(quantile, shape, loc=location, scale=scale))
        except (stats.FitError, ValueError) as error:
            return Threshold(reason=f"the gamma fit failed: {error}")
    if not np.isfinite([shape, location, scale, value]).all():
        return Threshold(reason=f"the gamma fit is not finite: {shape=:g}, {location=:g}, {scale=:g}, {value=:g}")
    return Threshold(shape, location, scale, value, above=float(np.mean(scores > value)))


def decide(scores: ArrayLike, threshold: Threshold | float) -> NDArray[np.int64]:
    """Decide each clip: 1 (anomaly) where its score is above the threshold, else 0.

    Parameters
    ----------
    scores : array (clips,)
        Finite.
    threshold : Threshold or float
        From :func:`gamma_threshold`, or a number.

    Returns
    -------
    int64 array (clips,)

    Raises
    ------
    DataError
        Where there is no threshold, or a score is not finite: neither is a reason to call a clip normal.
    """
    value = threshold.value if isinstance(threshold, Threshold) else threshold
    if value is None:
        reason = threshold.reason if isinstance(threshold, Threshold) else None
        raise DataError(
            "there is no decision threshold", looked=reason or "", hint="leave the decisions of this machine out"
        )
    values = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(values).all():
        lost = int(np.sum(~np.isfinite(values)))
        raise DataError(
            f"{lost} of {values.size} scores are not finite", hint="decide only the clips that the system could score"
        )
    return (values > value).astype(np.int64)


def precision_recall_f1(labels: ArrayLike, decisions: ArrayLike) -> tuple[float, float, float]:
    """Precision, recall and F1 of the anomaly class.

    Parameters
    ----------
    labels, decisions : array (clips,)
        0 normal, 1 anomaly.

    Returns
    -------
    precision, recall, f1 : float
        0 where a denominator is empty.

    Raises
    ------
    DataError
        For values other than 0 and 1, or unequal lengths.
    """
    truth, decided = as_binary(labels, "labels"), as_binary(decisions, "decisions")
    if truth.shape != decided.shape:
        raise DataError(
            "labels and decisions differ in length",
            looked=f"{len(truth)} labels, {len(decided)} decisions",
            hint="give one label and one decision a clip",
        )
    hits = int(np.sum(truth & decided))
    epsilon = sys.float_info.epsilon
    precision = hits / max(int(np.sum(decided)), epsilon)
    recall = hits / max(int(np.sum(truth)), epsilon)
    return precision, recall, 2 * precision * recall / max(precision + recall, epsilon)
