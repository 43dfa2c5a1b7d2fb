from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from asdbench.results.components import Components
from asdbench.results.results_folder import seed_folders
from asdbench.results.scoring import constant_components, scored_files
from tests.reports.results import write_results


def components(**values: list[float]) -> Components:
    count = len(next(iter(values.values())))
    identity = [("test", "fan", f"{n // 2:02d}", "source", f"{n}.wav") for n in range(count)]
    return Components(identity, {name: np.array(column, np.float32) for name, column in values.items()})


def test_a_component_that_varies_within_a_section_is_alive() -> None:
    assert constant_components(components(a=[1, 1, 1, 2]), ["a"]) == []


def test_a_component_that_varies_only_from_section_to_section_has_collapsed() -> None:
    made = components(a=[1, 1, 2, 2], b=[0, 0, 0, 0], c=[1, 2, 3, 4])
    assert constant_components(made, ["a", "b", "c"]) == ["a", "b"]


def test_rounding_is_not_variation_but_a_thousandth_is() -> None:
    assert constant_components(components(a=[1e6, 1e6 + 0.1, 5, 5]), ["a"]) == ["a"]
    assert constant_components(components(a=[1, 1.001, 5, 5]), ["a"]) == []


def test_a_component_that_is_not_there_or_has_one_clip_says_nothing() -> None:
    assert constant_components(components(a=[1.0]), ["a", "b"]) == []
    assert constant_components(components(a=[float("nan")] * 4), ["a"]) == []


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
