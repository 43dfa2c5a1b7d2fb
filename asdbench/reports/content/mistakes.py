"""The clips that a system got most wrong: missed anomalies, false alarms, and clips in the wrong order.

Conventions
-----------
- A missed anomaly does not score above the decision threshold, a false alarm is a normal clip that does.
- A clip is in the wrong order if its decision is right, or there is none, and yet clips of the other class are on its
  wrong side: normal clips that score at least as high as an anomaly, anomalies that score at most as high as a normal
  clip. Their share is ``wrong``: 1 is as wrong as can be, 0.5 is chance. A clip whose share is 0 is not listed there.
- A clip is compared within what its AUC is over: its cell, and from 2022 on all anomalies of its section.
- The worst stand first: those of the highest share, then those furthest off in units of the scores' spread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.metrics.challenge import Definition, Group, against
from asdbench.reports.content.evidence import Shown, View
from asdbench.reports.content.wording import NOT_THERE
from asdbench.results.manifest import threshold_of

Kind: TypeAlias = Literal["missed anomalies", "false alarms", "wrong order"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Mistake:
    """A clip that was decided or ranked wrongly.

    Parameters
    ----------
    cell : Cell
    clip, label : str
    score : float
    threshold : float or None
        Above it a clip is called anomalous.
    wrong : float
        Share of the clips of the other class that are on the wrong side of it.
    gap : float
        How far it is from the other class's middle, in units of the scores' spread; larger is worse.
    """

    cell: Cell
    clip: str
    label: str
    score: float
    threshold: float | None
    wrong: float
    gap: float

    @property
    def kind(self) -> Kind | None:
        """What is wrong with it; None where nothing is."""
        if self.threshold is not None and self.label == "anomaly" and self.score <= self.threshold:
            return "missed anomalies"
        if self.threshold is not None and self.label == "normal" and self.score > self.threshold:
            return "false alarms"
        return "wrong order" if self.wrong > 0 else None

    @property
    def decided(self) -> str:
        """What the clip was called; a dash where there is no threshold."""
        if self.threshold is None:
            return NOT_THERE
        return "anomaly" if self.score > self.threshold else "normal"


@dataclass(frozen=True)
class Mistakes:
    """The mistakes of one kind: how many there are, and the worst of them."""

    kind: Kind
    count: int
    worst: tuple[Mistake, ...]


def mistakes(view: View, shown: Shown, most: int) -> list[Mistakes]:
    """The mistakes of a system's first seed by kind, the ``most`` worst of each.

    Among equally wrong ones each machine's worst comes before any machine's second. Empty where no clip has a known
    label; a kind of which there are none has no worst.
    """
    judged = [list(_of_machine(view, shown, machine)) for machine in shown.machines]
    found = []
    for kind in KINDS if any(judged) else ():
        ranked: list[tuple[int, Mistake]] = []
        for clips in judged:
            own = [one for one in clips if one.kind == kind]
            ranked += enumerate(sorted(own, key=lambda one: (-one.wrong, -one.gap)))
        ranked.sort(key=lambda item: (-item[1].wrong, item[0], -item[1].gap, item[1].cell.machine))
        found.append(Mistakes(kind, len(ranked), tuple(one for _, one in ranked[:most])))
    return found


def _of_machine(view: View, shown: Shown, machine: str) -> Iterator[Mistake]:
    """The labelled clips of a machine, right or wrong."""
    entry = shown.manifests[0]["machines"].get(machine)
    for group in shown.groups(machine):
        threshold = threshold_of(entry, group.file.section).get("value")
        for domain, over in against(view.definition, group).items():
            yield from _of_cell(view.definition, group, domain, over, threshold)


def _of_cell(
    definition: Definition,
    group: Group,
    domain: str,
    over: NDArray[np.bool_],
    threshold: float | None,
) -> Sequence[Mistake]:
    """A cell's own clips, right or wrong."""
    labels, scores = group.labels[over], group.scores[over]
    normal, odd = np.sort(scores[labels == 0]), np.sort(scores[labels == 1])
    if not len(normal) or not len(odd):
        return []
    size = float(np.abs(scores).max()) or 1.0  # taken out first: squares of scores may be beyond float64
    spread = size * (float(np.std(scores / size)) or 1.0)
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
        made.append(Mistake(cell, group.clips[number], label, score, threshold, float(wrong), gap))
    return made
