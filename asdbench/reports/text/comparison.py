"""A comparison of methods as text: Markdown, LaTeX, CSV, JSON.

Conventions
-----------
- Markdown and LaTeX are percent; CSV and JSON are fractions.
- JSON of two systems: ``margin``, ``systems`` (names), ``parts``, each with ``part``, ``methods`` (``official``,
  ``auc``, ``pauc``; null where a side has one training), ``machines_like_these``, ``machines``, ``trainings`` (over
  clips alone) and ``cells``. Of more systems: ``pairs``, a list of such objects.
- CSV: one line a value and pair, columns :data:`FIELDS`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from asdbench.judging.compared import Compared, Part
from asdbench.judging.conclusions import Verdict
from asdbench.judging.methods import Comparison
from asdbench.judging.pair import QUANTITIES
from asdbench.reports.content.comparison import (
    METRICS,
    NAMES,
    Line,
    cells_of,
    name_of,
    notes,
    of_cells,
    of_machines,
    overall,
    p_of,
    place_names,
    section_name,
    sentence,
    signed,
    span,
    warning,
)
from asdbench.reports.content.wording import NOT_THERE, clips_of, official_mean
from asdbench.reports.text import latex
from asdbench.reports.text.markdown import pipe, text

FORMAT = 1
HEADS = ("difference", "95 % interval", "p", "conclusion")
FIELDS = (
    *("part", "a", "b", "of", "machine", "section", "domain", "metric", "value_a", "value_b", "difference"),
    *("low", "high", "p", "conclusion", "seeds_needed", "reason", "margin", "trainings_a", "trainings_b"),
)


def render(compared: Compared, form: str = "markdown") -> str:
    """The whole comparison.

    Parameters
    ----------
    compared : Compared
    form : {"markdown", "latex", "csv", "json"}

    Returns
    -------
    str
        Ends in a line break.
    """
    return {"markdown": _markdown, "latex": _latex, "csv": _csv, "json": _json}[form](compared)


def title(compared: Compared) -> str:
    """What is compared, on which data."""
    names = ", ".join(side.name for side in compared.sides[:-1]) + f" and {compared.sides[-1].name}"
    data = " and ".join(dict.fromkeys(side.dataset for side in compared.sides if side.dataset))
    return f"{names} on {data}" if data else names


def values(own: Verdict, digits: int = 2) -> list[str]:
    """Both values and what stands under :data:`HEADS`."""
    shown = [f"{100 * own.a:.{digits}f}", f"{100 * own.b:.{digits}f}", signed(own.difference, digits)]
    return [*shown, span(own) or NOT_THERE, p_of(own) or NOT_THERE, conclusion(own)]


def conclusion(own: Verdict) -> str:
    """The conclusion in a word or two."""
    if own.conclusion is None:
        return NOT_THERE
    return f"{own.conclusion}, {own.detectably}" if own.detectably else own.conclusion


def definitions(compared: Compared) -> str:
    """What the official score is."""
    definition = compared.parts[0].definition
    return f"Official score: the {official_mean(definition)}.{clips_of(definition)}"


def _markdown(compared: Compared) -> str:
    blocks = [f"# {text(title(compared))}"]
    loud, meaning = warning(compared)
    if loud:
        blocks.append(f"> **{text(loud)}** {meaning}")
    for part in compared.parts:
        if section_name(compared, part):
            blocks.append(f"## {section_name(compared, part)}")
        blocks += _two(compared, part) if len(part.pairs) == 1 else _several(compared, part)
    told = [definitions(compared), *notes(compared)]
    blocks.append("\n".join(f"- {text(note).removesuffix('.')}." for note in told))
    return "\n\n".join(blocks) + "\n"


def _two(compared: Compared, part: Part) -> Iterator[str]:
    (pair,) = part.pairs
    yield f"**{text(sentence(compared, part, pair))}**"
    names = [text(pair.a), text(pair.b)]
    methods = pair.methods is not None
    head = ["Methods" if methods else "These trainings, over clips", *names, *HEADS]
    yield pipe(head, [[name_of(line), *values(line.verdict)] for line in overall(pair)], 1)
    if machines := of_machines(pair):
        head = ["Machine", "", *names, *HEADS]
        yield pipe(head, [[text(one.machine), NAMES[one.quantity], *values(one.verdict)] for one in machines], 2)
    places = place_names(part)
    head = [*places]
    for metric in METRICS.values():
        head += [f"{metric} {name}" for name in names] + ["difference", "95 % interval"]
    rows = []
    for cell, own in cells_of(pair).items():
        where = [text(name) for name in (cell.machine, cell.section, cell.domain)][: len(places)]
        for metric in METRICS:
            where += values(own[metric])[:4] if metric in own else [""] * 4
        rows.append(where)
    yield pipe(head, rows, len(places))


def _several(compared: Compared, part: Part) -> Iterator[str]:
    yield "\n".join(f"- **{text(sentence(compared, part, pair))}**" for pair in part.pairs)
    for quantity in QUANTITIES:
        rows = []
        for pair in part.pairs:
            found = pair.trainings if pair.methods is None else pair.methods
            rows.append([text(pair.a), text(pair.b), *values(found[quantity])])
        name = NAMES[quantity]
        head = [f"{name[0].upper()}{name[1:]}: A", "B", "A", "B", "A − B", *HEADS[1:]]
        yield pipe(head, rows, 2)


def _latex(compared: Compared) -> str:
    tables = []
    loud, meaning = warning(compared)
    told = [definitions(compared), *(f"{note.removesuffix('.')}." for note in notes(compared))]
    for part in compared.parts:
        where = (
            f"{title(compared)}{f', {section_name(compared, part).lower()}' if section_name(compared, part) else ''}"
        )
        caption = f"{f'{loud} {meaning} ' if loud else ''}{where}."
        said = [sentence(compared, part, pair) for pair in part.pairs]
        if len(part.pairs) == 1:
            (pair,) = part.pairs
            first = "Methods" if pair.methods is not None else "These trainings, over clips"
            rows = [[name_of(line), *values(line.verdict)] for line in overall(pair)]
            groups = [("", [pair.a, pair.b, *HEADS])]
            tables.append(latex.table(caption, [first], groups, rows, [*said, *told]))
            continue
        for quantity in QUANTITIES:
            rows = [
                [pair.a, pair.b, *values((pair.trainings if pair.methods is None else pair.methods)[quantity])]
                for pair in part.pairs
            ]
            groups = [("", ["A", "B", *HEADS])]
            below = [*said, *told] if quantity == "official" else []
            tables.append(latex.table(f"{caption} {NAMES[quantity]}.", ["A", "B"], groups, rows, below))
    return latex.document(tables)


def _csv(compared: Compared) -> str:
    made = io.StringIO()
    writer = csv.DictWriter(made, FIELDS, lineterminator="\n")
    writer.writeheader()
    for part in compared.parts:
        for pair in part.pairs:
            lines = [*overall(pair), *of_machines(pair), *of_cells(pair)]
            if pair.methods is not None:
                lines += [Line("trainings", quantity, own) for quantity, own in pair.trainings.items()]
            writer.writerows(_row(part, pair, line) for line in lines)
    return made.getvalue()


def _row(part: Part, pair: Comparison, line: Line) -> dict[str, Any]:
    own = line.verdict
    return {
        "part": part.part,
        "a": pair.a,
        "b": pair.b,
        "of": line.kind,
        "machine": line.machine,
        "section": line.section,
        "domain": line.domain,
        "metric": line.quantity,
        "value_a": own.a,
        "value_b": own.b,
        **{name: getattr(own, name) for name in ("difference", "low", "high", "p", "conclusion", "seeds_needed")},
        "reason": own.reason,
        "margin": pair.margin,
        "trainings_a": pair.seeds[0],
        "trainings_b": pair.seeds[1],
    }


def _json(compared: Compared) -> str:
    names = [side.name for side in compared.sides]
    about: dict[str, Any] = {
        "format": FORMAT,
        "margin": compared.margin,
        "systems": names,
        "about": {
            side.name: {
                "dataset": side.dataset or None,
                "stamps": list(side.stamps),
                "seeds": list(side.seeds),
                "deterministic": side.deterministic,
                "fits": side.fits,
                "collapsed": list(side.collapsed),
            }
            for side in compared.sides
        },
        "left_out": [{"reason": why, "cells": [str(cell) for cell in own]} for why, own in compared.left_out.items()],
    }
    if len(names) == 2:
        about["parts"] = [_part(compared, part, part.pairs[0]) for part in compared.parts]
    else:
        pairs = [(pair.a, pair.b) for pair in compared.parts[0].pairs]
        about["pairs"] = [
            {
                "margin": compared.margin,
                "systems": list(own),
                "parts": [
                    _part(compared, part, pair)
                    for part in compared.parts
                    for pair in part.pairs
                    if (pair.a, pair.b) == own
                ],
            }
            for own in pairs
        ]
    return json.dumps(about, indent=1, ensure_ascii=False) + "\n"


def _part(compared: Compared, part: Part, pair: Comparison) -> dict[str, Any]:
    def records(found: Any) -> dict[str, Any] | None:
        return None if found is None else {quantity: own.record for quantity, own in found.items()}

    return {
        "part": part.part or None,
        "sentence": sentence(compared, part, pair),
        "trainings_of_each": list(pair.seeds),
        "paired": pair.paired,
        "collapsed": list(pair.collapsed),
        "methods": records(pair.methods),
        "machines_like_these": records(pair.machines_like_these),
        "machines": None
        if pair.machines is None
        else {machine: records(own) for machine, own in pair.machines.items()},
        "trainings": records(pair.trainings),
        "cells": [
            {
                "machine": line.machine,
                "section": line.section,
                "domain": line.domain,
                "metric": line.quantity,
                **line.verdict.record,
            }
            for line in of_cells(pair)
        ],
        "hanging_clips": [
            {"machine": one.machine, "label": one.label, "correlation": one.correlation, "p": one.p}
            for one in part.hanging
        ],
    }
