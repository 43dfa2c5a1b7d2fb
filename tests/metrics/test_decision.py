from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import f1_score, precision_score, recall_score

from asdbench.errors import DataError
from asdbench.metrics import Threshold, decide, gamma_threshold, precision_recall_f1


def test_threshold_is_the_organizers_quantile_of_a_free_gamma_fit() -> None:
    scores = np.random.default_rng(1).gamma(3, 2, 500) + 5
    threshold = gamma_threshold(scores)
    shape, location, scale = stats.gamma.fit(scores)
    assert (threshold.shape, threshold.location, threshold.scale) == (shape, location, scale)
    assert threshold.value == stats.gamma.ppf(0.9, shape, loc=location, scale=scale)
    assert threshold.reason is None
    assert gamma_threshold(scores, quantile=0.5).value == stats.gamma.ppf(0.5, shape, loc=location, scale=scale)


def test_threshold_is_near_the_true_quantile_and_says_what_it_leaves_above() -> None:
    scores = np.random.default_rng(2).gamma(3, 2, 3009) + 5
    threshold = gamma_threshold(scores)
    assert threshold.value == pytest.approx(5 + stats.gamma.ppf(0.9, 3, scale=2), rel=0.03)
    assert threshold.value is not None
    assert threshold.above == np.mean(scores > threshold.value)
    assert threshold.above == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ([], "0 training clips"),
        ([1.0, 2.0], "2 training clips: a gamma distribution needs 3"),
        ([0.7] * 20, "all 20 training scores are equal"),
        ([1.0, 2.0, np.nan, np.inf], "2 of 4 training scores are not finite"),
        (np.random.default_rng(0).gamma(2, 1, 100) * 1e300, "the gamma fit failed"),
    ],
)
def test_no_threshold_comes_with_a_reason(scores: list[float], reason: str) -> None:
    threshold = gamma_threshold(scores)
    assert threshold.value is None
    assert threshold.reason is not None
    assert reason in threshold.reason


def test_a_fit_that_is_not_finite_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats.gamma, "fit", lambda scores: (np.nan, 0.0, 1.0))
    threshold = gamma_threshold([1.0, 2.0, 3.0])
    assert threshold.value is None
    assert threshold.reason is not None
    assert "not finite" in threshold.reason


def test_warnings_of_the_fit_stay_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = stats.gamma.fit

    def noisy(scores: NDArray[np.float64]) -> object:
        warnings.warn("overflow encountered", RuntimeWarning, stacklevel=1)
        return fit(scores)

    monkeypatch.setattr(stats.gamma, "fit", noisy)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert gamma_threshold([1.0, 2.0, 2.5, 4.0]).value is not None
    assert not caught


def test_only_scores_above_the_threshold_are_anomalies() -> None:
    decisions = decide([0.9, 1.0, 1.1], Threshold(1, 0, 1, value=1.0))
    assert decisions.tolist() == [0, 0, 1]
    assert decisions.dtype.kind == "i"
    assert decide([3.0, 1.0], 2.0).tolist() == [1, 0]


def test_nothing_is_decided_without_a_threshold_or_a_score() -> None:
    with pytest.raises(DataError, match="no decision threshold; all equal"):
        decide([1.0], Threshold(reason="all equal"))
    with pytest.raises(DataError, match="1 of 2 scores are not finite"):
        decide([1.0, np.nan], 2.0)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_precision_recall_f1_equal_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, decisions = zip(*pairs, strict=True)
    expected = [score(labels, decisions, zero_division=0.0) for score in (precision_score, recall_score, f1_score)]
    assert precision_recall_f1(labels, decisions) == pytest.approx(expected, abs=1e-12)


def test_empty_denominators_give_zero() -> None:
    assert precision_recall_f1([0, 1], [0, 0]) == (0, 0, 0)
    assert precision_recall_f1([0, 0], [0, 1]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("labels", "decisions", "says"),
    [
        ([0, 1], [0], "differ in length"),
        ([0, 1], [0, 2], "the decisions are not a list of 0 and 1"),
        ([0, 1], [0, 0.5], "the decisions are not a list of 0 and 1"),
        ([0, -1], [0, 1], "the labels are not a list of 0 and 1"),
    ],
)
def test_refuses_what_is_no_decision(labels: list[int], decisions: list[float], says: str) -> None:
    with pytest.raises(DataError, match=says):
        precision_recall_f1(labels, decisions)
