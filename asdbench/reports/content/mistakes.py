"""The clips that a system got most wrong: anomalies below nearly all normal clips, normal ones above the anomalies.

Conventions
-----------
- *Wrong* is, for an anomaly, the share of the normal clips it is compared with that score at least as high; for a
  normal clip, the share of the anomalies that score at most as high. 1 is as wrong as can be, 0.5 is chance.
- A clip is compared within what its AUC is over: its cell, and from 2022 on all anomalies of its section.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.metrics.challenge import Definition, Group, against
from asdbench.reports.content.evidence import Shown, View
from asdbench.reports.text.markdown import NOT_THERE


@dataclass(frozen=True)
class Mistake:
    """A clip that was ranked wrongly.

    Parameters
    ----------
    cell : Cell
    clip, label : str
    score : float
    threshold : float or None
        Above it a clip is called anomalous.
    wrong : float
        Share of the clips of the other class that are on the wrong side of it.
    """

    cell: Cell
    clip: str
    label: str
    score: float
    threshold: float | None
    wrong: float

    @property
    def decided(self) -> str:
        """What the clip was called; a dash where there is no threshold."""
        if self.threshold is None:
            return NOT_THERE
        return "anomaly" if self.score > self.threshold else "normal"


def mistakes(view: View, shown: Shown, most: int) -> list[Mistake]:
    """The ``most`` worst of a system's first seed; among equals, alternating machines come before more of one."""
    found: list[tuple[float, int, float, str, Mistake]] = []
    for machine in shown.machines:
        threshold = shown.manifests[0]["machines"].get(machine, {}).get("threshold", {}).get("value")
        own = [
            mistake
            for group in shown.groups(machine)
            for domain, over in against(view.definition, group).items()
            for mistake in _of_cell(view.definition, group, domain, over, threshold)
        ]
        own.sort(key=lambda one: (-one[0], -one[1]))
        found += [(-wrong, rank, -gap, machine, one) for rank, (wrong, gap, one) in enumerate(own[:most])]
    return [one for *_, one in sorted(found, key=lambda item: item[:4])[:most]]


def _of_cell(
    definition: Definition,
    group: Group,
    domain: str,
    over: NDArray[np.bool_],
    threshold: float | None,
) -> Sequence[tuple[float, float, Mistake]]:
    """(how wrong, how far off in units of the scores' spread, the mistake) of a cell's own clips."""
    labels, scores = group.labels[over], group.scores[over]
    normal, odd = np.sort(scores[labels == 0]), np.sort(scores[labels == 1])
    if not len(normal) or not len(odd):
        return []
    spread = float(np.std(scores)) or 1.0
    middle, odd_middle = float(np.median(normal)), float(np.median(odd))
    made = []
    for number in np.flatnonzero(over).tolist():
        anomaly, score = bool(group.labels[number]), float(group.scores[number])
        if definition.domains == "clips" and group.domains[number] != domain:
            continue  # an anomaly of the other domain: it is of that cell
        if anomaly:
            wrong = 1 - np.searchsorted(normal, score, side="left") / len(normal)
            gap = (middle - score) / spread
        else:
            wrong = np.searchsorted(odd, score, side="right") / len(odd)
            gap = (score - odd_middle) / spread
        cell = Cell(group.file.machine, group.file.section, domain)
        label = "anomaly" if anomaly else "normal"
        made.append((float(wrong), gap, Mistake(cell, group.clips[number], label, score, threshold, float(wrong))))
    return made
