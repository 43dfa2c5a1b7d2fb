"""Lines that fit a terminal, and stay whole in a pipe."""

from __future__ import annotations

import io

import click
import pytest

from asdbench.cli.wrapping import line, whole


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_is_wrapped_below_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    words = "one two three four five six seven eight nine ten eleven twelve"
    wrapped = line(click.style("Error: ", fg="red"), words, Terminal()).split("\n")
    assert [len(click.unstyle(part)) <= 50 for part in wrapped] == [True, True]
    assert wrapped[1].startswith("       ")
    assert " ".join(click.unstyle(" ".join(wrapped)).split()) == f"Error: {words}"


def test_a_phrase_stays_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    text = f"42 trained, 0 found finished; {whole('0 cells without a value')}; 78.9 s"
    assert line("done: ", text, Terminal()).split("\n")[1] == "      0 cells without a value; 78.9 s"
    assert line("done: ", text, io.StringIO()) == "done: 42 trained, 0 found finished; 0 cells without a value; 78.9 s"


def test_a_path_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    path = "/a-very-long/path-of-a-folder/that-does-not-fit/into-any-line/at-all"
    assert path in line("  found: ", f"it is not at {path}", Terminal())


def test_a_path_that_fits_no_line_may_be_cut_after_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    path = "/a-very-long/path-of-a-folder/that-does-not-fit/into-any-line/ResNet38_mAP=0.434.pth"
    first, *rest = line("  found: ", f"it is not at {path}. To do: nothing", Terminal(), cut=True).split("\n")
    assert all(len(part) <= 50 for part in (first, *rest))
    assert all(part.startswith("         ") for part in rest)
    names = {name for part in rest for name in part.split() for name in name.split("/")}
    assert {*path.split("/")} - {"ResNet38_mAP=0.434.pth"} <= names
    assert "ResNet38_mAP=0.434.pth." in names
    assert path in line("  found: ", f"it is not at {path}", io.StringIO(), cut=True)


def test_in_a_pipe_a_line_stays_one_and_line_breaks_are_kept() -> None:
    assert line("found: ", "word " * 60 + "end", io.StringIO()) == "found: " + "word " * 60 + "end"
    assert line("found: ", "one\ntwo", io.StringIO()) == "found: one\n       two"
