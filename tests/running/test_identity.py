"""Edited code is other code: of a plug-in, of what lies beside it, of an embedding, of asdbench where it trains."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import asdbench
import asdbench_systems
from asdbench.embeddings.cache import FeatureCache
from asdbench.errors import ConflictError
from asdbench.judging.edited import edited
from asdbench.plugins import registry
from asdbench.running import jobs
from asdbench.running.identity import TRAINING, code_of_system, harness, recipe_of
from tests.conftest import MakeFeatures
from tests.runs import go, plugin

HELPER = "def scaled(x):\n    return x * 2\n"


def mine(folder: Path, helper: str = HELPER) -> str:
    """A plug-in whose fit imports, late, a module beside it."""
    spec = plugin(folder, body="from helper import scaled; scaled(1)")
    (folder / "helper.py").write_text(helper)
    return spec


def test_an_edited_neighbour_is_not_found_finished(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results, folder = make_features(), tmp_path / "results", tmp_path / "code"
    folder.mkdir()
    first = go(features, results, mine(folder))
    assert (first.trained, first.failed) == (2, [])
    said = HELPER.replace(":\n", ':  # a comment\n    """Twice."""\n\n')
    assert go(features, results, mine(folder, said)).reused == 2
    with pytest.raises(ConflictError) as caught:
        go(features, results, mine(folder, HELPER.replace("2", "3")))
    assert "code.helper.py: " in caught.value.looked
    assert "--replace" in caught.value.hint
    assert go(features, results, mine(folder, HELPER.replace("2", "3")), replace=True).trained == 2


def test_results_without_code_in_their_key_are_of_another_key(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    (folder,) = go(features, results).folders
    manifest = folder.manifest()
    for entry in manifest["machines"].values():
        del entry["key"]["code"]
    folder.write_manifest(manifest)
    with pytest.raises(ConflictError) as caught:
        go(features, results)
    assert "code: not known of what is there" in caught.value.looked


def test_check_tells_results_of_other_code(
    make_features: MakeFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine(tmp_path)
    (folder,) = go(make_features(), tmp_path / "results", "./mine.py:make").folders
    assert (folder.system, folder.asked) == ("make", "./mine.py:make")
    assert edited([folder]) == []
    mine(tmp_path, HELPER.replace("2", "3"))
    assert edited([folder]) == ["make, seed 777: helper.py"]
    monkeypatch.setattr("asdbench.judging.edited.harness", lambda: "other")
    assert edited([folder]) == [f"make, seed 777: {TRAINING}, helper.py"]
    # A manifest does not choose what is read.
    manifest = folder.manifest()
    manifest["system"]["asked"] = f"{tmp_path}/mine.py:make"
    for entry in manifest["machines"].values():
        entry["key"]["code"] = {"../mine.py": "x", f"{tmp_path}/mine.py": "x", "features.npy": "x", "mine.py": "x"}
    folder.write_manifest(manifest)
    monkeypatch.chdir(tmp_path / "results")
    assert edited([folder]) == []


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of both packages, to edit."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in (asdbench, asdbench_systems):
        here = Path(str(package.__file__)).parent
        shutil.copytree(here, folder / here.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def codes(checkout: Path) -> dict[str, dict[str, str]]:
    """The code of systems and of an embedding in a checkout, as a process of its own has it."""
    program = (
        "import sys, json\n"
        f"sys.path.insert(0, {str(checkout)!r})\n"
        "from asdbench.running.identity import code_of_system, recipe_of\n"
        "from asdbench.plugins.registry import create\n"
        "found = {s: dict(code_of_system(s, create('systems', s)).modules) for s in ('clvae', 'mvg', 'ae')}\n"
        "for name in ('resnet38[weights=random]', 'logmel'):\n"
        "    found[name.partition('[')[0]] = recipe_of(name, create('embeddings', name))['code']\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


NUMPY = "import numpy as np\nOTHER = 1\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "touched"),
    [
        ("asdbench_systems/_vae.py", "LEARNING_RATE = 1e-3", "LEARNING_RATE = 2e-3", {"clvae"}),
        ("asdbench_systems/mvg.py", "CHUNK = 128", "CHUNK = 512", {"mvg"}),
        ("asdbench_systems/_checks.py", "import math\n", "import math\nOTHER = 1\n", {"clvae", "mvg", "ae"}),
        ("asdbench/embeddings/_resnet38_network.py", "import numpy as np\n", NUMPY, {"resnet38"}),
        ("asdbench/audio.py", "import numpy as np\n", NUMPY, {"resnet38", "logmel"}),
        ("asdbench/running/fitting.py", "answer = Answer()", "answer = Answer(steps=1)", {"clvae", "mvg", "ae"}),
        ("asdbench/running/jobs.py", "import os\n", "import os\nOTHER = 1\n", set()),
        ("asdbench/cli/run.py", "import shlex\n", "import shlex\nOTHER = 1\n", set()),
        ("asdbench/words.py", "def counted", "X = 1\ndef counted", set()),
        ("asdbench/plugins/registry.py", "import inspect\n", "import inspect\nOTHER = 1\n", set()),
    ],
)  # fmt: skip
def test_of_asdbench_only_what_trains_and_scores_counts(
    checkout: Path, file: str, old: str, new: str, touched: set[str]
) -> None:
    before = codes(checkout)
    path = checkout / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        after = codes(checkout)
    finally:
        path.write_text(text)
    assert {name for name in before if before[name] != after[name]} == touched
    for name in touched:
        changed = {one for one in after[name] if after[name][one] != before[name][one]}
        assert changed == {TRAINING if "fitting" in file else file}


def test_the_versions_of_what_the_code_imports_join() -> None:
    assert "scikit-learn" not in code_of_system("mvg", registry.create("systems", "mvg")).versions
    assert len(harness()) == 16


def test_scikit_learns_version_joins_where_it_is_used(make_features: MakeFeatures, tmp_path: Path) -> None:
    spec = plugin(tmp_path, body="import sklearn.covariance")
    (folder,) = go(make_features(), tmp_path / "results", spec).folders
    (versions, *_) = [entry["key"]["versions"] for entry in folder.manifest()["machines"].values()]
    assert set(versions) == {"numpy", "scipy", "torch", "scikit-learn"}


def test_a_worker_with_other_code_refuses(make_features: MakeFeatures, tmp_path: Path) -> None:
    class Elsewhere(ThreadPoolExecutor):
        """Its worker's copy of the neighbour is another."""

        def submit(self, fn: Any, /, *arguments: Any, **more: Any) -> Any:
            if fn is jobs.run_job:
                (job,) = arguments
                arguments = (replace(job, code={**job.code, "helper.py": "0" * 16}),)
            return super().submit(fn, *arguments, **more)

    with Elsewhere(1) as executor:
        summary = go(make_features(), tmp_path / "results", mine(tmp_path), executor=executor)
    assert summary.trained == 0
    assert summary.refused == 2
    reasons = {reason for *_, reason in summary.failed}
    assert len(reasons) == 1
    assert "has other code of" in reasons.pop()


