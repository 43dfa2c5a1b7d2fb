"""Tables as LaTeX: compiled where there is a TeX, and text that is nothing but text."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from asdbench.reports.text.latex import END, HEAD, document, table, text
from asdbench.reports.text.submission import render
from tests.reports.text.test_submission import scored

pytestmark = pytest.mark.slow

NASTY = [
    r"a_b & 50% # $x$ {y} ~ ^ \input{secret}",
    "<script>alert('x')</script> \"quoted\" `ticks` a|b",
    "[1] first in its row",
    "*starred",
    "line\nbreak\ttab\x00null\x85\u2028",
    "naïve Größe",
    "ポンプ -- ''double'' \N{PILE OF POO}",
    "%",
    "\\",
    "",
]


def well_formed(source: str) -> None:
    """Environments nest, braces pair, and each row has as many fields as its table has columns."""
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", source.removeprefix(HEAD).replace(END, "")):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    plain = re.sub(r"\\[{}]", "", source)
    assert plain.count("{") == plain.count("}")
    for body in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", source, re.DOTALL):
        columns = re.match(r"\{((?:\w|\{[\w.]+\})+)\}", body)
        assert columns
        rows = [line for line in body.splitlines() if line.endswith(r" \\")]
        fields = [
            sum(int(found) - 1 for found in re.findall(r"\\multicolumn\{(\d+)\}", row))
            + len(re.split(r"(?<!\\)&", row))
            for row in rows
        ]
        assert set(fields) == {len(re.sub(r"\{[\w.]+\}", "", columns[1]))}  # p{4cm} is one column


def compiled(program: str, folder: Path, source: str) -> str:
    """Compile, stopping at the first error; the log."""
    (folder / "paper.tex").write_text(source, encoding="utf-8")
    ended = subprocess.run(
        [program, "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "paper.tex"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    log = ended.stdout.decode(errors="replace")
    assert ended.returncode == 0, log[-1500:]
    assert (folder / "paper.pdf").stat().st_size > 0
    return log


def nasty_table() -> str:
    return table(
        " ".join(NASTY), ["Name", "Other"], [("A_1", ["a&b", "c"]), ("", ["d"])], [[n, n, n, "1", "–"] for n in NASTY]
    )


@pytest.mark.parametrize("year", [2020, 2021, 2022])
@pytest.mark.parametrize("wrapped", [False, True], ids=["by itself", "in a paper"])
def test_a_score_compiles_and_fits_the_page(pdflatex: str, tmp_path: Path, year: int, wrapped: bool) -> None:
    source = render(scored(year, decided=year != 2020, left_out=True), "latex")
    if wrapped:
        (tmp_path / "table.tex").write_text(source, encoding="utf-8")
        source = (
            "\\documentclass{article}\\usepackage{booktabs}\\begin{document}Before.\\input{table}After.\\end{document}"
        )
    log = compiled(pdflatex, tmp_path, source)
    assert "Overfull" not in log
    assert "incomplete" not in log


def test_any_name_compiles_and_stands_on_the_page_as_it_is(pdflatex: str, tmp_path: Path) -> None:
    compiled(pdflatex, tmp_path, document([nasty_table()]))
    if shutil.which("pdftotext") is None:
        pytest.skip("there is no pdftotext: the page is not read")
    read = subprocess.run(["pdftotext", "-raw", "paper.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    page = " ".join(read.stdout.decode("utf-8").split())
    for words in (
        r"b & 50% # $x$ {y}",  # an underscore is a drawn line
        r"\input{secret}",
        "<script>alert(",
        "a|b",
        "[1] first",
        "*starred",
        "line break",
    ):
        assert words in page
    assert "U+30DD" in page


@pytest.mark.parametrize("year", [2020, 2021, 2022])
def test_a_score_is_well_formed(year: int) -> None:
    well_formed(render(scored(year, machine="a|b_c &", decided=year != 2020, left_out=True), "latex"))


def test_nasty_names_are_well_formed() -> None:
    well_formed(document([nasty_table()]))


def test_text_is_nothing_but_text() -> None:
    assert text('\\ ~ ^ < > | & % $ # _ { } – ` [ *\n"é') == (
        r"\textbackslash{} \textasciitilde{} \textasciicircum{} \textless{} \textgreater{} \textbar{}"
        r" \& \% \$ \# \_ \{ \} \textendash{} \textasciigrave{} {[} {*} \symbol{34}é"
    )
    assert text("a--b---c''") == "a-{}-b-{}-{}-c'{}'"
    assert text("ポ") == "U+30DD"
