"""Fractions for machines, percent for people, and in every form over how many cells an official score is."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from asdbench.api import DOMAINS, Cell
from asdbench.cli import run_overview
from asdbench.reports.content.evidence import views
from asdbench.reports.content.leaderboard import boards
from asdbench.reports.content.ranking import verdict
from asdbench.reports.content.tables import build
from asdbench.reports.page import html
from asdbench.reports.text import json_records, leaderboard, markdown, paper, tidy_csv
from tests.reports.content.test_tables import fill, one

CELLS = [Cell("fan", section, domain) for section in ("00", "01") for domain in DOMAINS]
UNITS = ("value", "official_score", "published", "low", "high", "sd_over_seeds", "mean_over_seeds")


def rows(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_what_a_machine_reads_is_a_fraction_and_states_its_format(tmp_path: Path) -> None:
    for seed in (1, 2):
        fill(tmp_path, cells=CELLS, seed=seed)
    table, found = one(tmp_path), boards([tmp_path])
    assert table.score is not None
    records = {
        "report csv": rows(tidy_csv.render([table])),
        "report json": json.loads(json_records.render([table])),
        "leaderboard csv": rows(leaderboard.render(found, "csv")),
        "leaderboard json": json.loads(leaderboard.render(found, "json")),
    }
    for kind, own in records.items():
        assert {str(record["format"]) for record in own} == {"2"}, kind
        values = [record[name] for record in own for name in UNITS if name in record]
        numbers = [float(value) for value in values if value not in ("", "yes", None, True, False)]
        assert numbers, kind
        assert all(0 <= number <= 1 for number in numbers), kind
    official = [float(row["value"]) for row in records["report csv"] if row["metric"] == "official_score"]
    ranked = [float(row["official_score"]) for row in records["leaderboard csv"] if row["system"] == "clvae"]
    of_seeds = [record["official_score"] for record in records["report json"]]
    assert official == ranked == pytest.approx([sum(of_seeds) / 2])
    assert ranked == pytest.approx([table.score / 100])
    for shown in (markdown.render([table]), paper.render([table]), leaderboard.render(found, "markdown")):
        assert f"{table.score:.2f}" in shown
        assert "ercent" in shown


def test_an_official_score_over_fewer_cells_says_so_in_every_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path, cells=CELLS[:2], reasons={"00/target": "section 00 has no target clips"})
    tables = build(tmp_path)
    assert (tables[0].cells, tables[0].asked) == (1, 2)
    assert f"**Official score: {tables[0].score:.2f}** over 1 of 2 cells" in markdown.render(tables)
    assert "OVER 1 OF 2 CELLS" in paper.render(tables)
    run_overview.show(tables)
    assert "OVER 1 OF 2 CELLS" in capsys.readouterr().out
    assert '<td data-v="1">1 of 2</td>' in html.render(views(tmp_path))
    assert '<span class="stamp">OVER 1 OF 2 CELLS</span>' in html.render(views(tmp_path))
    assert f"an official score of {tables[0].score:.2f} over 1 of 2 cells" in verdict(views(tmp_path)[0])[0]
    (board,) = boards([tmp_path])
    assert [place.mind for place in board.places if not place.published] == [("over 1 of 2 cells",)]
    lines = {(row["statistic"], row["domain"], row["metric"]): row for row in rows(tidy_csv.render(tables))}
    assert [lines["harmonic mean", "", "official_score"][name] for name in ("n_cells", "of_cells")] == ["1", "2"]
    assert [lines["arithmetic mean", "", "auc"][name] for name in ("n_cells", "of_cells")] == ["1", "2"]
    assert [lines["arithmetic mean", "source", "auc"][name] for name in ("n_cells", "of_cells")] == ["1", "1"]


def test_one_of_several_systems_with_fewer_cells_shows_it_side_by_side(tmp_path: Path) -> None:
    fill(tmp_path, cells=CELLS)
    fill(tmp_path, cells=CELLS, system="mvg", published=None, reasons={"01/source": "gone"})
    shown = markdown.render(build(tmp_path))
    overview = shown[: shown.index("\n## ")]
    (line,) = [line for line in overview.splitlines() if line.startswith("| mvg")]
    assert "|  3 of 4 |" in line
    (line,) = [line for line in overview.splitlines() if line.startswith("| clvae")]
    assert "|       4 |" in line
    (board,) = boards([tmp_path])
    assert {place.system: place.mind for place in board.places if not place.published} == {
        "clvae": (),
        "mvg": ("over 3 of 4 cells",),
    }


def test_where_every_cell_has_a_value_nothing_is_said(tmp_path: Path) -> None:
    fill(tmp_path, cells=CELLS)
    tables = build(tmp_path)
    assert tables[0].partial == ""
    assert " of 4" not in markdown.render(tables)
    assert tables[0].warnings == ()
