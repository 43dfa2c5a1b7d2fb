"""Tables of what :mod:`tests.benchmarks.verdicts` simulated: coverage, errors, power and half widths, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
Case = tuple[str, float]
PAIRS = ("unpaired", "paired", "one deterministic")
MACHINES = (1, 3, 7)
SEEDS = (2, 3, 5, 10)
MARGIN = 0.01
GAPS = (0.02, 0.04, 0.08)
LARGE = 1e9


def reach(found: Floats, level: float) -> Floats:
    """Half widths; the last axis of ``found`` holds difference, both parts and both degrees of freedom."""
    squares = [
        np.where(part > 0, stdtrit(np.minimum(freedom, LARGE), (1 + level) / 2) ** 2 * part, 0.0)
        for part, freedom in ((found[..., 1], found[..., 3]), (found[..., 2], found[..., 4]))
    ]
    return np.asarray(np.sqrt(squares[0] + squares[1]))


def moved(law: str, found: Floats) -> Floats:
    """The differences less what they are expected to be: 0 between equals, else the mean over all sets."""
    truth = found[..., 0].mean(axis=0, keepdims=True)
    if law != "collapsed":
        truth[:, :2] = 0
    return np.asarray(found[..., 0] - truth)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table, the first column to the left."""
    yield "| " + " | ".join(head) + " |"
    yield "|---|" + "---:|" * (len(head) - 1)
    yield from ("| " + " | ".join(row) + " |" for row in rows)


def coverage(results: Mapping[Case, Floats], quantity: int) -> Iterator[str]:
    """By law, pair and seeds: how often 95 % intervals hold the truth, mean and range over spreads and machines."""
    rows = []
    for law in dict.fromkeys(name for name, _ in results):
        own = [(moved(law, found), found) for (name, _), found in results.items() if name == law]
        held = np.stack([(np.abs(gap) <= reach(found, 0.95)).mean(axis=0) for gap, found in own])[..., quantity]
        for p, pair in enumerate(PAIRS):
            cells = [100 * held[:, p, :, k] for k in range(len(SEEDS))]
            rows.append(
                [f"{law}, {pair}", *(f"{one.mean():.1f} ({one.min():.0f} to {one.max():.0f})" for one in cells)]
            )
    yield from table(["", *(f"{seeds} seeds" for seeds in SEEDS)], rows)


def by_machines(results: Mapping[Case, Floats], quantity: int) -> Iterator[str]:
    """The same by machines, mean over laws and spreads."""
    held = np.stack(
        [(np.abs(moved(law, found)) <= reach(found, 0.95)).mean(axis=0) for (law, _), found in results.items()]
    )[..., quantity]
    rows = [
        [
            f"{pair}, {machines} machine{'s' * (machines > 1)}",
            *(f"{100 * held[:, p, m, k].mean():.1f}" for k in range(len(SEEDS))),
        ]
        for p, pair in enumerate(PAIRS)
        for m, machines in enumerate(MACHINES)
    ]
    yield from table(["", *(f"{seeds} seeds" for seeds in SEEDS)], rows)


def equivalence(results: Mapping[Case, Floats], quantity: int) -> Iterator[str]:
    """How often *equivalent* is concluded where the true difference is the margin (wrong) and where it is 0."""
    rows = []
    for law in dict.fromkeys(name for name, _ in results):
        own = [(moved(law, found), reach(found, 0.9)) for (name, _), found in results.items() if name == law]
        for what, shift in (("at the margin", MARGIN), ("at 0", 0.0)):
            said = np.stack([(np.abs(gap + shift) + wide < MARGIN).mean(axis=0) for gap, wide in own])[..., quantity]
            rows.append(
                [
                    f"{law}, {what}",
                    *(
                        f"{100 * said[..., k].mean():.1f} (up to {100 * said[..., k].max():.0f})"
                        for k in range(len(SEEDS))
                    ),
                ]
            )
    yield from table(["", *(f"{seeds} seeds" for seeds in SEEDS)], rows)


def points(found: Floats, quantity: int) -> float:
    """The standard deviation of a training on one machine, in points: from the training part of one machine."""
    one = found[:, 0, 0, -1, quantity, 1].mean() * SEEDS[-1] / 2
    return float(100 * np.sqrt(one))


def power(results: Mapping[Case, Floats], quantity: int, pair: int = 0) -> Iterator[str]:
    """By spread, machines and seeds: the median half width, and how often differences are found (Gaussian)."""
    rows = []
    for (law, scale), found in results.items():
        if law != "gaussian":
            continue
        wide, gap = reach(found, 0.95), moved(law, found)
        for m, machines in enumerate(MACHINES):
            cells = []
            for k in range(len(SEEDS)):
                here = (slice(None), pair, m, k, quantity)
                shares = ", ".join(f"{100 * np.mean(gap[here] + one > wide[here]):.0f}" for one in GAPS)
                cells.append(f"± {100 * np.median(wide[here]):.1f}: {shares}")
            rows.append([f"{points(found, quantity):.1f} (d' {scale:g})", str(machines), *cells])
    yield from table(["spread", "machines", *(f"{seeds} seeds" for seeds in SEEDS)], rows)


def report(results: Mapping[Case, Floats]) -> Iterator[str]:
    """All tables, of the official score (and coverage of mean AUC and pAUC)."""
    sets = min(len(found) for found in results.values())
    yield f"{sets} sets of each law."
    for number, name in enumerate(("official score", "mean AUC", "mean pAUC")):
        yield from ("", f"Coverage of 95 % intervals, {name}:", "", *coverage(results, number))
    yield from ("", "Coverage by machines, official score:", "", *by_machines(results, 0))
    yield from ("", "*Equivalent* with a margin of 1 point, official score:", "", *equivalence(results, 0))
    caption = "Half widths, and power in percent for a difference of 2, 4 and 8 points; official score, unpaired:"
    yield from ("", caption, "", *power(results, 0))
    yield from ("", "The same, paired:", "", *power(results, 0, 1))
