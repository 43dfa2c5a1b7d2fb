"""Source against target AUC as a slope chart: the domain shift. Over all machines, then machine by machine."""

from __future__ import annotations

import math
import statistics
from functools import partial
from typing import TYPE_CHECKING

from asdbench.api import DOMAINS
from asdbench.reports.content.evidence import Shown, View, one_line
from asdbench.reports.content.wording import Bounds
from asdbench.reports.figures import Figure, Panel, look, of_systems
from asdbench.reports.figures.drawing import chance, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 3.0  # points
TITLE = "Source and target: the domain shift"


def figure(view: View) -> Figure:
    """Arithmetic mean AUC of the sections in the source and in the target domain."""
    if view.definition.domains == "nothing":
        why = "There are no domains in the data of 2020: no shift can be shown."
        return Figure("shift", TITLE, f"{view.note}.", (), view.stamps, (), (why,))
    ends = _ends(view)  # the same for all panels, so that slopes can be compared
    titles: dict[str | None, str] = {None: "All machines"} if len(view.machines) > 1 else {}
    titles |= {machine: one_line(machine) for machine in view.machines}
    panels = [Panel(title, partial(_slopes, view=view, machine=name, ends=ends)) for name, title in titles.items()]
    bars = any(shown.table.arithmetic_bounds for shown in view.systems) and len(view.machines) > 1
    published = any(shown.table.has_published for shown in view.systems)
    return of_systems(
        "shift",
        view,
        TITLE,
        "Arithmetic mean AUC over sections, percent; a falling line: lower in the target domain; dashed: chance (0.5)."
        f"{f' Bars (all machines): {view.intervals}.' * bars}{' Hollow: published, same cells.' * published}",
        panels,
    )


def _ends(view: View) -> tuple[float, float]:
    """The least and the highest of all that is drawn, and a margin; chance is among it."""
    values = [
        _mean(shown, machine, domain, published=published)
        for shown in view.systems
        for machine in (None, *view.machines)
        for domain in DOMAINS
        for published in (False, True)
    ]
    values += [bound for shown in view.systems for bounds in _bounds(shown).values() for bound in bounds]
    known = [value for value in values if not math.isnan(value)]
    return max(min([45.0, *known]) - MARGIN, -MARGIN), min(max([60.0, *known]) + MARGIN, 100 + MARGIN)


def _slopes(axes: Axes, view: View, machine: str | None, ends: tuple[float, float]) -> None:
    chance(axes, vertical=False)
    for offset, shown in zip(spread(len(view.systems), 0.14), view.systems, strict=True):
        own = look.of(shown)
        x = [0 + offset, 1 + offset]
        ours = [_mean(shown, machine, domain, published=False) for domain in DOMAINS]
        theirs = [_mean(shown, machine, domain, published=True) for domain in DOMAINS]
        axes.plot(x, ours, color=own.colour, marker=own.mark, ls=own.line, ms=5)
        if machine is None:
            for place, domain in zip(x, DOMAINS, strict=True):
                low, high = _bounds(shown).get(domain, (math.nan, math.nan))
                axes.plot([place, place], [low, high], color=own.colour, lw=1.1, alpha=0.75)
        axes.plot(x, theirs, color=own.colour, marker=own.mark, mfc="none", ls=":", lw=0.9, ms=6.5)
    axes.set_xlim(-0.3, 1.3)
    axes.set_xticks([0, 1], list(DOMAINS))
    axes.set_ylabel("mean AUC, %")
    axes.grid(False, axis="x")
    axes.set_ylim(*ends)


def _bounds(shown: Shown) -> dict[str, Bounds]:
    """The interval of the mean over all machines, by domain."""
    return {domain: own for (domain, what), own in shown.table.arithmetic_bounds.items() if what == "auc"}


def _mean(shown: Shown, machine: str | None, domain: str, *, published: bool) -> float:
    rows = [row for row in shown.table.rows if machine in (None, row.machine)]
    pairs = [(row.ours.get((domain, "auc")), row.published.get((domain, "auc"))) for row in rows]
    values = [theirs if published else ours for ours, theirs in pairs if ours is not None]
    found = [value for value in values if value is not None]
    return statistics.fmean(found) if found and len(found) == len(values) else math.nan
