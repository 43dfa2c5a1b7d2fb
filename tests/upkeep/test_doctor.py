from __future__ import annotations

import builtins
import hashlib
import importlib.metadata
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import asdbench
from asdbench.fetching import checkpoints
from asdbench.plugins import registry
from asdbench.upkeep import doctor
from asdbench.upkeep.doctor import Check, diagnose


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and current folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(checkpoints, "weights_folder", lambda: tmp_path / "home" / "weights")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def checks(home: Path) -> dict[str, Check]:
    return {check.subject: check for check in diagnose(Path("results"), home / "cache")}


def states(found: Mapping[str, Check]) -> dict[str, str]:
    return {subject: check.state for subject, check in found.items() if check.state != "ok"}


def test_a_fresh_machine_can_do_a_toy_run_and_is_told_what_the_benchmark_needs(home: Path) -> None:
    found = checks(home)
    assert "missing" not in states(found).values()
    assert found["data"].state == found["weights"].state == "hint"
    assert "toy" in found["data"].text
    assert str(home / "home" / "weights" / "ResNet38_mAP=0.434.pth") in found["weights"].text
    assert "asdbench fetch resnet38" in found["weights"].hint
    assert "clvae-ensemble" in found["systems"].text
    assert f"asdbench {importlib.metadata.version('asdbench')}" in found["systems"].text
    assert all(check.hint for check in found.values() if check.state != "ok")


def test_nothing_is_made(home: Path) -> None:
    before = sorted(home.rglob("*"))
    checks(home)
    assert sorted(home.rglob("*")) == before


def test_configured_data_is_counted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = home / "data" / "dev_data" / "coffee" / "train" / "section_00_source_train_normal_0000.wav"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"")
    monkeypatch.setenv("ASDBENCH_DATA", str(home / "data"))
    found = checks(home)["data"]
    assert found.state == "ok"
    assert "ASDBENCH_DATA" in found.text
    assert "1 clip of 1 machine: dev 1" in found.text


def test_real_data_without_weights_cannot_be_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = home / "data" / "dev_data" / "fan" / "train" / "section_00_source_train_normal_0000_x.wav"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"")
    monkeypatch.setenv("ASDBENCH_DATA", f"dcase2026:{home / 'data'}")
    found = checks(home)
    assert states(found) == {"weights": "missing"}
    assert "asdbench fetch resnet38" in found["weights"].hint
    assert "the 2026 layout is assumed" in found["data"].text
    (home / "index.csv").write_text("clip,machine,section,domain,split,label\na,fan,00,source,train,\n")
    np.save(home / "features.npy", np.zeros((1, 2), dtype=np.float32))
    monkeypatch.setenv("ASDBENCH_DATA", f"features:{home}")
    assert states(checks(home)) == {"weights": "hint"}


def test_configured_data_that_is_not_there_is_missing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASDBENCH_DATA", str(home / "gone"))
    found = checks(home)["data"]
    assert found.state == "missing"
    assert "gone" in found.text
    assert found.hint


def test_broken_settings_are_missing(home: Path) -> None:
    Path("asdbench.toml").write_text("weigths = 'x'")
    found = checks(home)
    assert states(found) == {"data": "missing", "weights": "missing"}
    assert "did you mean 'weights'" in found["weights"].hint


def test_weights_are_told_with_size_and_hash(home: Path) -> None:
    Path("mine.pth").write_bytes(b"some weights")
    Path("asdbench.toml").write_text('weights = "mine.pth"')
    found = checks(home)["weights"]
    assert hashlib.sha256(b"some weights").hexdigest() in found.text
    assert "12 bytes" in found.text
    assert "not ResNet38 or Cnn14 as published" in found.text
    Path("asdbench.toml").write_text('weights = "gone.pth"')
    assert checks(home)["weights"].state == "missing"
    Path("asdbench.toml").write_text('weights = "random"')
    assert checks(home)["weights"].state == "hint"


def test_fetched_weights_are_found_and_recognised(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from asdbench.embeddings import resnet38

    content = b"pretend that these are the published weights"
    published = replace(resnet38.PUBLISHED, md5=hashlib.md5(content, usedforsecurity=False).hexdigest())
    monkeypatch.setattr(resnet38, "PUBLISHED", published)
    path = home / "home" / "weights" / published.name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    found = checks(home)["weights"]
    assert found.state == "ok"
    assert "ResNet38 as published" in found.text
    assert f"--weights {path}" in found.text


def test_torch_that_cannot_be_imported_is_missing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name == "torch":
            raise ImportError("libtorch_cpu.so: cannot open shared object file")
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    found = checks(home)["torch"]
    assert found.state == "missing"
    assert "libtorch_cpu.so" in found.text


def test_a_plugin_that_cannot_be_loaded_is_named_with_its_package(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = registry.entries

    def more(group: registry.Group) -> Mapping[str, registry.Entry]:
        broken = registry.Entry("theirs", "embeddings", "nowhere_to_be_found:make", "their-package 0.3")
        return {**original(group), **({"theirs": broken} if group == "embeddings" else {})}

    monkeypatch.setattr(registry, "entries", more)
    found = list(diagnose(Path("results"), home / "cache"))
    (bad,) = (check for check in found if check.state == "missing")
    assert "theirs of their-package 0.3" in bad.text
    assert "their-package" in bad.hint
    assert any(check.subject == "embeddings" and check.state == "ok" for check in found)


def test_a_folder_that_cannot_be_used_is_missing(home: Path) -> None:
    Path("results").write_text("a file")
    assert states(checks(home))["results"] == "missing"


def test_the_room_that_is_left(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    for free, state in ((doctor.TOY_BYTES - 1, "missing"), (doctor.TOY_BYTES, "hint"), (doctor.BENCHMARK_BYTES, "ok")):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: Usage(free))
        assert checks(home)["disk"].state == state


def test_versions_are_those_of_the_constraints_or_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asdbench, "__file__", str(home / "site-packages" / "asdbench" / "__init__.py"))
    assert "no constraints.txt" in checks(home)["versions"].text
    numpy = importlib.metadata.version("numpy")
    torch = importlib.metadata.version("torch").partition("+")[0]
    Path("constraints.txt").write_text(f"# made up\nnumpy=={numpy}\ntorch=={torch}\nnot-installed-anywhere==1\n")
    found = checks(home)["versions"]
    assert found.state == "ok"
    assert found.text.startswith("2 of 2 packages")
    Path("constraints.txt").write_text(f"numpy==0.1\ntorch=={torch}\n")
    found = checks(home)["versions"]
    assert found.state == "hint"
    assert re.search(rf"1 of 2 packages.*numpy {re.escape(numpy)} \(0\.1\)", found.text)
