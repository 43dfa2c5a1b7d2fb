"""A results folder as LaTeX and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from asdbench.api import DOMAINS, Cell
from asdbench.reports.content.tables import build
from asdbench.reports.text import json_records as records
from asdbench.reports.text import paper
from asdbench.reports.text.submission import render as render_score
from tests.reports.content.test_tables import ALL, fill
from tests.reports.text.test_latex import NASTY, compiled, well_formed
from tests.reports.text.test_submission import scored

BOTH = [Cell("fan", "00", domain) for domain in DOMAINS]


def test_latex_has_ours_the_published_and_the_means(tmp_path: Path) -> None:
    expected = fill(tmp_path, cells=ALL)
    (table,) = build(tmp_path)
    source = paper.render([table])
    assert source.count(r"\begin{tabular}{llrrrrrrrr}") == 1
    auc = expected[Cell("ToyCar", "00", "source")][0]
    (line,) = [line for line in source.splitlines() if line.startswith("ToyCar &")]
    assert line.startswith(f"ToyCar & 00 & {auc:.2f} & ")
    assert line.endswith(r" & 73.89 & 79.72 & 67.47 & 68.16 \\")  # Table 5
    assert r"Arithmetic mean &  & " in source
    assert f"Official score: {table.score:.2f}" in source
    assert "published, over the same cells: 67.83" in source


def test_systems_side_by_side_come_first_with_what_to_mind(tmp_path: Path) -> None:
    fill(tmp_path, stamps=("untrained network",), constant=("kld",))
    fill(tmp_path, system="mine", published=None, epochs=5)
    source = paper.render(build(tmp_path))
    first, *rest = source.split(r"\begin{table}")[1:]
    assert len(rest) == 2
    assert "clvae (a,b) &" in first
    assert "mine (c) &" in first
    for words in ("(a) UNTRAINED NETWORK", "(b) COLLAPSED MODEL: fan", "(c) REDUCED BUDGET: 5 of 300 epochs"):
        assert words in first
    assert r"\caption{UNTRAINED NETWORK. COLLAPSED MODEL: fan. These numbers are no result." in rest[0]
    assert r"\caption{REDUCED BUDGET: 5 of 300 epochs. CL-VAE" in rest[1]


@pytest.mark.parametrize("name", NASTY[:7])
def test_names_are_text(tmp_path: Path, name: str) -> None:
    fill(tmp_path, dataset="d", spec="features:d", title=name, system=name.replace("\x00", ""))
    tables = build(tmp_path)
    odd = [replace(row, machine=name, section=name) for row in tables[0].rows]
    well_formed(paper.render([replace(tables[0], rows=odd)]))
    (record,) = json.loads(records.render(tables))
    assert record["title"] == name


@pytest.mark.slow
def test_a_report_compiles_and_fits_the_page(pdflatex: str, tmp_path: Path) -> None:
    for seed in (1, 2):
        fill(tmp_path / "r", cells=ALL, seed=seed, count=20)  # other clips: notes of the longest kind
    fill(tmp_path / "r", cells=ALL[:8], system="other", stamps=("synthetic data",), constant=("kld",))
    log = compiled(pdflatex, tmp_path, paper.render(build(tmp_path / "r")))
    assert "Overfull" not in log
    assert "Float too large" not in log


def test_json_has_a_record_a_system_part_and_seed_with_the_keys_of_score(tmp_path: Path) -> None:
    fill(tmp_path, cells=BOTH, seed=1)
    expected = fill(tmp_path, cells=BOTH, seed=2, epochs=300)
    fill(tmp_path, system="mine", published=None, stamps=("synthetic data",), epochs=3)
    found = json.loads(records.render(build(tmp_path)))
    assert [(one["system"], one["seed"]) for one in found] == [("clvae", 1), ("clvae", 2), ("mine", 777)]
    score = json.loads(render_score(scored(), "json"))
    one = found[1]
    assert set(one) > set(score) == {"cells", "means", "official_score"}
    assert [set(cell) for cell in one["cells"]] == [set(score["cells"][0])] * 2
    values = [value / 100 for pair in expected.values() for value in pair]
    assert [cell[metric] for cell in one["cells"] for metric in ("auc", "pauc")] == pytest.approx(values)
    assert one["official_score"] == pytest.approx(len(values) / sum(1 / value for value in values))
    assert found[2]["stamps"] == ["synthetic data"]
    assert (one["reduced_budget"], found[2]["reduced_budget"]) == (None, "3 of 300 epochs")


def test_json_names_what_is_not_scored(tmp_path: Path) -> None:
    fill(tmp_path, cells=BOTH, reasons={"00/target": "no test clips"})
    (one,) = json.loads(records.render(build(tmp_path)))
    assert one["not_scored"] == {"fan 00 target": "no test clips"}
    assert [cell["auc"] is None for cell in one["cells"]] == [False, True]
    assert one["official_score"] is not None


def test_where_nothing_is_scored_json_has_no_score(tmp_path: Path) -> None:
    fill(tmp_path, cells=BOTH, reasons={"00/target": "a", "00/source": "b"})
    (one,) = json.loads(records.render(build(tmp_path)))
    assert one["official_score"] is None
    assert one["means"]["auc"] == {"arithmetic": None, "harmonic": None}
