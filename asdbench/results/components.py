"""Score components of clips: the model's output, of which each system is a weighted sum.

A component keeps the type that the model gives, float32 or float64: a score that is large beside its differences loses
them in a narrower one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import FitError
from asdbench.precision import lost

Column: TypeAlias = NDArray[np.floating[Any]]
"""One component of some clips (clips,), float32 or float64."""


class Row(NamedTuple):
    """Which clip a row is of: ``domain`` as systems were told it, ``fit`` the label of the training that gave it."""

    split: str
    machine: str
    section: str
    domain: str
    clip: str
    fit: str


@dataclass(frozen=True)
class Components:
    """The components of some clips.

    Parameters
    ----------
    identity : sequence of Row
    values : mapping of component to array (clips,)
    """

    identity: Sequence[Row]
    values: Mapping[str, Column]

    def where(self, *, split: str | None = None, machine: str | None = None) -> Components:
        """The rows of a split and/or machine."""
        return self._take(
            number
            for number, row in enumerate(self.identity)
            if (split is None or row.split == split) and (machine is None or row.machine == machine)
        )

    def without(self, machines: Iterable[str]) -> Components:
        """The rows of all other machines."""
        gone = set(machines)
        return self._take(number for number, row in enumerate(self.identity) if row.machine not in gone)

    def by_machine(self) -> Components:
        """The rows sorted by machine, otherwise in their order: so that a file does not tell which job ended first."""
        return self._take(sorted(range(len(self.identity)), key=lambda number: self.identity[number].machine))

    def _take(self, rows: Iterable[int]) -> Components:
        keep = list(rows)
        return Components(
            [self.identity[n] for n in keep], {name: column[keep] for name, column in self.values.items()}
        )


def join(parts: Sequence[Components]) -> Components:
    """Several into one; a component that one of them lacks is NaN there."""
    parts = [part for part in parts if part.identity]
    names = list(dict.fromkeys(name for part in parts for name in part.values))
    return Components(
        [row for part in parts for row in part.identity],
        {
            name: np.concatenate(
                [part.values.get(name, np.full(len(part.identity), np.nan, np.float32)) for part in parts]
            )
            for name in names
        },
    )


def column(name: str, values: object, clips: int) -> Column:
    """What a model gives as a component, as it is kept; a copy.

    float32 and float64 stay what they are, float16 becomes float32, all else float64.

    Raises
    ------
    FitError
        Where it is not one real number a clip, or float64 cannot hold what it tells.
    """
    found = np.asarray(values)
    if found.shape != (clips,):
        raise FitError(f"component {name!r} has shape {found.shape} for {clips} clips")
    if found.dtype.kind not in "biuf":
        raise FitError(f"component {name!r} is of type {found.dtype}, not real numbers")
    kept = np.float32 if found.dtype.kind == "f" and found.dtype.itemsize <= 4 else np.float64
    with np.errstate(over="ignore"):  # said below
        made: Column = found.astype(kept)
    reason = lost(found, made)
    if reason:
        raise FitError(
            f"component {name!r} is {found.dtype}, and float64 cannot hold it: {reason}",
            looked=f"{clips} clips",
            hint="subtract a constant, or scale it, before it leaves components()",
        )
    return made
