"""The catalogue against the reference table, and what careless names lead to."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from asdbench.datasets.years import YEARS
from asdbench.embeddings import cnn14, resnet38
from asdbench.errors import DataError, UsageError
from asdbench.fetching.catalogue import FOLDERS, checkpoint, choose, names, sources

PARTS = {
    "development": "dev",
    "additional_training": "additional",
    "evaluation_test": "eval",
    "checkpoint": "checkpoint",
}


@pytest.mark.shared
def test_every_file_agrees_with_the_reference_table(shared: Path) -> None:
    def told(value: str) -> str | None:
        return None if value == "unknown" else value

    with (shared / "reference" / "downloads.csv").open(newline="") as file:
        table = {
            (row["dataset"], PARTS[row["part"]], row["filename"]): (
                row["url"],
                told(row["size_bytes"]),
                told(row["md5"]),
                told(row["sha256"]),
            )
            for row in csv.DictReader(file)
            if row["part"] in PARTS and row["dataset"] != "MIMII_DUE"
        }
    seen = set()
    for source in sources():
        if source.part == "truth":
            continue
        dataset = "PANNs" if source.part == "checkpoint" else f"DCASE{source.name.removeprefix('dcase')}T2"
        key = (dataset, source.part, source.file)
        if (source.name, source.part) == ("dcase2026", "eval"):
            assert source.url == f"https://zenodo.org/records/20437238/files/eval_data_{source.machine}_test.zip"
            continue
        size = None if source.bytes is None else str(source.bytes)
        assert (source.url, size, source.md5, source.sha256) == table[key]
        seen.add(key)
    assert {key[0] for key in table} - {key[0] for key in seen} == set()
    assert {key for key in table if key[0] != "PANNs"} <= seen


@pytest.mark.shared
def test_lists_of_labels_are_as_long_as_the_catalogue_says(shared: Path) -> None:
    sizes = {s.file: s.bytes for s in sources() if s.part == "truth" and s.bytes is not None}
    assert sizes == {name: (shared / "reference/ground_truth" / name).stat().st_size for name in sizes}
    assert len(sizes) == 4


def test_the_checkpoints_are_those_that_the_embeddings_call_published() -> None:
    for name, published in (("resnet38", resnet38.PUBLISHED), ("cnn14", cnn14.PUBLISHED)):
        source = checkpoint(name)
        assert source is not None
        assert (source.file, source.md5) == (published.name, published.md5)


def test_every_year_has_development_and_additional_parts_of_the_same_number_of_files_a_machine() -> None:
    for year in range(2020, 2027):
        for part in ("dev", "additional"):
            machines = [source.machine for source in choose(f"dcase{year}", parts=[part])]
            assert len(machines) >= 5
            assert len(set(machines)) == len(machines)
            assert not any(word in machine for machine in machines for word in ("_", "train", "test", "data"))


def test_machine_and_part_name_the_folder() -> None:
    (source,) = choose("dcase2024", ["3DPrinter"], ["additional"])
    assert (source.file, source.folder) == ("eval_data_3DPrinter_train_r2.zip", f"{FOLDERS['eval']}/3DPrinter")


def test_labels_are_one_file_whatever_the_machines() -> None:
    source, copy = choose("dcase2023", ["bandsaw"], ["truth"])
    assert (source.file, source.folder) == ("dcase2023_task2_evaluator.zip", "ground_truth")
    assert (copy.file, copy.folder) == ("eval_data_list_2023.csv", "ground_truth")


@pytest.mark.parametrize("year", range(2021, 2027))
def test_labels_come_from_the_organizers_evaluator_first(year: int) -> None:
    first, *copies = choose(f"dcase{year}", parts=["truth"])
    repository = YEARS[year].evaluator.partition(" ")[0]
    assert first.page == f"https://{repository}"
    assert str(first.url).startswith(f"https://{repository}/archive/")
    assert [copy.file for copy in copies] == ([] if year in (2022, 2026) else [f"eval_data_list_{year}.csv"])


def test_labels_of_2020_come_from_zenodo() -> None:
    (source,) = choose("dcase2020", parts=["truth"])
    assert source.url == "https://zenodo.org/record/3951620/files/eval_data_list.csv"


def test_the_evaluation_set_of_2026_has_its_machines() -> None:
    assert {source.machine for source in choose("dcase2026", parts=["eval"])} == set(YEARS[2026].eval)


def test_file_names_are_unique_within_a_data_set() -> None:
    for name in names():
        files = [source.file for source in sources() if source.name == name]
        assert len(set(files)) == len(files)


@pytest.mark.parametrize(
    ("name", "machines", "parts", "word"),
    [
        ("dcase2012", [], [], "dcase20"),
        ("resnet38", [], [], "unknown data set"),
        ("dcase2021", ["Fan"], [], "'fan'"),
        ("dcase2023", ["fan"], ["eval"], "bandsaw"),
        ("dcase2021", [], ["development"], "unknown part"),
    ],
)
def test_names_that_do_not_exist_are_answered_with_those_that_do(
    name: str, machines: list[str], parts: list[str], word: str
) -> None:
    with pytest.raises(UsageError) as caught:
        choose(name, machines, parts)
    assert word in str(caught.value)


def test_a_part_of_which_no_file_is_known_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [source for source in sources() if (source.name, source.part) != ("dcase2026", "eval")]
    monkeypatch.setattr("asdbench.fetching.catalogue.sources", lambda: known)
    with pytest.raises(DataError, match="'eval' of dcase2026"):
        choose("dcase2026", parts=["dev", "eval"])
