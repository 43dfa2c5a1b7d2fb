"""A submission's metrics as text, in four forms."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from asdbench.datasets.years import YEARS
from asdbench.metrics.aggregate import CellMetrics
from asdbench.metrics.challenge import DEFINITIONS, summarise
from asdbench.reports.text.submission import render
from asdbench.submissions.rows import Problem
from asdbench.submissions.scoring import Scored

KEYS = ["machine", "section", "domain", "auc", "pauc", "precision", "recall", "f1", "n_normal", "n_anomaly"]


def scored(
    year: int = 2021,
    *,
    machine: str = "fan",
    decided: bool = True,
    left_out: bool = False,
    origin: str = "the clip names",
) -> Scored:
    f1 = 1 / 3 if decided else None
    domains = [""] if year == 2020 else ["source", "target"]
    cells = tuple(
        CellMetrics(name, section, domain, 0.7, 0.6, f1, f1, f1, 4, 5)
        for name in (machine, "zeta")
        for section in ("00", "01")
        for domain in domains
    )
    return Scored(
        year=YEARS[year],
        part="development",
        origin=origin,
        cells=cells,
        summary=summarise(DEFINITIONS[year], cells),
        remarks=(),
        absent=("a_b", "pump"),
        left_out=(Problem("anomaly_score_x_*.csv", 3, "nan | inf"),) if left_out else (),
        others=(),
    )


@pytest.mark.parametrize("year", [2020, 2021, 2022, 2025])
@pytest.mark.parametrize("decided", [True, False])
def test_json_has_exactly_its_keys(year: int, decided: bool) -> None:
    given = scored(year, decided=decided and year != 2020)
    found = json.loads(render(given, "json"))
    assert list(found) == ["cells", "means", "official_score"]
    assert all(list(cell) == KEYS for cell in found["cells"])
    assert len(found["cells"]) == len(given.cells)
    assert found["cells"][0]["domain"] == (None if year == 2020 else "source")
    assert (found["cells"][0]["f1"] is None) == (year == 2020 or not decided)
    assert {metric: list(means) for metric, means in found["means"].items()} == {
        "auc": ["arithmetic", "harmonic"],
        "pauc": ["arithmetic", "harmonic"],
    }
    assert found["official_score"] == given.summary.official_score


def table_rows(markdown: str) -> list[list[str]]:
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


@pytest.mark.parametrize(
    ("year", "decided", "columns"),
    [(2020, False, 2), (2021, True, 10), (2021, False, 4), (2022, True, 9), (2022, False, 3)],
)
def test_markdown_tables_have_the_years_columns(year: int, decided: bool, columns: int) -> None:
    text = render(scored(year, decided=decided), "markdown")
    first, means = text.split("## Means")
    assert {len(row) for row in table_rows(first)} == {columns + 2}
    assert len(table_rows(first)) == 2 + 4
    assert {len(row) for row in table_rows(means)} == {2 + (5 if decided else 2)}
    assert "Official score" in first
    assert "not there: a_b, pump" in means


@pytest.mark.parametrize("form", ["markdown", "latex"])
def test_2026_is_marked_as_assumed(form: str) -> None:
    assert "2026 layout is assumed" in render(scored(2026), form)
    assert "assumed" not in render(scored(2025), form)


def test_means_are_named_as_the_evaluator_names_them() -> None:
    means = table_rows(render(scored(), "markdown").split("## Means")[1])[2:]
    assert [row[0] for row in means if row[0]] == ["fan", "zeta", "all"]
    assert [row[1] for row in means[:4]] == ["arithmetic", "harmonic", "harmonic, source", "harmonic, target"]
    assert [row[1] for row in table_rows(render(scored(2020, decided=False), "markdown"))[-3:]] == ["arithmetic"] * 3


def test_names_appear_as_text() -> None:
    text = render(scored(machine="a|b_c", left_out=True, origin="the ground truth in <script>/`50%`"), "markdown")
    assert "PARTIAL" in text
    assert "a\\|b_c" in text
    assert "nan \\| inf" in text
    assert r"\<script\>/\`50%\`" in text


@pytest.mark.parametrize(
    ("year", "decided", "shapes"),
    [
        (2020, False, ["llrr", "llrr"]),
        (2021, False, ["llrrrr", "llrr"]),
        (2021, True, ["llrrrr", "llrrrrrr", "llrrrrr"]),
        (2022, True, ["llrrr", "llrrrrrr", "llrrrrr"]),
    ],
)
def test_latex_has_a_table_of_sections_one_of_decisions_and_one_of_means(
    year: int, decided: bool, shapes: list[str]
) -> None:
    text = render(scored(year, decided=decided), "latex")
    assert re.findall(r"\\begin\{tabular\}\{(\w+)\}", text) == shapes


def test_the_latex_table_ends_with_the_means_of_its_columns() -> None:
    given = scored(decided=False)
    lines = render(given, "latex").splitlines()
    (row,) = [line for line in lines if line.startswith("Arithmetic mean")]
    assert row == r"Arithmetic mean &  & 70.00 & 70.00 & 60.00 & 60.00 \\"
    assert sum(line == r"\midrule" for line in lines) == 3
    assert "PARTIAL, this is no official score" in render(scored(left_out=True), "latex")


def test_csv_has_cells_means_and_the_official_score_to_the_last_digit() -> None:
    given = scored()
    rows = list(csv.DictReader(io.StringIO(render(given, "csv"))))
    assert [row["kind"] for row in rows].count("cell") == 8
    assert rows[0]["f1"] == repr(1 / 3)
    assert float(rows[-1]["official_score"]) == given.summary.official_score
    kinds = {(row["kind"], row["machine"], row["domain"]) for row in rows[8:-1]}
    assert kinds == {
        (f"{mean} mean", machine, domain)
        for mean in ("arithmetic", "harmonic")
        for machine in ("fan", "zeta", "")
        for domain in ("source", "target", "")
    }


def test_a_machine_name_that_csv_must_quote_is_read_back(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(render(scored(machine='a,"b"'), "csv"))))
    assert rows[0]["machine"] == 'a,"b"'
