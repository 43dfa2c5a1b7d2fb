"""The intervals of a system's table: over its trainings and clips where there are several trainings, else over clips.

Conventions
-----------
- Several trainings: the value is expected over trainings; the interval holds their spread and that of the clips.
- A deterministic system: another training gives the same scores, and the clips are all that varies.
- One training of another system: the clips alone, of this very training. Another training often lies outside.
- Clips that hang together by the system's own scores are drawn in blocks, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from asdbench.api import Cell
from asdbench.judging.comparable import common_files
from asdbench.judging.dependence import Dependence, blocks, dependence
from asdbench.judging.estimates import Estimates, estimates
from asdbench.judging.trainings import sample
from asdbench.metrics.challenge import DEFINITIONS
from asdbench.results.seed_folder import SeedFolder

Over: TypeAlias = Literal["trainings and clips", "clips, deterministic", "clips, one training"]
"""What an interval is over."""


@dataclass(frozen=True)
class Intervals:
    """All intervals of one system on one part of a data set.

    Parameters
    ----------
    estimates : Estimates
        Values and intervals, fractions.
    over : {"trainings and clips", "clips, deterministic", "clips, one training"}
    hanging : tuple of Dependence
        Machines and classes whose clips hang together.
    """

    estimates: Estimates
    over: Over
    hanging: tuple[Dependence, ...] = ()


def intervals(folders: Sequence[SeedFolder], cells: Sequence[Cell]) -> Intervals:
    """The intervals of a system.

    Parameters
    ----------
    folders : sequence of SeedFolder
        Its seeds, made alike.
    cells : sequence of Cell
        Those with a value in every seed, of one part; at least one.

    Raises
    ------
    DataError
        Where the seeds have not scored the same clips.
    """
    definition = DEFINITIONS[folders[0].year]
    files = common_files([folders], cells)
    own = sample(folders[0].system, files, 0, [folder.manifest() for folder in folders])
    found = dependence([own], definition)
    over: Over = "trainings and clips"
    if own.seeds == 1:
        over = "clips, deterministic" if own.deterministic else "clips, one training"
    return Intervals(
        estimates(own, definition, clusters=blocks([own], definition, found), as_they_are=own.varies_unseen),
        over,
        tuple(one for one in found if one.shows),
    )
