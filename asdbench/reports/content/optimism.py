"""What choosing the epoch on the test labels gains: ``SYSTEM@oracle`` less ``SYSTEM``, same cells and seeds."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asdbench.reports.content.system_table import SystemTable

TITLE = "Optimism of selecting the epoch on the test set"


def optimism(last: SystemTable, oracle: SystemTable) -> str:
    """The difference in a sentence.

    Parameters
    ----------
    last, oracle : SystemTable
        Of one system, with the same settings, seeds and data: at its last epoch, and at the best one by test labels.
    """
    before, after = _areas(last), _areas(oracle)
    if set(before) != set(after) or last.score is None or oracle.score is None:
        return f"{TITLE}: not stated, since the two have not got values for the same cells."
    gain = statistics.fmean(after.values()) - statistics.fmean(before.values())
    return (
        f"{TITLE}: official score {oracle.score - last.score:+.2f} (from {last.score:.2f} to {oracle.score:.2f}),"
        f" mean AUC {gain:+.2f}."
    )


def _areas(table: SystemTable) -> dict[tuple[str, str, str], float]:
    return {
        (row.machine, row.section, domain): value
        for row in table.rows
        for (domain, metric), value in row.ours.items()
        if metric == "auc"
    }
