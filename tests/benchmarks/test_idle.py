"""Nothing to do costs nothing: commands on finished results, each a process, imports included.

That a finished run of 50,000 clips ends at once is part of the trial in :mod:`tests.benchmarks.scale`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from asdbench.datasets.years import YEARS
from tests.benchmarks.conftest import note
from tests.reports.results import write_results

SYSTEMS = ("ae", "cvae", "clvae", "clvae-ensemble", "mvg")
ROUNDS = 5


def seconds(*command: str) -> float:
    """Of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "asdbench", *command], check=True, capture_output=True)
    return time.perf_counter() - started


def test_commands_on_finished_results(full: bool, tmp_path: Path) -> None:
    sections = [f"{number:02d}" for number in range(6)]
    machines, seeds, clips = (sorted(YEARS[2021].dev), range(5), 100) if full else (["fan"], range(2), 10)
    there = str(
        write_results(tmp_path, systems=SYSTEMS, machines=machines, sections=sections, seeds=seeds, count=clips)
    )
    folders = list(tmp_path.rglob("manifest.json"))
    assert len(folders) == len(SYSTEMS) * len(seeds)
    seconds("check", there, "--update")
    commands = {("--help",): 0.3, ("systems",): 0.3, ("report", there): 2.0, ("check", there): 2.0}
    for command, limit in commands.items():
        took = statistics.median(seconds(*command) for _ in range(ROUNDS if full else 1))
        if full:
            note(f"`asdbench {command[0]}`, five systems x five seeds", took, "s", limit)
