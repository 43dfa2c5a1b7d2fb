"""Tables as Markdown: for the terminal, a README or a pull request. Names from data appear as text, never as markup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from asdbench.judging.verdicts import MARKS, Verdict
from asdbench.metrics.aggregate import RANKING, Means
from asdbench.metrics.challenge import Column, Definition
from asdbench.reports.content.footnotes import NO_RESULT, loud
from asdbench.reports.content.system_table import Bounds, SystemTable, best, shared_notes

NOT_THERE = "–"
BOLD = "Bold: the highest official score of those that can be compared (of each part, where there are two)."
COLLAPSED = " ‡"
JUDGED: Mapping[Verdict, str] = {
    "equal to rounding": "equal to rounding",
    "within our interval": "the published one is within our interval",
    "outside": "the published one is outside our interval",
    "no interval": "of which we have no interval",
    "not published": "not published",
}
PARTS = {"dev": "", "eval": ", evaluation sections"}


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
    for dataset, definition in dict.fromkeys((table.dataset, table.definition) for table in tables):
        own = [table for table in tables if (table.dataset, table.definition) == (dataset, definition)]
        parts.append(f"# Results on {text(dataset)}")
        parts.append(
            "Percent. pAUC: up to a false positive rate of 0.1, standardised (chance is 50, as for AUC)."
            f"{clips_of(definition)} Official score: the {official_mean(definition)}."
            " Intervals: what other test clips of the same kind would give (bootstrap over"
            " clips, within class); of other trainings they say nothing."
        )
        shared = shared_notes(own)
        if len(own) > 1:
            parts.append(_overview(own))
        if shared:
            parts.append(f"Of all tables on {text(dataset)}:\n\n{_list(shared)}")
        parts += [_system(table, shared) for table in own]
    return "\n\n".join(parts) + "\n"


def official_mean(definition: Definition) -> str:
    """What a year's official score is, in words."""
    once = ", pAUC once a section" if definition.pauc_of_section else ""
    return f"{definition.official} mean of all AUC and pAUC{once}"


def clips_of(definition: Definition) -> str:
    """Which clips the values are over, where that is not plain: a sentence that begins with a space."""
    if not definition.pauc_of_section:
        return ""
    return " AUC: the domain's normal clips against all anomalies of the section. pAUC: over both domains."


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


def _overview(tables: Sequence[SystemTable]) -> str:
    """Each system in a line: official score with its interval, means over all cells and of each column."""
    from tabulate import tabulate

    columns = tables[0].definition.columns()
    over_all = [column for column in ((("", metric)) for metric in RANKING) if column not in columns]
    head = ["System", "Official score", "95 % interval", *(f"mean {label(c)}" for c in over_all), *map(label, columns)]
    head.append("Cells")
    beside = any(table.has_published for table in tables)
    highest = best(tables)
    lines = []
    for table in tables:
        means = [table.overall.get(metric) for _, metric in over_all]
        means += [_pick(table.ours, "arithmetic").get(column) for column in columns]
        score = _percent(table.score)
        score = f"**{score}**" if any(table is one for one in highest) else score
        name = text(table.system) + PARTS[table.part] + COLLAPSED * any(row.collapsed for row in table.rows)
        line = [name, score, span(table.score_bounds), *map(_percent, means), table.counted]
        lines.append([*line, _percent(table.their_score)] if beside else line)
    head = [*head, "Official score, published"] if beside else head
    stamps = list(dict.fromkeys(stamp for table in tables for stamp in table.stamps))
    said = text(", ".join(map(loud, stamps)))
    above = f"> **{said}.** Each table says which of this is true of it.\n\n" if stamps else ""
    aligned = ["left", *["right"] * (len(head) - 1)]
    body = above + tabulate(lines, head, tablefmt="pipe", disable_numparse=True, colalign=aligned)
    below = [BOLD] if highest else []
    if any(row.collapsed for table in tables for row in table.rows):
        below.append(f"{COLLAPSED.strip()} with collapsed models: its table says which.")
    return "\n\n".join([body, *([" ".join(below)] if below else [])])


