"""Latent vectors on their two principal axes, coloured by section, with the centres: do sections part, as claimed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asdbench.reports.content.evidence import Shown, View, one_line
from asdbench.reports.figures import Figure, Panel, look
from asdbench.reports.figures.drawing import INK, PAPER
from asdbench.reports.figures.look import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 600  # points a panel: more cannot be told apart, and make a page heavy


class Point(NamedTuple):
    """A clip, or a class centre (``split`` is "centre"), on the axes of its fit."""

    split: str
    machine: str
    section: str
    clip: str
    fit: str
    x: float
    y: float


Rows = Sequence[Point]


def figure(view: View) -> Figure:
    """One panel a system and machine."""
    panels, empty = [], []
    sections: set[str] = set()
    drawn: dict[str, str] = {}
    for shown in view.systems:
        rows = latent(shown)
        same = drawn.setdefault(repr(rows), shown.name)
        if not rows:
            empty.append(f"{shown.name}: no latent vectors were recorded (only models that have them do).")
        elif same != shown.name:
            empty.append(f"{shown.name}: the same latent space as {same}.")
        else:
            for machine in shown.machines:
                seen = {row.section for row in shown.table.rows if row.machine == machine}
                here = [row for row in rows if row.machine == machine]
                for fit in dict.fromkeys(row.fit for row in here):  # only within a fit are axes shared
                    own = [row for row in here if row.fit == fit]
                    if seen & {row.section for row in own}:
                        sections |= {row.section for row in own}
                        panels.append((shown, machine, own))
    order = sorted(sections)
    having = tuple({shown.name: shown for shown, _, _ in panels}.values())
    view = replace(view, systems=having) if having else view
    looks = {section: look.of_section(number) for number, section in enumerate(order)}
    return Figure(
        "latent",
        "Latent space",
        f"The latent vectors' two principal axes; a colour is a {view.definition.unit}, not a system. Small: normal"
        " clips, of training and test; hollow: anomalous test clips; large, with a cross: the centres of the centre"
        f" loss, where the model has them. At most {MOST} clips a panel, evenly taken; first seed. {view.note}.",
        tuple(_panel(shown, machine, own, looks) for shown, machine, own in panels),
        view.stamps,
        tuple((f"{view.definition.unit} {one_line(section)}", own) for section, own in looks.items()),
        tuple(empty),
    )


def latent(shown: Shown) -> list[Point]:
    """The points of the first seed; none where the model has no latent space, or it was not recorded."""
    found = shown.folders[0].latent()
    if not found.identity:
        return []
    places = zip(found.values["x"].tolist(), found.values["y"].tolist(), strict=True)
    return [
        Point(row.split, row.machine, row.section, row.clip, row.fit, *xy)
        for row, xy in zip(found.identity, places, strict=True)
    ]


def _panel(shown: Shown, machine: str, rows: Rows, looks: Mapping[str, Look]) -> Panel:
    def draw(axes: Axes) -> None:
        clips = [row for row in rows if row.split != "centre"]
        clips = [clips[int(n)] for n in np.unique(np.linspace(0, len(clips) - 1, min(len(clips), MOST)).round())]
        anomalous = {
            clip for (where, clip), known in shown.truth.items() if where == machine and known.label == "anomaly"
        }
        for section, own in looks.items():
            here = [row for row in clips if row.section == section]
            odd = [row for row in here if row.split == "test" and row.clip in anomalous]
            normal = [row for row in here if not (row.split == "test" and row.clip in anomalous)]
            axes.plot(*_points(normal), own.mark, color=own.colour, ms=3, mec="none", alpha=0.7)
            axes.plot(*_points(odd), own.mark, mfc="none", mec=own.colour, ms=4.5, mew=0.9, alpha=0.9)
        for section, own in looks.items():
            centres = [row for row in rows if row.split == "centre" and row.section == section]
            axes.plot(*_points(centres), own.mark, color=own.colour, ms=10, mec=INK, mew=1.1)
            axes.plot(*_points(centres), "x", color=PAPER, ms=5, mew=1.1)
        axes.set_aspect("equal", adjustable="datalim")  # distances to a centre are the claim
        axes.set_xlabel("first principal axis")
        axes.set_ylabel("second principal axis")

    return Panel(f"{shown.name} · {one_line(machine)}", draw, 2.9, shown.name)


def _points(rows: Rows) -> tuple[list[float], list[float]]:
    return [row.x for row in rows], [row.y for row in rows]
