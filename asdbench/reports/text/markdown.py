"""Tables as Markdown: for the terminal, a README or a pull request. Names from data appear as text, never as markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from asdbench.judging.reproductions import Reproductions
from asdbench.metrics.aggregate import RANKING
from asdbench.metrics.challenge import Column
from asdbench.reports.content.footnotes import NO_RESULT, loud
from asdbench.reports.content.intervals import intervals_over
from asdbench.reports.content.reproduction import HEADS, MARKS, rows
from asdbench.reports.content.system_table import Row, SystemTable, best, by_dataset, shared_notes
from asdbench.reports.content.wording import (
    BOLD,
    COLLAPSED,
    NOT_THERE,
    NOTHING,
    ODD,
    PARTS,
    clips_of,
    label,
    official_mean,
    percent,
    span,
    unit,
)


def render(tables: Sequence[SystemTable]) -> str:
    """All tables, one after the other.

    Parameters
    ----------
    tables : sequence of SystemTable

    Returns
    -------
    str
        Markdown; ends in a line break.
    """
    parts = []
    for own in by_dataset(tables):
        dataset, definition = own[0].dataset, own[0].definition
        parts.append(f"# Results on {text(dataset)}")
        parts.append(
            "Percent. pAUC: up to a false positive rate of 0.1, standardised (chance is 50, as for AUC)."
            f"{clips_of(definition)} Official score: the {official_mean(definition)}."
            f" {intervals_over((table.interval_of, table.system) for table in own)}".rstrip()
        )
        shared = shared_notes(own)
        if len(own) > 1:
            parts.append(_overview(own))
        if shared:
            parts.append(f"Of all tables on {text(dataset)}:\n\n{_list(shared)}")
        parts += [_system(table, shared) for table in own]
    return "\n\n".join(parts) + "\n"


def text(value: object) -> str:
    """A name from data as Markdown text: markup escaped, line breaks and control characters shown as spaces."""
    return re.sub(r"([\\`*{}\[\]<>|#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))", r"\\\1", _plain(value))


def _plain(value: object) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", str(value))


def remark(note: str) -> str:
    """A note as Markdown: its ``**loud**`` and code marks stay, all else is text."""
    parts = re.split(r"(\*\*.+?\*\*|`[^`]+`)", note, flags=re.DOTALL)
    for number, part in enumerate(parts):
        if number % 2 == 0:
            parts[number] = text(part)
        elif part.startswith("**"):
            parts[number] = f"**{text(part[2:-2])}**"
        else:
            parts[number] = _plain(part)
    return "".join(parts)


def pipe(head: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> str:
    """A Markdown table, its first columns (names) to the left and all others (numbers) to the right."""
    from tabulate import tabulate

    aligned = [*["left"] * names, *["right"] * (len(head) - names)]
    return tabulate(rows, head, tablefmt="pipe", disable_numparse=True, colalign=aligned)


def _overview(tables: Sequence[SystemTable]) -> str:
    """Each system in a line: official score with its interval, means over all cells and of each column."""
    columns = tables[0].definition.columns()
    over_all = [column for column in ((("", metric)) for metric in RANKING) if column not in columns]
    head = ["System", "Official score", "95 % interval", *(f"mean {label(c)}" for c in over_all), *map(label, columns)]
    head.append("Cells")
    beside = any(table.has_published for table in tables)
    highest = best(tables)
    lines = []
    for table in tables:
        means = [table.overall.get(metric) for _, metric in over_all]
        means += [table.ours[column].arithmetic if column in table.ours else None for column in columns]
        score = percent(table.score)
        score = f"**{score}**" if table in highest else score
        name = text(table.system) + PARTS[table.part] + COLLAPSED * any(row.collapsed for row in table.rows)
        line = [name, score, span(table.score_bounds), *map(percent, means), table.counted]
        lines.append([*line, percent(table.their_score)] if beside else line)
    head = [*head, "Official score, published"] if beside else head
    stamps = list(dict.fromkeys(stamp for table in tables for stamp in table.stamps))
    said = text(", ".join(map(loud, stamps)))
    above = f"> **{said}.** Each table says which of this is true of it.\n\n" if stamps else ""
    body = above + pipe(head, lines, 1)
    below = [BOLD] if highest else []
    if any(row.collapsed for table in tables for row in table.rows):
        below.append(f"{COLLAPSED.strip()} with collapsed models: its table says which.")
    return "\n\n".join([body, *([" ".join(below)] if below else [])])


def _system(table: SystemTable, shared: Sequence[str]) -> str:
    columns = table.definition.columns()
    head = ["Machine", unit(table.definition), *map(label, columns)]
    if table.has_published:
        head += [f"{label(column)}, published" for column in columns]
        head += [f"{label(column)}, difference" for column in columns]
    lines = []
    machine = None
    for row in table.rows:
        name = text(row.machine) + COLLAPSED * row.collapsed if row.machine != machine else ""
        machine = row.machine
        lines.append([name, text(row.section) + ODD * row.mark, *_cells(columns, row, table.has_published)])
    lines += [[f"**{row.machine}**", "", *_cells(columns, row, table.has_published)] for row in table.mean_rows]
    body = pipe(head, lines, 2)
    name = _plain(table.system).replace("`", "")
    parts = [f"## {text(table.title)} · `{name}` on {text(table.dataset)}{PARTS[table.part]}"]
    if table.stamps:
        said = text(", ".join(map(loud, table.stamps)))
        beside = " A difference from the published values means nothing." if table.has_published else ""
        meaning = NOTHING if set(table.stamps) & NO_RESULT else "Mind this when you compare."
        parts.append(f"> **{said}.** {meaning}{beside}")
    against = [f"**Against the published values:** {remark(table.verdict)}."] if table.verdict else []
    against += reproduction(table.reproductions) if table.reproductions is not None else []
    own = [note for note in table.notes if note not in shared]
    parts += [body, _score(table), *against, _intervals(table), *([_list(own)] if own else [])]
    return "\n\n".join(parts)


def _list(notes: Sequence[str]) -> str:
    return "\n".join(f"- {remark(note)}" for note in notes)


def _cells(columns: Sequence[Column], row: Row, published: bool) -> list[str]:
    cells = [percent(row.ours.get(column)) for column in columns]
    if published:
        cells += [percent(row.published.get(column)) for column in columns]
        cells += [_difference(column, row) for column in columns]
    return cells


def _difference(column: Column, row: Row) -> str:
    if column not in row.ours or column not in row.published:
        return NOT_THERE
    mark = MARKS[row.verdicts[column]] if column in row.verdicts else ""
    return f"{row.ours[column] - row.published[column]:+.2f}{mark}"


def _score(table: SystemTable) -> str:
    line = f"**Official score: {percent(table.score)}**" + (f" {table.partial}" if table.partial else "")
    if table.their_score is not None:
        line += f" · {against_published(table)}"
    if table.score is not None:
        line += f" · 95 % interval {table.score_interval or NOT_THERE}"
    return line


def against_published(table: SystemTable) -> str:
    """The published official score, the difference, and what it means."""
    said = f"published, over the same cells: {table.their_score:.2f}"
    found = table.beside("official")
    if table.score is None or table.their_score is None or found is None:
        return said
    return f"{said}, difference {table.score - table.their_score:+.2f}, {found.outcome}"


def reproduction(found: Reproductions) -> list[str]:
    """Each machine, and all, beside the published values: a table, or none where nothing can be told."""
    from tabulate import tabulate

    body = [[text(name), *values] for name, *values in rows(found)]
    aligned = ["left", *["right"] * 4, "left", *["right"] * 2]
    return [tabulate(body, HEADS, tablefmt="pipe", disable_numparse=True, colalign=aligned)] if body else []


def _intervals(table: SystemTable) -> str:
    """The 95 % intervals in the shape of the table above them."""
    columns = table.definition.columns()
    lines = [
        [*names, *(span(row.bounds.get(column)) for column in columns)]
        for names, row in (
            *(((text(row.machine), text(row.section)), row) for row in table.rows),
            *(((f"**{row.machine}**", ""), row) for row in table.mean_rows),
        )
    ]
    return pipe(["95 % interval", unit(table.definition), *map(label, columns)], lines, 2)
