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
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from asdbench.api import Cell
from asdbench.judging.conclusions import MARGIN, Verdict, concluded, told
from asdbench.judging.measuring import Clusters, Value, measure
from asdbench.judging.pair import QUANTITIES, Pair, Quantity, Told
from asdbench.judging.samples import Sample, checked
from asdbench.judging.spread import Spread
from asdbench.metrics.challenge import Definition
from asdbench.words import listed


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
    cells : mapping of (Cell, metric) to Verdict
        Of each value, never adjusted for being many; where a side has one training, over clips alone.
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
    cells: Mapping[Value, Verdict]
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
    pairs = [Pair(one, two, margin) for one, two in combinations(measured, 2)]
    overall = [{} if pair.single else pair.quantities(pair.values) for pair in pairs]
    machines = [
        {} if pair.single else {machine: pair.quantities(own) for machine, own in pair.machines().items()}
        for pair in pairs
    ]
    like = [_like_these(own, margin) for own in machines]
    for quantity in QUANTITIES:
        _conclude(overall, quantity, margin)
        for name in _names(machines):
            _conclude([each[name] for each in machines if name in each], quantity, margin)
        _conclude(like, quantity, margin, plan=False)
    return [
        _comparison(pair, everything, own, likewise)
        for pair, everything, own, likewise in zip(pairs, overall, machines, like, strict=True)
    ]


def _names(machines: Sequence[Mapping[str, object]]) -> list[str]:
    return sorted({name for own in machines for name in own})


def _conclude(found: Sequence[dict[Quantity, Told]], quantity: Quantity, margin: float, plan: bool = True) -> None:
    """Replace the verdicts on a quantity of all pairs by those with a conclusion."""
    known = [each for each in found if quantity in each]
    verdicts, spreads = [each[quantity][0] for each in known], [each[quantity][1] for each in known]
    for each, verdict, own in zip(known, concluded(verdicts, spreads, margin, plan=plan), spreads, strict=True):
        each[quantity] = verdict, own


def _comparison(
    pair: Pair,
    overall: Mapping[Quantity, Told],
    machines: Mapping[str, Mapping[Quantity, Told]],
    like: Mapping[Quantity, Told],
) -> Comparison:
    one, two = (side.sample for side in pair.sides)
    known = not pair.single
    trainings = _verdicts(pair.quantities(pair.values, as_they_are=True))
    return Comparison(
        one.name,
        two.name,
        pair.margin,
        (one.seeds, two.seeds),
        (one.deterministic, two.deterministic),
        pair.paired,
        (one.collapsed, two.collapsed),
        _verdicts(overall) if known else None,
        {name: _verdicts(own) for name, own in machines.items()} if known else None,
        {value: _cell(pair, value, as_they_are=not known) for value in pair.values},
        _verdicts(like) if known and like else None,
        {quantity: replace(verdict, conclusion=None) for quantity, verdict in trainings.items()},
        "" if known else f"there is one training of {listed(pair.single)}: nothing follows about the method",
        pair.left_out,
    )


def _cell(pair: Pair, value: Value, *, as_they_are: bool) -> Verdict:
    verdict, found = pair.told([value], "arithmetic", as_they_are=as_they_are)
    if as_they_are:
        return replace(verdict, conclusion=None)
    return concluded([verdict], [found], pair.margin)[0]


def _verdicts(found: Mapping[Quantity, Told]) -> dict[Quantity, Verdict]:
    return {quantity: verdict for quantity, (verdict, _) in found.items()}


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


def ranks(comparisons: Sequence[Comparison], quantity: Quantity = "official") -> dict[str, int | None]:
    """Each system's rank: 1, and one more for every system that is better; None for one training of a system.

    Parameters
    ----------
    comparisons : sequence of Comparison
        All pairs, as :func:`compare_all` gives them.
    quantity : {"official", "auc", "pauc"}
    """
    found: dict[str, int | None] = {}
    for one in comparisons:
        for name, seeds, deterministic in zip((one.a, one.b), one.seeds, one.deterministic, strict=True):
            found.setdefault(name, 1 if deterministic or seeds > 1 else None)
        conclusion = None if one.methods is None else one.methods[quantity].conclusion
        if conclusion in ("better", "worse"):
            beaten = one.b if conclusion == "better" else one.a
            found[beaten] = (found[beaten] or 0) + 1
    return found
