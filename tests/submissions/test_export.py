"""Results to a submission and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.api import DOMAINS, Cell
from asdbench.datasets.shipped_truth import labels_2021, shipped
from asdbench.datasets.years import YEARS, Unit
from asdbench.errors import DataError, UsageError
from asdbench.results.results_folder import seed_folder
from asdbench.results.scoring import evaluate
from asdbench.results.seed_folder import SeedFolder
from asdbench.running.run import run
from asdbench.submissions.export import choose, export
from asdbench.submissions.scoring import score_folder
from tests.conftest import MakeFeatures
from tests.submissions.conftest import clip_names

YEAR = YEARS[2021]
ENTRY: dict[str, Any] = {
    **{name: {} for name in ("key", "formula", "fits", "failed", "impossible", "files")},
    "dataset": "toy",
    "stamps": [],
    "constant": [],
    "thresholds": {},
}
METRICS = ("auc", "pauc", "precision", "recall", "f1", "n_normal", "n_anomaly")


def fill(results: Path, *, system: str = "mine", seed: int = 777, dataset: str = "toy") -> SeedFolder:
    """A seed folder as a run would write it: fan and pump, sections 00 and 01."""
    folder = seed_folder(results, dataset, system, seed)
    draws = np.random.default_rng(seed)
    machines: dict[str, Any] = {}
    for cell in (Cell(m, s, d) for m in ("fan", "pump") for s in ("00", "01") for d in DOMAINS):
        clips = [f"{cell.machine}/{name}" for name in clip_names(YEAR, Unit(cell.machine, cell.section, cell.domain))]
        scores = draws.standard_normal(len(clips))
        folder.files.write_scores(cell, clips, scores)
        folder.files.write_decisions(cell, clips, (scores > 0).astype(int).tolist())
        entry = machines.setdefault(cell.machine, {**ENTRY, "cells": {}})
        entry["cells"][f"{cell.section}/{cell.domain}"] = None
    folder.write_manifest({"machines": machines, "stamps": [], "system": {}, "dataset": {}, "seed": seed})
    return folder


def change(folder: SeedFolder, machine: str, **entry: Any) -> None:
    manifest = folder.manifest()
    manifest["machines"][machine].update(entry)
    folder.write_manifest({key: value for key, value in manifest.items() if key != "format"})


def test_a_run_exported_and_scored_has_the_metrics_of_the_run(make_features: MakeFeatures, tmp_path: Path) -> None:
    data = make_features(sections=("00", "01", "02"))
    run(f"features:{data}", "mvg", results=tmp_path / "results", cache=tmp_path / "cache")
    folder = choose(tmp_path / "results")
    done = export(folder, tmp_path / "out", YEAR)
    assert (done.part, done.files) == ("dev", 24)
    (remark,) = done.remarks
    assert "no clips of the evaluation set" in remark
    scored = score_folder(tmp_path / "out", YEAR)
    theirs = {cell.cell: cell for cell in evaluate(folder)}
    assert len(scored.cells) == len(theirs) == 12
    for cell in scored.cells:
        own = theirs[Cell(cell.machine, cell.section, cell.domain or "")]
        assert [getattr(cell, name) for name in METRICS] == [getattr(own, name) for name in METRICS]


def test_a_result_folder_itself_can_be_scored(tmp_path: Path) -> None:
    folder = fill(tmp_path)
    export(folder, tmp_path / "out", YEAR)
    assert score_folder(folder.path, YEAR).cells == score_folder(tmp_path / "out", YEAR).cells


def test_files_are_those_of_the_challenge(tmp_path: Path) -> None:
    folder = fill(tmp_path)
    export(folder, tmp_path / "out", YEAR)
    assert len(list((tmp_path / "out").iterdir())) == 16
    cell = Cell("pump", "01", "target")
    clips, scores = folder.files.scores(cell)
    lines = (tmp_path / "out" / "anomaly_score_pump_section_01_target_test.csv").read_text()
    assert lines.endswith("\n")
    rows = [line.split(",") for line in lines.splitlines()]
    assert rows == sorted(rows)
    assert {name: float(value) for name, value in rows} == {
        clip.partition("/")[2]: score for clip, score in zip(clips, scores, strict=True)
    }
    decisions = (tmp_path / "out" / "decision_result_pump_section_01_target_test.csv").read_text().splitlines()
    assert {line.rpartition(",")[2] for line in decisions} == {"0", "1"}


def test_another_years_files_hold_both_domains(tmp_path: Path) -> None:
    folder = fill(tmp_path)
    with pytest.raises(DataError, match="unknown machine type pump"):
        export(folder, tmp_path / "out", YEARS[2022])
    done = export(folder, tmp_path / "out", YEARS[2022], partial=True)
    assert any("pump" in remark for remark in done.remarks)
    assert (tmp_path / "out" / "anomaly_score_fan_section_00_test.csv").read_text().count("\n") == 16


def test_an_evaluation_set_is_held_against_the_ground_truth(tmp_path: Path) -> None:
    results = tmp_path / "results"
    folder = fill(results)
    truth = shipped(YEAR)
    assert truth is not None
    manifest = folder.manifest()
    for unit, answers in truth.clips.items():
        cell = Cell(*unit)
        clips = list(answers)
        folder.files.write_scores(cell, clips, np.array([float(answers[clip].label) for clip in clips]))
        folder.files.write_decisions(cell, clips, [answers[clip].label for clip in clips])
        entry = manifest["machines"].setdefault(unit.machine, {**ENTRY, "cells": {}})
        entry["cells"][f"{unit.section}/{unit.domain}"] = None
    folder.write_manifest(manifest)
    done = export(folder, tmp_path / "out", YEAR)
    assert (done.part, done.files) == ("eval", 84)
    assert "left out: 8 score files of the development set" in done.remarks[0]
    assert score_folder(tmp_path / "out", YEAR).summary.official_score == pytest.approx(1)
    assert export(folder, tmp_path / "dev", YEAR, "dev").files == 16
    cell = Cell("valve", "05", "target")
    clips, scores = folder.files.scores(cell)
    folder.files.write_scores(cell, clips[1:], scores[1:])
    with pytest.raises(DataError, match=f"{clips[0]} is missing: 199 of 200"):
        export(folder, tmp_path / "short", YEAR)
    assert not (tmp_path / "short").exists()
    assert ("valve", clips[0]) in labels_2021()


@pytest.mark.parametrize("partial", [False, True])
def test_missing_cells_and_thresholds_are_named(tmp_path: Path, partial: bool) -> None:
    folder = fill(tmp_path / "results")
    (folder.path / "anomaly_score_fan_section_00_source_test.csv").unlink()
    change(folder, "fan", cells={**folder.manifest()["machines"]["fan"]["cells"], "01/target": "diverged"})
    (folder.path / "anomaly_score_fan_section_01_target_test.csv").unlink()
    for path in folder.path.glob("decision_result_pump_*"):
        path.unlink()
    none = {"value": None, "reason": "all 6 training scores are equal", "clips": 6, "sections": ["00", "01"]}
    change(folder, "pump", thresholds={"pump": none})
    words = [
        "fan 00 source has no scores: its score file is gone",
        "fan 01 target has no scores: diverged",
        "pump has no decisions: all 6 training scores are equal",
    ]
    if partial:
        done = export(folder, tmp_path / "out", YEAR, partial=True)
        assert list(done.remarks[:3]) == words
        assert done.files == 2 + 2 + 4
        return
    with pytest.raises(DataError) as caught:
        export(folder, tmp_path / "out", YEAR)
    assert caught.value.looked.splitlines() == words
    assert "--partial" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_what_score_would_refuse_is_not_written(tmp_path: Path) -> None:
    folder = fill(tmp_path / "results")
    cell = Cell("fan", "00", "source")
    folder.files.write_scores(cell, ["one.wav", "two.wav"], np.array([1.0, 2.0]))
    folder.files.write_decisions(cell, ["one.wav", "two.wav"], [0, 1])
    with pytest.raises(DataError, match=r"fan_section_00_source_test\.csv, line 1: one\.wav is no"):
        export(folder, tmp_path / "out", YEAR, "dev")
    folder.files.write_scores(cell, ["a/one.wav", "b/one.wav"], np.array([1.0, 2.0]))
    with pytest.raises(DataError, match="same base name"):
        export(folder, tmp_path / "out", YEAR, "dev")
    assert not (tmp_path / "out").exists()


def test_the_output_folder_must_be_empty_or_given_up(tmp_path: Path) -> None:
    folder = fill(tmp_path / "results")
    export(folder, tmp_path / "out", YEAR)
    stale = tmp_path / "out" / "anomaly_score_toaster_section_00_source_test.csv"
    stale.write_text("old")
    with pytest.raises(UsageError, match="--replace"):
        export(folder, tmp_path / "out", YEAR)
    export(folder, tmp_path / "out", YEAR, replace=True)
    assert not stale.exists()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="another folder"):
        export(folder, tmp_path / "out", YEAR, replace=True)
    assert (tmp_path / "out" / "notes.txt").exists()


def test_one_system_and_seed_are_chosen(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for system, seed in (("mine", 1), ("mine", 2), ("yours", 1)):
        fill(results, system=system, seed=seed)
    fill(results, dataset="other")
    with pytest.raises(UsageError, match=r"several data sets.*--dataset"):
        choose(results)
    with pytest.raises(UsageError, match=r"several systems.*mine, yours.*--system"):
        choose(results, "toy")
    with pytest.raises(UsageError, match=r"several seeds.*1, 2.*--seed"):
        choose(results, "toy", "mine")
    assert choose(results, "toy", "mine", 2).path == results / "toy" / "mine" / "seed-2"
    assert choose(results, system="yours").system == "yours"
    with pytest.raises(UsageError, match="did you mean 'yours'"):
        choose(results, "toy", "your")
    with pytest.raises(UsageError, match="unknown seed"):
        choose(results, "toy", "mine", 3)


def test_a_folder_inside_the_results_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "results")
    for path in (folder.path, folder.path.parent, folder.path.parent.parent, tmp_path / "results"):
        found = choose(path)
        assert (found.dataset, found.system, found.seed) == ("toy", "mine", 777)
    monkeypatch.chdir(folder.path)
    assert choose(Path()).system == "mine"
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no results"):
        choose(tmp_path / "empty")


def test_a_clip_name_that_is_no_csv_field_is_refused(tmp_path: Path) -> None:
    folder = fill(tmp_path / "results")
    cell = Cell("fan", "00", "source")
    clips, scores = folder.files.scores(cell)
    clips[0] = "a,b.wav"
    folder.files.write_scores(cell, clips, scores)
    with pytest.raises(DataError, match="cannot stand in a submission"):
        export(folder, tmp_path / "out", YEAR)
    assert json.loads((folder.path / "manifest.json").read_text())["format"] == 2
