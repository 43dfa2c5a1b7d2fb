"""The values that everybody shares."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from asdbench.api import Cell, Clip, FitContext, System
from asdbench.errors import AsdbenchError, ClipError, ConflictError, DataError, FitError, UsageError, WeightsError
from asdbench_systems.mvg import Mvg

pytestmark = pytest.mark.slow


def test_cells_sort_by_machine_section_and_domain() -> None:
    cells = [Cell("fan", "01", "source"), Cell("fan", "00", "target"), Cell("ToyCar", "02", "source")]
    assert [str(cell) for cell in sorted(cells)] == ["ToyCar 02 source", "fan 00 target", "fan 01 source"]


def test_a_clip_knows_its_cell() -> None:
    clip = Clip("a.wav", "fan", "00", "source", "train", "dev", "normal")
    assert clip.cell == Cell("fan", "00", "source")


def test_a_score_is_the_weighted_sum_in_double_precision() -> None:
    system = System("s", "S", Mvg(), {"a": 1.01, "b": -2.0})
    parts = {
        "a": np.array([1, 1e8], np.float32),
        "b": np.array([0.5, 1], np.float32),
        "unused": np.array([np.nan, np.nan], np.float32),
    }
    scores = system.score(parts)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, [0.01, 1.01e8 - 2], rtol=1e-12)


def test_a_component_that_is_nan_makes_the_score_nan() -> None:
    system = System("s", "S", Mvg(), {"a": 1.0, "b": 1.0})
    scores = system.score({"a": np.array([1.0, 1.0]), "b": np.array([np.nan, 1.0])})
    assert np.isnan(scores).tolist() == [True, False]


def test_what_is_logged_becomes_the_history() -> None:
    ctx = FitContext(seed=1)
    ctx.log(1, loss=1)
    ctx.log(2, loss=0.25, kld=3)
    assert ctx.history == [{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 0.25, "kld": 3.0}]
    assert type(ctx.history[0]["loss"]) is float


@pytest.mark.parametrize(
    ("kind", "code"),
    [(UsageError, 2), (ConflictError, 2), (DataError, 4), (ClipError, 4), (WeightsError, 4), (FitError, 1)],
)
def test_errors_keep_their_three_parts_and_exit_code_between_processes(kind: type[AsdbenchError], code: int) -> None:
    # Worker processes send errors back so; what is pickled is our own, a moment ago.
    error = pickle.loads(pickle.dumps(kind("what", "where", "do")))
    assert type(error) is kind
    assert (error.message, error.looked, error.hint, error.exit_code) == ("what", "where", "do", code)
    assert str(error) == "what; where; do"
