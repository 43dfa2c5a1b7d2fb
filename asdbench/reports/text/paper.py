"""A results folder's tables as LaTeX, for a paper: the systems side by side, then a table a system.

A number that is no result says so in the caption's first words. Values are percent with two decimals, as in the
report's own tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from asdbench.judging.reproductions import Reproductions
from asdbench.metrics.challenge import Column
from asdbench.reports.content.footnotes import NO_RESULT, Letters, loud
from asdbench.reports.content.intervals import intervals_over
from asdbench.reports.content.reproduction import LEGEND, LIMITS, rows
from asdbench.reports.content.system_table import Row, SystemTable, best, by_dataset, shared_notes
from asdbench.reports.content.wording import (
    BOLD,
    COLLAPSED,
    NOTHING,
    ODD,
    PARTS,
    clips_of,
    metric_groups,
    official_mean,
    percent,
    span,
    unit,
)
from asdbench.reports.text import latex


def render(tables: Sequence[SystemTable]) -> str:
    """The tables as a LaTeX file (see :mod:`asdbench.reports.text.latex`)."""
    parts = []
    for own in by_dataset(tables):
        shared = shared_notes(own)
        parts += [_overview(own, shared)] if len(own) > 1 else []
        for table in own:
            parts.append(_system(table, shared))
            parts += _reproduction(table, table.reproductions) if table.reproductions is not None else []
    return latex.document(parts)


def _overview(tables: Sequence[SystemTable], shared: Sequence[str]) -> str:
    definition = tables[0].definition
    columns = definition.columns()
    beside = any(table.has_published for table in tables)
    highest = best(tables)
    letters = Letters(warning for table in tables for warning in table.warnings)
    rows = []
    for table in tables:
        name = table.system + PARTS[table.part] + letters(table.warnings)
        means = [table.ours[column].arithmetic if column in table.ours else None for column in columns]
        score = percent(table.score)
        score = latex.Bold(score) if table in highest else score
        row = [name, score, span(table.score_bounds), *map(percent, means), table.counted]
        rows.append([*row, percent(table.their_score)] if beside else row)
    groups: list[latex.Group] = [("", ["Score", "95 % interval"]), *metric_groups(columns), ("", ["Cells"])]
    groups += [("Published", ["Score"])] if beside else []
    caption = (
        f"Systems on {tables[0].dataset}. Percent. Score: official score, the {official_mean(definition)}; AUC and"
        f" pAUC: arithmetic means.{clips_of(definition)}{f' {BOLD}' * bool(highest)}"
    )
    notes = [*letters.key(), *filter(None, [intervals_over((table.interval_of, table.system) for table in tables)])]
    notes += [f"Of all these systems' tables: {_paragraph(shared)}"] if shared else []
    return latex.table(caption, ["System"], groups, rows, notes)


def _system(table: SystemTable, shared: Sequence[str]) -> str:
    columns = table.definition.columns()
    groups: list[latex.Group] = [*metric_groups(columns)]
    if table.has_published:
        groups += [(f"{title}, publ." if title else "", heads) for title, heads in groups]
    rows: list[Sequence[str] | None] = []
    machine = None
    for row in table.rows:
        name = "" if row.machine == machine else row.machine + COLLAPSED * row.collapsed
        rows.append([name, row.section + ODD * row.mark, *_values(columns, row, table.has_published)])
        machine = row.machine
    rows.append(None)
    rows += [[row.machine, "", *_values(columns, row, table.has_published)] for row in table.mean_rows]
    return latex.table(_caption(table), ["Machine", unit(table.definition)], groups, rows, _notes(table, shared))


def _values(columns: Sequence[Column], row: Row, published: bool) -> list[str]:
    blocks = (row.ours, row.published) if published else (row.ours,)
    return [percent(block.get(column)) for block in blocks for column in columns]


def _caption(table: SystemTable) -> str:
    said = [f"{loud(warning)}." for warning in table.warnings]
    if NO_RESULT & set(table.stamps):
        said.append(NOTHING)
    score = f"Official score: {percent(table.score)}"
    if table.score_bounds is not None:
        score += f" (95 % interval {table.score_interval})"
    if table.their_score is not None:
        score += f"; published, over the same cells: {percent(table.their_score)}"
    return " ".join([*said, f"{table.title} ({table.system}) on {table.dataset}{PARTS[table.part]}. Percent. {score}."])


def _notes(table: SystemTable, shared: Sequence[str]) -> list[str]:
    """The table's own notes."""
    verdict = [f"Against the published values: {table.verdict}"] if table.verdict else []
    own = [*verdict, *(note for note in table.notes if note not in shared)]
    return [_paragraph(own)] if own else []


def _reproduction(table: SystemTable, found: Reproductions) -> list[str]:
    """Which published values are reproduced, a machine a row."""
    # No marks: LaTeX's usual letters have none.
    body = [[*row[:6], *(value.split(" ")[0] for value in row[6:])] for row in rows(found)]
    caption = f"{table.title} ({table.system}) on {table.dataset}, beside {found.table.title}. Percent."
    heads = ["score", "published", "difference", "one more training", "verdict", "AUC", "pAUC"]
    groups = [("Official score", heads[:5]), ("Mean, difference", heads[5:])]
    said = f"One more training: where it would lie in 95 of 100 cases. {LIMITS[0].upper()}{LIMITS[1:]}"
    return [latex.table(caption, ["Machine"], groups, body, [said], left="l")] if body else []


def _paragraph(notes: Sequence[str]) -> str:
    """Notes in one paragraph, without markup; what speaks of marks that are not here is left out."""
    plain = (note.replace("**", "").replace("`", "") for note in notes if note != LEGEND)
    return " ".join(note if note.endswith(".") else f"{note}." for note in plain)
