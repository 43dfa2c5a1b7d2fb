"""A run beside what was published: which table, may they be compared at all, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asdbench.metrics.aggregate import CellMetrics
from asdbench.published import Table, official_counts, tables

YEAR = 2021
LAYOUTS = ("dcase2021", "dcase")
"""The data sets that read the challenge's own folders; ``dcase`` finds the year by itself."""


@dataclass(frozen=True)
class Published:
    """The published table of a system, or why there is none beside it.

    Parameters
    ----------
    table : Table or None
    why_not : str
        Why the published columns are left out; empty where they are not.
    """

    table: Table | None
    why_not: str = ""


def published_for(manifest: Mapping[str, Any]) -> Published:
    """The published table that a run's manifest may be set beside.

    Only a run on the DCASE 2021 layout is: on synthetic sound, and on features of which nobody knows that they are
    those of the benchmark, a difference from a published number says nothing.
    """
    key = manifest["system"]["published"]
    if not key:
        return Published(None, "no published table of this system is known")
    why_not = why_left_out(manifest)
    return Published(None, why_not) if why_not else Published(tables()[key])


def why_left_out(manifest: Mapping[str, Any]) -> str:
    """Why nothing that was published may stand beside a run, or "" where it may."""
    if "synthetic data" in manifest["stamps"]:
        return "published values are left out: synthetic data cannot be compared with them"
    data = manifest["dataset"]
    year = data.get("year", YEAR)
    if year != YEAR or data["spec"].partition(":")[0].partition("[")[0] not in LAYOUTS:
        what = "is not known to be it" if year == YEAR else f"is of {year}"
        return f"published values are left out: they are of DCASE 2021 Task 2, and this data set {what}"
    return ""


def other_counts(cell: CellMetrics) -> str | None:
    """How a cell's clip counts differ from those of DCASE 2021, or None where they do not."""
    counts = official_counts()
    official = (
        counts.get((cell.machine, cell.section, cell.domain, "test", "normal"), 0),
        counts.get((cell.machine, cell.section, cell.domain, "test", "anomaly"), 0),
    )
    if official == (cell.n_normal, cell.n_anomaly):
        return None
    return f"{cell.n_normal}+{cell.n_anomaly} test clips here, {official[0]}+{official[1]} in DCASE 2021"
