"""Training curves: each loss term over the epochs; AUC and pseudo-AUC of each epoch where they were recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from asdbench.reports.content.evidence import Shown, View, one_line
from asdbench.reports.figures import Figure, Panel, look, of_systems
from asdbench.reports.figures.drawing import PAPER, chance, logarithmic
from asdbench.results.selection import Measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curves = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Fit or machine -> epochs and values."""
PER_EPOCH = (
    " AUC per epoch (harmonic mean over the machine's development cells): the circle is the last epoch{}; the star the"
    " best by test labels, which an honest choice cannot know: the gap is the optimism of choosing so."
)
PSEUDO = (
    " Pseudo-AUC: of mixed-up training clips against the training clips; its star is what `--selection pseudo` takes."
)
RECORDED: Mapping[Measure, str] = {"auc": "AUC on the test clips", "pseudo": "pseudo-AUC on the training clips"}


def figure(view: View) -> Figure:
    """One panel a system and loss term, a line a fit; one a system for the AUC per epoch, a line a machine."""
    panels, empty = list[Panel](), list[str]()
    seen, measured = list[Shown](), set[Measure]()
    drawn: dict[str, str] = {}
    for shown in view.systems:
        rows, before = shown.folders[0].history(), len(panels)
        terms = [name for name in (rows[0] if rows else {}) if name not in ("fit", "epoch")]
        same = drawn.setdefault(repr(rows), shown.name)
        if not rows:
            empty.append(f"{shown.name}: it has no epochs, or none were logged.")
        elif same != shown.name:
            empty.append(f"{shown.name}: its losses are those of {same}, the same training.")
        else:
            for term in terms:
                panels.append(_panel(shown, term, curves(rows, "fit", term), chosen=False))
        recorded = {measure: epochs(shown, measure) for measure in RECORDED}
        for measure, areas in recorded.items():
            if areas and drawn.setdefault(repr((measure, areas)), shown.name) == shown.name:
                panels.append(_panel(shown, RECORDED[measure], areas, chosen=True))
                measured.add(measure)
        if rows and not recorded["auc"] and not shown.oracle:
            empty.append(f"{shown.name}: AUC per epoch was not recorded (`asdbench run --selection both` records it).")
        seen += [shown] if len(panels) > before else []
    counts = "" if any(shown.oracle for shown in seen) else ", which counts"
    view = replace(view, systems=tuple(seen)) if seen else view
    return of_systems(
        "training",
        view,
        "Training curves",
        f"A line a fit (a machine, or a {view.definition.unit}), from the first seed."
        f"{PER_EPOCH.format(counts) * ('auc' in measured)}{PSEUDO * ('pseudo' in measured)}",
        panels,
        empty,
    )


def curves(rows: Sequence[Mapping[str, str]], by: str, term: str) -> Curves:
    """Epochs and values of a term by fit or machine; rows without a value are left out."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        if row.get(term):
            epochs_, values = found.setdefault(row[by], ([], []))
            epochs_.append(float(row["epoch"]))
            values.append(float(row[term]))
    return found


def epochs(shown: Shown, measure: Measure = "auc") -> Curves:
    """AUC or pseudo-AUC (percent) by machine over the epochs, where a run recorded it."""
    found = shown.folders[0].epochs() or (shown.twin.epochs() if shown.twin else {})
    return {
        machine: (list(own), [100 * known[measure] for known in own.values()])
        for machine, own in found.items()
        if machine in shown.machines and all(measure in known for known in own.values())
    }


def _panel(shown: Shown, term: str, found: Curves, *, chosen: bool) -> Panel:
    def draw(axes: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        own = look.of(shown)
        for at, values in found.values():
            axes.plot(at, values, color=own.colour, lw=0.9, alpha=0.7)
            if chosen:
                best = int(np.argmax(values))
                axes.plot(at[-1:], values[-1:], "o", color=own.colour, ms=4)
                axes.plot(at[best : best + 1], values[best : best + 1], "*", mfc=PAPER, mec=own.colour, ms=7)
        flat = np.concatenate([np.asarray(values) for _, values in found.values()] or [np.ones(1)])
        if chosen:
            chance(axes, vertical=False)
        elif flat.min() > 0 and flat.max() / flat.min() > 50:
            logarithmic(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel("AUC, %" if chosen else one_line(term))

    return Panel(f"{shown.name} · {one_line(term)}", draw, 2.4, shown.name)
