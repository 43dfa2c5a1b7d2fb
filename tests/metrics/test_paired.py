"""Paired differences held to slow, plain computations, and their intervals to simulation."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asdbench.errors import DataError
from asdbench.metrics.intervals import harmonic
from asdbench.metrics.paired import bootstrapped, delong, resample_together
from asdbench.metrics.roc import auc, pauc

Scores = NDArray[np.float64]


def cell(seed: int, normal: int = 20, anomalous: int = 15, decimals: int = 1) -> tuple[NDArray[np.int64], Scores]:
    """Labels and the scores of two systems, (2, clips), which agree in part."""
    draws = np.random.default_rng(seed)
    labels = draws.permutation(np.repeat([0, 1], [normal, anomalous]))
    shared, own = draws.standard_normal(len(labels)), draws.standard_normal((2, len(labels)))
    return labels, np.round(shared + own + labels * np.array([[1.0], [0.5]]), decimals)


def names(count: int) -> list[str]:
    return [f"clip_{n:04d}" for n in range(count)]


def slow_delong(labels: NDArray[np.int64], scores: Scores) -> tuple[float, float]:
    """Equations 4 to 6 of DeLong et al. as they stand: every pair of clips, then the 2 x 2 covariance matrices."""
    up, down = scores[:, labels == 1], scores[:, labels == 0]
    v10 = np.zeros(up.shape)
    v01 = np.zeros(down.shape)
    for r, i, j in itertools.product(range(2), range(up.shape[1]), range(down.shape[1])):
        psi = 1.0 if down[r, j] < up[r, i] else 0.5 if down[r, j] == up[r, i] else 0.0
        v10[r, i] += psi / down.shape[1]
        v01[r, j] += psi / up.shape[1]
    covariance = np.cov(v10) / up.shape[1] + np.cov(v01) / down.shape[1]
    contrast = np.array([1.0, -1.0])
    return float(contrast @ v10.mean(axis=1)), float(np.sqrt(max(contrast @ covariance @ contrast, 0.0)))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 25), st.integers(2, 25), st.integers(0, 3))
def test_delong_is_what_every_pair_of_clips_gives(seed: int, normal: int, anomalous: int, decimals: int) -> None:
    labels, scores = cell(seed, normal, anomalous, decimals)
    found, (difference, error) = delong(labels, *scores), slow_delong(labels, scores)
    assert found.estimate == pytest.approx(difference, abs=1e-12)
    assert found.estimate == pytest.approx(auc(labels, scores[0]) - auc(labels, scores[1]), abs=1e-12)
    assert found.error is not None
    assert found.error == pytest.approx(error, abs=1e-7)  # the slow one takes the root of a difference
    assert delong(labels, *scores[::-1]).estimate == -found.estimate


def test_p_and_interval_of_delong_agree() -> None:
    signs = set()
    for seed in range(60):
        labels, scores = cell(seed)
        found = delong(labels, *scores)
        assert found.interval is not None
        assert found.p is not None
        assert (found.p < 0.05) == (found.sign != 0)
        signs.add(found.sign)
    assert signs == {0, 1}  # the first system is the better one, and 35 clips do not always tell


def test_delong_of_known_values() -> None:
    # Components of the anomalies: a 1, 1, 1/2 and b 1/2, 1, 0; of the normal clips: a 1, 2/3 and b 2/3, 1/3.
    labels = [0, 0, 1, 1, 1]
    found = delong(labels, [1, 3, 4, 5, 2], [2, 4, 3, 5, 1])
    assert found.estimate == pytest.approx(1 / 3, abs=1e-15)
    assert found.error == pytest.approx(np.sqrt(np.var([0.5, 0, 0.5], ddof=1) / 3), abs=1e-15)


def test_several_trainings_are_averaged_and_a_training_given_twice_adds_no_sureness() -> None:
    labels, scores = cell(4)
    once, twice = delong(labels, *scores), delong(labels, scores[[0, 0]], scores[[1, 1]])
    assert twice.estimate == pytest.approx(once.estimate, abs=1e-15)
    assert twice.error == pytest.approx(once.error, abs=1e-15)
    more = cell(5)[1]
    mixed = delong(labels, np.stack([scores[0], more[0]]), np.stack([scores[1], more[1]]))
    alone = [delong(labels, *pair).estimate for pair in (scores, more)]
    assert mixed.estimate == pytest.approx(np.mean(alone), abs=1e-15)


def test_where_nothing_varies_delong_claims_nothing() -> None:
    labels, scores = cell(1)
    same = delong(labels, scores[0], 3 * scores[0])
    assert (same.estimate, same.p, same.sign) == (0.0, 1.0, 0)
    perfect = delong(labels, labels, np.zeros(len(labels)))
    assert (perfect.estimate, perfect.interval, perfect.p, perfect.sign) == (0.5, None, None, 0)
    single = delong([0, 0, 1], [1, 2, 3], [3, 2, 1])
    assert (single.estimate, single.error, single.interval, single.p) == (1.0, None, None, None)


def test_intervals_of_differences_hold_the_truth_as_often_as_they_say() -> None:
    draws, sets, count = np.random.default_rng(7), 400, 60
    labels = np.repeat([0, 1], count)
    # Binormal, both of unit spread with correlation 1/2: AUC = Phi(d / sqrt 2), here of d = 1 and d = 0.4.
    truth = 0.7602499 - 0.6113513
    hits = {"delong": 0, "auc": 0}
    partials = []
    for _ in range(sets):
        shared, own = draws.standard_normal(2 * count), draws.standard_normal((2, 2 * count))
        scores = np.sqrt(0.5) * (shared + own) + labels * np.array([[1.0], [0.4]])
        exact = delong(labels, *scores).interval
        a, b = resample_together(names(2 * count), labels, list(scores), count=300)
        boot = bootstrapped(a.auc - b.auc).interval
        assert exact is not None
        assert boot is not None
        hits["delong"] += exact.low <= truth <= exact.high
        hits["auc"] += boot.low <= truth <= boot.high
        partials.append(bootstrapped(a.pauc - b.pauc))
    assert 0.92 <= hits["delong"] / sets <= 0.98
    assert 0.92 <= hits["auc"] / sets <= 0.98
    # The true pAUC difference by a large sample of the same law.
    many = 400_000
    big, own = draws.standard_normal(2 * many), draws.standard_normal((2, 2 * many))
    large = np.sqrt(0.5) * (big + own) + np.repeat([0, 1], many) * np.array([[1.0], [0.4]])
    true_partial = pauc(np.repeat([0, 1], many), large[0]) - pauc(np.repeat([0, 1], many), large[1])
    covered = sum(one.interval.low <= true_partial <= one.interval.high for one in partials if one.interval)
    assert 0.91 <= covered / sets <= 0.99


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


def test_pairing_makes_the_difference_of_systems_that_agree_surer() -> None:
    draws = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    first = draws.standard_normal(200) + labels
    second = first + 0.1 * draws.standard_normal(200)
    a, b = resample_together(names(200), labels, [first, second])
    apart = np.sqrt(a.auc[1:].var() + b.auc[1:].var())
    paired = bootstrapped(a.auc - b.auc).error
    assert paired is not None
    assert paired < apart / 3
    assert paired == pytest.approx(delong(labels, first, second).error, rel=0.1)


def test_p_and_interval_of_the_bootstrap_agree() -> None:
    told = 0
    for seed in range(60):
        labels, scores = cell(seed)
        a, b = resample_together(names(len(labels)), labels, list(scores), count=999)
        found = bootstrapped(a.pauc - b.pauc)
        assert found.interval is not None
        assert found.p is not None
        if abs(found.p - 0.05) > 0.01:
            assert (found.p < 0.05) == (found.sign != 0)
        told += found.sign != 0
    assert 0 < told < 60


def test_a_bootstrap_without_spread_claims_nothing() -> None:
    same, apart = bootstrapped(np.zeros(101)), bootstrapped(np.full(101, 0.5))
    assert (same.estimate, same.p, same.sign) == (0.0, 1.0, 0)
    assert (apart.estimate, apart.interval, apart.p) == (0.5, None, None)


def test_an_interval_of_few_clips_holds_its_estimate_and_no_difference_is_no_finding() -> None:
    for seed in range(60):
        labels, scores = cell(seed, 5, 5)
        a, b = resample_together(names(10), labels, list(scores), count=200, seed=seed)
        found = bootstrapped(a.pauc - b.pauc)
        if found.interval is not None:
            assert found.interval.low <= found.estimate <= found.interval.high
        assert found.estimate != 0 or found.p == 1


@pytest.mark.parametrize("bad", [[0.0, 1.0, np.nan, 1.0], [0.0, 1.0, 2.0]])
def test_scores_that_cannot_be_ranked_are_refused(bad: list[float]) -> None:
    labels, good = [0, 0, 1, 1], [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(DataError):
        delong(labels, good, bad)
    with pytest.raises(DataError):
        resample_together(names(4), labels, [good, bad])
    with pytest.raises(DataError, match="twice"):
        resample_together(["a", "a", "b", "c"], labels, [good])


def test_42_cells_of_two_systems_take_less_than_three_seconds() -> None:
    draws = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    start = time.process_time()
    values = []
    for number in range(42):
        scores = draws.standard_normal((2, 200)) + labels
        delong(labels, *scores)
        values.append(resample_together(names(200), labels, list(scores), seed=number))
    sides = [harmonic(area for pair in values for area in (pair[side].auc, pair[side].pauc)) for side in range(2)]
    assert bootstrapped(sides[0] - sides[1]).interval is not None
    assert time.process_time() - start < 3


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
