"""Two systems side by side: the clips, values and trainings that both have, and the difference of any mean of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.judging.conclusions import Verdict, alike, told
from asdbench.judging.means import Contributions, Mean, contributions
from asdbench.judging.measuring import Measured, Value, restricted
from asdbench.judging.samples import Scored
from asdbench.judging.spread import Spread, spread
from asdbench.metrics.aggregate import RANKING
from asdbench.metrics.intervals import ROUNDING
from asdbench.words import counted

Quantity: TypeAlias = Literal["official", "auc", "pauc"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
Told: TypeAlias = tuple[Verdict, Spread | None]
"""A verdict, and the variance it comes from where it has an interval."""


class Pair:
    """Two measured systems over the files that both have.

    Parameters
    ----------
    one, two : Measured
    margin : float
        Differences that do not matter, a fraction.

    Attributes
    ----------
    sides : (Measured, Measured)
        Both over their common files; in units whose trainings they share, over those alone, in the same order.
    shared : tuple of str
        These units.
    values : list of Value
        Those that both have.
    single : list of str
        Systems of which there is one training and another would differ.
    left_out : tuple of Cell
        Files that only one has.

    Raises
    ------
    DataError
        Where they have no file in common or scored other clips of one.
    """

    def __init__(self, one: Measured, two: Measured, margin: float) -> None:
        common = [file for file in one.files if file in two.files]
        names = one.sample.name, two.sample.name
        if not common:
            raise DataError(f"{names[0]} and {names[1]} have no cell in common", hint="score both on the same clips")
        for file in common:
            _check_clips(names, one.files[file].scored, two.files[file].scored)
        self.margin = margin
        self.left_out = tuple(sorted(one.files.keys() ^ two.files.keys(), key=str))
        rows = _shared(one, two, common)
        self.shared = tuple(rows)
        self.sides = (
            restricted(one, common, {unit: own for unit, (own, _) in rows.items()}),
            restricted(two, common, {unit: own for unit, (_, own) in rows.items()}),
        )
        self.values = [value for value in self.sides[0].values if value in self.sides[1].place]
        self.single = [side.sample.name for side in self.sides if side.sample.varies_unseen]

    def told(self, values: Sequence[Value], mean: Mean, *, as_they_are: bool = False) -> Told:
        """The verdict on a mean of some values, without conclusion.

        Parameters
        ----------
        values : sequence of Value
            At least one.
        mean : {"arithmetic", "harmonic"}
        as_they_are : bool
            Of these very trainings: the clips alone.
        """
        one, two = (contributions(side, values, mean) for side in self.sides)
        why = _no_interval(one, two)
        if why:
            return told(one.estimate, two.estimate, None, self.margin, why), None
        found = spread([(1, one), (-1, two)], self.shared, as_they_are=as_they_are)
        if found.thin:
            why = "a domain has one clip of a class, or all of a class hang together"
            return told(one.estimate, two.estimate, None, self.margin, why), None
        verdict = told(one.estimate, two.estimate, found, self.margin)
        if verdict.p is None and abs(verdict.difference) < ROUNDING and _varies(one):
            return alike(one.estimate, two.estimate), found
        return verdict, found

    def quantities(self, values: Sequence[Value], *, as_they_are: bool = False) -> dict[Quantity, Told]:
        """The verdicts on the official score, mean AUC and mean pAUC of some values, without conclusion."""
        of = {metric: [value for value in values if value[1] == metric] for metric in RANKING}
        return {
            "official": self.told(values, self.sides[0].definition.official, as_they_are=as_they_are),
            "auc": self.told(of["auc"], "arithmetic", as_they_are=as_they_are),
            "pauc": self.told(of["pauc"], "arithmetic", as_they_are=as_they_are),
        }

    def machines(self) -> dict[str, list[Value]]:
        """The values by machine."""
        found: dict[str, list[Value]] = {}
        for value in self.values:
            found.setdefault(value[0].machine, []).append(value)
        return found

    @property
    def paired(self) -> bool:
        """Whether all units share trainings."""
        return {own.scored.unit for own in self.sides[0].files.values()} <= set(self.shared)


def _varies(one: Contributions) -> bool:
    """Whether other clips would give another value."""
    return spread([(1, one)], as_they_are=True).error > ROUNDING


def _shared(one: Measured, two: Measured, common: Sequence[Cell]) -> dict[str, tuple[list[int], list[int]]]:
    """By unit that shares trainings: their rows on both sides."""
    rows: dict[str, tuple[list[int], list[int]]] = {}
    for file in common:
        mine, theirs = one.files[file].scored, two.files[file].scored
        both = [key for key in mine.trainings if key in theirs.trainings]
        if both and mine.unit == theirs.unit:
            rows[mine.unit] = [mine.trainings.index(key) for key in both], [theirs.trainings.index(key) for key in both]
    return rows


def _check_clips(names: tuple[str, str], one: Scored, two: Scored) -> None:
    if (one.clips, one.domains) != (two.clips, two.domains) or not np.array_equal(one.labels, two.labels):
        raise DataError(
            f"{names[0]} and {names[1]} have not scored the same clips of {one.file}",
            looked=f"{counted(len(one.clips), 'clip')} and {counted(len(two.clips), 'clip')}",
            hint="score both on one data set",
        )


def _no_interval(*sides: Contributions) -> str:
    falling = [cell for side in sides for cell in side.falling]
    if falling:
        return f"cell {falling[0]} falls to 0, and a harmonic mean with it: the mean AUC decides"
    return sides[0].too_few
