"""What a difference and its uncertainty allow one to say: better, worse, equivalent or undecided.

In this order, with a margin (default 1 point):

- *equivalent* where the 90 % interval lies inside the margins (two one-sided tests, Schuirmann 1987); said to be
  detectably higher or lower where the 95 % interval leaves out 0,
- *better* or *worse* (the first system) where p < .05,
- *undecided*, with a reason.

Of several systems the p values are Holm's; intervals are not adjusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from asdbench.judging.spread import Spread, seeds_needed
from asdbench.judging.student import holm
from asdbench.metrics.intervals import LEVEL, ROUNDING

Conclusion: TypeAlias = Literal["better", "worse", "equivalent", "undecided"]
MARGIN = 0.01
"""A fraction: one point."""
ALPHA = 1 - LEVEL
INNER = 1 - 2 * ALPHA
"""The level of the interval that two one-sided tests look at: 90 %."""


@dataclass(frozen=True)
class Verdict:
    """A quantity of two systems, their difference, and what may be concluded (fractions).

    Parameters
    ----------
    a, b : float
        Each system's, expected over trainings.
    difference : float
        The first less the second.
    low, high : float or None
        The 95 % interval, within -1 to 1; None where there is none (``reason`` says why).
    low90, high90 : float or None
        The 90 % interval.
    training_error, clip_error : float or None
        The square roots of the two parts of the variance.
    p, p_equivalent : float or None
        Of the difference (two-sided) and of the two one-sided tests (the larger); Holm's where there are several pairs.
    conclusion : {"better", "worse", "equivalent", "undecided"} or None
        Of the first system; None where none is drawn (the clips alone were looked at).
    detectably : {"higher", "lower"} or None
        Beside "equivalent": on which side of 0 the first lies for sure.
    seeds_needed : int or None
        Where undecided: fits of each side whose 95 % interval reaches no further than the margin.
    reason : str
        Why it is undecided or without interval; else "".
    adjusted : bool
        Whether p values and conclusion allow for several pairs.
    """

    a: float
    b: float
    difference: float
    low: float | None = None
    high: float | None = None
    low90: float | None = None
    high90: float | None = None
    training_error: float | None = None
    clip_error: float | None = None
    p: float | None = None
    p_equivalent: float | None = None
    conclusion: Conclusion | None = None
    detectably: Literal["higher", "lower"] | None = None
    seeds_needed: int | None = None
    reason: str = ""
    adjusted: bool = False

    @property
    def record(self) -> dict[str, Any]:
        """The verdict as ``compare --format json`` gives it."""
        names = ("a", "b", "difference", "low", "high", "p", "conclusion", "detectably", "seeds_needed")
        return {name: getattr(self, name) for name in names} | {"reason": self.reason or None}


def told(a: float, b: float, found: Spread | None, margin: float, why: str = "") -> Verdict:
    """A verdict of one pair, before any conclusion.

    Parameters
    ----------
    a, b : float
    found : Spread or None
        None where there is no interval.
    margin : float
    why : str
        Why there is none.
    """
    difference = a - b
    if found is None:
        return Verdict(a, b, difference, reason=why)
    if found.error < ROUNDING:
        return Verdict(a, b, difference, reason="no spread: these clips do not tell what others would give")
    wide, narrow = found.reach(LEVEL), found.reach(INNER)
    return Verdict(
        a,
        b,
        difference,
        max(difference - wide, -1.0),
        min(difference + wide, 1.0),
        max(difference - narrow, -1.0),
        min(difference + narrow, 1.0),
        found.training_part**0.5,
        found.clip_part**0.5,
        min(1.0, 2 * found.beyond(abs(difference))),
        max(found.beyond(margin + difference), found.beyond(margin - difference)),
    )


def alike(a: float, b: float) -> Verdict:
    """The verdict on two systems that rank all clips alike, training by training."""
    return Verdict(a, b, 0.0, 0.0, 0.0, 0.0, 0.0, conclusion="equivalent", reason="both rank all clips alike")


def concluded(
    verdicts: Sequence[Verdict], spreads: Sequence[Spread | None], margin: float, *, plan: bool = True
) -> list[Verdict]:
    """Conclusions of the same quantity of all pairs, from Holm's p where there are several.

    Parameters
    ----------
    verdicts : sequence of Verdict
        One a pair.
    spreads : sequence of Spread or None
        Theirs: for the seeds needed.
    margin : float
    plan : bool
        Whether more seeds are what would help.
    """
    several = len(verdicts) > 1
    differ, equal = holm([one.p for one in verdicts]), holm([one.p_equivalent for one in verdicts])
    return [
        _concluded(replace(one, p=p, p_equivalent=inside, adjusted=several), found, margin, plan)
        for one, p, inside, found in zip(verdicts, differ, equal, spreads, strict=True)
    ]


def _concluded(one: Verdict, found: Spread | None, margin: float, plan: bool) -> Verdict:
    if one.conclusion is not None:
        return one
    if found is None or one.p is None or one.p_equivalent is None:
        return replace(one, conclusion="undecided")
    differs = one.p < ALPHA
    if one.p_equivalent < ALPHA:
        side: Literal["higher", "lower"] = "higher" if one.difference > 0 else "lower"
        return replace(one, conclusion="equivalent", detectably=side if differs else None)
    if differs:
        return replace(one, conclusion="better" if one.difference > 0 else "worse")
    if not plan:
        return replace(
            one, conclusion="undecided", reason=f"the interval is ± {100 * found.reach(LEVEL):.1f} points wide"
        )
    needed = seeds_needed(found, margin)
    return replace(one, conclusion="undecided", seeds_needed=needed, reason=_why(one, found, needed, margin))


def _why(one: Verdict, found: Spread, needed: int | None, margin: float) -> str:
    reach, aim = found.reach(LEVEL), f"± {100 * margin:g}"
    now = f"the interval is ± {100 * reach:.1f} points wide"
    if reach <= margin:
        return f"{now}, narrow enough, and lies across the margin"
    if needed is not None:
        return f"{now}; {needed} seeds of each would make it {aim}"
    alone = found.with_seeds(10**6).reach(LEVEL) if len(found.fits) else reach
    if alone > margin:
        return f"{now}; the clips alone make it ± {100 * alone:.1f}: no number of seeds will do"
    return f"{now}; it would take more than 1000 seeds of each to make it {aim}"
