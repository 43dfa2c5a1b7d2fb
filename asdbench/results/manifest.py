"""The manifest of a seed's folder: what was run, on what, with what, and which machines are done.

Keys: ``format``, ``components`` (the sha256 of ``components.csv``), ``dataset``, ``system``, ``stamps``, ``seed`` and
``machines``; of each machine at least the keys of :data:`ENTRY`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asdbench.datasets.years import YEARS
from asdbench.errors import DataError
from asdbench.files import check_size, write_text

FORMAT = 2
"""1 had one threshold for all fits of a machine, no fit in ``components.csv``, all of it float32."""
ENTRY = {
    "key",
    "formula",
    "dataset",
    "stamps",
    "fits",
    "failed",
    "impossible",
    "thresholds",
    "cells",
    "constant",
    "files",
}
THRESHOLD = {"value", "reason", "clips", "sections"}
"""Of each fit's threshold; where there is one, the gamma distribution's ``shape``, ``location`` and ``scale``, too."""


class OutdatedError(DataError):
    """Results of an earlier format."""


def threshold_of(entry: Mapping[str, Any] | None, section: str) -> Mapping[str, Any]:
    """What a machine's entry says of the threshold that decides a section's clips; {} without one or without entry."""
    thresholds = entry["thresholds"] if entry else {}
    return next((own for own in thresholds.values() if section in own["sections"]), {})


def unit_of(entry: Mapping[str, Any], section: str) -> str:
    """The fit that scored a section of a machine, ``fan``, ``fan/dev``, ``fan/00`` or ``all``; "" where none did."""
    fits = entry["fits"]
    own = [label for label, fit in fits.items() if section in fit.get("sections", ())]
    return str(next(iter(own or fits), ""))


def undecided(machine: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """Machine, or its fit where it has several -> why there is no threshold, though some of its cells have scores."""
    scored = {name.rpartition("/")[0] for name, reason in entry["cells"].items() if reason is None}
    many = len(entry["thresholds"]) > 1
    return {
        fit if many else machine: own["reason"]
        for fit, own in entry["thresholds"].items()
        if own["value"] is None and scored.intersection(own["sections"])
    }


def reduced(manifest: Mapping[str, Any]) -> str:
    """``2 of 300 epochs`` where a run was trained for fewer than the full budget, else ""."""
    entry = next(iter(manifest["machines"].values()))
    parameters, full = entry["key"]["parameters"], manifest["system"].get("full_epochs")
    epochs = parameters.get("epochs")
    if parameters.get("weights") is not None or epochs is None or full is None or epochs >= full:
        return ""
    return f"{epochs} of {full} epochs"


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest, or {} where there is none yet.

    Raises
    ------
    OutdatedError
        Where an earlier version of asdbench has written it.
    DataError
        Where it is not one of ours, damaged, or of a newer format.
    """
    if not path.exists():
        return {}
    check_size(path)
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            "a manifest cannot be read", looked=f"{path}: {error}", hint="remove that seed folder and run again"
        ) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if isinstance(found, int) and 0 < found < FORMAT:
        raise OutdatedError(
            "these results were made by an earlier version of asdbench",
            looked=f"{path}: format {found}, this version reads format {FORMAT}",
            hint='make them again: add --replace to the `asdbench run` that made them (its "command" in that file);'
            " or remove that seed folder, or read it with the version that made it",
        )
    if found != FORMAT or not _whole(manifest):
        raise DataError(
            "a manifest that is damaged or of another format",
            looked=f"{path}: expected format {FORMAT} with all its fields, found format {found}",
            hint="use the version of asdbench that wrote it, or remove that seed folder and run again",
        )
    return manifest


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest, with its format.

    Raises
    ------
    ValueError
        For a number that is none: JSON has no word for it.
    """
    text = json.dumps({"format": FORMAT, **manifest}, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def _whole(manifest: Mapping[str, Any]) -> bool:
    """Whether everything is there that readers of a manifest rely on."""
    about, machines = manifest.get("system"), manifest.get("machines")
    if not isinstance(about, dict) or not isinstance(machines, dict) or not isinstance(manifest.get("stamps"), list):
        return False
    data = manifest.get("dataset")
    if not isinstance(data, dict) or data.get("year", 2021) not in YEARS or not isinstance(manifest.get("seed"), int):
        return False
    if not all(isinstance(entry, dict) and set(entry) >= ENTRY for entry in machines.values()):
        return False
    thresholds = [own for entry in machines.values() for own in entry["thresholds"].values()]
    if not all(isinstance(own, dict) and set(own) >= THRESHOLD for own in thresholds):
        return False
    names = [*machines, *(name.rpartition("/")[0] for entry in machines.values() for name in entry["cells"])]
    return not any(character in name for name in names for character in "/\\\0")  # they become parts of file names
