"""From whatever an archive's folders are called to one layout."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from asdbench.errors import ConflictError
from asdbench.fetching.layout import lay_out, place
from asdbench.fetching.unpack import ArchiveError, Member


def members(*paths: str) -> list[Member]:
    return [Member(PurePosixPath(path), 1, 0, number) for number, path in enumerate(paths)]


@pytest.mark.parametrize("top", ["fan/", "dev_data/fan/", "dev_data/raw/fan/", "ToyCar_r2/", ""])
def test_any_folders_above_those_of_sound_are_taken_off(top: str) -> None:
    placed, outside = lay_out("x.zip", members(f"{top}train/a.wav", f"{top}test/b.wav", f"{top}attributes_00.csv"))
    assert [str(path) for _, path in placed] == ["train/a.wav", "test/b.wav", "attributes_00.csv"]
    assert outside == []


def test_what_lies_above_the_machine_is_left_out_and_named() -> None:
    placed, outside = lay_out("x.zip", members("dev_data/fan/train/a.wav", "dev_data/README.md"))
    assert [str(path) for _, path in placed] == ["train/a.wav"]
    assert outside == ["dev_data/README.md"]


@pytest.mark.parametrize("paths", [["fan/train/a.wav", "pump/train/a.wav"], ["fan/a.wav"], ["train"]])
def test_archives_of_several_machines_or_none_are_refused(paths: list[str]) -> None:
    with pytest.raises(ArchiveError, match="not laid out"):
        lay_out("x.zip", members(*paths))


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_files_are_merged_with_those_that_are_there(tmp_path: Path) -> None:
    target = write(tmp_path / "t", train__a="1", train__b="2")
    place(write(tmp_path / "s", train__b="2", train__c="3", test__d="4"), target, "x.zip")
    assert content(target) == {"train/a": "1", "train/b": "2", "train/c": "3", "test/d": "4"}


def test_nothing_moves_where_one_file_differs(tmp_path: Path) -> None:
    target = write(tmp_path / "t", **{"train__a.wav": "1"})
    source = write(tmp_path / "s", **{"test__b.wav": "2", "train__a.wav": "other"})
    with pytest.raises(ConflictError, match="1 file in"):
        place(source, target, "x.zip")
    assert content(target) == {"train/a.wav": "1"}
    place(source, target, "x.zip", replace=True)
    assert content(target) == {"train/a.wav": "other", "test/b.wav": "2"}
