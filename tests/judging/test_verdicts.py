from __future__ import annotations

import pytest

from asdbench.api import Cell
from asdbench.judging.verdicts import VERDICTS, Compared, Verdict, compare, count, judge, mean_difference, summary
from asdbench.published import tables

CELL = Cell("fan", "00", "source")
WIDE = (40.0, 80.0)


@pytest.mark.parametrize(
    ("ours", "bounds", "published", "verdict"),
    [
        (66.694, WIDE, 66.69, "equal to rounding"),
        (66.695, WIDE, 66.69, "equal to rounding"),
        (66.685, WIDE, 66.69, "equal to rounding"),
        (66.6951, WIDE, 66.69, "within our interval"),
        (60.0, WIDE, 80.0, "within our interval"),
        (60.0, WIDE, 40.0, "within our interval"),
        (60.0, WIDE, 80.01, "outside"),
        (60.0, WIDE, 39.99, "outside"),
        (60.0, (59.0, 59.5), 60.0, "equal to rounding"),
        (60.0, WIDE, None, "not published"),
    ],
)
def test_verdicts(ours: float, bounds: tuple[float, float], published: float | None, verdict: Verdict) -> None:
    assert judge(ours, bounds, published, 2) == verdict


def test_rounding_follows_the_printed_decimals() -> None:
    assert judge(66.6904, WIDE, 66.69, 4) == "within our interval"
    assert judge(66.69004, WIDE, 66.69, 4) == "equal to rounding"


def test_nothing_is_said_without_an_interval() -> None:
    with pytest.raises(ValueError, match="no interval"):
        judge(60.0, (float("nan"), float("nan")), 60.0, 2)


def test_a_value_is_compared_with_its_own_cell_and_metric() -> None:
    table = tables()["narita2021/table-3"]
    found = compare(CELL, "pauc", 58.08, WIDE, table)
    assert found.published == 57.08
    assert found.difference == pytest.approx(1.0)
    assert compare(Cell("fan", "03", "source"), "auc", 60.0, WIDE, table).verdict == "not published"


def value(ours: float, published: float | None) -> Compared:
    return Compared(CELL, "auc", ours, WIDE, published, judge(ours, WIDE, published, 2))


def test_the_summary_counts_what_is_published() -> None:
    values = [value(60, 60), value(60, 70), value(60, 85), value(60, None)]
    assert [count(values, verdict) for verdict in VERDICTS] == [1, 1, 1, 0, 1]
    assert mean_difference(values) == pytest.approx(-35 / 3)
    line = "2 of 3 cells within the interval (1 equal to rounding); mean difference -11.7 points; 1 not published"
    assert summary(values) == line
    assert summary(values, odd=[str(CELL)]) == f"{line}; 3 of the 3 of other clips"
    assert summary([value(60, None)]) == "none of 1 cells is published"
    assert mean_difference([value(60, None)]) is None
