"""What varies, and what a cast loses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from asdbench.precision import lost, varies


@pytest.mark.parametrize(
    ("dtype", "low", "high", "expected"),
    [
        (np.float32, 1e9, 1e9 + 64, False),  # one step
        (np.float32, 1e9, 1e9 + 6400, True),
        (np.float64, 1e9, 1e9 + 64, True),
        (np.float64, 0.3, 0.1 + 0.2, False),
        (np.float64, -1.7e308, 1.7e308, True),
        (np.float64, 0.0, 0.0, False),
        (np.float64, 0.0, 1e-300, True),
        (np.int64, 2**60, 2**60 + 1, True),
    ],
)
def test_values_vary_where_they_differ_by_more_than_their_types_rounding(
    dtype: type, low: float, high: float, expected: bool
) -> None:
    assert bool(varies(dtype(low), dtype(high), np.dtype(dtype))) is expected


@pytest.mark.parametrize(
    ("values", "to", "says"),
    [
        (np.array([1e9, 1e9 + 1]), np.float32, "it goes from 1000000000.0 to 1000000001.0 and would be 1000000000.0"),
        (np.array([[0.0, 1e9], [1, 1e9 + 1]]), np.float32, "column 2 of 2 goes from"),
        (np.array([1e39, 1.0]), np.float32, r"1 of 2 values are beyond float32 \(3.4e\+38\)"),
        (np.array([2**60, 2**60 + 1]), np.float64, "it goes from 1152921504606846976 to 1152921504606846977"),
        (np.array([np.nan, 1e9, 1e9 + 1]), np.float32, "it goes from"),
    ],
)
def test_what_a_cast_loses_is_said(values: NDArray[np.float64], to: type, says: str) -> None:
    import re

    with np.errstate(over="ignore"):
        reason = lost(values, values.astype(to))
    assert re.search(says, reason or "")


@pytest.mark.parametrize(
    "values",
    [
        np.array([1e9, 1e9]),
        np.array([1.0, 1 + 1e-16 * 3]),
        np.array([np.inf, np.nan, 1.0]),
        np.array([1e9, 2e9]),
        np.zeros((0, 3)),
        np.array([5.0]),
    ],
)
def test_what_is_the_same_before_and_after_loses_nothing(values: NDArray[np.float64]) -> None:
    assert lost(values, values.astype(np.float32)) is None
