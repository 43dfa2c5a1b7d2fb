"""Writes what a job gave into a seed folder: components, labels, history, scores, and the manifest last.

A manifest never promises what its files do not hold: machines that are about to be rewritten leave it first.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asdbench.api import Cell, Dataset
from asdbench.datasets import fingerprint
from asdbench.datasets.doubts import stamp
from asdbench.datasets.years import YEARS
from asdbench.errors import DataError
from asdbench.results.components import Components, join
from asdbench.results.score_files import ScoreFiles
from asdbench.results.scoring import write_machine_scores
from asdbench.results.seed_folder import SeedFolder
from asdbench.results.selection import STAMP, folder_name
from asdbench.running.blinding import Outcome
from asdbench.running.planning import settings, told
from asdbench.running.resuming import Wanted, finished
from asdbench.running.selection import both_ways, choose, measure

PACKAGES = ("asdbench", "torch", "numpy", "scipy", "scikit-learn", "librosa", "soxr", "soundfile", "safetensors")
VECTOR_FEATURES = "avx avx2 fma avx512f avx512bw avx512_vnni avx512_bf16 amx_tile asimd sve".split()  # noqa: SIM905 # reads better


@dataclass(frozen=True)
class About:
    """How a run was made: its environment, its command, the seconds of its stages."""

    environment: Mapping[str, Any]
    command: str
    seconds: Mapping[str, float]


def record(data: Dataset, wanted: Wanted, outcome: Outcome, cells: Sequence[Cell], about: About) -> None:
    """Put a unit's outcome into its folder, beside the machines that are there already.

    Parameters
    ----------
    cells : sequence of Cell
        The cells that were asked for, of any machine. Those asked for earlier stay.
    """
    with wanted.folder.locked():
        # Where another run has done the same meanwhile, its files stay, and its readers undisturbed.
        if finished(wanted) and wanted.folder.year == data.year:
            _refresh(data, [wanted], cells)
        else:
            _record(data, wanted, outcome, cells, about)


def _record(data: Dataset, wanted: Wanted, outcome: Outcome, cells: Sequence[Cell], about: About) -> None:
    folder, unit, key, system = wanted.folder, wanted.unit, wanted.key, wanted.asked.system
    files, before_files = ScoreFiles(folder.path, YEARS[data.year]), folder.files
    epochs, halves = dict[str, int](), dict[str, list[dict[str, Any]]]()
    clips, definition = [clip for clip in data.clips if clip.machine in unit.machines], files.year.definition
    measured = measure(outcome, system, unit.machines, clips, definition)
    by = wanted.choice.measure
    if by == "auc" or by == "pauc":
        halves = {machine: both_ways(outcome, system, by, machine, clips, definition) for machine in unit.machines}
    if by:
        outcome, epochs = choose(outcome, measured, by, unit.machines, clips, definition)
    held = folder.manifest().get("machines", {})
    kept = {  # the others are given up: by --replace, or because their components are damaged
        machine: entry
        for machine, entry in held.items()
        if machine not in unit.machines and settings(entry["key"]) == settings(key) and folder.sound()
        if folder.year == data.year
    }
    gone = {*unit.machines, *(set(held) - set(kept))}
    before = folder.components().without(gone) if kept else Components([], {})
    if gone & set(held):
        write_manifest(data, wanted, kept)
    components = join([before, outcome.components]).by_machine()
    folder.write_components(components)
    drawn = folder.latent().without(gone) if kept else Components([], {})
    folder.write_latent(join([drawn, outcome.latent]).by_machine())
    told = {machine: own for machine, own in folder.epochs().items() if machine in kept} if kept else {}
    folder.write_epochs({**told, **measured})
    _write_labels(data, folder, gone)
    fits = {label for entry in kept.values() for label in entry["fits"]}
    history = [*(row for row in folder.history() if row["fit"] in fits), *outcome.history] if kept else outcome.history
    folder.write_history(sorted(history, key=lambda row: str(row["fit"])))
    for machine in gone:
        for written_before in (before_files, files):
            written_before.remove(machine)
    made: dict[str, Any] = {}
    for machine in unit.machines:
        own = {cell for cell in cells if cell.machine == machine}
        if machine in held and settings(held[machine]["key"]) == settings(key):
            own |= _known(data, machine, held[machine]).keys()
        reasons = {**outcome.failed, **outcome.impossible}
        written = write_machine_scores(files, system, machine, components.where(machine=machine), own, reasons)
        made[machine] = {
            "key": dict(key),
            "formula": system.scoring,
            "dataset": data.spec,
            "clips": _clips(data, wanted, machine),
            "stamps": _stamps(data, wanted),
            "fits": outcome.fits,
            "epoch": epochs.get(machine),
            "halves": halves.get(machine, []),
            "failed": _named(machine, outcome.failed),
            "impossible": _named(machine, outcome.impossible),
            **written,
            "environment": dict(about.environment),
            "command": about.command,
            "seconds": dict(about.seconds),
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    folder.write_failure(unit.label, outcome.trace)
    write_manifest(data, wanted, {**kept, **made})


def write_manifest(data: Dataset, wanted: Wanted, entries: Mapping[str, Any]) -> None:
    """Write the manifest of a folder with these machines."""
    asked = wanted.asked
    stamps = [*_stamps(data, wanted), *(stamp for entry in entries.values() for stamp in entry["stamps"])]
    wanted.folder.write_manifest(
        {
            "dataset": {"name": data.name, "spec": data.spec, "profile": data.profile, "year": data.year},
            "system": {
                "name": wanted.folder.system,
                "asked": folder_name(asked.name, wanted.choice),
                "spec": str(asked.spec),
                "title": asked.system.title,
                "published": asked.system.published,
                "full_epochs": asked.full_epochs,
                "deterministic": bool(getattr(asked.system.model, "deterministic", False)),
                "source": asked.system.source,
                "embedding": asked.embedding,
            },
            "stamps": list(dict.fromkeys(stamps)),
            "seed": wanted.folder.seed,
            "machines": dict(sorted(entries.items())),
        }
    )


def refresh(data: Dataset, done: Sequence[Wanted], cells: Sequence[Cell]) -> None:
    """Write what a folder lacks of the cells asked for: score files, labels that have become known.

    Parameters
    ----------
    data : Dataset
    done : sequence of Wanted
        Finished units of one folder, at least one.
    cells : sequence of Cell
    """
    with done[0].folder.locked():
        _refresh(data, done, cells)


def _refresh(data: Dataset, done: Sequence[Wanted], cells: Sequence[Cell]) -> None:
    folder = done[0].folder
    files, entries = folder.files, folder.manifest().get("machines", {})
    changed = False
    machines = {
        machine: wanted
        for wanted in done
        for machine in wanted.unit.machines
        if machine in entries and entries[machine]["key"] == wanted.key  # else another run has replaced it meanwhile
    }
    for machine, wanted in machines.items():
        entry = entries[machine]
        own = {cell for cell in cells if cell.machine == machine}
        known = _known(data, machine, entry)
        if not own <= known.keys() or len(known) < len(entry["cells"]) or files.digests(known) != entry["files"]:
            reasons = {**_cells(machine, entry["failed"]), **_cells(machine, entry["impossible"])}
            failed = {cell: reason for cell, reason in reasons.items() if reason is not None}
            components = folder.components().where(machine=machine)
            written = write_machine_scores(files, wanted.asked.system, machine, components, {*known, *own}, failed)
            changed = changed or any(entry[name] != value for name, value in written.items())
            entry.update(written)
        if unsaid := [found for found in _stamps(data, wanted) if found not in entry["stamps"]]:
            entry["stamps"] = [*entry["stamps"], *unsaid]
            changed = True
    if changed:
        write_manifest(data, done[0], entries)
    if machines:
        _write_labels(data, folder, set(machines))


def _stamps(data: Dataset, wanted: Wanted) -> list[str]:
    chosen = [STAMP] if wanted.choice.labels else []
    leaked = [found for machine in wanted.unit.machines if (found := stamp(wanted.leaked, machine))]
    return list(dict.fromkeys([*data.stamps, *getattr(wanted.asked.features, "stamps", ()), *chosen, *leaked]))


def _clips(data: Dataset, wanted: Wanted, machine: str) -> str:
    """The fingerprint of a machine's own clips: the job key's, but where a job has several machines."""
    if len(wanted.unit.machines) == 1:
        return str(wanted.key["data"])
    return fingerprint(data, [clip for clip in told(data.clips, data.year) if clip.machine == machine])


def _named(machine: str, reasons: Mapping[Cell, str]) -> dict[str, str]:
    return {f"{cell.section}/{cell.domain}": reason for cell, reason in reasons.items() if cell.machine == machine}


def _known(data: Dataset, machine: str, entry: Mapping[str, Any]) -> dict[Cell, str | None]:
    """The cells of an entry that are still there: from 2022 on the ground truth may have told their domains since."""
    there = {clip.cell for clip in data.clips if clip.machine == machine and clip.split == "test"}
    return {cell: reason for cell, reason in _cells(machine, entry["cells"]).items() if cell in there}


def _cells(machine: str, named: Mapping[str, str | None]) -> dict[Cell, str | None]:
    return {Cell(machine, *name.rsplit("/", 1)): reason for name, reason in named.items()}


def _write_labels(data: Dataset, folder: SeedFolder, machines: set[str]) -> None:
    """Bring the labels of some machines up to date; a damaged file is made again for all that the folder holds."""
    try:
        old = folder.label_rows()
    except DataError:
        old, machines = [], machines | set(folder.manifest().get("machines", {}))
    rows = [row for row in old if row[0] not in machines]
    rows += [
        [clip.machine, clip.section, clip.domain, clip.name, clip.part, clip.label or ""]
        for clip in data.clips
        if clip.split == "test" and clip.machine in machines
    ]
    if sorted(rows) != sorted(old):
        folder.write_labels(sorted(rows))


def environment(device: str) -> dict[str, Any]:
    """Versions and hardware, for the manifest."""
    found: dict[str, Any] = {"python": platform.python_version()}
    found.update({name: importlib.metadata.version(name) for name in PACKAGES})
    cpu, features = _cpu()
    # Not platform.platform(): its kernel and build names are the machine's own, and no score depends on them.
    system = f"{platform.system()} {platform.machine()}"
    found.update(platform=system, cpu=cpu, cpu_features=features, cpus=os.cpu_count())
    if device.startswith("cuda"):
        import torch

        found["gpu"] = torch.cuda.get_device_name(device)
        found["cuda"] = torch.version.cuda
    return found


def _cpu() -> tuple[str, str]:
    """Processor and those of its features that change how sums are rounded."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine(), ""
    found: dict[str, str] = {}
    for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    flags = found.get("flags", found.get("Features", "")).split()
    return found.get("model name", platform.machine()), " ".join(flag for flag in VECTOR_FEATURES if flag in flags)
