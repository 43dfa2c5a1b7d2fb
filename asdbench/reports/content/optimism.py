"""What choosing the epoch gains: ``SYSTEM@oracle`` or ``SYSTEM@pseudo`` less ``SYSTEM``, same cells and seeds.

By the same test labels that chose it, the gain is optimistic; what it is worth is measured on clips that the choice has
not seen: on one half of them where it was chosen on the other, or on the evaluation sections. A choice that needs no
label has seen none of them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from asdbench.api import Cell
from asdbench.metrics.aggregate import CellMetrics
from asdbench.metrics.challenge import summarise

if TYPE_CHECKING:
    from asdbench.reports.content.system_table import SystemTable

TITLE = "Optimism of selecting the epoch on the test set"
UNSEEN = "Chosen on one half of the test clips and measured on the other, both ways"
PSEUDO = "What the epoch of the best pseudo-AUC gains over the last one"
EVALUATION = "What the epoch chosen on the development test clips gains on the evaluation sections"


def gains(last: SystemTable, chosen: SystemTable) -> list[str]:
    """The difference in a sentence; of a choice by test labels a second one, of clips that it has not seen.

    Parameters
    ----------
    last, chosen : SystemTable
        Of one system, with the same settings, seeds and data: at its last epoch, and at the one that was chosen.
    """
    by_labels = TITLE if chosen.part == "dev" else EVALUATION
    title = by_labels if chosen.oracle else PSEUDO
    before, after = _areas(last), _areas(chosen)
    if set(before) != set(after) or last.score is None or chosen.score is None:
        return [f"{title}: not stated: the two do not have values for the same cells."]
    gain = statistics.fmean(after.values()) - statistics.fmean(before.values())
    said = (
        f"{title}: official score {chosen.score - last.score:+.2f} (from {last.score:.2f} to {chosen.score:.2f}),"
        f" mean AUC {gain:+.2f}."
    )
    return [said, _unseen(chosen)] if title == TITLE else [said]


def _areas(table: SystemTable) -> dict[tuple[str, str, str], float]:
    return {
        (row.machine, row.section, domain): value
        for row in table.rows
        for (domain, metric), value in row.ours.items()
        if metric == "auc"
    }


def _unseen(oracle: SystemTable) -> str:
    """The gain on the half that the choice has not seen, the mean of both ways and of the seeds."""
    wanted = {Cell(*cell) for cell in _areas(oracle)}
    scores, areas = [], []
    for chosen, last in _ways(oracle):
        if not {one.cell for one in chosen} >= wanted:
            return f"{UNSEEN}: not stated, since there are too few clips of some cells."
        sides = [[one for one in side if one.cell in wanted] for side in (chosen, last)]
        summaries = [summarise(oracle.definition, side) for side in sides]
        scores.append(summaries[0].official_score - summaries[1].official_score)
        areas.append(summaries[0].means["auc"].arithmetic - summaries[1].means["auc"].arithmetic)
    official, area = (100 * statistics.fmean(gains) for gains in (scores, areas))
    return f"{UNSEEN}: official score {official:+.2f}, mean AUC {area:+.2f}."


def _ways(oracle: SystemTable) -> Iterator[tuple[Sequence[CellMetrics], Sequence[CellMetrics]]]:
    """Each seed's cells on the half not seen, both ways: at the chosen epoch, at the last."""
    for folder in oracle.folders:
        entries = folder.manifest()["machines"]
        for way in (0, 1):
            found: dict[str, list[CellMetrics]] = {"chosen": [], "last": []}
            for machine, entry in entries.items():
                halves = entry.get("halves", [])  # none where there are too few clips
                for name, sides in halves[way]["cells"].items() if halves else ():
                    section, _, domain = name.rpartition("/")
                    for side, own in found.items():
                        own.append(_metrics(Cell(machine, section, domain), sides[side]["auc"], sides[side]["pauc"]))
            yield found["chosen"], found["last"]


def _metrics(cell: Cell, auc: float, pauc: float) -> CellMetrics:
    return CellMetrics(cell.machine, cell.section, cell.domain, auc, pauc, None, None, None, 0, 0)
