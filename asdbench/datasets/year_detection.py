"""Which year a data set is of, by what lies on disk.

Conventions
-----------
- A year whose grammar does not fit every name and folder is out, and so is one that came before something that is
  there (``noAttribute``, ``supplemental``).
- Of the others, those that know most of the machines' sections are candidates. If there are several (the development
  sets of 2023 to 2025 have the same machines), the record of what was fetched decides, a ground truth list or the name
  of the root; else nothing does, and the error names the candidates and what spoke for and against each year.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from asdbench.datasets import attributes, grammar
from asdbench.datasets import evaluation_clips as answers
from asdbench.datasets.fetched import fetched_names
from asdbench.datasets.tree import Tree, shown
from asdbench.datasets.years import YEARS, Year
from asdbench.errors import DataError

_SINCE = {attributes.NOTHING: 2024, "supplemental": 2025}


@dataclass(frozen=True)
class Evidence:
    """What speaks for a year: how many of the machines' sections it knows, or why it is out."""

    year: Year
    known: int = 0
    cells: int = 0
    out: str = ""

    def __str__(self) -> str:
        return f"{self.year.year}: {self.out or f'fits, and knows {self.known} of {self.cells} machine sections'}"


def detect(tree: Tree) -> tuple[Year, str]:
    """The year, and what told it.

    Raises
    ------
    DataError
        Where no year fits, or several fit alike.
    """
    found = [weigh(tree, year) for year in YEARS.values()]
    most = max((evidence.known for evidence in found if not evidence.out), default=0)
    candidates = [evidence for evidence in found if not evidence.out and evidence.known == most]
    if len(candidates) == 1:
        return candidates[0].year, str(candidates[0])
    for words, told in (
        ("the record of what was fetched", [e for e in candidates if _was_fetched(tree, e.year)]),
        ("a ground truth list", [e for e in candidates if _has_list(tree, e.year)]),
        ("the name of its folder", [e for e in candidates if str(e.year.year) in _named(tree)]),
    ):
        if len(told) == 1:
            others = ", ".join(str(e.year.year) for e in candidates if e is not told[0])
            return told[0].year, f"{words} says {told[0].year.year}; by its clips it could be of {others}, too"
    years = [str(evidence.year.year) for evidence in candidates]
    raise DataError(
        f"the year of the data set at {tree.root} cannot be told: "
        + (f"{', '.join(years[:-1])} and {years[-1]} fit alike" if years else "it fits none"),
        looked="; ".join(map(str, found)),
        hint=f"say which: dcase{years[0]}:{tree.root}"
        if years
        else f"say what it should be: `asdbench datasets validate dcase2021:{tree.root}` lists what does not fit",
    )


def fitting(tree: Tree) -> list[int]:
    """The years whose grammar fits every name."""
    return [year.year for year in YEARS.values() if not weigh(tree, year).out]


def weigh(tree: Tree, year: Year) -> Evidence:
    """What speaks for a year, or against it."""
    early = {word: since for word, since in _SINCE.items() if year.year < since}
    if "supplemental" in early and tree.supplemental:
        return Evidence(year, out=f"there was no supplemental sound before {early['supplemental']}")
    cells: set[tuple[str, str]] = set()
    for folder in tree.folders:
        machine = year.machine(folder.machine)
        if folder.files and folder.name and folder.name not in grammar.GRAMMARS[year.year].folders:
            return Evidence(year, out=f"it has no folders {folder.name}")
        for name, _ in folder.clips():
            fields = grammar.read(name, folder.name, year.year)
            if fields is None:
                return Evidence(year, out=f"{shown(name)} is no name of it")
            if fields.attributes in early:
                return Evidence(year, out=f"{attributes.NOTHING} is in names since {early[fields.attributes]}")
            cells.add((machine, fields.section))
    known = {(machine, section) for part in (year.dev, year.eval) for machine in part for section in part[machine]}
    return Evidence(year, len(cells & known), len(cells))


def _was_fetched(tree: Tree, year: Year) -> bool:
    return f"dcase{year.year}" in fetched_names(tree.root)


def _has_list(tree: Tree, year: Year) -> bool:
    path = answers.find_list(tree.root, year)
    return path is not None and str(year.year) in path.name


def _named(tree: Tree) -> set[str]:
    """The years in the name of the root, or of the folder it lies in (``dcase2023t2``, ``DCASE 2023/data``)."""
    for folder in (tree.root, tree.root.parent):
        if found := set(re.findall(r"(?<!\d)20[2-3]\d(?!\d)", folder.name)):
            return found
    return set()
