"""How a run's time grows with clips, machines and seeds. ``python -m tests.benchmarks.growth docs/growth.svg``.

A run is ``asdbench.run`` over made-up features of 256 values with a Gaussian a section and a short CVAE: index, jobs,
training, scores, metrics, intervals and files, in one process.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from asdbench.api import Clip
from asdbench.datasets.features import write
from asdbench.running.run import run

SYSTEMS, WIDTH, ROUNDS = "mvg,cvae[epochs=3]", 256, 3
SIZES: Mapping[str, Sequence[int]] = {"clips": (2000, 4000, 8000), "machines": (2, 4, 8), "seeds": (2, 4, 8)}
SMALL: Mapping[str, Sequence[int]] = {"clips": (40, 80), "machines": (1, 2), "seeds": (1, 2)}
Times = dict[str, dict[int, float]]


def make(folder: Path, machines: int, clips: int) -> str:
    """A features folder: per machine, of two sections and domains, 4 in 5 clips for training; its spec."""
    made = []
    for number in range(machines * clips):
        machine, one = divmod(number, clips)
        section, domain = f"{one % 2:02d}", ("source", "target")[one // 2 % 2]
        split, label = ("test", ("normal", "anomaly")[one // 20 % 2]) if one // 4 % 5 == 0 else ("train", "normal")
        name = f"section_{section}_{domain}_{split}_{label}_{number:06d}.wav"
        made.append(Clip(name, f"machine{machine}", section, domain, split, "dev", label))  # type: ignore[arg-type]  # of the literals above
    draw = np.random.default_rng(0)
    values = draw.standard_normal((len(made), WIDTH), np.float32)
    write(folder, made, values, recipe={"made": "for a benchmark"}, weights="none", fingerprint="0", stamps=[])
    return f"features:{folder}"


def seconds(machines: int = 1, clips: int = 400, seeds: int = 1) -> float:
    """The time of a run from nothing, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        data = make(Path(folder) / "data", machines, clips)
        started = time.perf_counter()
        done = run(data, SYSTEMS, seeds=range(seeds), results=Path(folder) / "results", cache=Path(folder) / "cache")
        took = time.perf_counter() - started
    assert not done.failed, done.failed
    return took


def measure(sizes: Mapping[str, Sequence[int]] = SIZES, rounds: int = ROUNDS) -> Times:
    """Median seconds by what grows and its size; in rounds, so that a busy moment does not hit one size alone."""
    seconds(clips=40)  # imports
    found = [{(what, size): seconds(**{what: size}) for what in sizes for size in sizes[what]} for _ in range(rounds)]
    return {w: {size: statistics.median(one[w, size] for one in found) for size in sizes[w]} for w in sizes}


def steepness(times: Mapping[int, float]) -> float:
    """The exponent from the smallest to the largest size: 1 is linear, less where there is a fixed cost."""
    (low, first), *_, (high, last) = sorted(times.items())
    return float(np.log(last / first) / np.log(high / low))


def draw(times: Times, path: Path) -> None:
    """One plot: time against size, both as multiples of the smallest."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "asdbench"  # the same file from the same figures
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for marker, (what, several) in zip("os^", times.items(), strict=True):
        least = min(several)
        label = f"{what}: " + ", ".join(f"{size} in {took:.2g} s" for size, took in several.items())
        axes.plot(
            [s / least for s in several], [t / several[least] for t in several.values()], marker + "-", label=label
        )
    most = max(max(several) / min(several) for several in times.values())
    axes.plot([1, most], [1, most], "k--", linewidth=1, label="linear")
    axes.set(xscale="log", yscale="log", xlabel="size, as a multiple of the smallest", ylabel="time, likewise")
    ticks = [2**k for k in range(int(np.log2(most)) + 1)]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [str(tick) for tick in ticks])
        axis.set_ticks([], minor=True)
    axes.legend(fontsize="small")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    found = measure()
    for what, several in found.items():
        shown = ", ".join(f"{size}: {took:.2f} s" for size, took in several.items())
        print(f"{what:9} {shown}; exponent {steepness(several):.2f}")
    if sys.argv[1:]:
        draw(found, Path(sys.argv[1]))
