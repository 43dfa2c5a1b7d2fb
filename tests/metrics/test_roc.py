from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from asdbench.errors import DataError, UsageError
from asdbench.metrics import auc, pauc

Case = tuple[list[int], list[int]]
"""Labels and whole-number scores: monotone maps of whole numbers stay strict in floats."""


@st.composite
def cases(draw: st.DrawFn, largest: int = 60, levels: int = 40) -> Case:
    """Both classes present; few levels make heavy ties."""
    size = draw(st.integers(2, largest))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size).filter(lambda x: 0 < sum(x) < len(x)))
    level = draw(st.integers(1, levels))
    return labels, draw(st.lists(st.integers(-level, level), min_size=size, max_size=size))


floats = st.floats(allow_nan=False, allow_infinity=False)
rates = st.sampled_from([0.05, 0.1, 0.25, 0.5, 0.9, 1.0])
Ranking = Callable[[ArrayLike, ArrayLike], float]
METRICS: list[Ranking] = [auc, pauc]


def slow_auc(labels: Sequence[int], scores: Sequence[float]) -> Fraction:
    """Count the pairs of an anomaly and a normal clip that are in order; a tie counts half."""
    normal = [score for label, score in zip(labels, scores, strict=True) if label == 0]
    anomaly = [score for label, score in zip(labels, scores, strict=True) if label == 1]
    won = sum((Fraction((a > n) + (a >= n), 2) for a in anomaly for n in normal), Fraction(0))
    return won / (len(normal) * len(anomaly))


def slow_pauc(labels: Sequence[int], scores: Sequence[float], max_fpr: Fraction) -> Fraction:
    """Walk down the thresholds and add up trapezoids until the false-positive rate is reached, in exact arithmetic."""
    normals, anomalies = labels.count(0), labels.count(1)
    x, y, area = Fraction(0), Fraction(0), Fraction(0)
    for threshold in sorted(set(scores), reverse=True):
        above = [label for label, score in zip(labels, scores, strict=True) if score >= threshold]
        next_x, next_y = Fraction(above.count(0), normals), Fraction(above.count(1), anomalies)
        if next_x > max_fpr:
            cut_y = y + (next_y - y) * (max_fpr - x) / (next_x - x)
            area += (max_fpr - x) * (y + cut_y) / 2
            break
        area += (next_x - x) * (y + next_y) / 2
        x, y = next_x, next_y
    chance = max_fpr * max_fpr / 2
    return (1 + (area - chance) / (max_fpr - chance)) / 2


@given(case=cases(), max_fpr=rates)
def test_equals_scikit_learn_on_heavy_ties(case: Case, max_fpr: float) -> None:
    labels, scores = case
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert pauc(labels, scores, max_fpr) == pytest.approx(roc_auc_score(labels, scores, max_fpr=max_fpr), abs=1e-12)


