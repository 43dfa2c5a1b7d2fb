"""Scores of normal and anomalous test clips, with the gamma distribution of the decision rule and its threshold.

A machine that several models share (one a section, or development and evaluation sections apart) has a threshold of
each; the curve is then the sum of their distributions, weighted by their training clips, as the histogram is of all
sections.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asdbench.reports.content.evidence import Shown, View, one_line
from asdbench.reports.figures import Figure, Panel, look
from asdbench.reports.figures.drawing import FAINT, INK, logarithmic
from asdbench.reports.figures.look import AREA, Look
from asdbench.results.manifest import threshold_of, undecided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KEY = (
    ("gamma distribution fitted to the training clips' scores", Look(INK, "", "-")),
    ("decision threshold", Look(INK, "", "--")),
)
TAIL = 0.005  # of the clips at either end stand in the outermost bins
WIDE = 30.0  # scores that span more than this factor get a logarithmic axis


def figure(view: View) -> Figure:
    """One panel a machine and system."""
    panels, empty = [], []
    for machine in view.machines:
        for shown in view.systems:
            if machine not in shown.machines:
                continue
            if not shown.groups(machine):
                empty.append(f"{shown.name}, {one_line(machine)}: no cell has a value.")
                continue
            draw = partial(_scores, shown=shown, machine=machine)
            panels.append(Panel(f"{shown.name} · {one_line(machine)}", draw, 2.5, one_line(machine)))
            entry = shown.manifests[0]["machines"].get(machine)
            lacking = undecided(machine, entry) if entry else {}
            empty += [f"{shown.name}, {one_line(name)}: no threshold: {reason}." for name, reason in lacking.items()]
    many = len(view.systems)
    counts = [len(_thresholds(shown, machine)) for shown in view.systems for machine in shown.machines]
    decided, models = any(counts), any(count > 1 for count in counts)
    several = any(len(shown.folders) > 1 for shown in view.systems)
    return Figure(
        "histogram",
        "Score histograms",
        f"Density of the test clips' scores over all {view.definition.unit}s; the outermost 0.5 % stand in the end"
        " bins; a logarithmic axis where scores span much. The decision threshold is the 90th percentile of the gamma"
        " distribution."
        f"{' A machine has one of each of its models.' * models}"
        f"{' Of several seeds the first is shown.' * several} {view.note}.",
        tuple(panels),
        view.stamps,
        (
            ("normal clips", Look(FAINT, AREA, "")),
            *((f"anomalous clips, {shown.name}", Look(look.of(shown).colour, AREA, "")) for shown in view.systems),
            *(KEY if decided else ()),
        ),
        tuple(empty),
        # a row a machine
        many if len(panels) == many * len(view.machines) and 1 < many < 7 else 0,
    )


def _thresholds(shown: Shown, machine: str) -> list[dict[str, Any]]:
    """Those that decide what is drawn: of the sections of the view."""
    entry = shown.manifests[0]["machines"].get(machine)
    sections = dict.fromkeys(group.file.section for group in shown.groups(machine))
    found = {id(own): dict(own) for own in (threshold_of(entry, section) for section in sections) if own}
    return [own for own in found.values() if own["value"] is not None]


def _scores(axes: Axes, shown: Shown, machine: str) -> None:
    groups = shown.groups(machine)
    labels = np.concatenate([group.labels for group in groups])
    scores = np.concatenate([group.scores for group in groups])
    found = _thresholds(shown, machine)
    values = [own["value"] for own in found]
    low, high = (float(limit) for limit in np.quantile(scores, [TAIL, 1 - TAIL]))
    low, high = min([low, *values]), max([high, *values])
    if low == high:
        low, high = low - 0.5, high + 0.5
    log = low > 0 and high / low > WIDE
    scale: Callable[..., Any] = np.geomspace if log else np.linspace
    edges = scale(low, high, 1 + int(np.clip(np.sqrt(len(scores)) * 1.5, 8, 40)))
    inside = np.clip(scores, low, high)
    colour = look.of(shown).colour
    axes.stairs(_density(inside[labels == 0], edges, log), edges, fill=True, color=FAINT, alpha=0.55)
    odd = _density(inside[labels == 1], edges, log)
    axes.stairs(odd, edges, fill=True, color=colour, alpha=0.45)
    axes.stairs(odd, edges, color=colour, lw=1.2)
    if log:
        logarithmic(axes.xaxis)
    else:
        axes.locator_params(axis="x", nbins=5)
    if found:
        top = axes.get_ylim()[1]
        x = scale(low, high, 160)
        density = np.average([_gamma(own, x) for own in found], axis=0, weights=[own["clips"] for own in found])
        axes.plot(x, density * (x if log else 1.0), color=INK, lw=1.1)
        for value in values:
            axes.axvline(value, color=INK, ls=(0, (4, 3)), lw=1.1)
        axes.set_ylim(0, top * 1.15)  # the curve may rise without limit at its location
    axes.set_yticks([])
    axes.set_xlabel("score")
    axes.set_ylabel("density")


def _density(scores: NDArray[np.float64], edges: NDArray[np.float64], log: bool) -> NDArray[np.float64]:
    """Share of the scores a unit of the axis: of the score, or of its natural logarithm."""
    counts, _ = np.histogram(scores, edges)
    return np.asarray(counts / max(len(scores), 1) / np.diff(np.log(edges) if log else edges))


def _gamma(found: dict[str, Any], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The density of the fitted distribution."""
    from scipy.special import gammaln, xlogy

    z = (x - found["location"]) / found["scale"]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        density = np.exp(xlogy(found["shape"] - 1, z) - z - gammaln(found["shape"])) / found["scale"]
    return np.where(z > 0, density, 0.0)
