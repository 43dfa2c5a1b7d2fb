"""Systems of results folders, or of a table of scores, beside each other: which method is better, part by part.

The verdicts are those of :mod:`asdbench.judging.methods`, of trainings as :mod:`asdbench.judging.trainings` reads them.

- Compared are the cells that all systems have a value of, in all of their seeds. The others are named with the reason.
- Systems need neither the same seeds nor equally many.
- Development and evaluation sections are compared apart.
- Clips that hang together (:mod:`asdbench.judging.dependence`) are drawn together, and that is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.judging.comparable import check_alike, check_data, common_cells, common_files
from asdbench.judging.conclusions import MARGIN
from asdbench.judging.dependence import Dependence, blocks, dependence
from asdbench.judging.methods import Comparison, compare_all
from asdbench.judging.samples import Sample
from asdbench.judging.trainings import deterministic, sample
from asdbench.metrics.challenge import DEFINITIONS, Definition
from asdbench.results.manifest import reduced
from asdbench.results.seed_folder import SeedFolder


@dataclass(frozen=True)
class Side:
    """One of the systems.

    Parameters
    ----------
    name : str
    dataset : str
    stamps : tuple of str
    budget : str
        Where fewer epochs were trained than the full budget: how many of how many. Else empty.
    fits : int
        Trainings of a unit: machines (or sections) times seeds.
    collapsed : tuple of str
        Machines, and the seed where there are several, whose training has a constant component.
    seeds : tuple of str
    deterministic : bool
        Whether another seed gives the same scores.
    """

    name: str
    dataset: str = ""
    stamps: tuple[str, ...] = ()
    budget: str = ""
    fits: int = 0
    collapsed: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    deterministic: bool = False


@dataclass(frozen=True)
class Part:
    """The development (``dev``) or evaluation (``eval``) sections; of a table of scores, all of it (``""``).

    Parameters
    ----------
    part : {"dev", "eval", ""}
    definition : Definition
        Of the data set's year.
    pairs : tuple of Comparison
        Two systems: one. More: each with each, in the order in which they were named.
    hanging : tuple of Dependence
        Machines and classes whose clips hang together.
    fewest : int
        Clips of the smaller class of the smallest cell.
    """

    part: str
    definition: Definition
    pairs: tuple[Comparison, ...]
    hanging: tuple[Dependence, ...]
    fewest: int


@dataclass(frozen=True)
class Compared:
    """Systems on the same data.

    Parameters
    ----------
    sides : tuple of Side
    margin : float
        A difference that does not matter, a fraction.
    parts : tuple of Part
    left_out : mapping of str to tuple of Cell
        Why some cells are not compared.
    """

    sides: tuple[Side, ...]
    margin: float
    parts: tuple[Part, ...]
    left_out: Mapping[str, tuple[Cell, ...]]

    def side(self, name: str) -> Side:
        """The system of that name."""
        return next(side for side in self.sides if side.name == name)


def compare_folders(folders: Sequence[Sequence[SeedFolder]], names: Sequence[str], margin: float = MARGIN) -> Compared:
    """Compare systems over the cells that all have.

    Parameters
    ----------
    folders : sequence of sequence of SeedFolder
        The seeds of one system each.
    names : sequence of str
        How to call the systems; each name once.
    margin : float
        A fraction.

    Raises
    ------
    DataError
        Where a system's seeds were not made alike, the systems were made on different data, or have no cell in common.
    """
    manifests = [[folder.manifest() for folder in own] for own in folders]
    for name, own in zip(names, manifests, strict=True):
        check_alike(name, own)
    check_data(names, manifests)
    cells, left_out = common_cells(folders, names)
    if not cells:
        raise DataError(
            "there is no cell that all have a value of",
            looked="; ".join(f"{own[0]}{' and others' if own[1:] else ''}: {why}" for why, own in left_out.items())
            or "no cells",
            hint="run them on the same machines and sections",
        )
    shared = common_files(folders, cells)
    machines = {cell.machine for cell in cells}
    sides = [_side(name, own, machines) for name, own in zip(names, manifests, strict=True)]
    definition = DEFINITIONS[folders[0][0].year]
    parts = []
    for part in ("dev", "eval"):
        files = [file for file in shared if file.part == part]
        if files:
            samples = [
                sample(side.name, files, number, own, len(side.collapsed))
                for number, (side, own) in enumerate(zip(sides, manifests, strict=True))
            ]
            parts.append(_part(part, definition, samples, margin))
    return Compared(tuple(sides), margin, tuple(parts), left_out)


def compare_samples(samples: Sequence[Sample], definition: Definition, margin: float = MARGIN) -> Compared:
    """Compare systems whose scores come from a table (:func:`asdbench.judging.samples.from_table`).

    Parameters
    ----------
    samples : sequence of Sample
    definition : Definition
    margin : float
        A fraction.
    """
    sides = tuple(
        Side(
            one.name,
            fits=sum(len(own.fits) for own in {file.unit: file for file in one.files}.values()),
            seeds=one.files[0].fits,
            deterministic=one.deterministic,
        )
        for one in samples
    )
    found = _part("", definition, samples, margin)
    files = dict.fromkeys(file for pair in found.pairs for file in pair.left_out)
    return Compared(sides, margin, (found,), {"not all systems have them": tuple(files)} if files else {})


def _part(part: str, definition: Definition, samples: Sequence[Sample], margin: float) -> Part:
    found = dependence(samples, definition)
    clusters = blocks(samples, definition, found)
    fewest = min(int(np.bincount(file.labels, minlength=2).min()) for one in samples for file in one.files)
    pairs = compare_all(samples, definition, margin=margin, clusters=clusters)
    return Part(part, definition, tuple(pairs), tuple(one for one in found if one.shows), fewest)


def _side(name: str, manifests: Sequence[Mapping[str, Any]], machines: set[str]) -> Side:
    entries = [(one["seed"], m, e) for one in manifests for m, e in one["machines"].items() if m in machines]
    several = len(manifests) > 1
    return Side(
        name,
        str(manifests[0]["dataset"]["name"]),
        tuple(dict.fromkeys(stamp for one in manifests for stamp in one["stamps"])),
        reduced(manifests[0]),
        len(entries),
        tuple(f"{m} (seed {s})" if several else m for s, m, e in entries if e["constant"]),
        tuple(str(one["seed"]) for one in manifests),
        deterministic(manifests),
    )
