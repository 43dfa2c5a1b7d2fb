"""What a report shows, gathered from a results folder: views, and the systems of each with their tables and files.

Conventions
-----------
- A *view* is one data set's development or evaluation sections: what stands beside each other on a page or in a figure.
- A system has one *place*, and with it one colour and mark (:mod:`asdbench.reports.figures.look`);
  ``SYSTEM@oracle`` and its like have the place of ``SYSTEM``.
- Names from data are shown on one line: control characters become spaces.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from asdbench.errors import UsageError
from asdbench.metrics.challenge import Definition, Group
from asdbench.plugins.registry import unknown
from asdbench.reports.content import tables
from asdbench.reports.content.footnotes import NO_RESULT, loud, scored_clips, some
from asdbench.reports.content.groups import grouped
from asdbench.reports.content.intervals import intervals_over
from asdbench.reports.content.places import places
from asdbench.reports.content.system_table import SystemTable
from asdbench.results.results_folder import results_in
from asdbench.results.scoring import ScoredFile, scored_files
from asdbench.results.seed_folder import SeedFolder, Truth
from asdbench.results.selection import CHOICES, LAST, STAMP, Choice, folder_name, parted
from asdbench.results.system_names import of_system

PART_NAMES: Mapping[str, str] = {"dev": "development sections", "eval": "evaluation sections"}


@dataclass(frozen=True)
class Shown:
    """A system of a view.

    Parameters
    ----------
    name : str
        As asked for; with its seeds where two of a view would else be called the same.
    table : SystemTable
    folders : tuple of SeedFolder
        One a seed.
    twin : SeedFolder or None
        The same training and first seed at a chosen epoch (``SYSTEM@oracle``), where it is there.
    place : int
        As in :func:`asdbench.reports.content.places.places`.
    """

    name: str
    table: SystemTable
    folders: tuple[SeedFolder, ...]
    place: int
    twin: SeedFolder | None = None

    @cached_property
    def manifests(self) -> list[dict[str, Any]]:
        """The manifest of each seed."""
        return [folder.manifest() for folder in self.folders]

    @cached_property
    def files(self) -> list[list[ScoredFile]]:
        """Each seed's score files of the view's part."""
        return [[file for file in scored_files(folder) if file.part == self.table.part] for folder in self.folders]

    @cached_property
    def truth(self) -> Mapping[tuple[str, str], Truth]:
        """What is known of each test clip, of the first seed."""
        return self.folders[0].truth()

    def groups(self, machine: str, seed: int = 0) -> list[Group]:
        """The scored clips of a machine, of one seed by its number in :attr:`folders`."""
        found = [file.group for file in self.files[seed] if any(cell.auc is not None for cell in file.cells)]
        return [group for group in found if group is not None and group.file.machine == machine]

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines that were asked for, as in the table."""
        return tuple(dict.fromkeys(row.machine for row in self.table.rows))

    @property
    def choice(self) -> Choice:
        """How its epoch was chosen."""
        return parted(self.table.system)[1]

    @property
    def oracle(self) -> bool:
        """Whether its epoch was chosen on the test labels."""
        return self.table.oracle

    @property
    def why_not(self) -> str:
        """Why cells have no value, as the manifests say; some of the reasons."""
        entries = [entry for manifest in self.manifests for entry in manifest["machines"].values()]
        reasons = dict.fromkeys(one_line(reason) for entry in entries for reason in entry["cells"].values() if reason)
        return some(list(reasons), 2) if reasons else "its score files are not those that were written"

    @property
    def collapsed(self) -> bool:
        """Whether a component of any of its models is constant."""
        return any(row.collapsed for row in self.table.rows)


