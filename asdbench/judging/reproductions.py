"""All of a system's values beside a published table: cells, machines, means, and which of them are reproduced.

Conventions
-----------
- Values are fractions, also those of the table.
- A mean is held against the mean of the published values of the same cells, and left out where one is not published. A
  mean of rounded values is off by no more than half a printed unit, as each of them.
- Of each machine the official score (the headline), the mean AUC and the mean pAUC are judged.
- A cell whose interval passes 5 points to either side is shown and not judged, wherever the published value lies: of 84
  such cells some are outside by chance, and none of them says anything.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from asdbench.api import Cell
from asdbench.judging.means import Mean, linear
from asdbench.judging.measuring import Value
from asdbench.judging.reproduced import WIDEST, Reproduction, Tally, reproduced, tally
from asdbench.metrics import aggregate
from asdbench.metrics.challenge import Column, Definition
from asdbench.published import Table


@dataclass(frozen=True)
class Reproductions:
    """A system's values held against a published table.

    Parameters
    ----------
    table : Table
    trainings : int
        Ours.
    deterministic : bool
        Whether another seed of ours gives the same scores.
    cells : mapping of (Cell, metric) to Reproduction
        The published ones.
    machines : mapping of str to mapping of {"official", "auc", "pauc"} to Reproduction
    arithmetic, harmonic : mapping of (domain, metric) to Reproduction
        Means of columns.
    overall : mapping of {"official", "auc", "pauc"} to Reproduction
        Over all cells.
    unpublished : int
        Values of ours that are not published.
    """

    table: Table
    trainings: int
    deterministic: bool
    cells: Mapping[Value, Reproduction] = field(hash=False)
    machines: Mapping[str, Mapping[str, Reproduction]] = field(hash=False)
    arithmetic: Mapping[Column, Reproduction] = field(hash=False)
    harmonic: Mapping[Column, Reproduction] = field(hash=False)
    overall: Mapping[str, Reproduction] = field(hash=False)
    unpublished: int

    @property
    def mean_difference(self) -> float | None:
        """Mean of ours less published over the published cells; None where none is."""
        return statistics.fmean(one.difference for one in self.cells.values()) if self.cells else None

    @property
    def by_machine(self) -> Tally:
        """How many machines' official scores are reproduced."""
        return tally([own["official"] for own in self.machines.values() if "official" in own])


def hold(
    trainings: Sequence[Mapping[Value, float]],
    units: Mapping[Value, str],
    table: Table,
    definition: Definition,
    *,
    deterministic: bool = False,
) -> Reproductions:
    """Hold a system's values against a table.

    Parameters
    ----------
    trainings : sequence of mapping of (Cell, metric) to float
        The values of each seed, fractions; those that a seed lacks are left out.
    units : mapping of (Cell, metric) to str
        Which fit each value comes from: what of it varies together.
    table : Table
    definition : Definition
        Which mean the official score is.
    deterministic : bool
        Whether another seed gives the same scores.
    """
    known = [value for value in trainings[0] if all(value in own for own in trainings)]
    printed: dict[Value, float] = {(Cell(*place), of): value / 100 for (*place, of), value in table.cells.items()}
    theirs = {value: printed[value] for value in known if value in printed}

    def held(values: Iterable[Value], mean: Mean) -> Reproduction | None:
        chosen = list(values)
        if not chosen or any(value not in theirs for value in chosen):
            return None
        matrix: dict[str, list[list[float]]] = {}
        for value in chosen:
            matrix.setdefault(units[value], []).append([own[value] for own in trainings])
        seeds = tuple(map(str, range(len(trainings))))
        ours, fits, _ = linear(
            mean, {unit: np.array(own).T for unit, own in matrix.items()}, dict.fromkeys(matrix, seeds)
        )
        published = getattr(aggregate.means(theirs[value] for value in chosen), mean)
        unit = 10.0 ** -(table.decimals + 2)
        return reproduced(
            ours, list(fits.values()), published, unit, trainings=table.trainings or 1, deterministic=deterministic
        )

    def quantities(values: Sequence[Value]) -> dict[str, Reproduction]:
        of: dict[str, Reproduction | None] = {
            "official": held(values, definition.official),
            "auc": held((value for value in values if value[1] == "auc"), "arithmetic"),
            "pauc": held((value for value in values if value[1] == "pauc"), "arithmetic"),
        }
        return {name: found for name, found in of.items() if found is not None}

    columns = {
        column: [value for value in known if (value[0].domain, value[1]) == column] for column in definition.columns()
    }
    machines = {
        machine: quantities([value for value in known if value[0].machine == machine])
        for machine in dict.fromkeys(cell.machine for cell, _ in known)
    }
    return Reproductions(
        table,
        len(trainings),
        deterministic,
        {value: _cell(found) for value in known if (found := held([value], "arithmetic"))},
        {machine: own for machine, own in machines.items() if own},
        {column: found for column, own in columns.items() if (found := held(own, "arithmetic"))},
        {column: found for column, own in columns.items() if (found := held(own, "harmonic"))},
        quantities(known),
        len(known) - len(theirs),
    )


def _cell(found: Reproduction) -> Reproduction:
    reach = found.half_width
    if reach is None or reach <= WIDEST:
        return found
    reason = f"one more training would lie within ± {100 * reach:.1f} points: a cell so wide is not judged"
    return replace(found, outcome="cannot be told", reason=reason)
