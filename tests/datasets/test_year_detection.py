from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.datasets import open_dataset
from asdbench.datasets.dcase import dcase
from asdbench.datasets.years import YEARS
from asdbench.errors import DataError
from tests.conftest import MakeTree


def undecided(root: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        dcase(str(root))
    assert "cannot be told" in caught.value.message
    assert all(f"{year}: " in caught.value.looked for year in YEARS)
    return caught.value


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("layout", ["official", "bare"])
def test_a_whole_data_set_tells_its_year(make_tree: MakeTree, year: int, layout: str) -> None:
    root = make_tree(year, "data", layout=layout)
    data, words = open_dataset(f"dcase:{root}")
    assert (data.year, data.name) == (year, f"dcase{year}")
    assert f"{year}: fits, and knows" in words
    again, _ = open_dataset(data.spec)
    assert again.clips == data.clips
    assert data.spec.startswith(f"dcase{year}")


@pytest.mark.parametrize("parts", [("dev",), ("additional",), ("eval",)])
@pytest.mark.parametrize("year", [2020, 2021, 2026])
def test_parts_of_some_years_tell_it_too(make_tree: MakeTree, year: int, parts: tuple[str, ...]) -> None:
    if (year, parts) == (2021, ("additional",)):
        undecided(make_tree(year, "data", parts=parts, machines=("fan",)))  # its training names are those of 2022
    else:
        assert dcase(str(make_tree(year, "data", parts=parts))).year == year


def test_the_same_development_machines_are_no_evidence(make_tree: MakeTree) -> None:
    caught = undecided(make_tree(2023, "data", parts=("dev",)))
    assert "2022, 2023, 2024 and 2025 fit alike" in caught.message
    assert "2020: section_00_" in caught.looked
    assert "2021: " in caught.looked
    assert "2023: fits, and knows 7 of 7 machine sections" in caught.looked
    assert "2026: fits, and knows 2 of 7 machine sections" in caught.looked
    assert "dcase2022:" in caught.hint


def test_no_attributes_are_evidence(make_tree: MakeTree) -> None:
    caught = undecided(make_tree(2024, "data", parts=("dev",)))
    assert "2024 and 2025 fit alike" in caught.message
    assert "2023: noAttribute is in names since 2024" in caught.looked


def test_supplemental_sound_is_evidence(make_tree: MakeTree) -> None:
    root = make_tree(2025, "data", parts=("dev",))
    (root / "dev_data" / "fan" / "supplemental").mkdir()
    assert dcase(str(root)).year == 2025


@pytest.mark.parametrize("name", ["dcase2023t2", "DCASE 2023", "2023/data"])
def test_the_name_of_the_root_decides_between_equals(make_tree: MakeTree, name: str) -> None:
    data = dcase(str(make_tree(2023, name, parts=("dev",))))
    assert data.year == 2023
    assert "the name of its folder says 2023; by its clips it could be of 2022, 2024, 2025, too" in data.remarks[0]


def test_the_name_of_the_root_decides_nothing_else(make_tree: MakeTree) -> None:
    assert dcase(str(make_tree(2022, "dcase2023"))).year == 2022
    undecided(make_tree(2023, "dcase2021", parts=("dev",)))
    undecided(make_tree(2023, "120230", parts=("dev",)))


def test_a_ground_truth_list_decides_between_equals(make_tree: MakeTree) -> None:
    root = make_tree(2023, "dcase2024", parts=("dev",))
    (root / "eval_data_list_2023.csv").write_text(
        "bandsaw\nsection_00_0000.wav,section_00_source_test_normal_0000_vel_1.wav\n"
    )
    data = dcase(str(root))
    assert data.year == 2023
    assert "a ground truth list says 2023" in data.remarks[0]


def test_names_of_no_year(make_tree: MakeTree) -> None:
    root = make_tree(2022, "data", machines=("fan",))
    (root / "dev_data" / "fan" / "test" / "a.wav").write_bytes(b"")
    caught = undecided(root)
    assert "it fits none" in caught.message
    assert "a.wav is no name of it" in caught.looked
    assert f"datasets validate dcase2021:{root}` lists what does not fit" in caught.hint


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "year"),
    [("dcase2020_lite", 2020), ("dcase2020_id00_train", 2020), ("dcase2023_samples", 2023), ("layout2021", 2021)],
)
def test_real_clips_tell_their_year(shared: Path, name: str, year: int) -> None:
    assert dcase(str(shared / "real" / name)).year == year
