from __future__ import annotations

import math

import pytest

from asdbench.judging.student import above, combined, holm, quantile, satterthwaite


@pytest.mark.parametrize(
    ("level", "freedom", "expected"), [(0.95, 1, 12.706), (0.95, 2, 4.303), (0.95, 10, 2.228), (0.9, 5, 2.015)]
)
def test_quantiles_are_those_of_printed_tables(level: float, freedom: float, expected: float) -> None:
    assert quantile(level, freedom) == pytest.approx(expected, abs=5e-4)
    assert above(quantile(level, freedom), freedom) == pytest.approx((1 - level) / 2)


def test_infinite_freedom_is_the_normal_law() -> None:
    assert quantile(0.95, math.inf) == pytest.approx(1.959964, abs=1e-5)


def test_satterthwaite_by_hand() -> None:
    # (2 + 1)^2 / (2^2 / 4 + 1^2 / 2) = 9 / 1.5
    assert satterthwaite([2.0, 1.0], [4, 2]) == pytest.approx(6.0)
    assert satterthwaite([0.0], [4]) == math.inf


def test_of_two_equal_terms_the_freedoms_add() -> None:
    assert satterthwaite([1.0, 1.0], [4, 4]) == pytest.approx(8.0)


def test_parts_add_as_errors_do() -> None:
    # (12.706 x 3)^2 + (2.228 x 2)^2
    assert combined(0.95, (9.0, 1), (4.0, 10), (0.0, 3)) == pytest.approx(math.hypot(38.119, 4.456), abs=2e-3)


def test_holm_by_hand() -> None:
    # sorted .01 x 4, .02 x 3, .03 x 2, .5 x 1, never below the one before
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])


def test_holm_does_not_count_what_has_no_p() -> None:
    adjusted = holm([None, 0.02, 0.04])
    assert adjusted[0] is None
    assert adjusted[1:] == pytest.approx([0.04, 0.04])


def test_holm_of_one_is_itself() -> None:
    assert holm([0.03]) == pytest.approx([0.03])
