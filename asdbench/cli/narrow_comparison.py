"""A comparison for a terminal that is narrower than its Markdown: a table a metric, the systems called A and B."""

from __future__ import annotations

import re

import click
from rich.text import Text

from asdbench.cli import wrapping as lines
from asdbench.cli.narrow_tables import columns
from asdbench.cli.wrapping import line
from asdbench.judging.pairing import Comparison
from asdbench.reports.content.evidence import one_line
from asdbench.reports.text import comparison as told


def show(comparison: Comparison) -> None:
    """Print a comparison, as wide as the terminal."""
    console = lines.console()
    click.echo(line("", "A table a metric, for a narrow terminal. All in one: `asdbench compare A B > FILE`."))
    click.echo(line("A: ", one_line(comparison.a.name)))
    click.echo(line("B: ", one_line(comparison.b.name)))
    loud, meaning = told.warning(comparison)
    if loud:
        console.print(Text(one_line(f"{loud} {meaning}"), "bold yellow"))
    short = {"difference": "A − B", "95 % interval": "95 %\ninterval", "sd over seeds": "sd,\nseeds"}
    heads = ["A", "B", *(short.get(head, head) for head in told.heads(comparison))]
    for part in comparison.parts:
        if told.sections(comparison, part):
            console.print("", Text(told.sections(comparison, part), "bold"), sep="\n")
        click.echo()
        click.echo(line("", one_line(told.conclusion(comparison, part))))
        shown = columns(["Overall"], heads)
        for name, pair in told.overall(part):
            shown.add_row(Text(one_line(name)), *told.row(pair))
        console.print("", shown, sep="\n")
        first, *more = told.place(part)
        for title, pairs in (("AUC", [one.auc for one in part.cells]), ("pAUC", [one.pauc for one in part.cells])):
            shown = columns([f"{title}\n{first}", *more], heads)
            for one, pair in zip(part.cells, pairs, strict=True):
                where = (one.cell.machine, one.cell.section, one.cell.domain)[: 1 + len(more)]
                shown.add_row(*(Text(one_line(name)) for name in where), *told.row(pair))
            console.print("", shown, sep="\n")
    click.echo()
    for note in told.notes(comparison):
        click.echo(line("- ", one_line(_spoken(note))))


def _spoken(note: str) -> str:
    """A note without its Markdown."""
    return re.sub(r"\\([\\`*{}\[\]<>|#_])", r"\1", note.replace("**", ""))
