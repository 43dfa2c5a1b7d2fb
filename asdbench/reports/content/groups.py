"""Which seed folders are averaged into one table, and which is the last epoch's beside that of a chosen epoch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from asdbench.results.seed_folder import SeedFolder
from asdbench.results.selection import LAST, STAMP, parted
from asdbench.running.planning import settings

Group: TypeAlias = tuple[str, str, str]
"""Data set, system, and what must be equal for seeds to be averaged."""


def grouped(folders: Iterable[SeedFolder]) -> dict[Group, list[SeedFolder]]:
    """Folders by what they may be averaged with, in the order given."""
    groups: dict[Group, list[SeedFolder]] = {}
    for folder in folders:
        groups.setdefault((folder.dataset, folder.system, _alike(folder)), []).append(folder)
    return groups


def beside_chosen(shown: Iterable[SeedFolder], found: Iterable[SeedFolder]) -> list[SeedFolder]:
    """The folders found that are the last epochs' of those shown: only these are read besides."""
    parts = [(folder.dataset, *parted(folder.system)) for folder in shown]
    wanted = {(dataset, system) for dataset, system, choice in parts if choice is not LAST}
    return [folder for folder in found if (folder.dataset, folder.system) in wanted]


def last_epoch(
    group: Group, folders: Sequence[SeedFolder], there: Mapping[Group, Sequence[SeedFolder]]
) -> tuple[SeedFolder, ...]:
    """The folders of the same system, settings, data and seeds at the last epoch; () where ``group`` is at it.

    Also () where any seed of them is missing.
    """
    dataset, name, alike = group
    system, choice = parted(name)
    if choice is LAST:
        return ()
    seeds = {folder.seed for folder in folders}
    same = there.get((dataset, system, alike), ())
    found = tuple(folder for folder in same if folder.seed in seeds)
    return found if len(found) == len(seeds) else ()


def _alike(folder: SeedFolder) -> str:
    """What must be equal for two seeds to be averaged: settings, formula, data of each machine, stamps.

    That an epoch was chosen on the test labels is left out: the system's name says it.
    """
    manifest = folder.manifest()
    entries = [
        {
            "settings": {name: value for name, value in settings(entry["key"]).items() if name != "seed"},
            "data": {machine: entry["key"]["data"]},
            "formula": entry["formula"],
        }
        for machine, entry in manifest["machines"].items()
    ]
    return json.dumps([entries, [stamp for stamp in manifest["stamps"] if stamp != STAMP]], sort_keys=True)
