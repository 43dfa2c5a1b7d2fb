"""What a model can find out about its clips: it is given features and codes, and looks for names and labels."""

from __future__ import annotations

import itertools
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.api import Cell, Clip
from asdbench.running.blinding import Blinded
from asdbench.running.fitting import Answer, Unusable
from asdbench.running.jobs import Job
from asdbench.running.planning import units
from asdbench.running.summary import RunSummary
from tests.conftest import MakeFeatures
from tests.runs import go

PRYING = """
import json
import pathlib
from dataclasses import dataclass
from types import ModuleType
import numpy as np
from asdbench.api import System

SAW = pathlib.Path({saw!r})

def found(*roots):
    # Every text, file and number array that can be reached by attributes, closures, defaults and array bases.
    texts, arrays, seen, open_ = [], [], set(), list(roots)
    while open_:
        thing = open_.pop()
        if id(thing) in seen or isinstance(thing, (ModuleType, type)):
            continue
        seen.add(id(thing))
        if isinstance(thing, (str, bytes, pathlib.Path)):
            texts.append(str(thing))
            continue
        if isinstance(thing, np.ndarray):
            arrays.append(thing)
            open_ += [thing.base, getattr(thing, "filename", None), getattr(thing, "__dict__", None)]
            continue
        if isinstance(thing, dict):
            open_ += [*thing, *thing.values()]
        elif isinstance(thing, (list, tuple, set, frozenset)):
            open_ += thing
        elif hasattr(thing, "__code__"):
            open_ += [cell.cell_contents for cell in thing.__closure__ or ()]
            open_ += [thing.__defaults__, thing.__kwdefaults__, thing.__dict__]
        elif hasattr(thing, "__dict__"):
            open_.append(vars(thing))
    return texts, arrays

@dataclass
class Fitted:
    context: object
    def components(self, batch):
        tell("components", batch, self.context)
        return {{"value": np.asarray(batch.features)[:, 0]}}

@dataclass(frozen=True)
class Model:
    epochs: int = 2
    embedding: str = "resnet38"
    scope: str = "machine"
    def fit(self, train, ctx):
        tell("fit", train, ctx)
        for epoch in range(1, self.epochs + 1):
            if ctx.on_epoch:
                ctx.on_epoch(epoch, Fitted(ctx))
                tell("on_epoch", ctx.on_epoch, vars(ctx))
        return Fitted(ctx)

def tell(where, *things):
    texts, arrays = found(*things)
    with SAW.open("a") as file:
        kinds = sorted({{type(one).__name__ for one in arrays}})
        print(json.dumps({{"where": where, "texts": texts, "arrays": [len(arrays), kinds]}}), file=file)

def make(*, epochs: int = 2):
    return System("prying", "Looks for names and labels", Model(epochs), {{"value": 1.0}})
"""


def pry(features: Path, folder: Path, **more: Any) -> tuple[RunSummary, list[dict[str, Any]]]:
    saw = folder / "saw.jsonl"
    (folder / "prying.py").write_text(PRYING.format(saw=str(saw)))
    spec = f"{folder / 'prying.py'}:make"
    summary = go(features, folder / "r", spec, selection="both", **more)
    return summary, [json.loads(line) for line in saw.read_text().splitlines()]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_name_label_or_file_can_be_reached_from_what_a_model_is_given(
    make_features: MakeFeatures, tmp_path: Path, workers: int
) -> None:
    features = make_features()
    summary, seen = pry(features, tmp_path, workers=workers)
    assert summary.failed == []
    assert {one["where"] for one in seen} == {"fit", "components", "on_epoch"}
    clips = [line.split(",")[0] for line in (features / "index.csv").read_text().splitlines()[1:]]
    secrets = ["anomaly", "_normal_", ".wav", str(features), *clips]
    for one in seen:
        assert one["arrays"][0] > 0
        assert one["arrays"][1] == ["ndarray"]  # a memmap would know its file
        for text in one["texts"]:
            assert [secret for secret in secrets if secret in text] == []


def test_the_search_does_find_what_is_there_to_be_found(tmp_path: Path) -> None:
    space: dict[str, Any] = {}
    exec(compile(PRYING.format(saw=str(tmp_path / "saw")), "prying.py", "exec"), space)
    np.save(tmp_path / "rows.npy", np.zeros((4, 2), dtype=np.float32))
    table = np.load(tmp_path / "rows.npy", mmap_mode="r")
    clip = {"name": "section_00_source_test_anomaly_0000.wav"}

    def keep(epoch: int) -> object:
        return clip, epoch

    texts, arrays = space["found"](keep, table[1:])
    assert {type(array).__name__ for array in arrays} >= {"memmap"}
    assert any("_anomaly_" in text for text in texts)
    assert any("rows.npy" in text for text in texts)


