"""`asdbench published` and `asdbench score --against` as a person meets them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from asdbench.published import KEYS, tables
from asdbench.reports.text import published
from tests.end_to_end.test_score import write_small
from tests.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_list_names_every_table_with_its_source_and_errors(shell: Shell) -> None:
    out, _ = shell("published")
    assert [line.split(": ")[0] for line in out.splitlines() if line.startswith(("narita", "organizers"))] == list(KEYS)
    words = " ".join(out.split())
    for table in tables().values():
        assert table.title in words
        assert table.source in words
        assert table.note in words
    cells = [line.split() for line in out.splitlines()]
    assert ["arithmetic", "mean,", "printed", "61.78", "≠", "58.69", "≠", "56.74", "≠", "55.75", "≠"] in cells
    assert ["arithmetic", "mean,", "recomputed", "61.99", "60.18", "56.24", "55.56"] in cells
    assert ["arithmetic", "mean,", "printed", "77.39", "71.45", "66.20", "63.68"] in cells


def test_one_table_is_shown_with_its_cells(shell: Shell) -> None:
    out, _ = shell("published", "show", "narita2021/table-4")
    table = tables()["narita2021/table-4"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in out.splitlines() if line.startswith("|")]
    found = [row[2:] for row in rows[2:-3]]
    assert found == [[f"{table.cells[(*place, *column)]:.2f}" for column in published.COLUMNS] for place in table.rows]
    assert [row[0] for row in rows[-3:]] == [
        "**arithmetic mean, printed**",
        "**arithmetic mean, recomputed**",
        "**harmonic mean, recomputed**",
    ]
    assert "**Official score: 56.74**" in out
    _, err = shell("published", "show", "narita2021/tabel-4", expect=2)
    assert "did you mean 'narita2021/table-4'" in err


@pytest.mark.parametrize("key", KEYS)
def test_only_means_that_the_cells_do_not_give_are_marked(key: str) -> None:
    text = published.render(tables()[key])
    wrong = {"narita2021/table-3": 1, "narita2021/table-4": 4}.get(key, 0)
    assert text.count(" ≠ |") == wrong
    assert ("- ≠ not what" in text) == bool(wrong)
    assert ("over the cells printed" in text) == key.startswith("organizers/")


def test_the_readme_runs_show_their_means_over_both_domains() -> None:
    text = published.render(tables()["organizers/ae-readme"])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert ["arithmetic mean, printed", "63.4335", "53.7947"] in rows
    assert ["harmonic mean, printed", "62.0051", "53.4340"] in rows
    assert "Not printed: ToyCar, ToyTrain, gearbox, pump, slider; recomputed means are over the cells printed." in text


def test_challenge_files_against_a_table(shell: Shell) -> None:
    write_small(shell.folder / "team")
    out, err = shell("score", "team", "--year", "2021", "--against", "narita2021/table-3")
    own, _, beside = out.partition("\n## Against Table 3, AE baseline of the organizers (`narita2021/table-3`)\n")
    plain, _ = shell("score", "team", "--year", "2021")
    assert own == plain
    assert "**one training of ours: cannot be told; mean difference " in beside
    assert "verdict |" not in beside  # no table of machines where nothing can be told
    told, _ = shell("score", "team", "--year", "2021", "--against", "narita2021/table-3", "--deterministic")
    assert "deterministic: equal to rounding or not) 0 reproduced, 1 not (fan)" in told
    _, refused = shell("score", "team", "--year", "2021", "--deterministic", expect=2)
    assert "give --against KEY, too" in refused
    assert "Other clips than the published cell: fan 00 source, fan 00 target." in beside
    assert "; 4 of the 4 of other clips. The published values are of" in beside
    assert "against" not in err


def test_the_other_formats_stay_as_they_are(shell: Shell) -> None:
    write_small(shell.folder / "team")
    for form in ("json", "csv"):
        plain, _ = shell("score", "team", "--year", "2021", "--format", form)
        out, err = shell("score", "team", "--year", "2021", "--format", form, "--against", "narita2021/table-3")
        assert out == plain
        assert "against narita2021/table-3: " in err


def test_what_cannot_be_compared_is_refused_before_scoring(shell: Shell) -> None:
    write_small(shell.folder / "team")
    _, err = shell("score", "team", "--year", "2022", "--against", "narita2021/table-3", expect=2)
    assert "the published tables are of DCASE 2021" in err
    _, err = shell("score", "team", "--year", "2021", "--against", "table-3", expect=2)
    assert "published table" in err


def test_the_csv_report_says_the_verdict_in_words(shell: Shell) -> None:
    from tests.reports.content.test_tables import fill

    fill(shell.folder / "results")
    out, _ = shell("report", "results", "--format", "csv")
    rows = [row for row in csv.DictReader(out.splitlines()) if row["statistic"] == "cell"]
    assert {row["verdict"] for row in rows} == {"cannot be told"}
