"""Names, numbers and sentences that every format of a report shares: plain text, no markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from asdbench.metrics.aggregate import Metric
from asdbench.metrics.challenge import Column, Definition

Bounds = tuple[float, float]
NOT_THERE = "–"
COLLAPSED = " ‡"
ODD = " †"
BOLD = "Bold: the highest official score of those that can be compared (of each part, where there are two)."
NOTHING = "These numbers are no result."
PARTS: Mapping[str, str] = {"dev": "", "eval": ", evaluation sections"}
NAMES: Mapping[Metric, str] = {
    "auc": "AUC",
    "pauc": "pAUC",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
}


def percent(value: float | None) -> str:
    """A percentage with two decimals; a dash where there is none."""
    return NOT_THERE if value is None else f"{value:.2f}"


def span(bounds: Bounds | None) -> str:
    """An interval in words; a dash where there is none."""
    return NOT_THERE if bounds is None else f"{bounds[0]:.1f} to {bounds[1]:.1f}"


def label(column: Column) -> str:
    """A column's head: ``AUC source``."""
    domain, metric = column
    return f"{NAMES[metric]} {domain}".rstrip()


def metric_groups(columns: Sequence[Column]) -> list[tuple[str, list[str]]]:
    """Columns of one metric under its name, each with its domain; a metric without domains has no name above it."""
    groups = [(NAMES[metric], [domain for domain, _ in own]) for metric, own in groupby(columns, key=lambda c: c[1])]
    return [(name, domains) if any(domains) else ("", [name]) for name, domains in groups]


def unit(definition: Definition) -> str:
    """What a year calls a machine's individual, as a column's head."""
    return "ID" if definition.unit == "id" else "Section"


def means_of(definition: Definition) -> tuple[str, ...]:
    """The means that the year's evaluator prints."""
    return ("arithmetic",) if definition.official == "arithmetic" else ("arithmetic", "harmonic")


def official_mean(definition: Definition) -> str:
    """What a year's official score is."""
    once = ", pAUC once a section" if definition.pauc_of_section else ""
    return f"{definition.official} mean of all AUC and pAUC{once}"


def clips_of(definition: Definition) -> str:
    """Which clips the values are over, where that is not plain: a sentence that begins with a space."""
    if not definition.pauc_of_section:
        return ""
    return " AUC: the domain's normal clips against all anomalies of the section. pAUC: over both domains."