@dataclass(frozen=True)
class View:
    """One data set's development or evaluation sections: the systems that were scored on them."""

    dataset: str
    part: str
    definition: Definition
    systems: tuple[Shown, ...]

    @property
    def title(self) -> str:
        """Data set and part in words."""
        return f"{one_line(self.dataset)}, {PART_NAMES[self.part]}"

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines of all its systems."""
        return tuple(dict.fromkeys(machine for shown in self.systems for machine in shown.machines))

    @property
    def stamps(self) -> tuple[str, ...]:
        """What must be said loudly of any of its systems: in capitals, with systems where it is not true of all."""
        every = dict.fromkeys(stamp for shown in self.systems for stamp in shown.table.stamps)
        # first what makes of it no result; last what speaks of oracles alone
        order = sorted(every, key=lambda stamp: (stamp == STAMP, stamp not in NO_RESULT))
        return tuple(f"{loud(one_line(stamp))}{self._whose(stamp)}" for stamp in order)

    def _whose(self, stamp: str) -> str:
        own = [shown.name for shown in self.systems if stamp in shown.table.stamps]
        others = [shown.name for shown in self.systems if stamp not in shown.table.stamps]
        if not others:
            return ""
        if stamp == STAMP:
            return f" ({', '.join(dict.fromkeys(f'…{parted(name)[1].suffix}' for name in own))})"
        return f" ({', '.join(own)})" if len(own) <= len(others) else f" (all but {', '.join(others)})"

    @property
    def intervals(self) -> str:
        """What the intervals of its systems are, for captions: ``95 % intervals: over clips, one training``."""
        said = intervals_over((shown.table.interval_of, shown.name) for shown in self.systems)
        return said.removesuffix(".") or "95 % intervals"

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of all its systems."""
        return tuple(sorted({folder.seed for shown in self.systems for folder in shown.folders}))

    @cached_property
    def clips(self) -> tuple[int, int]:
        """How many test clips of its machines have been scored by any system: normal, anomalous."""
        return scored_clips(
            file
            for shown in self.systems
            for files in shown.files
            for file in files
            if file.group is not None and file.group.file.machine in shown.machines
        )

    @property
    def note(self) -> str:
        """What every caption says: data set, clips, seeds."""
        normal, anomalous = self.clips
        seeds = f"seed{'s' * (len(self.seeds) > 1)} {', '.join(map(str, self.seeds))}"
        most = max(shown.table.cells for shown in self.systems)
        fewer = [
            shown.name
            for shown in self.systems
            if shown.table.cells < most or {folder.seed for folder in shown.folders} < {*self.seeds}
        ]
        said = f"; fewer cells or seeds: {', '.join(fewer)}" if fewer else ""
        return f"{self.title}; n = {normal} normal and {anomalous} anomalous test clips; {seeds}{said}"

    @property
    def without_values(self) -> tuple[str, ...]:
        """Which systems have no value of which machines, to be said where a figure lacks them."""
        found = []
        for shown in self.systems:
            having = {row.machine for row in shown.table.rows if row.ours}
            asked = [one_line(machine) for machine in shown.machines if machine not in having]
            others = [one_line(machine) for machine in self.machines if machine not in shown.machines]
            found += [f"{shown.name}: no value of {', '.join(asked)}: {shown.why_not}."] if asked else []
            found += [f"{shown.name}: not run on {', '.join(others)}."] if others else []
        return tuple(found)

    def without_oracles(self) -> View:
        """The same without systems whose epoch was chosen on the test labels, where there are others."""
        honest = tuple(shown for shown in self.systems if not shown.oracle)
        return replace(self, systems=honest) if honest else self

    def _called(self, asked: str) -> list[str]:
        """The names here of what somebody calls so, or that itself."""
        found = of_system([folder for shown in self.systems for folder in shown.folders], asked)
        meant = [shown.name for shown in self.systems if any(folder in found for folder in shown.folders)]
        return [asked] if any(shown.name == asked for shown in self.systems) else meant or [asked]

    def only(self, systems: Collection[str] = (), machines: Collection[str] = ()) -> View:
        """The same with some systems or machines only; UsageError for a name that is not there.

        A system is named by its folder or as it was asked for.
        """
        systems = [name for asked in systems for name in self._called(asked)]
        for kind, wanted, there in (
            ("system in these results", systems, [shown.name for shown in self.systems]),
            ("machine in these results", machines, list(self.machines)),
        ):
            for name in wanted:
                if name not in there:
                    raise unknown(kind, name, there)
        kept = [shown for shown in self.systems if not systems or shown.name in systems]
        if machines:
            kept = [_of_machines(shown, machines) for shown in kept]
        kept = [shown for shown in kept if shown.table.rows]
        if not kept:
            raise UsageError(
                f"{', '.join(systems)} {'was' if len(systems) == 1 else 'were'} not run on {', '.join(machines)}",
                looked=f"there are: {', '.join(self.machines)}",
                hint="choose others with --systems or --machines",
            )
        return replace(self, systems=tuple(kept))


