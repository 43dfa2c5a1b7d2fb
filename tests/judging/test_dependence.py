from __future__ import annotations

import csv
import itertools
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from asdbench.api import Cell
from asdbench.judging.dependence import Dependence, blocks, dependence, serial
from asdbench.judging.estimates import Estimates, estimates
from asdbench.judging.methods import compare
from asdbench.judging.samples import Sample, Scored, checked
from asdbench.metrics.challenge import DEFINITIONS

from .trainings import made

LATE, MIDDLE = DEFINITIONS[2023], DEFINITIONS[2021]


def test_test_is_exact_over_all_orders() -> None:
    values = np.array([0.3, 0.1, 0.9, 0.9, 0.4, 0.7])
    ranks = np.array([2, 1, 5.5, 5.5, 3, 4]) - 3.5
    sums = [float((own[1:] * own[:-1]).sum()) for own in map(np.array, itertools.permutations(ranks))]
    total = float((ranks[1:] * ranks[:-1]).sum())
    correlation, p = serial([values])
    assert correlation == pytest.approx((total - np.mean(sums)) / (ranks**2).sum())
    z = (total - np.mean(sums)) / np.std(sums)
    assert p == pytest.approx(1 - NormalDist().cdf(float(z)))


def test_independent_clips_are_found_as_often_as_by_chance() -> None:
    random = np.random.default_rng(1)
    p = [serial([random.standard_normal(100) for _ in range(3)])[1] for _ in range(1000)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.02)


def test_too_few_clips_show_nothing() -> None:
    assert serial([[1, 2, 3]]) == (0.0, 1.0)


def drifting(name: str, seed: int, fits: int = 3) -> Sample:
    """The fan's normal clips drift in name order."""
    sample = made(name, seed, fits, clips=60)
    wave = 3 * np.sin(np.arange(120) / 6)
    files = [
        replace(one, scores=one.scores + np.where(one.labels == 0, wave, 0)) if one.unit == "fan" else one
        for one in sample.files
    ]
    return replace(sample, files=tuple(files))


def test_a_drift_is_found_where_it_is() -> None:
    found = dependence([drifting("a", 1), drifting("b", 2)], MIDDLE)
    assert [(one.machine, one.label) for one in found if one.shows] == [("fan", 0)]


def widening(plain: Estimates, widened: Estimates) -> dict[str, float]:
    """By machine: the error of its mean AUC over blocks to that over clips."""
    errors = [{m: own["auc"].clip_error or 0.0 for m, own in one.machines.items()} for one in (plain, widened)]
    return {machine: errors[1][machine] / error for machine, error in errors[0].items()}


def test_blocks_widen_the_machine_that_hangs_together_and_no_other() -> None:
    sample = drifting("a", 1, 1)
    sample = replace(sample, deterministic=True)
    found = blocks([sample], MIDDLE, dependence([sample], MIDDLE))
    assert {file.machine for file in found} == {"fan"}
    plain, widened = estimates(sample, MIDDLE), estimates(sample, MIDDLE, clusters=found)
    ratio = {
        m: (widened.machines[m]["auc"].clip_error or 0) / (plain.machines[m]["auc"].clip_error or 1)
        for m in plain.machines
    }
    assert ratio["fan"] > 1.2
    assert ratio["pump"] == 1


def test_blocks_are_neighbours_within_class_and_about_equal() -> None:
    sample = checked(drifting("a", 1, 1))
    found = blocks([sample], MIDDLE, [Dependence("fan", 0, 0.4, 0.0)])[sample.files[0].file]
    normal, anomalous = found[:60], found[60:]
    assert np.bincount(np.unique(normal, return_inverse=True)[1]).tolist() == [10] * 6
    assert len(set(anomalous.tolist())) == 60


def test_single_clips_as_blocks_change_nothing() -> None:
    a, b = made("a", 1), made("b", 2)
    each = {one.file: np.arange(len(one.clips)) for one in checked(a).files}
    assert compare(a, b, MIDDLE, clusters=each) == compare(a, b, MIDDLE)


def test_blocks_stay_within_domains_of_a_section() -> None:
    sample = checked(made("a", 1, 2, domains=("source", "target"), together=True, clips=30))
    found = blocks([sample], LATE, [Dependence("fan", 0, 0.4, 0.0)])
    one = sample.files[0]
    pairs = set(zip(found[one.file].tolist(), one.labels.tolist(), one.domains, strict=True))
    assert len(pairs) == len(set(found[one.file].tolist()))


@pytest.fixture(scope="module")
def baseline(shared: Path) -> Sample:
    files = []
    for path in sorted((shared / "real" / "scores_dcase2021_dev_baseline_ae").glob("anomaly_score_*.csv")):
        machine, _, section, domain, _ = path.stem.removeprefix("anomaly_score_").split("_")
        with path.open(encoding="utf-8", newline="") as rows:
            names, scores = zip(*csv.reader(rows), strict=True)
        labels = np.array(["_anomaly_" in name for name in names], dtype=np.int64)
        values = np.array([scores], dtype=np.float64)
        files.append(Scored(Cell(machine, section, domain), machine, ("0",), labels, values, tuple(names)))
    return Sample("ae", tuple(files), deterministic=True)


@pytest.mark.shared
def test_the_official_baseline_hangs_together_on_toys_alone(baseline: Sample) -> None:
    found = {(one.machine, one.label): one for one in dependence([baseline], MIDDLE)}
    assert {key for key, one in found.items() if one.shows} == {("ToyTrain", 0), ("ToyTrain", 1), ("ToyCar", 1)}
    assert found["ToyTrain", 0].correlation == pytest.approx(0.36, abs=0.03)
    assert found["ToyTrain", 1].correlation == pytest.approx(0.41, abs=0.03)
    assert found["ToyCar", 1].correlation == pytest.approx(0.14, abs=0.03)


@pytest.mark.shared
def test_toytrains_errors_over_blocks_are_about_twice_those_over_clips(baseline: Sample) -> None:
    clusters = blocks([baseline], MIDDLE, dependence([baseline], MIDDLE))
    plain, widened = estimates(baseline, MIDDLE), estimates(baseline, MIDDLE, clusters=clusters)
    ratio = {
        m: (widened.machines[m]["auc"].clip_error or 0) / (plain.machines[m]["auc"].clip_error or 1)
        for m in plain.machines
    }
    assert ratio["ToyTrain"] == pytest.approx(2, abs=0.25)
    assert ratio["fan"] == 1
