"""A leaderboard as text: Markdown, LaTeX, CSV, JSON.

Conventions
-----------
- Markdown and LaTeX: percent. A number in parentheses has no rank; why stands beside it, in capitals.
- CSV and JSON: a row a line of the board with the keys :data:`FIELDS`; scores are fractions; several values of one
  field are joined by "; " in CSV.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from asdbench.reports.content.footnotes import Letters, loud
from asdbench.reports.content.intervals import intervals_over
from asdbench.reports.content.leaderboard import Board, Place
from asdbench.reports.content.wording import NOT_THERE, PARTS, official_mean, percent, span
from asdbench.reports.text import latex
from asdbench.reports.text.json_records import FORMAT, dumps, fraction
from asdbench.reports.text.markdown import text
from asdbench.words import counted

FIELDS = (
    "format",
    "dataset",
    "part",
    "rank",
    "system",
    "title",
    "published",
    "official_score",
    "low",
    "high",
    "interval_of",
    "seeds",
    "mean_over_seeds",
    "sd_over_seeds",
    "seconds_to_train",
    "parameters",
    "cells",
    "cells_of_board",
    "result",
    "mind",
    "why_no_rank",
    "source",
)
HEAD = ("Official score", "95 % interval", "Seeds", "Train", "Parameters")


def render(boards: Sequence[Board], form: str) -> str:
    """The boards as text that ends in a line break.

    Parameters
    ----------
    boards : sequence of Board
    form : {"markdown", "csv", "json", "latex"}
    """
    return {"markdown": _markdown, "csv": _csv, "json": _json, "latex": _latex}[form](boards)


def _markdown(boards: Sequence[Board]) -> str:
    return "\n\n".join(part for board in boards for part in _parts(board)) + "\n"


def _parts(board: Board) -> list[str]:
    from tabulate import tabulate

    rows = []
    for place in board.places:
        mind = f"**{text('; '.join(map(loud, place.mind)))}**" if place.mind else ""
        rows.append([rank(place), text(name(place)), *numbers(place), text(place.source), mind])
    head = ["Rank", "System", *HEAD, "From", "Mind"]
    aligned = ["right", "left", *["right"] * len(HEAD), "left", "left"]
    warned = [f"> **{nothing(board)}**"] if nothing(board) else []
    return [
        f"# Leaderboard: {text(board.dataset)}{PARTS[board.part]}",
        about(board),
        *warned,
        tabulate(rows, head, tablefmt="pipe", disable_numparse=True, colalign=aligned),
        "\n".join(f"- {text(note)}" for note in notes(board)),
    ]


def _latex(boards: Sequence[Board]) -> str:
    parts = []
    for board in boards:
        letters = Letters(mind for place in board.places for mind in place.mind)
        rows = []
        for place in board.places:
            shown = f"{name(place)}, {place.source}" if place.published else place.system
            rows.append([rank(place), shown + letters(place.mind), *numbers(place)])
        warned = f"{nothing(board)} " if nothing(board) else ""
        caption = f"{warned}Systems on {board.dataset}{PARTS[board.part]}. {about(board)}"
        below = [f"{line}." for line in letters.key()]
        heads = ["Score", "95 % interval", "Seeds", "Train", "Learned"]
        below.append(" ".join(notes(board)))
        parts.append(latex.table(caption, ["", "System"], [("", heads)], rows, below, left="rp{4cm}"))
    return latex.document(parts)


def _csv(boards: Sequence[Board]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    for record in _records(boards):
        lists = {name: "; ".join(map(str, value)) for name, value in record.items() if isinstance(value, list)}
        flags = {name: "yes" if record[name] else "" for name in ("published", "result")}
        writer.writerow({**record, **lists, **flags})
    return out.getvalue()


def _json(boards: Sequence[Board]) -> str:
    return dumps(_records(boards))


def _records(boards: Sequence[Board]) -> list[dict[str, Any]]:
    return [
        {
            "format": FORMAT,
            "dataset": board.dataset,
            "part": board.part,
            "rank": place.rank,
            "system": place.system,
            "title": place.title,
            "published": place.published,
            "official_score": fraction(place.score),
            "low": fraction(place.bounds[0] if place.bounds else None),
            "high": fraction(place.bounds[1] if place.bounds else None),
            "interval_of": place.interval_of or None,
            "seeds": list(place.seeds),
            "mean_over_seeds": fraction(place.mean),
            "sd_over_seeds": fraction(place.spread),
            "seconds_to_train": place.seconds,
            "parameters": place.parameters,
            "cells": len(place.cells),
            "cells_of_board": board.cells,
            "result": place.result,
            "mind": list(place.mind),
            "why_no_rank": place.why_not or None,
            "source": place.source,
        }
        for board in boards
        for place in board.places
    ]


def about(board: Board) -> str:
    """What the numbers are."""
    return (
        f"Percent. Official score: {official_mean(board.definition)}, over {counted(board.cells, 'cell')}."
        " Scores in parentheses have no rank: they must not be set against the others."
    )


def nothing(board: Board) -> str:
    """A warning where no number of ours is a result; else empty."""
    if any(place.result and place.score is not None and not place.published for place in board.places):
        return ""
    stamps = dict.fromkeys(mind.partition(":")[0] for p in board.places if not p.published for mind in p.mind)
    return f"NO RESULT OF OURS IS HERE: {', '.join(stamps).upper()}." if stamps else "NO RESULT OF OURS IS HERE."


def notes(board: Board) -> list[str]:
    """What a reader must know of data and columns."""
    return [
        f"Data: {', '.join(board.specs)}.",
        *filter(None, [intervals_over((place.interval_of, place.system) for place in board.places)]),
        "Seeds: mean and standard deviation of the official score. Train: seconds of fitting alone, of one seed."
        " Parameters: learned numbers of all fits. – : not known.",
        *board.notes,
    ]


def name(place: Place) -> str:
    """The system; of a published table what it is of: its title without its number."""
    return place.title.split(", ", 1)[-1] if place.published else place.system


def rank(place: Place) -> str:
    """The rank; a dash where there is none."""
    return NOT_THERE if place.rank is None else str(place.rank)


def numbers(place: Place) -> list[str]:
    """What stands under :data:`HEAD`."""
    score = percent(place.score)
    seeds = f"{len(place.seeds)}" if place.seeds else NOT_THERE
    if place.mean is not None and place.spread is not None:
        seeds += f": {place.mean:.2f} ± {place.spread:.2f}"
    return [
        score if place.result or place.score is None else f"({score})",
        span(place.bounds),
        seeds,
        NOT_THERE if place.seconds is None else f"{place.seconds:,.1f} s",
        NOT_THERE if place.parameters is None else _count(place.parameters),
    ]


def _count(number: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f} {letter}"
    return str(number)
