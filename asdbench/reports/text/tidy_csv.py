"""Tables as one long tidy table: a line a value. For spreadsheets and further analysis.

Conventions
-----------
- Lines of cells, of their means and of the official score stand in one table: ``statistic`` is ``cell``,
  ``arithmetic mean``, ``harmonic mean`` or, beside published values, ``machine mean``. A mean has no section;
  where it has no domain it is over the cells of both. The official score's metric is ``official_score``, of a machine
  ``machine_score``.
- Several seeds are averaged, as in every other table: ``seeds`` names them. A line a seed: ``--format json``.
- Values, intervals and published values are fractions, as in every machine-readable file; what is not known is empty.
- ``n_cells`` of ``of_cells`` that were asked for have a value: a mean or official score is over these alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from asdbench.api import Cell
from asdbench.judging.reproduced import Reproduction
from asdbench.metrics.aggregate import METRICS, RANKING, Metric
from asdbench.metrics.challenge import Column, against
from asdbench.reports.content.system_table import SystemTable
from asdbench.reports.content.wording import Bounds, means_of
from asdbench.reports.text.json_records import FORMAT, fraction
from asdbench.results.scoring import scored_files

FIELDS = (
    "format",
    "dataset",
    "system",
    "part",
    "stamps",
    "collapsed",
    "machine",
    "section",
    "domain",
    "metric",
    "value",
    "published",
    "verdict",
    "statistic",
    "seeds",
    "sd_over_seeds",
    "low",
    "high",
    "interval_of",
    "n_normal",
    "n_anomaly",
    "n_cells",
    "of_cells",
    "again_low",
    "again_high",
)
_VALUES = ["value", "published", "sd_over_seeds", "low", "high", "again_low", "again_high"]
_COUNTS = ["n_normal", "n_anomaly", "n_cells", "of_cells"]
_DECISIONS = tuple(metric for metric in METRICS if metric not in RANKING)


def frame(tables: Sequence[SystemTable]) -> pd.DataFrame:
    """The values of all tables.

    Returns
    -------
    DataFrame
        Columns :data:`FIELDS`; ``collapsed`` is ``yes`` where a component of the machine's model is constant (of a
        mean: of any machine's); ``domain`` is empty where a value is the section's or id's; ``verdict`` as in
        :mod:`asdbench.judging.reproduced`, empty where nothing is published; ``again_low`` and ``again_high`` bound
        where one more training would lie; ``low`` and ``high`` bound the 95 % interval, and ``interval_of`` says what
        it is over; ``n_normal`` and ``n_anomaly`` are the clips that a cell's value is over; ``sd_over_seeds`` is of
        the official score of several seeds; ``n_cells`` and ``of_cells`` are those of a mean.
    """
    rows = [
        {
            "format": FORMAT,
            "dataset": table.dataset,
            "system": table.system,
            "part": table.part,
            "stamps": "; ".join(table.stamps),
            "collapsed": "yes" if any(row.collapsed for row in table.rows) else "",
            "seeds": "; ".join(str(folder.seed) for folder in table.folders),
            **line,
            "interval_of": "" if line.get("low") is None else table.interval_of,
        }
        for table in tables
        for line in (*_cells(table), *_means(table))
    ]
    made = pd.DataFrame(rows, columns=list(FIELDS))
    words = made.columns.difference([*_VALUES, *_COUNTS])
    made[words] = made[words].fillna("")
    made = made.astype({**dict.fromkeys(_VALUES, "float64"), **dict.fromkeys(_COUNTS, "Int64")})
    made[_VALUES] = made[_VALUES].map(fraction)
    return made


def render(tables: Sequence[SystemTable]) -> str:
    """The tidy table as CSV."""
    return str(frame(tables).to_csv(index=False, lineterminator="\n"))


def _cells(table: SystemTable) -> Iterator[dict[str, Any]]:
    decided, clips = _decided(table), _clips(table)
    held = table.reproductions.cells if table.reproductions is not None else {}
    for row in table.rows:
        place = {
            "statistic": "cell",
            "collapsed": "yes" if row.collapsed else "",
            "machine": row.machine,
            "section": row.section,
        }
        for column in table.definition.columns():
            if column in {*row.ours, *row.published, *row.missing}:
                yield {
                    **place,
                    **_value(*column, row.ours.get(column), row.bounds.get(column)),
                    **clips.get((Cell(row.machine, row.section, column[0]), column[1]), {}),
                    "published": row.published.get(column),
                    **_again(held.get((Cell(row.machine, row.section, column[0]), column[1]))),
                }
        for (cell, metric), value in decided.items():
            if (cell.machine, cell.section) == (row.machine, row.section):
                yield {**place, **_value(cell.domain, metric, value), **clips.get((cell, metric), {})}


def _means(table: SystemTable) -> Iterator[dict[str, Any]]:
    for row, which in zip(table.mean_rows, means_of(table.definition), strict=True):
        held = table.means_beside(which)
        for column, value in row.ours.items():
            yield {
                "statistic": row.machine.lower(),
                **_value(*column, value, row.bounds.get(column)),
                **_over(table, column),
                "published": row.published.get(column),
                **_again(held.get(column)),
            }
    for metric, value in table.overall.items():
        if ("", metric) not in table.ours:
            yield {
                "statistic": "arithmetic mean",
                **_value("", metric, value, table.overall_bounds.get(metric)),
                **_over(table, *(column for column in table.definition.columns() if column[1] == metric)),
                "published": table.their_overall.get(metric),
                **_again(table.beside(metric)),
            }
    scores = [score for score in table.seed_scores if score is not None]
    yield {
        "statistic": f"{table.definition.official} mean",
        **_value("", "official_score", table.score, table.score_bounds),
        "n_cells": table.cells,
        "of_cells": table.asked,
        "published": table.their_score,
        **_again(table.beside("official")),
        "sd_over_seeds": statistics.stdev(scores) if len(scores) > 1 else None,
    }
    for machine, of in table.reproductions.machines.items() if table.reproductions is not None else ():
        for quantity, found in of.items():
            cells = [row for row in table.rows if row.machine == machine]
            yield {
                "statistic": "machine mean",
                "n_cells": sum(metric == "auc" for row in cells for _, metric in row.ours),
                "of_cells": sum(metric == "auc" for row in cells for _, metric in (*row.ours, *row.missing)),
                "machine": machine,
                "collapsed": "yes" if any(row.collapsed for row in cells) else "",
                **_value("", "machine_score" if quantity == "official" else quantity, 100 * found.ours),
                "published": 100 * found.published,
                **_again(found),
            }


def _again(found: Reproduction | None) -> dict[str, Any]:
    """What came of a published value, and where one more training would lie, percent."""
    if found is None:
        return {"verdict": ""}
    low, high = (None if one is None else 100 * one for one in (found.low, found.high))
    return {"verdict": found.outcome, "again_low": low, "again_high": high}


def _value(domain: str, metric: str, value: float | None, bounds: Bounds | None = None) -> dict[str, Any]:
    low, high = bounds or (None, None)
    return {"domain": domain, "metric": metric, "value": value, "low": low, "high": high}


def _over(table: SystemTable, *columns: Column) -> dict[str, int]:
    """How many cells of some columns have a value, and how many were asked for."""
    having = sum(column in row.ours for row in table.rows for column in columns)
    lacking = sum(column in row.missing for row in table.rows for column in columns)
    return {"n_cells": having, "of_cells": having + lacking}


def _decided(table: SystemTable) -> dict[tuple[Cell, Metric], float]:
    """Precision, recall and F1 of the cells that have them in every seed, percent."""
    found: dict[tuple[Cell, Metric], list[float]] = {}
    for folder in table.folders:
        for one in (cell for file in scored_files(folder) if file.part == table.part for cell in file.cells):
            for metric in _DECISIONS:
                value = one.value(metric)
                if value is not None:
                    found.setdefault((one.cell, metric), []).append(100 * value)
    return {place: statistics.fmean(own) for place, own in sorted(found.items()) if len(own) == len(table.folders)}


def _clips(table: SystemTable) -> Mapping[tuple[Cell, str], dict[str, int]]:
    """How many normal clips and anomalies each cell's value is over."""
    found: dict[tuple[Cell, str], dict[str, int]] = {}
    for group in (file.group for folder in table.folders for file in scored_files(folder)):
        if group is None:
            continue
        place = group.file
        for domain, over in against(table.definition, group).items():
            found[Cell(place.machine, place.section, domain), "auc"] = _counts(group.labels[over])
        found[Cell(place.machine, place.section, place.domain), "pauc"] = _counts(group.labels)
    for one in (cell for folder in table.folders for file in scored_files(folder) for cell in file.cells):
        for metric in _DECISIONS:
            found[one.cell, metric] = {"n_normal": one.n_normal, "n_anomaly": one.n_anomaly}
    return found


def _counts(labels: Any) -> dict[str, int]:
    return {"n_normal": int((labels == 0).sum()), "n_anomaly": int((labels == 1).sum())}
