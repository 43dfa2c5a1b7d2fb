"""A scored folder of challenge files beside a published table: the same verdicts as for a run.

The published tables are of the development set of DCASE 2021 Task 2. Other years and evaluation sets are refused;
whether a cell holds that set's clips is said, not required.
"""

from __future__ import annotations

from asdbench.errors import UsageError
from asdbench.judging.verdicts import Compared, compare
from asdbench.metrics.intervals import Interval
from asdbench.published import Metric, Table, official_counts
from asdbench.results.intervals import group_intervals
from asdbench.submissions.scoring import Scored

RANKING: tuple[Metric, ...] = ("auc", "pauc")
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


def against(scored: Scored, table: Table) -> tuple[Compared, ...]:
    """Each AUC and pAUC of a development set of 2021 beside a published table.

    Parameters
    ----------
    scored : Scored
    table : Table

    Returns
    -------
    tuple of Compared
        By machine, section, domain, metric; percent.

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
    values = []
    for group in sorted(scored.groups, key=lambda group: group.file):
        found = group_intervals(scored.year.definition, group)
        for metric in RANKING:
            own = found[group.file.domain, metric]
            values.append(compare(group.file, metric, 100 * own.estimate, _bounds(own), table))
    return tuple(values)


def _bounds(found: Interval) -> tuple[float, float]:
    return 100 * found.low, 100 * found.high


def other_clips(scored: Scored, table: Table) -> tuple[str, ...]:
    """The published cells whose clip counts here are not those of DCASE 2021."""
    counts = official_counts()
    odd = []
    for group in scored.groups:
        place = group.file.machine, group.file.section, group.file.domain
        anomalies = int(group.labels.sum())
        here = (len(group.labels) - anomalies, anomalies)
        official = (counts.get((*place, "test", "normal"), 0), counts.get((*place, "test", "anomaly"), 0))
        if here != official and any((*place, metric) in table.cells for metric in RANKING):
            odd.append(str(group.file))
    return tuple(odd)
