"""The two parts of a variance against slow references written from the papers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.judging.means import Contributions, contributions
from asdbench.judging.measuring import measure
from asdbench.judging.samples import Sample, Scored, checked
from asdbench.judging.spread import Spread, seeds_needed, spread
from asdbench.metrics.aggregate import RANKING
from asdbench.metrics.challenge import DEFINITIONS, Definition
from tests.judging.resampled import harmonic, resample_together

from .trainings import made

Floats = NDArray[np.float64]
EARLY, MIDDLE, LATE = (DEFINITIONS[year] for year in (2020, 2021, 2023))


def successes(scores: Floats, labels: NDArray[np.int64]) -> Floats:
    """(readers, normal, anomalous): whether the anomaly scores higher, ties half."""
    down, up = scores[:, labels == 0], scores[:, labels == 1]
    gaps = up[:, None, :] - down[:, :, None]
    return np.asarray((gaps > 0) + (gaps == 0) / 2)


def obuchowski_rockette(a: Floats, b: Floats, labels: NDArray[np.int64], shared: bool) -> tuple[float, float]:
    """Training and clip part of a difference of mean AUCs: DeLong's covariances of all pairs of trainings, in loops."""
    both = np.concatenate([successes(a, labels), successes(b, labels)])
    k = len(a)
    areas = both.mean(axis=(1, 2))
    normal, anomalous = both.mean(axis=2), both.mean(axis=1)
    cov = np.cov(normal) / normal.shape[1] + np.cov(anomalous) / anomalous.shape[1]
    inner = [
        np.mean([cov[i, j] for i in own for j in own if i != j]) if len(own) > 1 else cov[own[0], own[0]]
        for own in (range(k), range(k, len(both)))
    ]
    across = np.mean([cov[i, k + j] for i in range(k) for j in range(len(b)) if not (shared and i == j)])
    clips = float(inner[0] + inner[1] - 2 * across)
    if shared:
        return float(np.var(areas[:k] - areas[k:], ddof=1) / k), clips
    parts = [np.var(own, ddof=1) / len(own) for own in (areas[:k], areas[k:]) if len(own) > 1]
    return float(sum(parts)), clips


def gallas(scores: Floats, labels: NDArray[np.int64]) -> float:
    """The one-shot estimate of the variance of a reader-averaged AUC (Gallas 2006), from moments in loops."""
    s = successes(scores, labels)
    readers, normals, anomalies = s.shape
    sums, counts = np.zeros(8), np.zeros(8)
    for i, j in itertools.product(range(normals), repeat=2):
        # Products of all readers and anomalies with normal clips i and j.
        products = np.einsum("ra,qb->rqab", s[:, i], s[:, j])
        same_reader = np.eye(readers, dtype=bool)[:, :, None, None]
        same_anomaly = np.eye(anomalies, dtype=bool)[None, None]
        for moment, (reader, normal, anomaly) in enumerate(
            [(1, 1, 1), (1, 0, 1), (1, 1, 0), (1, 0, 0), (0, 1, 1), (0, 0, 1), (0, 1, 0), (0, 0, 0)]
        ):
            if (i == j) != bool(normal):
                continue
            chosen = (same_reader == bool(reader)) & (same_anomaly == bool(anomaly))
            sums[moment] += products[chosen].sum()
            counts[moment] += chosen.sum()
    moments = sums / counts
    weights = counts / counts.sum()
    return float(weights @ moments - moments[7])


def of_auc(sample: Sample, definition: Definition = MIDDLE) -> Contributions:
    measured = measure(checked(sample), definition)
    return contributions(measured, [value for value in measured.values if value[1] == "auc"], "arithmetic")


def one_cell(seed: int, fits: int, clips: int = 25, shared: bool = False) -> tuple[Floats, NDArray[np.int64], Sample]:
    sample = made(f"s{seed}", seed, fits, machines=("fan",), sections=("00",), clips=clips, keys=shared)
    return sample.files[0].scores, sample.files[0].labels, sample


@pytest.mark.parametrize(("k_a", "k_b"), [(2, 2), (3, 5), (5, 1)])
def test_difference_of_aucs_is_obuchowski_and_rockettes(k_a: int, k_b: int) -> None:
    (a, labels, one), (b, _, two) = one_cell(1, k_a), one_cell(2, k_b)
    found = spread([(1, of_auc(one)), (-1, of_auc(two))])
    trainings, clips = obuchowski_rockette(a, b, labels, shared=False)
    assert found.training_part == pytest.approx(trainings, rel=1e-9)
    assert float(found.clips.sum()) == pytest.approx(clips, rel=1e-9, abs=1e-12)


def test_shared_trainings_count_by_their_differences() -> None:
    (a, labels, one), (b, _, two) = one_cell(1, 4, shared=True), one_cell(2, 4, shared=True)
    found = spread([(1, of_auc(one)), (-1, of_auc(two))], shared=["fan"])
    trainings, clips = obuchowski_rockette(a, b, labels, shared=True)
    assert found.training_part == pytest.approx(trainings, rel=1e-9)
    assert float(found.clips.sum()) == pytest.approx(clips, rel=1e-9, abs=1e-12)


def test_variance_of_one_method_is_gallas_to_the_bias_of_delong() -> None:
    scores, labels, sample = one_cell(4, 4, clips=30)
    found = spread([(1, of_auc(sample))])
    assert found.training_part + found.clip_part == pytest.approx(gallas(scores, labels), rel=0.02)


