"""One file: what is read, what is refused and where."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.files import LARGEST
from asdbench.submissions.rows import read_decisions, read_scores

ONE = "section_00_source_test_normal_0000.wav"
TWO = "section_00_source_test_anomaly_0000.wav"


def scores(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "anomaly_score_fan_section_00_source_test.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        f"{ONE},1.5\n{TWO},-2\n",
        f"{ONE},1.5\n{TWO},-2",
        f"{ONE},1.5\r\n{TWO},-2\r\n",
        f"{ONE} , 1.5\n {TWO},\t-2 \n",
        f'"{ONE}","1.5"\n"{TWO}", "-2"\n',
        f"{ONE},+15e-1\n{TWO},-.2E1\n",
        f"test/{ONE},1.5\n/data/fan/test/{TWO},-2.\n",
    ],
    ids=["plain", "no last line end", "CRLF", "spaces", "quoted", "exponents", "with folders"],
)
def test_the_same_rows_in_many_hands(tmp_path: Path, content: str) -> None:
    rows = read_scores(scores(tmp_path, content))
    assert not rows.problems
    assert rows.values == {ONE: 1.5, TWO: -2.0}
    assert rows.lines == {ONE: 1, TWO: 2}


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("file_name,anomaly_score\n" + f"{ONE},1\n", 1, "header line"),
        (f"{ONE},high\n", 1, "high is no number"),
        (f"{TWO},1\n{ONE},\n", 2, "no value"),
        (f"{TWO},1\n{ONE},nan\n", 2, "nan is not finite"),
        (f"{TWO},1\n{ONE},-Infinity\n", 2, "-Infinity is not finite"),
        (f"{TWO},1\n{ONE},1e999\n", 2, "1e999 is not finite"),
        (f"{TWO},1\n{ONE},1_000\n", 2, "no number"),
        (f"{TWO},1\n{ONE},0x10\n", 2, "no number"),
        (f"{TWO},1\n{ONE},１\n", 2, "no number"),
        (f"{TWO},1\n{ONE},1,5\n", 2, "3 fields"),
        (f"{TWO},1\n{ONE};1.5\n", 2, "1 field "),
        (f"{TWO},1\n{ONE},1\n{TWO},1\n", 3, "stands twice, first in line 1"),
        (f"{TWO},1\n{ONE},1\ntest/{TWO},1\n", 3, "stands twice"),
        (f"{TWO},1\n\n{ONE},1\n", 2, "empty line"),
        (f"{TWO},1\n{ONE},1\n\n", 3, "empty line"),
        (f"{TWO},1\n,1\n", 2, "no clip name"),
        (f'{TWO},1\n"{ONE},1\n', 2, "not CSV"),
        ("", None, "empty"),
        (" \r\n\n", None, "empty"),
        (b"\xef\xbb\xbf" + f"{ONE},1\n".encode(), 1, "byte-order mark"),
        (f"{ONE},1\n".encode() + b"\x00\x01\x02", 2, "binary"),
        (f"{ONE},1\n".encode() + b"\xff\xfe", 2, "binary"),
        (f"{ONE},1\n".encode("utf-16"), 1, "binary"),
        (b"\x89PNG\r\n\x1a\n", 1, "binary"),
    ],
)
def test_what_is_refused_is_named_with_its_line(
    tmp_path: Path, content: str | bytes, line: int | None, reason: str
) -> None:
    problem = read_scores(scores(tmp_path, content)).problems[0]
    assert problem.file == "anomaly_score_fan_section_00_source_test.csv"
    assert problem.line == line
    assert reason in problem.reason


def test_a_folder_and_a_broken_link_are_no_files(tmp_path: Path) -> None:
    assert "folder" in read_scores(tmp_path).problems[0].reason
    link = tmp_path / "anomaly_score.csv"
    link.symlink_to(tmp_path / "gone.csv")
    assert "cannot be read" in read_scores(link).problems[0].reason


def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "anomaly_score.csv"
    os.mkfifo(pipe)
    assert "a pipe or a device" in read_scores(pipe).problems[0].reason
    endless = tmp_path / "endless.csv"
    endless.symlink_to("/dev/zero")
    assert "a pipe or a device" in read_scores(endless).problems[0].reason
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(LARGEST + 10**6)  # takes no room on the disk
    assert "201 MB: no score file is that large" in read_scores(large).problems[0].reason


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("1", 1), ("1.0", 1), (" 0.0", 0)])
def test_decisions_are_0_or_1(tmp_path: Path, text: str, value: int) -> None:
    rows = read_decisions(scores(tmp_path, f"{ONE},{text}\n"))
    assert rows.values == {ONE: value}
    assert not rows.problems


@pytest.mark.parametrize("text", ["2", "-1", "0.5", "true", "normal", "nan"])
def test_nothing_else_is_a_decision(tmp_path: Path, text: str) -> None:
    assert read_decisions(scores(tmp_path, f"{ONE},{text}\n")).problems[0].line == 1


def test_a_file_of_another_kind_has_few_words(tmp_path: Path) -> None:
    problems = read_scores(scores(tmp_path, "text\n" * 5000)).problems
    assert len(problems) == 4
    assert "4997 more" in problems[-1].reason


def test_a_message_holds_no_control_characters(tmp_path: Path) -> None:
    problem = read_scores(scores(tmp_path, '"a\n\x1b[31m.wav",x\n')).problems[0]
    assert str(problem).isprintable()


@given(st.dictionaries(st.from_regex(r"[a-z]{1,9}\.wav", fullmatch=True), st.floats(allow_nan=False), max_size=20))
def test_every_finite_number_comes_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, float]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "scores.csv"
    path.write_text("".join(f"{clip},{value!r}\n" for clip, value in values.items()))
    rows = read_scores(path)
    finite = {clip: value for clip, value in values.items() if math.isfinite(value)}
    assert rows.values == finite
    assert bool(rows.problems) == (len(finite) < len(values) or not values)
