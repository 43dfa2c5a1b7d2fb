"""ROC curves, the mean over a machine's cells, with the region that the pAUC is over shaded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asdbench.metrics.challenge import against
from asdbench.metrics.roc import MAX_FPR, curve
from asdbench.reports.content.evidence import Shown, View, one_line
from asdbench.reports.figures import Figure, Panel, look, of_systems
from asdbench.reports.figures.drawing import FAINT, GRID
from asdbench.words import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID_POINTS = 201
MARK_EVERY = 40
"""Points of the curve from mark to mark."""


def figure(view: View) -> Figure:
    """One panel a machine, one curve a system."""
    panels = [Panel(one_line(machine), partial(_machine, view=view, machine=machine), 3.1) for machine in view.machines]
    over = [f"{view.definition.unit}s", *(["domains"] if view.definition.domains != "nothing" else [])]
    over += ["seeds"] if len(view.seeds) > 1 else []
    return of_systems(
        "roc",
        view,
        "ROC curves",
        f"Each curve is the vertical mean over the machine's {listed(over)}, so that the area under it is their mean"
        f" AUC. Shaded: false positive rates up to {MAX_FPR:g}, which pAUC is over. Dashed: chance (0.5).",
        panels,
    )


def _machine(axes: Axes, view: View, machine: str) -> None:
    axes.axvspan(0, MAX_FPR, color=GRID, alpha=0.7, lw=0)
    axes.plot([0, 1], [0, 1], color=FAINT, ls=(0, (4, 3)), lw=1)
    for number, shown in enumerate(view.systems):
        rates = mean_curve(shown, machine, view)
        if rates is not None:
            own = look.of(shown)
            apart = (12 + 7 * number % MARK_EVERY, MARK_EVERY)  # so that marks of equal curves do not hide each other
            axes.plot(*rates, color=own.colour, ls=own.line, marker=own.mark, markevery=apart, ms=4.5, mec="none")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_aspect("equal")
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")


def mean_curve(shown: Shown, machine: str, view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """False positive rates, and the mean true positive rate at each over cells and seeds; None without cells."""
    grid = np.linspace(0, 1, GRID_POINTS)
    found = []
    for seed in range(len(shown.folders)):
        for group in shown.groups(machine, seed):
            for over in against(view.definition, group).values():
                labels = group.labels[over]
                if {0, 1} == set(labels.tolist()):
                    found.append(_at(grid, *curve(labels, group.scores[over])))
    return (np.append(0.0, grid), np.append(0.0, np.mean(found, axis=0))) if found else None


def _at(grid: NDArray[np.float64], false: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """The true positive rates at given false positive rates: the upper end where the curve rises upright."""
    left = np.searchsorted(false, grid, side="right") - 1
    right = np.minimum(left + 1, len(false) - 1)
    width = np.where(right > left, false[right] - false[left], 1.0)
    share = np.where(right > left, (grid - false[left]) / width, 0.0)
    return np.asarray(true[left] + share * (true[right] - true[left]))
