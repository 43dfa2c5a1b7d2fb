"""The published tables as text: all of them in short, or one with its cells."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from asdbench.published import Column, Recomputed, Table, recomputed_means
from asdbench.reports.markdown import NOT_THERE, text

COLUMNS: tuple[Column, ...] = (("source", "auc"), ("target", "auc"), ("source", "pauc"), ("target", "pauc"))
BOTH: tuple[Column, ...] = (("both", "auc"), ("both", "pauc"))
NAMES = {"auc": "AUC", "pauc": "pAUC"}
OTHER = " ≠"
LEGEND = "≠ not what the printed cells give."


def overview(tables: Sequence[Table]) -> str:
    """Each table's key, title, source, notes and means, printed beside recomputed; plain text."""
    return "\n".join(_short(table) for table in tables)


def render(table: Table) -> str:
    """One table as Markdown, ending in a line break."""
    from tabulate import tabulate

    recomputed = recomputed_means(table)
    rows: list[list[str]] = []
    before = None
    for machine, section in table.rows:
        values = [table.cells.get((machine, section, *column)) for column in COLUMNS]
        rows.append(
            [
                text(machine) if machine != before else "",
                text(section),
                *(NOT_THERE if value is None else f"{value:.{table.decimals}f}" for value in values),
            ]
        )
        before = machine
    means = _means(table, recomputed, COLUMNS)
    rows += [[f"**{name}**", "", *values] for name, values in means]
    head = ["Machine", "Section", *map(_label, COLUMNS)]
    body = tabulate(rows, head, "pipe", disable_numparse=True, colalign=["left"] * 2 + ["right"] * len(COLUMNS))
    parts = [f"# {text(table.title)} (`{table.key}`)", body]
    if _beyond(table):
        over = tabulate(
            _rows(_means(table, recomputed, BOTH)),
            ["Over both domains", *map(_label, BOTH)],
            "pipe",
            disable_numparse=True,
            colalign=["left", "right", "right"],
        )
        parts.append(over)
    parts.append(f"**Official score: {recomputed.official_score:.2f}** · {_over(table)}")
    parts.append("\n".join(f"- {text(note)}" for note in _notes(table, [value for _, row in means for value in row])))
    return "\n\n".join(parts) + "\n"


def _short(table: Table) -> str:
    from tabulate import tabulate

    recomputed = recomputed_means(table)
    columns = BOTH if _beyond(table) else COLUMNS
    means = _means(table, recomputed, columns)
    shape = f"{len(table.cells)} values: {len(table.rows)} sections of {len(table.machines)} machine types"
    lines = [f"{table.key}: {table.title}", f"{shape}; source: {table.source}"]
    lines += [f"known: {note}" for note in _notes(table, [value for _, row in means for value in row])[1:]]
    body = tabulate(_rows(means), ["mean", *map(_label, columns)], "plain", disable_numparse=True, stralign="right")
    score = f"official score, {_over(table)}: {recomputed.official_score:.2f}"
    wrapped = [lines[0], *(textwrap.fill(line, 116, subsequent_indent="  ") for line in lines[1:])]
    return textwrap.indent("\n".join([*wrapped, "", body, score]), "  ").removeprefix("  ") + "\n"


def _means(table: Table, recomputed: Recomputed, columns: Sequence[Column]) -> list[tuple[str, list[str]]]:
    """Printed and recomputed means; a printed one that the cells do not give is marked."""
    own = {**recomputed.columns, **{("both", metric): means for metric, means in recomputed.overall.items()}}
    rows = []
    for name, printed, which in (
        ("arithmetic mean", table.printed_means, "arithmetic"),
        ("harmonic mean", table.printed_harmonic, "harmonic"),
    ):
        right: Mapping[Column, float] = {column: getattr(own[column], which) for column in columns}
        if any(column in printed for column in columns):
            rows.append((f"{name}, printed", [_printed(table, printed.get(c), right[c]) for c in columns]))
        label = f"{name}, recomputed{' over the cells printed' if table.elided else ''}"
        rows.append((label, [f"{right[column]:.{table.decimals}f}" for column in columns]))
    return rows


def _printed(table: Table, printed: float | None, recomputed: float) -> str:
    if printed is None:
        return NOT_THERE
    # Of a table with elided rows the cells cannot tell.
    wrong = not table.elided and abs(printed - recomputed) > 0.5 * 10**-table.decimals + 1e-9
    return f"{printed:.{table.decimals}f}{OTHER if wrong else ''}"


def _notes(table: Table, means: Sequence[str]) -> list[str]:
    notes = [f"Source: {table.source}.", table.note]
    if any(value.endswith(OTHER) for value in means):
        notes.append(LEGEND)
    if table.elided:
        notes.append(f"Not printed: {', '.join(table.elided)}.")
    return notes


def _beyond(table: Table) -> bool:
    """Whether means over both domains were printed."""
    return any(column in table.printed_means for column in BOTH)


def _over(table: Table) -> str:
    return f"recomputed as the harmonic mean of the {len(table.cells)} AUC and pAUC printed"


def _rows(means: Sequence[tuple[str, list[str]]]) -> list[list[str]]:
    return [[name, *values] for name, values in means]


def _label(column: Column) -> str:
    domain, metric = column
    return f"{NAMES[metric]} {domain}"
