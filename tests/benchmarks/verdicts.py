"""How often verdicts about methods are right: a simulation. ``python -m tests.benchmarks.verdicts --sets 1000``.

A set has 7 machines of 3 cells of 60 + 60 clips. A fit's anomalies score d' above its normal clips, d' .5, 1 and 1.5 in
the cells of a machine, plus the fit's own effect on that machine. A clip's score has a part of its own in all systems
(.6 of the variance), one in all fits of a system (.2) and one in each fit (.2). Training effects have a standard
deviation of 0 to .4 and are Gaussian, skewed (now and then a bad fit: minus an exponential), heavy-tailed (Student's t
with 3 degrees of freedom) or Gaussian with 10 % of one side's fits collapsed, which lose 12 points of AUC.

Three pairs in each set: two methods of the same law (unpaired), two readings of the same fits (paired), a method and a
deterministic one. Of each set the first 2, 3, 5 and 10 fits and the first 1, 3 and 7 machines are looked at. The truth
is the mean difference over all sets, which is what the methods are expected to differ by (exactly 0 between equals).
Power and errors at a given difference come from moving the estimate by it.

Resumable: each law's sets are kept in the output folder, and only those that are missing are simulated. Then sets of
few clips (:func:`few`). 1,000 sets take about ten minutes of one processor.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.judging.means import Contributions, Mean, contributions
from asdbench.judging.measuring import Measured, Value, measure, restricted
from asdbench.judging.samples import Sample, Scored, checked
from asdbench.judging.spread import spread
from asdbench.metrics.challenge import DEFINITIONS

Floats = NDArray[np.float64]
DEFINITION = DEFINITIONS[2021]
SHIFTS = (0.5, 1.0, 1.5)
MACHINES = (1, 3, 7)
SEEDS = (2, 3, 5, 10)
PAIRS = ("unpaired", "paired", "one deterministic")
QUANTITIES = ("official", "auc", "pauc")
FIELDS = ("difference", "training part", "clip part", "freedom of the trainings", "freedom of the clips")
LAWS = [
    (law, scale)
    for law in ("gaussian", "skewed", "heavy", "collapsed")
    for scale in (0.0, 0.1, 0.2, 0.4)
    if scale or law in ("gaussian", "collapsed")
]
CLIPS = 60
MARGIN = 0.01
NORMAL = NormalDist()


def effects(random: np.random.Generator, law: str, scale: float, shape: tuple[int, ...]) -> Floats:
    """Training effects in d', mean 0."""
    if law == "skewed":
        drawn = 1 - random.exponential(size=shape)
    elif law == "heavy":
        drawn = random.standard_t(3, shape) / np.sqrt(3)
    else:
        drawn = random.standard_normal(shape)
    return np.asarray(scale * drawn)


def collapsed(shift: float) -> float:
    """How much d' falls where the AUC falls by 12 points."""
    area = NORMAL.cdf(shift / np.sqrt(2))
    return shift - float(np.sqrt(2)) * NORMAL.inv_cdf(area - 0.12)


def drawn(
    random: np.random.Generator, law: str, scale: float, clips: int = CLIPS, fits: int = SEEDS[-1], machines: int = 7
) -> dict[str, Sample]:
    """The four systems of a set: a and b of one law, c another reading of a's fits, d deterministic."""
    sides = {"a": fits, "b": fits, "c": fits, "d": 1}
    own = {name: effects(random, law, scale, (machines, fits)) for name in "ab"}
    own["c"] = own["a"] + effects(random, law, 0.3 * scale, (machines, fits))
    own["d"] = np.zeros((machines, 1))
    lost = random.random((machines, fits)) < (0.1 if law == "collapsed" else 0.0)
    labels = np.repeat([0, 1], clips)
    names = tuple(f"{number:04d}" for number in range(2 * clips))
    files: dict[str, list[Scored]] = {name: [] for name in sides}
    for machine in range(machines):
        for section, shift in enumerate(SHIFTS):
            common = np.sqrt(0.6) * random.standard_normal(2 * clips)
            noise = {name: random.standard_normal((1 + count, 2 * clips)) for name, count in sides.items()}
            # Another reading of the same fits ranks clips much as the first does.
            noise["c"] = np.sqrt(0.8) * noise["a"] + np.sqrt(0.2) * noise["c"]
            for name, count in sides.items():
                lift = shift + own[name][machine]
                if name in "ac":
                    lift = lift - lost[machine] * collapsed(shift)
                scores = common + np.sqrt(0.2) * (noise[name][:1] + noise[name][1:]) + lift[:, None] * labels
                keys = tuple(f"{machine} {seed}" for seed in range(count)) if name in "ac" else ()
                seeds = tuple(f"{seed:02d}" for seed in range(count))
                file = Cell(f"machine {machine}", f"{section:02d}", "source")
                files[name].append(Scored(file, file.machine, seeds, labels, scores, names, (), keys))
    return {name: Sample(name, tuple(own), name == "d") for name, own in files.items()}


def wanted(measured: Measured) -> Iterator[tuple[list[Value], Mean]]:
    """The quantities: values and kind of mean."""
    for quantity in QUANTITIES:
        values = [value for value in measured.values if quantity in ("official", value[1])]
        yield values, "harmonic" if quantity == "official" else "arithmetic"


def looked_at(systems: dict[str, Measured]) -> Floats:
    """The fields of all pairs, machines, seeds and quantities of a set."""
    found = np.full((len(PAIRS), len(MACHINES), len(SEEDS), len(QUANTITIES), len(FIELDS)), np.nan)
    every = list(systems["a"].files)
    fixed: dict[int, Contributions] = {}
    for m, machines in enumerate(MACHINES):
        files = every[: machines * len(SHIFTS)]
        units = [f"machine {machine}" for machine in range(machines)]
        for k, seeds in enumerate(SEEDS):
            rows = dict.fromkeys(units, range(seeds))
            some = {name: restricted(systems[name], files, rows) for name in "abc"}
            for q, (values, mean) in enumerate(wanted(some["a"])):
                sides = {name: contributions(own, values, mean) for name, own in some.items()}
                if not k:
                    fixed[q] = contributions(restricted(systems["d"], files, {}), values, mean)
                sides["d"] = fixed[q]
                for p, (other, shared) in enumerate((("b", []), ("c", units), ("d", []))):
                    one = spread([(1, sides["a"]), (-1, sides[other])], shared)
                    found[p, m, k, q] = (
                        sides["a"].estimate - sides[other].estimate,
                        one.training_part,
                        one.clip_part,
                        *one.freedoms,
                    )
    return found


def simulate(law: str, scale: float, sets: int, folder: Path) -> Floats:
    """(sets, pairs, machines, seeds, quantities, fields); what is in the folder is not simulated again."""
    path = folder / f"{law}-{scale:g}.npy"
    known = np.load(path) if path.is_file() else np.zeros((0, 3, 3, 4, 3, 5))
    begun, found = time.monotonic(), []
    for number in range(len(known), sets):
        random = np.random.default_rng([number, *law.encode(), round(100 * scale)])
        samples = drawn(random, law, scale)
        found.append(looked_at({name: measure(checked(one), DEFINITION) for name, one in samples.items()}))
        if len(found) % 100 == 0 or number == sets - 1:
            known = np.concatenate([known, np.stack(found)])
            found = []
            np.save(path, known)
            print(f"{law} {scale:g}: {len(known)} sets, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return np.asarray(known[:sets])


def main(sets: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for law, scale in LAWS:
        simulate(law, scale, sets, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--output", type=Path, default=Path("verdicts"))
    given = parser.parse_args()
    main(given.sets, given.output)
