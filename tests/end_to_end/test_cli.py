"""The command line as a person meets it: a small toy run, and what careless use leads to."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MakeFeatures
from tests.shell import Shell

TOY = "toy[train=5,train_target=2,test=4]"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, str, str]:
    """All five systems on two machines of a small toy set."""
    shell = Shell(tmp_path_factory.mktemp("finished"))
    out, err = shell("run", "--dataset", TOY, "--machines", "fan,valve", "--epochs", "2")
    return shell, out, err


def test_the_module_is_the_command_line_too(shell: Shell) -> None:
    order = [sys.executable, "-m", "asdbench", "export", "nowhere", "--output", "out"]
    done = subprocess.run(order, cwd=shell.folder, env=shell.environment, text=True, capture_output=True, check=False)
    assert done.returncode == 4
    assert "no results in nowhere" in done.stderr


def test_a_path_of_another_encoding_ends_no_run_and_a_tilde_is_the_home_folder(shell: Shell) -> None:
    """Bytes that are no UTF-8 in a name, as they come from archives of other systems."""
    if sys.platform == "darwin":
        pytest.skip("file names are UTF-8 there")
    shell.environment["HOME"] = str(shell.folder / "home")
    odd = os.fsdecode(b"bad\xffname")
    asked = ("run", "--dataset", TOY, "--machines", "fan", "--systems", "ae[epochs=1]", "--results", odd)
    shell(*asked)
    _, err = shell(*asked)
    assert "1 found finished" in err
    shell("report", odd, "--format", "csv", "--output", "~/out/table.csv")
    assert (shell.folder / "home" / "out" / "table.csv").is_file()
    assert not (shell.folder / "~").exists()
    _, err = shell("run", "--dataset", TOY, "--systems", "mvg", "--weights", "~/gone.pth", expect=4)
    assert str(shell.folder / "home" / "gone.pth") in err


def test_a_toy_run_prints_stamped_tables_where_results_lie_and_what_to_do_next(
    finished: tuple[Shell, str, str],
) -> None:
    shell, out, err = finished
    for system in ("ae", "cvae", "clvae", "clvae-ensemble", "mvg"):
        assert f"`{system}` on toy" in out
    tables = out.split("\n## ")[1:]
    assert len(tables) == 5
    for table in tables:
        assert "> **SYNTHETIC DATA" in table
        assert ("UNTRAINED NETWORK" in table) == ("`ae`" not in table)  # the autoencoder uses no pretrained network
        assert "Official score" in table
    assert "the built-in toy data" in err or TOY in err
    assert "results: results/toy" in err
    assert "asdbench report" in err
    assert (shell.folder / "results" / "toy" / "mvg" / "seed-777" / "manifest.json").is_file()


def test_on_a_terminal_a_run_ends_in_an_overview_that_fits_it(finished: tuple[Shell, str, str]) -> None:
    shell, _, _ = finished
    arguments = ["run", "--dataset", TOY, "--machines", "fan,valve", "--epochs", "2"]
    lines = shell.on_terminal(*arguments, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    for system in ("ae", "cvae", "clvae", "clvae-ensemble", "mvg"):
        assert any(line.split()[:1] == [system] for line in lines)
    assert any("SYNTHETIC DATA" in line for line in lines)
    assert not any(line.startswith("|") for line in lines)


def test_latex_json_and_leaderboard_of_a_run(finished: tuple[Shell, str, str]) -> None:
    shell, _, _ = finished
    assert shell("report", "--format", "latex")[0].count(r"\begin{tabular}") == 1 + 5
    systems = {record["system"] for record in json.loads(shell("report", "--format", "json")[0])}
    assert systems == {"ae", "cvae", "clvae", "clvae-ensemble", "mvg"}
    ranked = json.loads(shell("leaderboard", "--format", "json")[0])
    assert {record["system"] for record in ranked} == systems
    assert {record["rank"] for record in ranked} == {None}
    assert all(record["parameters"] > 0 and record["seconds_to_train"] >= 0 for record in ranked)
    assert "NO RESULT OF OURS IS HERE" in shell("leaderboard", "results", "results")[0]


def test_report_prints_the_same_tables(finished: tuple[Shell, str, str]) -> None:
    shell, out, _ = finished
    assert shell("report", "--format", "markdown")[0] == out
    assert shell("report", "results", "--dataset", "toy")[0] == out
    rows = list(csv.DictReader(shell("report", "--format", "csv")[0].splitlines()))
    assert sum(row["metric"] == "official_score" for row in rows) == 5
    values = [row for row in rows if row["statistic"] == "cell"]
    assert len(values) == 5 * 2 * 3 * 2 * 5  # systems, machines, sections, domains, metrics


def test_running_again_trains_nothing_and_prints_the_same(finished: tuple[Shell, str, str]) -> None:
    shell, out, _ = finished
    again, err = shell("run", "--dataset", TOY, "--machines", "fan,valve", "--epochs", "2")
    assert again == out
    assert "0 trained" in err
    assert "10 found finished" in err


def test_check_guards_the_scores(finished: tuple[Shell, str, str], tmp_path: Path) -> None:
    shell, _, _ = finished
    expected = str(tmp_path / "expected.csv")
    assert "there are no expected scores" in shell("check", "--against", expected, expect=4)[1]
    shell("check", "--against", expected, "--update")
    held = shell("check", "--against", expected)[0]
    assert "480 scores and 0 metrics compared" in held  # 5 systems x 12 cells x 8 clips
    path = next((shell.folder / "results" / "toy" / "mvg" / "seed-777").glob("anomaly_score_fan*"))
    text = path.read_text()
    try:
        path.write_text(re.sub(r",(\S+)", r",-\1", text))
        assert "worse: mvg" in shell("check", "--against", expected, expect=3)[0]
    finally:
        path.write_text(text)


def test_scores_are_the_same_to_the_last_bit_another_time(finished: tuple[Shell, str, str], tmp_path: Path) -> None:
    shell, _, _ = finished
    other = Shell(tmp_path)
    other("run", "--dataset", TOY, "--machines", "valve", "--systems", "clvae,ae", "--epochs", "2", "--workers", "1")
    for path in sorted((tmp_path / "results").rglob("anomaly_score_valve*")):
        assert path.read_bytes() == (shell.folder / path.relative_to(tmp_path)).read_bytes()


def test_embedded_toy_clips_give_the_scores_of_the_toy_run(finished: tuple[Shell, str, str], tmp_path: Path) -> None:
    shell, _, _ = finished
    other = Shell(tmp_path, cache=shell.folder / "cache")
    _, err = other("embed", "--dataset", TOY, "--output", "kept")
    assert "asdbench run --dataset features:kept" in err
    origin = json.loads((tmp_path / "kept" / "embedding.json").read_text())
    assert origin["weights"] == "random"
    assert set(origin["stamps"]) == {"synthetic data", "untrained network"}
    assert np.load(tmp_path / "kept" / "features.npy").shape[1] == 3776
    out, _ = other("run", "--dataset", "features:kept", "--systems", "mvg", "--machines", "fan")
    assert "SYNTHETIC DATA, UNTRAINED NETWORK" in out
    for path in sorted((tmp_path / "results" / "kept" / "mvg" / "seed-777").glob("anomaly_score_*")):
        there = shell.folder / "results" / "toy" / "mvg" / "seed-777" / path.name
        assert path.read_bytes() == there.read_bytes()


def test_systems_tells_what_there_is(shell: Shell) -> None:
    out, _ = shell("systems")
    for name in ("ae", "cvae", "clvae", "clvae-ensemble", "mvg"):
        assert re.search(rf"^{name} +\S", out, re.MULTILINE)
    shown, _ = shell("systems", "show", "clvae-ensemble")
    for words in ("scale=0.01", "center_weight=150", "Report:", "narita2021/table-6", "blocks=basic", "epochs=300"):
        assert words in shown


def imported(shell: Shell, heavy: Sequence[str], *commands: Sequence[str]) -> str:
    """Which of the heavy packages a process has imported that runs commands one after the other."""
    code = f"""
