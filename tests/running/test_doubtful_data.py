"""Doubtful data that can be run on: copies in the test, numbers that repeat, labels that are unknown or wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from asdbench.api import Cell, Clip
from asdbench.datasets import open_dataset
from asdbench.datasets.features import write
from asdbench.datasets.shipped_truth import LABELS, shipped
from asdbench.datasets.years import YEARS, Unit
from asdbench.reports.content import tables
from asdbench.reports.text import markdown
from asdbench.results.scoring import evaluate
from tests.conftest import MakeFeatures
from tests.runs import go


def copied(folder: Path, machine: str = "fan") -> tuple[str, str]:
    """Make a test clip's features those of a training clip; the names of both."""
    data = open_dataset(f"features:{folder}")[0]
    train, test = (
        next(clip for clip in data.clips if (clip.machine, clip.split) == (machine, split))
        for split in ("train", "test")
    )
    rows = np.load(folder / "features.npy")
    rows[test.row] = rows[train.row]
    np.save(folder / "features.npy", rows)
    return train.name, test.name


def test_training_clips_in_the_test_are_named_and_stamped_on_every_table(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    features, results = make_features(), tmp_path / "results"
    train, test = copied(features)
    summary = go(features, results, "mvg,cvae", epochs=1)
    (warning,) = (words for words in summary.warnings if "in the test" in words)
    assert warning == f"1 training clip also in the test, by content: fan {train} = fan {test}"
    stamp = "training clips in the test: 1 of fan"
    built = tables.build(results)
    assert len(built) == 2
    assert all(stamp in table.stamps for table in built)
    assert markdown.render(built).count("TRAINING CLIPS IN THE TEST: 1 of fan") >= 2
    clean = go(make_features("clean"), results)
    assert not [words for words in clean.warnings if "in the test" in words]
    assert not any(
        "in the test" in stamp for table in tables.build(results, only=clean.folders) for stamp in table.stamps
    )


def test_results_of_before_get_the_stamp_without_training(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    copied(features)
    (folder,) = go(features, results).folders
    stamped = (folder.path / "manifest.json").read_text()
    manifest = json.loads(stamped)
    manifest["stamps"] = [stamp for stamp in manifest["stamps"] if "in the test" not in stamp]
    for entry in manifest["machines"].values():
        entry["stamps"] = [stamp for stamp in entry["stamps"] if "in the test" not in stamp]
    (folder.path / "manifest.json").write_text(json.dumps(manifest))
    again = go(features, results)
    assert (again.trained, again.reused) == (0, 2)
    assert json.loads((folder.path / "manifest.json").read_text()) == json.loads(stamped)


def test_a_clip_number_that_occurs_twice_is_named(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = make_features()
    index = features / "index.csv"
    text = index.read_text()
    one, other = ("section_00_source_train_normal_0001_x.wav,fan", "section_00_source_train_normal_0000_y.wav,fan")
    index.write_text(text.replace(one, other, 1))
    warnings = go(features, tmp_path / "results").warnings
    assert warnings == [
        "1 clip number occurs twice, each copy counts as a clip of its own: "
        "fan section_00_source_train_normal_0000_x.wav = fan section_00_source_train_normal_0000_y.wav"
    ]
    assert go(make_features("right"), tmp_path / "results").warnings == []


def test_unlabelled_clips_do_not_erase_the_values_of_the_others(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(test=6), tmp_path / "results"
    whole = {one.cell: one for one in evaluate(go(features, results).folders[0])}
    index = features / "index.csv"
    hidden = "section_00_source_test_anomaly_0005.wav"
    index.write_text(index.read_text().replace(f"{hidden},fan,00,source,test,anomaly", f"{hidden},fan,00,source,test,"))
    summary = go(features, results)
    assert (summary.trained, summary.failed) == (0, [])
    assert (
        "1 test clip of unknown label is in no metric: AUC is over the labelled clips beside them" in summary.warnings
    )
    (folder,) = summary.folders
    cell = Cell("fan", "00", "source")
    found = {one.cell: one for one in evaluate(folder)}
    assert {one: found[one] for one in found if one != cell} == {one: whole[one] for one in whole if one != cell}
    clips, scores = folder.files.scores(cell)
    kept = [number for number, clip in enumerate(clips) if clip != hidden]
    labels = ["_anomaly_" in clips[number] for number in kept]
    assert found[cell].auc == pytest.approx(roc_auc_score(labels, scores[kept]), abs=1e-12)
    assert (found[cell].n_anomaly, found[cell].n_unlabelled) == (5, 1)
    (table,) = tables.build(results)
    assert table.score is not None
    assert "; 1 other of unknown label, in no metric" in " ".join(table.notes)


def evaluation_2022(folder: Path, wrong: int) -> Path:
    """The evaluation clips of fan, section 03, with made-up features; some labels are wrong."""
    truth = shipped(YEARS[2022])
    assert truth is not None
    name = "section_03_{}_train_normal_{:04d}_x.wav"
    clips = [
        Clip(name.format(domain, number), "fan", "03", domain, "train", "additional", "normal")
        for domain in ("source", "target")
        for number in range(5)
    ]
    for number, (clip, answer) in enumerate(truth.clips[Unit("fan", "03")].items()):
        label = LABELS[1 - answer.label if number < wrong else answer.label]
        clips.append(Clip(clip, "fan", "03", answer.domain, "test", "eval", label))
    draws = np.random.default_rng(0).standard_normal((len(clips), 8)).astype(np.float32)
    write(folder, clips, draws, recipe={"made": "for a test"}, weights="none", fingerprint="0", year=2022)
    return folder


def test_results_with_labels_of_2022_that_are_wrong_are_not_believed(tmp_path: Path) -> None:
    folder, results = tmp_path / "dcase", tmp_path / "results"
    before = go(evaluation_2022(folder, wrong=3), results)
    assert [(str(cell), reason) for _, _, cell, reason in before.failed] == [
        (f"fan 03 {domain}", "its labels contradict the organizers' evaluator: run again, nothing is trained")
        for domain in ("source", "target")
    ]
    assert all(table.score is None for table in tables.build(results))
    after = go(evaluation_2022(folder, wrong=0), results)
    assert (after.trained, after.failed) == (0, [])
    assert [table.score is None for table in tables.build(results)] == [False]
