"""`asdbench report --format html` and `asdbench plot` as a person meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.reports.content import tables
from asdbench.reports.content.wording import span
from tests.reports.results import write_results
from tests.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    write_results(tmp_path / "results", machines=("fan",))
    return Shell(tmp_path)


def test_a_page_is_written_and_its_name_printed(shell: Shell) -> None:
    out, _ = shell("report", "--format", "html", "--output", "pages/report.html")
    assert out == "pages/report.html\n"
    page = (shell.folder / "pages" / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    assert "SYNTHETIC DATA, UNTRAINED NETWORK" in page


def test_a_page_needs_a_file_and_only_a_page_opens(shell: Shell) -> None:
    _, err = shell("report", "--format", "html", expect=2)
    assert "--output FILE.html" in err
    _, err = shell("report", "--open", expect=2)
    assert "only a page can be opened" in err


def test_tables_can_be_written_to_a_file_too(shell: Shell) -> None:
    printed, _ = shell("report")
    out, _ = shell("report", "--output", "tables.md")
    assert out == ""
    assert (shell.folder / "tables.md").read_text(encoding="utf-8") == printed


@pytest.mark.parametrize("width", [80, 140])
def test_tables_fit_a_narrow_terminal_and_say_all(tmp_path: Path, width: int) -> None:
    place = {"dataset": "dcase2021", "spec": "dcase2021:ROOT", "published": True, "stamps": ()}
    write_results(tmp_path / "results", machines=("fan", "ToyTrain"), **place)  # type: ignore[arg-type]  # as write_results'
    shell = Shell(tmp_path)
    shown = shell.on_terminal("report", width=width)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    assert not any(line.startswith("|") for line in lines)
    for table in tables.build(tmp_path / "results"):
        for row in table.rows:
            for column, value in row.ours.items():
                published = row.published[column]
                assert f"{value:.2f} ({published:.2f}, {value - published:+.2f}" in shown
                assert span(row.bounds[column]) in shown
        for note in table.notes:
            assert "".join(note.replace("**", "").split()) in "".join(shown.split())


def test_a_wide_terminal_gets_the_markdown(shell: Shell) -> None:
    assert shell.on_terminal("report", width=5000).splitlines() == shell("report")[0].splitlines()


@pytest.mark.parametrize("name", ["x.svg", "x.png", "x.pdf"])
def test_a_figure_is_written(shell: Shell, name: str) -> None:
    out, _ = shell("plot", "roc", "--output", name, "--systems", "mvg", "--machines", "fan")
    assert out == f"{name}\n"
    head = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[name[2:]]
    assert (shell.folder / name).read_bytes().startswith(head)


def test_what_cannot_be_drawn_is_an_error_with_its_reason(shell: Shell) -> None:
    _, err = shell("plot", "latent", "--systems", "mvg", expect=4)
    assert "mvg: no latent vectors were recorded" in err
    _, err = shell("plot", "auc", "--systems", "mgv", expect=2)
    assert "did you mean 'mvg'" in err
    _, err = shell("plot", "auc", "elsewhere", expect=4)
    assert "no results" in err
    _, err = shell("plot", "auc", "--output", "x.gif", expect=2)
    assert ".svg, .png, .pdf" in err


def test_neither_page_nor_figure_needs_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    results = write_results(tmp_path / "results", machines=("fan",), sections=("00",))
    code = (
        "import sys; from pathlib import Path; from asdbench.reports import figures\n"
        "from asdbench.reports.content import evidence; from asdbench.reports.page import html\n"
        "from asdbench.reports.figures import drawing\n"
        f"found = evidence.views(Path({str(results)!r})); html.render(found)\n"
        f"drawing.save(figures.make('auc', found[0]), Path({str(tmp_path / 'a.svg')!r}))\n"
        "print([name for name in ('torch', 'librosa', 'sklearn', 'matplotlib.pyplot') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
