from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asdbench.judging.influence import areas, partial_areas
from asdbench.metrics.roc import MAX_FPR, auc, pauc
from tests.judging.resampled import resample_together

Floats = NDArray[np.float64]


def slow_components(labels: NDArray[np.int64], scores: Floats) -> Floats:
    """DeLong's structural components, pair by pair."""
    found = np.zeros(len(labels))
    for clip, label in enumerate(labels):
        others = scores[labels != label]
        gaps = (scores[clip] - others) * (1 if label else -1)
        found[clip] = np.mean((gaps > 0) + (gaps == 0) / 2)
    return found


def weighted_pauc(labels: NDArray[np.int64], scores: Floats, weights: Floats, limit: float) -> float:
    """The pAUC of clips that count more or less, point by point of the curve."""
    normal, anomaly = (weights * (labels == label) for label in (0, 1))
    points = [(0.0, 0.0)]
    for level in sorted(set(scores.tolist()), reverse=True):
        there = scores >= level
        points.append((float(normal[there].sum() / normal.sum()), float(anomaly[there].sum() / anomaly.sum())))
    area = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 >= limit:
            break
        end = min(x1, limit)
        height = y1 if x1 <= limit else y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
        area += (end - x0) * (y0 + height) / 2
    chance = limit**2 / 2
    return 0.5 * (1 + (area - chance) / (limit - chance))


labelled_scores = st.integers(0, 10**6).map(
    lambda seed: (
        np.array([0, 1, *np.random.default_rng(seed).integers(0, 2, seed % 40)]),
        np.random.default_rng(seed + 1).integers(0, 2 + seed % 50, (3, 2 + seed % 40)).astype(np.float64),
    )
)


@given(labelled_scores)
def test_values_are_those_of_the_metrics(case: tuple[NDArray[np.int64], Floats]) -> None:
    labels, scores = case
    for limit, metric in ((1.0, auc), (MAX_FPR, pauc)):
        values, _ = areas(labels == 1, scores, limit)
        assert values == pytest.approx([metric(labels, row) for row in scores], abs=1e-12)


@given(labelled_scores)
def test_influences_of_an_auc_are_delongs_components(case: tuple[NDArray[np.int64], Floats]) -> None:
    labels, scores = case
    _, influences = areas(labels == 1, scores)
    for row, own in zip(scores, influences, strict=True):
        components = slow_components(labels, row)
        for label in (0, 1):
            of = labels == label
            expected = (components[of] - components[of].mean()) / of.sum()
            assert own[of] - own[of].mean() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_influences_of_a_pauc_are_its_derivatives_by_weights(ties: bool) -> None:
    random = np.random.default_rng(3)
    labels = np.repeat([0, 1], [33, 27])  # the limit lies within a step: 3.3 clips
    scores = random.standard_normal(60) + labels
    scores = np.round(scores * 4) if ties else scores
    _, influences = partial_areas(labels == 1, scores[None])
    for label in (0, 1):
        of = np.flatnonzero(labels == label)
        own = influences[0, of] - influences[0, of].mean()
        for place, clip in enumerate(of):
            moved = []
            for step in (1e-6, -1e-6):
                weights = np.ones(60)
                weights[of] -= step / len(of)
                weights[clip] += step
                moved.append(weighted_pauc(labels, scores, weights, MAX_FPR))
            assert own[place] == pytest.approx((moved[0] - moved[1]) / 2e-6, abs=1e-6)


def test_covariance_over_clips_of_a_pauc_is_that_of_resampling() -> None:
    random = np.random.default_rng(5)
    labels = np.repeat([0, 1], 150)
    common = random.standard_normal(300)
    scores = common + 0.7 * random.standard_normal((2, 300)) + np.array([[1.0], [1.3]]) * labels
    _, influences = partial_areas(labels == 1, scores)
    fast = np.zeros((2, 2))
    for label in (0, 1):
        own = influences[:, labels == label]
        own = own - own.mean(axis=1, keepdims=True)
        fast += own @ own.T * own.shape[1] / (own.shape[1] - 1)
    found = resample_together([f"{clip:03d}" for clip in range(300)], labels, list(scores), count=4000)
    slow = np.cov([one.pauc[1:] for one in found])
    assert fast == pytest.approx(slow, rel=0.12)
