"""The reference that influences are held to: joint resamples, held to plain computations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asdbench.metrics.roc import auc, pauc
from tests.judging.resampled import resample_together

Scores = NDArray[np.float64]


def cell(seed: int, normal: int = 20, anomalous: int = 15, decimals: int = 1) -> tuple[NDArray[np.int64], Scores]:
    """Labels and the scores of two systems, (2, clips), which agree in part."""
    draws = np.random.default_rng(seed)
    labels = draws.permutation(np.repeat([0, 1], [normal, anomalous]))
    shared, own = draws.standard_normal(len(labels)), draws.standard_normal((2, len(labels)))
    return labels, np.round(shared + own + labels * np.array([[1.0], [0.5]]), decimals)


def names(count: int) -> list[str]:
    return [f"clip_{n:04d}" for n in range(count)]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 30), st.integers(0, 3))
def test_every_resample_holds_the_same_clips_for_both_systems(
    seed: int, normal: int, anomalous: int, decimals: int
) -> None:
    labels, scores = cell(seed, normal, anomalous, decimals)
    fast = resample_together(names(len(labels)), labels, list(scores), count=5, seed=seed)
    random = np.random.default_rng(seed)
    groups = [np.flatnonzero(labels == label) for label in (0, 1)]  # in the order of names
    drawn = [random.multinomial(len(group), np.full(len(group), 1 / len(group)), size=5) for group in groups]
    for system in range(2):
        assert fast[system].auc[0] == pytest.approx(auc(labels, scores[system]), abs=1e-12)
        assert fast[system].pauc[0] == pytest.approx(pauc(labels, scores[system]), abs=1e-12)
        for number, weights in enumerate(zip(*drawn, strict=True), start=1):
            clips = np.concatenate([np.repeat(group, weight) for group, weight in zip(groups, weights, strict=True)])
            plain = auc(labels[clips], scores[system][clips]), pauc(labels[clips], scores[system][clips])
            assert fast[system].auc[number] == pytest.approx(plain[0], abs=1e-12)
            assert fast[system].pauc[number] == pytest.approx(plain[1], abs=1e-12)


def test_neither_the_order_of_rows_nor_a_monotone_map_moves_a_resample() -> None:
    labels, scores = cell(2)
    turn = np.random.default_rng(0).permutation(len(labels))
    clips = names(len(labels))
    one = resample_together(clips, labels, list(scores), seed=3)
    two = resample_together([clips[n] for n in turn], labels[turn], [np.exp(row[turn]) for row in scores], seed=3)
    for first, second in zip(one, two, strict=True):
        assert first.auc.tobytes() == second.auc.tobytes()
        assert first.pauc.tobytes() == second.pauc.tobytes()
    gaps = resample_together(clips, labels, [scores[0], 2 * scores[0] + 1])
    assert np.array_equal(gaps[0].auc, gaps[1].auc)  # unpaired draws would differ


def test_domains_are_drawn_apart_in_the_same_way_for_both_systems() -> None:
    labels, scores = cell(3, 24, 20)
    domains = ["source" if n % 3 else "target" for n in range(len(labels))]
    two = scores[0] + 1.0  # another system that ranks the clips alike
    one, other = resample_together(names(len(labels)), labels, [scores[0], two], domains, count=50, seed=1)
    assert set(one.own) == {"source", "target"}
    for domain, area in one.own.items():
        assert area.tobytes() == other.own[domain].tobytes()
        against = (labels == 1) | (np.array(domains) == domain)
        assert area[0] == pytest.approx(auc(labels[against], scores[0][against]), abs=1e-12)
        assert len(set(area.tolist())) > 10
    assert one.pauc[0] == pytest.approx(pauc(labels, scores[0]), abs=1e-12)
    # What a domain's AUC are over, weighted by its normal clips, is all of them: also in each resample.
    normal = {
        domain: sum(d == domain and not label for d, label in zip(domains, labels, strict=True)) for domain in one.own
    }
    whole = sum(count * one.own[domain] for domain, count in normal.items()) / sum(normal.values())
    np.testing.assert_allclose(whole, one.auc, atol=1e-12)
