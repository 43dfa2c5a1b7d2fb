"""Latent vectors on their two principal axes, coloured by section, with the centres: do sections part, as claimed?"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from asdbench.reports.evidence import Shown, View, one_line
from asdbench.reports.figures import Figure, Panel
from asdbench.reports.figures.drawing import INK
from asdbench.reports.look import COLOURS, MARKS, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LATENT = "latent.csv"
MOST = 600  # points a panel: more cannot be told apart, and make a page heavy
Rows = Sequence[Mapping[str, str]]


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
                own = [row for row in rows if row["machine"] == machine]
                if own:
                    sections |= {row["section"] for row in own}
                    panels.append((shown, machine, own))
    order = sorted(sections)
    looks = {section: Look(COLOURS[n % len(COLOURS)], MARKS[n % len(MARKS)], "") for n, section in enumerate(order)}
    return Figure(
        "latent",
        "Latent space",
        "The latent vectors' two principal axes; here a colour is a section. Small: training clips; larger, ringed: anomalous"
        f" test clips; large with a cross: centres. At most {MOST} clips a panel, evenly taken; first seed. {view.note}.",
        tuple(_panel(shown, machine, own, looks) for shown, machine, own in panels),
        view.stamps,
        tuple((f"{view.definition.unit} {one_line(section)}", own) for section, own in looks.items()),
        tuple(empty),
    )


def latent(shown: Shown) -> Rows:
    """The rows of ``latent.csv`` (split, machine, section, domain, clip, x, y) of the first seed; none without a file."""
    path = shown.folders[0].path / LATENT
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _panel(shown: Shown, machine: str, rows: Rows, looks: Mapping[str, Look]) -> Panel:
    def draw(axes: Axes) -> None:
        truth = shown.folders[0].truth()
        clips = [row for row in rows if row["split"] != "centre"]
        clips = [clips[int(n)] for n in np.unique(np.linspace(0, len(clips) - 1, min(len(clips), MOST)).round())]
        anomalous = {clip for (where, clip), known in truth.items() if where == machine and known.label == "anomaly"}
        for section, own in looks.items():
            here = [row for row in clips if row["section"] == section]
            odd = [row for row in here if row["split"] == "test" and row["clip"] in anomalous]
            normal = [row for row in here if not (row["split"] == "test" and row["clip"] in anomalous)]
            axes.plot(*_points(normal), own.mark, color=own.colour, ms=3, mec="none", alpha=0.7)
            axes.plot(*_points(odd), own.mark, mfc="none", mec=own.colour, ms=4.5, mew=0.9, alpha=0.9)
        for section, own in looks.items():
            centres = [row for row in rows if row["split"] == "centre" and row["section"] == section]
            axes.plot(*_points(centres), own.mark, color=own.colour, ms=10, mec=INK, mew=1.1)
            axes.plot(*_points(centres), "x", color=INK, ms=5, mew=1.1)
        axes.set_xlabel("first principal axis")
        axes.set_ylabel("second")

    return Panel(f"{shown.name} · {one_line(machine)}", draw, 2.9, shown.name)


def _points(rows: Rows) -> tuple[list[float], list[float]]:
    return [float(row["x"]) for row in rows], [float(row["y"]) for row in rows]
