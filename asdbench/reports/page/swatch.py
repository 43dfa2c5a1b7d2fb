"""A system's mark and line as a small SVG, for tables and legends: as it stands in the figures."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from asdbench.reports.figures.drawing import VARIABLES
from asdbench.reports.figures.look import AREA, Look

_SHAPES: Mapping[str, str] = {
    "": "",
    AREA: '<path d="M3 1h18v10H3z"/>',
    "o": '<circle cx="12" cy="6" r="4"/>',
    "s": '<path d="M8.5 2.5h7v7h-7z"/>',
    "D": '<path d="M12 1.5 16.5 6 12 10.5 7.5 6z"/>',
    "^": '<path d="M12 1.5 16.5 10h-9z"/>',
    "v": '<path d="M12 10.5 16.5 2h-9z"/>',
    "P": '<path d="M10.5 2h3v2.5H16v3h-2.5V10h-3V7.5H8v-3h2.5z"/>',
    "X": '<path d="M9.5 1.5 12 4l2.5-2.5 2 2L14 6l2.5 2.5-2 2L12 8l-2.5 2.5-2-2L10 6 7.5 3.5z"/>',
    "*": '<path d="M12 .5 13.4 4.3 17.5 4.4 14.3 6.9 15.4 10.8 12 8.5 8.6 10.8 9.7 6.9 6.5 4.4 10.6 4.3z"/>',
}
_DASHES: Mapping[str, str] = {"-": "none", "--": "5 3", "-.": "6 2 2 2", ":": "2 2", "": "0 99"}


def swatch(look: Look) -> Markup:
    """The ``<svg>`` of a look, in the page's colours."""
    variable = VARIABLES.get(look.colour.lower())
    colour = f"var({variable})" if variable else look.colour
    line = f"fill:none;stroke:{colour};stroke-width:1.5;stroke-dasharray:{_DASHES[look.line]}"
    return Markup(  # nothing from data
        '<svg class="swatch" viewBox="0 0 24 12" width="24" height="12" aria-hidden="true"'
        f' style="fill:{colour}"><path d="M0 6h24" style="{line}"/>{_SHAPES[look.mark]}</svg>'
    )
