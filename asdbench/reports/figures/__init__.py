"""Figures of results: one module a figure. matplotlib is imported when something is drawn, never before.

A :class:`Figure` is a caption and panels; a panel knows how to draw itself on given axes. The page
(:mod:`asdbench.reports.page.html`) sets panels side by side as far as they fit,
:mod:`asdbench.reports.figures.drawing` puts them all on one sheet.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from asdbench.reports.content.evidence import View
from asdbench.reports.figures import look
from asdbench.reports.figures.look import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind: TypeAlias = Literal["auc", "shift", "roc", "histogram", "training", "latent"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Parameters
    ----------
    title : str
    draw : callable
        Takes the axes.
    height : float
        Inches; the width is :data:`asdbench.reports.figures.drawing.WIDTH`.
    fold : str
        What a page may fold it under, such as a machine; empty where it is always seen.
    """

    title: str
    draw: Callable[[Axes], None]
    height: float = 2.7
    fold: str = ""


@dataclass(frozen=True)
class Figure:
    """Panels under one caption.

    Parameters
    ----------
    kind : str
    title, caption : str
        The caption ends with data set, n and seeds.
    panels : tuple of Panel
    stamps : tuple of str
        What the caption must say loudly.
    legend : tuple of (str, Look)
    empty : tuple of str
        What cannot be drawn, and why.
    across : int
        How many panels stand side by side on a sheet; 0 where that is all the same.
    """

    kind: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    stamps: tuple[str, ...] = ()
    legend: tuple[tuple[str, Look], ...] = field(default=())
    empty: tuple[str, ...] = ()
    across: int = 0


def of_systems(
    kind: Kind, view: View, title: str, caption: str, panels: Iterable[Panel], empty: Iterable[str] | None = None
) -> Figure:
    """A figure whose legend is the view's systems; the caption gets the view's note.

    ``empty``: by default, which systems have no values.
    """
    return Figure(
        kind,
        title,
        f"{caption} {view.note}.",
        tuple(panels),
        view.stamps,
        tuple((shown.name, look.of(shown)) for shown in view.systems),
        view.without_values if empty is None else tuple(empty),
    )


def make(kind: Kind, view: View) -> Figure:
    """The figure of a kind, nothing drawn yet."""
    module = importlib.import_module(f"asdbench.reports.figures.{kind}")
    return cast(Figure, module.figure(view))