@pytest.mark.parametrize("definition", [MIDDLE, LATE])
def test_clip_part_of_an_official_score_is_that_of_joint_resampling(definition: Definition) -> None:
    late = definition is LATE
    pair = [
        made(name, seed, 3, clips=60, domains=("source", "target") if late else ("source",), together=late, scale=0.1)
        for name, seed in (("a", 1), ("b", 2))
    ]
    measured = [measure(checked(one), definition) for one in pair]
    sides = [contributions(one, one.values, "harmonic") for one in measured]
    fast = spread([(1, sides[0]), (-1, sides[1])], as_they_are=True)
    draws: list[list[Floats]] = [[] for _ in range(6)]
    for files in zip(*(one.sample.files for one in measured), strict=True):
        one = files[0]
        found = resample_together(
            one.clips if not late else [f"{d}{c}" for d, c in zip(one.domains, one.clips, strict=True)],
            one.labels,
            [row for file in files for row in file.scores],
            one.domains if late else None,
            count=2000,
            seed=len(draws[0]),
        )
        for own, drawn in zip(draws, found, strict=True):
            own += [*drawn.own.values(), drawn.pauc] if late else [drawn.auc, drawn.pauc]
    scores = np.stack([harmonic(own) for own in draws])
    gaps = scores[:3].mean(axis=0) - scores[3:].mean(axis=0)
    assert sides[0].estimate - sides[1].estimate == pytest.approx(gaps[0], abs=1e-12)
    assert fast.error == pytest.approx(gaps[1:].std(), rel=0.1)


def test_units_and_machines_add_by_their_weights() -> None:
    sample = made("a", 1, 4)
    of_all = spread([(1, of_auc(sample))])
    parts = [
        spread([(1, of_auc(Sample("a", tuple(one for one in sample.files if one.unit == unit))))])
        for unit in ("fan", "pump")
    ]
    assert of_all.training_part == pytest.approx(sum(one.training_part for one in parts) / 4)
    assert of_all.clip_part == pytest.approx(sum(one.clip_part for one in parts) / 4)


def test_cells_of_one_fit_move_together() -> None:
    sample = made("a", 1, 4, machines=("fan",), clips=30)
    measured = measure(checked(sample), MIDDLE)
    areas = np.array(
        [own.values[value] for own in measured.files.values() for value in own.values if value[1] == "auc"]
    )
    found = spread([(1, of_auc(sample))])
    assert found.training_part == pytest.approx(areas.mean(axis=0).var(ddof=1) / 4)


def test_a_fit_of_everything_is_one_unit() -> None:
    sample = made("a", 1, 4)
    everything = Sample("a", tuple(Scored(f.file, "all", f.fits, f.labels, f.scores, f.clips) for f in sample.files))
    assert spread([(1, of_auc(everything))]).fits.tolist() == [4]


def test_systems_with_other_units_are_compared() -> None:
    one = made("a", 1, 4)
    two = Sample(
        "b", tuple(Scored(f.file, str(f.file), f.fits, f.labels, f.scores, f.clips) for f in made("b", 2, 3).files)
    )
    found = spread([(1, of_auc(one)), (-1, of_auc(two))])
    assert found.fits.tolist() == [4, 4, 3, 3, 3, 3]


def test_clip_part_is_not_below_zero() -> None:
    assert Spread(np.zeros(1), np.array([3]), np.array([-1.0]), np.array([9.0])).clip_part == 0


def test_p_is_below_five_percent_exactly_where_the_interval_leaves_out_zero() -> None:
    found = spread([(1, of_auc(made("a", 1, 3))), (-1, of_auc(made("b", 2, 2)))])
    reach = found.reach(0.95)
    assert 2 * found.beyond(reach) == pytest.approx(0.05)
    assert found.beyond(1.01 * reach) < 0.025 < found.beyond(0.99 * reach)
    assert found.beyond(-reach) == pytest.approx(0.975)
    assert found.beyond(0) == pytest.approx(0.5)


def test_p_of_one_part_is_students() -> None:
    found = Spread(np.array([4.0]), np.array([4]), np.zeros(1), np.array([9.0]))
    assert found.beyond(2.353363) == pytest.approx(0.05, abs=1e-6)  # t of 3 degrees of freedom, error 1


def test_seeds_needed_are_the_fewest_that_do() -> None:
    found = Spread(np.array([0.02**2, 0.02**2]), np.array([3, 3]), np.array([1e-6]), np.array([100.0]))
    needed = seeds_needed(found, 0.01)
    assert needed is not None
    assert found.with_seeds(needed).reach(0.95) <= 0.01 < found.with_seeds(needed - 1).reach(0.95)


def test_no_number_of_seeds_helps_where_clips_are_too_few() -> None:
    found = Spread(np.array([1e-6]), np.array([3]), np.array([0.01**2]), np.array([100.0]))
    assert seeds_needed(found, 0.01) is None


def test_seeds_do_not_help_what_is_deterministic() -> None:
    assert (
        seeds_needed(Spread(np.zeros(0), np.zeros(0, dtype=np.int64), np.array([1e-6]), np.array([9.0])), 0.01) is None
    )


def test_year_2020_is_one_cell_a_section() -> None:
    sample = made("a", 1, 3, domains=("",))
    measured = measure(checked(sample), EARLY)
    assert next(value for value in measured.values if value[1] == "auc") == (Cell("fan", "00", ""), "auc")
    assert len(measured.values) == len(sample.files) * len(RANKING)
