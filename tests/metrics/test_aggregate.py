from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asdbench.errors import DataError
from asdbench.metrics import arithmetic_mean, harmonic_mean, label_codes, official_score

fractions = st.lists(st.floats(0, 1), min_size=1, max_size=90)


@given(fractions)
def test_means_equal_scipy_with_the_evaluators_floor(values: list[float]) -> None:
    floored = np.maximum(values, sys.float_info.epsilon)
    assert harmonic_mean(values) == pytest.approx(float(stats.hmean(floored)), rel=1e-12, abs=0)
    assert arithmetic_mean(values) == pytest.approx(float(np.mean(values)), rel=1e-12, abs=1e-300)


def test_one_zero_makes_the_harmonic_mean_vanish_but_not_the_arithmetic_one() -> None:
    assert harmonic_mean([0.0, 0.5, 0.5]) == pytest.approx(3 * sys.float_info.epsilon, rel=1e-12, abs=0)
    assert arithmetic_mean([0.0, 0.5, 1.0]) == 0.5


@given(fractions)
def test_means_do_not_depend_on_the_order(values: list[float]) -> None:
    assert harmonic_mean(sorted(values)) == harmonic_mean(values)
    assert arithmetic_mean(sorted(values)) == arithmetic_mean(values)


@pytest.mark.parametrize("mean", [arithmetic_mean, harmonic_mean, official_score])
@pytest.mark.parametrize("values", [[], [0.5, math.nan], [math.inf]])
def test_no_mean_of_nothing_or_of_nan(mean: Callable[[list[float]], float], values: list[float]) -> None:
    with pytest.raises(DataError):
        mean(values)


def test_label_codes() -> None:
    assert label_codes(["normal", "anomaly", None]).tolist() == [0, 1, -1]
