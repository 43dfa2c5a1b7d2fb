"""What rule 2 of a check takes for chance: by hand, and how often it is wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from asdbench.judging.influence import Floats
from asdbench.judging.means import contributions
from asdbench.judging.measuring import Measured, Value, measure
from asdbench.judging.regressions import ASSUMED, explained, held
from asdbench.judging.samples import Sample, checked
from asdbench.metrics.challenge import DEFINITIONS
from tests.judging.trainings import made

YEAR = DEFINITIONS[2021]


def areas(sample: Sample) -> tuple[Measured, list[Value]]:
    measured = measure(checked(sample), YEAR)
    return measured, [value for value in measured.values if value[1] == "auc"]


def bound(found: Sample, expected: Sample, level: float = 0.95) -> float:
    sides = [contributions(measured, values, "arithmetic") for measured, values in map(areas, (found, expected))]
    return explained(sides[0], sides[1], level)


def of_each_fit(sample: Sample) -> Floats:
    """The mean AUC of each fit; the sample has one machine."""
    measured, values = areas(sample)
    rows = [measured.files[measured.place[value]].values[value] for value in values]
    return np.asarray(np.mean(rows, axis=0))


def test_of_several_trainings_on_both_sides_it_is_welchs_test() -> None:
    one, two = made("a", 1, 3, machines=("fan",)), made("a", 2, 5, machines=("fan",))
    a, b = of_each_fit(one), of_each_fit(two)
    test = stats.ttest_ind(a, b, equal_var=False)
    low, high = test.confidence_interval(0.95)
    assert bound(one, two) == pytest.approx((high - low) / 2)


def test_of_one_training_it_is_the_interval_of_one_more() -> None:
    one, five = made("a", 1, 1, machines=("fan",)), made("a", 2, 5, machines=("fan",))
    values = of_each_fit(five)
    expected = stats.t.ppf(0.975, 4) * values.std(ddof=1) * math.sqrt(1 + 1 / 5)
    assert bound(one, five) == pytest.approx(expected)
    assert bound(five, one) == pytest.approx(expected)


def test_single_trainings_are_assumed_to_be_spread() -> None:
    one, two = made("a", 1, 1, clips=400), made("a", 2, 1, clips=400)
    found = {part.name: part.bound for part in held(one, two, YEAR)}
    assert found["mean AUC"] == pytest.approx(1.959964 * ASSUMED)  # two machines: sqrt(2 / 2)
    assert found["fan mean AUC"] == pytest.approx(stats.norm.ppf(1 - 0.05 / 4 / 2) * ASSUMED * math.sqrt(2))
    few = {part.name: part.bound for part in held(made("a", 1, 1, clips=6), made("a", 2, 1, clips=6), YEAR)}
    assert few["mean pAUC"] > 1.96 * ASSUMED  # clips explain more


def test_trainings_of_one_fit_for_all_machines_move_together() -> None:
    one, two = made("a", 1, 4), made("a", 2, 4)
    joint = [replace(side, files=tuple(replace(file, unit="all") for file in side.files)) for side in (one, two)]
    (whole,) = [part for part in held(joint[0], joint[1], YEAR) if part.name == "mean AUC"]
    by_fit = [of_each_fit(side) for side in joint]
    low, high = stats.ttest_ind(*by_fit, equal_var=False).confidence_interval(0.95)
    assert whole.bound == pytest.approx((high - low) / 2)


def test_deterministic_systems_have_no_bound() -> None:
    one, two = (made("a", seed, 1, deterministic=True) for seed in (1, 2))
    assert {part.bound for part in held(one, two, YEAR)} == {0.0}


@pytest.mark.parametrize("counts", [(3, 3), (1, 3), (5, 5)])
def test_alarms_on_equal_methods_are_as_rare_as_stated(counts: tuple[int, int]) -> None:
    """Losses beyond the bound: at most 2.5 % of each mean, machines jointly."""
    sets, overall, machines = 200, 0, 0
    for number in range(sets):
        one, two = (made("a", 2 * number + side, count, clips=12) for side, count in enumerate(counts))
        found = list(held(one, two, YEAR))
        overall += next(part.loss > part.bound for part in found if part.name == "official score")
        machines += any(part.loss > part.bound for part in found if part.name.startswith(("fan", "pump")))
    assert overall / sets <= 0.06
    assert machines / sets <= 0.06
