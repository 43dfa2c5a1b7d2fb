"""A panel as an ``<svg>`` element of a page.

Conventions
-----------
- Ink, grid and paper are the page's (CSS variables): a panel is readable in light and dark.
- A style is said once, as a class of the page; groups that say nothing are left out. (A minifier for any SVG knows
  nothing of the page: what it leaves is twice as large.)
- Coordinates have one decimal: a tenth of a point cannot be seen.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from asdbench.reports.figures import Panel
from asdbench.reports.figures.drawing import DATES, VARIABLES, WIDTH, draw, settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 3.0  # points around a panel's words
_OWN_ID = re.compile(r"(?:^|(?<=#))[a-z]+[0-9a-f]{10}(?=\)?$)")  # as matplotlib makes them: word and hash


class Panels:
    """The panels of one page, which share their styles."""

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}
        self._ids: dict[str, str] = {}

    def svg(self, panel: Panel) -> str:
        """A panel's element; its ids are the page's own."""
        root = _drawn(panel)
        for element in root.iter():
            _shorten(element)
            if element.attrib.get("style"):
                element.set("class", self._classes.setdefault(element.attrib.pop("style"), f"s{len(self._classes)}"))
            for name in [name for name in ("id", "href", "clip-path") if name in element.attrib]:
                element.set(name, _OWN_ID.sub(lambda found: self._id(found[0]), element.attrib[name]))
        _unwrap(root)
        root.attrib = {"role": "img", "aria-label": panel.title, "viewBox": root.attrib["viewBox"]}
        return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")

    def rules(self) -> str:
        """The page's style sheet for the panels made so far."""
        return "\n".join(f".{name}{{{style}}}" for style, name in self._classes.items())

    def _id(self, name: str) -> str:
        return self._ids.setdefault(name, f"i{len(self._ids)}")


def _drawn(panel: Panel) -> ElementTree.Element:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Sheet

    with settings():
        sheet = Sheet(figsize=(WIDTH, panel.height), frameon=False)
        canvas = FigureCanvasSVG(sheet)
        axes = sheet.add_subplot()
        axes.patch.set_visible(False)  # the page's paper
        draw(panel, axes, WIDTH)
        _fill(axes)
        text = io.StringIO()
        # savefig draws everything twice
        canvas.print_svg(text, metadata=dict.fromkeys(DATES))  # type: ignore[no-untyped-call]  # matplotlib's
    return ElementTree.fromstring(text.getvalue())


def _fill(axes: Axes) -> None:
    """Let axes and their words fill the panel. (matplotlib's own layouts measure twice: slower by an eighth.)"""
    box, own, (width, height) = axes.get_tightbbox(for_layout_only=True), axes.bbox, axes.figure.bbox.size
    assert box is not None  # they are visible
    left, bottom, right, top = own.x0 - box.x0, own.y0 - box.y0, box.x1 - own.x1, box.y1 - own.y1
    axes.set_position(
        (
            (left + MARGIN) / width,
            (bottom + MARGIN) / height,
            1 - (left + right + 2 * MARGIN) / width,
            1 - (bottom + top + 2 * MARGIN) / height,
        )
    )


def _shorten(element: ElementTree.Element) -> None:
    """Names without their namespaces, short numbers, the page's colours; no white space but that of words."""
    element.tag = element.tag.rpartition("}")[2]
    element.attrib = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    element.tail = None
    if not (element.text or "").strip():
        element.text = None
    for name in element.attrib.keys() & {"x", "y", "width", "height", "transform"}:
        element.set(name, _rounded(element.attrib[name]))
    if "d" in element.attrib:
        element.set("d", re.sub(r"\s*([A-Za-z])\s*", r"\1", _rounded(element.attrib["d"])).strip())
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    style = re.sub(r"\s*([:;])\s*", r"\1", element.attrib.get("style", "")).strip()
    style = style.replace("font-family:'DejaVu Sans';", "")  # page.css says it
    for colour, variable in VARIABLES.items():
        style = style.replace(colour, f"var({variable})")
    if style:
        element.set("style", style)
    else:
        element.attrib.pop("style", None)


def _rounded(numbers: str) -> str:
    return re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), numbers)


def _unwrap(parent: ElementTree.Element) -> None:
    """Leave out groups that say nothing, and what cannot be seen; a group says its marks' class for them."""
    kept: list[ElementTree.Element] = []
    classes = {child.get("class") for child in parent}
    if "clip-path" in parent.attrib and len(classes) == 1 and None not in classes:
        parent.set("class", str(classes.pop()))
        for child in parent:
            del child.attrib["class"]
    for child in parent:
        _unwrap(child)
        if child.tag == "g" and not child.attrib.keys() - {"id"}:
            kept += child
        elif child.tag not in ("metadata", "style"):
            kept.append(child)
    parent[:] = kept
