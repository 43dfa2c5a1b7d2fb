"""Which method of a view is best, and how surely: the sentence a page begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asdbench.errors import AsdbenchError
from asdbench.judging.compared import compare_folders
from asdbench.judging.intervals import Over
from asdbench.judging.methods import Comparison
from asdbench.reports.content.comparison import PLANNED, sentence, stamps_of
from asdbench.reports.content.evidence import Shown, View
from asdbench.reports.content.footnotes import NO_RESULT
from asdbench.reports.content.reproduction import short
from asdbench.reports.content.system_table import SystemTable, comparable
from asdbench.words import counted, listed

SINGLE: Over = "clips, one training"


def verdict(view: View) -> tuple[str, str]:
    """What the view says in one sentence, and the comparison behind it, to quote: "" where there is none."""
    can = comparable([shown.table for shown in view.systems])
    fair = [shown for table in can for shown in view.systems if shown.table is table]
    beside = _published([shown for shown in view.systems if not shown.oracle])
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
    said = f"{where}, {first.name} has the highest official score of {counted(len(fair), 'system')}"
    said += f", {_score(first.table)}"
    equal = [shown for shown in fair if shown.table.score == first.table.score]
    if len(equal) > 1:
        names = listed([one.name for one in equal])
        said = f"{where}, {names} have the same, highest official score of {counted(len(fair), 'system')}"
        said += f", {first.table.score:.2f}"
    try:
        compared = compare_folders([shown.folders for shown in fair], [shown.name for shown in fair])
    except AsdbenchError as error:
        return f"{said}; whether that is the better method is not known: {error.message}{beside}.", ""
    part = next((part for part in compared.parts if part.part == view.part), None)
    if part is None:
        return f"{said}{beside}.", ""
    told = _against(first.name, part.pairs)
    next_ = next(pair for pair in part.pairs if {pair.a, pair.b} == {first.name, fair[1].name})
    return f"{said}; {told}{beside}.", sentence(compared, part, next_)


def _against(name: str, pairs: Sequence[Comparison]) -> str:
    """How the method of that name stands to each of the others."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        if name not in (pair.a, pair.b):
            continue
        other = pair.b if pair.a == name else pair.a
        if pair.methods is None:
            found.setdefault("one training", []).append(other)
            continue
        own = pair.methods["official"].conclusion or "undecided"
        turned = {"better": "worse", "worse": "better"}.get(own, own) if pair.b == name else own
        found.setdefault(turned, []).append(other)
    words: Mapping[str, str] = {
        "better": "this method is better than {}",
        "worse": "this method is worse than {}",
        "equivalent": "it is equivalent to {} within the margin",
        "undecided": "whether it is better than {} is undecided",
        "one training": "of {} or of itself there is one training, from which nothing follows about the methods",
    }
    return "; ".join(text.format(listed(found[kind])) for kind, text in words.items() if kind in found)


def closing(tables: Sequence[SystemTable]) -> list[str]:
    """What a run says of its systems: which method is better, or that these are single trainings; a line each.

    Parameters
    ----------
    tables : sequence of SystemTable
        The run's.
    """
    said = []
    for dataset, part in dict.fromkeys((table.dataset, table.part) for table in tables):
        own = [table for table in tables if (table.dataset, table.part) == (dataset, part) and not table.oracle]
        where = "evaluation sections: " if part == "eval" else ""
        single = [table.system for table in own if table.over == SINGLE]
        if single:
            each = " each" * (len(single) > 1)
            said.append(
                f"{where}one training{each} of {listed(single)}: intervals are over clips, and nothing follows about"
                f" {'the methods' if each else 'the method'} (--seeds with {PLANNED} numbers would tell more)"
            )
        several = [table for table in comparable(own) if table.over not in (SINGLE, None)]
        if len(several) > 1:
            said.append(where + _closing(several, part))
    return said


def _closing(tables: Sequence[SystemTable], part: str) -> str:
    names = [table.system for table in tables]
    try:
        compared = compare_folders([table.folders for table in tables], names)
    except AsdbenchError as error:
        return f"{listed(names)} are not compared: {error.message}"
    (found,) = [one for one in compared.parts if one.part == part]
    if len(names) == 2:
        return sentence(compared, found, found.pairs[0])
    stamps = "; ".join(stamps_of(compared.sides))
    score = f"{names[0]} has the highest official score{f' ({stamps})' if stamps else ''}"
    return f"{score}; {_against(names[0], found.pairs)} (`asdbench compare` tells of all pairs)"


def _why_not(shown: Shown, fair: Sequence[Shown]) -> str:
    """Why a system does not take part."""
    if shown.table.score is None:
        return "no score"
    if not shown.table.result and fair[0].table.result:
        return ", ".join(shown.table.stamps)
    cells, most = shown.table.cells, fair[0].table.cells
    return f"{cells} of {most} cells" if cells < most else "other cells"


def _published(systems: Sequence[Shown]) -> str:
    """What of the published values is reproduced."""
    said = [f"{one.name}: {short(own)}" for one in systems if (own := one.table.reproductions) is not None]
    return f"; beside the published values, {', '.join(said)}" if said else ""


def _score(table: SystemTable) -> str:
    bounds = f" (95 % interval {table.score_interval})" if table.score_bounds else ""
    return f"{table.score:.2f}{f' {table.partial}' if table.partial else ''}{bounds}"
