"""`asdbench score` and `asdbench export` as a person meets them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from asdbench.metrics.aggregate import METRICS
from tests.conftest import MakeFeatures
from tests.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def write_small(folder: Path) -> Path:
    """A development set of 2021: fan, section 00, without decisions."""
    folder.mkdir()
    for domain in ("source", "target"):
        rows = [
            f"section_00_{domain}_test_{label}_{n:04d}.wav,{n + 2 * (label == 'anomaly')}\n"
            for label in ("normal", "anomaly")
            for n in range(4)
        ]
        (folder / f"anomaly_score_fan_section_00_{domain}_test.csv").write_text("".join(rows))
    return folder


def test_run_export_score(shell: Shell, make_features: MakeFeatures) -> None:
    shell("run", "--dataset", f"features:{make_features()}", "--systems", "mvg")
    out, err = shell("export", "results", "--output", "submission")
    assert out == ""
    assert "asdbench score submission --year 2021" in err
    out, err = shell("score", "submission", "--year", "2021", "--format", "json")
    found = json.loads(out)
    assert list(found) == ["cells", "means", "official_score"]
    assert len(found["cells"]) == 8
    assert "not there: ToyCar, ToyTrain, gearbox, slider, valve" in err
    out, _ = shell("report", "results", "--format", "csv")
    rows = [row for row in csv.DictReader(out.splitlines()) if row["statistic"] == "cell"]
    reported = [float(row["value"]) for row in rows]
    scored = [cell[metric] for cell in found["cells"] for metric in METRICS]
    assert sorted(reported) == pytest.approx(sorted(scored))


def test_the_result_is_on_stdout_and_the_rest_in_single_lines_on_stderr(shell: Shell) -> None:
    folder = write_small(shell.folder / "team")
    for name in ("README.md", "LICENSE", "result.csv"):
        (folder / name).write_text("x")
    out, err = shell("score", "team", "--year", "2021")
    assert out.startswith("# DCASE 2021 Task 2, development set")
    assert [line.partition(":")[0] for line in err.splitlines()] == ["passed over", "note", "note", "not there"]
    assert "passed over: LICENSE, README.md, result.csv" in err


def test_a_refusal_names_file_line_and_reason(shell: Shell) -> None:
    folder = write_small(shell.folder / "team")
    path = folder / "anomaly_score_fan_section_00_target_test.csv"
    path.write_text(path.read_text().replace("anomaly_0001.wav,3", "anomaly_0001.wav,NaN"))
    out, err = shell("score", "team", "--year", "2021", expect=4)
    assert out == ""
    assert f"{path.name}, line 6: NaN is not finite" in err
    out, err = shell("score", "team", "--year", "2021", "--partial", "--format", "json")
    assert [(cell["domain"], cell["auc"]) for cell in json.loads(out)["cells"]] == [("source", 0.875)]
    assert f"left out: {path.name}, line 6" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["score", "nowhere", "--year", "2021"], 4, "nowhere is not there"),
        (["score", "team"], 2, "--year"),
        (["score", "team", "--year", "2019"], 2, "2019"),
        (["score", "team", "--year", "2021", "--format", "xml"], 2, "xml"),
        (["score", "team", "--year", "2022"], 4, "--year 2021"),
        (["score", "team", "--year", "2021", "--ground-truth", "gone"], 4, "no ground truth at gone"),
        (["export", "nowhere", "--output", "out"], 4, "no results"),
        (["export"], 2, "--output"),
    ],
)
def test_a_mistake_is_answered(shell: Shell, arguments: list[str], code: int, words: str) -> None:
    write_small(shell.folder / "team")
    out, err = shell(*arguments, expect=code)
    assert out == ""
    assert words in err
    assert not (shell.folder / "out").exists()


def test_score_imports_nothing_heavy(shell: Shell) -> None:
    write_small(shell.folder / "team")
    code = """
import sys
from asdbench.cli import main
try:
    main(["score", "team", "--year", "2021"])
except SystemExit as end:
    assert not end.code
heavy = ["torch", "pandas", "scipy", "sklearn", "matplotlib", "librosa", "soundfile"]
sys.exit(" ".join(name for name in heavy if name in sys.modules) or 0)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=shell.folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