@given(data=st.data(), size=st.integers(2, 50))
def test_equals_scikit_learn_on_any_floats(data: st.DataObject, size: int) -> None:
    labels = data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size).filter(lambda x: 0 < sum(x) < len(x)))
    scores = data.draw(st.lists(floats, min_size=size, max_size=size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scikit-learn's difference of the largest floats overflows
        assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
        assert pauc(labels, scores) == pytest.approx(roc_auc_score(labels, scores, max_fpr=0.1), abs=1e-12)


@pytest.mark.parametrize(("normals", "anomalies"), [(100, 100), (195, 105), (98, 100), (7, 300), (1, 1)])
@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_equals_scikit_learn_at_the_sizes_of_the_challenge(normals: int, anomalies: int, decimals: int) -> None:
    rng = np.random.default_rng([normals, anomalies, decimals])
    labels = rng.permutation(np.repeat([0, 1], [normals, anomalies]))
    scores = np.round(rng.normal(labels * 0.7, 1), decimals)
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert pauc(labels, scores) == pytest.approx(roc_auc_score(labels, scores, max_fpr=0.1), abs=1e-12)


@settings(max_examples=60)
@given(case=cases(largest=30), max_fpr=st.sampled_from([Fraction(1, 10), Fraction(1, 4), Fraction(1)]))
def test_equals_the_obvious_definition(case: Case, max_fpr: Fraction) -> None:
    labels, scores = case
    assert auc(labels, scores) == pytest.approx(float(slow_auc(labels, scores)), abs=1e-12)
    expected = float(slow_pauc(labels, scores, max_fpr))
    assert pauc(labels, scores, float(max_fpr)) == pytest.approx(expected, abs=1e-12)


@given(case=cases())
def test_only_the_order_of_scores_counts(case: Case) -> None:
    labels, scores = case
    array = np.array(scores, dtype=np.float64)
    for metric in METRICS:
        assert metric(labels, array**3) == metric(labels, scores)
        assert metric(labels, np.exp(array / 8)) == metric(labels, scores)
        assert metric(labels, array.astype(np.float32)) == metric(labels, scores)


@given(case=cases(), data=st.data())
def test_the_order_of_clips_does_not_count(case: Case, data: st.DataObject) -> None:
    labels, scores = case
    order = data.draw(st.permutations(range(len(labels))))
    for metric in METRICS:
        assert metric([labels[i] for i in order], [scores[i] for i in order]) == metric(labels, scores)


@given(case=cases())
def test_negated_scores_or_swapped_labels_give_the_complement(case: Case) -> None:
    labels, scores = case
    assert auc(labels, [-score for score in scores]) == pytest.approx(1 - auc(labels, scores), abs=1e-15)
    assert auc([1 - label for label in labels], scores) == pytest.approx(1 - auc(labels, scores), abs=1e-15)


@given(case=cases())
def test_pauc_up_to_one_is_the_auc(case: Case) -> None:
    labels, scores = case
    assert pauc(labels, scores, 1) == pytest.approx(auc(labels, scores), abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_landmarks(metric: Ranking) -> None:
    labels = [0] * 100 + [1] * 50
    assert metric(labels, [0.0] * 150) == pytest.approx(0.5, abs=1e-15)
    assert metric(labels, labels) == 1
    assert metric(labels, list(range(150))) == 1


def test_pauc_has_its_own_floor() -> None:
    labels = [0] * 100 + [1] * 100
    assert auc(labels, [-label for label in labels]) == 0
    assert pauc(labels, [-label for label in labels]) == pytest.approx(0.5 * (1 - 0.1 / 1.9), abs=1e-12)


def test_accepts_bool_labels_and_float32_scores() -> None:
    labels = np.array([False, True, False, True])
    scores: NDArray[np.float32] = np.array([0.1, 0.4, 0.35, 0.8], dtype=np.float32)
    assert auc(labels, scores) == 1
    assert isinstance(auc(labels, scores), float)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("labels", "scores", "says"),
    [
        ([0, 0], [1.0, 2.0], "both classes; 2 normal, 0 anomaly"),
        ([1, 1], [1.0, 2.0], "both classes; 0 normal, 2 anomaly"),
        ([], [], "both classes"),
        ([0, 1], [1.0, np.nan], "1 of 2 scores are not finite; the first is nan at position 1"),
        ([0, 1, 1], [1.0, -np.inf, np.inf], "2 of 3 scores are not finite; the first is -inf at position 1"),
        ([0, 1, 1], [1.0, 2.0], "differ in length"),
        ([0, 1], [[1.0, 2.0]], "differ in length"),
        ([0, 2], [1.0, 2.0], "not a list of 0 and 1; .*among them 2"),
        ([0, -1], [1.0, 2.0], "not a list of 0 and 1; .*among them -1"),
        ([0, np.nan], [1.0, 2.0], "not a list of 0 and 1; .*among them nan"),
        (["normal", "anomaly"], [1.0, 2.0], "not a list of 0 and 1; .*'normal'"),
        ([0, None], [1.0, 2.0], "not a list of 0 and 1; .*None"),
        ([0, 1], ["1.0", "2.0"], "scores are not numbers"),
    ],
)
def test_refuses_what_has_no_answer(metric: Ranking, labels: ArrayLike, scores: ArrayLike, says: str) -> None:
    with pytest.raises(DataError, match=says):
        metric(labels, scores)


@pytest.mark.parametrize("max_fpr", [0, -0.1, 1.1, float("nan")])
def test_refuses_a_rate_out_of_range(max_fpr: float) -> None:
    with pytest.raises(UsageError, match="max_fpr"):
        pauc([0, 1], [0, 1], max_fpr)
