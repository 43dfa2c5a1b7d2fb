"""A set of verdicts as Markdown: every value of ours beside the published one, the verdict in words."""

from __future__ import annotations

from collections.abc import Sequence

from asdbench.judging.verdicts import Compared, summary
from asdbench.published import Table
from asdbench.reports.content.wording import NAMES, NOT_THERE, percent, span
from asdbench.reports.text.markdown import text


def render(table: Table, values: Sequence[Compared], odd: Sequence[str] = ()) -> str:
    """The part of a report that sets values against a published table; ends in a line break.

    Parameters
    ----------
    table : Table
    values : sequence of Compared
    odd : sequence of str
        Cells of other clips than the published ones.
    """
    from tabulate import tabulate

    head = ["Machine", "Section", "Domain", "Metric", "Ours", "95 % interval", "Published", "Difference", "Verdict"]
    rows = []
    before = None
    for value in values:
        cell = value.cell
        rows.append(
            [
                text(cell.machine) if cell.machine != before else "",
                text(cell.section),
                text(cell.domain),
                NAMES[value.metric],
                percent(value.ours),
                span(value.bounds),
                NOT_THERE if value.published is None else f"{value.published:.{table.decimals}f}",
                NOT_THERE if value.difference is None else f"{value.difference:+.2f}",
                value.verdict,
            ]
        )
        before = cell.machine
    aligned = [*["left"] * 4, *["right"] * 4, "left"]
    body = tabulate(rows, head, tablefmt="pipe", disable_numparse=True, colalign=aligned)
    notes = [
        f"Published: {text(table.title)} ({text(table.source)}). {text(table.note)}",
        "Intervals: bootstrap over our clips, within class. They do not say how far another training would differ.",
    ]
    if odd:
        notes.append(f"Other clips than the published cell: {text(', '.join(odd))}.")
    return (
        "\n\n".join(
            [
                f"## Against {text(table.title)} (`{table.key}`)",
                f"**{summary(values, odd)}**",
                body,
                "\n".join(f"- {note}" for note in notes),
            ]
        )
        + "\n"
    )
