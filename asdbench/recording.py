"""Writes what a job gave into a seed folder: components, labels, history, scores, and the manifest last."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asdbench.api import Cell, Clip, Dataset
from asdbench.asking import Asked
from asdbench.jobs import Outcome
from asdbench.planning import Unit
from asdbench.scoring import write_machine_scores
from asdbench.store import SeedFolder, join

PACKAGES = ("asdbench", "torch", "numpy", "scipy", "scikit-learn", "librosa", "soxr", "soundfile", "safetensors")

VECTOR_FEATURES = (
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_bf16",
    "amx_tile",
    "asimd",
    "sve",
)


def record(
    data: Dataset,
    asked: Asked,
    folder: SeedFolder,
    unit: Unit,
    key: Mapping[str, Any],
    outcome: Outcome,
    cells: Sequence[Cell],
    run: Mapping[str, Any],
) -> dict[str, Any]:
    """Put a unit's outcome into a folder, beside the machines that are there already.

    Parameters
    ----------
    key : mapping
        The job key.
    cells : sequence of Cell
        The cells that were asked for; of any machine.
    run : mapping
        ``environment``, ``command``, ``seconds`` of the run's stages.

    Returns
    -------
    dict
        The manifest's entries of the unit's machines.
    """
    machines = set(unit.machines)
    settings = {name: value for name, value in key.items() if name not in ("unit", "data")}
    manifest = folder.manifest()
    entries: dict[str, Any] = {
        machine: entry
        for machine, entry in manifest.get("machines", {}).items()
        if machine not in machines and _settings(entry) == settings  # others are of a run that --replace gives up
    }
    gone = {*machines, *(set(manifest.get("machines", {})) - set(entries))}
    components = join([folder.components().without(gone), outcome.components]).by_machine()
    folder.write_components(components)
    _write_labels(folder, gone, [clip for clip in unit.clips if clip.split == "test"])
    fits = {label for entry in entries.values() for label in entry["fits"]}
    history = [*(row for row in folder.history() if row["fit"] in fits), *outcome.history]
    folder.write_history(sorted(history, key=lambda row: str(row["fit"])))
    for machine in gone:
        folder.remove_scores(machine)
    made: dict[str, Any] = {}
    for machine in unit.machines:
        own = {cell for cell in cells if cell.machine == machine}
        before = manifest.get("machines", {}).get(machine)
        if before is not None and _settings(before) == settings:
            own |= _cells(machine, before["cells"]).keys()
        written = write_machine_scores(
            folder,
            asked.system,
            machine,
            components.where(machine=machine),
            own,
            {**outcome.failed, **outcome.impossible},
        )
        made[machine] = {
            "key": dict(key),
            "formula": dict(asked.system.formula),
            "fits": outcome.fits,
            "failed": {_name(cell): reason for cell, reason in outcome.failed.items() if cell.machine == machine},
            "impossible": {
                _name(cell): reason for cell, reason in outcome.impossible.items() if cell.machine == machine
            },
            **written,
            "environment": run["environment"],
            "command": run["command"],
            "seconds": run["seconds"],
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    if outcome.trace:
        (folder.path / f"failure-{unit.label}.txt").write_text(outcome.trace, encoding="utf-8")
    else:
        (folder.path / f"failure-{unit.label}.txt").unlink(missing_ok=True)
    write_manifest(data, asked, folder, {**entries, **made})
    return made


def _name(cell: Cell) -> str:
    return f"{cell.section}/{cell.domain}"


def _cells(machine: str, named: Mapping[str, str | None]) -> dict[Cell, str | None]:
    return {Cell(machine, *name.rsplit("/", 1)): reason for name, reason in named.items()}


def _settings(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry["key"].items() if name not in ("unit", "data")}


def write_manifest(data: Dataset, asked: Asked, folder: SeedFolder, entries: Mapping[str, Any]) -> None:
    """Write the manifest of a folder with these machines."""
    folder.write_manifest(
        {
            "dataset": {"name": data.name, "spec": data.spec, "profile": data.profile},
            "system": {
                "name": asked.name,
                "spec": str(asked.spec),
                "title": asked.system.title,
                "published": asked.system.published,
                "source": asked.system.source,
                "embedding": asked.embedding,
            },
            "stamps": list(dict.fromkeys([*data.stamps, *getattr(asked.features, "stamps", ())])),
            "seed": folder.seed,
            "machines": dict(sorted(entries.items())),
        }
    )


def refresh(data: Dataset, asked: Asked, folder: SeedFolder, cells: Sequence[Cell]) -> None:
    """Write what a finished folder lacks of the cells asked for: score files, and labels that have become known."""
    manifest = folder.manifest()
    entries = manifest["machines"]
    changed = False
    for machine, entry in entries.items():
        own = {cell for cell in cells if cell.machine == machine}
        known = _cells(machine, entry["cells"])
        if any(cell not in known or (known[cell] is None and not folder.has_scores(cell)) for cell in own):
            reasons = {**_cells(machine, entry["failed"]), **_cells(machine, entry["impossible"])}
            failed = {cell: reason for cell, reason in reasons.items() if reason is not None}
            components = folder.components().where(machine=machine)
            written = write_machine_scores(folder, asked.system, machine, components, {*known, *own}, failed)
            changed = changed or any(entry[name] != value for name, value in written.items())
            entry.update(written)
    if changed:
        write_manifest(data, asked, folder, entries)
    machines = {machine for machine in entries if any(cell.machine == machine for cell in cells)}
    _write_labels(folder, machines, [c for c in data.clips if c.split == "test" and c.machine in machines])


def _write_labels(folder: SeedFolder, machines: set[str], clips: Sequence[Clip]) -> None:
    old = folder.label_rows()
    rows = [row for row in old if row[0] not in machines]
    rows += [[clip.machine, clip.section, clip.domain, clip.name, clip.part, clip.label or ""] for clip in clips]
    if sorted(rows) != sorted(old):
        folder.write_labels(sorted(rows))


def environment(device: str) -> dict[str, Any]:
    """Versions and hardware, for the manifest."""
    found: dict[str, Any] = {"python": platform.python_version()}
    found.update({name: importlib.metadata.version(name) for name in PACKAGES})
    cpu, features = _cpu()
    found.update(platform=platform.platform(), cpu=cpu, cpu_features=features, cpus=os.cpu_count())
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
