"""Lines that fit a terminal, and stay whole in a pipe."""

from __future__ import annotations

import io

import click
import pytest

from asdbench.cli.lines import line


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


def test_a_path_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    path = "/a-very-long/path-of-a-folder/that-does-not-fit/into-any-line/at-all"
    assert path in line("  found: ", f"it is not at {path}", Terminal())


def test_in_a_pipe_a_line_stays_one_and_line_breaks_are_kept() -> None:
    assert line("found: ", "word " * 60 + "end", io.StringIO()) == "found: " + "word " * 60 + "end"
    assert line("found: ", "one\ntwo", io.StringIO()) == "found: one\n       two"
