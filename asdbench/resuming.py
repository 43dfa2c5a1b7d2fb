"""Compares what is asked with what the results folder holds: what is done, what is shared, what is missing.

Same job key: reused. Another key in the same folder: an error that names the difference, unless it is to be replaced.
Equal models are trained once: a folder may take over the components of another system with the same key. A machine with
failed cells counts as unfinished: failures are never cached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asdbench.api import Cell, Dataset
from asdbench.asking import Asked
from asdbench.datasets import digests_of, fingerprint
from asdbench.embeddings.cache import recipe_on
from asdbench.errors import ConflictError
from asdbench.jobs import CachedFeatures, FeatureFile, FeatureSource, Job, Outcome
from asdbench.planning import Unit, differences, job_key, key_hash, units
from asdbench.store import SeedFolder, join, seed_folder, seed_folders


@dataclass(frozen=True)
class Wanted:
    """One unit of one system and seed, and the folder it belongs in."""

    asked: Asked
    folder: SeedFolder
    unit: Unit
    key: dict[str, Any]


@dataclass
class Work:
    """What there is to do.

    Parameters
    ----------
    jobs : mapping of key hash to (Job, list of Wanted)
        What must be trained, and who wants it.
    shared : list of (Wanted, Outcome, environment)
        What another system's folder already holds.
    reused : int
        Machines found finished.
    folders : list of (Asked, SeedFolder)
        All folders that were asked for.
    """

    jobs: dict[str, tuple[Job, list[Wanted]]] = field(default_factory=dict)
    shared: list[tuple[Wanted, Outcome, Mapping[str, Any]]] = field(default_factory=list)
    reused: int = 0
    folders: list[tuple[Asked, SeedFolder]] = field(default_factory=list)


def compare(
    data: Dataset,
    asked: Sequence[Asked],
    machines: Sequence[str],
    seeds: Sequence[int],
    *,
    threads: int,
    device: str,
    results: Path,
    features: Path,
    replace: bool,
) -> Work:
    """Find out what there is to do.

    Parameters
    ----------
    features : Path
        Folder of the feature cache.

    Raises
    ------
    ConflictError
        Where a folder holds a run with other parameters and ``replace`` is not set.
    """
    work = Work()
    prints: dict[tuple[str, str], str] = {}
    conflicts: list[str] = []
    todo: list[Wanted] = []
    for one in asked:
        scope = one.system.model.scope
        for seed in seeds:
            folder = seed_folder(results, data.name, one.name, seed)
            work.folders.append((one, folder))
            held = folder.manifest().get("machines", {})
            for unit in units(data.clips, scope, machines):
                if (scope, unit.label) not in prints:
                    prints[scope, unit.label] = fingerprint(data, unit.clips)
                key = job_key(
                    one.system,
                    unit,
                    seed=seed,
                    features=one.features.recipe,
                    fingerprint=prints[scope, unit.label],
                    threads=threads,
                    device=device,
                    origin=one.origin,
                )
                conflicts += _conflicts(held, one, folder, unit, key)
                if _holds(held, unit, key) and all(
                    held[m]["formula"] == dict(one.system.formula) for m in unit.machines
                ):
                    work.reused += len(unit.machines)
                else:
                    todo.append(Wanted(one, folder, unit, key))
    if conflicts and not replace:
        raise ConflictError(
            "a result folder holds a run with other parameters",
            looked="\n".join(dict.fromkeys(conflicts)),
            hint="add --replace to compute it anew, or choose another --results DIR",
        )
    for wanted in todo:
        name = key_hash(wanted.key)
        if name in work.jobs:
            work.jobs[name][1].append(wanted)
        elif found := _elsewhere(results, data.name, wanted):
            work.shared.append((wanted, *found))
        else:
            source = _source(data, wanted, features, device)
            job = Job(str(wanted.asked.spec), wanted.unit, wanted.folder.seed, threads, device, source, {})
            work.jobs[name] = (job, [wanted])
    return work


def _conflicts(
    held: Mapping[str, Any], asked: Asked, folder: SeedFolder, unit: Unit, key: Mapping[str, Any]
) -> list[str]:
    found = []
    for machine, entry in held.items():
        ignored = {"unit"}
        if machine not in unit.machines or entry["failed"]:
            ignored.add("data")  # other machines have other data; what made a cell fail may have been mended
        old, new = (
            {name: value for name, value in side.items() if name not in ignored}
            for side in ({**entry["key"], "formula": entry["formula"]}, {**key, "formula": dict(asked.system.formula)})
        )
        if lines := differences(old, new):
            found.append(f"{folder.path}: {'; '.join(lines[:4])}{' …' if len(lines) > 4 else ''}")
    return found


def _holds(held: Mapping[str, Any], unit: Unit, key: Mapping[str, Any]) -> bool:
    entries = [held.get(machine) for machine in unit.machines]
    return all(entry is not None and entry["key"] == key and not entry["failed"] for entry in entries)


def _elsewhere(results: Path, dataset: str, wanted: Wanted) -> tuple[Outcome, Mapping[str, Any]] | None:
    for other in seed_folders(results, dataset) if results.is_dir() else ():
        if other.seed != wanted.folder.seed or other == wanted.folder:
            continue
        held = other.manifest()["machines"]
        if _holds(held, wanted.unit, wanted.key):
            components = other.components()
            fits = {label: info for machine in wanted.unit.machines for label, info in held[machine]["fits"].items()}
            outcome = Outcome(
                join([components.where(machine=machine) for machine in wanted.unit.machines]),
                history=[row for row in other.history() if row["fit"] in fits],
                fits=fits,
                impossible={
                    Cell(machine, *name.rsplit("/", 1)): reason
                    for machine in wanted.unit.machines
                    for name, reason in held[machine]["impossible"].items()
                },
            )
            return outcome, held[wanted.unit.machines[0]]["environment"]
    return None


def _source(data: Dataset, wanted: Wanted, features: Path, device: str) -> FeatureSource:
    if data.features is not None:
        return FeatureFile(data.features.path)
    clips = wanted.unit.clips
    digests = {(c.machine, c.name): digest for c, digest in zip(clips, digests_of(data, clips), strict=True)}
    recipe = recipe_on(wanted.asked.features.recipe, device)
    return CachedFeatures(features, recipe, wanted.asked.features.kind, digests)
