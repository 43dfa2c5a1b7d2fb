from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.judging.expected import Expected, changes, read_expected, write_expected

CELL = Cell("fan", "00", "source")


def made(score: float = 1.0, *, torch: str = "2.13.0", clips: int = 2, system: str = "mvg") -> Expected:
    about = {"trained": False, "environment": {"torch": torch, "threads": 1}, "data": {"fan": "d"}}
    scores = {(system, 777): {CELL: {f"clip_{n}": score + n for n in range(clips)}}}
    return Expected({"format": 1, "systems": {f"{system}/seed-777": about}}, scores)


def test_an_expected_file_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "expected" / "toy.csv"
    write_expected(path, made(0.1))
    assert read_expected(path) == made(0.1)
    assert read_expected(path).scores == made(0.1).scores


@pytest.mark.parametrize("text", ["", "a,b\n", '# {"format": 2}\n', "# {}\nsystem\n", "\x00"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "toy.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_expected(path)
    assert caught.value.exit_code == 4
    assert "index" not in caught.value.looked


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--update"):
        read_expected(tmp_path / "toy.csv")


def test_head_is_a_mapping_of_systems() -> None:
    head: Any = made().head
    assert set(head) == {"format", "systems"}


def test_what_an_update_changes_is_said_in_words() -> None:
    assert changes(made(), made()) == []
    assert changes(made(), made(1.5)) == ["mvg, seed 777: 2 of 2 scores moved, by up to 0.5 of their size"]
    assert changes(made(), made(clips=3)) == ["mvg, seed 777: 1 score new"]
    assert changes(made(), made(torch="3")) == ["mvg, seed 777: environment.torch: 2.13.0 there, 3 now"]
    assert changes(made(), made(system="cvae")) == ["cvae, seed 777: new", "mvg, seed 777: gone"]
