"""What is said of a table's intervals: what they are over, why some are missing, where clips hang together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from asdbench.judging.dependence import Dependence
from asdbench.judging.estimates import Estimate
from asdbench.judging.intervals import Intervals, Over
from asdbench.reports.content.footnotes import some
from asdbench.reports.content.wording import label

ENOUGH = 90
"""Clips a class, from which on what was measured at 100 holds."""
FEW = 2
"""Trainings that hardly tell how far trainings differ."""


def over(kind: Over, trainings: int) -> str:
    """What intervals are over, to stand beside them: ``over clips, one training``.

    Parameters
    ----------
    kind : {"trainings and clips", "clips, deterministic", "clips, one training"}
    trainings : int
    """
    return f"over {trainings} {kind}" if kind == "trainings and clips" else f"over {kind}"


def intervals_over(kinds: Iterable[tuple[str, str]]) -> str:
    """What the intervals of several systems are over, in a sentence; with their names where it is not one thing.

    Parameters
    ----------
    kinds : iterable of (str, str)
        What a system's intervals are over, "" where it has none, and its name.
    """
    found: dict[str, dict[str, None]] = {}
    for kind, name in kinds:
        if kind:
            found.setdefault(kind, {})[name] = None
    several = len(found) > 1
    said = "; ".join(f"{kind} ({', '.join(names)})" if several else kind for kind, names in found.items())
    return f"95 % intervals: {said}." if said else ""


def notes(found: Intervals, trainings: int) -> list[str]:
    """All that stands below a table about its intervals.

    Parameters
    ----------
    found : Intervals
    trainings : int
    """
    said = [_meaning(found.over, trainings)]
    said += [hanging(found.hanging)] if found.hanging else []
    reasons: dict[str, list[str]] = {}
    for name, one in _named(found):
        if one.low is None:
            reasons.setdefault(one.reason, []).append(name)
    return said + [f"No 95 % interval of {some(names)}: {reason}." for reason, names in reasons.items()]


def _meaning(kind: Over, trainings: int) -> str:
    if kind == "trainings and clips":
        few = f" {FEW} trainings hardly tell how far trainings differ: 5 are a good number." * (trainings <= FEW)
        return (
            f"95 % intervals are over {trainings} trainings and the clips: what is expected over trainings lies there,"
            f" on test clips like these.{few}"
        )
    if kind == "clips, deterministic":
        return "95 % intervals are over clips. The system is deterministic: another training gives the same scores."
    return (
        "95 % intervals are over clips, of this one training: what it would reach on other test clips like these."
        " Another training often lies outside, and how far `--seeds` with several numbers tells."
    )


def hanging(found: Sequence[Dependence]) -> str:
    """Where clips hang together, and that intervals allow for it."""
    where = [f"{one.machine}, {'anomalies' if one.label else 'normal clips'} ({one.correlation:.2f})" for one in found]
    return (
        f"Clips that hang together, by the rank correlation of neighbours: {some(where, 6)}. Intervals allow for it:"
        " they draw such clips in blocks of neighbours, and are wider."
    )


def _named(found: Intervals) -> Iterator[tuple[str, Estimate]]:
    """The official score, means and cells by name, each that counts once."""
    own = found.estimates
    yield "the official score", own.official
    for which, columns in (("arithmetic", own.arithmetic), ("harmonic", own.harmonic)):
        for column, one in columns.items():
            yield f"the {which} mean {label(column)}", one
    for (cell, metric), one in own.cells.items():
        yield f"{cell} {label(('', metric))}", one


def coverage(clips: int, highest: float) -> list[str]:
    """How often intervals of cells hold the truth, as measured (docs/intervals.md), where that is not known to be 95 %.

    Parameters
    ----------
    clips : int
        Of the smallest class of any cell.
    highest : float
        The highest AUC of any cell, percent.
    """
    if clips >= ENOUGH and highest <= 95:
        return []
    return [
        "Intervals of cells, simulated: they hold the truth in 90 to 97 of 100 cases at 100 + 100 clips (AUC above 95:"
        " 93 to 99), in 92 to 97 at 50 + 50 (96 to 100), in 93 to 99 at 30 + 30 (a pAUC at chance: 81) and 96 to 100"
        " at 10 + 10, wider than they need be."
    ]