def views(results: Path, dataset: str | None = None) -> list[View]:
    """All that a results folder holds.

    Raises
    ------
    DataError
        Where there are no results.
    UsageError
        For a data set that has none.
    """
    found, chosen = results_in(results), results_in(results, dataset)
    place = places(_base(folder.system) for folder in found)
    made: dict[tuple[str, str, Definition], list[Shown]] = {}
    groups = grouped(chosen)
    for (data, system, alike), folders in groups.items():
        names = [folder_name(system, choice) for choice in CHOICES if choice is not LAST]
        twins = [twin for name in names for twin in groups.get((data, name, alike), ())]
        twin = next((one for one in twins if one.seed == folders[0].seed), None)
        for table in tables.build(results, dataset, only=folders):
            shown = Shown(one_line(table.system), table, tuple(folders), place[_base(table.system)], twin)
            made.setdefault((table.dataset, table.part, table.definition), []).append(shown)
    if not made:
        raise tables.no_results(results)
    return [
        View(data, part, definition, _named(own)) for (data, part, definition), own in sorted(made.items(), key=_order)
    ]


def choose(found: Sequence[View], part: str | None = None) -> View:
    """The one view of a single figure; UsageError where there are several data sets, or not that part."""
    names = sorted({view.dataset for view in found})
    if len(names) > 1:
        raise UsageError("there are several data sets", looked=", ".join(names), hint="choose one with --dataset")
    own = [view for view in found if part in (None, view.part)]
    if not own:
        there = ", ".join(PART_NAMES[view.part] for view in found)
        raise UsageError(
            f"there are no {PART_NAMES[part or 'dev']}", looked=f"there are: {there}", hint="leave --part out"
        )
    if len({view.definition for view in own}) > 1:
        raise UsageError(
            "results of several years under one data set name", looked=names[0], hint="keep them in two results folders"
        )
    return own[0]


def one_line(name: object) -> str:
    """A name from data for people: line breaks and control characters become spaces."""
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", str(name)).strip()


def _base(system: str) -> str:
    return parted(system)[0]


def _order(item: tuple[tuple[str, str, Definition], list[Shown]]) -> tuple[str, str]:
    (dataset, part, _), _ = item
    return dataset, part


def _named(systems: Sequence[Shown]) -> tuple[Shown, ...]:
    """Systems under names of their own, one at a chosen epoch behind its system."""
    systems = sorted(systems, key=lambda shown: _base(shown.table.system))
    names = [shown.name for shown in systems]
    seeds = [", ".join(str(folder.seed) for folder in shown.folders) for shown in systems]
    twice = {name for name in names if names.count(name) > 1}
    made = [f"{name} (seed {own})" if name in twice else name for name, own in zip(names, seeds, strict=True)]
    while len(set(made)) < len(made):  # the same seeds in two folders whose names differ in invisible characters
        made = [f"{name} #{number}" if made.count(name) > 1 else name for number, name in enumerate(made, start=1)]
    return tuple(replace(shown, name=name) for shown, name in zip(systems, made, strict=True))


def _of_machines(shown: Shown, machines: Collection[str]) -> Shown:
    rows = [row for row in shown.table.rows if row.machine in machines]
    if len(rows) == len(shown.table.rows):
        return shown
    table = replace(shown.table, rows=rows, arithmetic_bounds={}, harmonic_bounds={}, score_bounds=None)
    return replace(shown, table=table)  # the intervals were of the means over all machines
