"""`asdbench compare` as a person meets it."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import MakeFeatures
from tests.runs import go
from tests.shell import Shell

PLUGIN = """
from dataclasses import dataclass
import numpy as np
from asdbench.api import System

@dataclass(frozen=True)
class Fitted:
    sign: int
    def components(self, batch):
        return {"sum": (self.sign * np.asarray(batch.features).sum(axis=1)).astype(np.float32)}

@dataclass(frozen=True)
class Model:
    sign: int = 1
    embedding: str = "resnet38"
    scope: str = "machine"
    def fit(self, train, ctx):
        return Fitted(self.sign)

def make(*, sign: int = 1, scope: str = "machine"):
    return System("mine", "The sum", Model(sign, scope=scope), {"sum": 1.0})
"""


@pytest.fixture
def shell(tmp_path: Path, make_features: MakeFeatures) -> Shell:
    """Results of mvg and of a system that turns its sign, two seeds, on given features."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    features = make_features(test=12, train=10, shift=1.0, stamps=["made for a test"])
    mine = f"{tmp_path / 'mine.py'}:make"
    systems = f"mvg,{mine},{mine}[sign=-1]"
    go(features, tmp_path / "results", systems, seeds=[1, 2])
    return Shell(tmp_path)


def test_systems_by_name_and_by_path(shell: Shell) -> None:
    folder = shell.folder / "results" / "small"
    (worse,) = (path for path in folder.iterdir() if "sign=-1" in path.name)
    out, err = shell("compare", "mvg", str(worse))
    assert err == ""
    assert out.splitlines()[2].startswith("> **MADE FOR A TEST")
    assert "falls to 0, and a harmonic mean with it: the mean AUC decides" in out
    assert re.search(r"by the mean AUC, mvg is better than \S+: its mean AUC is [\d.]+ points higher", out)
    assert "mvg is deterministic" in out
    moved = shell.folder / "elsewhere" / "small" / "mvg"
    shutil.copytree(folder / "mvg", moved)
    out, _ = shell("compare", "mvg", str(moved / "seed-2"))
    assert "mvg in mvg and mvg in " in out
    assert "are equivalent within ± 1 point: +0.0 points of official score" in out


def test_a_system_trained_on_every_machine_at_once(shell: Shell, make_features: MakeFeatures) -> None:
    mine = f"{shell.folder / 'mine.py'}:make[scope=all]"
    results = shell.folder / "results"
    go(shell.folder / "small", results, mine, seeds=[1, 2], machines=["fan"])
    (all_machines,) = (path for path in (results / "small").iterdir() if "scope=all" in path.name)
    out, _ = shell("compare", "mvg", str(all_machines))
    assert "seeds 1, 2" in out
    assert out.count("| fan       | 0") == 4
    other = make_features("other/small", test=12, train=10, shift=1.0, seed=9)
    go(other, shell.folder / "more", mine, seeds=[1, 2])
    (elsewhere,) = (shell.folder / "more" / "small").iterdir()
    _, err = shell("compare", "mvg", str(elsewhere), expect=4)
    assert "the clips of fan, pump have another fingerprint" in err


def test_what_cannot_be_compared_is_said_in_three_lines(shell: Shell, make_features: MakeFeatures) -> None:
    def error(*arguments: str, expect: int) -> str:
        out, err = shell("compare", *arguments, expect=expect)
        assert out == ""
        assert len(err.splitlines()) == 3
        return err

    assert "did you mean 'mvg'" in error("mgv", "mvg", expect=2)
    assert "`asdbench run --systems ae` makes them" in error("ae", "mvg", expect=2)
    assert "compared with itself" in error("mvg", "mvg", expect=2)
    assert "no results at nowhere" in error("mvg", "cvae", "--results", "nowhere", expect=4)
    assert "did you mean 'small'" in error("mvg", "cvae", "--dataset", "smal", expect=2)
    (shell.folder / "empty").mkdir()
    assert "no results of a system in empty" in error("mvg", "empty", expect=4)
    features = make_features("other/small", seed=5)
    go(features, shell.folder / "more", seeds=[1])
    other = error("mvg", str(shell.folder / "more" / "small" / "mvg"), expect=4)
    assert "not made on the same data" in other
    assert "fan, pump" in other


def test_a_comparison_imports_nothing_heavy(shell: Shell) -> None:
    import subprocess

    heavy = "torch, pandas, sklearn, librosa, matplotlib"
    program = (
        "import sys\nfrom asdbench.cli import root\n"
        "paths = sorted(str(p) for p in __import__('pathlib').Path('results/small').iterdir())\n"
        "root.main(['compare', *paths[:2]], standalone_mode=False)\n"
        f"print('HEAVY', [name for name in '{heavy}'.split(', ') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=shell.folder, env=shell.environment, text=True, capture_output=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []", done.stderr
