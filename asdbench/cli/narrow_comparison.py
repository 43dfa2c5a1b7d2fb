"""A comparison for a terminal that is narrower than its Markdown: a table a metric, the systems called A and B."""

from __future__ import annotations

import click
from rich.text import Text

from asdbench.cli import wrapping as lines
from asdbench.cli.wrapping import columns, line
from asdbench.judging.compared import Compared, Part
from asdbench.judging.methods import Comparison
from asdbench.reports.content import comparison as content
from asdbench.reports.content.evidence import one_line
from asdbench.reports.text.comparison import definitions, values

HEADS = ("A", "B", "A − B", "95 %\ninterval", "p", "conclusion")


def show(compared: Compared) -> None:
    """Print a comparison, as wide as the terminal."""
    console = lines.console()
    click.echo(line("", "A table a metric, for a narrow terminal. `asdbench compare A B > FILE` writes one for all."))
    loud, meaning = content.warning(compared)
    if loud:
        console.print(Text(one_line(f"{loud} {meaning}"), "bold yellow"))
    for part in compared.parts:
        if content.section_name(compared, part):
            console.print("", Text(content.section_name(compared, part), "bold"), sep="\n")
        for pair in part.pairs:
            click.echo()
            click.echo(line("A: ", one_line(pair.a)))
            click.echo(line("B: ", one_line(pair.b)))
            click.echo(line("", one_line(content.sentence(compared, part, pair))))
            _tables(part, pair, len(part.pairs) == 1)
    click.echo()
    for note in (definitions(compared), *content.notes(compared)):
        click.echo(line("- ", f"{one_line(note).removesuffix('.')}."))


def _tables(part: Part, pair: Comparison, whole: bool) -> None:
    console = lines.console()
    shown = columns(["Methods" if pair.methods is not None else "Trainings"], HEADS)
    for each in content.overall(pair):
        shown.add_row(Text(content.name_of(each)), *values(each.verdict))
    console.print("", shown, sep="\n")
    if not whole:
        return
    machines = content.of_machines(pair)
    if machines:
        shown = columns(["Machine", ""], HEADS[:5])
        for each in machines:
            name = content.NAMES[each.quantity].removesuffix(" score")
            shown.add_row(Text(one_line(each.machine)), name, *values(each.verdict)[:5])
        console.print("", shown, sep="\n")
    places = content.place_names(part)
    for metric, title in content.METRICS.items():
        shown = columns([f"{title}\n{places[0]}", *places[1:]], HEADS[:4])
        for cell, own in content.cells_of(pair).items():
            if metric in own:
                where = (cell.machine, cell.section, cell.domain)[: len(places)]
                shown.add_row(*(Text(one_line(name)) for name in where), *values(own[metric])[:4])
        console.print("", shown, sep="\n")
