"""Anybody's challenge files beside a published table."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.api import Cell
from asdbench.datasets.years import YEARS
from asdbench.errors import UsageError
from asdbench.published import tables
from asdbench.reports.content.reproduction import summary
from asdbench.reports.text.against import render
from asdbench.results.scoring import evaluate
from asdbench.running.run import run
from asdbench.submissions.against import against, other_clips
from asdbench.submissions.export import export
from asdbench.submissions.scoring import score_folder
from tests.conftest import MakeFeatures

TABLE = "narita2021/table-3"


@pytest.mark.shared
def test_a_real_run_of_the_baseline_beside_the_organizers_table(shared: Path) -> None:
    scored = score_folder(shared / "real" / "scores_dcase2021_dev_baseline_ae", YEARS[2021])
    found = against(scored, tables()[TABLE])
    assert found.mean_difference == pytest.approx(0.000995910, abs=1e-8)
    assert {one.outcome for one in found.cells.values()} == {"cannot be told"}
    assert summary(found).startswith(
        "one training of ours: cannot be told; mean difference +0.1 points over 84 values."
    )
    assert found.cells[Cell("pump", "01", "target"), "auc"].difference == pytest.approx(0.0540, abs=5e-5)
    official = found.overall["official"]
    assert (100 * official.ours, 100 * official.published) == pytest.approx((57.385, 57.280), abs=0.001)
    assert found.overall["official"].ours == pytest.approx(scored.summary.official_score)
    assert other_clips(scored, tables()[TABLE]) == ()


@pytest.mark.shared
def test_told_that_it_is_deterministic_values_are_equal_to_rounding_or_not(shared: Path) -> None:
    scored = score_folder(shared / "real" / "scores_dcase2021_dev_baseline_ae", YEARS[2021])
    found = against(scored, tables()[TABLE], deterministic=True)
    equal = [value for value, one in found.cells.items() if one.outcome == "reproduced"]
    assert equal == [(Cell("valve", "00", "target"), "pauc")]
    assert summary(found).startswith("of 7 machines (official score; deterministic: equal to rounding or not) 0 repro")
    assert render(found).count(" ✓ |") == 1
    partly = against(scored, tables()["organizers/ae-readme"])
    assert partly.unpublished == 60
    assert list(partly.machines) == ["fan", "valve"]
    assert "; 60 not published. " in summary(partly)


def test_the_values_are_those_of_the_result_folder(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = f"features:{make_features(shift=0.3, test=12)}"
    (folder,) = run(features, "mvg", results=tmp_path / "results", cache=tmp_path / "cache").folders
    own = {cell.cell: cell for cell in evaluate(folder)}
    export(folder, tmp_path / "out", YEARS[2021])
    scored = score_folder(tmp_path / "out", YEARS[2021])
    table = tables()[TABLE]
    found = against(scored, table)
    assert len(found.cells) == 16
    printed: dict[tuple[Cell, str], float] = {(Cell(*place), of): value for (*place, of), value in table.cells.items()}
    for (cell, metric), value in found.cells.items():
        assert value.ours == own[cell].value(metric)
        assert value.published == printed[cell, metric] / 100
    odd = other_clips(scored, table)
    assert len(odd) == 8
    assert "; 16 of the 16 of other clips. " in summary(found, odd)
    assert "Other clips than the published cell: fan 00 source" in render(found, odd)


@pytest.mark.shared
def test_other_years_and_evaluation_sets_are_refused(shared: Path) -> None:
    scored = score_folder(shared / "real" / "scores_dcase2022_dev_baseline_ae", YEARS[2022])
    with pytest.raises(UsageError, match="of DCASE 2021"):
        against(scored, tables()[TABLE])
    scored = score_folder(shared / "conformance" / "dcase2021_evaluator" / "submission", YEARS[2021], partial=True)
    assert scored.part == "evaluation"
    with pytest.raises(UsageError, match="of the development set"):
        against(scored, tables()[TABLE])
