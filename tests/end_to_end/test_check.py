"""`asdbench check` after the real pipeline, each in a process of its own: what passes, and what must not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.shell import Shell

RUN = ("run", "--dataset", "toy[train=5,train_target=2,test=4]", "--machines", "fan", "--epochs", "2", "--workers", "1")
SYSTEMS = "mvg,clvae"

SABOTAGE = {
    "a sign flipped": """
from asdbench.api import System
true = System.score
System.score = lambda self, *components: -true(self, *components)
""",
    "a component dropped": """
from dataclasses import replace
from asdbench.api import System
true = System.score
def score(self, *components):
    formula = dict(list(self.formula.items())[:-1]) if len(self.formula) > 1 else self.formula
    return true(replace(self, formula=formula), *components)
System.score = score
""",
    "another seed of the trainings": """
import asdbench.running.fitting
true = asdbench.running.fitting.derive_seed
asdbench.running.fitting.derive_seed = lambda seed, label, model: true(seed + 1, label, model)
""",
    "1 % noise on the embedding": """
import numpy as np
import asdbench.embeddings
true = asdbench.embeddings.embed_clips
def embed_clips(embedding, waveforms, device):
    found, noise = true(embedding, waveforms, device), np.random.default_rng(0)
    return [one * (1 + 0.01 * noise.standard_normal(one.shape)).astype(np.float32) for one in found]
asdbench.embeddings.embed_clips = embed_clips
""",
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A folder with the expected scores of a run."""
    shell = Shell(tmp_path_factory.mktemp("guarded"))
    shell(*RUN, "--systems", SYSTEMS, "--results", "first")
    out, _ = shell("check", "first", "--against", "expected.csv", "--update")
    assert "48 expected scores of 2 systems written" not in out  # 2 systems x 6 cells x 8 clips
    assert "96 expected scores of 2 systems written" in out
    return shell


def broken_run(guarded: Shell, folder: Path, code: str) -> Shell:
    """A run of a broken asdbench, in a folder and with a cache of its own."""
    shell = Shell(folder)
    shell(*RUN, "--systems", SYSTEMS, before=code)
    (folder / "expected.csv").write_bytes((guarded.folder / "expected.csv").read_bytes())
    return shell


def test_an_untouched_second_run_passes(guarded: Shell, tmp_path: Path) -> None:
    shell = broken_run(guarded, tmp_path, "")
    out, _ = shell("check", "--against", "expected.csv")
    assert "96 scores and 0 metrics compared" in out
    assert "0 worse, 0 missing" in out


@pytest.mark.parametrize("name", SABOTAGE)
def test_a_broken_pipeline_is_a_regression(guarded: Shell, tmp_path: Path, name: str) -> None:
    shell = broken_run(guarded, tmp_path, SABOTAGE[name])
    out, _ = shell("check", "--against", "expected.csv", expect=3)
    assert "worse: clvae, seed 777, fan 00 source:" in out
    assert ("worse: mvg" in out) == (name in ("a sign flipped", "1 % noise on the embedding"))


def test_a_run_with_another_seed_is_a_regression_not_a_pass(guarded: Shell) -> None:
    guarded(*RUN, "--systems", SYSTEMS, "--results", "other", "--seeds", "778")
    out, _ = guarded("check", "other", "--against", "expected.csv", expect=3)
    assert "worse: clvae, seed 778 in place of 777" in out
    assert "missing: clvae, seed 777: not run" in out


def test_a_system_that_was_not_run_and_an_empty_folder_are_missing(guarded: Shell, tmp_path: Path) -> None:
    guarded(*RUN, "--systems", "mvg", "--results", "part")
    assert "missing: clvae, seed 777: not run" in guarded("check", "part", "--against", "expected.csv", expect=4)[0]
    guarded("check", str(tmp_path), "--against", "expected.csv", expect=4)


def test_in_another_environment_trained_systems_are_held_by_their_metrics(guarded: Shell) -> None:
    head, *rows = (guarded.folder / "expected.csv").read_text().splitlines()
    about = json.loads(head.removeprefix("# "))
    for system in about["systems"].values():
        system["environment"]["torch"] = "1.0"
    (guarded.folder / "elsewhere.csv").write_text("\n".join([f"# {json.dumps(about)}", *rows, ""]))
    out, _ = guarded("check", "first", "--against", "elsewhere.csv")
    assert "clvae: rule 2, metrics over seed 777 (trained in another environment: torch: 1.0 expected" in out
    assert "48 scores and 3 metrics compared" in out  # mvg is held clip by clip everywhere


def test_an_update_says_what_changes(guarded: Shell) -> None:
    guarded(*RUN, "--systems", "clvae", "--results", "third", "--seeds", "779")
    text = (guarded.folder / "expected.csv").read_bytes()
    (guarded.folder / "changing.csv").write_bytes(text)
    out, _ = guarded("check", "third", "--against", "changing.csv", "--update")
    assert "changed: clvae, seed 777: gone" in out
    assert "changed: clvae, seed 779: new" in out
