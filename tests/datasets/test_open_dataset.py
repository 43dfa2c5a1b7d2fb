from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.api import Clip, Dataset
from asdbench.datasets import configured, fingerprint, open_dataset
from asdbench.datasets.dcase import dcase2021
from asdbench.datasets.features import features, write
from asdbench.datasets.toy import toy
from asdbench.errors import AsdbenchError, DataError, UsageError

SMALL = "toy[train=1,train_target=0,test=1]"


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder without any configuration."""
    monkeypatch.delenv("ASDBENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def root(somewhere: Path) -> Path:
    folder = somewhere / "data" / "dev_data" / "fan" / "train"
    folder.mkdir(parents=True)
    (folder / "section_00_source_train_normal_0000.wav").write_bytes(b"sound")
    return somewhere / "data"


def test_toy_is_what_there_always_is() -> None:
    data, words = open_dataset()
    assert data.name == "toy"
    assert words == "no --dataset, ASDBENCH_DATA or asdbench.toml: the built-in toy data"


def test_all_three_are_data_sets_to_the_type_checker(root: Path) -> None:
    made: list[Dataset] = [toy(), dcase2021(str(root))]
    write(root / "given", CLIPS, np.eye(12), recipe={"name": "unit"}, weights="none", fingerprint="f")
    made.append(features(str(root / "given")))
    assert [data.name for data in made] == ["toy", "dcase2021", "given"]
    assert (
        [data.reader is None for data in made] == [data.features is not None for data in made] == [False, False, True]
    )


def test_what_is_asked_for_wins(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASDBENCH_DATA", str(root))
    data, words = open_dataset(SMALL)
    assert data.spec == SMALL
    assert SMALL in words
    assert "--dataset" in words


@pytest.mark.parametrize("text", ["{}", "dcase2021:{}", "dcase2021[rate=any]:{}", "data", "./data"])
def test_the_environment_names_a_root_or_a_spec(root: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ASDBENCH_DATA", text.format(root))
    (root.parent / "asdbench.toml").write_text('data = "toy"')
    data, words = open_dataset()
    assert data.name == "dcase2021"
    assert "ASDBENCH_DATA" in words


@pytest.mark.parametrize(
    "text", ['data = "{}"', '[asdbench]\ndata = "{}"', 'data = "nowhere"\n[asdbench]\ndata = "{}"']
)
def test_the_configuration_names_a_root(root: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ASDBENCH_DATA", "")
    (root.parent / "asdbench.toml").write_text(text.format(root))
    data, words = open_dataset()
    assert data.name == "dcase2021"
    assert "asdbench.toml" in words


def test_a_configured_root_that_is_not_there_is_no_reason_for_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASDBENCH_DATA", "/no/such/root")
    with pytest.raises(DataError) as caught:
        open_dataset()
    assert "ASDBENCH_DATA says '/no/such/root'" in caught.value.looked


@pytest.mark.parametrize("value", ["./evil.py:make", "evil.py:make[x=1]", " ./evil.py:make", "x,./evil.py:make:y"])
@pytest.mark.parametrize("place", ["asdbench.toml", "ASDBENCH_DATA"])
def test_a_setting_names_no_code(somewhere: Path, monkeypatch: pytest.MonkeyPatch, value: str, place: str) -> None:
    (somewhere / "evil.py").write_text("from pathlib import Path\nPath('it ran').touch()\n")
    if place == "ASDBENCH_DATA":
        monkeypatch.setenv(place, value)
    else:
        (somewhere / place).write_text(f"[asdbench]\ndata = {json.dumps(value)}\n")
    with pytest.raises(UsageError, match=f"{place} names code as the data set, which was not run"):
        open_dataset()
    assert not (somewhere / "it ran").exists()
    with pytest.raises(UsageError):
        open_dataset("./evil.py:make")  # from Python and the command line it is taken
    assert (somewhere / "it ran").exists()


def test_other_things_can_be_configured(somewhere: Path) -> None:
    assert configured("weights") is None
    (somewhere / "asdbench.toml").write_text('weights = "top.pth"')
    assert configured("weights") == "top.pth"
    (somewhere / "asdbench.toml").write_text('weights = "top.pth"\n[asdbench]\nweights = "below.pth"')
    assert configured("weights") == "below.pth"
    assert configured("data") is None


@pytest.mark.parametrize("text", ["data = ", "data = 7", "[asdbench]\ndata = ['toy']"])
def test_a_damaged_configuration_is_an_error(somewhere: Path, text: str) -> None:
    (somewhere / "asdbench.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        open_dataset()
    assert "asdbench.toml" in caught.value.message


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("dcase2021", "dcase2021 needs a root: dcase2021:ROOT", "dcase2021:ROOT"),
        ("dcase2021:", "dcase2021 needs a root: dcase2021:ROOT", "dcase2021:ROOT"),
        ("features", "features needs a folder: features:FOLDER", "features:FOLDER"),
        ("toy:data", "toy takes no argument", "toy["),
        ("/some/data", "looks like a path", "dcase:/some/data"),
        ("./data", "looks like a path", "dcase:./data"),
        ("data", "looks like a path", "dcase:data"),
        ("toyy", "unknown dataset 'toyy'", "did you mean 'toy'"),
        ("dcase2019:/data", "unknown dataset 'dcase2019'", "did you mean 'dcase2"),
        ("toy[sed=1]", "unknown toy parameter 'sed'", "did you mean 'seed'"),
        ("toy[test=many]", "test=many does not fit", ""),
        ("toy[test=-1]", "counts and seed start at 0", ""),
        ("toy[seconds=nan]", "seconds goes from 0.1", ""),
        ("dcase2021[rate=8000]:data", "rate=8000 does not fit", "choose one of these"),
        ("", "is not a name", ""),
    ],
)
def test_wrong_specs_are_usage_errors(root: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_dataset(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_folders_without_clips_are_said(root: Path) -> None:
    (root / "dev_data" / "fan" / "target_test").mkdir()
    _, words = open_dataset(f"dcase2021:{root}")
    assert "dev_data/fan/target_test holds no .wav file" in words


def test_somebody_elses_data_set(somewhere: Path) -> None:
    (somewhere / "mine.py").write_text(
        "from asdbench.datasets.toy import toy\n"
        "def make(place: str = 'here', *, test: int = 1):\n    return toy(train=0, train_target=0, test=test)\n"
    )
    assert len(open_dataset("./mine.py:make[test=2]")[0].clips) == 7 * 3 * 2 * 2 * 2
    with pytest.raises(UsageError):
        open_dataset("./mine.py:nothing")


@pytest.mark.slow
def test_opening_imports_nothing_heavy() -> None:
    program = (
        "import sys; from asdbench.datasets import open_dataset; open_dataset('toy')\n"
        "print([name for name in ('torch', 'scipy', 'pandas', 'librosa', 'soundfile', 'soxr') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


@dataclass(frozen=True)
class Fake:
    """A plug-in's data set: it has no digest_many."""

    clips: Sequence[Clip]

    def digest(self, clip: Clip) -> str:
        return hashlib.sha256(clip.name.encode()).hexdigest()


