from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asdbench.api import Cell
from asdbench.metrics.intervals import PAUC_FLOOR
from asdbench.results import intervals as uncertainty
from asdbench.results.intervals import FEWEST, intervals
from asdbench.results.seed_folder import SeedFolder
from tests.reports.content.test_tables import fill


def folder(tmp_path: Path) -> SeedFolder:
    cells = [Cell("fan", "00", "source"), Cell("fan", "00", "target"), Cell("pump", "01", "source")]
    fill(tmp_path, cells=cells)
    return SeedFolder(tmp_path / "dcase2021" / "clvae" / "seed-777")


def test_every_cell_and_every_aggregate_has_an_interval_around_its_value(tmp_path: Path) -> None:
    found = intervals(folder(tmp_path))["dev"]
    assert len(found.cells) == 6
    assert (
        set(found.arithmetic) == set(found.harmonic) == {(d, m) for d in ("source", "target") for m in ("auc", "pauc")}
    )
    assert found.official is not None
    for one in [
        *found.cells.values(),
        *found.arithmetic.values(),
        *found.harmonic.values(),
        *found.overall.values(),
        found.official,
    ]:
        assert one.low < one.estimate < one.high
    assert min(i.low for (_, metric), i in found.cells.items() if metric == "pauc") >= PAUC_FLOOR
    source = [i.estimate for (cell, metric), i in found.cells.items() if cell.domain == "source" and metric == "auc"]
    assert found.arithmetic["source", "auc"].estimate == pytest.approx(np.mean(source))
    for what in ("auc", "pauc"):
        every = [i.estimate for (_, metric), i in found.cells.items() if metric == what]
        assert found.overall[what].estimate == pytest.approx(np.mean(every))


@pytest.mark.parametrize(
    ("clips", "means"),
    [
        (1, set()),
        (FEWEST["auc"] - 1, set()),
        (FEWEST["auc"], {"auc"}),
        (FEWEST["pauc"] - 1, {"auc"}),
        (FEWEST["pauc"], {"auc", "pauc"}),
    ],
)
def test_means_over_cells_of_few_clips_have_none_but_cells_do(tmp_path: Path, clips: int, means: set[str]) -> None:
    fill(tmp_path, cells=[Cell("fan", "00", "source")], count=100)
    fill(tmp_path, cells=[Cell("fan", "00", "source"), Cell("fan", "00", "target")], count=clips, seed=778)
    many, few = (intervals(SeedFolder(tmp_path / "dcase2021" / "clvae" / f"seed-{n}"))["dev"] for n in (777, 778))
    assert many.official is not None
    assert {metric for _, metric in few.arithmetic} == {metric for _, metric in few.harmonic} == means
    assert (few.official is not None) == bool(means)
    assert len(few.cells) == 4
    assert all(one.low < one.high for one in few.cells.values())


def test_they_are_computed_once_and_again_when_a_score_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = folder(tmp_path)
    first = intervals(where)
    with monkeypatch.context() as patch:
        patch.setattr(uncertainty, "resample", None)
        assert intervals(where) == first
    clips, scores = where.files.scores(Cell("fan", "00", "source"))
    where.files.write_scores(Cell("fan", "00", "source"), clips, -scores)
    assert intervals(where) != first


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"scores": 1}'])
def test_a_damaged_file_is_made_again(tmp_path: Path, text: str) -> None:
    where = folder(tmp_path)
    first = intervals(where)
    (where.path / "metrics.json").write_text(text)
    assert intervals(where) == first
    assert "official" in (where.path / "metrics.json").read_text()
