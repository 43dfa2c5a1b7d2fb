"""Decisions of a run: each trained model has its own threshold for each machine."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import gamma

from asdbench.api import DOMAINS, Cell, Clip, Label, Part
from asdbench.datasets.features import write
from asdbench.errors import DataError
from asdbench.results.results_folder import results_in, seed_folders
from asdbench.results.seed_folder import SeedFolder
from tests.conftest import MakeFeatures
from tests.runs import go, plugin

PARTS: Mapping[str, Part] = {"00": "dev", "01": "dev", "03": "eval"}


def features(folder: Path, sections: Sequence[str], machines: Sequence[str] = ("fan",)) -> Path:
    """A folder of vectors, which are the same whatever other sections there are; evaluation ones are far larger."""
    clips, rows = [], []
    for machine, section, domain in itertools.product(machines, sections, DOMAINS):
        part = PARTS[section]
        draws = np.random.default_rng([*machine.encode(), int(section), DOMAINS.index(domain)])
        for number, label in itertools.product(range(10), ("train", "normal", "anomaly")):
            split, known = ("train", "normal") if label == "train" else ("test", label)
            name = f"section_{section}_{domain}_{split}_{known}_{number:04d}.wav"
            own: Part = "additional" if (part, split) == ("eval", "train") else part
            stated: Label = "anomaly" if known == "anomaly" else "normal"
            clips.append(Clip(name, machine, section, domain, "train" if split == "train" else "test", own, stated))
            scale = 100 if part == "eval" else 1
            rows.append(scale * (draws.standard_normal(8) + (label == "anomaly")))
    write(folder, clips, np.array(rows, np.float32), recipe={"made": "here"}, weights="none", fingerprint="0")
    return folder


def training_scores(folder: SeedFolder, machine: str, fit: str) -> list[float]:
    train = folder.components().where(split="train", machine=machine)
    (values,) = train.values.values()
    return [float(value) for row, value in zip(train.identity, values, strict=True) if row.fit == fit]


def check_decisions(folder: SeedFolder, cell: Cell, fit: str) -> None:
    """That a cell is decided by scipy's gamma of its own fit's training scores."""
    scores = training_scores(folder, cell.machine, fit)
    assert scores
    value = gamma.ppf(0.9, *gamma.fit(scores))
    thresholds = folder.manifest()["machines"][cell.machine]["thresholds"]
    assert thresholds[fit]["value"] == pytest.approx(value, rel=1e-9)
    assert thresholds[fit]["clips"] == len(scores)
    assert cell.section in thresholds[fit]["sections"]
    clips, found = folder.files.scores(cell)
    assert folder.files.decisions(cell) == {clip: int(one > value) for clip, one in zip(clips, found, strict=True)}


@pytest.mark.parametrize(
    ("scope", "labels"),
    [
        ("machine", {"00": "fan", "03": "fan"}),
        ("machine-part", {"00": "fan/dev", "01": "fan/dev", "03": "fan/eval"}),
        ("section", {"00": "fan/00", "01": "fan/01", "03": "fan/03"}),
        ("all", {"00": "all", "03": "all"}),
    ],
)
def test_a_clip_is_decided_by_the_threshold_of_its_own_fit_and_machine(
    tmp_path: Path, scope: str, labels: Mapping[str, str]
) -> None:
    data = features(tmp_path / "data", list(PARTS), ("fan", "pump"))
    (folder,) = go(data, tmp_path / "results", plugin(tmp_path, scope=scope)).folders
    thresholds = folder.manifest()["machines"]["fan"]["thresholds"]
    assert set(thresholds) == set(labels.values())
    for (section, fit), domain in itertools.product(labels.items(), DOMAINS):
        check_decisions(folder, Cell("fan", section, domain), fit)


def test_one_model_of_all_machines_has_a_threshold_for_each(tmp_path: Path) -> None:
    data = features(tmp_path / "data", ["00"], ("fan", "pump"))
    (folder,) = go(data, tmp_path / "results", plugin(tmp_path, scope="all")).folders
    machines = folder.manifest()["machines"]
    assert machines["fan"]["thresholds"]["all"]["value"] != machines["pump"]["thresholds"]["all"]["value"]
    assert machines["fan"]["thresholds"]["all"]["clips"] == 20


@pytest.mark.parametrize("scope", ["machine-part", "section"])
def test_having_evaluation_data_moves_no_development_decision(tmp_path: Path, scope: str) -> None:
    system = plugin(tmp_path, scope=scope)
    found = []
    for name, sections in (("dev", ["00", "01"]), ("both", list(PARTS))):
        data = features(tmp_path / name / "data", sections)
        (folder,) = go(data, tmp_path / name / "results", system).folders
        own = sorted([*folder.path.glob("*_section_00_*.csv"), *folder.path.glob("*_section_01_*.csv")])
        found.append({path.name: path.read_bytes() for path in own})
    assert len(found[0]) == 8
    assert found[0] == found[1]


def test_the_fit_of_every_row_is_in_the_file(tmp_path: Path) -> None:
    data = features(tmp_path / "data", list(PARTS))
    (folder,) = go(data, tmp_path / "results", plugin(tmp_path, scope="machine-part")).folders
    with (folder.path / "components.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["section"], row["fit"]) for row in rows} == {("00", "fan/dev"), ("01", "fan/dev"), ("03", "fan/eval")}
    assert {row["split"] for row in rows} == {"train", "test"}


def test_a_fit_without_a_threshold_takes_only_its_own_decisions(tmp_path: Path) -> None:
    data = features(tmp_path / "data", list(PARTS))
    flat = "if np.abs(np.asarray(batch.features)).max() > 20: return {'distance': np.ones(len(batch), np.float32)}"
    summary = go(data, tmp_path / "results", plugin(tmp_path, spy=flat, scope="machine-part"))
    (folder,) = summary.folders
    assert folder.files.decisions(Cell("fan", "00", "source")) is not None
    assert folder.files.decisions(Cell("fan", "03", "source")) is None
    said = [warning for warning in summary.warnings if "no decisions" in warning]
    assert len(said) == 1
    assert "fan/eval: no decisions: all 20 training scores are equal" in said[0]
    assert any("constant component: distance (fan/eval)" in warning for warning in summary.warnings)


# ------------------------------------------------------------------------------------ results of an earlier format


def make_old(results: Path) -> SeedFolder:
    """As format 1 was: one threshold a machine, components without a fit."""
    (folder,) = seed_folders(results)
    path = folder.path / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["format"] = 1
    for entry in manifest["machines"].values():
        del entry["thresholds"]
        entry["threshold"] = {"value": 1.0, "reason": None}
    path.write_text(json.dumps(manifest))
    (folder.path / "components.csv").write_text("split,machine,section,domain,clip,distance\n")
    (folder.path / "anomaly_score_gone_section_00_source_test.csv").write_text("a,1.0\n")
    return folder


def test_results_of_an_earlier_format_are_recognised_and_what_to_do_is_said(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    data, results = make_features(), tmp_path / "results"
    go(data, results)
    folder = make_old(results)
    before = {path: path.read_bytes() for path in folder.path.iterdir()}
    for call in (lambda: go(data, results), lambda: results_in(results)[0].manifest()):
        with pytest.raises(DataError, match="earlier version of asdbench") as caught:
            call()
        assert str(folder.path) in caught.value.looked
        assert "--replace" in caught.value.hint
    done = subprocess.run(
        [sys.executable, "-m", "asdbench", "report", str(results)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert "earlier version of asdbench" in done.stderr
    assert "--replace" in done.stderr
    assert {path: path.read_bytes() for path in folder.path.iterdir()} == before


def test_replace_makes_results_of_an_earlier_format_anew_and_whole(make_features: MakeFeatures, tmp_path: Path) -> None:
    data, results = make_features(), tmp_path / "results"
    go(data, tmp_path / "fresh")
    go(data, results)
    folder = make_old(results)
    summary = go(data, results, replace=True)
    assert (summary.trained, summary.reused, len(summary.failed)) == (2, 0, 0)
    (fresh,) = seed_folders(tmp_path / "fresh")
    for path in fresh.path.glob("*.csv"):
        assert (folder.path / path.name).read_bytes() == path.read_bytes()
    assert {path.name for path in folder.path.iterdir()} == {path.name for path in fresh.path.iterdir()}


def test_results_of_an_earlier_format_are_not_taken_over(make_features: MakeFeatures, tmp_path: Path) -> None:
    data, results = make_features(), tmp_path / "results"
    go(data, results, "clvae", epochs=1)
    make_old(results)
    summary = go(data, results, "clvae-ensemble", epochs=1)  # the same model
    assert (summary.trained, summary.shared) == (2, 0)
