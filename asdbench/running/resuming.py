"""Compares what is asked with what the results folder holds: what is done, what is shared, what is missing.

Same job key: reused. Another key in the same folder, or the same machine's data from another data set: an error that
names the difference, unless it is to be replaced. Equal models are trained once: a folder may take over the components
of another system with the same key. Failed cells are tried again; those that this data cannot give are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asdbench.api import Cell, Clip, Dataset
from asdbench.datasets import digests_of, fingerprint
from asdbench.datasets.doubts import leaks, same_content
from asdbench.errors import ConflictError
from asdbench.results.components import join
from asdbench.results.manifest import OutdatedError
from asdbench.results.results_folder import seed_folder, seed_folders
from asdbench.results.seed_folder import SeedFolder
from asdbench.results.selection import LAST, Choice, folder_name, parted
from asdbench.results.system_names import folder_names
from asdbench.running.blinding import Outcome
from asdbench.running.planning import Unit, differences, job_key, key_hash, told, units
from asdbench.running.request import Asked


@dataclass(frozen=True)
class Wanted:
    """One unit of one system and seed, the folder it belongs in and its job key.

    Parameters
    ----------
    choice : Choice
        Of the epoch.
    leaked : sequence of sequence of Clip
        Groups of equal content that hold training and test clips of the unit.
    """

    asked: Asked
    folder: SeedFolder
    unit: Unit
    key: dict[str, Any]
    choice: Choice
    leaked: Sequence[Sequence[Clip]] = ()


@dataclass
class Work:
    """What there is to do.

    Parameters
    ----------
    wanted : list of Wanted
        All that was asked for.
    jobs : mapping of key hash to list of Wanted
        What must be trained, by who wants it: equal keys are one job.
    shared : list of (Wanted, Outcome, environment)
        What another system's folder already holds.
    reused : list of Wanted
        What is finished.
    outdated : list of SeedFolder
        To be replaced as a whole: an earlier version of asdbench has written them.
    """

    wanted: list[Wanted] = field(default_factory=list)
    jobs: dict[str, list[Wanted]] = field(default_factory=dict)
    shared: list[tuple[Wanted, Outcome, Mapping[str, Any]]] = field(default_factory=list)
    reused: list[Wanted] = field(default_factory=list)
    outdated: list[SeedFolder] = field(default_factory=list)

    @property
    def folders(self) -> list[SeedFolder]:
        """All folders that were asked for, in the order asked."""
        return list(dict.fromkeys(wanted.folder for wanted in self.wanted))

    @property
    def leaked(self) -> list[Sequence[Clip]]:
        """Groups of equal content that hold training and test clips, each once."""
        return list({tuple(map(id, group)): group for wanted in self.wanted for group in wanted.leaked}.values())


@dataclass
class _Prints:
    """Fingerprints of units, each computed once: whatever the scope, a unit has all clips of its machines.

    The same digests tell which test clips are copies of training clips.
    """

    data: Dataset
    known: dict[tuple[str, ...], str] = field(default_factory=dict)
    leaked: dict[tuple[str, ...], list[Sequence[Clip]]] = field(default_factory=dict)

    def of(self, unit: Unit) -> str:
        if unit.machines not in self.known:
            digests = digests_of(self.data, unit.clips)
            self.known[unit.machines] = fingerprint(self.data, unit.clips, digests)
            self.leaked[unit.machines] = [group for group in same_content(unit.clips, digests) if leaks(group)]
        return self.known[unit.machines]


def compare(
    data: Dataset,
    asked: Sequence[Asked],
    machines: Sequence[str],
    seeds: Sequence[int],
    *,
    selection: Sequence[Choice],
    threads: int,
    device: str,
    results: Path,
    replace: bool,
) -> Work:
    """Find out what there is to do.

    Raises
    ------
    ConflictError
        Where a folder holds a run with other parameters or data and ``replace`` is not set.
    """
    work = Work()
    prints = _Prints(data)
    conflicts: list[str] = []
    todo: list[Wanted] = []
    clips = told(data.clips, data.year)
    names = folder_names(results, data.name, [one.name for one in asked])
    for one in asked:
        for seed in seeds:
            for choice in _possible(one, selection):
                folder = seed_folder(results, data.name, folder_name(names[one.name], choice), seed)
                held = _held(folder, work, replace)
                for unit in units(clips, one.system.model.scope, machines):
                    key = job_key(
                        one.system,
                        unit,
                        seed=seed,
                        features=one.recipe,
                        fingerprint=prints.of(unit),
                        threads=threads,
                        device=device,
                        origin=one.origin,
                        code=one.code,
                    )
                    wanted = Wanted(one, folder, unit, key, choice, prints.leaked[unit.machines])
                    work.wanted.append(wanted)
                    found = list(_conflicts(data, held, wanted, prints))
                    conflicts += found
                    if held and finished(wanted) and not found:
                        work.reused.append(wanted)
                    else:
                        todo.append(wanted)
    if conflicts and not replace:
        raise ConflictError(
            "a result folder holds a run with other parameters",
            looked="\n".join(dict.fromkeys(conflicts)),
            hint="add --replace to compute it anew, or choose another --results DIR",
        )
    for wanted in todo:
        name = key_hash(wanted.key)
        if name in work.jobs:
            work.jobs[name].append(wanted)
        elif wanted.choice is LAST and (found_there := _elsewhere(results, data.name, wanted)):
            work.shared.append((wanted, *found_there))
        else:
            work.jobs[name] = [wanted]
    return work


def _held(folder: SeedFolder, work: Work, replace: bool) -> Mapping[str, Any]:
    try:
        held: Mapping[str, Any] = folder.manifest().get("machines", {})
    except OutdatedError:
        if not replace:
            raise
        work.outdated.append(folder)
        return {}
    return held


def _possible(asked: Asked, selection: Sequence[Choice]) -> Sequence[Choice]:
    """The choices of an epoch; a model without epochs has only one way."""
    return selection if hasattr(asked.system.model, "epochs") else (LAST,)


def _conflicts(data: Dataset, held: Mapping[str, Any], wanted: Wanted, prints: _Prints) -> Iterator[str]:
    """What in a folder contradicts what is wanted, in words."""
    scope = wanted.asked.system.model.scope
    if held and wanted.folder.year != data.year:
        yield f"{wanted.folder.path}: challenge year: {wanted.folder.year} there, {data.year} now"
    for machine, entry in held.items():
        ignored = {"unit"}
        if machine not in wanted.unit.machines or entry["failed"] or entry["impossible"]:
            ignored.add("data")  # another machine has other data; what made a cell fail may have been mended
        old, new = (
            {name: value for name, value in side.items() if name not in ignored}
            for side in (
                {**entry["key"], "formula": entry["formula"]},
                {**wanted.key, "formula": wanted.asked.system.scoring},
            )
        )
        lines = differences(old, new)
        if machine not in wanted.unit.machines and entry["dataset"] != data.spec:
            own = told([clip for clip in data.clips if clip.machine == machine or scope == "all"], data.year)
            now = units(own, scope, [machine]) if any(clip.machine == machine for clip in own) else []
            if not now or prints.of(now[0]) != entry["key"]["data"]:
                lines.append(f"data of {machine}: {entry['dataset']} there, {data.spec} now")
        if lines:
            yield f"{wanted.folder.path}: {'; '.join(lines[:4])}{' …' if len(lines) > 4 else ''}"


def finished(wanted: Wanted) -> bool:
    """Whether the folder holds just this, whole and without failures."""
    held = wanted.folder.manifest().get("machines", {})
    return wanted.folder.sound() and _holds(held, wanted.unit, wanted.key)


def _holds(held: Mapping[str, Any], unit: Unit, key: Mapping[str, Any]) -> bool:
    entries = [held.get(machine) for machine in unit.machines]
    return all(entry is not None and entry["key"] == key and not entry["failed"] for entry in entries)


def _elsewhere(results: Path, dataset: str, wanted: Wanted) -> tuple[Outcome, Mapping[str, Any]] | None:
    for other in seed_folders(results, dataset) if results.is_dir() else ():
        if other.seed != wanted.folder.seed or other == wanted.folder or parted(other.system)[1] is not LAST:
            continue
        try:
            held = other.manifest()["machines"]
        except OutdatedError:
            continue  # nothing in it can be taken over
        if other.sound() and _holds(held, wanted.unit, wanted.key):
            components = other.components()
            entries = {machine: held[machine] for machine in wanted.unit.machines}
            fits = {label: info for entry in entries.values() for label, info in entry["fits"].items()}
            outcome = Outcome(
                join([components.where(machine=machine) for machine in entries]),
                latent=join([other.latent().where(machine=machine) for machine in entries]),
                history=[row for row in other.history() if row["fit"] in fits],
                fits=fits,
                impossible={
                    Cell(machine, *name.rsplit("/", 1)): reason
                    for machine, entry in entries.items()
                    for name, reason in entry["impossible"].items()
                },
            )
            return outcome, held[wanted.unit.machines[0]]["environment"]
    return None
