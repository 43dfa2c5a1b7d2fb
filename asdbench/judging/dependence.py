"""Clips that hang together: found by their order, and drawn together from then on.

Conventions
-----------
- Clips recorded one after the other may resemble each other; names usually number them in that order. Where the ranks
  of neighbours agree, clips count for less than their number says, and an interval that draws them singly is too short.
- Tested is each machine and class: the correlation of the ranks of neighbours in name order (lag 1), within each file,
  class and domain, pooled over them. Its mean and variance without any dependence are those of all orders of the same
  ranks, exactly. Holm's method over all machines and classes.
- Where it shows, clips are drawn in blocks of :data:`BLOCK` neighbours; where names state an attribute (a car's
  velocity), by that, which needs no test.

Sources: Wald & Wolfowitz, Annals of Mathematical Statistics 14 (1943) 378-388 (the test); Kuensch, Annals of Statistics
17 (1989) 1217-1241, and Carlstein, ibid. 14 (1986) 1171-1179 (variances from blocks).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.api import Cell
from asdbench.judging.influence import Floats
from asdbench.judging.measuring import Clusters
from asdbench.judging.samples import Sample, Scored, checked
from asdbench.judging.student import holm
from asdbench.metrics.challenge import Definition

BLOCK = 10
"""Neighbours that are drawn together."""
ALPHA = 0.05


@dataclass(frozen=True)
class Dependence:
    """How much the clips of a machine and class hang together.

    Parameters
    ----------
    machine : str
    label : {0, 1}
        Normal clips or anomalies.
    correlation : float
        Of the ranks of neighbours; 0 where clips are independent.
    p : float
        One-sided, Holm's over all machines and classes.
    """

    machine: str
    label: int
    correlation: float
    p: float

    @property
    def shows(self) -> bool:
        """Whether they are to be drawn in blocks."""
        return self.p < ALPHA


def dependence(samples: Sequence[Sample], definition: Definition) -> list[Dependence]:
    """Test each machine and class.

    Parameters
    ----------
    samples : sequence of Sample
        Their ranks are averaged: what is sought is a property of the clips.
    definition : Definition
        Of the data set's year.
    """
    found: dict[tuple[str, int], list[Floats]] = {}
    for parts in _same_files([checked(one) for one in samples]):
        one = parts[0]
        for label, _, own in _strata(one, definition):
            ranks = np.mean([_ranks(row[own]) for part in parts for row in part.scores], axis=0)
            found.setdefault((one.file.machine, label), []).append(ranks)
    tested = {key: serial(series) for key, series in sorted(found.items())}
    adjusted = holm([p for _, p in tested.values()])
    return [
        Dependence(*key, correlation, p)
        for (key, (correlation, _)), p in zip(tested.items(), adjusted, strict=True)
        if p is not None
    ]


def serial(series: Sequence[ArrayLike]) -> tuple[float, float]:
    """The lag-1 rank correlation of several series together, and its one-sided p.

    Parameters
    ----------
    series : sequence of array (clips,)
        Each in order; only ranks count.

    Returns
    -------
    correlation : float
        The sum of products of neighbours' centred ranks, less what any order would give, over the sum of squares.
    p : float
        That independent clips would give as much; 1 where there are too few.
    """
    total = variance = squares = 0.0
    for one in series:
        values = np.asarray(one, dtype=np.float64)
        if len(values) < 4:
            continue
        ranks = _ranks(values)
        ranks = ranks - ranks.mean()
        mean, spread = _of_any_order(ranks)
        total += float((ranks[1:] * ranks[:-1]).sum()) - mean
        variance += spread
        squares += float((ranks**2).sum())
    if variance <= 0:
        return 0.0, 1.0
    return total / squares, math.erfc(total / math.sqrt(2 * variance)) / 2


def _of_any_order(ranks: Floats) -> tuple[float, float]:
    """Mean and variance of the sum of products of neighbours over all orders of some values with mean 0."""
    n = len(ranks)
    two, four = float((ranks**2).sum()), float((ranks**4).sum())
    mean = -two / n
    pairs = (n - 1) * (two**2 - four) / (n * (n - 1))
    chains = 2 * (n - 2) * (2 * four - two**2) / (n * (n - 1) * (n - 2))
    apart = (n - 2) * (n - 3) * (3 * two**2 - 6 * four) / (n * (n - 1) * (n - 2) * (n - 3))
    return mean, pairs + chains + apart - mean**2


def _ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[group])


def blocks(
    samples: Sequence[Sample], definition: Definition, found: Sequence[Dependence], length: int = BLOCK
) -> Clusters:
    """Which clips to draw together: neighbours of the machines and classes that hang together, all others singly.

    Parameters
    ----------
    samples : sequence of Sample
    definition : Definition
    found : sequence of Dependence
    length : int
        Clips of a block, about: those of a stratum are divided evenly.

    Returns
    -------
    mapping of file to int array (clips,)
        In the order of the checked samples: what ``compare_all`` and ``estimates`` take as ``clusters``.
    """
    hanging = {(one.machine, one.label) for one in found if one.shows}
    clusters: dict[Cell, NDArray[np.int64]] = {}
    for parts in _same_files([checked(one) for one in samples]):
        one = parts[0]
        if not {(one.file.machine, label) for label in (0, 1)} & hanging:
            continue
        own = np.arange(len(one.clips), dtype=np.int64)
        for label, _, clips in _strata(one, definition):
            if (one.file.machine, label) in hanging:
                count = max(2, round(len(clips) / length))
                own[clips] = clips[0] + np.arange(len(clips)) * count // len(clips)
        clusters[one.file] = own
    return clusters


def _same_files(samples: Sequence[Sample]) -> Iterator[list[Scored]]:
    by_file: dict[Cell, list[Scored]] = {}
    for sample in samples:
        for one in sample.files:
            by_file.setdefault(one.file, []).append(one)
    yield from by_file.values()


def _strata(one: Scored, definition: Definition) -> Iterator[tuple[int, str, NDArray[np.int64]]]:
    """Label, domain and clips of what is drawn together, in name order."""
    domains = one.domains if definition.domains == "clips" else ("",) * len(one.clips)
    places: dict[tuple[int, str], list[int]] = {}
    for clip, key in enumerate(zip(one.labels.tolist(), domains, strict=True)):
        places.setdefault(key, []).append(clip)
    for (label, domain), clips in places.items():
        yield label, domain, np.array(clips, dtype=np.int64)