import sys
from asdbench.cli import main
for arguments in {commands!r}:
    try:
        main(list(arguments))
    except SystemExit as end:
        assert not end.code
    found = [name for name in {heavy!r} if name in sys.modules]
    if found:
        sys.exit(f"{{arguments}}: {{found}}")
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=shell.folder, capture_output=True, text=True, check=False)
    return ended.stderr if ended.returncode else ""


def test_help_and_systems_import_nothing_heavy(shell: Shell) -> None:
    heavy = ["torch", "pandas", "scipy", "sklearn", "matplotlib", "librosa"]
    assert imported(shell, heavy, ["--help"], ["systems"], ["systems", "show", "clvae"]) == ""


def test_report_and_check_do_not_import_torch(finished: tuple[Shell, str, str]) -> None:
    shell, _, _ = finished
    check = ["check", "--update", "--against", str(shell.folder / "any.csv")]
    assert imported(shell, ["torch"], ["report"], ["leaderboard"], ["report", "--format", "latex"], check) == ""
    assert "torch" in imported(shell, ["torch"], ["doctor"])  # it would be seen


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["rnu"], 2, "did you mean 'run'"),
        (["run", "--systems", "clvea"], 2, "did you mean 'clvae'"),
        (["run", "--systems", "clvae[lr=fast]"], 2, "lr"),
        (["run", "--systems", "clvae[lr=1e-3"], 2, "brackets"),
        (["run", "--seeds", "x"], 2, "777,778"),
        (["run", "--dataset", "dcase2021:nowhere"], 4, "nowhere"),
        (["run", "--dataset", "dcase2021"], 2, "dcase2021:ROOT"),
        (["run", "--dataset", "features:nowhere"], 4, "nowhere"),
        (["run", "--weights", "nowhere.pth", "--systems", "mvg"], 4, "nowhere.pth"),
        (["run", "--machines", "fann", "--systems", "mvg"], 2, "did you mean 'fan'"),
        (["run", "--systems", "ae[weights=gone.npz]", "--machines", "fan"], 4, "gone.npz"),
        (["report", "nowhere"], 4, "nowhere"),
        (["check"], 4, "no results"),
        (["systems", "show", "clvea"], 2, "did you mean 'clvae'"),
        (["embed", "--embedding", "logmel", "--output", "x", "--dataset", TOY], 2, "one vector a clip"),
    ],
)
def test_a_mistake_is_answered_in_three_lines(shell: Shell, arguments: list[str], code: int, words: str) -> None:
    out, err = shell(*arguments, expect=code)
    assert out == ""
    assert words in err
    assert not (shell.folder / "results").exists()


