"""Which system of a view is best, and how surely: the sentence a page begins with."""

from __future__ import annotations

from typing import Any

from asdbench.errors import AsdbenchError
from asdbench.metrics.challenge import Column
from asdbench.reports.evidence import Shown, View
from asdbench.reports.footnotes import NO_RESULT
from asdbench.reports.systemtable import Bounds, SystemTable


def best(view: View) -> tuple[Shown, ...]:
    """The systems of the highest official score, several where they are equal; none where it would be unfair to say.

    Systems whose epoch was chosen on the test labels do not take part, nor those scored on fewer cells than others,
    nor, where some numbers are results, those that are none.
    """
    fair = _fair(view)
    highest = max((shown.table.score or 0.0 for shown in fair), default=0.0)
    return tuple(shown for shown in fair if shown.table.score == highest) if len(fair) > 1 else ()


def _fair(view: View) -> list[Shown]:
    scored = [shown for shown in view.systems if shown.table.score is not None and not shown.oracle]
    scored = [shown for shown in scored if shown.table.result] or scored
    most = max((_cells(shown.table) for shown in scored), key=len, default=frozenset[Any]())
    return [shown for shown in scored if _cells(shown.table) == most]


def _cells(table: SystemTable) -> frozenset[tuple[str, str, Column]]:
    return frozenset((row.machine, row.section, column) for row in table.rows for column in row.ours)


def verdict(view: View) -> tuple[str, str]:
    """What the view says in one sentence, and the comparison behind it, to quote: "" where there is none."""
    from asdbench.pairing import compare
    from asdbench.reports.comparison import conclusion

    fair = sorted(_fair(view), key=lambda shown: -(shown.table.score or 0.0))
    counts = [_within(shown) for shown in view.systems if shown.table.has_published and not shown.oracle]
    beside = f"; our 95 % intervals hold the published values in {', '.join(counts)}" if counts else ""
    left = [f"{shown.name} ({_why_not(shown)})" for shown in view.systems if not shown.oracle and shown not in fair]
    beside += f"; not compared: {', '.join(left)}" if fair and left else ""
    worth = {stamp for shown in fair or view.systems for stamp in shown.table.stamps} & NO_RESULT
    beside += f" (no result: {', '.join(sorted(worth))})" if worth else ""
    where = f"On {view.title}"
    if not fair:
        return f"{where}, no system has a score: the tables say why{beside}.", ""
    first = fair[0]
    if len(fair) == 1:
        return f"{where}, {first.name} has an official score of {_score(first.table)}{beside}.", ""
    second, equal = fair[1], best(view)
    if len(equal) > 1:
        names = f"{', '.join(one.name for one in equal[:-1])} and {equal[-1].name}"
        same = f"{names} have the same, highest official score of {len(fair)} systems, {first.table.score:.2f}"
        return f"{where}, {same}{beside}.", ""
    said = f"{where}, {first.name} has the highest official score of {len(fair)} systems, {_score(first.table)}"
    next_ = f"{second.name}, the next ({second.table.score:.2f})"
    try:
        compared = compare(first.folders, second.folders, (first.name, second.name))
    except AsdbenchError as error:
        return f"{said}; whether it is better than {next_} is not known: {error.message}{beside}.", ""
    part = next((part for part in compared.parts if part.part == view.part), None)
    if part is None:
        return f"{said}, before {next_}{beside}.", ""
    gap = part.official.difference
    points = f"{100 * gap.estimate:+.1f} points"
    if gap.interval is not None:
        points += f", 95 % interval {100 * gap.interval.low:.1f} to {100 * gap.interval.high:.1f}"
    sure = "higher than" if gap.sign > 0 else "but no difference can be told from"
    return f"{said}, {sure} {next_}: {points}{beside}.", conclusion(compared, part)


def _why_not(shown: Shown) -> str:
    """Why a system does not take part."""
    if shown.table.score is None:
        return "no score"
    return "fewer cells" if shown.table.result else ", ".join(shown.table.stamps)


def _within(shown: Shown) -> str:
    """How many of a system's published values are within its intervals."""
    judged = [verdict for row in shown.table.rows for verdict in row.verdicts.values() if verdict != "not published"]
    return f"{len(judged) - judged.count('outside')} of {len(judged)} cases ({shown.name})"


def _score(table: SystemTable) -> str:
    bounds = f" (95 % interval {span(table.score_bounds)})" if span(table.score_bounds) else ""
    return f"{table.score:.2f}{bounds}"


def span(bounds: Bounds | None) -> str:
    """An interval in percent as text; "" where there is none."""
    return "" if bounds is None else f"{bounds[0]:.1f} to {bounds[1]:.1f}"
