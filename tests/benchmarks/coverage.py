"""How often the intervals hold the truth: a simulation. ``python tests/benchmarks/coverage.py [SETS] [RESAMPLES]``.

A set has 42 cells of 100 + 100 clips. Normal scores are N(0, 1), anomalous ones N(d, 1) or N(d, 1.5), d from 0 to 2, so
that AUC and pAUC of the population are known. Then single cells, of fewer and more clips and up to d = 4. Not a test:
400 sets take a quarter of an hour on one processor.
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
HIGH = (0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
CELLS = [(SHIFTS[number % len(SHIFTS)], 1.0 if number % 2 else 1.5) for number in range(42)]
NORMAL = NormalDist()


def truth(shift: float, spread: float) -> tuple[float, float]:
    """AUC and standardised pAUC of the population."""
    rates = np.linspace(1e-9, 0.1, 4001)
    hits = [1 - NORMAL.cdf((NORMAL.inv_cdf(1 - rate) - shift) / spread) for rate in rates.tolist()]
    area = float(np.trapezoid(hits, rates))
    return NORMAL.cdf(shift / np.sqrt(1 + spread**2)), 0.5 * (1 + (area - 0.005) / 0.095)


def plain(draws: Draws, low: float = 0.0) -> Interval:
    """The percentile interval without correction."""
    bottom, top = np.quantile(draws[1:], [0.025, 0.975])
    return Interval(float(draws[0]), float(bottom), float(top))


def main(sets: int = 400, resamples: int = 1000) -> None:
    """Simulate and print the coverage in percent."""
    random = np.random.default_rng(1)
    known = [truth(*cell) for cell in CELLS]
    labels = np.repeat([0, 1], 100)
    held: dict[str, dict[str, list[bool]]] = {"taken": {}, "plain": {}}
    for number in range(sets):
        drawn = []
        for place, (shift, spread) in enumerate(CELLS):
            scores = np.concatenate([random.standard_normal(100), shift + spread * random.standard_normal(100)])
            drawn.append(resample(labels, scores, count=resamples, seed=100 * number + place))
        areas, partial = [one.auc for one in drawn], [one.pauc for one in drawn]
        cases = [(f"AUC of a cell, {a:.2f}", values, a, 0.0) for (a, _), values in zip(known, areas, strict=True)]
        cases += [(f"pAUC of a cell, {p:.2f}", v, p, PAUC_FLOOR) for (_, p), v in zip(known, partial, strict=True)]
        cases += [
            ("mean AUC of 42 cells", arithmetic(areas), float(np.mean([a for a, _ in known])), 0.0),
            ("mean pAUC of 42 cells", arithmetic(partial), float(np.mean([p for _, p in known])), PAUC_FLOOR),
            ("official score", harmonic([*areas, *partial]), 84 / sum(1 / a + 1 / p for a, p in known), 0.0),
        ]
        for name, draws, right, floor in cases:
            own = cell_interval(draws, (100, 100), partial=name.startswith("pAUC")) if "of a cell" in name else None
            for method, found in (("taken", own or interval(draws, low=floor)), ("plain", plain(draws))):
                held[method].setdefault(name, []).append(found.low <= right <= found.high)
    print(f"{sets} sets, {resamples} resamples; coverage of 95 % intervals in percent")
    for name in sorted(held["taken"]):
        taken, without = (100 * np.mean(held[method][name]) for method in ("taken", "plain"))
        print(f"{name:28} {taken:6.1f}   plain percentile {without:6.1f}")


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
    main(*map(int, sys.argv[1:]))
    single(*map(int, sys.argv[1:]))