def test_a_run_on_the_official_layout_takes_whatever_part_there_is(shell: Shell, tmp_path: Path) -> None:
    from asdbench.datasets.toy import toy, write

    root = tmp_path / "data"
    write(root, toy(train=4, train_target=1, test=3, additional=True))
    for machine in ("ToyCar", "ToyTrain", "gearbox", "pump", "slider", "valve"):
        for part in ("dev_data", "eval_data"):
            for path in sorted((root / part / machine).rglob("*.wav")):
                path.unlink()
    for path in (root / "dev_data" / "fan" / "target_test").iterdir():
        if "section_02" in path.name:
            path.unlink()
    (shell.folder / "asdbench.toml").write_text(f'[asdbench]\ndata = "{root}"\n')
    toy_out, _ = shell("run", "--systems", "mvg", "--weights", "random", "--results", "toy")
    assert "SYNTHETIC DATA" in toy_out  # the files say that they are toy sounds
    assert "published" not in toy_out.partition("Published values are left out")[0]
    (root / "SYNTHETIC.txt").unlink()
    out, err = shell("run", "--systems", "mvg", "--weights", "random")
    assert "set in asdbench.toml" in err
    assert "UNTRAINED NETWORK" in out
    assert "SYNTHETIC" not in out
    assert "AUC source, published" in out
    assert "test clips here, 100+100 in DCASE 2021" in out
    assert "evaluation sections" in out
    shell("run", "--systems", "mvg", "--weights", "random", "--sections", "00,01", "--results", "some")


