"""Which of two methods is better: trainings count, clips count.

Conventions
-----------
- The question: the difference of a metric, expected over trainings, on these machines, sections and training clips,
  over test clips like these. The second line asks about machines like these.
- Values are fractions; a difference is the first system's less the second's.
- Systems are independent samples of trainings, whatever their seeds are called and however many there are, except in
  units whose trainings they share (equal keys): there the fits' differences count.
- Of one training of a system that is not deterministic nothing follows about the method: ``methods`` is None, and the
  verdicts that look at the clips alone stand under their own name, ``trainings``.

Ten lines that use it::

    samples = from_table(pandas.read_csv("scores.csv"), DEFINITIONS[2021], deterministic={"mvg"})
    for pair in compare_all(samples, DEFINITIONS[2021]):
        if pair.methods is None:
            print(pair.a, pair.b, pair.reason)
        else:
            verdict = pair.methods["official"]
            print(pair.a, pair.b, verdict.conclusion, verdict.low, verdict.high, verdict.reason)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias, get_args

import numpy as np

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.judging.conclusions import MARGIN, Verdict, alike, concluded, told
from asdbench.judging.measuring import (
    Clusters,
    Contributions,
    Mean,
    Measured,
    Value,
    contributions,
    measure,
    restricted,
)
from asdbench.judging.samples import Sample, Scored, checked
from asdbench.judging.spread import Spread, spread
from asdbench.metrics.aggregate import RANKING
from asdbench.metrics.challenge import Definition
from asdbench.words import counted, listed

Quantity: TypeAlias = Literal["official", "auc", "pauc"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
Wanted: TypeAlias = tuple[Sequence[Value], Mean]
Told: TypeAlias = tuple[Verdict, Spread | None]


@dataclass(frozen=True)
class Comparison:
    """What may be said of two systems on the same clips.

    Parameters
    ----------
    a, b : str
        Their names.
    margin : float
        Differences that do not matter.
    seeds : (int, int)
        Trainings of each that were looked at; of a deterministic one 1.
    deterministic : (bool, bool)
    paired : bool
        Whether they share trainings, in every unit.
    collapsed : (int, int)
        Fits that collapsed.
    methods : mapping of {"official", "auc", "pauc"} to Verdict, or None
        Over all cells; None where a side has one training.
    machines : mapping of str to mapping of quantity to Verdict, or None
        The same of each machine.
    cells : mapping of (Cell, metric) to Verdict, or None
        Of each value; never adjusted for being many.
    machines_like_these : mapping of quantity to Verdict, or None
        Student's t over the machines' differences; None for one machine.
    trainings : mapping of quantity to Verdict
        Of these very trainings, over clips alone, without conclusion.
    reason : str
        Why ``methods`` is None, or "".
    left_out : tuple of Cell
        Files that only one of the two has.
    """

    a: str
    b: str
    margin: float
    seeds: tuple[int, int]
    deterministic: tuple[bool, bool]
    paired: bool
    collapsed: tuple[int, int]
    methods: Mapping[Quantity, Verdict] | None
    machines: Mapping[str, Mapping[Quantity, Verdict]] | None
    cells: Mapping[Value, Verdict] | None
    machines_like_these: Mapping[Quantity, Verdict] | None
    trainings: Mapping[Quantity, Verdict]
    reason: str = ""
    left_out: tuple[Cell, ...] = ()


def compare(
    a: Sample, b: Sample, definition: Definition, *, margin: float = MARGIN, clusters: Clusters | None = None
) -> Comparison:
    """Compare two methods; see :func:`compare_all`."""
    return compare_all([a, b], definition, margin=margin, clusters=clusters)[0]


def compare_all(
    samples: Sequence[Sample],
    definition: Definition,
    *,
    margin: float = MARGIN,
    clusters: Clusters | None = None,
) -> list[Comparison]:
    """Compare all pairs of some methods; of several pairs, p values and conclusions are adjusted (Holm).

    Parameters
    ----------
    samples : sequence of Sample
        At least two.
    definition : Definition
        Of the data set's year.
    margin : float
        A difference that does not matter, a fraction.
    clusters : mapping of file to int array (clips,), optional
        Clips that hang together (:mod:`asdbench.judging.dependence`), in the order of the checked samples.

    Raises
    ------
    DataError
        Where two systems scored other clips of the same file, or no file in common.
    """
    measured = [measure(checked(one), definition, clusters) for one in samples]
    pairs = [_Pair(one, two, margin) for one, two in combinations(measured, 2)]
    quantities = [_quantities(pair) for pair in pairs]
    machines = [_machines(pair) for pair in pairs]
    like = [_like_these(own, margin) for own in machines]
    for quantity in QUANTITIES:
        _conclude(quantities, quantity, margin)
        for name in _names(machines):
            _conclude([each[name] for each in machines if name in each], quantity, margin)
        _conclude(like, quantity, margin, plan=False)
    return [
        pair.comparison(all_cells, own, likewise)
        for pair, all_cells, own, likewise in zip(pairs, quantities, machines, like, strict=True)
    ]


def _names(machines: Sequence[Mapping[str, object]]) -> list[str]:
    return sorted({name for own in machines for name in own})


def _conclude(found: Sequence[dict[Quantity, Told]], quantity: Quantity, margin: float, plan: bool = True) -> None:
    """Replace the verdicts on a quantity of all pairs by those with a conclusion."""
    known = [each for each in found if quantity in each]
    verdicts, spreads = [each[quantity][0] for each in known], [each[quantity][1] for each in known]
    for each, verdict, own in zip(known, concluded(verdicts, spreads, margin, plan=plan), spreads, strict=True):
        each[quantity] = verdict, own


class _Pair:
    """Two systems over the files that both have."""

    def __init__(self, one: Measured, two: Measured, margin: float) -> None:
        common = [file for file in one.files if file in two.files]
        names = one.sample.name, two.sample.name
        if not common:
            raise DataError(f"{names[0]} and {names[1]} have no cell in common", hint="score both on the same clips")
        for file in common:
            _check_clips(names, one.files[file].scored, two.files[file].scored)
        self.margin = margin
        self.left_out = tuple(sorted(one.files.keys() ^ two.files.keys(), key=str))
        self.shared: tuple[str, ...] = ()
        self.sides = self._on_shared(one, two, common)
        values = [value for value in self.sides[0].values if value in self.sides[1].place]
        self.values = [value for value in values if self.sides[0].place[value] in common]
        self.single = [side for side in self.sides if side.sample.varies_unseen]

    def _on_shared(self, one: Measured, two: Measured, common: Sequence[Cell]) -> tuple[Measured, Measured]:
        """Both sides; where they share trainings of a unit, with those alone, in the same order."""
        rows: dict[str, tuple[list[int], list[int]]] = {}
        for file in common:
            mine, theirs = one.files[file].scored, two.files[file].scored
            both = [key for key in mine.trainings if key in theirs.trainings]
            if both and mine.unit == theirs.unit:
                rows[mine.unit] = [mine.trainings.index(key) for key in both], [theirs.trainings.index(k) for k in both]
        self.shared = tuple(rows)
        return restricted(one, common, {u: own for u, (own, _) in rows.items()}), restricted(
            two, common, {u: own for u, (_, own) in rows.items()}
        )

    def told(self, wanted: Wanted, *, as_they_are: bool = False) -> Told:
        one, two = (contributions(side, *wanted) for side in self.sides)
        why = _no_interval(one, two)
        if why:
            return told(one.estimate, two.estimate, None, self.margin, why), None
        found = spread([(1, one), (-1, two)], self.shared, as_they_are=as_they_are)
        verdict = told(one.estimate, two.estimate, found, self.margin)
        if verdict.p is None and abs(verdict.difference) < 1e-12 and spread([(1, one)], as_they_are=True).error > 1e-12:
            return alike(one.estimate, two.estimate), found
        return verdict, found

    def comparison(
        self,
        overall: Mapping[Quantity, Told],
        machines: Mapping[str, Mapping[Quantity, Told]],
        like: Mapping[Quantity, Told] | None,
    ) -> Comparison:
        one, two = (side.sample for side in self.sides)
        known = not self.single
        units = {own.scored.unit for own in self.sides[0].files.values()}
        return Comparison(
            one.name,
            two.name,
            self.margin,
            (one.seeds, two.seeds),
            (one.deterministic, two.deterministic),
            units <= set(self.shared),
            (one.collapsed, two.collapsed),
            _verdicts(overall) if known else None,
            {name: _verdicts(own) for name, own in machines.items()} if known else None,
            self._cells() if known else None,
            _verdicts(like) if known and like else None,
            {
                quantity: self.told(wanted, as_they_are=True)[0]
                for quantity, wanted in _wanted(self.sides[0].definition, self.values).items()
            },
            "" if known else _one_training([side.sample.name for side in self.single]),
            self.left_out,
        )

    def _cells(self) -> dict[Value, Verdict]:
        found = {value: self.told(([value], "arithmetic")) for value in self.values}
        return {value: concluded([verdict], [own], self.margin)[0] for value, (verdict, own) in found.items()}


def _one_training(names: Sequence[str]) -> str:
    return f"there is one training of {listed(names)}: nothing follows about the method"


def _verdicts(found: Mapping[Quantity, Told]) -> dict[Quantity, Verdict]:
    return {quantity: verdict for quantity, (verdict, _) in found.items()}


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


def _wanted(definition: Definition, values: Sequence[Value]) -> dict[Quantity, Wanted]:
    of = {metric: [value for value in values if value[1] == metric] for metric in RANKING}
    return {
        "official": (values, definition.official),
        "auc": (of["auc"], "arithmetic"),
        "pauc": (of["pauc"], "arithmetic"),
    }


def _quantities(pair: _Pair, values: Sequence[Value] | None = None) -> dict[Quantity, Told]:
    if pair.single:
        return {}
    wanted = _wanted(pair.sides[0].definition, pair.values if values is None else values)
    return {quantity: pair.told(what) for quantity, what in wanted.items()}


def _machines(pair: _Pair) -> dict[str, dict[Quantity, Told]]:
    by_machine: dict[str, list[Value]] = {}
    for value in pair.values:
        by_machine.setdefault(value[0].machine, []).append(value)
    return {} if pair.single else {machine: _quantities(pair, own) for machine, own in by_machine.items()}


def _like_these(machines: Mapping[str, Mapping[Quantity, Told]], margin: float) -> dict[Quantity, Told]:
    """Student's t over the machines' differences."""
    if len(machines) < 2:
        return {}
    found: dict[Quantity, Told] = {}
    for quantity in QUANTITIES:
        own = [each[quantity][0] for each in machines.values()]
        a, b = np.array([one.a for one in own]), np.array([one.b for one in own])
        falling = [one.reason for one in own if one.p is None and "falls to 0" in one.reason]
        if falling:
            found[quantity] = told(float(a.mean()), float(b.mean()), None, margin, falling[0]), None
            continue
        # Machines are what is drawn: each difference holds the noise of its trainings and clips already.
        across = Spread(
            np.array([(a - b).var(ddof=1)]),
            np.array([len(machines)], dtype=np.int64),
            np.zeros(1),
            np.ones(1),
        )
        found[quantity] = told(float(a.mean()), float(b.mean()), across, margin), across
    return found
