"""What commands that show tables print on a terminal that is narrower than these."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from asdbench.cli.compare import command as compare
from asdbench.cli.datasets import validate
from asdbench.cli.leaderboard import command as leaderboard
from asdbench.cli.published import command as published
from asdbench.datasets import grammar, toy
from asdbench.published import KEYS, tables
from tests.reports.results import write_results

NAMES = ("a-system-of-some-length", "mvg[embedding=logmel]")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write_results(tmp_path / "results", systems=NAMES, seeds=(777, 778))


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, width: int, command: object, *args: str) -> str:
    """What a command prints where standard output is a terminal of that width."""
    monkeypatch.setenv("COLUMNS", str(width))
    runner = CliRunner()
    with runner.isolation() as (out, _, _):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        command.main(args, standalone_mode=False)  # type: ignore[attr-defined]  # a click command
        sys.stdout.flush()
        return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue().decode())


@pytest.mark.parametrize("width", [80, 120])
def test_a_leaderboard_fits(monkeypatch: pytest.MonkeyPatch, results: Path, width: int) -> None:
    plain = CliRunner().invoke(leaderboard, [str(results)]).output
    shown = on_a_terminal(monkeypatch, width, leaderboard, str(results))
    assert max(map(len, plain.splitlines())) > width >= max(map(len, shown.splitlines()))
    assert "|" not in shown
    assert "NO RESULT OF OURS IS HERE" in " ".join(shown.split())
    for number in re.findall(r"\(\d+\.\d\d\)|\d+\.\d to \d+\.\d", plain):
        assert number in shown
    assert "SYNTHETIC DATA" in shown
    assert "REDUCED BUDGET" in plain
    assert "REDUCED BUDGET" in shown


@pytest.mark.parametrize("width", [80, 120])
def test_a_comparison_fits(monkeypatch: pytest.MonkeyPatch, results: Path, width: int) -> None:
    asked = (*NAMES, "--results", str(results))
    plain = CliRunner().invoke(compare, asked).output
    shown = on_a_terminal(monkeypatch, width, compare, *asked)
    assert max(map(len, plain.splitlines())) > width >= max(map(len, shown.splitlines()))
    assert f"A: {NAMES[0]}" in shown
    assert f"B: {NAMES[1]}" in shown
    assert "\\" not in shown
    rows = [re.findall(r"[+-]\d+\.\d\d|-?\d+\.\d to -?\d+\.\d", line) for line in plain.splitlines() if "|" in line]
    for found in rows:
        for number in found:
            assert number in shown
    said = " ".join(shown.split())
    assert re.search(r"\*\*(On .*?)\*\*", plain)[1].replace("\\", "") in said  # type: ignore[index]


def test_published_tables_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = on_a_terminal(monkeypatch, 80, published)
    assert fits(listed, 80)
    assert all(key in listed for key in KEYS)
    for key in KEYS:
        table = tables()[key]
        shown = on_a_terminal(monkeypatch, 80, published, "show", key)
        assert fits(shown, 80)
        for value in table.cells.values():
            assert f"{value:.{table.decimals}f}" in shown
        assert " ".join(table.note.split()) in " ".join(shown.split())


def test_a_validation_fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    toy.write(tmp_path / "data", toy.toy(train=2, test=2))
    (tmp_path / "data" / grammar.MARKER).unlink()  # then the official counts stand beside
    shown = on_a_terminal(monkeypatch, 80, validate, "data", "--cache", "cache")
    assert fits(shown, 80)
    assert "2+2 of 100+100" in shown
    assert "WRONG" in shown


def fits(shown: str, width: int) -> bool:
    """Whether only words that are too long for any line are cut off at the end of one."""
    return all(len(line) <= width or " " not in line.strip().removeprefix("- ") for line in shown.splitlines())


def test_a_wide_terminal_and_a_pipe_get_markdown_and_only_the_pipe_its_backslashes(
    monkeypatch: pytest.MonkeyPatch, results: Path
) -> None:
    for command, args in ((leaderboard, (str(results),)), (compare, (*NAMES, "--results", str(results)))):
        plain = CliRunner().invoke(command, args).output
        assert plain.startswith("# ")
        shown = on_a_terminal(monkeypatch, 1000, command, *args)
        assert "\\[" in plain
        assert "\\" not in shown  # nobody renders it there
        assert shown.replace(" ", "") == plain.replace("\\", "").replace(" ", "")
        rows = [[row for row in text.splitlines() if row.startswith("|")] for text in (shown, plain)]
        assert [len(row) for row in rows[0]] == [len(row) for row in rows[1]]
