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
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from asdbench.api import DOMAINS
from asdbench.metrics.aggregate import METRICS, RANKING, Metric
from asdbench.metrics.challenge import Column, summarise
from asdbench.reports.markdown import NOT_THERE, clips_of, official_mean, text, unit
from asdbench.submissions.scoring import Scored

NAMES: Mapping[Metric, str] = {
    "auc": "AUC",
    "pauc": "pAUC",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
}
FIELDS = ("kind", "machine", "section", "domain", *METRICS, "n_normal", "n_anomaly", "official_score")
MEANS = ("arithmetic", "harmonic")


def render(scored: Scored, form: str) -> str:
    """The metrics of a submission as text that ends in a line break.

    Parameters
    ----------
    scored : Scored
    form : {"markdown", "csv", "json", "latex"}
    """
    forms: Mapping[str, Callable[[Scored], str]] = {"markdown": _markdown, "csv": _csv, "json": _json, "latex": _latex}
    return forms[form](scored)


def _json(scored: Scored) -> str:
    means = scored.summary.means
    return (
        json.dumps(
            {
                "cells": [
                    {
                        "machine": cell.machine,
                        "section": cell.section,
                        "domain": cell.domain or None,
                        **{metric: cell.value(metric) for metric in METRICS},
                        "n_normal": cell.n_normal,
                        "n_anomaly": cell.n_anomaly,
                    }
                    for cell in scored.cells
                ],
                "means": {metric: {name: getattr(means[metric], name) for name in MEANS} for metric in RANKING},
                "official_score": scored.summary.official_score,
            },
            indent=1,
            ensure_ascii=False,
            allow_nan=False,
        )
        + "\n"
    )


def _csv(scored: Scored) -> str:
    """A row a cell, then the means by machine type and over all (machine empty), then the official score."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, restval="", lineterminator="\n")
    writer.writeheader()
    for cell in scored.cells:
        writer.writerow(
            {
                "kind": "cell",
                "machine": cell.machine,
                "section": cell.section,
                "domain": cell.domain,
                **{metric: cell.value(metric) for metric in METRICS},
                "n_normal": cell.n_normal,
                "n_anomaly": cell.n_anomaly,
            }
        )
    for machine, domain, name, values in _all_means(scored):
        row: dict[str, Any] = {"kind": f"{name} mean", "machine": machine, "domain": domain}
        writer.writerow(row | dict(values))
    writer.writerow({"kind": "official score", "official_score": scored.summary.official_score})
    return out.getvalue()


def _all_means(scored: Scored) -> Iterable[tuple[str, str, str, Mapping[Metric, float]]]:
    """Machine ("" for all), domain ("" for both), name of the mean, values."""
    names = MEANS if scored.year.definition.official == "harmonic" else MEANS[:1]
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
    head, rows = _cells(scored)
    parts += [_pipe(head, rows, 2), "## Means", _pipe(*_means(scored), 2)]
    notes = [f"- {text(note)}" for note in _notes(scored)]
    notes += [f"- Not scored, or not completely: {text(problem)}" for problem in scored.left_out]
    return "\n\n".join([*parts, "\n".join(notes)]) + "\n"


def _pipe(head: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> str:
    from tabulate import tabulate

    align = [*["left"] * names, *["right"] * (len(head) - names)]
    escaped = [[text(value) if place < names else value for place, value in enumerate(row)] for row in rows]
    return tabulate(escaped, head, tablefmt="pipe", disable_numparse=True, colalign=align)


def _latex(scored: Scored) -> str:
    from tabulate import tabulate

    notes = [f"Official score: {_percent(scored.summary.official_score)}.", *_notes(scored)]
    notes += [f"Not scored, or not completely: {problem}." for problem in scored.left_out]
    if scored.left_out:
        notes.insert(0, "PARTIAL: no official score.")
    parts = [r"% needs \usepackage{booktabs}"]
    for title, (head, rows) in (("", _cells(scored)), (": means", _means(scored))):
        align = [*["left"] * 2, *["right"] * (len(head) - 2)]
        shown = [[value.replace(NOT_THERE, "--") for value in row] for row in rows]
        body = tabulate(shown, head, tablefmt="latex_booktabs", disable_numparse=True, colalign=align)
        caption = latex_text(" ".join([f"{_title(scored)}{title}.", *(notes if not title else [])]))
        parts.append(
            "\n".join([r"\begin{table}", r"\centering", rf"\caption{{{caption}}}", r"\small", body, r"\end{table}"])
        )
    return "\n\n".join(parts) + "\n"


def latex_text(value: str) -> str:
    """Text for LaTeX: special characters escaped, control characters shown as spaces."""
    special = {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "–": "--",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
    plain = re.sub(r"[\x00-\x1f\x7f]+", " ", value)
    return "".join(special.get(character, character) for character in plain)


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


def _cells(scored: Scored) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of sections."""
    definition = scored.year.definition
    columns = definition.columns(METRICS if scored.decided else RANKING)
    names = (" ".join(filter(None, (NAMES[metric], domain))) for domain, metric in columns)
    head = ["Machine", unit(definition), *names]
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
    return head, rows


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


def _percent(value: Any) -> str:
    return NOT_THERE if value is None else f"{100 * value:.2f}"
