"""A submission's metrics as text: Markdown, LaTeX, CSV, JSON.

Conventions
-----------
- Markdown and LaTeX: percent with two decimals, sections down, the year's columns across, as in the organizers' tables;
  then the means that their evaluators print: a machine type's, and over all. LaTeX needs the package ``booktabs``.
- CSV and JSON: fractions, to the last digit.
- JSON has the keys ``cells``, ``means`` and ``official_score`` and no others: what is absent is said elsewhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asdbench.api import DOMAINS
from asdbench.metrics.aggregate import METRICS, RANKING, Metric
from asdbench.metrics.challenge import Column, summarise
from asdbench.reports.content.wording import (
    NAMES,
    clips_of,
    label,
    means_of,
    metric_groups,
    official_mean,
    percent,
    unit,
)
from asdbench.reports.text import latex
from asdbench.reports.text.json_records import cell_record, dumps, metrics
from asdbench.reports.text.markdown import pipe, text
from asdbench.submissions.scoring import Scored

FIELDS = ("kind", "machine", "section", "domain", *METRICS, "n_normal", "n_anomaly", "official_score")


def render(scored: Scored, form: str) -> str:
    """The metrics of a submission as text that ends in a line break.

    Parameters
    ----------
    scored : Scored
    form : {"markdown", "csv", "json", "latex"}
    """
    return {"markdown": _markdown, "csv": _csv, "json": _json, "latex": _latex}[form](scored)


def _json(scored: Scored) -> str:
    return dumps(metrics(scored.cells, scored.summary))


def _csv(scored: Scored) -> str:
    """A row a cell, then the means by machine type and over all (machine empty), then the official score."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, restval="", lineterminator="\n")
    writer.writeheader()
    for cell in scored.cells:
        writer.writerow({"kind": "cell", **cell_record(cell)})
    for machine, domain, name, values in _all_means(scored):
        row: dict[str, Any] = {"kind": f"{name} mean", "machine": machine, "domain": domain}
        writer.writerow(row | dict(values))
    writer.writerow({"kind": "official score", "official_score": scored.summary.official_score})
    return out.getvalue()


def _all_means(scored: Scored) -> Iterable[tuple[str, str, str, Mapping[Metric, float]]]:
    """Machine ("" for all), domain ("" for both), name of the mean, values."""
    names = means_of(scored.year.definition)
    domains = ("", *DOMAINS) if scored.year.definition.domains != "nothing" else ("",)
    for machine in (*scored.machines, ""):
        for domain in domains:
            cells = [c for c in scored.cells if machine in ("", c.machine) and domain in ("", c.domain)]
            if cells:
                means = summarise(scored.year.definition, cells).means
                for name in names:
                    yield machine, domain, name, {metric: getattr(mean, name) for metric, mean in means.items()}


def _markdown(scored: Scored) -> str:
    parts = [f"# {text(_title(scored))}"]
    if scored.left_out:
        parts.append("> **PARTIAL.** Not everything is there: this is no official score.")
    parts.append(
        f"**Official score: {_percent(scored.summary.official_score)}** · {official_mean(scored.year.definition)}"
    )
    columns = _columns(scored)
    head = ["Machine", unit(scored.year.definition), *map(label, columns)]
    parts += [_pipe(head, _cells(scored, columns)), "## Means", _pipe(*_means(scored))]
    notes = [f"- {text(note)}" for note in _notes(scored)]
    notes += [f"- Not scored, or not completely: {text(problem)}" for problem in scored.left_out]
    return "\n\n".join([*parts, "\n".join(notes)]) + "\n"


def _pipe(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return pipe(head, [[text(first), text(second), *numbers] for first, second, *numbers in rows], 2)


def _latex(scored: Scored) -> str:
    """AUC and pAUC of each section above their means, as papers print them; decisions likewise; machines' means."""
    score = f"Official score: {_percent(scored.summary.official_score)}."
    if scored.left_out:
        score = f"PARTIAL, this is no official score: {_percent(scored.summary.official_score)}."
    notes = [*_notes(scored), *(f"Not scored, or not completely: {problem}." for problem in scored.left_out)]
    columns = _columns(scored)
    parts = []
    for caption, wanted in (
        (" ".join(["AUC and pAUC.", score, *notes]), RANKING),
        ("Decisions. Percent.", [metric for metric in METRICS if metric not in RANKING]),
    ):
        own = [column for column in columns if column[1] in wanted]
        if own:
            body = [*_cells(scored, own), None, *_column_means(scored, own)]
            first = ("Machine", unit(scored.year.definition))
            parts.append(latex.table(f"{_title(scored)}. {caption}", first, metric_groups(own), body))
    head, rows = _means(scored)
    parts.append(latex.table(f"{_title(scored)}. Means. Percent.", head[:2], [("", head[2:])], rows))
    return latex.document(parts)


def _column_means(scored: Scored, columns: Sequence[Column]) -> list[list[str]]:
    """The last lines of a table of sections: each column's means over its rows."""
    means: dict[tuple[str, str], Mapping[Metric, float]] = {
        (name, domain): values for machine, domain, name, values in _all_means(scored) if not machine
    }
    return [
        [f"{name.capitalize()} mean", "", *(_percent(means[name, domain].get(metric)) for domain, metric in columns)]
        for name in means_of(scored.year.definition)
    ]


def _title(scored: Scored) -> str:
    assumed = f" ({scored.year.assumed})" if scored.year.assumed else ""
    return f"DCASE {scored.year.year} Task 2, {scored.part} set{assumed}"


def _notes(scored: Scored) -> list[str]:
    definition = scored.year.definition
    notes = ["Percent. pAUC: up to a false positive rate of 0.1, standardised (chance is 50, as for AUC)."]
    notes += [clips_of(definition).strip()] if definition.pauc_of_section else []
    notes += [f"Labels: {scored.origin}.", *scored.remarks]
    if not scored.decided and definition.decisions:
        notes.append("No decision files: no precision, recall and F1.")
    if scored.absent:
        notes.append(f"Machine types that are not there: {', '.join(scored.absent)}.")
    return notes


def _columns(scored: Scored) -> Sequence[Column]:
    return scored.year.definition.columns(METRICS if scored.decided else RANKING)


def _cells(scored: Scored, columns: Sequence[Column]) -> list[list[str]]:
    """Rows of the table of sections."""
    definition = scored.year.definition
    sections: dict[tuple[str, str], dict[Column, float | None]] = {}
    for cell in scored.cells:
        own = sections.setdefault((cell.machine, cell.section), {})
        own |= {definition.column(cell.domain, metric): cell.value(metric) for metric in METRICS}
    rows: list[list[str]] = []
    before = None
    for (machine, section), values in sections.items():
        shown = [_percent(values.get(column)) for column in columns]
        rows.append(["" if machine == before else machine, section, *shown])
        before = machine
    return rows


def _means(scored: Scored) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of means."""
    metrics = [metric for metric in METRICS if metric in RANKING or scored.decided]
    head = ["Machine", "Mean", *(NAMES[metric] for metric in metrics)]
    rows: list[list[str]] = []
    before = None
    for machine, domain, name, values in _all_means(scored):
        if domain and name == "arithmetic":
            continue  # the evaluators print a domain's harmonic mean only
        label = f"{name}, {domain}" if domain else name
        shown = machine or "all"
        rows.append(["" if shown == before else shown, label, *(_percent(values.get(metric)) for metric in metrics)])
        before = shown
    return head, rows


def _percent(value: float | None) -> str:
    return percent(None if value is None else 100 * value)
