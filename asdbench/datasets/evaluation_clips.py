"""What is known of evaluation clips whose names do not say it: label, domain and attributes, from the ground truth.

Conventions
-----------
- ``truth`` says where it comes from: a list or folder (:mod:`asdbench.datasets.ground_truth`); ``none``; or ``auto``:
  what lies in the root (the evaluator's own files in ``ground_truth``, else ``eval_data_list_<year>.csv`` or
  ``eval_data_list.csv``, there or in ``ground_truth``), else, for 2021 and 2022, the labels that are part of this
  package.
- Machines are found by the year's spelling of them, clips by either form of their names (with ``_test`` or without).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from asdbench.api import Label
from asdbench.datasets import attributes, grammar
from asdbench.datasets.ground_truth import read_truth
from asdbench.datasets.shipped_truth import LABELS, Truth, shipped
from asdbench.datasets.years import Year

FOLDER = "ground_truth"
"""The folder of a root that a ground truth is looked for in."""


class Answer(NamedTuple):
    """What a clip is."""

    label: Label
    domain: str
    attributes: attributes.Pairs


@dataclass(frozen=True)
class Answers:
    """What is known of the evaluation clips of a year, and where from ("" where nothing is)."""

    origin: str = ""
    known: Mapping[tuple[str, str], Answer] = field(hash=False, default_factory=dict)

    def of(self, machine: str, name: str) -> Answer | None:
        """The answer for a clip by its official name."""
        return self.known.get((machine, name)) or self.known.get((machine, name.replace("_test_", "_", 1)))


def look(root: Path, year: Year, truth: str) -> Answers:
    """The answers for the evaluation clips under a root.

    Raises
    ------
    DataError
        Where the ground truth that is named or found cannot be read, or is of another year.
    """
    if truth == "none":
        return Answers()
    path = find(root, year) if truth == "auto" else Path(truth).expanduser()
    found = read_truth(path, year) if path else shipped(year)
    return Answers(found.origin, dict(_flat(found, year))) if found else Answers()


def lists(year: Year) -> tuple[str, str]:
    """What a list of a year's evaluation clips is called."""
    return f"eval_data_list_{year.year}.csv", "eval_data_list.csv"


def find(root: Path, year: Year) -> Path | None:
    """The ground truth that lies in a root, or None: the evaluator's before a copy of it."""
    folder = root / FOLDER
    if (folder / "ground_truth_data").is_dir() or any(folder.glob("ground_truth_*.csv")):
        return folder
    return find_list(root, year)


def find_list(root: Path, year: Year) -> Path | None:
    """The list of evaluation clips that lies in a root, or None."""
    places = (root / FOLDER, root)
    return next((path for where in places for name in lists(year) if (path := where / name).is_file()), None)


def _flat(truth: Truth, year: Year) -> list[tuple[tuple[str, str], Answer]]:
    found = []
    for unit, clips in truth.clips.items():
        labelled = {clip: name for name, clip in truth.labelled.get(unit, {}).items()}
        for clip, answer in clips.items():
            fields = grammar.read(labelled[clip], "", year.year) if clip in labelled else None
            found.append(
                (
                    (year.machine(unit.machine), clip.replace("_test_", "_", 1) if year.year > 2021 else clip),
                    Answer(LABELS[answer.label], answer.domain, attributes.parse(fields.attributes) if fields else ()),
                )
            )
    return found
