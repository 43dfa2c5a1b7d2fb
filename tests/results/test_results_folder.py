from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.errors import DataError, UsageError
from asdbench.results.results_folder import results_in, seed_folder, seed_folders


@pytest.mark.parametrize(
    "name", ["clvae", "ae[weights=/data/model.npz,pad_mode=zeros]", "./mine.py:make", "mvg[embedding=a[b=c]]", "é:*?"]
)
def test_a_systems_name_survives_its_folder(tmp_path: Path, name: str) -> None:
    folder = seed_folder(tmp_path, "toy", name, 777)
    assert folder.path.parent.parent.parent == tmp_path
    folder.write_manifest({"machines": {}})
    (found,) = seed_folders(tmp_path)
    assert (found.dataset, found.system, found.seed) == ("toy", name, 777)


@pytest.mark.parametrize("name", ["..", "../../etc", ".", "/etc"])
def test_no_name_leaves_the_results_folder(tmp_path: Path, name: str) -> None:
    path = seed_folder(tmp_path / "results", name, name, 1).path.resolve()
    assert path.is_relative_to((tmp_path / "results").resolve())
    assert len(path.relative_to((tmp_path / "results").resolve()).parts) == 3


def test_no_results_folder_is_an_error_that_says_where(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no results at"):
        seed_folders(tmp_path / "nowhere")


@pytest.mark.parametrize("inside", ["toy", "toy/mvg", "toy/mvg/seed-777"])
def test_a_folder_inside_a_results_folder_is_told_from_one_without_results(tmp_path: Path, inside: str) -> None:
    seed_folder(tmp_path, "toy", "mvg", 777).write_manifest({"machines": {}})
    assert len(results_in(tmp_path)) == len(results_in(tmp_path, "toy")) == 1
    with pytest.raises(UsageError, match="lies in a results folder") as caught:
        results_in(tmp_path / inside)
    assert caught.value.hint.endswith(f"{tmp_path} --dataset toy")
    with pytest.raises(UsageError, match="unknown data set in these results 'toyy'"):
        results_in(tmp_path, "toyy")
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match="there are no results in"):
        results_in(tmp_path / "other")