def test_a_job_on_its_way_to_a_worker_names_no_clip(
    make_features: MakeFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []

    def watch(job: Job) -> list[Answer]:
        sent.append(pickle.dumps(job))  # as a process pool would
        return run_job(job)

    from asdbench.running.jobs import run_job

    monkeypatch.setattr("asdbench.running.training.run_job", watch)
    go(make_features(), tmp_path / "r")
    assert len(sent) == 2
    for job in sent:
        assert b"anomaly" not in job
        assert b".wav" not in job


def test_the_order_of_test_clips_tells_nothing_and_is_undone(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = make_features(machines=["fan"], shift=100.0)
    summary, _ = pry(features, tmp_path)
    folder = summary.folders[0]
    rows = np.load(features / "features.npy")[:, 0]
    index = [line.split(",")[0] for line in (features / "index.csv").read_text().splitlines()[1:]]
    expected = dict(zip(index, rows.tolist(), strict=True))
    for cell in folder.files.cells():
        clips, scores = folder.files.scores(cell)
        assert scores.tolist() == pytest.approx([expected[clip] for clip in clips], abs=0)


def clip(name: str, split: Any, label: Any, section: str = "00") -> Clip:
    return Clip(name, "fan", section, "source", split, "dev", label)


def test_rows_are_shuffled_by_seed_and_put_back_by_name() -> None:
    clips = [clip(f"train_{n}", "train", "normal") for n in range(3)]
    clips += [clip(f"test_{n:02d}", "test", "anomaly" if n < 10 else "normal") for n in range(20)]
    keys = {("fan", one.name): number for number, one in enumerate(clips)}
    (unit,) = units(clips, "machine", ["fan"])
    shown = []
    for seed in (1, 2):
        blinded = Blinded(unit, seed, keys, {})
        (task,) = blinded.tasks
        assert list(task.train.keys) == [0, 1, 2]  # by name: guaranteed
        order = list(task.test.keys)
        assert sorted(map(int, order)) == list(range(3, 23))
        labels = [int(key) < 13 for key in order]
        assert sum(a != b for a, b in itertools.pairwise(labels)) > 4
        values = {"value": np.array(order, dtype=np.float32)}
        train = {"value": np.arange(3, dtype=np.float32)}
        test = blinded.opened([Answer(values=(train, values))]).components.where(split="test")
        assert [row[4] for row in test.identity] == [f"test_{n:02d}" for n in range(20)]
        assert test.values["value"].tolist() == list(range(3, 23))
        shown.append(order)
    assert shown[0] != shown[1]


@pytest.mark.parametrize("lasting", [True, False])
def test_a_cell_that_the_data_cannot_give_is_never_shown(lasting: bool) -> None:
    clips = [clip("a", "train", "normal"), clip("b", "test", None), clip("c", "test", None, section="01")]
    (unit,) = units(clips, "machine", ["fan"])
    bad = {("fan", "b"): Unusable("cut short", lasting)}
    blinded = Blinded(unit, 0, {("fan", name): name for name in "abc"}, bad)
    assert blinded.tasks == []
    outcome = blinded.opened([])
    own, other = Cell("fan", "00", "source"), Cell("fan", "01", "source")
    assert outcome.impossible == {**({own: "cut short"} if lasting else {}), other: "section 01 has no training clips"}
    assert outcome.failed == ({} if lasting else {own: "cut short"})  # tried again by the next run


@pytest.mark.parametrize("lasting", [True, False])
def test_a_training_clip_that_cannot_be_used_takes_its_fit_with_it(lasting: bool) -> None:
    clips = [clip("a", "train", "normal"), clip("b", "train", "normal"), clip("c", "test", None)]
    (unit,) = units(clips, "machine", ["fan"])
    bad = {("fan", "a"): Unusable("silent", lasting=True), ("fan", "b"): Unusable("gone", lasting)}
    outcome = Blinded(unit, 0, {("fan", name): name for name in "abc"}, bad).opened([])
    (reason,) = (outcome.impossible if lasting else outcome.failed).values()
    assert reason == f"2 of 2 training clips cannot be used: {'silent' if lasting else 'gone'}"
