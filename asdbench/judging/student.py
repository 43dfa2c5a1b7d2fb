"""Student's t for sums of variances, and tests of several hypotheses.

Sources: Satterthwaite, Biometrics Bulletin 2 (1946) 110-114 (degrees of freedom of a sum of variances); Schuirmann,
J. Pharmacokinetics and Biopharmaceutics 15 (1987) 657-680 (two one-sided tests); Holm, Scandinavian J. Statistics 6
(1979) 65-70.
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


def two_sided(statistic: float, freedom: float) -> float:
    """The probability that Student's t lies further from 0 than a value."""
    return min(1.0, 2 * above(abs(statistic), freedom))


def within(estimate: float, error: float, freedom: float, margin: float) -> float:
    """The larger p of the two one-sided tests that a difference lies below ``-margin`` or above ``margin``.

    It is below 0.05 exactly where the 90 % interval lies inside the margins.
    """
    return max(above((estimate + margin) / error, freedom), above((margin - estimate) / error, freedom))


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
