"""A report's tables for a terminal that is narrower than their Markdown: a published value stands in our value's cell.

In a pipe and in a file it is Markdown, whatever its width.
"""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from asdbench.cli import run_overview as overview
from asdbench.cli import wrapping as lines
from asdbench.cli.wrapping import columns, line
from asdbench.metrics.challenge import Column
from asdbench.reports.content.evidence import one_line
from asdbench.reports.content.footnotes import NO_RESULT, loud
from asdbench.reports.content.reproduction import HEADS, MARKS, rows
from asdbench.reports.content.system_table import SystemTable, shared_notes
from asdbench.reports.content.wording import COLLAPSED, NOTHING, ODD, PARTS, label, percent, span, unit
from asdbench.reports.text.markdown import against_published


def show(tables: Sequence[SystemTable]) -> None:
    """Print an overview and every table, as wide as the terminal."""
    console = lines.console()
    click.echo(line("", "Shortened for a narrow terminal. `asdbench report > FILE` writes the full tables."))
    if len(tables) > 1:
        overview.show(tables)
    for dataset in dict.fromkeys(table.dataset for table in tables):
        own = [table for table in tables if table.dataset == dataset]
        shared = shared_notes(own)
        if shared:
            click.echo(line("", f"Of all tables on {one_line(dataset)}:"))
            _list(shared)
        for table in own:
            _system(console, table, shared)


def _system(console: Console, table: SystemTable, shared: Sequence[str]) -> None:
    name = f"{table.title} · {table.system} on {table.dataset}{PARTS[table.part]}"
    console.print("", Text(one_line(name), "bold"), sep="\n")
    for warning in table.warnings:
        console.print(Text(one_line(loud(warning)), "bold yellow"))
    if NO_RESULT & set(table.stamps):
        console.print(Text(NOTHING, "bold yellow"))
    every = table.definition.columns()
    metrics = dict.fromkeys(metric for _, metric in every)
    groups = [[own for own in every if own[1] == metric] for metric in metrics] if table.has_published else [every]
    for group in groups:
        console.print("", _values(table, group), sep="\n")
    console.print("", _intervals(table, every), "", sep="\n")
    score = "no value" if table.score is None else f"{table.score:.2f}"
    beside = "" if table.their_score is None else f"; {against_published(table)}"
    sure = f" (95 % interval {table.score_interval})" if table.score_bounds else ""
    click.echo(line("Official score: ", f"{score}{sure}{beside}"))
    if table.verdict:
        click.echo(line("Against the published values: ", f"{one_line(table.verdict)}."))
    found = rows(table.reproductions) if table.reproductions is not None else []
    if found:
        held = columns(HEADS[:1], [head.replace(" ", "\n") for head in HEADS[1:]])
        for name, *values in found:
            held.add_row(Text(one_line(name)), *values)
        console.print("", held, "", sep="\n")
    _list([note for note in table.notes if note not in shared])


def _list(notes: Sequence[str]) -> None:
    for note in notes:
        click.echo(line("- ", one_line(note.replace("**", ""))))


def _values(table: SystemTable, columns: Sequence[Column]) -> Table:
    head = " (published, difference)" if table.has_published else ""
    shown = _table(
        table, [label(column).replace(" ", "\n", 0 if head else 1) + head.replace(" ", "\n", 1) for column in columns]
    )
    for row in [*table.rows, *table.mean_rows]:
        place = [one_line(row.machine) + COLLAPSED * row.collapsed, one_line(row.section) + ODD * row.mark]
        marks = {column: MARKS[verdict] for column, verdict in row.verdicts.items()}
        shown.add_row(
            *map(Text, place), *(_cell(row.ours.get(c), row.published.get(c), marks.get(c, "")) for c in columns)
        )
    return shown


def _intervals(table: SystemTable, columns: Sequence[Column]) -> Table:
    shown = _table(table, [label(column).replace(" ", "\n", 1) for column in columns], "95 % interval")
    for row in [*table.rows, *table.mean_rows]:
        place = [one_line(row.machine), one_line(row.section)]
        shown.add_row(*map(Text, place), *(span(row.bounds.get(column)) for column in columns))
    return shown


def _table(table: SystemTable, heads: Sequence[str], first: str = "Machine") -> Table:
    return columns([first, unit(table.definition)], heads)


def _cell(ours: float | None, published: float | None, mark: str = "") -> str:
    shown = percent(ours)
    if published is None:
        return shown
    return f"{shown} ({published:.2f})" if ours is None else f"{shown} ({published:.2f}, {ours - published:+.2f}{mark})"
