"""Means without an interval, in every form that shows intervals: a dash, nothing or null, and no form stops for it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from asdbench.cli import run_overview as overview
from asdbench.reports.content import ranking
from asdbench.reports.content.evidence import views
from asdbench.reports.content.leaderboard import boards
from asdbench.reports.content.tables import build
from asdbench.reports.page import html
from asdbench.reports.text import json_records as records
from asdbench.reports.text import leaderboard, markdown, paper
from asdbench.reports.text import tidy_csv as tidy
from tests.reports.results import write_results


@pytest.fixture(scope="module", params=[1, 4], ids="{} clips a class".format)
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two systems whose scores and means have no interval."""
    found = tmp_path_factory.mktemp("results")
    write_results(found, machines=("fan", "valve"), sections=("00",), count=request.param)
    assert all(table.score is not None and table.score_bounds is None for table in build(found))
    return found


def no_number(shown: str) -> list[str]:
    """The words of a text that stand for a number that is none; pictures and scripts left out."""
    text = re.sub(r"base64,[\w+/=]+|<script.*?</script>", "", shown, flags=re.DOTALL)
    return re.findall(r"\b(?:nan|inf|infinity)\b", text, re.IGNORECASE)


def test_tables_have_dashes_and_say_why(results: Path) -> None:
    shown = markdown.render(build(results))
    assert shown.count("· 95 % interval –\n") == 2
    means = [line.split("|")[3:-1] for line in shown.splitlines() if " mean** " in line]
    # of four clips an arithmetic mean has an interval, a harmonic one has none; of one clip nothing has
    assert {cell.strip() for cell in means[-1]} == {"–"}
    assert ({cell.strip() for cell in means[-2]} == {"–"}) is ("1 clip of a class" in shown or "one clip" in shown)
    assert shown.count("No 95 % interval of the official score") == 2
    assert not no_number(shown)


def test_the_paper_leaves_them_out_and_says_why(results: Path) -> None:
    source = paper.render(build(results))
    assert "(95" not in source
    assert r"No 95 \% interval" in source
    assert not no_number(source)


def test_the_page_shows_the_score_alone(results: Path) -> None:
    found = views(results)
    page = html.render(found)
    assert "No 95 % interval" in page
    assert re.search(r'Official score</th><td[^>]*>\d+\.\d\d<span class="small">–</span>', page)
    assert not no_number(page)
    said, _ = ranking.verdict(found[0])
    assert re.search(r"highest official score of 2 systems, \d+\.\d\d; ", said)


def test_boards_have_a_dash_or_null(results: Path) -> None:
    found = boards([results])
    assert [place["low"] for place in json.loads(leaderboard.render(found, "json"))] == [None, None]
    rows = csv.DictReader(leaderboard.render(found, "csv").splitlines())
    assert {row["low"] + row["high"] for row in rows} == {""}
    for form in ("markdown", "latex"):
        assert not no_number(leaderboard.render(found, form))


def test_csv_json_and_overview_hold_no_word_for_a_number(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = build(results)
    overview.show(tables)
    printed = capsys.readouterr().out
    assert "–" in printed
    for shown in (printed, tidy.render(tables), records.render(tables)):
        assert not no_number(shown)
