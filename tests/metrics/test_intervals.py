from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import t as student

from asdbench.errors import DataError
from asdbench.metrics.intervals import PAUC_FLOOR, _quantile, arithmetic, cell_interval, harmonic, interval, resample
from asdbench.metrics.roc import auc, pauc


def cell(
    seed: int, normal: int = 20, anomalous: int = 15, decimals: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    draws = np.random.default_rng(seed)
    labels = draws.permutation(np.repeat([0, 1], [normal, anomalous]))
    return labels, np.round(draws.standard_normal(len(labels)) + labels, decimals)


def slowly(labels: NDArray[np.int64], scores: NDArray[np.float64], count: int, seed: int) -> list[tuple[float, float]]:
    """The plain way: write out each resample clip by clip and score it."""
    random = np.random.default_rng(seed)
    groups = [np.sort(scores[labels == label])[::-1] for label in (0, 1)]  # as resample: from the highest score down
    drawn = [random.multinomial(len(group), np.full(len(group), 1 / len(group)), size=count) for group in groups]
    found = []
    for weights in zip(*drawn, strict=True):
        normal, anomalous = (np.repeat(group, weight) for group, weight in zip(groups, weights, strict=True))
        truth = np.repeat([0, 1], [len(normal), len(anomalous)])
        values = np.concatenate([normal, anomalous])
        found.append((auc(truth, values), pauc(truth, values)))
    return found


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 30), st.integers(0, 3))
def test_every_resample_is_what_scoring_it_clip_by_clip_gives(
    seed: int, normal: int, anomalous: int, decimals: int
) -> None:
    labels, scores = cell(seed, normal, anomalous, decimals)
    fast = resample(labels, scores, count=5, seed=seed)
    assert fast.auc[0] == pytest.approx(auc(labels, scores), abs=1e-12)
    assert fast.pauc[0] == pytest.approx(pauc(labels, scores), abs=1e-12)
    for number, (area, partial) in enumerate(slowly(labels, scores, 5, seed), start=1):
        assert fast.auc[number] == pytest.approx(area, abs=1e-12)
        assert fast.pauc[number] == pytest.approx(partial, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12))
def test_domains_are_drawn_apart_and_scored_together(seed: int, normal: int, anomalous: int) -> None:
    """2022 and later, the plain way: each resample written out clip by clip."""
    labels, scores = cell(seed, 2 * normal, 2 * anomalous)
    domains = np.array(["source", "target"])[np.random.default_rng(seed).integers(0, 2, len(labels))]
    fast = resample(labels, scores, domains.tolist(), count=5, seed=seed)
    assert set(fast.own) == set(domains[labels == 0].tolist())
    random = np.random.default_rng(seed)
    drawn: dict[tuple[int, str], Any] = {}
    for label in (0, 1):
        for domain in sorted(set(domains[labels == label].tolist())):
            own = np.sort(scores[(labels == label) & (domains == domain)])[::-1]
            weights = random.multinomial(len(own), np.full(len(own), 1 / len(own)), size=5)
            drawn[label, domain] = [np.repeat(own, weight) for weight in [np.ones(len(own), dtype=int), *weights]]
    for number in range(6):
        anomalies = np.concatenate([values[number] for (label, _), values in drawn.items() if label])
        normals = {domain: values[number] for (label, domain), values in drawn.items() if not label}
        for domain, area in fast.own.items():
            truth = np.repeat([0, 1], [len(normals[domain]), len(anomalies)])
            assert area[number] == pytest.approx(auc(truth, np.concatenate([normals[domain], anomalies])), abs=1e-12)
        everything = np.concatenate(list(normals.values()))
        truth, values = np.repeat([0, 1], [len(everything), len(anomalies)]), np.concatenate([everything, anomalies])
        assert fast.pauc[number] == pytest.approx(pauc(truth, values), abs=1e-12)
        assert fast.auc[number] == pytest.approx(auc(truth, values), abs=1e-12)


def test_the_same_seed_gives_the_same_interval_and_the_order_of_clips_does_not_matter() -> None:
    labels, scores = cell(1)
    turn = np.random.default_rng(0).permutation(len(labels))
    one, two = resample(labels, scores, seed=3), resample(labels[turn], scores[turn], seed=3)
    assert one.auc.tobytes() == two.auc.tobytes()
    assert one.pauc.tobytes() == two.pauc.tobytes()
    assert one.auc.tobytes() != resample(labels, scores, seed=4).auc.tobytes()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 30), st.floats(-9, 9))
def test_a_cells_interval_holds_the_estimate_within_its_range(
    seed: int, normal: int, anomalous: int, shift: float
) -> None:
    labels, scores = cell(seed, normal, anomalous)
    draws = resample(labels, scores + shift * labels, count=50)
    for values, partial, floor in ((draws.auc, False, 0.0), (draws.pauc, True, PAUC_FLOOR)):
        found = cell_interval(values, (normal, anomalous), partial=partial)
        assert floor - 1e-12 <= found.low <= found.estimate <= found.high <= 1 + 1e-12
        assert found.low < found.high


def test_more_clips_make_it_narrower() -> None:
    few, many = (cell_interval(resample(*cell(5, n, n)).auc, (n, n)) for n in (20, 2000))
    assert (many.high - many.low) < (few.high - few.low) / 5