def _system(table: SystemTable, shared: Sequence[str]) -> str:
    from tabulate import tabulate

    columns = table.definition.columns()
    head = ["Machine", unit(table.definition), *map(label, columns)]
    if table.has_published:
        head += [f"{label(column)}, published" for column in columns]
        head += [f"{label(column)}, difference" for column in columns]
    lines = []
    machine = None
    for row in table.rows:
        section = f"{text(row.section)} †" if row.mark else text(row.section)
        line = [text(row.machine) + COLLAPSED * row.collapsed if row.machine != machine else "", section]
        machine = row.machine
        lines.append([*line, *_cells(columns, row.ours, row.published, table.has_published, row.verdicts)])
    for pick in means_of(table):
        ours, theirs = _pick(table.ours, pick), _pick(table.theirs, pick)
        judged = table.mean_verdicts(pick)
        lines.append([f"**{pick.capitalize()} mean**", "", *_cells(columns, ours, theirs, table.has_published, judged)])
    body = tabulate(
        lines, head, tablefmt="pipe", disable_numparse=True, colalign=["left", "left", *["right"] * (len(head) - 2)]
    )
    name = _plain(table.system).replace("`", "")
    parts = [f"## {text(table.title)} · `{name}` on {text(table.dataset)}{PARTS[table.part]}"]
    if table.stamps:
        said = text(", ".join(map(loud, table.stamps)))
        beside = " A difference from the published values means nothing." if table.has_published else ""
        meaning = "These numbers are no result." if set(table.stamps) & NO_RESULT else "Mind this when you compare."
        parts.append(f"> **{said}.** {meaning}{beside}")
    against = [f"**Against the published values:** {remark(table.verdict)}"] if table.verdict else []
    own = [note for note in table.notes if note not in shared]
    parts += [body, _score(table), *against, _intervals(table), *([_list(own)] if own else [])]
    return "\n\n".join(parts)


def _list(notes: Sequence[str]) -> str:
    return "\n".join(f"- {remark(note)}" for note in notes)


def label(column: Column) -> str:
    """A column's head."""
    domain, metric = column
    return f"{metric.replace('auc', 'AUC')} {domain}".rstrip()


def unit(definition: Definition) -> str:
    """What a year calls a machine's individual, as a column's head."""
    return "ID" if definition.unit == "id" else "Section"


def means_of(table: SystemTable) -> tuple[str, ...]:
    """The means that the year's evaluator prints."""
    return ("arithmetic",) if table.definition.official == "arithmetic" else ("arithmetic", "harmonic")


def _pick(means: Mapping[Column, Means], which: str) -> dict[Column, float]:
    return {column: value.arithmetic if which == "arithmetic" else value.harmonic for column, value in means.items()}


def _cells(
    columns: Sequence[Column],
    ours: Mapping[Column, float],
    theirs: Mapping[Column, float],
    published: bool,
    verdicts: Mapping[Column, Verdict],
) -> list[str]:
    marks = {column: MARKS[verdict] for column, verdict in verdicts.items()}
    cells = [_percent(ours.get(column)) for column in columns]
    if published:
        cells += [_percent(theirs.get(column)) for column in columns]
        cells += [
            f"{ours[column] - theirs[column]:+.2f}{marks.get(column, '')}"
            if column in ours and column in theirs
            else NOT_THERE
            for column in columns
        ]
    return cells


def _percent(value: float | None) -> str:
    return NOT_THERE if value is None else f"{value:.2f}"


def _score(table: SystemTable) -> str:
    line = f"**Official score: {_percent(table.score)}**" + (f" {table.partial}" if table.partial else "")
    if table.their_score is not None:
        line += f" · {against_published(table)}"
    if table.score is not None:
        line += f" · 95 % interval {span(table.score_bounds)}"
    return line


def against_published(table: SystemTable) -> str:
    """The published official score, the difference, and what it means."""
    said = f"published, over the same cells: {table.their_score:.2f}"
    if table.score is None or table.their_score is None or table.score_verdict is None:
        return said
    return f"{said}, difference {table.score - table.their_score:+.2f}, {JUDGED[table.score_verdict]}"


def _intervals(table: SystemTable) -> str:
    """The 95 % intervals in the shape of the table above them."""
    from tabulate import tabulate

    columns = table.definition.columns()
    lines = [
        [text(row.machine), text(row.section), *(span(row.bounds.get(column)) for column in columns)]
        for row in table.rows
    ]
    for name in means_of(table):
        bounds = table.arithmetic_bounds if name == "arithmetic" else table.harmonic_bounds
        lines.append([f"**{name.capitalize()} mean**", "", *(span(bounds.get(column)) for column in columns)])
    head = ["95 % interval", unit(table.definition), *map(label, columns)]
    aligned = ["left", "left", *["right"] * len(columns)]
    return tabulate(lines, head, tablefmt="pipe", disable_numparse=True, colalign=aligned)


def span(bounds: Bounds | None) -> str:
    """An interval in words; a dash where there is none."""
    return NOT_THERE if bounds is None else f"{bounds[0]:.1f} to {bounds[1]:.1f}"
