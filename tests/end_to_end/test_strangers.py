"""Files of strangers: nothing is written outside the folders named, no code of theirs runs, memory has an end."""

from __future__ import annotations

import json
import pickle
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.running.run import run
from tests.conftest import MakeFeatures
from tests.shell import Shell

EVIL = ["../../../evil", "/tmp/../evil", "..", "a/b", "a\\b", "nul\0", "CON/x"]


def everything(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def results(make_features: MakeFeatures, tmp_path: Path) -> Path:
    run(f"features:{make_features()}", "mvg", results=tmp_path / "deep" / "down" / "results", cache=tmp_path / "cache")
    return tmp_path / "deep" / "down" / "results"


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("column", ["machine", "section", "clip"])
def test_names_in_an_index_cannot_lead_out_of_the_results(
    make_features: MakeFeatures, tmp_path: Path, name: str, column: str
) -> None:
    features = make_features(machines=["fan"], sections=["00"])
    lines = (features / "index.csv").read_text().splitlines()
    number = lines[0].split(",").index(column)
    rows = [line.split(",") for line in lines[1:]]
    for row in rows if column != "clip" else rows[:1]:
        row[number] = name
    (features / "index.csv").write_text("\n".join([lines[0], *map(",".join, rows), ""]))
    shell = Shell(tmp_path / "deep" / "down")
    shell.folder.mkdir(parents=True)
    before = everything(tmp_path)
    code, _, err = shell.outcome("run", "--dataset", f"features:{features}", "--systems", "mvg", "--workers", "1")
    assert "Traceback" not in err
    assert code in (0, 1, 4), err
    inside = shell.folder / "results", shell.folder / "cache"
    made = {path.resolve() for path in everything(tmp_path) - before}
    assert {path for path in made if not any(path.is_relative_to(folder) for folder in inside)} == set()


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("command", ["report", "check", "export", "compare", "run"])
def test_names_in_a_manifest_cannot_lead_out_of_the_folder(
    results: Path, tmp_path: Path, name: str, command: str, make_features: MakeFeatures
) -> None:
    folder = results / "small" / "mvg" / "seed-777"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["machines"][name] = manifest["machines"].pop("fan")
    entry = manifest["machines"]["pump"]
    entry["cells"][f"{name}/source"] = None
    entry["files"][f"{name}.csv"] = "0" * 64
    manifest["system"]["name"] = manifest["dataset"]["name"] = name
    (folder / "manifest.json").write_text(json.dumps(manifest))
    shell = Shell(tmp_path / "deep" / "down")
    arguments = {
        "report": ["report"],
        "check": ["check", "--update", "--against", "expected.csv"],
        "export": ["export", "results", "--output", "submission"],
        "compare": ["compare", "mvg", "mvg"],
        "run": ["run", "--dataset", f"features:{tmp_path / 'small'}", "--systems", "mvg", "--workers", "1"],
    }
    before = everything(tmp_path)
    _, _, err = shell.outcome(*arguments[command])
    assert "Traceback" not in err
    inside = [results, *(shell.folder / part for part in ("cache", "expected.csv", "submission"))]
    made = {path.resolve() for path in everything(tmp_path) - before}
    assert {path for path in made if not any(path.is_relative_to(part) for part in inside)} == set()


class Bomb:
    """Leaves a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_no_pickle_is_read_wherever_it_is_put(make_features: MakeFeatures, results: Path, tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    bomb = pickle.dumps(Bomb(mark))
    # Read, it does run: without this it could be harmless and the test empty. It leaves an empty file, no more.
    pickle.loads(bomb)
    assert mark.exists()
    mark.unlink()
    features = make_features()
    folder = results / "small" / "mvg" / "seed-777"
    np.save(features / "features.npy", np.array([Bomb(mark)] * 4, dtype=object), allow_pickle=True)
    shell = Shell(tmp_path)
    shell("run", "--dataset", f"features:{features}", "--systems", "mvg", expect=4)
    (tmp_path / "weights.pth").write_bytes(bomb)
    toy = ("run", "--dataset", "toy[train=2,test=1]", "--machines", "fan", "--weights", "weights.pth")
    shell(*toy, "--systems", "mvg", expect=4)
    shell(*toy[:-2], "--systems", f"ae[weights={tmp_path}/weights.pth]", expect=4)
    for name in ("manifest.json", "components.csv", "labels.csv"):
        kept = (folder / name).read_bytes() if (folder / name).exists() else b""
        (folder / name).write_bytes(bomb)
        shell.outcome("report", str(results))
        (folder / name).write_bytes(kept)
    assert not mark.exists()


@pytest.mark.parametrize("command", ["report", "score"])
def test_a_file_without_end_does_not_exhaust_memory(results: Path, tmp_path: Path, command: str) -> None:
    folder = results / "small" / "mvg" / "seed-777"
    score = folder / "anomaly_score_fan_section_00_source_test.csv"
    with score.open("wb") as file:
        file.truncate(2 << 30)  # two gigabytes of nothing, on disk a few bytes
    arguments = {"report": ["report", str(results)], "score": ["score", str(folder), "--year", "2021"]}
    ended = subprocess.run(
        [sys.executable, "-c", "from asdbench.cli import main; main()", *arguments[command]],
        cwd=tmp_path,
        env=Shell(tmp_path).environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (5 << 29, 5 << 29)),
    )
    assert "Traceback" not in ended.stderr, ended.stderr[-2000:]
    assert "MemoryError" not in ended.stderr
    assert ended.returncode in (0, 4)
