"""Runs on small given features: resume, conflicts, sharing, selection of cells, failures, order of test clips."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.api import Cell
from asdbench.embeddings.cache import FeatureCache
from asdbench.errors import ConflictError, DataError, UsageError
from asdbench.progress import Progress
from asdbench.results.results_folder import seed_folder
from asdbench.results.score_files import ScoreFiles
from asdbench.results.scoring import evaluate
from asdbench.results.seed_folder import SeedFolder
from asdbench.running.extraction import extract
from asdbench.running.recording import refresh
from asdbench.running.run import run
from tests.conftest import MakeFeatures
from tests.runs import files, go, plugin

CHOSEN = {"pseudo": "pseudo", "oracle": "auc", "oracle-pauc": "pauc"}
"""A choice of the epoch, and what it is chosen by."""


def test_a_run_leaves_the_challenges_files(make_features: MakeFeatures, tmp_path: Path) -> None:
    summary = go(make_features(), tmp_path / "results")
    (folder,) = summary.folders
    assert folder.path == tmp_path / "results" / "small" / "mvg" / "seed-777"
    names = {path.name for path in folder.path.iterdir()}
    for cell in ("fan_section_00_source", "pump_section_01_target"):
        assert {f"anomaly_score_{cell}_test.csv", f"decision_result_{cell}_test.csv"} <= names
    assert {"components.csv", "labels.csv", "history.csv", "manifest.json"} <= names
    with (folder.path / "components.csv").open() as file:
        head, *body = csv.reader(file)
    assert head == ["split", "machine", "section", "domain", "clip", "fit", "mahalanobis:float64"]
    assert len(body) == 8 * (6 + 8)
    with (folder.path / "anomaly_score_fan_section_00_source_test.csv").open() as file:
        scored = list(csv.reader(file))
    assert len(scored) == 8
    assert scored[0][0] == "section_00_source_test_anomaly_0000.wav"


def test_the_manifest_says_what_was_run_on_what_and_with_what(make_features: MakeFeatures, tmp_path: Path) -> None:
    summary = go(
        make_features(stamps=["synthetic data"]), tmp_path / "results", "cvae", epochs=1, command="the command"
    )
    manifest = summary.folders[0].manifest()
    entry = manifest["machines"]["fan"]
    assert manifest["stamps"] == ["synthetic data"]
    assert manifest["seed"] == 777
    assert entry["key"]["parameters"]["epochs"] == 1
    assert entry["key"]["threads"] == 1
    assert entry["command"] == "the command"
    assert entry["environment"]["torch"].startswith("2.")
    assert entry["fits"]["fan"]["train_clips"] == 24
    assert entry["fits"]["fan"]["steps"] == 1
    about = {"shape", "location", "scale", "value", "above", "reason", "clips", "sections"}
    assert {fit: set(own) for fit, own in entry["thresholds"].items()} == {"fan": about}
    assert {row["fit"] for row in summary.folders[0].history()} == {"fan", "pump"}
    assert float(summary.folders[0].history()[0]["loss"]) > 0


def test_the_same_run_again_does_nothing(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    go(features, results, "mvg,clvae", epochs=1)
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    summary = go(features, results, "mvg,clvae", epochs=1)
    assert (summary.trained, summary.shared, summary.reused) == (0, 0, 4)
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()} == before


def test_equal_models_are_trained_once(make_features: MakeFeatures, tmp_path: Path) -> None:
    summary = go(make_features(), tmp_path / "results", "clvae,clvae-ensemble", epochs=1)
    assert summary.trained == 2  # one a machine, for two systems
    one, two = (folder.components() for folder in summary.folders)
    assert {name: column.tobytes() for name, column in one.values.items()} == {
        name: column.tobytes() for name, column in two.values.items()
    }
    cell = Cell("fan", "00", "source")
    assert not np.array_equal(summary.folders[0].files.scores(cell)[1], summary.folders[1].files.scores(cell)[1])


def test_a_new_formula_takes_the_stored_components(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    go(features, results, "clvae", epochs=1)
    summary = go(features, results, "clvae-ensemble[scale=0.5]", epochs=1)
    assert (summary.trained, summary.shared) == (0, 2)
    folder = summary.folders[0]
    parts = folder.components().where(split="test", machine="fan")
    expected = sum(
        weight * parts.values[name] for name, weight in (("reconstruction", 1.5), ("kld", 1.5), ("center", 75.0))
    )
    found = np.concatenate([folder.files.scores(cell)[1] for cell in folder.files.cells() if cell.machine == "fan"])
    np.testing.assert_allclose(sorted(found), sorted(np.asarray(expected, dtype=np.float64)), rtol=1e-6)


def test_other_parameters_in_the_same_folder_are_refused_and_named(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    go(features, results, "cvae", epochs=1)
    before = files(results)
    with pytest.raises(ConflictError) as caught:
        go(features, results, "cvae", epochs=2)
    assert "epochs: 1 there, 2 now" in caught.value.looked
    assert "--replace" in caught.value.hint
    assert files(results) == before
    go(features, results, "cvae", epochs=2, replace=True)
    assert files(results) != before


def test_another_machine_with_other_parameters_does_not_join_the_folder(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    features, results = make_features(), tmp_path / "results"
    go(features, results, "cvae", epochs=1, machines=["fan"])
    with pytest.raises(ConflictError, match="epochs: 1 there, 2 now"):
        go(features, results, "cvae", epochs=2, machines=["pump"])
    folder = go(features, results, "cvae", epochs=2, machines=["pump"], replace=True).folders[0]
    assert list(folder.manifest()["machines"]) == ["pump"]
    assert {row[1] for row in folder.components().identity} == {"pump"}
    assert {cell.machine for cell in folder.files.cells()} == {"pump"}


def test_machines_added_later_stand_beside_the_first(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = make_features()
    go(features, tmp_path / "a" / "results", "cvae", epochs=1, machines=["pump"])
    go(features, tmp_path / "a" / "results", "cvae", epochs=1, machines=["fan"])
    go(features, tmp_path / "b" / "results", "cvae", epochs=1)
    assert files(tmp_path / "a" / "results") == files(tmp_path / "b" / "results")


def test_sections_and_domains_choose_what_is_scored_not_what_is_trained_on(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    features, results = make_features(), tmp_path / "results"
    whole = go(features, tmp_path / "whole", "cvae", epochs=1).folders[0]
    part = go(features, results, "cvae", epochs=1, sections=["01"], domains=["target"]).folders[0]
    assert part.files.cells() == [Cell("fan", "01", "target"), Cell("pump", "01", "target")]
    assert (
        part.files.scores(part.files.cells()[0])[1].tobytes() == whole.files.scores(part.files.cells()[0])[1].tobytes()
    )
    wider = go(features, results, "cvae", epochs=1)
    assert (wider.trained, wider.reused) == (0, 2)
    assert files(results) == files(tmp_path / "whole")


def test_a_deleted_score_file_comes_back_without_training(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    folder = go(features, results).folders[0]
    before = files(results)
    (folder.path / "anomaly_score_fan_section_00_source_test.csv").unlink()
    assert go(features, results).trained == 0
    assert files(results) == before


@pytest.mark.parametrize(
    "name",
    [
        "components.csv",
        "anomaly_score_fan_section_00_source_test.csv",
        "decision_result_fan_section_00_source_test.csv",
        "labels.csv",
    ],
)
@pytest.mark.parametrize("how", ["gone", "cut", "binary"])
def test_what_was_damaged_is_made_again(make_features: MakeFeatures, tmp_path: Path, name: str, how: str) -> None:
    features, results = make_features(), tmp_path / "results"
    folder = go(features, results).folders[0]
    before = files(results)
    path = folder.path / name
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-20] if how == "cut" else b"\xff\xfe\x00")
    assert go(features, results, "mvg,mvg[embedding=resnet38]").failed == []
    found = files(results)
    assert {name: found[name] for name in before} == before
    assert len({text for name, text in found.items() if name.endswith("components.csv")}) == 1


def test_two_runs_at_once_keep_all_machines_of_both(make_features: MakeFeatures, tmp_path: Path) -> None:
    import subprocess
    import sys

    machines = [f"m{number:02d}" for number in range(12)]
    features, results = make_features(machines=machines, sections=["00"]), tmp_path / "results"
    code = "import sys; from asdbench.running.run import run\n"
    code += "run(sys.argv[1], 'mvg', machines=sys.argv[3:], results=sys.argv[2])"
    started = [
        subprocess.Popen([sys.executable, "-c", code, f"features:{features}", str(results), *machines[part::2]])
        for part in (0, 1)
    ]
    assert [process.wait(timeout=120) for process in started] == [0, 0]
    summary = go(features, results)
    assert (summary.trained, summary.reused, summary.failed) == (0, 12, [])
    go(features, tmp_path / "alone")
    assert files(results) == files(tmp_path / "alone")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise ValueError('no')", "cannot be loaded: ValueError: no"),
        ("def make(:", "cannot be loaded: SyntaxError"),
        ("def make(): raise KeyError('x')", "cannot be made: KeyError"),
        ("def make(): return None", "gives no System"),
    ],
)
def test_a_plugin_that_cannot_be_made_is_said_in_three_lines(
    make_features: MakeFeatures, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "odd.py").write_text(text)
    with pytest.raises(UsageError) as caught:
        go(make_features(), tmp_path / "results", f"{tmp_path}/odd.py:make")
    assert words in caught.value.message


@pytest.mark.parametrize("executor", ["inline", "processes"])
@pytest.mark.parametrize("body", ["raise SystemExit(0)", "raise type('Panic', (BaseException,), {})('in Rust')"])
def test_a_plugin_that_exits_takes_only_its_own_cells(
    make_features: MakeFeatures, tmp_path: Path, body: str, executor: Any
) -> None:
    mine = plugin(tmp_path, body=body)
    summary = go(make_features(), tmp_path / "results", f"{mine},mvg", executor=executor)
    assert len(summary.failed) == 8
    assert len(summary.folders[1].files.cells()) == 8


def test_a_plugin_of_an_unknown_scope_is_refused(make_features: MakeFeatures, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scope 'machines'"):
        go(make_features(), tmp_path / "results", plugin(tmp_path, scope="machines"))


def test_names_that_make_file_names_ambiguous_are_refused(make_features: MakeFeatures, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be the name"):
        go(make_features(machines=["a_section_b"]), tmp_path / "results")


def test_a_machine_asked_for_that_has_no_test_clips_is_said(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = make_features(keep=lambda clip: clip.machine == "fan" or clip.split == "train")
    with pytest.raises(DataError, match="pump has no test clips"):
        go(features, tmp_path / "results", machines=["fan", "pump"])
    summary = go(features, tmp_path / "results")
    assert "pump has training clips but no test clips" in summary.warnings


def test_a_run_cut_off_before_the_manifest_is_done_again(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    folder = go(features, results).folders[0]
    before = files(results)
    (folder.path / "manifest.json").unlink()
    assert go(features, results).trained == 2
    assert files(results) == before


def test_seeds_move_trained_scores_and_equal_seeds_do_not(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = make_features()
    one = go(features, tmp_path / "a" / "r", "cvae", epochs=1, seeds=[1, 2])
    two = go(features, tmp_path / "b" / "r", "cvae", epochs=1, seeds=[2], machines=["pump"])
    assert [folder.seed for folder in one.folders] == [1, 2]
    pump = Cell("pump", "00", "source")
    assert one.folders[1].files.scores(pump)[1].tobytes() == two.folders[0].files.scores(pump)[1].tobytes()
    assert one.folders[0].files.scores(pump)[1].tobytes() != one.folders[1].files.scores(pump)[1].tobytes()


def test_scores_do_not_depend_on_workers(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = make_features()
    go(features, tmp_path / "a" / "r", "cvae,mvg", epochs=1, workers=1)
    go(features, tmp_path / "b" / "r", "cvae,mvg", epochs=1, workers=2)
    assert files(tmp_path / "a" / "r") == files(tmp_path / "b" / "r")


def test_a_model_sees_neither_names_nor_labels_nor_their_order(make_features: MakeFeatures, tmp_path: Path) -> None:
    saw = tmp_path / "saw.json"
    shown_to = "json.dumps([sorted(vars(batch)), np.asarray(batch.features)[:, 0].tolist()])"
    spy = f"import json, pathlib; pathlib.Path({str(saw)!r}).open('a').write({shown_to} + chr(10))"
    go(make_features(machines=["fan"], shift=100.0), tmp_path / "results", plugin(tmp_path, spy=spy))
    (train_fields, _), (test_fields, shown) = map(json.loads, saw.read_text().splitlines())
    assert train_fields == test_fields == ["domain", "features", "machine", "n_sections", "section"]
    anomalous = [value > 50 for value in shown]
    assert sum(anomalous) == 16
    blocks = sum(a != b for a, b in itertools.pairwise(anomalous))
    assert blocks > 7  # in name order: anomaly and normal clips of four cells, one block each


def test_scores_are_put_back_to_their_clips(make_features: MakeFeatures, tmp_path: Path) -> None:
    folder = go(make_features(shift=100.0), tmp_path / "results", plugin(tmp_path)).folders[0]
    for cell in folder.files.cells():
        clips, scores = folder.files.scores(cell)
        assert [score > 300 for score in scores] == ["_anomaly_" in clip for clip in clips]


def test_a_plugin_that_breaks_takes_only_its_own_cells(make_features: MakeFeatures, tmp_path: Path) -> None:
    body = "assert len(train) != 12 or train.features[0, 0] != FAN, 'broken on purpose'"
    features = make_features(sections=["00"])
    rows = np.load(features / "features.npy")
    mine = plugin(tmp_path, body=body.replace("FAN", repr(float(rows[0, 0]))))
    summary = go(features, tmp_path / "results", f"{mine},mvg")
    assert {(name, cell.machine) for name, _, cell, _ in summary.failed} == {("make", "fan")}
    assert all("broken on purpose" in reason for _, _, _, reason in summary.failed)
    trace = (summary.folders[0].path / "failure-fan.txt").read_text()
    assert "Traceback" in trace
    assert "broken on purpose" in trace
    assert len(summary.folders[1].files.cells()) == 4


def test_failures_are_tried_again(make_features: MakeFeatures, tmp_path: Path) -> None:
    flag = tmp_path / "mended"
    mine = plugin(tmp_path, body=f"import pathlib; assert pathlib.Path({str(flag)!r}).exists(), 'not yet'")
    features, results = make_features(), tmp_path / "results"
    assert len(go(features, results, mine).failed) == 8
    flag.touch()
    summary = go(features, results, mine)
    assert (summary.trained, summary.failed) == (2, [])
    assert not list(results.rglob("failure-*"))


def test_a_section_without_training_clips_is_named_and_the_rest_goes_on(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    features = make_features(
        keep=lambda clip: not (clip.machine == "fan" and clip.section == "01" and clip.split == "train")
    )
    for systems in ("mvg", "cvae"):
        summary = go(features, tmp_path / "results", systems, epochs=1)
        assert {(str(cell), reason) for _, _, cell, reason in summary.failed} == {
            ("fan 01 source", "section 01 has no training clips"),
            ("fan 01 target", "section 01 has no training clips"),
        }
        assert len(summary.folders[0].files.cells()) == 6
        again = go(features, tmp_path / "results", systems, epochs=1)
        assert again.trained == 0  # trying again is no use
        assert len(again.failed) == 2


def test_a_section_with_one_training_clip_is_named(make_features: MakeFeatures, tmp_path: Path) -> None:
    def keep(clip: Any) -> bool:
        return not (clip.section == "01" and clip.split == "train") or clip.name.startswith(
            "section_01_source_train_normal_0000"
        )

    summary = go(make_features(keep=keep), tmp_path / "results")
    assert {cell.section for _, _, cell, _ in summary.failed} == {"01"}
    assert len(summary.folders[0].files.cells()) == 4


def test_one_class_only_and_no_labels_are_named_but_scored(make_features: MakeFeatures, tmp_path: Path) -> None:
    one = go(
        make_features("one", keep=lambda c: not (c.machine == "fan" and "_anomaly_" in c.name)), tmp_path / "results"
    )
    assert {reason for _, _, _, reason in one.failed} == {"one class only: 4 clips, all normal"}
    assert len(one.folders[0].files.cells()) == 8
    none = go(make_features("none", labelled=False), tmp_path / "results")
    assert {reason for _, _, _, reason in none.failed} == {"labels unknown"}
    assert len(none.folders[0].files.cells()) == 8


def test_a_constant_component_is_a_warning_and_gives_no_decisions(make_features: MakeFeatures, tmp_path: Path) -> None:
    constant = plugin(tmp_path).replace("mine", "mine")
    text = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(
        text.replace("np.abs(np.asarray(batch.features) - self.centre).sum(axis=1)", "np.ones(len(batch))")
    )
    summary = go(make_features(), tmp_path / "results", constant)
    assert any("constant component: distance" in warning for warning in summary.warnings)
    assert any("no decisions" in warning for warning in summary.warnings)
    assert not list(summary.folders[0].path.glob("decision_result_*"))


def test_a_system_for_frames_is_not_applicable_to_vectors(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = make_features()
    summary = go(features, tmp_path / "results", "mvg,ae")
    assert [name for name, _ in summary.not_applicable] == ["ae"]
    with pytest.raises(UsageError, match="none of these systems"):
        go(features, tmp_path / "results", "ae")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"systems": "clvea"}, "did you mean 'clvae'"),
        ({"systems": "mvg[embeding=resnet38]"}, "did you mean 'embedding'"),
        ({"systems": "cvae[kld=odd]"}, "kld takes standard|literal"),
        ({"machines": ["fann"]}, "did you mean 'fan'"),
        ({"sections": ["07"]}, "there are: 00, 01"),
        ({"domains": ["sauce"]}, "did you mean 'source'"),
        ({"device": "cuda"}, "--device cpu"),
        ({"device": "quantum"}, "--device cpu"),
        ({"threads": 0}, "start at 1"),
        ({"epochs": 0}, "at least 1"),
    ],
)
def test_wrong_names_and_values_are_said_with_a_way_out(
    make_features: MakeFeatures, tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    with pytest.raises((UsageError, DataError)) as caught:
        go(make_features(), tmp_path / "results", **{"systems": "mvg", **more})
    assert words in str(caught.value)
    assert caught.value.hint
    assert not (tmp_path / "results").exists()


def test_results_that_cannot_be_written_are_an_error_of_ours(make_features: MakeFeatures, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(DataError):
        go(make_features(), tmp_path / "results")


def test_progress_hears_of_every_job(make_features: MakeFeatures, tmp_path: Path) -> None:
    class Ear(Progress):
        def __init__(self) -> None:
            self.heard: list[str] = []

        def say(self, text: str) -> None:
            self.heard.append(text)

        def stage(self, title: str, total: int, found: int = 0) -> None:
            self.heard.append(f"{title} {total}")

        def advance(self, steps: int, text: str, failed: bool = False) -> None:
            self.heard.append(text.split(" · ")[1])

    ear = Ear()
    go(make_features(), tmp_path / "results", progress=ear)
    assert ear.heard[1:] == ["training 2", "fan", "pump"]


def test_a_results_folder_can_be_moved(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = make_features()
    go(features, tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert go(features, tmp_path / "there").trained == 0
    assert isinstance(seed_folder(tmp_path / "there", "small", "mvg", 777), SeedFolder)


@pytest.mark.parametrize("name", ["write_components", "write_labels", "write_history", "remove", "write_scores"])
def test_a_replacement_cut_off_at_any_write_never_passes_for_the_old_run(
    make_features: MakeFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    features, results = make_features(), tmp_path / "results"
    go(features, results, "cvae", epochs=1)
    before = files(results)

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SeedFolder if hasattr(SeedFolder, name) else ScoreFiles, name, cut_off)
        if name == "write_labels":
            patch.setattr(SeedFolder, "label_rows", lambda _: [])
        with pytest.raises(KeyboardInterrupt):
            go(features, results, "cvae", epochs=2, replace=True)
    go(features, results, "cvae", epochs=1, replace=True)
    assert files(results) == before


def test_another_data_set_of_the_same_name_does_not_join_the_folder(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    one, two = make_features("a/small"), make_features("b/small", seed=1)
    go(one, tmp_path / "results", machines=["fan"])
    with pytest.raises(ConflictError, match="data of fan"):
        go(two, tmp_path / "results", machines=["pump"])
    same = make_features("c/small")
    assert go(same, tmp_path / "results", machines=["pump"]).failed == []


def test_a_plugin_file_that_changes_is_another_system(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    go(features, results, plugin(tmp_path))
    with pytest.raises(ConflictError, match=r"code\.mine\.py: .* there, .* now"):
        go(features, results, plugin(tmp_path, body="'something else'"))


def test_a_component_that_the_formula_wants_and_the_model_lacks_is_a_reason(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    mine = plugin(tmp_path)
    text = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(text.replace('{"distance": 1.0}', '{"distanse": 1.0}'))
    summary = go(make_features(), tmp_path / "results", f"{mine},mvg")
    assert {reason for _, _, _, reason in summary.failed} == {
        "the model gives no component distanse (mine scores distanse; the model gives distance)"
    }
    assert len(summary.folders[1].files.cells()) == 8


def test_with_one_model_of_all_machines_a_wider_selection_needs_no_training(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    features, results, mine = make_features(), tmp_path / "results", plugin(tmp_path, scope="all")
    narrow = go(features, results, mine, machines=["pump"])
    assert {cell.machine for cell in narrow.folders[0].files.cells()} == {"pump"}
    wide = go(features, results, mine)
    assert (wide.trained, wide.failed) == (0, [])
    go(features, tmp_path / "whole", mine)
    assert files(results) == files(tmp_path / "whole")


def test_the_oracle_keeps_each_machines_best_epoch_and_moves_nothing_else(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    features = make_features(shift=0.3, test=12)
    go(features, tmp_path / "plain", "cvae", epochs=4)
    summary = go(features, tmp_path / "both", "cvae,mvg", epochs=4, selection="both")
    assert [folder.system for folder in summary.folders] == ["cvae", "cvae@oracle", "mvg"]
    assert summary.trained == 4
    last, oracle, _ = summary.folders
    plain = tmp_path / "plain" / "small" / "cvae" / "seed-777"
    assert {p.name: p.read_bytes() for p in last.path.glob("*.csv") if p.name != "epochs.csv"} == {
        p.name: p.read_bytes() for p in plain.glob("*.csv")
    }
    assert last.epochs() == oracle.epochs()
    assert not oracle.latent().identity  # it is the last epoch's
    assert "epoch chosen on the test labels" in oracle.manifest()["stamps"]
    assert "epoch chosen on the test labels" not in last.manifest()["stamps"]
    for machine, entry in oracle.manifest()["machines"].items():
        merits = []
        for epoch in range(1, 5):
            alone = go(features, tmp_path / str(epoch), f"cvae[epochs={epoch}]", machines=[machine]).folders[0]
            areas = [metrics.auc for metrics in evaluate(alone) if metrics.machine == machine]
            merits.append(len(areas) / sum(1 / area for area in areas if area))
        assert entry["epoch"] == 1 + int(np.argmax(merits))
        recorded = {epoch: measured["auc"] for epoch, measured in oracle.epochs()[machine].items()}
        assert recorded == pytest.approx(dict(enumerate(merits, start=1)), rel=1e-12)
        best = SeedFolder(tmp_path / str(entry["epoch"]) / "small" / f"cvae[epochs={entry['epoch']}]" / "seed-777")
        cell = Cell(machine, "00", "source")
        assert oracle.files.scores(cell)[1].tobytes() == best.files.scores(cell)[1].tobytes()


def test_what_the_oracle_gains_stands_in_its_table(make_features: MakeFeatures, tmp_path: Path) -> None:
    from asdbench.reports.content import tables

    results = tmp_path / "both"
    summary = go(make_features(shift=0.3, test=12), results, "cvae", epochs=4, selection="both", seeds=(1, 2))
    areas, official = [], []
    for system in ("cvae", "cvae@oracle"):
        folders = [folder for folder in summary.folders if folder.system == system]
        found = [[m.value(metric) for m in evaluate(f) for metric in ("auc", "pauc")] for f in folders]
        assert [len(values) for values in found] == [16, 16]
        areas.append(100 * np.mean([values[::2] for values in found]))
        official.append(100 * np.mean([len(v) / sum(1 / max(x or 0, 1e-16) for x in v) for v in found]))
    gain = f"official score {official[1] - official[0]:+.2f} (from {official[0]:.2f} to {official[1]:.2f})"
    line = f"Optimism of selecting the epoch on the test set: {gain}, mean AUC {areas[1] - areas[0]:+.2f}."
    assert areas[1] > areas[0]
    last, oracle = tables.build(results, only=summary.folders)
    assert oracle.notes[0] == line
    assert line not in last.notes
    (alone,) = tables.build(results, only=[f for f in summary.folders if f.system == "cvae@oracle"])
    assert alone.notes[0] == line  # a later `--selection oracle` finds the last epoch's results there
    gains: dict[str, list[float]] = {"official": [], "auc": []}
    for folder in (folder for folder in summary.folders if folder.system == "cvae@oracle"):
        for way in (0, 1):
            halves = [entry["halves"][way]["cells"].values() for entry in folder.manifest()["machines"].values()]
            sides = [[cell[side] for cells in halves for cell in cells] for side in ("chosen", "last")]
            assert [len(side) for side in sides] == [8, 8]
            both = [[float(cell[metric]) for cell in side for metric in ("auc", "pauc")] for side in sides]
            scores = [statistics.harmonic_mean([max(value, 1e-16) for value in values]) for values in both]
            gains["official"].append(100 * (scores[0] - scores[1]))
            gains["auc"].append(100 * (statistics.fmean(both[0][::2]) - statistics.fmean(both[1][::2])))
    assert oracle.notes[1] == (
        "Chosen on one half of the test clips and measured on the other, both ways: official score"
        f" {np.mean(gains['official']):+.2f}, mean AUC {np.mean(gains['auc']):+.2f}."
    )


def test_all_choices_of_an_epoch_stand_side_by_side_after_one_training(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    from asdbench.reports.content import tables
    from asdbench.reports.content.evidence import views

    features, results = make_features(shift=0.3, train=12, test=12), tmp_path / "all"
    summary = go(features, results, "cvae,mvg", epochs=4, selection="all")
    assert [folder.system for folder in summary.folders] == ["cvae", *(f"cvae@{c}" for c in CHOSEN), "mvg"]
    assert (summary.trained, summary.failed) == (4, [])
    by_name = {folder.system: folder for folder in summary.folders}
    go(features, tmp_path / "plain", "cvae", epochs=4)
    plain = SeedFolder(tmp_path / "plain" / "small" / "cvae" / "seed-777")
    assert (by_name["cvae"].path / "components.csv").read_bytes() == (plain.path / "components.csv").read_bytes()
    stamped = {
        name for name, folder in by_name.items() if "epoch chosen on the test labels" in folder.manifest()["stamps"]
    }
    assert stamped == {"cvae@oracle", "cvae@oracle-pauc"}
    for choice, measure in CHOSEN.items():
        for machine, entry in by_name[f"cvae@{choice}"].manifest()["machines"].items():
            measured = by_name[f"cvae@{choice}"].epochs()[machine]
            assert [*measured] == [1, 2, 3, 4]
            assert entry["epoch"] == max(measured, key=lambda epoch: measured[epoch][measure])
            alone = f"cvae[epochs={entry['epoch']}]"
            best = go(features, tmp_path / "alone", alone, machines=[machine]).folders[0]
            cell = Cell(machine, "00", "source")
            chosen = by_name[f"cvae@{choice}"].files.scores(cell)[1]
            assert chosen.tobytes() == best.files.scores(cell)[1].tobytes()
    notes = {table.system: table.notes[0] for table in tables.build(results)}
    assert notes["cvae@pseudo"].startswith("What the epoch of the best pseudo-AUC gains over the last one: official")
    assert notes["cvae@oracle-pauc"].startswith("Optimism of selecting the epoch on the test set: official")
    (view,) = views(results)
    assert [shown.name for shown in view.without_oracles().systems] == ["cvae", "cvae@pseudo", "mvg"]
    assert {shown.place for shown in view.systems if shown.name.startswith("cvae")} == {view.systems[0].place}


def test_pseudo_auc_chooses_the_same_epochs_whatever_the_labels(make_features: MakeFeatures, tmp_path: Path) -> None:
    options: dict[str, Any] = {"epochs": 4, "selection": "pseudo", "systems": "clvae,clvae-ensemble"}
    found = {}
    for labelled in (True, False):
        summary = go(make_features(labelled=labelled, name=f"small{labelled}"), tmp_path / str(labelled), **options)
        assert summary.trained == 2  # both systems read the pseudo-anomalies of one training
        found[labelled] = [
            {machine: entry["epoch"] for machine, entry in folder.manifest()["machines"].items()}
            for folder in summary.folders
        ]
        measured = [{m: [own[e]["pseudo"] for e in own] for m, own in f.epochs().items()} for f in summary.folders]
        assert measured[0] != measured[1]  # each by its own score
    assert found[True] == found[False]


def test_pseudo_anomalies_of_frames(tmp_path: Path) -> None:
    toy = "toy[train=6,train_target=2,test=2,seconds=0.5]"
    settings: dict[str, Any] = {"machines": ["fan"], "epochs": 2, "cache": tmp_path / "cache"}
    summary = run(toy, "ae", results=tmp_path / "r", selection="pseudo", **settings)
    assert summary.failed == []
    assert all(0 < own["pseudo"] <= 1 for own in summary.folders[0].epochs()["fan"].values())


def test_each_choice_of_an_epoch_has_its_own_folder(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(shift=0.3, test=12), tmp_path / "results"
    summary = go(features, results, "cvae", epochs=3, selection="oracle-pauc")
    (folder,) = summary.folders
    assert folder.system == "cvae@oracle-pauc"
    assert "epoch chosen on the test labels" in folder.manifest()["stamps"]
    for machine, entry in folder.manifest()["machines"].items():
        measured = folder.epochs()[machine]
        assert entry["epoch"] == max(measured, key=lambda epoch: measured[epoch]["pauc"])
    again = go(features, results, "cvae", epochs=3, selection="oracle-pauc")
    assert (again.trained, again.reused) == (0, 2)
    other = go(features, results, "cvae", epochs=3)  # the folder of a chosen epoch is not taken for the last epoch's
    assert (other.trained, other.shared) == (2, 0)
    with pytest.raises(UsageError, match="selection 'best'") as caught:
        go(features, results, "cvae", selection="best")
    assert "oracle-pauc" in str(caught.value.looked)


def test_readings_of_one_model_are_trained_once(make_features: MakeFeatures, tmp_path: Path) -> None:
    written = "clvae[reconstruction_reduction=sum,kld=literal,center_reduction=sum]"
    systems = f"clvae[reading=printed],{written},clvae-ensemble[reading=printed,combine=standardised]"
    summary = go(make_features(train=12), tmp_path / "results", systems, epochs=2)
    assert (summary.trained, summary.failed) == (2, [])
    named, spelled, standardised = summary.folders
    assert (named.path / "components.csv").read_bytes() == (spelled.path / "components.csv").read_bytes()
    for machine in ("fan", "pump"):
        train, test = (standardised.components().where(machine=machine, split=split) for split in ("train", "test"))
        eq9, over = (part.values["reconstruction"] + part.values["kld"].astype(np.float64) for part in (test, train))
        eq10, over10 = (
            sums + 150 * part.values["center"].astype(np.float64) for sums, part in ((eq9, test), (over, train))
        )
        by_hand = (eq9 - over.mean()) / over.std() + (eq10 - over10.mean()) / over10.std()
        by_name = {row[2:5]: score for row, score in zip(test.identity, by_hand, strict=True)}
        for cell in standardised.files.cells():
            if cell.machine == machine:
                names, scores = standardised.files.scores(cell)
                want = [by_name[cell.section, cell.domain, name] for name in names]
                np.testing.assert_allclose(scores, want, rtol=1e-9)
    assert go(make_features(train=12), tmp_path / "results", systems, epochs=2).trained == 0


def test_without_labels_there_is_nothing_to_choose_an_epoch_by(make_features: MakeFeatures, tmp_path: Path) -> None:
    summary = go(make_features(labelled=False), tmp_path / "results", "cvae", epochs=2, selection="oracle")
    assert {reason for _, _, _, reason in summary.failed} == {"no labelled cell to choose by"}


def test_damaged_cache_entries_are_made_again_in_the_same_run(tmp_path: Path) -> None:
    toy = "toy[train=3,train_target=1,test=2,seconds=0.3]"
    settings: dict[str, Any] = {"machines": ["fan"], "epochs": 1, "cache": tmp_path / "cache"}
    run(toy, "ae", results=tmp_path / "a", **settings)
    entries = sorted((tmp_path / "cache" / "features").rglob("*.safetensors"))
    for entry, text in zip(entries, (b"", b"\xff" * 200, entries[2].read_bytes()[:-8]), strict=False):
        entry.write_bytes(text)
    summary = run(toy, "ae", results=tmp_path / "b", **settings)
    assert summary.failed == []
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_a_clip_that_disappears_during_a_run_fails_its_cell_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asdbench.datasets.toy import toy, write

    root = tmp_path / "data"
    write(root, toy(train=3, train_target=1, test=2, seconds=0.3))
    gone = next((root / "dev_data" / "fan" / "source_test").glob("section_00*"))
    kept = gone.read_bytes()
    settings: dict[str, Any] = {"machines": ["fan"], "epochs": 1, "cache": tmp_path / "cache"}
    with monkeypatch.context() as patch:

        def extract_late(*arguments: Any) -> Any:
            gone.unlink()  # it was there when the data were indexed and hashed
            return extract(*arguments)

        patch.setattr("asdbench.running.training.extract", extract_late)
        summary = run(f"dcase2021:{root}", "ae", results=tmp_path / "r", **settings)
    assert {str(cell) for _, _, cell, _ in summary.failed} == {"fan 00 source"}
    assert gone.name in summary.failed[0][3]
    gone.write_bytes(kept)
    again = run(f"dcase2021:{root}", "ae", results=tmp_path / "r", **settings)
    assert (again.trained, again.failed) == (1, [])
    run(f"dcase2021:{root}", "ae", results=tmp_path / "whole", **settings)
    assert files(tmp_path / "r") == files(tmp_path / "whole")


def test_the_first_failure_ends_the_run_where_that_is_asked_for(make_features: MakeFeatures, tmp_path: Path) -> None:
    mine = plugin(tmp_path, body="raise ValueError('broken on purpose')")
    summary = go(make_features(), tmp_path / "results", f"{mine},mvg", fail_fast=True)
    reasons = [reason for _, _, _, reason in summary.failed]
    assert sum("broken on purpose" in reason for reason in reasons) == 4
    assert sum("not run: an earlier job failed" in reason for reason in reasons) == 12
    assert [folder.system for folder in summary.folders] == ["make"]
    assert go(make_features(), tmp_path / "results", "mvg").failed == []


def test_failures_name_the_file_of_their_traceback_and_the_log_has_everything(
    make_features: MakeFeatures, tmp_path: Path
) -> None:
    mine = plugin(tmp_path, body="raise ValueError('broken on purpose')")
    summary = go(make_features(), tmp_path / "results", f"{mine},mvg", command="the command")
    assert len(summary.traces) == 2
    assert all("broken on purpose" in trace.read_text() for trace in summary.traces)
    assert summary.log is not None
    log = summary.log.read_text()
    for text in ("the command", "training: 4 to do", "ERROR", "mvg · pump · seed 777", "finished after"):
        assert text in log
    assert go(make_features(), tmp_path / "results", "mvg").log is None  # nothing to do, nothing to tell


@pytest.mark.parametrize("executor", ["inline", "processes", "anybody's"])
def test_scores_do_not_depend_on_the_executor(make_features: MakeFeatures, tmp_path: Path, executor: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    features = make_features()
    go(features, tmp_path / "a" / "r", "cvae,mvg", epochs=1)
    with ThreadPoolExecutor(1) as threads:
        chosen = threads if executor == "anybody's" else executor
        go(features, tmp_path / "b" / "r", "cvae,mvg", epochs=1, workers=2, executor=chosen)
    assert files(tmp_path / "a" / "r") == files(tmp_path / "b" / "r")


def test_clips_are_looked_for_in_the_cache_once_however_many_models_and_seeds_want_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asdbench.running import extraction

    looked: list[str] = []

    def look(cache: FeatureCache, digest: str) -> bool:
        looked.append(digest)
        return intact(cache, digest)

    intact = extraction._intact
    toy = "toy[train=3,train_target=1,test=2,seconds=0.3]"
    settings: dict[str, Any] = {"machines": ["fan", "valve"], "epochs": 1, "cache": tmp_path / "cache"}
    run(toy, "ae", results=tmp_path / "a", **settings)
    monkeypatch.setattr(extraction, "_intact", look)
    run(toy, "ae,ae[batch_size=32]", seeds=[1, 2], results=tmp_path / "b", **settings)
    assert looked
    assert len(looked) == len(set(looked))


def test_what_another_run_replaces_before_it_is_refreshed_is_said(
    make_features: MakeFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, results = make_features(), tmp_path / "results"
    folder = go(features, results).folders[0]

    def refresh_late(*arguments: Any) -> None:
        manifest = folder.manifest()
        del manifest["machines"]["fan"]
        manifest["machines"]["pump"]["key"]["seed"] = 1
        folder.write_manifest(manifest)
        refresh(*arguments)

    monkeypatch.setattr("asdbench.running.run.refresh", refresh_late)
    (folder.path / "labels.csv").unlink()
    failed = go(features, results).failed
    assert {cell.machine for _, _, cell, reason in failed if "another run took it out" in reason} == {"fan"}
    assert not (folder.path / "labels.csv").exists()  # it is the other run's
