"""How often the intervals of one training hold the truth: a simulation. ``python tests/benchmarks/coverage.py SETS``.

A set has 42 cells. Normal scores are N(0, 1), anomalous ones N(d, 1) or N(d, 1.5): means over 3, 11 and 42 cells with d
from 0 to 2, then single cells with d up to 4. From 2022 on two cells are one file, and the target's normal scores are
N(0.3, 1). The truth is what so many clips give on average: a pAUC of ten normal clips is higher on average than one of
a thousand. Of a cell it is the mean of all sets, to which each set adds little. Not a test: 400 sets take 10 minutes of
one processor. Intervals of methods: ``python -m tests.benchmarks.verdicts``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.judging.estimates import estimate
from asdbench.judging.means import Mean
from asdbench.judging.measuring import Measured, Value, measure
from asdbench.judging.samples import Sample, Scored, checked
from asdbench.metrics.aggregate import Metric
from asdbench.metrics.challenge import DEFINITIONS

SHIFTS = (0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0)
HIGH = (0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
SPREADS = (1.0, 1.5)
CLIPS = (10, 30, 50, 100)
FEW = (3, 5, 7, 10, 20, 30, 100)
STEPS = (14, 4, 1)
CELLS = [(SHIFTS[number % len(SHIFTS)], SPREADS[1 - number % 2]) for number in range(42)]
TARGET = 0.3


def drawn(random: np.random.Generator, cells: Sequence[tuple[float, float]], clips: int, year: int) -> Measured:
    """One set, measured: a training of a system that is looked at as it is."""
    files = []
    for place, (shift, spread) in enumerate(cells):
        domains = ("source", "target") if year > 2021 else ("source",)
        scores, labels, names = [], [], []
        for domain in domains:
            offset = TARGET if domain == "target" else 0.0
            scores += [offset + random.standard_normal(clips), shift + spread * random.standard_normal(clips)]
            labels += [0] * clips + [1] * clips
            names += [domain] * 2 * clips
        file = Cell("fan", f"{place:03}", "" if year > 2021 else "source")
        clip = tuple(f"{number:05}" for number in range(len(labels)))
        whose = tuple(names) if year > 2021 else ()
        files.append(Scored(file, file.section, ("1",), np.array(labels), np.concatenate(scores)[None], clip, whose))
    return measure(checked(Sample("one training", tuple(files))), DEFINITIONS[year])


def quantities(measured: Measured, step: int) -> list[tuple[str, list[Value], Mean]]:
    """Means over every ``step``-th cell."""
    by: dict[Metric, list[Value]] = {
        metric: [value for value in measured.values if value[1] == metric][::step] for metric in ("auc", "pauc")
    }
    official = measured.definition.official
    return [
        ("mean AUC", by["auc"], "arithmetic"),
        ("mean pAUC", by["pauc"], "arithmetic"),
        ("official score", [*by["auc"], *by["pauc"]], official),
    ]


def held(found: Sequence[tuple[float, float, float]]) -> float:
    """Percent of the intervals that hold the mean of all estimates; of those that are there."""
    values = np.array(found)
    there = ~np.isnan(values[:, 1])
    right: NDArray[np.bool_] = (values[:, 1] <= values[:, 0].mean()) & (values[:, 0].mean() <= values[:, 2])
    return float(100 * right[there].mean()) if there.any() else float("nan")


def bounds(measured: Measured, values: Sequence[Value], mean: Mean) -> tuple[float, float, float]:
    """Estimate and interval; nan where there is none."""
    one = estimate(measured, values, mean, as_they_are=True)
    return one.value, np.nan if one.low is None else one.low, np.nan if one.high is None else one.high


def means(sets: int, clips: int, year: int = 2021) -> None:
    """Simulate means and print the coverage in percent."""
    random = np.random.default_rng(clips)
    found: dict[tuple[int, str], list[tuple[float, float, float]]] = {}
    for _ in range(sets):
        measured = drawn(random, CELLS if year == 2021 else CELLS[::2], clips, year)
        for step in STEPS if year == 2021 else (1,):
            for name, values, mean in quantities(measured, step):
                found.setdefault((step, name), []).append(bounds(measured, values, mean))
    for (step, name), own in found.items():
        none = int(sum(np.isnan(low) for _, low, _ in own))
        cells = len(CELLS[::step])
        shown = f"{year}: {clips:3} clips, {cells:2} cells, {name:14} {held(own):5.1f}"
        print(f"{shown}, none in {none} of {sets}", flush=True)


def single(sets: int, clips: int) -> None:
    """Simulate cells by themselves and print the least and most coverage, AUC under and above .95."""
    random = np.random.default_rng(2)
    shares: dict[tuple[str, Metric], list[float]] = {}
    for spread in SPREADS:
        for shift in HIGH:
            measured = drawn(random, [(shift, spread)] * sets, clips, 2021)
            of: dict[Metric, list[tuple[float, float, float]]] = {"auc": [], "pauc": []}
            for value in measured.values:
                of[value[1]].append(bounds(measured, [value], "arithmetic"))
            where = "under" if np.mean([one for one, _, _ in of["auc"]]) < 0.95 else "above"
            for metric, own in of.items():
                shares.setdefault((where, metric), []).append(held(own))
    for (where, metric), least in sorted(shares.items()):
        print(f"{clips:3} clips, AUC {where} .95, {metric:4}: {min(least):5.1f} to {max(least):5.1f}", flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    for number in FEW:
        means(count, number)
    means(count, 50, 2023)
    for number in CLIPS:
        single(count, number)
