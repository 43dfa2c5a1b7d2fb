"""A small results folder of the toy data for pages and figures: made scores, and all the files that a run leaves."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.api import DOMAINS, Cell
from asdbench.results.components import Components, Row
from asdbench.results.results_folder import seed_folder

NASTY = "<script>alert('x')</script> \"a|b\" _c_ $\\alpha$\nd"
MACHINES = ("ToyCar", "fan", "valve")


def write_results(
    results: Path,
    *,
    systems: Sequence[str] = ("clvae", "mvg"),
    machines: Sequence[str] = MACHINES,
    sections: Sequence[str] = ("00", "01"),
    dataset: str = "toy",
    spec: str = "toy",
    stamps: Sequence[str] = ("synthetic data", "untrained network"),
    year: int = 2021,
    published: bool = False,
    seeds: Sequence[int] = (777,),
    recorded: bool = True,
    count: int = 10,
    full_epochs: int = 300,
) -> Path:
    """Write a seed folder a system and seed, as a run would; the later a system stands, the better it is.

    Trained for 10 epochs.
    """
    for (place, system), seed in itertools.product(enumerate(systems), seeds):
        folder = seed_folder(results, dataset, system, seed)
        draws = np.random.default_rng([place, seed])
        labels: list[list[str]] = []
        entries: dict[str, Any] = {}
        domains = DOMAINS if year > 2020 else ("",)
        # a manifest first: the names of score files are those of its year
        folder.write_manifest(_manifest(dataset, spec, system, stamps, seed, {}, year, published, full_epochs))
        for machine in machines:
            entry = entries.setdefault(machine, _entry(spec, stamps, sections, machine))
            for section in sections:
                scored: dict[Cell, tuple[list[str], list[float]]] = {}
                for domain in domains:
                    names, scores = [], []
                    for label, number in itertools.product(("normal", "anomaly"), range(count)):
                        names.append(
                            "_".join(filter(None, ("section", section, domain, "test", label, f"{number:04d}.wav")))
                        )
                        scores.append(4 + float(draws.standard_normal()) + (1 + place) * 0.6 * (label == "anomaly"))
                        labels.append([machine, section, domain, names[-1], "dev", label])
                    file = folder.files.year.definition.file(Cell(machine, section, domain))
                    known = scored.setdefault(file, ([], []))
                    known[0].extend(names)
                    known[1].extend(scores)
                    entry["cells"][f"{section}/{domain}"] = None
                for file, (names, scores) in scored.items():
                    folder.files.write_scores(file, names, np.array(scores))
                    entry["files"].update(folder.files.digests([file]))
        folder.write_labels(labels)
        folder.write_manifest(_manifest(dataset, spec, system, stamps, seed, entries, year, published, full_epochs))
        if recorded and place == 0:
            _record(folder, machines, sections, draws)
    return results


def _record(folder: Any, machines: Sequence[str], sections: Sequence[str], draws: np.random.Generator) -> None:
    folder.write_history(
        [
            {"fit": machine, "epoch": epoch, "loss": 900 / epoch**2, "kld": 3 + 1 / epoch}
            for machine in machines
            for epoch in range(1, 11)
        ]
    )
    folder.write_epochs({m: {epoch: {"auc": 0.5 + 0.02 * epoch} for epoch in range(1, 11)} for m in machines})
    identity = [
        Row(split, machine, section, "", f"{split}{n}", machine)
        for machine in machines
        for section in sections
        for split, many in (("train", 12), ("centre", 1))
        for n in range(many)
    ]
    points = draws.standard_normal((len(identity), 2)).astype(np.float32)
    folder.write_latent(Components(identity, {"x": points[:, 0], "y": points[:, 1]}))


def machine_entry(
    spec: str,
    stamps: Sequence[str],
    *,
    epochs: int = 10,
    batch_size: int = 32,
    weights: Any = "random",
    data: str = "d",
) -> dict[str, Any]:
    """What a manifest says of a machine that nothing is scored of yet; given to be filled and changed."""
    return {
        "key": {
            "parameters": {"epochs": epochs, "batch_size": batch_size},
            "embedding": {"weights": weights},
            "threads": 1,
            "device": "cpu",
            "data": data,
            "asdbench": "0.1.0",
        },
        "formula": {"kld": 1.0},
        "fits": {},
        "cells": {},
        "files": {},
        "dataset": spec,
        "stamps": list(stamps),
        "failed": {},
        "impossible": {},
        "constant": [],
        "thresholds": {},
    }


def _entry(spec: str, stamps: Sequence[str], sections: Sequence[str], machine: str) -> dict[str, Any]:
    return machine_entry(spec, stamps, data="d" * 64) | {
        "fits": {
            machine: {
                "train_clips": 57,
                "steps": 50,
                "sections": list(sections),
                "seconds": {"load": 0.1, "fit": 2.5, "score": 0.2},
            }
        },
        "thresholds": {
            machine: {
                "shape": 4.0,
                "location": 2.0,
                "scale": 0.5,
                "value": 5.34,
                "above": 0.1,
                "reason": None,
                "clips": 57,
                "sections": list(sections),
            }
        },
        "environment": {"python": "3.11.7", "torch": "2.13.0"},
        "command": "asdbench run --dataset toy",
        "seconds": {"embedding": 1.5},
        "written": "2026-01-01T00:00:00+00:00",
    }


def _manifest(
    dataset: str,
    spec: str,
    system: str,
    stamps: Sequence[str],
    seed: int,
    entries: dict[str, Any],
    year: int,
    published: bool,
    full_epochs: int,
) -> dict[str, Any]:
    return {
        "dataset": {"name": dataset, "spec": spec, "profile": "quick", "year": year},
        "system": {
            "name": system,
            "spec": system,
            "title": f"Title of {system}",
            "published": "narita2021/table-5" if published else None,
            "full_epochs": full_epochs,
            "source": "a test",
            "embedding": "resnet38",
        },
        "stamps": list(stamps),
        "seed": seed,
        "machines": entries,
    }
