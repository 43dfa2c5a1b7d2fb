"""A results folder as one self-contained HTML page: no script is needed to read it, nothing is loaded.

The page's order: the verdict, the systems side by side, tables beside the published ones, figures, the clips most
wrong, timings, and how it was made. Template, styles and script stand in the folder ``page``; names are
escaped by jinja2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape

from asdbench.api import Dataset
from asdbench.errors import AsdbenchError
from asdbench.metrics.aggregate import RANKING, Metric
from asdbench.metrics.challenge import Column
from asdbench.reports import figures
from asdbench.reports.content import ranking, reproduction
from asdbench.reports.content.evidence import Shown, View, one_line
from asdbench.reports.content.footnotes import NO_RESULT, loud
from asdbench.reports.content.mistakes import Mistake, mistakes
from asdbench.reports.content.system_table import Row, SystemTable, best, shared_notes
from asdbench.reports.content.wording import NOTHING, clips_of, label, official_mean, unit
from asdbench.reports.figures import Figure, Panel, look
from asdbench.reports.figures.inline import Panels
from asdbench.reports.page import provenance
from asdbench.reports.page.sounds import BOUND, UNNAMED, Sounds, data_uri, spectrogram
from asdbench.reports.page.swatch import swatch
from asdbench.reports.page.values import LEGEND, Value, beside, number, plain
from asdbench.version import __version__

MOST_PANELS = 84  # of one figure; a page with more is slow to make and to open
MISTAKES = 4  # of each kind, a system's
NOTHING_IS = f"{NOTHING.removesuffix('.')}: they say nothing about real machines."
SOME_ARE_NONE = "Some of these numbers are no result: each table and caption says which."
MIND = "Mind this when you compare: each table and caption says what it applies to."
KINDS_SHOWN: Mapping[str, str] = {
    "auc": "AUC of every cell",
    "shift": "Domain shift",
    "roc": "ROC curves",
    "histogram": "Scores",
    "training": "Training",
    "latent": "Latent space",
}


@dataclass(frozen=True)
class Heard:
    """A mistake with what can be shown of it; ``why_not`` where there is no sound."""

    mistake: Mistake
    picture: Markup
    sound: str
    why_not: str


@dataclass
class Page:
    """What the parts of one page share: bytes left for sound, its panels, and where sounds come from."""

    room: int
    panels: Panels
    sounds: Sounds


def render(found: Sequence[View], data: Dataset | None = None, why_not: str = UNNAMED) -> str:
    """The page.

    Parameters
    ----------
    found : sequence of View
        At least one.
    data : Dataset or None
        The data set that sounds come from, opened by whoever asks for the page. What the results say is never opened.
    why_not : str
        Why ``data`` is None, for the page to say.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("asdbench.reports", "page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    pages.filters.update(marked=_marked, line=one_line, loud=loud, file=_file)
    pages.globals.update(swatch=swatch, code=provenance.CODE)
    page = Page(BOUND, Panels(), Sounds(data, why_not))
    made = [_view(view, f"v{number}", page) for number, view in enumerate(found)]
    stamps = tuple(dict.fromkeys(stamp for view in found for stamp in view.stamps))
    none = [bool(NO_RESULT & set(shown.table.stamps)) for view in found for shown in view.systems]
    return pages.get_template("page.html").render(
        title=f"Results on {', '.join(dict.fromkeys(one_line(view.dataset) for view in found))}",
        headline=tuple(dict.fromkeys(stamp.partition(":")[0].partition(" (")[0] for stamp in stamps)),
        stamps=stamps,
        meaning=NOTHING_IS if all(none) else SOME_ARE_NONE if any(none) else MIND,
        views=made,
        rules=Markup(page.panels.rules()),  # matplotlib's styles, nothing from data
        version=__version__,
    )


def _view(view: View, key: str, page: Page) -> dict[str, Any]:
    highest = best([shown.table for shown in view.systems])
    columns = view.definition.columns()
    said, behind = ranking.verdict(view)
    drawn = view.without_oracles()
    shared = shared_notes([shown.table for shown in view.systems])
    return {
        "key": key,
        "title": view.title,
        "stamps": view.stamps,
        "note": view.note,
        "verdict": said,
        "behind": behind,
        "reading": f"Percent. pAUC: up to a false positive rate of 0.1, standardised; chance is 50, as for AUC."
        f"{clips_of(view.definition)} Official score: the {official_mean(view.definition)}. Small:"
        f" {view.intervals}.",
        "columns": [label(column) for column in columns],
        "overall": [f"Mean {label(('', metric))}" for metric in _over_domains(columns)],
        "unit": unit(view.definition),
        "systems": [_row(shown, columns, shown.table in highest) for shown in view.systems],
        "published": any(shown.table.has_published for shown in view.systems),
        "most": MISTAKES,
        "legend": LEGEND if any(reproduction.LEGEND in shown.table.notes for shown in view.systems) else "",
        "deviations": _notes(note for note in shared if note in view.systems[0].table.deviations),
        "shared": _notes(note for note in shared if note not in view.systems[0].table.deviations),
        "reproduction": reproduction.HEADS,
        "tables": [_table(shown, columns, shared) for shown in view.systems],
        "oracles": drawn is not view and len(drawn.systems) < len(view.systems),
        "figures": [_figure(figures.make(kind, drawn), f"{key}-{kind}", page, drawn) for kind in figures.KINDS],
        "mistakes": list(_mistakes(drawn, page)),
        "timings": [_timings(shown) for shown in view.systems],
        "made": provenance.of(view),
        "drawn": drawn.stamps,
    }


def _row(shown: Shown, columns: Sequence[Column], best: bool) -> dict[str, Any]:
    table = shown.table
    return {
        "name": shown.name,
        "title": one_line(table.title),
        "look": look.of(shown),
        "best": "highest" if best else "",
        "oracle": shown.oracle,
        "collapsed": shown.collapsed,
        "score": _said(number(table.score, table.score_bounds), table),
        "overall": [
            number(table.overall.get(metric), table.overall_bounds.get(metric)) for metric in _over_domains(columns)
        ],
        "means": [
            number(table.ours[column].arithmetic if column in table.ours else None, table.arithmetic_bounds.get(column))
            for column in columns
        ],
        "cells": table.cells,
        "counted": table.counted,
        "published": plain(table.their_score),
    }


def _said(score: Value, table: SystemTable) -> Value:
    """An official score whose interval says what it is over."""
    return replace(score, interval=table.score_interval or score.interval)


def _over_domains(columns: Sequence[Column]) -> list[Metric]:
    """The metrics whose mean over both domains is none of the columns."""
    return [metric for metric in RANKING if ("", metric) not in columns]


def _table(shown: Shown, columns: Sequence[Column], shared: Sequence[str]) -> dict[str, Any]:
    table = shown.table
    rows = [
        {
            "machine": one_line(row.machine),
            "section": one_line(row.section),
            "mark": row.mark,
            "collapsed": row.collapsed,
            "values": _values(row, columns),
        }
        for row in table.rows
    ]
    means = [{"name": row.machine, "values": _values(row, columns)} for row in table.mean_rows]
    return {
        "name": shown.name,
        "title": one_line(table.title),
        "look": look.of(shown),
        "stamps": (*table.stamps, *filter(None, [table.partial])),
        "verdict": table.verdict,
        "reproduction": [] if table.reproductions is None else reproduction.rows(table.reproductions),
        "score": _said(
            beside(
                table.score,
                table.score_bounds,
                table.their_score,
                None if (official := table.beside("official")) is None else official.outcome,
            ),
            table,
        ),
        "rows": rows,
        "means": means,
        "notes": _notes(note for note in table.notes if note not in shared),
    }


def _values(row: Row, columns: Sequence[Column]) -> list[Value]:
    return [beside(row.ours.get(c), row.bounds.get(c), row.published.get(c), row.verdicts.get(c)) for c in columns]


def _figure(figure: Figure, key: str, page: Page, view: View) -> dict[str, Any]:
    shown, rest = figure.panels[:MOST_PANELS], figure.panels[MOST_PANELS:]
    empty = list(figure.empty)
    if rest:
        empty.append(
            f"{len(rest)} more panels ({', '.join(panel.title for panel in rest[:3])}, …) are left out of the page:"
            f" `asdbench plot {figure.kind} --machines …` draws them."
        )
    of_system = {one.name: tuple(map(loud, one.table.stamps)) for one in view.systems}
    folds = [
        (name, of_system.get(name, figure.stamps), [_svg(panel, page) for panel in own])
        for name, own in groupby(shown, key=lambda panel: panel.fold)
    ]
    return {
        "key": key,
        "heading": KINDS_SHOWN[figure.kind],
        "title": figure.title,
        "caption": figure.caption,
        "stamps": figure.stamps,
        "legend": figure.legend if folds else (),
        "folds": folds,
        "empty": empty,
    }


def _svg(panel: Panel, page: Page) -> Markup:
    return Markup(page.panels.svg(panel))  # its names are escaped


def _mistakes(view: View, page: Page) -> Iterator[dict[str, Any]]:
    for shown in view.systems:
        kinds = mistakes(view, shown, MISTAKES)
        heard = []
        for mistake in (kind.worst[0] for kind in kinds if kind.worst):
            made_on = str(shown.manifests[0]["machines"][mistake.cell.machine]["dataset"])
            heard.append(_heard(mistake, made_on, page))
        yield {
            "name": shown.name,
            "look": look.of(shown),
            "stamps": shown.table.stamps,
            "kinds": kinds,
            "heard": [one for one in heard if one.picture],
            "silent": list(dict.fromkeys(one_line(one.why_not) for one in heard if not one.picture)),
        }


def _heard(mistake: Mistake, made_on: str, page: Page) -> Heard:
    try:
        wave = page.sounds.read(mistake.cell.machine, mistake.clip, made_on)
    except AsdbenchError as error:
        return Heard(mistake, Markup(""), "", error.message)
    picture = _svg(spectrogram(wave, f"{one_line(mistake.cell)} · {mistake.label} · {mistake.kind}"), page)
    sound = data_uri(wave)
    if len(sound) > page.room:
        return Heard(mistake, picture, "", "no sound: the page holds as much as it should")
    page.room -= len(sound)
    return Heard(mistake, picture, sound, "")


def _timings(shown: Shown) -> dict[str, Any]:
    """Seconds of each stage, summed over machines and seeds; a fit that several machines share counts once."""
    total: dict[str, float] = {}
    for manifest in shown.manifests:
        entries = manifest["machines"].values()
        fits = {name: fit for entry in entries for name, fit in entry["fits"].items()}
        for fit in fits.values():
            for stage, seconds in fit.get("seconds", {}).items():
                total[stage] = total.get(stage, 0.0) + seconds
    entries = [entry.get("seconds", {}) for manifest in shown.manifests for entry in manifest["machines"].values()]
    embedding = [seconds["embedding"] for seconds in entries if "embedding" in seconds]
    if embedding:
        total["embedding (of the whole run)"] = max(embedding)
    return {"name": shown.name, "look": look.of(shown), "stages": total}


def _notes(notes: Iterable[str]) -> list[str]:
    """A table's notes, but for the key to marks that stand as words here."""
    return [one_line(note) for note in notes if note != reproduction.LEGEND]


def _file(name: str) -> Markup:
    """A file's name, which may be broken behind its underscores."""
    return Markup(str(escape(one_line(name))).replace("_", "_<wbr>"))  # escaped


def _marked(note: str) -> Markup:
    """A footnote's ``**loud**`` and code marks as HTML, all else as text."""
    text = str(escape(note))
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    return Markup(re.sub(r"`(.+?)`", r"<code>\1</code>", text))  # escaped above