def test_real_data_is_never_run_with_an_untrained_network_silently(shell: Shell, tmp_path: Path) -> None:
    from asdbench.datasets.toy import toy, write

    write(tmp_path / "data", toy(train=2, train_target=1, test=2))
    _, err = shell("run", "--dataset", f"dcase2021:{tmp_path / 'data'}", "--systems", "mvg", expect=4)
    assert "--weights FILE" in err
    assert "--weights random" in err


def test_features_of_unstated_origin_say_so(shell: Shell, make_features: MakeFeatures) -> None:
    folder = make_features()
    (folder / "embedding.json").unlink()
    out, err = shell("run", "--dataset", f"features:{folder}", "--workers", "1")
    assert "FEATURES OF UNSTATED ORIGIN" in out
    assert "not applicable: ae" in err


def test_the_same_folder_with_other_parameters_is_refused(shell: Shell, make_features: MakeFeatures) -> None:
    data = f"features:{make_features(machines=['fan'], sections=['00'])}"
    shell("run", "--dataset", data, "--systems", "cvae", "--epochs", "1")
    out, err = shell("run", "--dataset", data, "--systems", "cvae", "--epochs", "2", expect=2)
    assert "epochs: 1 there, 2 now" in err
    assert "--replace" in err
    assert out == ""


def test_ctrl_c_keeps_what_is_done_and_leaves_with_130(shell: Shell) -> None:
    process = shell.start(
        "run", "--dataset", TOY, "--systems", "mvg,clvae", "--epochs", "400", "--machines", "fan,pump"
    )
    results = shell.folder / "results" / "toy" / "mvg" / "seed-777" / "manifest.json"
    deadline = time.monotonic() + 120
    while not results.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "run the same command again" in err
    assert json.loads(results.read_text())["machines"]
    assert not [path for path in shell.folder.rglob(".*") if path.is_file()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_once_more_a_command_leaves_at_once_and_without_a_word(number: int) -> None:
    code = "import atexit, signal, sys, time; from asdbench import cli; cli.root.main = lambda *_, **__: stop()\n"
    code += "def stop(): signal.raise_signal(signal.SIGINT)\n"
    code += "def leave(): print('leaving', flush=True); time.sleep(120)\n"  # as workers may take their time
    code += "atexit.register(leave); cli.main()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "leaving\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("Error: interrupted")
    assert "Traceback" not in err


def test_clips_whose_labels_nobody_gave_are_no_failure(shell: Shell, make_features: MakeFeatures) -> None:
    index = make_features() / "index.csv"
    lines = index.read_text().splitlines()
    run = ("run", "--dataset", f"features:{index.parent}", "--systems", "mvg")

    def without(*labels: str) -> None:
        taken = [
            line.replace(f"test,{label}", "test,")
            if (label := line.split(",")[5]) in labels and ",01," in line
            else line
            for line in lines
        ]
        index.write_text("\n".join(taken) + "\n")

    without("normal", "anomaly")
    _, err = shell(*run)
    assert "not scored: mvg, seed 777, fan 01 source" in err
    assert "labels unknown; their scores are written" in " ".join(err.split())
    assert "4 cells without a value" in err
    without("anomaly")  # of some clips the labels are known: something is wrong with them
    _, err = shell(*run, "--replace", expect=1)
    assert "no value:" in err
