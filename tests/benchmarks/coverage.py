"""How often the intervals hold the truth: a simulation. ``python tests/benchmarks/coverage.py SETS RESAMPLES YEAR``.

A set has 42 cells of 100 + 100 clips. Normal scores are N(0, 1), anomalous ones N(d, 1) or N(d, 1.5), d from 0 to 2, so
that AUC and pAUC of the population are known. Then means over fewer cells and of fewer clips, then single cells, of
fewer and more clips and up to d = 4. Not a test: 400 sets take half an hour on one processor.

From 2022 on two cells are one file of 50 + 50 clips a domain, and the target's normal scores are N(0.3, 1): AUC is
against the anomalies of both, pAUC over all clips.
"""

from __future__ import annotations

import sys
from statistics import NormalDist

import numpy as np

from asdbench.metrics.intervals import (
    PAUC_FLOOR,
    Draws,
    Interval,
    arithmetic,
    cell_interval,
    harmonic,
    interval,
    resample,
)

SHIFTS = (0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0)
CLIPS = (10, 30, 50, 100, 200)
FEW = (3, 5, 7, 10, 20, 30, 100)
STEPS = (14, 4, 1)
HIGH = (0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
CELLS = [(SHIFTS[number % len(SHIFTS)], 1.0 if number % 2 else 1.5) for number in range(42)]
SECTIONS = [(shift, 1.0 if number % 2 else 1.5) for number, (shift, _) in enumerate(CELLS[::2])]
TARGET = 0.3
NORMAL = NormalDist()


def truth(shift: float, spread: float) -> tuple[float, float]:
    """AUC and standardised pAUC of the population."""
    rates = np.linspace(1e-9, 0.1, 4001)
    hits = [1 - NORMAL.cdf((NORMAL.inv_cdf(1 - rate) - shift) / spread) for rate in rates.tolist()]
    area = float(np.trapezoid(hits, rates))
    return NORMAL.cdf(shift / np.sqrt(1 + spread**2)), 0.5 * (1 + (area - 0.005) / 0.095)


def truth_of_section(shift: float, spread: float) -> tuple[float, float, float]:
    """AUC of source and target and standardised pAUC of the population, 2022 and later."""
    thresholds = np.linspace(8, -3, 20001)
    above = np.array([1 - NORMAL.cdf(one) for one in thresholds.tolist()])
    moved = np.array([1 - NORMAL.cdf(one - TARGET) for one in thresholds.tolist()])
    hits = np.array([1 - NORMAL.cdf((one - shift) / spread) for one in thresholds.tolist()])
    false = (above + moved) / 2
    rates = np.linspace(0, 0.1, 4001)
    area = float(np.trapezoid(np.interp(rates, false, hits), rates))
    source, target = (NORMAL.cdf((shift - offset) / np.sqrt(1 + spread**2)) for offset in (0.0, TARGET))
    return source, target, 0.5 * (1 + (area - 0.005) / 0.095)


KNOWN = [truth(*cell) for cell in CELLS]
KNOWN_SECTIONS = [truth_of_section(*section) for section in SECTIONS]


def drawn_sections(
    random: np.random.Generator, number: int, resamples: int
) -> tuple[list[tuple[float, Draws]], list[tuple[float, Draws]]]:
    """One set's AUCs and pAUCs, each with its truth, 2022 and later."""
    labels, domains = np.tile(np.repeat([0, 1], 50), 2), ["source"] * 100 + ["target"] * 100
    areas, partial = [], []
    for place, (shift, spread) in enumerate(SECTIONS):
        anomalous = [shift + spread * random.standard_normal(50) for _ in range(2)]
        normal = [offset + random.standard_normal(50) for offset in (0.0, TARGET)]
        scores = np.concatenate([normal[0], anomalous[0], normal[1], anomalous[1]])
        found = resample(labels, scores, domains, count=resamples, seed=100 * number + place)
        source, target, part = KNOWN_SECTIONS[place]
        areas += [(source, found.own["source"]), (target, found.own["target"])]
        partial.append((part, found.pauc))
    return areas, partial


def drawn_cells(
    random: np.random.Generator, number: int, resamples: int, clips: int = 100
) -> tuple[list[tuple[float, Draws]], list[tuple[float, Draws]]]:
    """One set's AUCs and pAUCs, each with its truth, 2021."""
    labels = np.repeat([0, 1], clips)
    areas, partial = [], []
    for place, (shift, spread) in enumerate(CELLS):
        scores = np.concatenate([random.standard_normal(clips), shift + spread * random.standard_normal(clips)])
        found = resample(labels, scores, count=resamples, seed=100 * number + place)
        areas.append((KNOWN[place][0], found.auc))
        partial.append((KNOWN[place][1], found.pauc))
    return areas, partial


def plain(draws: Draws, low: float = 0.0) -> Interval:
    """The percentile interval without correction."""
    bottom, top = np.quantile(draws[1:], [0.025, 0.975])
    return Interval(float(draws[0]), float(bottom), float(top))


def means(
    areas: list[tuple[float, Draws]], partial: list[tuple[float, Draws]]
) -> list[tuple[str, Draws, float, float]]:
    """Means and official score of a set: name, resamples, truth and where the quantity ends."""
    every = [*areas, *partial]
    return [
        ("mean AUC", arithmetic(one for _, one in areas), float(np.mean([one for one, _ in areas])), 0.0),
        ("mean pAUC", arithmetic(one for _, one in partial), float(np.mean([one for one, _ in partial])), PAUC_FLOOR),
        ("official score", harmonic(one for _, one in every), len(every) / sum(1 / one for one, _ in every), 0.0),
    ]


def holds(found: Interval | None, right: float) -> bool:
    """Whether there is an interval that holds the truth."""
    return found is not None and found.low <= right <= found.high


def main(sets: int = 400, resamples: int = 1000, year: int = 2021) -> None:
    """Simulate and print the coverage in percent."""
    random = np.random.default_rng(1)
    held: dict[str, dict[str, list[bool]]] = {"taken": {}, "plain": {}}
    for number in range(sets):
        areas, partial = (drawn_sections if year > 2021 else drawn_cells)(random, number, resamples)
        cases = [(f"AUC of a cell, {right:.2f}", draws, right, 0.0) for right, draws in areas]
        cases += [(f"pAUC of a cell, {right:.2f}", draws, right, PAUC_FLOOR) for right, draws in partial]
        cases += means(areas, partial)
        for name, draws, right, floor in cases:
            partly = name.startswith("pAUC")
            clips = (50 if year > 2021 and not partly else 100, 100)
            own = cell_interval(draws, clips, partial=partly) if "of a cell" in name else None
            for method, found in (("taken", own or interval(draws, low=floor)), ("plain", plain(draws))):
                held[method].setdefault(name, []).append(holds(found, right))
    print(f"{sets} sets, {resamples} resamples; coverage of 95 % intervals in percent")
    for name in sorted(held["taken"]):
        taken, without = (100 * np.mean(held[method][name]) for method in ("taken", "plain"))
        print(f"{name:28} {taken:6.1f}   plain percentile {without:6.1f}")


def few(sets: int = 400, resamples: int = 1000) -> None:
    """Simulate means over few cells or few clips, whether or not reports give their intervals, and print the coverage.

    The fewer cells are every ``step``-th of the same draws.
    """
    for clips in FEW:
        random, held = np.random.default_rng(clips), dict[tuple[int, str], list[bool]]()
        for number in range(sets):
            areas, partial = drawn_cells(random, number, resamples, clips)
            for step in STEPS:
                for name, draws, right, floor in means(areas[::step], partial[::step]):
                    held.setdefault((step, name), []).append(holds(interval(draws, low=floor), right))
        for step in STEPS:
            found = ", ".join(f"{name} {100 * np.mean(own):.1f}" for (of, name), own in held.items() if of == step)
            print(f"{len(CELLS[::step])} cells of {clips} + {clips} clips, {sets} sets: {found}", flush=True)


def single(sets: int = 400, resamples: int = 1000) -> None:
    """Simulate cells by themselves and print the coverage in percent."""
    random = np.random.default_rng(2)
    print(f"single cells, {sets} sets, {resamples} resamples; coverage of AUC and pAUC in percent, plain in brackets")
    for clips in CLIPS:
        labels = np.repeat([0, 1], clips)
        for spread in (1.0, 1.5):
            for shift in HIGH:
                known, held, without = truth(shift, spread), np.zeros(2), np.zeros(2)
                for number in range(sets):
                    scores = [random.standard_normal(clips), shift + spread * random.standard_normal(clips)]
                    drawn = resample(labels, np.concatenate(scores), count=resamples, seed=number)
                    for place, draws in enumerate((drawn.auc, drawn.pauc)):
                        found, simple = cell_interval(draws, (clips, clips), partial=place == 1), plain(draws)
                        held[place] += found.low <= known[place] <= found.high
                        without[place] += simple.low <= known[place] <= simple.high
                area, partial, simple_area, simple_partial = 100 * np.concatenate([held, without]) / sets
                print(
                    f"{clips:4} clips a class, AUC {known[0]:.3f}: {area:5.1f} ({simple_area:5.1f}),"
                    f" pAUC {known[1]:.3f}: {partial:5.1f} ({simple_partial:5.1f})",
                    flush=True,
                )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
    few(*map(int, sys.argv[1:3]))
    single(*map(int, sys.argv[1:3]))
