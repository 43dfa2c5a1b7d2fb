"""Tables as one long tidy table: a line a system, cell and metric. For spreadsheets and further analysis."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from asdbench.reports.tables import SystemTable

FIELDS = (
    "dataset",
    "system",
    "part",
    "stamps",
    "collapsed",
    "machine",
    "section",
    "domain",
    "metric",
    "percent",
    "published",
    "verdict",
)


def frame(tables: Sequence[SystemTable]) -> pd.DataFrame:
    """The values of all tables.

    Returns
    -------
    DataFrame
        Columns :data:`FIELDS`; ``collapsed`` is ``yes`` where a component of
        the machine's model is constant; ``domain`` is empty where a value is the section's or id's; ``percent`` and
        ``published`` in percent, missing where there is none; ``verdict`` as in :mod:`asdbench.verdicts`, empty where
        there is nothing to compare.
    """
    rows = [
        (
            table.dataset,
            table.system,
            table.part,
            "; ".join(table.stamps),
            "yes" if row.collapsed else "",
            row.machine,
            row.section,
            domain,
            metric,
            _rounded(row.ours.get((domain, metric))),
            row.published.get((domain, metric)),
            row.verdicts.get((domain, metric), ""),
        )
        for table in tables
        for row in table.rows
        for domain, metric in table.definition.columns()
        if (domain, metric) in {*row.ours, *row.published, *row.missing}
    ]
    return pd.DataFrame(rows, columns=list(FIELDS)).astype({"percent": "float64", "published": "float64"})


def _rounded(percent: float | None) -> float | None:
    return None if percent is None else round(percent, 10)  # what the sums' order leaves behind


def render(tables: Sequence[SystemTable]) -> str:
    """The tidy table as CSV."""
    return str(frame(tables).to_csv(index=False, lineterminator="\n"))
