"""What `run --fetch` gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.errors import AsdbenchError, DataError, UsageError
from asdbench.running.missing import fetch_missing
from tests.fetching.conftest import Told, machine_files
from tests.fetching.server import Server

NAME = "ResNet38_mAP=0.434.pth"


@pytest.fixture(autouse=True)
def _mirror(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASDBENCH_MIRROR", server.url)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def test_only_missing_parts_are_fetched_and_the_rest_is_left_alone(server: Server, tmp_path: Path, told: Told) -> None:
    """The development part lies there, unpacked by hand and incomplete: that is its owner's business."""
    mine = tmp_path / "root/dev_data/fan/train/mine.wav"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    assert fetch_missing("dcase2021:root", "ae", ["fan"], None, told) is None
    assert [path.name for path in (tmp_path / "root/dev_data/fan").rglob("*.wav")] == ["mine.wav"]
    eval_there = {p.name for p in (tmp_path / "root/eval_data/fan").rglob("*.wav")}
    assert eval_there == {Path(p).name for part in ("additional", "eval") for p in machine_files("fan", part)}
    server.requests.clear()
    fetch_missing("dcase2021:root", "ae", ["fan"], None, told)
    assert server.requests == []


def test_a_checkpoint_is_fetched_where_a_system_needs_one_and_none_is_given(server: Server, told: Told) -> None:
    """Up to its checksum: the published one's bytes cannot be had here."""
    server.files[NAME] = b"another file"
    with pytest.raises(DataError, match="checksum differs"):
        fetch_missing("dcase2021:root", "mvg", ["fan"], None, told)
    assert len(server.asked(NAME)) == 1


@pytest.mark.parametrize(("systems", "weights"), [("mvg", "mine.pth"), ("mvg", "random"), ("ae", None)])
def test_no_checkpoint_is_asked_for_where_none_is_needed(
    server: Server, told: Told, tmp_path: Path, systems: str, weights: str | None
) -> None:
    (tmp_path / "mine.pth").write_bytes(b"weights")
    assert fetch_missing("dcase2021:root", systems, ["fan"], weights, told) == weights
    assert server.asked(NAME) == []


def test_configured_weights_and_data_are_heeded(server: Server, told: Told, tmp_path: Path) -> None:
    (tmp_path / "asdbench.toml").write_text('data = "dcase2021:there"\nweights = "mine.pth"\n')
    (tmp_path / "mine.pth").write_bytes(b"weights")
    assert fetch_missing(None, "mvg", ["fan"], None, told) is None
    assert server.asked(NAME) == []
    assert (tmp_path / "there/dev_data/fan/train").is_dir()


@pytest.mark.parametrize("dataset", [None, "toy", "dcase2021", "features:x", "dcase2021:"])
def test_a_data_set_that_cannot_be_fetched_is_a_mistake(dataset: str | None, told: Told) -> None:
    with pytest.raises(UsageError, match="--fetch needs to know"):
        fetch_missing(dataset, "ae", [], None, told)


@pytest.mark.parametrize(
    ("systems", "weights", "words"),
    [("mvgg", None, "unknown system"), ("mvgg", "random", "unknown system"), ("mvg", "gone.pth", "cannot be read")],
)
def test_mistakes_are_told_before_anything_is_fetched(
    server: Server, told: Told, systems: str, weights: str | None, words: str
) -> None:
    with pytest.raises(AsdbenchError, match=words):
        fetch_missing("dcase2021:root", systems, ["fan"], weights, told)
    assert server.requests == []


def test_a_mirror_that_is_not_there_is_named(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASDBENCH_MIRROR", "mirrr")
    with pytest.raises(UsageError, match="'mirrr' is no folder and no address") as caught:
        fetch_missing("dcase2021:root", "ae", ["fan"], None, told)
    assert "ASDBENCH_MIRROR" in caught.value.hint
