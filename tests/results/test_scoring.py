from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.api import System
from asdbench.results.components import Components, Row
from asdbench.results.results_folder import seed_folders
from asdbench.results.scoring import constant_components, score_rows, scored_files
from tests.reports.results import write_results


def components(dtype: type = np.float32, fits: str = "aaaaaaaa", **values: list[float]) -> Components:
    """Two clips a section, each of the fit named by its letter."""
    count = len(next(iter(values.values())))
    identity = [Row("test", "fan", f"{n // 2:02d}", "source", f"{n}.wav", fits[n]) for n in range(count)]
    return Components(identity, {name: np.array(column, dtype) for name, column in values.items()})


def test_a_component_that_varies_within_a_section_is_alive() -> None:
    assert constant_components(components(a=[1, 1, 1, 2]), ["a"]) == []


def test_a_component_that_varies_only_from_section_to_section_has_collapsed() -> None:
    made = components(a=[1, 1, 2, 2], b=[0, 0, 0, 0], c=[1, 2, 3, 4])
    assert constant_components(made, ["a", "b", "c"]) == ["a", "b"]


def test_rounding_is_not_variation_but_a_thousandth_is() -> None:
    assert constant_components(components(a=[1e6, 1e6 + 0.1, 5, 5]), ["a"]) == ["a"]
    assert constant_components(components(a=[1, 1.001, 5, 5]), ["a"]) == []


def test_what_varies_is_judged_by_the_components_own_resolution() -> None:
    large = [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3]
    assert constant_components(components(np.float64, a=large), ["a"]) == []
    assert constant_components(components(np.float32, a=large), ["a"]) == ["a"]
    assert constant_components(components(np.float64, a=[1e301, 1.1e301, -1.7e308, 1.7e308]), ["a"]) == []
    rounded = [0.1 + 0.2, 0.3, 0.8, 0.1 + 0.7]  # the same but for the last bit
    assert len(set(rounded)) == 4
    assert constant_components(components(np.float64, a=rounded), ["a"]) == ["a"]


def test_one_collapsed_model_of_several_is_named_with_its_fit() -> None:
    assert constant_components(components(fits="aabb", a=[1, 1, 3, 4]), ["a"]) == ["a (a)"]
    assert constant_components(components(fits="aabb", a=[1, 1, 3, 3]), ["a"]) == ["a"]


def test_a_component_that_is_not_there_or_has_one_clip_says_nothing() -> None:
    assert constant_components(components(a=[1.0]), ["a", "b"]) == []
    assert constant_components(components(a=[float("nan")] * 4), ["a"]) == []


def test_scores_are_standardised_over_the_training_clips_of_their_own_fit() -> None:
    splits = ["train", "train", "test", "train", "train", "test"]
    identity = [Row(split, "fan", "00", "", str(n), "aaabbb"[n]) for n, split in enumerate(splits)]
    made = Components(identity, {"d": np.array([1.0, 3, 4, 100, 300, 400])})
    system: System[Any] = System("s", "s", None, {"d": 1.0}, standardised=({"d": 1.0},))  # type: ignore[arg-type]  # no model is needed
    assert score_rows(system, made).tolist() == [-1, 1, 2, -1, 1, 2]
    assert score_rows(replace(system, standardised=()), made).tolist() == [1, 3, 4, 100, 300, 400]
    assert score_rows(system, Components([], {})).tolist() == []


def settle(folder: Path, seconds: float = 10) -> None:
    then = time.time() - seconds
    for path in folder.iterdir():
        os.utime(path, (then, then))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("manifest.json", b'"00/source": null', b'"00/source": "it failed"'),
        ("labels.csv", b",anomaly", b",normal"),
        ("anomaly_score_fan_section_00_source_test.csv", b",", b",1"),
    ],
)
def test_a_folder_is_read_again_once_a_file_of_it_has_changed(
    tmp_path: Path, name: str, old: bytes, new: bytes
) -> None:
    folder = seed_folders(write_results(tmp_path, systems=("mvg",)))[0]
    assert scored_files(folder) is not scored_files(folder)  # written a moment ago: it may change again
    settle(folder.path)
    before = scored_files(folder)
    assert scored_files(folder) is before
    text = (folder.path / name).read_bytes()
    (folder.path / name).write_bytes(text.replace(old, new, 1))
    for _ in ("a moment ago", "settled"):
        assert [file.cells for file in scored_files(folder)] != [file.cells for file in before]
        settle(folder.path, 9)


def test_a_file_that_is_removed_while_a_folder_is_looked_at_is_no_error(tmp_path: Path) -> None:
    folder = seed_folders(write_results(tmp_path, systems=("mvg",)))[0]
    settle(folder.path)
    (folder.path / "gone.csv").symlink_to(tmp_path / "gone")  # listed, and not there once it is looked at
    assert folder.state() is None
    assert scored_files(folder)
