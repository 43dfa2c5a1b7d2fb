"""The published tables as text: all of them in short, or one with its cells."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from asdbench.published import Column, Table, recomputed_means
from asdbench.reports.content.wording import NOT_THERE, label
from asdbench.reports.text.markdown import pipe, text

COLUMNS: tuple[Column, ...] = (("source", "auc"), ("target", "auc"), ("source", "pauc"), ("target", "pauc"))
BOTH: tuple[Column, ...] = (("both", "auc"), ("both", "pauc"))
WIDTH = 116
OTHER = " ≠"
LEGEND = "≠ not what the printed cells give."


def overview(tables: Sequence[Table], width: int = WIDTH) -> str:
    """Each table's key, title, source, notes and means, printed beside recomputed; plain text of that width."""
    return "\n".join(_short(table, width) for table in tables)


def render(table: Table) -> str:
    """One table as Markdown, ending in a line break."""
    rows = [[text(machine), text(section), *values] for machine, section, *values in cells(table)]
    rows += [[f"**{name}**", "", *values] for name, *values in means(table, COLUMNS)]
    head = ["Machine", "Section", *map(label, COLUMNS)]
    parts = [f"# {text(table.title)} (`{table.key}`)", pipe(head, rows, 2)]
    if beyond(table):
        parts.append(pipe(["Over both domains", *map(label, BOTH)], means(table, BOTH), 1))
    parts.append(f"**Official score: {recomputed_means(table).official_score:.2f}** · {over(table)}")
    parts.append("\n".join(f"- {text(note)}" for note in notes(table)))
    return "\n\n".join(parts) + "\n"


def cells(table: Table) -> list[list[str]]:
    """Machine (where it changes), section, and the four values of each row."""
    rows: list[list[str]] = []
    before = None
    for machine, section in table.rows:
        values = [table.cells.get((machine, section, *column)) for column in COLUMNS]
        shown = (NOT_THERE if value is None else f"{value:.{table.decimals}f}" for value in values)
        rows.append([machine if machine != before else "", section, *shown])
        before = machine
    return rows


def _short(table: Table, width: int) -> str:
    from tabulate import tabulate

    columns = BOTH if beyond(table) else COLUMNS
    shape = f"{len(table.cells)} values: {len(table.rows)} sections of {len(table.machines)} machine types"
    lines = [f"{table.key}: {table.title}", f"{shape}; source: {table.source}"]
    lines += [*made(table), *(f"known: {note}" for note in notes(table)[1:] if note not in made(table))]
    heads = [label(column).replace(" ", "\n") for column in columns]
    body = tabulate(means(table, columns), ["mean", *heads], "plain", disable_numparse=True, stralign="right")
    score = f"official score, {over(table)}: {recomputed_means(table).official_score:.2f}"
    told = [textwrap.fill(line, width - 2, subsequent_indent="  ") for line in lines]
    below = textwrap.fill(score, width - 2, subsequent_indent="  ")
    return textwrap.indent("\n".join([*told, "", body, below]), "  ").removeprefix("  ") + "\n"


def means(table: Table, columns: Sequence[Column]) -> list[list[str]]:
    """Name and values of printed and recomputed means; a printed one that the cells do not give is marked."""
    recomputed = recomputed_means(table)
    own = {**recomputed.columns, **{("both", metric): means for metric, means in recomputed.overall.items()}}
    rows = []
    for name, printed, which in (
        ("arithmetic mean", table.printed_means, "arithmetic"),
        ("harmonic mean", table.printed_harmonic, "harmonic"),
    ):
        right: Mapping[Column, float] = {column: getattr(own[column], which) for column in columns}
        if any(column in printed for column in columns):
            rows.append([f"{name}, printed", *(_printed(table, printed.get(c), right[c]) for c in columns)])
        rows.append([f"{name}, recomputed", *(f"{right[column]:.{table.decimals}f}" for column in columns)])
    return rows


def _printed(table: Table, printed: float | None, recomputed: float) -> str:
    if printed is None:
        return NOT_THERE
    # Of a table with elided rows the cells cannot tell.
    wrong = not table.elided and abs(printed - recomputed) > 0.5 * 10**-table.decimals + 1e-9
    return f"{printed:.{table.decimals}f}{OTHER if wrong else ''}"


def notes(table: Table) -> list[str]:
    """Source, what is known of the table, and what its marks mean."""
    found = [f"Source: {table.source}.", table.note, *made(table)]
    if any(value.endswith(OTHER) for row in means(table, COLUMNS) for value in row):
        found.append(LEGEND)
    if table.elided:
        found.append(f"Not printed: {', '.join(table.elided)}; recomputed means are over the cells printed.")
    return found


def made(table: Table) -> list[str]:
    """How many trainings are behind a table, and which epoch was taken."""
    return [f"Trainings: {table.trainings_said}.", f"Epoch: {table.selection}."]


def beyond(table: Table) -> bool:
    """Whether means over both domains were printed."""
    return any(column in table.printed_means for column in BOTH)


def over(table: Table) -> str:
    """How its official score was made."""
    return f"recomputed as the harmonic mean of the {len(table.cells)} AUC and pAUC printed"
