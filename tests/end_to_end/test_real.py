"""Runs on real recordings and real features, which lie outside the project."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from asdbench.api import Cell
from asdbench.metrics.roc import auc
from asdbench.running.run import run

pytestmark = pytest.mark.shared
CELL = Cell("fan", "00", "source")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_all_systems_run_on_real_fan_recordings(shared: Path, tmp_path: Path, cache: Path) -> None:
    summary = run(
        f"dcase2021:{shared / 'real' / 'layout2021'}",
        weights="random",
        epochs=3,
        results=tmp_path,
        cache=cache,
        workers=2,
    )
    assert summary.failed == []
    assert [folder.system for folder in summary.folders] == ["ae", "clvae", "clvae-ensemble", "cvae", "mvg"]
    for folder in summary.folders:
        assert folder.files.cells() == [CELL]
        clips, scores = folder.files.scores(CELL)
        assert sum("_anomaly_" in clip for clip in clips) == 20
        assert len(clips) == 28
        assert np.isfinite(scores).all()
        assert len(folder.components().where(split="train").identity) == 12
        stamps = folder.manifest()["stamps"]
        assert stamps == ([] if folder.system == "ae" else ["untrained network"])


@pytest.mark.parametrize(("pad_mode", "column"), [("reflect", 2), ("zeros", 3)])
def test_given_autoencoder_weights_reproduce_somebody_elses_scores(
    shared: Path, tmp_path: Path, cache: Path, pad_mode: str, column: int
) -> None:
    weights = shared / "conformance" / "ae_baseline" / "model_fan.npz"
    summary = run(
        f"dcase2021:{shared / 'real' / 'layout2021'}",
        f"ae[weights={weights},batchnorm_eps=1e-5,pad_mode={pad_mode}]",
        results=tmp_path,
        cache=cache,
    )
    with (shared / "conformance" / "ae_baseline" / "expected_scores.csv").open() as file:
        rows = [row for row in csv.reader(file) if "mimii_fan_id00_mono_ch0" in row[1]]
    expected = {("abnormal" in row[1], float(row[column])) for row in rows}
    components = summary.folders[0].components()
    found = sorted(components.values["reconstruction"].astype(float))
    np.testing.assert_allclose(found, sorted(score for _, score in expected), rtol=1e-4)
    anomalous = np.array(["_anomaly_" in row[4] for row in components.identity])
    assert len(anomalous) == 40
    assert auc(anomalous, components.values["reconstruction"].astype(np.float64)) == pytest.approx(0.705, abs=0.0005)
    assert summary.folders[0].history() == []
    assert summary.folders[0].manifest()["machines"]["fan"]["fits"]["fan/dev"]["steps"] == 0


def test_the_gaussian_runs_on_real_features(shared: Path, tmp_path: Path, cache: Path) -> None:
    summary = run(f"features:{shared / 'real' / 'features_dcase2020_modspec'}", "mvg", results=tmp_path, cache=cache)
    assert summary.failed == []
    assert len(summary.folders[0].files.cells()) == 8
    assert summary.folders[0].manifest()["stamps"] == ["features of unstated origin"]
