from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.expected import Expected, compare, read_expected, write_expected

CELL = Cell("fan", "00", "source")


def made(
    score: float = 1.0, *, trained: bool = False, torch: str = "2.13.0", data: str = "d", clips: int = 2
) -> Expected:
    about = {"trained": trained, "environment": {"torch": torch, "threads": 1}, "data": {"fan": data}}
    scores = {("mvg", 777, CELL, f"clip_{n}"): score + n for n in range(clips)}
    return Expected({"format": 1, "systems": {"mvg/seed-777": about}}, scores)


def test_equal_scores_pass_and_say_how_many_were_compared() -> None:
    verdict = compare(made(), made())
    assert (verdict.exit_code, verdict.compared) == (0, 2)


@pytest.mark.parametrize("score", [1.001, -1.0, float("nan"), float("inf")])
def test_a_score_that_moved_is_a_regression(score: float) -> None:
    verdict = compare(made(score), made())
    assert verdict.exit_code == 3
    assert "fan 00 source" in verdict.regressions[0]


def test_a_score_may_move_by_one_ten_thousandth() -> None:
    assert compare(made(1.00009), made()).exit_code == 0
    assert compare(made(1.00011), made()).exit_code == 3


@pytest.mark.parametrize(
    "found",
    [made(clips=1), made(data="other"), Expected({"format": 1, "systems": {}}, {})],
    ids=["clip", "data", "system"],
)
def test_missing_or_changed_data_is_exit_4(found: Expected) -> None:
    verdict = compare(found, made())
    assert verdict.exit_code == 4
    assert verdict.missing


def test_nothing_expected_is_never_a_pass() -> None:
    assert compare(made(), Expected({"format": 1, "systems": {}}, {})).exit_code == 4


def test_trained_systems_are_compared_only_in_the_same_environment() -> None:
    assert compare(made(2.0, trained=True), made(trained=True)).exit_code == 3
    elsewhere = compare(made(2.0, trained=True, torch="3"), made(trained=True))
    assert elsewhere.exit_code == 4  # nothing was measured
    assert "another environment (torch)" in elsewhere.not_compared[0]
    assert compare(made(2.0, torch="3"), made()).exit_code == 3  # no training: held everywhere


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


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--update"):
        read_expected(tmp_path / "toy.csv")


def test_head_is_a_mapping_of_systems() -> None:
    head: Any = made().head
    assert set(head) == {"format", "systems"}
