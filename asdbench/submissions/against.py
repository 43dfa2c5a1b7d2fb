"""A scored folder of challenge files beside a published table: the same verdicts as for a run of one training.

The published tables are of the development set of DCASE 2021 Task 2. Other years and evaluation sets are refused;
whether a cell holds that set's clips is said, not required.
"""

from __future__ import annotations

from asdbench.api import Cell
from asdbench.errors import UsageError
from asdbench.judging.reproductions import Reproductions, hold
from asdbench.metrics.aggregate import RANKING, Metric
from asdbench.published import Table, official_counts
from asdbench.submissions.scoring import Scored

YEAR = 2021


def require_comparable(year: int) -> None:
    """Refuse a year of which no table was published.

    Raises
    ------
    UsageError
    """
    if year != YEAR:
        raise UsageError(
            "the published tables are of DCASE 2021", looked=f"--year {year} with --against", hint="leave --against out"
        )


def against(scored: Scored, table: Table, *, deterministic: bool = False) -> Reproductions:
    """The values of a development set of 2021 beside a published table.

    Parameters
    ----------
    scored : Scored
        One set of files: one training.
    table : Table
    deterministic : bool
        Whether another training of the system would give the same scores.

    Raises
    ------
    UsageError
        For another year or an evaluation set.
    """
    require_comparable(scored.year.year)
    if scored.part != "development":
        raise UsageError(
            "the published tables are of the development set",
            looked=f"these files are scored as the {scored.part} set",
            hint="leave --against out",
        )
    values: dict[tuple[Cell, Metric], float] = {}
    for cell in scored.cells:
        for metric in RANKING:
            value = cell.value(metric)
            if value is not None:
                values[cell.cell, metric] = value
    units = {value: value[0].machine for value in values}
    return hold([values], units, table, scored.year.definition, deterministic=deterministic)


def other_clips(scored: Scored, table: Table) -> tuple[str, ...]:
    """The published cells whose clip counts here are not those of DCASE 2021."""
    counts = official_counts()
    odd = []
    for group in scored.groups:
        place = group.file.machine, group.file.section, group.file.domain
        anomalies = int(group.labels.sum())
        here = (len(group.labels) - anomalies, anomalies)
        official = (counts.get((*place, "test", "normal"), 0), counts.get((*place, "test", "anomaly"), 0))
        if here != official and any((*place, metric) in table.cells for metric in ("auc", "pauc")):
            odd.append(str(group.file))
    return tuple(odd)
