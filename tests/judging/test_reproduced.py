from __future__ import annotations

import math

import numpy as np
import pytest

from asdbench.judging.reproduced import reproduced, tally

PRINTED = 0.0001


def test_interval_of_one_more_training_by_hand() -> None:
    # mean .61, s .01, k 3: 4.303 x .01 x sqrt(1 + 1/3), and half a printed unit
    found = reproduced(0.61, [[0.60, 0.61, 0.62]], 0.62, PRINTED)
    reach = 4.30265 * 0.01 * math.sqrt(4 / 3) + 0.00005
    assert (found.low, found.high) == pytest.approx((0.61 - reach, 0.61 + reach), abs=1e-6)
    assert found.outcome == "reproduced"


def test_a_mean_of_several_published_trainings_is_a_closer_yardstick() -> None:
    one, five = (reproduced(0.61, [[0.60, 0.61, 0.62]], 0.655, PRINTED, trainings=n) for n in (1, 5))
    assert one.outcome == "reproduced"
    assert five.outcome == "not reproduced"


def test_outside_is_not_reproduced_however_wide() -> None:
    found = reproduced(0.6, [[0.5, 0.6, 0.7]], 0.1, PRINTED)
    assert (found.half_width or 0) > 0.05
    assert found.outcome == "not reproduced"


def test_inside_a_wide_interval_cannot_be_told() -> None:
    found = reproduced(0.6, [[0.5, 0.6, 0.7]], 0.62, PRINTED)
    assert found.outcome == "cannot be told"
    assert "points: too wide to tell" in found.reason


def test_one_training_cannot_tell() -> None:
    assert reproduced(0.6, [[0.6]], 0.6, PRINTED).outcome == "cannot be told"


@pytest.mark.parametrize(("published", "outcome"), [(0.6134, "reproduced"), (0.6136, "not reproduced")])
def test_deterministic_is_equal_to_rounding_or_not(published: float, outcome: str) -> None:
    found = reproduced(0.61345, [[0.61345]], published, PRINTED, deterministic=True)
    assert found.outcome == outcome
    assert found.low is None


def test_trainings_that_do_not_differ_leave_the_printed_unit() -> None:
    assert reproduced(0.61, [[0.61, 0.61]], 0.61004, PRINTED).outcome == "reproduced"
    assert reproduced(0.61, [[0.61, 0.61]], 0.6102, PRINTED).outcome == "not reproduced"


def test_one_more_training_lies_inside_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    values = 0.6 + 0.02 * random.standard_normal((4000, 2, 6))  # two machines, five trainings and one more
    inside = 0
    for own in values:
        found = reproduced(float(own[:, :5].mean()), list(own[:, :5] / 2), float(own[:, 5].mean()), 1e-9)
        inside += found.outcome != "not reproduced"
    assert inside / 4000 == pytest.approx(0.95, abs=0.012)


def test_tally_says_how_many_misses_chance_gives() -> None:
    near, far = (reproduced(0.61, [[0.60, 0.61, 0.62]], value, PRINTED) for value in (0.62, 0.9))
    found = tally([near, near, near, far, reproduced(0.6, [[0.6]], 0.6, PRINTED)])
    assert (found.reproduced, found.not_reproduced, found.cannot_be_told) == (3, 1, 1)
    assert found.expected_misses == pytest.approx(0.2)
