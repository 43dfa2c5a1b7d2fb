"""The whole benchmark at its full number of clips, tried: ``python -m tests.benchmarks.scale FOLDER [CLIPS]``.

Below FOLDER it writes the tree of DCASE 2021, 7 machines x 6 sections, with clips of 0.2 s of noise (ResNet38 needs
0.15 s), and takes it through index, embedding by the untrained ResNet38, ``mvg``, a short ``clvae`` and a run with
nothing left to do: the real commands, with two workers. For each it prints time, processor time and the peak of memory
over all of its processes. Not a test: 50,000 clips take seven minutes.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asdbench.datasets.years import YEARS
from asdbench.published import official_counts
from tests.trees import tiny_wav, write_tree

SAMPLES = 3200
MACHINES = sorted(YEARS[2021].dev)
EPOCHS = 5
EVERY = 0.1  # seconds between two looks at the memory
GIVEN = ("--dataset", "dcase2021:data", "--weights", "random", "--workers", "2", "--cache", "cache")
CLVAE = f"clvae[epochs={EPOCHS}]"
STAGES = {
    "index, counts, hashes and headers: `datasets validate`": ("datasets", "validate", "dcase2021:data", *GIVEN[-2:]),
    "embedding: `embed`": ("embed", *GIVEN, "--output", "features"),
    "mvg: `run`": ("run", *GIVEN, "--systems", "mvg"),
    f"clvae, {EPOCHS} epochs: `run`": ("run", *GIVEN, "--systems", CLVAE),
    "both again, nothing to do: `run`": ("run", *GIVEN, "--systems", f"mvg,{CLVAE}"),
    "tables: `report`": ("report",),
}


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds, seconds of processor time, megabytes at the peak."""

    seconds: float
    processor: float
    memory: float


def make(root: Path, clips: int) -> int:
    """Write the tree, of fewer than 5,000 clips for one machine's development data alone; how many clips it has."""
    whole = clips >= 5000
    machines = MACHINES if whole else MACHINES[:1]
    counts = {cell: count for cell, count in official_counts().items() if whole or cell[1] in YEARS[2021].dev[cell[0]]}
    scale = clips / sum(count for cell, count in counts.items() if cell[0] in machines)
    parts = ("dev", "additional", "eval") if whole else ("dev",)
    made = write_tree(root, 2021, scale=scale, machines=machines, parts=parts, linked=False)
    for number, path in enumerate(sorted(root.rglob("*.wav"))):
        path.write_bytes(tiny_wav(number, samples=SAMPLES))
    return made.total()


def cost(command: Sequence[str], folder: Path) -> Cost:
    """Run a command in a folder to its end, and watch it."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    peak = 0.0
    with (folder / "output.txt").open("a") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "asdbench", *command],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        while running.poll() is None:
            peak = max(peak, _memory(_session(running.pid)))
            time.sleep(EVERY)
    took, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if running.returncode not in (0, 4):  # 4: `datasets validate` misses clips where the tree is not of all
        raise SystemExit(f"asdbench {' '.join(command)} ended with {running.returncode}: see {folder / 'output.txt'}")
    return Cost(took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak)


def _session(leader: int) -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == leader:
            yield process


def _memory(processes: Iterable[Path]) -> float:
    """Megabytes: each one's own pages, and once those that the largest shares with others (libraries, mostly)."""
    own, shared = 0, 0
    for process in processes:
        try:
            _, resident, common, *_ = map(int, (process / "statm").read_text().split())
        except OSError:  # it has ended
            continue
        own, shared = own + resident - common, max(shared, common)
    return (own + shared) * resource.getpagesize() / 2**20


def parts(folder: Path) -> dict[str, dict[str, float]]:
    """By system: the seconds that its manifests state, summed over fits."""
    found: dict[str, dict[str, float]] = {}
    for path in sorted((folder / "results").rglob("manifest.json")):
        fits = [fit for one in json.loads(path.read_text())["machines"].values() for fit in one["fits"].values()]
        system = path.relative_to(folder / "results").parts[1]
        found[system] = {stage: sum(fit["seconds"][stage] for fit in fits) for stage in ("load", "fit", "score")}
    return found


def main(folder: Path, clips: int) -> None:
    """Write, run, print."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"{make(folder / 'data', clips):,} clips")
    time.sleep(2.5)  # hashes of what is younger are not kept
    for what, command in STAGES.items():
        one = cost(command, folder)
        print(f"{what}: {one.seconds:.1f} s, {one.processor:.1f} s of processor time, {one.memory:.0f} MB")
    for system, seconds in parts(folder).items():
        print(f"{system}: " + ", ".join(f"{stage} {took:.1f} s" for stage, took in seconds.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), int(sys.argv[2]) if sys.argv[2:] else 50000)
