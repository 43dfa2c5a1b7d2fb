from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.metrics import (
    CellMetrics,
    arithmetic_mean,
    auc,
    harmonic_mean,
    label_codes,
    official_score,
    pauc,
    score_cells,
    summarise,
)

CELL = Cell("fan", "00", "source")
fractions = st.lists(st.floats(0, 1), min_size=1, max_size=90)


def cell(
    domain: str, auc: float | None, pauc: float | None, f1: float | None = None, machine: str = "fan"
) -> CellMetrics:
    return CellMetrics(machine, "00", domain, auc, pauc, None, None, f1, 10, 10)


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


def test_a_cell_with_everything() -> None:
    labels, scores = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    (metrics,) = score_cells([(CELL, labels, scores, [0, 1, 0, 1])])
    assert metrics == CellMetrics(
        "fan", "00", "source", auc(labels, scores), pauc(labels, scores), 0.5, 0.5, 0.5, n_normal=2, n_anomaly=2
    )
    assert metrics.cell == CELL
    assert [metrics.value(name) for name in ("auc", "precision")] == [0.75, 0.5]


def test_without_decisions_the_ranking_still_counts() -> None:
    (metrics,) = score_cells([(CELL, [0, 1], [0.0, 1.0], None)])
    assert (metrics.auc, metrics.pauc) == (1, 1)
    assert (metrics.precision, metrics.recall, metrics.f1) == (None, None, None)
    assert metrics.reason == "no decisions"


@pytest.mark.parametrize(
    ("labels", "scores", "counts", "reason"),
    [
        ([0, 0, 0], [1.0, 2.0, 3.0], (3, 0), "one class only: 3 normal"),
        ([1, 1], [1.0, 2.0], (0, 2), "one class only: 2 anomaly"),
        ([1], [1.0], (0, 1), "one class only: 1 anomaly"),
        (None, [1.0, 2.0], (0, 0), "labels unknown"),
        ([-1, -1], [1.0, 2.0], (0, 0), "labels unknown"),
        ([0, 1, -1], [1.0, 2.0, 3.0], (1, 1), "labels of 1 of 3 clips unknown"),
        ([0, 1], [1.0, np.nan], (1, 1), "1 of 2 scores are not finite"),
        ([], [], (0, 0), "no clips"),
    ],
)
def test_a_cell_that_cannot_be_scored_says_why(
    labels: list[int] | None, scores: list[float], counts: tuple[int, int], reason: str
) -> None:
    (metrics,) = score_cells([(CELL, labels, scores, [0] * len(scores))])
    assert [metrics.auc, metrics.pauc, metrics.precision, metrics.recall, metrics.f1] == [None] * 5
    assert (metrics.n_normal, metrics.n_anomaly) == counts
    assert metrics.reason == reason


@pytest.mark.parametrize(
    ("labels", "scores", "decisions", "says"),
    [
        ([0, 1, 1], [1.0, 2.0], None, "fan 00 source: labels and scores differ in length"),
        ([0, 1], [1.0, 2.0], [1], "fan 00 source: decisions and scores differ in length"),
        ([0, 2], [1.0, 2.0], None, "fan 00 source: a label is none of 0, 1 and -1; among them 0, 2"),
        (["normal", "anomaly"], [1.0, 2.0], None, "a label is none of"),
        ([0, None], [1.0, 2.0], None, "a label is none of"),
        ([0, 1], [1.0, 2.0], [0, 7], "fan 00 source: the decisions are not a list of 0 and 1"),
    ],
)
def test_rows_that_do_not_fit_are_errors_that_name_the_cell(
    labels: list[int], scores: list[float], decisions: list[int] | None, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        score_cells([(CELL, labels, scores, decisions)])


def test_a_cell_given_twice_is_an_error() -> None:
    row = (CELL, [0, 1], [0.0, 1.0], None)
    with pytest.raises(DataError, match="fan 00 source stands twice"):
        score_cells([row, row])


def test_label_codes() -> None:
    assert label_codes(["normal", "anomaly", None]).tolist() == [0, 1, -1]


def test_summary_is_over_the_cells_that_have_a_value_and_says_so() -> None:
    summary = summarise(
        [
            cell("source", 0.8, 0.6, f1=0.5),
            cell("source", 0.6, 0.5),
            cell("target", 0.5, 0.5),
            cell("target", None, None),
        ]
    )
    assert (summary.cells, summary.missing) == (3, 1)
    assert summary.means["auc"].arithmetic == pytest.approx(1.9 / 3)
    assert summary.means["auc"].harmonic == pytest.approx(3 / (1 / 0.8 + 1 / 0.6 + 1 / 0.5))
    assert summary.columns["source", "auc"].arithmetic == pytest.approx(0.7)
    assert summary.columns["source", "auc"].count == 2
    assert summary.columns["target", "pauc"].harmonic == pytest.approx(0.5)
    assert summary.means["f1"].count == 1
    assert "recall" not in summary.means
    assert summary.official_score == pytest.approx(float(stats.hmean([0.8, 0.6, 0.5, 0.6, 0.5, 0.5])))


@pytest.mark.parametrize("cells", [[], [cell("source", None, None)]])
def test_summary_of_nothing_has_no_score(cells: list[CellMetrics]) -> None:
    summary = summarise(cells)
    assert (summary.cells, summary.missing) == (0, len(cells))
    assert summary.official_score is None
    assert not summary.means
    assert not summary.columns
