"""AUC of each machine's sections as dots with their 95 % intervals; published values as hollow marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from asdbench.metrics.aggregate import Metric
from asdbench.reports.content.evidence import View, one_line
from asdbench.reports.content.system_table import Row
from asdbench.reports.content.wording import NAMES
from asdbench.reports.figures import Figure, Panel, look, of_systems
from asdbench.reports.figures.drawing import GRID, chance, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BETWEEN = 1.5
"""Room between two cells beyond that between two systems of one cell, which is the unit."""
STEP = 0.08  # inches from system to system


def figure(view: View, metric: Metric = "auc") -> Figure:
    """One panel a machine; sections and domains down, the systems side by side within each."""
    domains = [domain for domain, what in view.definition.columns() if what == metric]
    panels = []
    for machine in view.machines:
        sections = sorted({row.section for shown in view.systems for row in shown.table.rows if row.machine == machine})
        places = [(section, domain) for section in sections for domain in domains]
        height = 0.75 + len(places) * STEP * (len(view.systems) + BETWEEN)
        draw = partial(_machine, view=view, machine=machine, places=places, metric=metric)
        panels.append(Panel(one_line(machine), draw, height))
    shape = any(shown.table.has_published for shown in view.systems)
    published = " Hollow: the published value of the same cell." if shape else " No published values of these results."
    return of_systems(
        "auc",
        view,
        f"{NAMES[metric]} per machine and {view.definition.unit}",
        f"{NAMES[metric]} in percent; bars: {view.intervals}; dashed: chance (0.5).{published}",
        panels,
    )


def offsets(systems: int) -> Sequence[float]:
    """Where a cell's marks stand around its middle, in units of the distance from cell to cell.

    Two marks of one cell are nearer to each other than to the next cell's, whatever the number of systems.
    """
    return spread(systems, (systems - 1) / (systems + BETWEEN))


def _machine(axes: Axes, view: View, machine: str, places: list[tuple[str, str]], metric: Metric) -> None:
    chance(axes)
    for offset, shown in zip(offsets(len(view.systems)), view.systems, strict=True):
        own = look.of(shown)
        rows = {row.section: row for row in shown.table.rows if row.machine == machine}
        for number, (section, domain) in enumerate(places):
            if section in rows:
                _dot(axes, rows[section], number + offset, (domain, metric), own)
    axes.set_xlim(-3, 103)
    axes.set_ylim(len(places) - 0.45, -0.55)
    axes.set_yticks(range(len(places)), [one_line(f"{section} {domain}") for section, domain in places])
    axes.set_xticks(range(0, 101, 25))
    axes.grid(False, axis="y")
    for number in range(1, len(places)):
        axes.axhline(number - 0.5, color=GRID, lw=0.6)
    axes.set_xlabel(f"{NAMES[metric]}, %")


def _dot(axes: Axes, row: Row, y: float, column: tuple[str, Metric], own: look.Look) -> None:
    value, published = row.ours.get(column), row.published.get(column)
    if value is not None:
        low, high = row.bounds.get(column, (math.nan, math.nan))
        if not math.isnan(low):
            axes.plot([low, high], [y, y], color=own.colour, lw=1.2, solid_capstyle="butt", alpha=0.75)
        axes.plot([value], [y], own.mark, color=own.colour, ms=4.5, mec="none" if own.mark != "*" else own.colour)
    if published is not None:
        axes.plot([published], [y], own.mark, mfc="none", mec=own.colour, ms=6.5, mew=1)
