"""The values of all cells of a system's trainings, with what each clip contributes.

Conventions
-----------
- A *value* is one AUC or pAUC, named (Cell, metric); the cell's domain is "" where the value is the section's. Each
  value once, as the year counts it (:mod:`asdbench.metrics.challenge`).
- Clips are drawn within class and cell; from 2022 on within class and domain of a section, whose values share them.
- Influences are centred within what is drawn together and scaled, so that a covariance over clips is a sum of products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.judging.influence import Floats, areas, chance_of_zero, partial_areas
from asdbench.judging.samples import Sample, Scored
from asdbench.metrics.aggregate import RANKING, Metric
from asdbench.metrics.challenge import Definition, Group, against

Value: TypeAlias = tuple[Cell, Metric]
Clusters: TypeAlias = Mapping[Cell, NDArray[np.int64]]
"""By file: which clips hang together, one number a clip in the order of the checked sample."""
FAR = 6.0
"""Standard errors from 0 beyond which no resample of an AUC is 0."""


@dataclass(frozen=True, eq=False)
class FileValues:
    """The values of one file.

    Parameters
    ----------
    scored : Scored
    values : mapping of Value to float array (fits,)
    influences : mapping of Value to float array (fits, draws)
        Centred and scaled; a draw is a clip, or clips that hang together.
    starts : int array (strata,)
        Where each stratum's draws begin.
    sizes : int array (strata,)
        How many draws each has.
    clips : mapping of Value to (int, int)
        Normal clips and anomalies of a value.
    over : mapping of Cell to bool array (clips,)
        Which clips a cell's AUC is over.
    """

    scored: Scored
    values: Mapping[Value, Floats]
    influences: Mapping[Value, Floats]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    clips: Mapping[Value, tuple[int, int]]
    over: Mapping[Cell, NDArray[np.bool_]]

    @cached_property
    def zeros(self) -> Mapping[Cell, float]:
        """How often a cell's AUC is 0 among resamples of its clips, in the fit in which it is so most often."""
        found = {}
        for (cell, metric), own in self.values.items():
            reach = FAR * np.sqrt((self.influences[cell, metric] ** 2).sum(axis=1))
            if metric == "auc" and (own <= reach).any():
                over = self.over[cell]
                anomalous = self.scored.labels[over] == 1
                found[cell] = float(chance_of_zero(anomalous, self.scored.scores[:, over]).max())
        return found


@dataclass(frozen=True, eq=False)
class Measured:
    """A system's trainings, measured."""

    sample: Sample
    definition: Definition
    files: Mapping[Cell, FileValues]

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """All values, AUC before pAUC, cells in order."""
        return tuple(
            value for metric in RANKING for one in self.files.values() for value in one.values if value[1] == metric
        )

    @cached_property
    def place(self) -> Mapping[Value, Cell]:
        """The file of each value."""
        return {value: file for file, one in self.files.items() for value in one.values}


def measure(sample: Sample, definition: Definition, clusters: Clusters | None = None) -> Measured:
    """All values of a checked sample.

    Parameters
    ----------
    sample : Sample
        As :func:`asdbench.judging.samples.checked` gives it.
    definition : Definition
    clusters : mapping of file to int array (clips,), optional
        Which clips are drawn together; else each by itself.
    """
    files = {one.file: _measured(one, definition, (clusters or {}).get(one.file)) for one in sample.files}
    return Measured(sample, definition, files)


def restricted(side: Measured, common: Sequence[Cell], rows: Mapping[str, Sequence[int]]) -> Measured:
    """A system over some of its files, and of some units with some of the fits (by row)."""
    files = {}
    for file in common:
        own = side.files[file]
        kept = rows.get(own.scored.unit)
        if kept is not None and list(kept) != list(range(len(own.scored.fits))):
            own = replace(
                own,
                scored=own.scored.of(kept),
                values={value: found[list(kept)] for value, found in own.values.items()},
                influences={value: found[list(kept)] for value, found in own.influences.items()},
            )
        files[file] = own
    sample = replace(side.sample, files=tuple(own.scored for own in files.values()))
    return Measured(sample, side.definition, files)


def _measured(one: Scored, definition: Definition, clusters: NDArray[np.int64] | None) -> FileValues:
    anomalous = one.labels == 1
    group = Group(one.file, one.labels, one.scores[0], None, one.domains, one.clips)
    raw: dict[Value, tuple[Floats, Floats]] = {}
    counts: dict[Value, tuple[int, int]] = {}
    used: dict[Cell, NDArray[np.bool_]] = {}
    wanted = [cell.domain for cell in one.cells] if one.cells else list(against(definition, group))
    place = one.file.machine, one.file.section
    for domain, over in against(definition, group).items():
        if domain in wanted:
            column, metric = definition.column(domain, "auc")
            key = Cell(*place, column), metric
            values, own = areas(anomalous[over], one.scores[:, over])
            used[key[0]] = over
            influences = np.zeros(one.scores.shape)
            influences[:, over] = own
            raw[key], counts[key] = (values, influences), _counted(anomalous[over])
    column, metric = definition.column(one.file.domain, "pauc")
    key = Cell(*place, column), metric
    raw[key], counts[key] = partial_areas(anomalous, one.scores), _counted(anomalous)
    # Clips are sorted by class, domain and name, so strata lie side by side.
    split = definition.domains == "clips"
    stratum = [(label, domain if split else "") for label, domain in zip(one.labels.tolist(), one.domains, strict=True)]
    firsts = np.array([n for n, own_stratum in enumerate(stratum) if not n or own_stratum != stratum[n - 1]])
    draws, starts = firsts, firsts
    if clusters is None:
        draws = np.arange(len(one.clips))
    else:
        order = np.zeros(len(one.clips), dtype=np.int64)
        order[firsts[1:]] = 1
        of_stratum = np.cumsum(order)
        lexical = np.lexsort((clusters, of_stratum))
        raw = {value: (found, own[:, lexical]) for value, (found, own) in raw.items()}
        pairs = np.stack([of_stratum[lexical], clusters[lexical]])
        draws = np.flatnonzero(np.r_[True, (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)])
        starts = np.searchsorted(draws, firsts)
    sizes = np.diff(np.append(starts, len(draws)))
    clips = np.diff(np.append(firsts, len(one.clips)))
    scale = np.sqrt(sizes / np.maximum(sizes - 1, 1))
    return FileValues(
        one,
        {value: found for value, (found, _) in raw.items()},
        {value: _drawn(own, firsts, clips, draws, sizes, scale) for value, (_, own) in raw.items()},
        starts,
        sizes,
        counts,
        used,
    )


def _counted(anomalous: NDArray[np.bool_]) -> tuple[int, int]:
    return int((~anomalous).sum()), int(anomalous.sum())


def _drawn(
    raw: Floats,
    firsts: NDArray[np.int64],
    clips: NDArray[np.int64],
    draws: NDArray[np.int64],
    sizes: NDArray[np.int64],
    scale: Floats,
) -> Floats:
    """Centred within strata, summed over what is drawn together, scaled."""
    centred = raw - np.repeat(np.add.reduceat(raw, firsts, axis=1) / clips, clips, axis=1)
    summed = centred if len(draws) == raw.shape[1] else np.add.reduceat(centred, draws, axis=1)
    return np.asarray(summed * np.repeat(scale, sizes))
