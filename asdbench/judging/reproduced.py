"""Has a published number been reproduced? The yardstick is one more training on the same clips.

Conventions
-----------
- Published development values are of the very clips that we score, so an interval over clips is no yardstick: what may
  differ is the training. The interval is the one within which one more training (or the mean of as many as were
  published) would lie in 95 of 100 cases, ours +- t sqrt(sum of s^2 (1 / n_published + 1 / k)) over the units of the
  mean, widened by half a printed unit.
- *not reproduced*: outside, however wide. *reproduced*: inside an interval of at most 5 points to either side.
  *cannot be told*: inside a wider one, or one training of ours. Deterministic: equal to rounding or not.
- Machines and means are judged. Of the many cells only those are whose interval is at most 5 points to either side;
  the others are shown (:mod:`asdbench.judging.reproductions`).
- All values are fractions; a published 61.34 % has a printed unit of 0.0001.

Source: Hahn & Meeker, Statistical Intervals (1991), chapter 4 (prediction of one more value, or of a mean).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from asdbench.judging.student import quantile, satterthwaite
from asdbench.metrics.intervals import LEVEL

Outcome: TypeAlias = Literal["reproduced", "not reproduced", "cannot be told"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
WIDEST = 0.05
"""Half width, a fraction, up to which a value inside says something."""
SLACK = 1e-11


@dataclass(frozen=True)
class Reproduction:
    """A value of ours beside a published one (fractions).

    Parameters
    ----------
    ours, published : float
    low, high : float or None
        Where one more training would lie, 95 %; None of one training.
    outcome : {"reproduced", "not reproduced", "cannot be told"}
    reason : str
        Why it cannot be told, or what was compared where there is no interval.
    """

    ours: float
    published: float
    low: float | None
    high: float | None
    outcome: Outcome
    reason: str = ""

    @property
    def difference(self) -> float:
        """Ours less the published value."""
        return self.ours - self.published

    @property
    def half_width(self) -> float | None:
        """Of the interval, the printed unit included."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def reproduced(
    ours: float,
    fits: Sequence[ArrayLike],
    published: float,
    printed: float,
    *,
    trainings: int = 1,
    deterministic: bool = False,
) -> Reproduction:
    """Hold a mean of ours against a published one.

    Parameters
    ----------
    ours : float
        The mean over our trainings.
    fits : sequence of array (k,)
        Of each unit, what each of its fits contributes to the mean; a constant may be missing. One array of the
        trainings' values where one fit covers everything.
    published : float
    printed : float
        The unit of its last printed decimal.
    trainings : int
        Of how many trainings the published value is the mean; 1 where it is not known.
    deterministic : bool
        Whether another seed gives the same scores.
    """
    rounding = printed / 2
    if deterministic:
        equal = abs(ours - published) <= rounding + SLACK
        reason = "equal to rounding" if equal else "deterministic, and not equal to rounding"
        return Reproduction(ours, published, None, None, "reproduced" if equal else "not reproduced", reason)
    values = [np.asarray(one, dtype=np.float64) for one in fits]
    if min(map(len, values)) < 2:
        return Reproduction(ours, published, None, None, "cannot be told", "one training of ours")
    terms = np.array([one.var(ddof=1) * (1 / trainings + 1 / len(one)) for one in values])
    freedom = satterthwaite(terms, [len(one) - 1 for one in values])
    reach = (quantile(LEVEL, freedom) * math.sqrt(terms.sum()) if math.isfinite(freedom) else 0.0) + rounding
    low, high = ours - reach, ours + reach
    if not low - SLACK <= published <= high + SLACK:
        return Reproduction(ours, published, low, high, "not reproduced")
    if reach <= WIDEST:
        return Reproduction(ours, published, low, high, "reproduced")
    reason = f"one more training would lie within ± {100 * reach:.1f} points: too wide to tell"
    return Reproduction(ours, published, low, high, "cannot be told", reason)


@dataclass(frozen=True)
class Tally:
    """How many values were held against published ones, and what came of it.

    Parameters
    ----------
    reproduced, not_reproduced, cannot_be_told : int
    expected_misses : float
        How many of those with an interval chance alone would put outside.
    """

    reproduced: int
    not_reproduced: int
    cannot_be_told: int
    expected_misses: float


def tally(found: Sequence[Reproduction]) -> Tally:
    """Count the outcomes."""
    counts = [sum(one.outcome == outcome for one in found) for outcome in OUTCOMES]
    judged = sum(one.low is not None for one in found)
    return Tally(counts[0], counts[1], counts[2], (1 - LEVEL) * judged)
