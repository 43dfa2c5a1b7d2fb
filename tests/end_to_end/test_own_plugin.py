"""A system of somebody's own, from a file: what its author types, sees and finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MakeFeatures
from tests.runs import PLUGIN
from tests.shell import Shell


def write(folder: Path, body: str = "pass", factor: int = 1) -> None:
    """A plug-in with an ordinary parameter, and a module beside it."""
    text = PLUGIN.format(body=body, spy="pass", scope="machine").replace("def make(*, power", "def make(power")
    text = text.replace("self.centre).sum", "self.centre * FACTOR).sum")
    (folder / "mine.py").write_text(f"from helper import FACTOR\n{text}")
    (folder / "helper.py").write_text(f"FACTOR = {factor}\n")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    write(tmp_path)
    return Shell(tmp_path)


def test_its_folder_its_names_and_an_edit(shell: Shell, make_features: MakeFeatures) -> None:
    run = ("run", "--dataset", f"features:{make_features()}", "--workers", "1", "--systems")
    _, err = shell(*run, "./mine.py:make[ power = 2 ],mvg")
    assert "next:    asdbench report --dataset small" in err
    assert "--format html --output report.html --open" in err
    folders = sorted(path.name for path in (shell.folder / "results" / "small").iterdir())
    assert folders == ["make[power=2]", "mvg"]
    for name in ("make[power=2]", "./mine.py:make[power=2]", "mine.py:make[power = 2]"):
        assert shell("compare", name, "mvg")[0].startswith("# make")
        shell("export", "--system", name, "--output", "out", "--replace", "--partial", "--part", "dev")
        shell("plot", "auc", "--systems", f"mvg,{name}")
    shell("check", "--against", "expected.csv", "--update")
    assert "0 worse, 0 missing" in shell("check", "--against", "expected.csv")[0]
    text = (shell.folder / "expected.csv").read_text()
    (shell.folder / "before.csv").write_text(text.replace("make[power=2]", "./mine.py:make[power=2]"))
    assert "0 worse, 0 missing" in shell("check", "--against", "before.csv")[0]
    write(shell.folder, factor=3)
    out, _ = shell("check", "--against", "expected.csv", expect=4)
    assert "missing: make[power=2], seed 777: helper.py is not as it was when these results were made" in out
    _, err = shell(*run, "./mine.py:make[power=2]", expect=2)
    assert "code.helper.py" in err
    assert "--replace" in err
    shell(*run, "./mine.py:make[power=2]", "--replace")
    assert "worse: make[power=2]" in shell("check", "--against", "expected.csv", expect=3)[0]


def test_show_says_what_it_is_and_what_is_wrong(shell: Shell) -> None:
    out, _ = shell("systems", "show", "./mine.py:make[power=3]")
    assert "power=3  (int)" in out
    for body, looked in (
        ("return None", "it gives None"),
        ("return 7", "it gives a value of type int"),
        (
            "from asdbench.api import System; return System('a', 'b', 7, {'x': 1.0})",
            "it is of type int, without embedding",
        ),
        ("1 / 0", "ZeroDivisionError"),
    ):
        (shell.folder / "bad.py").write_text(f"def make(needed=None):\n    {body}\n")
        _, err = shell("systems", "show", "./bad.py:make", expect=2)
        assert looked in err
    (shell.folder / "bad.py").write_text("def make(needed):\n    return None\n")
    _, err = shell("systems", "show", "./bad.py:make", expect=2)
    assert "missing 1 required positional argument: 'needed'" in err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_no_warning_reaches_the_terminal(shell: Shell, make_features: MakeFeatures, workers: str) -> None:
    write(shell.folder, body="np.zeros(1) / np.zeros(1); np.float64(1e301).astype(np.float32); np.mean([])")
    dataset = f"features:{make_features()}"
    _, err = shell("run", "--dataset", dataset, "--systems", "./mine.py:make", "--workers", workers)
    assert "Warning" not in err
    if workers == "1":
        (log,) = (shell.folder / "results" / "logs").iterdir()
        assert "RuntimeWarning" in log.read_text()


def test_a_job_that_fails_is_not_called_trained(shell: Shell, make_features: MakeFeatures) -> None:
    write(shell.folder, body="raise ValueError('no')")
    dataset = f"features:{make_features()}"
    _, err = shell("run", "--dataset", dataset, "--systems", "./mine.py:make", "--workers", "1", expect=4)
    assert "0 trained, 2 refused or failed, 0 scored" in err