CLIPS = toy(train=1, train_target=1, test=1).clips[:12]


@given(st.randoms(use_true_random=False))
def test_the_fingerprint_knows_no_order_and_no_labels(shuffler: random.Random) -> None:
    shuffled = [replace(clip, label=None, path=Path("/elsewhere")) for clip in CLIPS]
    shuffler.shuffle(shuffled)
    assert fingerprint(Fake(CLIPS), shuffled) == fingerprint(Fake(CLIPS), CLIPS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [{"machine": "x"}, {"name": "x"}, {"section": "x"}, {"domain": "target"}, {"split": "test"}, {"part": "eval"}],
)
def test_the_fingerprint_knows_everything_else(change: dict[str, str]) -> None:
    clips = [clip for clip in CLIPS if (clip.split, clip.domain) == ("train", "source")]
    changed = [replace(clips[0], **change), *clips[1:]]  # type: ignore[arg-type]
    printed = fingerprint(Fake(CLIPS), clips)  # type: ignore[arg-type]
    assert fingerprint(Fake(CLIPS), changed) != printed  # type: ignore[arg-type]
    assert fingerprint(Fake(CLIPS), clips[1:]) != printed  # type: ignore[arg-type]


def test_errors_survive_the_way_back_from_a_worker() -> None:
    import pickle

    with pytest.raises(AsdbenchError) as caught:
        open_dataset("dcase2021:/nowhere")
    # Worker processes send errors back so; what is pickled is our own, a moment ago.
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.looked, again.hint) == (DataError, caught.value.looked, caught.value.hint)
