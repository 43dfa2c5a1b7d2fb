"""Results as JSON: a record a system, part and seed, with the keys of ``asdbench score``.

Conventions
-----------
- Values are fractions, to the last digit; null where there is none. docs/files.md says what all machine-readable files
  have in common.
- ``reproduction``: the system (all its seeds, so the same in each record) held against the published table; null where
  none is beside it.
- Beside ``cells``, ``means`` and ``official_score`` a record says what they are of, what is not scored and why, and
  what a reader must know of them: ``stamps``, ``reduced_budget``, ``collapsed`` (machines).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from asdbench.judging.reproductions import Reproductions
from asdbench.metrics.aggregate import METRICS, RANKING, CellMetrics
from asdbench.metrics.challenge import DEFINITIONS, Summary, summarise
from asdbench.reports.content.reproduction import summary
from asdbench.reports.content.system_table import SystemTable
from asdbench.results.manifest import reduced
from asdbench.results.scoring import evaluate
from asdbench.results.seed_folder import SeedFolder

FORMAT = 2
"""Of the records of ``report`` and ``leaderboard`` in CSV and JSON. 1 had percent in CSV and in the leaderboard."""


def fraction(percent: float | None) -> float | None:
    """A percentage as a machine reads it: a fraction, without what the sums' order leaves in the last digits."""
    return None if percent is None else round(percent / 100, 12)


def render(tables: Sequence[SystemTable]) -> str:
    """The records of some tables' folders as a JSON list that ends in a line break."""
    return dumps([_record(table, folder) for table in tables for folder in table.folders])


def dumps(value: Any) -> str:
    """A value as JSON text that ends in a line break; ValueError for what is no number."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def cell_record(cell: CellMetrics) -> dict[str, Any]:
    """A cell with its metrics and clips; a domain that there is not is null."""
    return {
        "machine": cell.machine,
        "section": cell.section,
        "domain": cell.domain or None,
        **{metric: cell.value(metric) for metric in METRICS},
        "n_normal": cell.n_normal,
        "n_anomaly": cell.n_anomaly,
    }


def metrics(cells: Sequence[CellMetrics], summary: Summary | None) -> dict[str, Any]:
    """The metrics of some cells as JSON values: keys ``cells``, ``means`` and ``official_score``.

    Parameters
    ----------
    cells : sequence of CellMetrics
    summary : Summary or None
        None where no cell has a value.
    """
    means = summary.means if summary else {}
    return {
        "cells": [cell_record(cell) for cell in cells],
        "means": {
            metric: {name: getattr(means.get(metric), name, None) for name in ("arithmetic", "harmonic")}
            for metric in RANKING
        },
        "official_score": summary.official_score if summary else None,
    }


def reproduction(found: Reproductions) -> dict[str, Any]:
    """A system beside a published table as JSON values: the line to quote, counts, and each mean with its interval."""
    count = found.by_machine
    return {
        "table": found.table.key,
        "summary": summary(found),
        "trainings": found.trainings,
        "deterministic": found.deterministic,
        "published_trainings": found.table.trainings,
        "published_epoch": found.table.selection,
        "machines_reproduced": count.reproduced,
        "machines_not_reproduced": count.not_reproduced,
        "machines_cannot_be_told": count.cannot_be_told,
        "misses_by_chance": round(count.expected_misses, 12),
        "overall": {quantity: asdict(one) for quantity, one in found.overall.items()},
        "machines": {
            machine: {quantity: asdict(one) for quantity, one in of.items()} for machine, of in found.machines.items()
        },
    }


def _record(table: SystemTable, folder: SeedFolder) -> dict[str, Any]:
    manifest = folder.manifest()
    places = {(row.machine, row.section) for row in table.rows}
    cells = [cell for cell in evaluate(folder) if (cell.machine, cell.section) in places]
    scored = [cell for cell in cells if cell.auc is not None]
    return {
        "format": FORMAT,
        "dataset": folder.dataset,
        "year": folder.year,
        "part": table.part,
        "system": folder.system,
        "title": table.title,
        "seed": folder.seed,
        "stamps": manifest["stamps"],
        "reduced_budget": reduced(manifest) or None,
        "collapsed": sorted(machine for machine, entry in manifest["machines"].items() if entry["constant"]),
        **metrics(cells, summarise(DEFINITIONS[folder.year], scored) if scored else None),
        "reproduction": None if table.reproductions is None else reproduction(table.reproductions),
        "not_scored": {str(cell.cell): cell.reason for cell in cells if cell.auc is None},
    }
