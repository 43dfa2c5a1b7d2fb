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
few clips (:func:`few`). 1,000 sets take about half an hour of one processor.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.judging.estimates import estimate
from asdbench.judging.means import Contributions, Mean, contributions
from asdbench.judging.measuring import Measured, Value, measure, restricted
from asdbench.judging.samples import Sample, Scored, checked
from asdbench.judging.spread import spread
from asdbench.metrics.challenge import DEFINITIONS

from .verdict_tables import MACHINES, PAIRS, SEEDS, report, table

Floats = NDArray[np.float64]
DEFINITION = DEFINITIONS[2021]
SHIFTS = (0.5, 1.0, 1.5)
QUANTITIES = ("official", "auc", "pauc")
FEW = (3, 5, 7, 10, 20, 30, 50, 100)
PLACES = [
    (quantity, machines) for quantity in QUANTITIES for machines in (0, 1, 7) if machines or quantity != "official"
]
"""Quantities and machines; 0: one cell."""
FIELDS = ("difference", "training part", "clip part", "freedom of the trainings", "freedom of the clips")
LAWS = [
    (law, scale)
    for law in ("gaussian", "skewed", "heavy", "collapsed")
    for scale in (0.0, 0.1, 0.2, 0.4)
    if scale or law in ("gaussian", "collapsed")
]
CLIPS = 60
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


def few(sets: int, folder: Path) -> Iterator[str]:
    """Coverage with few clips: 5 seeds, Gaussian effects of .2, 1 cell, 3 cells of 1 machine and 21 cells of 7.

    Of differences between equals, and of one method's values (the truth is their mean over all sets: the metric that
    so many clips are expected to give). A set whose harmonic mean falls to 0 has no interval and does not count.
    """
    rows = []
    for clips in FEW:
        path = folder / f"few-{clips}.npy"
        known = np.load(path) if path.is_file() else np.zeros((0, len(PLACES), 5))
        for number in range(len(known), sets):
            samples = drawn(np.random.default_rng([number, clips]), "gaussian", 0.2, clips, 5)
            known = np.concatenate(
                [known, _few_clips([measure(checked(samples[name]), DEFINITION) for name in "ab"])[None]]
            )
        np.save(path, known)
        print(f"{clips} clips: {len(known)} sets", file=sys.stderr, flush=True)
        inside, low, value, high, falls = np.moveaxis(known[:sets], 2, 0)
        truth = value.mean(axis=0)
        for place, (name, machines) in enumerate(PLACES):
            told = falls[:, place] == 0
            one = (low[:, place] <= truth[place]) & (truth[place] <= high[:, place])
            shares = [
                f"{100 * found[told].mean():.1f}" if told.sum() >= 50 else "" for found in (inside[:, place], one)
            ]
            rows.append([str(clips), f"{name}, {machines or 'cell'}", *shares, f"{100 * (1 - told.mean()):.0f}"])
    yield from ("", "Few clips: coverage of a difference and of one method's value, and how often there is none:", "")
    yield from table(["clips a class", "", "difference", "one method", "falls to 0"], rows)


def _few_clips(systems: Sequence[Measured]) -> Floats:
    """(places, fields): whether the difference's interval holds 0; low, value, high of one; whether it falls to 0."""
    found = []
    every = list(systems[0].files)
    for name, machines in PLACES:
        some = [restricted(own, every[: (machines or 1) * len(SHIFTS)], {}) for own in systems]
        values, mean = dict(zip(QUANTITIES, wanted(some[0]), strict=True))[name]
        values = values if machines else values[1:2]
        sides = [contributions(own, values, mean) for own in some]
        gap = spread([(1, sides[0]), (-1, sides[1])])
        one = estimate(some[0], values, mean)
        inside = abs(sides[0].estimate - sides[1].estimate) <= gap.reach(0.95)
        falls = bool(sides[0].falling or sides[1].falling)
        found.append([inside, one.low or 0.0, one.value, one.high or 0.0, falls])
    return np.array(found, dtype=np.float64)


def main(sets: int, folder: Path) -> None:
    """Simulate what is missing and print the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    results = {(law, scale): simulate(law, scale, sets, folder) for law, scale in LAWS}
    for line in (*report(results), *few(sets, folder)):
        print(line)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--output", type=Path, default=Path("verdicts"), help="where sets are kept")
    given = parser.parse_args()
    main(given.sets, given.output)
