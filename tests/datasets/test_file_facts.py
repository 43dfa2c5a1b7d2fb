from __future__ import annotations

import os
from pathlib import Path

import pytest

from asdbench.datasets.file_facts import KeptFacts
from asdbench.errors import ClipError

OLD = 1_600_000_000


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{number}.wav" for number in range(3)]
    for path in made:
        path.write_bytes(path.name.encode())
        os.utime(path, (OLD, OLD))
    return made


def size(key: bytes) -> str:
    return str(len(Path(os.fsdecode(key)).read_bytes()))


def text(key: bytes) -> str:
    return Path(os.fsdecode(key)).read_text()


def test_one_bad_file_does_not_hide_the_others(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "broken.wav").symlink_to(tmp_path / "nowhere.wav")
    facts, errors = KeptFacts(None, "size", size).look([files[0], tmp_path / "broken.wav", files[1]])
    assert facts == {files[0]: "5", files[1]: "5"}
    assert list(errors) == [tmp_path / "broken.wav"]
    assert str(tmp_path) in errors[tmp_path / "broken.wav"].looked


def test_failures_are_tried_again_and_facts_are_not_found_again(files: list[Path], tmp_path: Path) -> None:
    asked: list[str] = []

    def moody(key: bytes) -> str:
        asked.append(Path(os.fsdecode(key)).name)
        if len(asked) == 1:
            raise ClipError("not today")
        return "well"

    database = tmp_path / "facts.sqlite"
    _, errors = KeptFacts(database, "mood", moody).look(files[:1])
    assert "not today" in errors[files[0]].message
    assert KeptFacts(database, "mood", moody).look(files[:1]) == ({files[0]: "well"}, {})
    assert KeptFacts(database, "mood", moody).look(files[:1]) == ({files[0]: "well"}, {})
    assert asked == ["0.wav", "0.wav"]


def test_two_kinds_share_a_database(files: list[Path], tmp_path: Path) -> None:
    database = tmp_path / "facts.sqlite"
    for _ in range(2):
        assert set(KeptFacts(database, "size", size).look(files)[0].values()) == {"5"}
        assert KeptFacts(database, "words", text).look(files)[0] == {path: path.name for path in files}