@pytest.mark.parametrize(("partial", "turn", "end"), [(False, 1, 1.0), (True, 1, 1.0), (False, -1, 0.0)])
def test_classes_that_do_not_overlap_are_not_certain(partial: bool, turn: int, end: float) -> None:
    """The interval ends where the value stands and begins where such a cell is no longer likely."""
    widths = []
    for count in (10, 100):
        draws = resample([0] * count + [1] * count, turn * np.arange(2 * count), count=50)
        found = cell_interval(draws.pauc if partial else draws.auc, (count, count), partial=partial)
        assert found.estimate == pytest.approx(end)
        assert end in (pytest.approx(found.low), pytest.approx(found.high))
        widths.append(found.high - found.low)
    assert 0.2 < widths[0] < 0.6
    assert 0.001 < widths[1] < 0.1


def test_student_quantiles() -> None:
    for freedom in (9, 29, 99):
        assert _quantile(freedom) == pytest.approx(student.ppf(0.975, freedom), abs=0.005)


@pytest.mark.parametrize("count", [30, 100])
@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0, 3.0])
def test_a_cells_interval_holds_the_truth_about_as_often_as_it_says(count: int, shift: float) -> None:
    """As tests/benchmarks/coverage.py with fewer sets: 5 standard errors below 95 % fail."""
    draws = np.random.default_rng(int(shift) + count)
    truth, held = NormalDist().cdf(shift / np.sqrt(2)), 0
    for number in range(200):
        scores = np.concatenate([draws.standard_normal(count), shift + draws.standard_normal(count)])
        found = cell_interval(resample(np.repeat([0, 1], count), scores, count=200, seed=number).auc, (count, count))
        held += found.low <= truth <= found.high
    assert held >= 175


def test_aggregates_take_each_resample_of_all_cells() -> None:
    one, two = (resample(*cell(seed), count=7, seed=seed).auc for seed in (1, 2))
    np.testing.assert_allclose(arithmetic([one, two]), (one + two) / 2)
    np.testing.assert_allclose(harmonic([one, two]), 2 / (1 / one + 1 / two))


def test_the_mean_over_many_cells_is_corrected_for_bias() -> None:
    """Where a plain percentile interval misses: the truth is known, anomalies N(1, 1.5), pAUC by a long simulation."""
    big = np.random.default_rng(0)
    truth = pauc(
        np.repeat([0, 1], 400_000),
        np.concatenate([big.standard_normal(400_000), 1 + 1.5 * big.standard_normal(400_000)]),
    )
    inside = plain = 0
    for repeat in range(30):
        draws = np.random.default_rng(repeat)
        cells = []
        for number in range(20):
            scores = np.concatenate([draws.standard_normal(100), 1 + 1.5 * draws.standard_normal(100)])
            cells.append(resample(np.repeat([0, 1], 100), scores, count=200, seed=1000 * repeat + number).pauc)
        mean = arithmetic(cells)
        found = interval(mean, low=PAUC_FLOOR)
        assert found is not None
        inside += found.low <= truth <= found.high
        low, high = np.quantile(mean[1:], [0.025, 0.975])
        plain += low <= truth <= high
    assert inside >= 26  # of 30: below 87 % would be no 95 % interval
    assert plain < inside


@pytest.mark.parametrize(("labels", "scores"), [([0, 0], [1, 2]), ([0, 1], [1, np.nan]), ([0, 1], [1, 2, 3])])
def test_what_has_no_auc_has_no_interval(labels: list[int], scores: list[float]) -> None:
    with pytest.raises(DataError):
        resample(labels, scores)


def test_an_interval_never_leaves_its_own_estimate_out() -> None:
    far = np.array([0.5, *np.linspace(0.05, 0.15, 200)])  # a harmonic mean of a few clips may fall so in resamples
    bounds = interval(far)
    assert bounds is not None
    assert bounds.low <= bounds.estimate <= bounds.high


@pytest.mark.parametrize("clips", [1, 20])
def test_resamples_of_one_value_give_no_interval(clips: int) -> None:
    """One clip a class, or classes that do not overlap: without width it would say that other clips change nothing."""
    cells = [resample([0] * clips + [1] * clips, range(2 * clips), seed=seed, count=50) for seed in range(3)]
    assert interval(arithmetic(cell.auc for cell in cells)) is None
    assert interval(harmonic(cell.pauc for cell in cells), low=PAUC_FLOOR) is None


def test_a_harmonic_mean_that_is_0_in_many_resamples_has_no_interval() -> None:
    labels = np.repeat([0, 1], 10)
    low = resample(labels, np.array([1.0] * 9 + [0.0] + [0.5] * 9 + [1.5]))  # an AUC of 0.19: without its best, 0
    high = resample(labels, np.arange(20.0) % 7)
    assert low.auc[0] == pytest.approx(0.19)
    assert interval(harmonic([low.auc, high.auc])) is None
    assert interval(arithmetic([low.auc, high.auc])) is not None
    assert interval(harmonic([high.auc, high.auc])) is not None
    assert interval(high.auc - low.auc, low=-1.0) is not None  # a difference may be 0
