"""Verdicts: each of our values beside the published one.

Conventions
-----------
- All values are percent. A *value* is one AUC or pAUC of a cell (machine x section x domain): 84 of them in the
  development set; summary lines say "cells", as the report's tables do.
- Equal to rounding: no further from the published value than half a unit of its last printed decimal. It counts as
  within the interval.
- The interval is the 95 % interval of *our* value, over clips. A published value is itself of one training (or a mean
  over several), of which the interval says nothing: "outside" means that other clips do not explain the difference.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from asdbench.api import Cell
from asdbench.published import Metric, Table

Verdict: TypeAlias = Literal["equal to rounding", "within our interval", "outside", "no interval", "not published"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
MARKS: dict[Verdict, str] = {
    "equal to rounding": " =",
    "within our interval": "",
    "outside": " ✗",
    "no interval": " ?",
    "not published": "",
}
RESERVE = "The interval is over clips. It does not say how far another training of either system would differ."
LEGEND = (
    "Differences: ✗ the published value is outside our 95 % interval; = equal to rounding; ? we have no interval; no"
    f" mark: within the interval. {RESERVE}"
)
SLACK = 1e-9


@dataclass(frozen=True)
class Compared:
    """One value of ours beside the published one, percent.

    ``bounds`` is our 95 % interval; ``published`` is None where there is none.
    """

    cell: Cell
    metric: Metric
    ours: float
    bounds: tuple[float, float]
    published: float | None
    verdict: Verdict

    @property
    def difference(self) -> float | None:
        """Ours less the published value."""
        return None if self.published is None else self.ours - self.published


def judge(ours: float, bounds: tuple[float, float] | None, published: float | None, decimals: int) -> Verdict:
    """The verdict on one value.

    Parameters
    ----------
    ours : float
        Percent.
    bounds : (float, float) or None
        Our 95 % interval, percent; None where there is none.
    published : float or None
    decimals : int
        To how many places ``published`` was printed.

    Raises
    ------
    ValueError
        For an interval that is not a number: nothing can then be said.
    """
    if published is None:
        return "not published"
    if bounds is not None and any(map(math.isnan, bounds)):
        raise ValueError(f"no interval of {ours}")
    if abs(ours - published) <= 0.5 * 10**-decimals + SLACK:
        return "equal to rounding"
    if bounds is None:
        return "no interval"
    low, high = bounds
    return "within our interval" if low <= published <= high else "outside"


def compare(cell: Cell, metric: Metric, ours: float, bounds: tuple[float, float], table: Table) -> Compared:
    """One value of ours beside that of a table."""
    published = table.cells.get((cell.machine, cell.section, cell.domain, metric))
    return Compared(cell, metric, ours, bounds, published, judge(ours, bounds, published, table.decimals))


def mean_difference(values: Sequence[Compared]) -> float | None:
    """Mean of ours less published over the values that are published, or None where none is."""
    found = [value.difference for value in values if value.difference is not None]
    return statistics.fmean(found) if found else None


def count(values: Sequence[Compared], verdict: Verdict) -> int:
    """How many have that verdict."""
    return sum(value.verdict == verdict for value in values)


def summary(values: Sequence[Compared], odd: Collection[str] = ()) -> str:
    """The verdicts in one line: ``79 of 84 cells within the interval (3 equal to rounding); mean difference …``.

    Parameters
    ----------
    values : sequence of Compared
    odd : collection of str
        Cells (as text) of other clips than the published ones: how many values are theirs is said.
    """
    mean = mean_difference(values)
    absent = count(values, "not published")
    if mean is None:
        return f"none of {len(values)} cells is published"
    equal = count(values, "equal to rounding")
    within = equal + count(values, "within our interval")
    line = f"{within} of {len(values) - absent} cells within the interval ({equal} equal to rounding)"
    line += f"; mean difference {mean:+.1f} points"
    line += f"; {absent} not published" if absent else ""
    strange = sum(str(value.cell) in odd and value.published is not None for value in values)
    return line + (f"; {strange} of the {len(values) - absent} of other clips" if strange else "")
