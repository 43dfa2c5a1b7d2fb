"""Student's t for sums of variances, and p values of several tests.

Sources: Satterthwaite, Biometrics Bulletin 2 (1946) 110-114 (degrees of freedom of a sum of variances); Banerjee,
Sankhya 22 (1960) 355-358 (an interval from several variances); Holm, Scandinavian J. Statistics 6 (1979) 65-70.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

LARGE = 1e9
"""Degrees of freedom beyond which Student's t is the normal law."""


def quantile(level: float, freedom: float) -> float:
    """How many standard errors a two-sided interval of that level reaches.

    Parameters
    ----------
    level : float
        Such as 0.95.
    freedom : float
        Degrees of freedom, above 0, not necessarily whole.
    """
    from scipy.special import stdtrit  # heavy: only where an interval is made

    return float(stdtrit(min(freedom, LARGE), (1 + level) / 2))


def above(statistic: float, freedom: float) -> float:
    """The probability that Student's t exceeds a value."""
    from scipy.special import stdtr

    return float(stdtr(min(freedom, LARGE), -statistic))


def combined(level: float, *parts: tuple[float, float]) -> float:
    """How far a two-sided interval reaches whose variance has several parts.

    Parameters
    ----------
    level : float
    parts : (variance, degrees of freedom)
        Each reaches by its own quantile; they add as errors do (Banerjee 1960).
    """
    squares = (quantile(level, freedom) ** 2 * variance for variance, freedom in parts if variance > 0)
    return math.sqrt(math.fsum(squares))


def satterthwaite(variances: ArrayLike, freedoms: ArrayLike) -> float:
    """Degrees of freedom of a sum of independent estimates of variance; infinite where the sum is 0.

    Parameters
    ----------
    variances, freedoms : array (terms,)
        Each term of the sum, and its own degrees of freedom.
    """
    terms, own = np.asarray(variances, dtype=np.float64), np.asarray(freedoms, dtype=np.float64)
    below = float((terms**2 / own).sum())
    return float(terms.sum()) ** 2 / below if below > 0 else math.inf


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Values of p adjusted for being several (Holm's step-down); what has none keeps none and does not count.

    Comparing an adjusted p with 0.05 keeps the chance of any false claim among all of them below 5 %.
    """
    known = [(one, place) for place, one in enumerate(p) if one is not None]
    adjusted: list[float | None] = [None] * len(p)
    largest = 0.0
    for step, (one, place) in enumerate(sorted(known)):
        largest = max(largest, min(1.0, (len(known) - step) * one))
        adjusted[place] = largest
    return adjusted
