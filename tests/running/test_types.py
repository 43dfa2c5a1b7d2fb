"""Components and scores keep the type that a model gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.results.components import column
from asdbench.results.scoring import evaluate
from asdbench.results.seed_folder import SeedFolder
from tests.conftest import MakeFeatures
from tests.runs import go, plugin

FAR = "return {{'distance': {}}}".format
DISTANCE = "np.abs(np.asarray(batch.features) - self.centre).sum(axis=1, dtype=np.float64)"


def areas(folder: SeedFolder) -> list[float | None]:
    return [cell.auc for cell in evaluate(folder)]


@pytest.mark.parametrize("far", [f"{DISTANCE} + 1e9", f"{DISTANCE} * 1e299", f"-1e301 * (1 - 1e-9 * {DISTANCE})"])
def test_a_component_far_from_zero_ranks_as_it_does_near_it(
    make_features: MakeFeatures, tmp_path: Path, far: str
) -> None:
    data = make_features(shift=0.5)
    (near,) = go(data, tmp_path / "near", plugin(tmp_path, spy=FAR(DISTANCE))).folders
    summary = go(data, tmp_path / "far", plugin(tmp_path, spy=FAR(far)))
    (folder,) = summary.folders
    assert areas(folder) == areas(near)
    assert len({*areas(near)} - {None}) > 1
    assert not summary.failed
    assert not any("constant" in warning for warning in summary.warnings)


def test_float64_comes_back_to_the_bit_and_float32_stays(make_features: MakeFeatures, tmp_path: Path) -> None:
    spy = "x = np.asarray(batch.features)[:, :4]; return {'distance': x[:, 0] / np.float64(3), 'other': x[:, 1]}"
    data = make_features()
    (folder,) = go(data, tmp_path / "results", plugin(tmp_path, spy=spy)).folders
    head = (folder.path / "components.csv").read_text().splitlines()[0]
    assert head.endswith("clip,fit,distance:float64,other")
    found = folder.components()
    assert [str(values.dtype) for values in found.values.values()] == ["float64", "float32"]
    given = np.load(data / "features.npy")
    assert {*found.values["distance"].tolist()} == {*(given[:, 0] / np.float64(3)).tolist()}
    assert {*found.values["other"].tolist()} == {*given[:, 1].tolist()}
    cell = Cell("fan", "00", "source")
    _, scores = folder.files.scores(cell)
    assert {*scores.tolist()} <= {*found.values["distance"].tolist()}


@pytest.mark.parametrize(
    ("far", "says"),
    [
        (f"np.longdouble(3e18) + {DISTANCE}", "float64 cannot hold it: it goes from"),
        (f"np.longdouble(10) ** 400 * {DISTANCE}", "values are beyond float64"),
        (f"np.where({DISTANCE} > 0, np.inf, 0.0)", "is infinite: beyond float64"),
    ],
)
def test_what_no_type_holds_is_a_reason(make_features: MakeFeatures, tmp_path: Path, far: str, says: str) -> None:
    summary = go(make_features(machines=("fan",)), tmp_path / "results", plugin(tmp_path, spy=FAR(far)))
    assert len(summary.failed) == 4
    assert all(says in reason for *_, reason in summary.failed)


@pytest.mark.parametrize(
    ("given", "kept"),
    [(np.float16, np.float32), (np.float32, np.float32), (np.float64, np.float64), (np.int32, np.float64)],
)
def test_a_column_is_kept_without_loss_and_is_a_copy(given: type, kept: type) -> None:
    values: NDArray[Any] = np.array([1, 2, 3], given)
    found = column("a", values, 3)
    assert found.dtype == kept
    assert found.tolist() == [1, 2, 3]
    values[0] = 7
    assert found[0] == 1
