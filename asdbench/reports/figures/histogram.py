"""Scores of normal and anomalous test clips, with the gamma distribution of the decision rule and its threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.reports import look
from asdbench.reports.evidence import Shown, View, one_line
from asdbench.reports.figures import Figure, Panel
from asdbench.reports.figures.drawing import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TAIL = 0.005  # of the clips at either end stand in the outermost bins


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

            def draw(axes: Axes, machine: str = machine, shown: Shown = shown) -> None:
                _scores(axes, shown, machine)

            panels.append(Panel(f"{shown.name} · {one_line(machine)}", draw, 2.5, one_line(machine)))
            reason = _threshold(shown, machine).get("reason")
            if reason:
                empty.append(f"{shown.name}, {one_line(machine)}: no threshold: {reason}.")
    several = any(len(shown.folders) > 1 for shown in view.systems)
    return Figure(
        "histogram",
        "Score histograms",
        "Density of the test clips' scores over all sections: grey normal, coloured anomalous; the outermost 0.5 % stand in"
        " the end bins. Curve: the gamma distribution fitted to the training clips' scores; dashed: its 90th percentile, the"
        f" decision threshold.{' Of several seeds the first is shown.' * several} {view.note}.",
        tuple(panels),
        view.stamps,
        tuple((f"{shown.name}, anomalous", look.of(shown)) for shown in view.systems),
        tuple(empty),
    )


def _threshold(shown: Shown, machine: str) -> dict[str, Any]:
    return dict(shown.manifests[0]["machines"].get(machine, {}).get("threshold", {}))


def _scores(axes: Axes, shown: Shown, machine: str) -> None:
    groups = shown.groups(machine)
    labels = np.concatenate([group.labels for group in groups])
    scores = np.concatenate([group.scores for group in groups])
    low, high = np.quantile(scores, [TAIL, 1 - TAIL])
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, 1 + int(np.clip(np.sqrt(len(scores)) * 1.5, 8, 40)))
    inside = np.clip(scores, low, high)
    colour = look.of(shown).colour
    axes.hist(inside[labels == 0], edges, density=True, color=FAINT, alpha=0.55)
    axes.hist(inside[labels == 1], edges, density=True, color=colour, alpha=0.45)
    axes.hist(inside[labels == 1], edges, density=True, color=colour, histtype="step", lw=1.2)
    found = _threshold(shown, machine)
    if found.get("value") is not None:
        if low <= found["value"] <= high:
            axes.axvline(found["value"], color=INK, ls=(0, (4, 3)), lw=1.1)
        top = axes.get_ylim()[1]
        axes.plot(*_gamma(found, low, high), color=INK, lw=1.1)
        axes.set_ylim(0, top * 1.15)  # the curve may rise without limit at its location
        if not low <= found["value"] <= high:
            side = "left" if found["value"] < low else "right"
            axes.text(0.98, 0.95, f"threshold off to the {side}", transform=axes.transAxes, ha="right", va="top", size=7.5)
    axes.set_yticks([])
    axes.set_xlabel("score")
    axes.locator_params(axis="x", nbins=5)


def _gamma(found: dict[str, Any], low: float, high: float) -> tuple[Any, Any]:
    """The density of the fitted distribution."""
    from scipy.special import gammaln, xlogy

    x = np.linspace(low, high, 160)
    z = (x - found["location"]) / found["scale"]
    with np.errstate(invalid="ignore", divide="ignore"):
        density = np.exp(xlogy(found["shape"] - 1, z) - z - gammaln(found["shape"])) / found["scale"]
    return x, np.where(z > 0, density, 0.0)
