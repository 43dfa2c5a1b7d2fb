"""Nothing to do costs nothing: commands on finished results, each a process, imports included.

That a finished run of 50,000 clips ends at once is part of the trial in :mod:`tests.benchmarks.scale`.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from asdbench.api import Clip, Label, Split
from asdbench.datasets.features import write
from asdbench.running import run

from .conftest import note

SYSTEMS = "mvg,cvae[epochs=1],clvae[epochs=1],clvae-ensemble[epochs=1],cvae[epochs=2]"
WIDTH, ROUNDS = 16, 5


def results(folder: Path, machines: int, clips: int, seeds: int) -> Path:
    """Results of five systems on made-up features: 6 sections a machine, so many test clips a domain and label."""
    kinds: list[tuple[Split, Label]] = [("train", "normal"), ("test", "normal"), ("test", "anomaly")]
    made = []
    for machine, section, domain, (split, label), number in itertools.product(
        range(machines), range(6), ("source", "target"), kinds, range(clips)
    ):
        name = f"section_{section:02d}_{domain}_{split}_{label}_{number:04d}.wav"
        made.append(Clip(name, f"machine{machine}", f"{section:02d}", domain, split, "dev", label))
    values = np.random.default_rng(0).standard_normal((len(made), WIDTH), np.float32)
    write(folder / "data", made, values, recipe={"made": "here"}, weights="none", fingerprint="0", stamps=[])
    done = run(f"features:{folder / 'data'}", SYSTEMS, seeds=range(seeds), results=folder, cache=folder / "cache")
    assert not done.failed
    return folder


def seconds(*command: str) -> float:
    """Of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "asdbench", *command], check=True, capture_output=True)
    return time.perf_counter() - started


def test_commands_on_finished_results(full: bool, tmp_path: Path) -> None:
    there = str(results(tmp_path, *((7, 100, 5) if full else (1, 10, 2))))
    folders = list(tmp_path.rglob("manifest.json"))
    assert len(folders) == 5 * (5 if full else 2)
    seconds("check", there, "--update")
    commands = {
        ("--help",): 0.3,
        ("systems",): 0.3,
        ("report", there): 2.0,
        ("check", there): 2.0,
    }
    for command, limit in commands.items():
        took = [seconds(*command) for _ in range(ROUNDS if full else 1)]
        if full:
            note(f"`asdbench {command[0]}`, five systems x five seeds", statistics.median(took), "s", limit)
    kept = list(tmp_path.rglob("metrics.json"))
    assert len(kept) == len(folders)
    stored = seconds("report", there)
    for file in kept:
        file.unlink()
    first = seconds("report", there)
    assert {file.exists() for file in kept} == {True}
    if full:
        note("`asdbench report` the first time, a result folder", (first - stored) / len(folders), "s", 3)
