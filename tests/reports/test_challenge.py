"""A submission's metrics as text, in four forms."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from asdbench.metrics.aggregate import CellMetrics
from asdbench.metrics.challenge import DEFINITIONS, summarise
from asdbench.reports.challenge import latex_text, render
from asdbench.submissions.rows import Problem
from asdbench.submissions.scoring import Scored
from asdbench.years import YEARS

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


def test_means_are_named_as_the_evaluator_names_them() -> None:
    means = table_rows(render(scored(), "markdown").split("## Means")[1])[2:]
    assert [row[0] for row in means if row[0]] == ["fan", "zeta", "all"]
    assert [row[1] for row in means[:4]] == ["arithmetic", "harmonic", "harmonic, source", "harmonic, target"]
    assert [row[1] for row in table_rows(render(scored(2020, decided=False), "markdown"))[-3:]] == ["arithmetic"] * 3


@pytest.mark.parametrize("form", ["markdown", "latex"])
def test_names_appear_as_text(form: str) -> None:
    text = render(scored(machine="a|b_c", left_out=True, origin="the ground truth in my_data/50%"), form)
    assert "PARTIAL" in text
    if form == "markdown":
        assert "a\\|b" in text
        assert "nan \\| inf" in text
    else:
        assert "a|b\\_c" in text or "a\\textbar{}b\\_c" in text
        assert r"my\_data/50\%" in text
        assert r"\textbar{} inf" in text


@pytest.mark.parametrize("year", [2020, 2021, 2022])
def test_latex_is_well_formed(year: int) -> None:
    text = render(scored(year, decided=year != 2020, left_out=True), "latex")
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    assert text.count("{") == text.count("}")
    for body in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", text, re.DOTALL):
        columns = re.match(r"\{(\w+)\}", body)
        assert columns
        rows = [line for line in body.splitlines() if line.rstrip().endswith(r"\\")]
        assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {len(columns[1])}
        assert [body.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    bare = re.sub(r"\\[&%$#_{}]|\\[a-zA-Z]+|\\\\", "", text.replace("% needs", "needs"))
    assert not re.search(r"[%$#_^~]", bare.replace("{booktabs}", ""))
    assert text.isascii()


def test_latex_text_escapes_everything_special() -> None:
    assert latex_text("\\ ~ ^ < > | & % $ # _ { } –\n") == (
        r"\textbackslash{} \textasciitilde{} \textasciicircum{} \textless{} \textgreater{} \textbar{}"
        r" \& \% \$ \# \_ \{ \} -- "
    )


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
