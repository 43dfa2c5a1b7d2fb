"""Anybody's challenge files beside a published table."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.api import Cell
from asdbench.datasets.years import YEARS
from asdbench.errors import UsageError
from asdbench.judging.verdicts import VERDICTS, count, mean_difference, summary
from asdbench.published import tables
from asdbench.reports.text.verdicts import render
from asdbench.results.intervals import intervals
from asdbench.running.run import run
from asdbench.submissions.against import against, other_clips
from asdbench.submissions.export import export
from asdbench.submissions.scoring import score_folder
from tests.conftest import MakeFeatures

TABLE = "narita2021/table-3"


@pytest.mark.shared
def test_a_real_run_of_the_baseline_agrees_with_the_organizers_table(shared: Path) -> None:
    scored = score_folder(shared / "real" / "scores_dcase2021_dev_baseline_ae", YEARS[2021])
    values = against(scored, tables()[TABLE])
    assert [count(values, verdict) for verdict in VERDICTS] == [1, 83, 0, 0, 0]
    assert mean_difference(values) == pytest.approx(0.0995910, abs=1e-6)
    assert summary(values) == ("84 of 84 cells within the interval (1 equal to rounding); mean difference +0.1 points")
    found = {(value.cell, value.metric): value for value in values}
    assert found[Cell("valve", "00", "target"), "pauc"].verdict == "equal to rounding"
    assert found[Cell("pump", "01", "target"), "auc"].difference == pytest.approx(5.40, abs=0.005)
    assert other_clips(scored, tables()[TABLE]) == ()


@pytest.mark.shared
def test_the_same_run_is_not_taken_for_another_system(shared: Path) -> None:
    scored = score_folder(shared / "real" / "scores_dcase2021_dev_baseline_ae", YEARS[2021])
    values = against(scored, tables()["narita2021/table-6"])
    text = render(tables()["narita2021/table-6"], values)
    assert count(values, "outside") == 63
    assert text.count("| outside") == 63
    partly = against(scored, tables()["organizers/ae-readme"])
    assert count(partly, "not published") == 60
    assert summary(partly).endswith("; 60 not published")


def test_the_intervals_are_those_of_the_result_folder(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = f"features:{make_features(shift=0.3, test=12)}"
    (folder,) = run(features, "mvg", results=tmp_path / "results", cache=tmp_path / "cache").folders
    kept = intervals(folder)["dev"].cells
    export(folder, tmp_path / "out", YEARS[2021])
    scored = score_folder(tmp_path / "out", YEARS[2021])
    table = tables()[TABLE]
    values = against(scored, table)
    assert len(values) == 16
    for value in values:
        own = kept[value.cell, value.metric]
        assert value.bounds == pytest.approx((100 * own.low, 100 * own.high))
    odd = other_clips(scored, table)
    assert len(odd) == 8
    assert summary(values, odd).endswith("; 16 of the 16 of other clips")
    assert "Other clips than the published cell: fan 00 source" in render(table, values, odd)


@pytest.mark.shared
def test_other_years_and_evaluation_sets_are_refused(shared: Path) -> None:
    scored = score_folder(shared / "real" / "scores_dcase2022_dev_baseline_ae", YEARS[2022])
    with pytest.raises(UsageError, match="of DCASE 2021"):
        against(scored, tables()[TABLE])
    scored = score_folder(shared / "conformance" / "dcase2021_evaluator" / "submission", YEARS[2021], partial=True)
    assert scored.part == "evaluation"
    with pytest.raises(UsageError, match="of the development set"):
        against(scored, tables()[TABLE])
