"""Each year's definition, against scikit-learn and against slow, plain code."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from asdbench.errors import DataError
from asdbench.metrics.challenge import DEFINITIONS, ChallengeCell, Group, missing_class, score_group, summarise

CLIPS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-4, 4), st.integers(0, 1), st.sampled_from(["source", "target"])),
    min_size=4,
    max_size=40,
)


def group(clips: list[tuple[int, int, int, str]], domain: str | None = None) -> Group:
    labels, scores, decisions, domains = zip(*clips, strict=True)
    return Group(
        "fan", "00", domain, np.array(labels), np.array(scores, dtype=np.float64), np.array(decisions), list(domains)
    )


def prf(labels: Any, decisions: Any) -> list[float]:
    values = precision_recall_fscore_support(labels, decisions, average="binary", zero_division=0)
    return [float(value) for value in values[:3]]


@given(CLIPS)
def test_2022_is_the_domains_normal_clips_against_all_anomalies(clips: list[tuple[int, int, int, str]]) -> None:
    given_ = group(clips)
    reason = missing_class(DEFINITIONS[2022], given_.labels, given_.domains)
    normal = {domain for label, _, _, domain in clips if not label}
    assert (reason is None) == (normal == {"source", "target"} and any(label for label, *_ in clips))
    if reason is not None:
        return
    cells = score_group(DEFINITIONS[2022], given_)
    assert [cell.domain for cell in cells] == ["source", "target"]
    partial = roc_auc_score(given_.labels, given_.scores, max_fpr=0.1)
    for cell in cells:
        against = [clip for clip in clips if clip[0] or clip[3] == cell.domain]
        own = [clip for clip in clips if clip[3] == cell.domain]
        assert cell.auc == pytest.approx(roc_auc_score([c[0] for c in against], [c[1] for c in against]), abs=1e-12)
        assert cell.pauc == pytest.approx(partial, abs=1e-12)
        assert [cell.precision, cell.recall, cell.f1] == pytest.approx(prf([c[0] for c in own], [c[2] for c in own]))
        assert (cell.n_normal, cell.n_anomaly) == (sum(not c[0] for c in own), sum(c[0] for c in own))


@given(CLIPS, st.sampled_from([(2020, None), (2021, "source"), (2021, "target")]))
def test_2020_and_2021_are_over_the_files_own_clips(
    clips: list[tuple[int, int, int, str]], case: tuple[int, str | None]
) -> None:
    year, domain = case
    given_ = group(clips, domain)
    if missing_class(DEFINITIONS[year], given_.labels, None) is not None:
        assert len(set(given_.labels.tolist())) == 1
        return
    (cell,) = score_group(DEFINITIONS[year], given_)
    assert cell.domain == domain
    assert cell.auc == pytest.approx(roc_auc_score(given_.labels, given_.scores), abs=1e-12)
    assert cell.pauc == pytest.approx(roc_auc_score(given_.labels, given_.scores, max_fpr=0.1), abs=1e-12)
    assert [cell.precision, cell.recall, cell.f1] == pytest.approx(prf(given_.labels, given_.decisions))


def cell(section: str, domain: str | None, area: float, partial: float, f1: float | None = None) -> ChallengeCell:
    return ChallengeCell("fan", section, domain, area, partial, f1, f1, f1, 1, 1)


def test_the_official_score_of_each_year() -> None:
    cells = [
        cell(section, domain, area, partial)
        for section, partial in (("00", 0.5), ("01", 0.7))
        for domain, area in (("source", 0.9), ("target", 0.6))
    ]
    everything = [value for one in cells for value in (one.auc, one.pauc)]
    assert summarise(DEFINITIONS[2020], cells).official_score == pytest.approx(statistics.fmean(everything))
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