EMBEDDING = """
import numpy as np
from level import LEVEL
class Mean:
    name, kind, batch, stamps, recipe = "mean", "vector", 4, (), {"embedding": "mean"}
    def embed(self, waveforms, rate, device="cpu"):
        return np.full((len(waveforms), 2), LEVEL, dtype=np.float32)
def mean():
    return Mean()
"""


def test_an_edited_embedding_is_another_recipe(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(EMBEDDING)
    (tmp_path / "level.py").write_text("LEVEL = 1\n")
    spec = f"{tmp_path / 'own.py'}:mean"
    before = recipe_of(spec, registry.create("embeddings", spec))
    assert {"own.py", "level.py", "asdbench/audio.py", "asdbench/embeddings/__init__.py"} == set(before["code"])
    assert "numpy" in before["libraries"]
    (tmp_path / "level.py").write_text("LEVEL = 2\n")
    after = recipe_of(spec, registry.create("embeddings", spec))
    assert after["code"]["level.py"] != before["code"]["level.py"]
    assert FeatureCache(tmp_path, before).folder != FeatureCache(tmp_path, after).folder


def test_a_chunk_is_not_embedded_by_other_code(tmp_path: Path) -> None:
    recipe = recipe_of("logmel", registry.create("embeddings", "logmel"))
    other = {**recipe, "code": {**recipe["code"], "asdbench/audio.py": "0" * 16}}
    found = jobs.embed_chunk("logmel", other, [None], ["0" * 64], None, tmp_path, "cpu")  # type: ignore[arg-type,list-item]  # not reached
    assert not found[0].lasting
    assert "has other code of logmel" in found[0].reason


def test_a_plugin_package_is_followed_into_its_helpers(
    make_features: MakeFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an entry point has it: the factory's module imports another, which imports a third inside a function."""
    package = tmp_path / "helped_package"
    package.mkdir()
    mine(package)
    text = (package / "mine.py").read_text()
    (package / "mine.py").write_text(text.replace("from helper import", "from helped_package.helper import"))
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = registry.Entry("helped_package", "systems", "helped_package.mine:make", "helped_package 1.0")
    monkeypatch.setattr(
        registry, "entries", lambda group: {"helped_package": entry} if group == "systems" else known(group)
    )
    code = dict(code_of_system("helped_package", registry.create("systems", "helped_package")).modules)
    assert set(code) == {TRAINING, "helped_package/__init__.py", "helped_package/mine.py", "helped_package/helper.py"}


known = registry.entries
