"""Score components of clips: the model's output, of which each system is a weighted sum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asdbench.api import Floats


@dataclass(frozen=True)
class Components:
    """The components of some clips.

    Parameters
    ----------
    identity : sequence of (split, machine, section, domain, clip)
    values : mapping of component to array (clips,)
    """

    identity: Sequence[tuple[str, str, str, str, str]]
    values: Mapping[str, Floats]

    def where(self, *, split: str | None = None, machine: str | None = None) -> Components:
        """The rows of a split and/or machine."""
        return self._take(
            number
            for number, row in enumerate(self.identity)
            if (split is None or row[0] == split) and (machine is None or row[1] == machine)
        )

    def without(self, machines: Iterable[str]) -> Components:
        """The rows of all other machines."""
        gone = set(machines)
        return self._take(number for number, row in enumerate(self.identity) if row[1] not in gone)

    def by_machine(self) -> Components:
        """The rows sorted by machine, otherwise in their order: so that a file does not tell which job ended first."""
        return self._take(sorted(range(len(self.identity)), key=lambda number: self.identity[number][1]))

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
