"""The picture of a latent space: axes, what is put on them, and that it outlives resuming, sharing and replacing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from asdbench.api import Clip, Fitted, Floats
from asdbench.results.latent import CHUNK, Picture, picture, principal_axes
from asdbench.results.seed_folder import SeedFolder
from asdbench.running.blinding import Blinded
from asdbench.running.fitting import Answer
from asdbench.running.planning import units
from asdbench.running.summary import RunSummary
from asdbench.testing import random_batch
from tests import runs
from tests.conftest import MakeFeatures

pytestmark = pytest.mark.slow


def go(features: Path, results: Path, systems: str = "clvae", **more: Any) -> RunSummary:
    return runs.go(features, results, systems, **{"epochs": 1, **more})


def cloud(n: int, d: int, seed: int = 0) -> Floats:
    return (np.random.default_rng(seed).standard_normal((n, d)) * np.geomspace(5, 0.1, d) + 2).astype(np.float32)


# ------------------------------------------------------------------------------------------------- axes


@pytest.mark.parametrize(("n", "d"), [(40, 7), (2 * CHUNK + 3, 5), (6, 30)])
def test_axes_are_the_singular_vectors_of_the_centred_vectors(n: int, d: int) -> None:
    vectors = cloud(n, d)
    mean, axes = principal_axes(vectors)
    doubles = vectors.astype(np.float64)
    np.testing.assert_allclose(mean, doubles.mean(axis=0), atol=1e-9)
    expected = np.linalg.svd(doubles - doubles.mean(axis=0), full_matrices=False)[2][:2]
    np.testing.assert_allclose(np.abs((axes * expected).sum(axis=1)), 1, atol=1e-9)
    assert (axes[[0, 1], np.abs(axes).argmax(axis=1)] > 0).all()


def test_mirrored_vectors_have_the_same_axes() -> None:
    vectors = cloud(50, 6)
    np.testing.assert_allclose(principal_axes(-vectors)[1], principal_axes(vectors)[1], atol=1e-9)


def test_a_vector_that_is_not_finite_does_not_turn_the_axes() -> None:
    vectors = cloud(50, 6)
    broken = np.concatenate([vectors, np.full((1, 6), np.nan, np.float32)])
    for one, two in zip(principal_axes(broken), principal_axes(vectors), strict=True):
        np.testing.assert_allclose(one, two)


def drawn(latent: Any, centres: Any = None) -> Picture | str | None:
    train, test = random_batch(30), random_batch(9, seed=1)
    return picture(fitted(latent, centres), train, test)


def fitted(latent: Any, centres: Any = None) -> Fitted:
    more = {} if centres is None else {"centres": lambda: centres}
    return cast("Fitted", SimpleNamespace(components=None, latent=latent, **more))


def test_test_clips_and_centres_are_put_on_the_axes_of_the_training_clips() -> None:
    centres = np.zeros((3, 16), np.float32)
    found = drawn(lambda batch: batch.features, centres)
    assert isinstance(found, Picture)
    train = np.asarray(random_batch(30).features)
    mean, axes = principal_axes(train)
    np.testing.assert_allclose(found.train, (train - mean) @ axes.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.centres, np.tile(-mean @ axes.T, (3, 1)), rtol=1e-5)
    assert found.test.shape == (9, 2)


def test_a_line_has_no_second_axis_and_a_collapsed_model_one_point() -> None:
    line = drawn(lambda batch: np.asarray(batch.features)[:, :1])
    assert isinstance(line, Picture)
    assert np.ptp(line.train[:, 0]) > 0
    assert not line.train[:, 1].any()
    point = drawn(lambda batch: np.ones((len(batch), 4), np.float32))
    assert isinstance(point, Picture)
    assert not point.train.any()


@pytest.mark.parametrize(
    ("latent", "centres", "says"),
    [
        (lambda batch: np.ones((3, 4)), None, "(3, 4), not numbers (30, d)"),
        (lambda batch: np.ones(len(batch)), None, "(30,), not numbers"),
        (lambda batch: np.full((len(batch), 2), "x"), None, "<U1"),
        (lambda batch: batch.features, np.zeros((3, 5)), "(3, 5), not numbers (classes, 16)"),
        (lambda batch: 1 / 0, None, "ZeroDivisionError"),
    ],
)
def test_what_is_no_picture_is_a_reason(latent: Any, centres: Any, says: str) -> None:
    found = drawn(latent, centres)
    assert isinstance(found, str)
    assert says in found


def test_a_model_without_latent_vectors_has_none() -> None:
    model: Any = SimpleNamespace(components=None)
    assert picture(model, random_batch(30), random_batch(9)) is None


# ------------------------------------------------------------------------------------------------- names


def clips() -> list[Clip]:
    found = [Clip(f"a{s}_{n}", "fan", s, "source", "train", "dev", "normal") for s in ("00", "01") for n in range(2)]
    return found + [Clip(f"b_{n:02d}", "fan", "01", "target", "test", "dev", None) for n in range(12)]


@pytest.mark.parametrize(
    ("centres", "expected"),
    [
        (2, [("00", ""), ("01", "")]),
        (4, [("00", "source"), ("00", "target"), ("01", "source"), ("01", "target")]),
        (3, []),
        (0, []),
    ],
)
def test_points_get_their_names_back_and_centres_their_sections(centres: int, expected: list[Any]) -> None:
    everything = clips()
    keys = {("fan", one.name): number for number, one in enumerate(everything)}
    (unit,) = units(everything, "machine", ["fan"])
    blinded = Blinded(unit, 5, keys, {})
    (task,) = blinded.tasks

    def points(rows: Any) -> Floats:
        return np.array([[row, -int(row)] for row in rows], np.float32)

    values = tuple({"value": np.zeros(len(rows), np.float32)} for rows in (task.train, task.test))
    shown = Picture(points(task.train.keys), points(task.test.keys), np.zeros((centres, 2), np.float32))
    found = blinded.opened([Answer(values=values, latent=shown)]).latent  # type: ignore[arg-type]  # a pair
    where = {row[4]: x for row, x in zip(found.identity, found.values["x"].tolist(), strict=True) if row[4]}
    assert where == {one.name: number for number, one in enumerate(everything)}
    assert [row[2:4] for row in found.identity if row[0] == "centre"] == expected


# ------------------------------------------------------------------------------------------------- files


def points(folder: SeedFolder) -> dict[Any, tuple[float, float]]:
    found = folder.latent()
    xy = zip(found.values["x"].tolist(), found.values["y"].tolist(), strict=True)
    return dict(zip(found.identity, xy, strict=True))


def test_a_run_keeps_every_clip_and_the_centres(make_features: MakeFeatures, tmp_path: Path) -> None:
    (folder,) = go(make_features(), tmp_path / "results").folders
    found = points(folder)
    assert {row for row in found if row[0] != "centre"} == set(folder.components().identity)
    centres = {row[1:4] for row in found if row[0] == "centre"}
    assert centres == {(machine, section, "") for machine in ("fan", "pump") for section in ("00", "01")}
    train = np.array([xy for row, xy in found.items() if row[:2] == ("train", "fan")])
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-5 * np.abs(train).max())
    assert train[:, 0].std() >= train[:, 1].std() > 0
    head = (folder.path / "latent.csv").read_text().splitlines()[0]
    assert head == "split,machine,section,domain,clip,fit,x,y"
    for entry in folder.manifest()["machines"].values():
        assert all(fit["parameters"] > 0 for fit in entry["fits"].values())


def test_a_system_that_shares_the_model_takes_its_picture(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    (one,) = go(features, results).folders
    shared = go(features, results, "clvae-ensemble")
    assert shared.trained == 0
    assert (shared.folders[0].path / "latent.csv").read_bytes() == (one.path / "latent.csv").read_bytes()
    assert shared.folders[0].manifest()["machines"]["fan"]["fits"] == one.manifest()["machines"]["fan"]["fits"]


def test_machines_added_later_and_replaced_ones_have_their_own(make_features: MakeFeatures, tmp_path: Path) -> None:
    features = make_features()
    (whole,) = go(features, tmp_path / "whole").folders
    (folder,) = go(features, tmp_path / "results", machines=["pump"]).folders
    assert {row[1] for row in points(folder)} == {"pump"}
    go(features, tmp_path / "results", machines=["fan"])
    assert (folder.path / "latent.csv").read_bytes() == (whole.path / "latent.csv").read_bytes()
    go(features, tmp_path / "results", machines=["fan"], epochs=2, replace=True)
    assert {row[1] for row in points(folder)} == {"fan"}


def test_without_the_file_nothing_is_recorded_and_nothing_fails(make_features: MakeFeatures, tmp_path: Path) -> None:
    features, results = make_features(), tmp_path / "results"
    (folder,) = go(features, results, machines=["fan"]).folders
    (folder.path / "latent.csv").unlink()
    assert not folder.latent().identity
    again = go(features, results, "clvae,clvae-ensemble")
    assert not again.failed
    assert {row[1] for row in points(folder)} == {"pump"}
    (gaussian,) = go(features, results, "mvg").folders
    assert not (gaussian.path / "latent.csv").exists()


PLUGIN = """
from dataclasses import dataclass
import numpy as np
from asdbench.api import System

class Fitted:
    def components(self, batch):
        return {"size": np.asarray(batch.features).sum(axis=1)}
    def latent(self, batch):
        raise KeyError("no such layer")

@dataclass(frozen=True)
class Model:
    embedding: str = "resnet38"
    scope: str = "machine"
    def fit(self, train, ctx):
        return Fitted()

def make():
    return System("mine", "Mine", Model(), {"size": 1.0})
"""


def test_a_latent_that_breaks_costs_no_score_and_is_told(make_features: MakeFeatures, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    summary = go(make_features(), tmp_path / "results", f"{tmp_path / 'mine.py'}:make")
    assert not summary.failed
    entry = summary.folders[0].manifest()["machines"]["fan"]
    assert entry["fits"]["fan"]["no_latent"] == "KeyError: 'no such layer'"
    assert "parameters" not in entry["fits"]["fan"]
