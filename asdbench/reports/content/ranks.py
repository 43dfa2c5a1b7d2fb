"""Ranks: 1, and one more for every system whose method is better; and who has none, with the reason in plain words.

Conventions
-----------
- Compared are complete results on the same cells, each pair with each; conclusions are from Holm's p over all pairs.
- A single training of a system that is not deterministic says nothing about the method, so it has no rank. Nor has a
  published table, whose trainings are not here to compare.
"""

from __future__ import annotations

from collections.abc import Sequence

from asdbench.errors import AsdbenchError
from asdbench.judging.compared import compare_folders
from asdbench.judging.methods import ranks
from asdbench.reports.content.system_table import SystemTable

PUBLISHED = "published values: there are no trainings to compare"
SINGLE = "one training, from which nothing follows about the method (5 seeds would tell more)"
ALONE = "no other system here to compare with"
MEANING = (
    "Rank: 1, and one more for every system that is better, by the official score over trainings and clips (Holm over"
    " all pairs, docs/verdicts.md). Systems of which none is better share a rank, whatever the order of their scores."
)


def ranked(tables: Sequence[SystemTable]) -> list[int | str]:
    """The rank of each system, or why it has none.

    Parameters
    ----------
    tables : sequence of SystemTable
        Of one part of one data set, over the same cells, each with a score that may be taken for a result.
    """
    several = [table for table in tables if table.over != "clips, one training"]
    if len(several) < 2:
        return [SINGLE if table.over == "clips, one training" else ALONE for table in tables]
    names = [str(table.folders[0].path) for table in several]  # each once, unlike a system's name
    try:
        compared = compare_folders([table.folders for table in several], names)
    except AsdbenchError as error:
        return [SINGLE if table not in several else f"not compared: {error.message}" for table in tables]
    (pairs,) = [part.pairs for part in compared.parts if part.part == tables[0].part]
    found = ranks(pairs)
    return [SINGLE if table not in several else found[str(table.folders[0].path)] or ALONE for table in tables]
