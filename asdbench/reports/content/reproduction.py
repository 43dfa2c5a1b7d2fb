"""What of a published table a system reproduces, in words: the line to quote, marks, and a machine a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from asdbench.judging.reproduced import WIDEST, Outcome, Reproduction
from asdbench.judging.reproductions import Reproductions
from asdbench.published import Table
from asdbench.reports.content.wording import NOT_THERE, Bounds, percent, span
from asdbench.words import counted

MARKS: Mapping[Outcome, str] = {"reproduced": " ✓", "not reproduced": " ✗", "cannot be told": ""}
LIMITS = (
    f"cannot be told: of one training, or within an interval wider than ± {100 * WIDEST:g} points; a single cell with"
    " such an interval is not judged, wherever it lies. Chance alone puts up to 1 of 20 outside. A"
    " deterministic system is equal to rounding or not."
)
LEGEND = (
    "Differences: ✓ reproduced: the published value lies where one more training of ours would in 95 of 100 cases;"
    f" ✗ not reproduced: outside. No mark: {LIMITS}"
)
"""The key to :data:`MARKS`."""


HEADS = (
    "Machine",
    "Official score",
    "published",
    "difference",
    "one more training",
    "verdict",
    "mean AUC, difference",
    "mean pAUC, difference",
)


class Line(NamedTuple):
    """A machine, or all of them, beside what was published."""

    name: str
    of: Mapping[str, Reproduction]


def lines(found: Reproductions) -> list[Line]:
    """The machines and, where all cells are published, all of them."""
    own = [Line(machine, of) for machine, of in found.machines.items()]
    return [*own, Line("All", found.overall)] if found.overall else own


def rows(found: Reproductions) -> list[list[str]]:
    """A row a machine, as text, percent; columns :data:`HEADS`. None where of nothing can be told."""
    shown: list[list[str]] = []
    if not _can_tell(found):
        return shown
    for name, of in lines(found):
        row = [name, *[NOT_THERE] * 7]
        if (one := of.get("official")) is not None:
            row[1:6] = [
                percent(100 * one.ours),
                percent(100 * one.published),
                f"{100 * one.difference:+.2f}",
                span(_again(one)),
                one.outcome,
            ]
        row[6:] = [
            f"{100 * mean.difference:+.2f}{MARKS[mean.outcome]}" if mean else NOT_THERE
            for mean in (of.get("auc"), of.get("pauc"))
        ]
        shown.append(row)
    return shown


def summary(found: Reproductions, odd: Collection[str] = ()) -> str:
    """The line to quote: machines reproduced, not, and not to be told; misses by chance; the published epoch.

    Parameters
    ----------
    found : Reproductions
    odd : collection of str
        Cells (as text) of other clips than the published ones: how many values are theirs is said.
    """
    mean, values = found.mean_difference, len(found.cells)
    if mean is None:
        return f"none of {counted(found.unpublished, 'value')} is published"
    said = [_machines(found), *_official(found)] if _can_tell(found) else ["one training of ours: cannot be told"]
    said.append(f"mean difference {100 * mean:+.1f} points over {counted(values, 'value')}")
    said += [f"{found.unpublished} not published"] if found.unpublished else []
    strange = sum(str(cell) in odd for cell, _ in found.cells)
    said += [f"{strange} of the {values} of other clips"] if strange else []
    return f"{'; '.join(said)}. {made(found.table)}"


def made(table: Table) -> str:
    """Of how many trainings a table is, and how its epoch was chosen."""
    if table.trainings is None:
        number = "an unknown number of trainings (held as one)"
    else:
        number = counted(table.trainings, "training")
    return f"The published values are of {number}; their epoch: {table.selection}"


def short(found: Reproductions) -> str:
    """The machines in few words: ``5 of 7 machines reproduced, 1 not, 1 cannot be told``."""
    own = found.by_machine
    if not _can_tell(found):
        return "cannot be told of one training"
    total = own.reproduced + own.not_reproduced + own.cannot_be_told
    if not total:
        return "no machine is published whole"
    words = [f"{own.reproduced} of {counted(total, 'machine')} reproduced"]
    words += [f"{own.not_reproduced} not"] if own.not_reproduced else []
    words += [f"{own.cannot_be_told} cannot be told"] if own.cannot_be_told else []
    return ", ".join(words)


def _can_tell(found: Reproductions) -> bool:
    return found.deterministic or found.trainings > 1


def _machines(found: Reproductions) -> str:
    own = found.by_machine
    of: dict[Outcome, list[str]] = {}
    for machine, quantities in found.machines.items():
        if "official" in quantities:
            of.setdefault(quantities["official"].outcome, []).append(machine)
    if not of:
        return "no machine is published whole"
    how = "deterministic: equal to rounding or not" if found.deterministic else f"{found.trainings} trainings of ours"
    text = f"of {counted(sum(map(len, of.values())), 'machine')} (official score; {how}) {own.reproduced} reproduced"
    text += _named(own.not_reproduced, "not", of.get("not reproduced", ()))
    text += _named(own.cannot_be_told, "cannot be told", of.get("cannot be told", ()))
    return text if found.deterministic else f"{text}; by chance alone {own.expected_misses:.2g} would be missed"


def _named(count: int, what: str, names: Sequence[str]) -> str:
    return f", {count} {what} ({', '.join(names)})" if count else ""


def _official(found: Reproductions) -> list[str]:
    """The official score over all cells."""
    one = found.overall.get("official")
    if one is None:
        return []
    where = f"{100 * one.ours:.2f} here, {100 * one.published:.2f} published"
    if one.low is not None:
        where += f", one more training {span(_again(one))}"
    return [f"the official score over all {'is ' if one.outcome != 'cannot be told' else ''}{one.outcome} ({where})"]


def _again(one: Reproduction) -> Bounds | None:
    """Where one more training would lie, percent; None where that is not known."""
    return None if one.low is None or one.high is None else (100 * one.low, 100 * one.high)
