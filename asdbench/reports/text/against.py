"""Challenge files beside a published table, as Markdown: machines and means first, then every value."""

from __future__ import annotations

from collections.abc import Sequence

from asdbench.judging.reproductions import Reproductions
from asdbench.reports.content.reproduction import LEGEND, MARKS, summary
from asdbench.reports.text.markdown import reproduction, text

NAMES = {"auc": "AUC", "pauc": "pAUC"}


def render(found: Reproductions, odd: Sequence[str] = ()) -> str:
    """The part of a report that sets values against a published table; ends in a line break.

    Parameters
    ----------
    found : Reproductions
    odd : sequence of str
        Cells of other clips than the published ones.
    """
    from tabulate import tabulate

    table = found.table
    rows = []
    before = None
    for (cell, metric), value in found.cells.items():
        rows.append(
            [
                text(cell.machine) if cell.machine != before else "",
                text(cell.section),
                text(cell.domain),
                NAMES[metric],
                f"{100 * value.ours:.2f}",
                f"{100 * value.published:.{table.decimals}f}",
                f"{100 * value.difference:+.2f}{MARKS[value.outcome]}",
            ]
        )
        before = cell.machine
    head = ["Machine", "Section", "Domain", "Metric", "Ours", "Published", "Difference"]
    aligned = [*["left"] * 4, *["right"] * 3]
    notes = [f"Published: {text(table.title)} ({text(table.source)}). {text(table.note)}", LEGEND]
    if odd:
        notes.append(f"Other clips than the published cell: {text(', '.join(odd))}.")
    parts = [f"## Against {text(table.title)} (`{table.key}`)", f"**{text(summary(found, odd))}.**"]
    if rows:
        parts += reproduction(found)
        parts.append(tabulate(rows, head, tablefmt="pipe", disable_numparse=True, colalign=aligned))
    return "\n\n".join([*parts, "\n".join(f"- {note}" for note in notes)]) + "\n"
