"""Each year's definition, against scikit-learn and against slow, plain code."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.metrics.aggregate import CellMetrics
from asdbench.metrics.challenge import DEFINITIONS, Group, score_group, summarise
from asdbench.metrics.roc import auc, pauc

CLIPS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-4, 4), st.integers(0, 1), st.sampled_from(["source", "target"])),
    min_size=4,
    max_size=40,
)


CELL = Cell("fan", "00", "source")


def group(clips: list[tuple[int, int, int, str]], domain: str = "") -> Group:
    labels, scores, decisions, domains = zip(*clips, strict=True)
    return Group(
        Cell("fan", "00", domain), np.array(labels), np.array(scores, np.float64), np.array(decisions), list(domains)
    )


def own(labels: list[int], scores: list[float], decisions: list[int] | None = None) -> Group:
    made = None if decisions is None else np.array(decisions, dtype=np.int64)
    return Group(CELL, np.array(labels, dtype=np.int64), np.array(scores, dtype=np.float64), made)


def prf(labels: Any, decisions: Any) -> list[float]:
    values = precision_recall_fscore_support(labels, decisions, average="binary", zero_division=0)
    return [float(value) for value in values[:3]]


@given(CLIPS)
def test_2022_is_the_domains_normal_clips_against_all_anomalies(clips: list[tuple[int, int, int, str]]) -> None:
    given_ = group(clips)
    cells = score_group(DEFINITIONS[2022], given_)
    assert [cell.domain for cell in cells] == sorted({domain for *_, domain in clips})
    normal = {domain for label, _, _, domain in clips if not label}
    anomalies = any(label for label, *_ in clips)
    for cell in cells:
        assert (cell.reason is None) == (cell.domain in normal and anomalies)
        if cell.reason is not None:
            assert "one class only" in cell.reason
            assert (cell.auc, cell.pauc, cell.f1) == (None, None, None)
            continue
        partial = roc_auc_score(given_.labels, given_.scores, max_fpr=0.1)
        against = [clip for clip in clips if clip[0] or clip[3] == cell.domain]
        own = [clip for clip in clips if clip[3] == cell.domain]
        assert cell.auc == pytest.approx(roc_auc_score([c[0] for c in against], [c[1] for c in against]), abs=1e-12)
        assert cell.pauc == pytest.approx(partial, abs=1e-12)
        assert [cell.precision, cell.recall, cell.f1] == pytest.approx(prf([c[0] for c in own], [c[2] for c in own]))
        assert (cell.n_normal, cell.n_anomaly) == (sum(not c[0] for c in own), sum(c[0] for c in own))


@given(CLIPS, st.sampled_from([(2020, ""), (2021, "source"), (2021, "target")]))
def test_2020_and_2021_are_over_the_files_own_clips(
    clips: list[tuple[int, int, int, str]], case: tuple[int, str]
) -> None:
    year, domain = case
    given_ = group(clips, domain)
    (cell,) = score_group(DEFINITIONS[year], given_)
    assert cell.domain == domain
    assert (cell.auc is None) == (len(set(given_.labels.tolist())) == 1)
    if cell.auc is None:
        return
    assert cell.auc == pytest.approx(roc_auc_score(given_.labels, given_.scores), abs=1e-12)
    assert cell.pauc == pytest.approx(roc_auc_score(given_.labels, given_.scores, max_fpr=0.1), abs=1e-12)
    assert [cell.precision, cell.recall, cell.f1] == pytest.approx(prf(given_.labels, given_.decisions))


def test_a_cell_with_everything() -> None:
    labels, scores = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    (metrics,) = score_group(DEFINITIONS[2021], own(labels, scores, [0, 1, 0, 1]))
    assert metrics == CellMetrics(
        "fan", "00", "source", auc(labels, scores), pauc(labels, scores), 0.5, 0.5, 0.5, n_normal=2, n_anomaly=2
    )
    assert metrics.cell == CELL
    assert [metrics.value(name) for name in ("auc", "precision")] == [0.75, 0.5]


def test_without_decisions_the_ranking_still_counts() -> None:
    (metrics,) = score_group(DEFINITIONS[2021], own([0, 1], [0.0, 1.0]))
    assert (metrics.auc, metrics.pauc) == (1, 1)
    assert (metrics.precision, metrics.recall, metrics.f1) == (None, None, None)
    assert metrics.reason == "no decisions"


@pytest.mark.parametrize(
    ("labels", "scores", "counts", "reason"),
    [
        ([0, 0, 0], [1.0, 2.0, 3.0], (3, 0), "one class only: 3 clips, all normal"),
        ([1, 1], [1.0, 2.0], (0, 2), "one class only: 2 clips, all anomaly"),
        ([1], [1.0], (0, 1), "one class only: 1 clip, all anomaly"),
        ([-1, -1], [1.0, 2.0], (0, 0), "labels unknown"),
        ([0, -1], [1.0, 2.0], (1, 0), "one class only: 1 clip, all normal"),
        ([0, 1], [1.0, np.nan], (1, 1), "1 of 2 scores are not finite"),
        ([], [], (0, 0), "no clips"),
    ],
)
def test_a_cell_that_cannot_be_scored_says_why(
    labels: list[int], scores: list[float], counts: tuple[int, int], reason: str
) -> None:
    (metrics,) = score_group(DEFINITIONS[2021], own(labels, scores, [0] * len(scores)))
    assert [metrics.auc, metrics.pauc, metrics.precision, metrics.recall, metrics.f1] == [None] * 5
    assert (metrics.n_normal, metrics.n_anomaly) == counts
    assert metrics.reason == reason


@pytest.mark.parametrize(
    ("labels", "scores", "decisions", "says"),
    [
        ([0, 1, 1], [1.0, 2.0], None, "fan 00 source: labels and scores differ in length"),
        ([0, 1], [1.0, 2.0], [1], "fan 00 source: decisions and scores differ in length"),
        ([0, 2], [1.0, 2.0], None, "fan 00 source: a label is none of 0, 1 and -1; among them 0, 2"),
        ([0, 1], [1.0, 2.0], [0, 7], "fan 00 source: the decisions are not a list of 0 and 1"),
    ],
)
def test_rows_that_do_not_fit_are_errors_that_name_the_cell(
    labels: list[int], scores: list[float], decisions: list[int] | None, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        score_group(DEFINITIONS[2021], own(labels, scores, decisions))


def test_a_domain_that_nobody_knows_has_no_metrics_but_its_anomalies_count() -> None:
    made = Group(
        Cell("fan", "00", ""), np.array([0, 1, 1]), np.array([0.0, 1.0, -1.0]), domains=["source", "source", ""]
    )
    source, unknown = score_group(DEFINITIONS[2024], made)
    assert (source.auc, source.n_anomaly) == (0.5, 1)
    assert (unknown.auc, unknown.reason) == (None, "domain of 1 of 3 clips unknown")


def test_what_the_columns_of_each_year_are() -> None:
    assert DEFINITIONS[2020].columns() == (("", "auc"), ("", "pauc"))
    four = tuple((domain, metric) for metric in ("auc", "pauc") for domain in ("source", "target"))
    assert DEFINITIONS[2021].columns() == four
    assert DEFINITIONS[2025].columns() == (("source", "auc"), ("target", "auc"), ("", "pauc"))


def cell(section: str, domain: str, area: float, partial: float, f1: float | None = None) -> CellMetrics:
    return CellMetrics("fan", section, domain, area, partial, f1, f1, f1, 1, 1)


def test_the_official_score_of_each_year() -> None:
    cells = [
        cell(section, domain, area, partial)
        for section, partial in (("00", 0.5), ("01", 0.7))
        for domain, area in (("source", 0.9), ("target", 0.6))
    ]
    everything = [value for one in cells for value in (one.auc, one.pauc) if value is not None]
    ids = [cell("00", "", 0.9, 0.5), cell("02", "", 0.6, 0.7)]
    assert summarise(DEFINITIONS[2020], ids).official_score == pytest.approx(statistics.fmean([0.9, 0.5, 0.6, 0.7]))
    assert summarise(DEFINITIONS[2021], cells).official_score == pytest.approx(statistics.harmonic_mean(everything))
    once = [0.9, 0.6, 0.9, 0.6, 0.5, 0.7]
    for year in range(2022, 2027):
        summary = summarise(DEFINITIONS[year], cells)
        assert summary.official_score == pytest.approx(statistics.harmonic_mean(once))
        assert summary.means["pauc"].count == 2
        assert summary.means["auc"].count == 4


def test_a_value_of_zero_is_floored_in_harmonic_means_only() -> None:
    cells = [cell("00", "source", 0.0, 0.5), cell("00", "target", 1.0, 0.5)]
    summary = summarise(DEFINITIONS[2021], cells)
    assert summary.means["auc"].arithmetic == 0.5
    assert 0 < summary.means["auc"].harmonic < 1e-15
    assert 0 < summary.official_score < 1e-15


def test_a_metric_that_a_row_lacks_has_no_mean() -> None:
    cells = [cell("00", "source", 0.5, 0.5, f1=0.2), cell("00", "target", 0.5, 0.5)]
    assert set(summarise(DEFINITIONS[2021], cells).means) == {"auc", "pauc"}


def test_no_rows_have_no_score() -> None:
    with pytest.raises(DataError, match="nothing to take a mean of"):
        summarise(DEFINITIONS[2021], [])


@pytest.mark.parametrize("year", [2020, 2021, 2022])
def test_clips_of_unknown_label_take_nothing_from_the_others(year: int) -> None:
    draws = np.random.default_rng(year)
    domains = ["source" if number % 2 else "target" for number in range(20)]
    group = Group(
        Cell("fan", "00", "source" if year == 2021 else ""),
        np.array([0, 0, 1, 1] * 5),
        draws.standard_normal(20),
        np.array([0, 1] * 10),
        domains,
    )
    more = Group(
        group.file,
        np.concatenate([group.labels, [-1] * 5]),
        np.concatenate([group.scores, draws.standard_normal(4) + 9, [np.nan]]),
        np.concatenate([np.asarray(group.decisions), [1] * 5]),
        [*domains, "source", "", "", "target", ""],
    )
    alone, beside = (score_group(DEFINITIONS[year], one) for one in (group, more))
    assert {cell.n_unlabelled for cell in alone} == {0}
    assert {cell.n_unlabelled for cell in beside} == {5}
    assert [replace(cell, n_unlabelled=0) for cell in beside] == alone
    assert all(cell.auc is not None for cell in alone)
