"""Of single trainings nothing is said about methods, in no format: no better, worse, equivalent, undecided, no rank."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from asdbench.cli import narrow_comparison, narrow_leaderboard, narrow_tables, run_overview
from asdbench.judging.compared import compare_folders
from asdbench.reports.content import ranking
from asdbench.reports.content.evidence import views
from asdbench.reports.content.leaderboard import boards
from asdbench.reports.content.tables import build
from asdbench.reports.page import html
from asdbench.reports.text import comparison, json_records, leaderboard, markdown, paper, tidy_csv
from tests.reports.results import write_results

CLAIM = re.compile(
    r"\b(better|best|worse|equivalent|undecided|outperforms?|superior|inferior|beats?)\b|\brank:? \d",
    re.IGNORECASE,
)
EPOCH = "the star the best by test labels"
"""Of an epoch, no method."""
SYSTEMS = ("ae", "cvae", "mvg")


def everything(results: Path) -> dict[str, str]:
    """What each format shows of some results."""
    tables, found, pages = build(results), boards([results]), views(results)
    compared = compare_folders([table.folders for table in tables], [table.system for table in tables])
    page = re.sub(r"<(style|script|svg)\b.*?</\1>", "", html.render(pages), flags=re.DOTALL)
    shown = {
        "page": re.sub(r"<[^>]+>", " ", page).replace(EPOCH, ""),
        "first sentence": "\n".join(ranking.verdict(pages[0])),
        "summary of a run": "\n".join(ranking.closing(tables)),
        "markdown": markdown.render(tables),
        "latex": paper.render(tables),
        "csv": tidy_csv.render(tables),
        "json": json_records.render(tables),
        **{f"leaderboard {form}": leaderboard.render(found, form) for form in ("markdown", "latex", "csv", "json")},
        **{f"compare {form}": comparison.render(compared, form) for form in ("markdown", "latex", "csv", "json")},
    }
    on_terminals: dict[str, Callable[[], None]] = {
        "tables on a terminal": lambda: narrow_tables.show(tables),
        "overview on a terminal": lambda: run_overview.show(tables),
        "leaderboard on a terminal": lambda: narrow_leaderboard.show(found),
        "comparison on a terminal": lambda: narrow_comparison.show(compared),
    }
    for name, show in on_terminals.items():
        with redirect_stdout(io.StringIO()) as out:
            show()
        shown[name] = out.getvalue()
    return shown


@pytest.fixture(scope="module", params=[(), ("synthetic data",)], ids=["results", "no results"])
def single(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is shown of three systems, one training each."""
    results = tmp_path_factory.mktemp("single")
    write_results(results, systems=SYSTEMS, stamps=request.param, full_epochs=10, count=30)
    return everything(results)


def test_no_format_says_anything_of_methods(single: dict[str, str]) -> None:
    for name, text in single.items():
        assert not (found := CLAIM.search(text)), f"{name}: …{text[max(0, found.start() - 80) : found.end() + 80]}…"
    assert {one["rank"] for one in json.loads(single["leaderboard json"])} == {None}
    assert {row["rank"] for row in csv.DictReader(io.StringIO(single["leaderboard csv"]))} == {""}
    for pair in json.loads(single["compare json"])["pairs"]:
        assert [part["methods"] for part in pair["parts"]] == [None]


@pytest.mark.parametrize(
    "name",
    [
        *("page", "first sentence", "markdown", "latex", "csv", "tables on a terminal", "overview on a terminal"),
        *(f"leaderboard {form}" for form in ("markdown", "latex", "csv", "json", "on a terminal")),
    ],
)
def test_wherever_an_interval_stands_it_is_said_to_be_of_one_training(single: dict[str, str], name: str) -> None:
    text = re.sub(r"\s+", " ", single[name])
    assert "over clips, one training" in text


def test_of_several_trainings_they_do(tmp_path: Path) -> None:
    write_results(tmp_path, systems=SYSTEMS, stamps=(), full_epochs=10, count=30, seeds=(1, 2, 3))
    shown = everything(tmp_path)
    for name in ("page", "first sentence", "summary of a run", "compare markdown", "compare csv", "compare json"):
        assert CLAIM.search(shown[name]), name
    for name in ("leaderboard markdown", "leaderboard latex", "leaderboard on a terminal"):
        assert "Rank: 1, and one more for every system that is better" in shown[name].replace("\n  ", " "), name
    assert "nothing follows" not in "".join(shown.values())
    assert {one["rank"] for one in json.loads(shown["leaderboard json"])} >= {1, 2}
