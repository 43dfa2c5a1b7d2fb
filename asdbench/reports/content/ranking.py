"""Which system of a view is best, and how surely: the sentence a page begins with."""

from __future__ import annotations

from collections.abc import Sequence

from asdbench.errors import AsdbenchError
from asdbench.metrics.paired import Difference
from asdbench.reports.content.evidence import Shown, View
from asdbench.reports.content.footnotes import NO_RESULT
from asdbench.reports.content.system_table import SystemTable, comparable
from asdbench.words import listed


def verdict(view: View) -> tuple[str, str]:
    """What the view says in one sentence, and the comparison behind it, to quote: "" where there is none."""
    from asdbench.judging.pairing import compare
    from asdbench.reports.text.comparison import by_area, conclusion, lean

    can = comparable([shown.table for shown in view.systems])
    fair = [shown for table in can for shown in view.systems if shown.table is table]
    counts = [_within(shown) for shown in view.systems if shown.table.has_published and not shown.oracle]
    beside = f"; our 95 % intervals hold, of the published values, {', '.join(counts)}" if counts else ""
    taking = {shown.name for shown in fair}
    left = [f"{one.name} ({_why_not(one, fair)})" for one in view.systems if not one.oracle and one.name not in taking]
    beside += f"; not compared: {', '.join(left)}" if fair and left else ""
    worth = {stamp for shown in fair or view.systems for stamp in shown.table.stamps} & NO_RESULT
    beside += f" (no result: {', '.join(sorted(worth))})" if worth else ""
    where = f"On {view.title}"
    if not fair:
        oracles = any(shown.table.score is not None for shown in view.systems)
        why = "epochs were chosen on the test labels" if oracles else "the tables say why"
        return f"{where}, no system has a score that can be compared: {why}{beside}.", ""
    first = fair[0]
    if len(fair) == 1:
        return f"{where}, {first.name} has an official score of {_score(first.table)}{beside}.", ""
    second, equal = fair[1], [shown for shown in fair if shown.table.score == first.table.score]
    if len(equal) > 1:
        names = listed([one.name for one in equal])
        said = f"{names} have the same, highest official score of {len(fair)} systems, {first.table.score:.2f}"
        return f"{where}, {said}{beside}.", ""
    said = f"{where}, {first.name} has the highest official score of {len(fair)} systems, {_score(first.table)}"
    next_ = f"{second.name}, the next ({second.table.score:.2f})"
    try:
        compared = compare(first.folders, second.folders, (first.name, second.name))
    except AsdbenchError as error:
        return f"{said}; whether it is better than {next_} is not known: {error.message}{beside}.", ""
    part = next((part for part in compared.parts if part.part == view.part), None)
    if part is None:
        return f"{said}, before {next_}{beside}.", ""
    gap, quote = part.official.difference, conclusion(compared, part)
    if gap.interval is None and lean(gap):  # the mean AUC then tells
        area = by_area(part.means["", "auc"].difference, (first.name, second.name))
        points = f"before {next_}; no 95 % interval of the difference can be given; by the mean AUC {area}"
        return f"{said}, {points}{beside}.", quote
    how = {1: "higher than", 0: "but no difference can be told from", -1: "but, over the seeds of both, lower than"}
    return f"{said}, {how[lean(gap)]} {next_}: {_points(gap)}{beside}.", quote


def _points(gap: Difference) -> str:
    """A difference with its interval."""
    points = f"{100 * gap.estimate:+.1f} points"
    if gap.interval is None:
        return points
    return f"{points}, 95 % interval {100 * gap.interval.low:.1f} to {100 * gap.interval.high:.1f}"


def _why_not(shown: Shown, fair: Sequence[Shown]) -> str:
    """Why a system does not take part."""
    if shown.table.score is None:
        return "no score"
    if not shown.table.result and fair[0].table.result:
        return ", ".join(shown.table.stamps)
    cells, most = shown.table.cells, fair[0].table.cells
    return f"{cells} of {most} cells" if cells < most else "other cells"


def _within(shown: Shown) -> str:
    """How many of a system's published values are within its intervals."""
    judged = [verdict for row in shown.table.rows for verdict in row.verdicts.values() if verdict != "not published"]
    return f"{len(judged) - judged.count('outside')} of {len(judged)} ({shown.name})"


def _score(table: SystemTable) -> str:
    low, high = table.score_bounds or (None, None)
    bounds = "" if low is None else f" (95 % interval {low:.1f} to {high:.1f})"
    return f"{table.score:.2f}{f' {table.partial}' if table.partial else ''}{bounds}"
