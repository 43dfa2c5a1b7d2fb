"""Seed folders as trainings: what verdicts and intervals are computed from.

Each folder ``seed-<n>`` is one training of each of its units. Two systems share a training where their job keys are
equal, as those of Systems 1 and 2 are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from asdbench.judging.comparable import CommonFile
from asdbench.judging.samples import Sample, Scored
from asdbench.results.manifest import unit_of


def sample(
    name: str, files: Sequence[CommonFile], number: int, manifests: Sequence[Mapping[str, Any]], collapsed: int = 0
) -> Sample:
    """A system's trainings.

    Parameters
    ----------
    name : str
    files : sequence of CommonFile
        Of one part.
    number : int
        Which of the files' systems it is.
    manifests : sequence of mapping
        One a seed.
    collapsed : int
        How many of its fits collapsed.
    """
    scored = tuple(_scored(file, number, manifests) for file in files)
    return Sample(name, scored, deterministic(manifests), collapsed)


def deterministic(manifests: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the system says that another seed gives the same scores."""
    return all(one["system"].get("deterministic", False) for one in manifests)


def _scored(file: CommonFile, number: int, manifests: Sequence[Mapping[str, Any]]) -> Scored:
    """A file's clips as the trainings of one system score them."""
    groups = file.groups[number]
    entries = [one["machines"][file.file.machine] for one in manifests]
    return Scored(
        file.file,
        unit_of(entries[0], file.file.section),
        tuple(str(one["seed"]) for one in manifests),
        groups[0].labels,
        np.stack([group.scores for group in groups]),
        tuple(groups[0].clips),
        tuple(groups[0].domains),
        tuple(json.dumps(entry["key"], sort_keys=True) for entry in entries),
        file.cells,
    )
