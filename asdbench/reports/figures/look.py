"""One colour, mark and line for each system, the same in every figure and table. Colour-blind safe.

The systems that come with asdbench have places of their own, whatever else there is: another selection of them or
another results folder shows them as before.

Source of the colours: Okabe & Ito, Color universal design (2008); their black is the ink, their yellow is left out
(too faint on white), orange and sky blue are darkened to a contrast of 3 on white. Beyond six systems the marks and
lines tell them apart, never the colour alone. Sections have colours of their own: Tol, Colour schemes (2021), "muted",
without its sand (too faint on white), cyan and green (near systems' colours).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asdbench.reports.content.evidence import Shown

COLOURS = ("#0072B2", "#C98500", "#009E73", "#CC79A7", "#D55E00", "#3A9BD6")
SECTION_COLOURS = ("#CC6677", "#332288", "#999933", "#882255", "#44AA99", "#AA4499")
MARKS = ("o", "s", "D", "^", "v", "P", "X")
LINES = ("-", "--", "-.")
CHOSEN: Mapping[str, tuple[str, str]] = {"oracle": ("*", ":"), "oracle-pauc": ("p", ":"), "pseudo": ("h", ":")}
"""Mark and line of a system at a chosen epoch, by the choice."""

AREA = "area"
"""The mark of what is drawn as a filled area; "" is that of a plain line."""


@dataclass(frozen=True)
class Look:
    """Colour (hex), matplotlib marker (or :data:`AREA`, or "") and line style."""

    colour: str
    mark: str
    line: str


def of_place(place: int) -> Look:
    """The look of the system at a place."""
    return Look(COLOURS[place % len(COLOURS)], MARKS[place % len(MARKS)], LINES[place // len(COLOURS) % len(LINES)])


def of_section(number: int) -> Look:
    """The look of the section with that place among those shown."""
    return Look(SECTION_COLOURS[number % len(SECTION_COLOURS)], MARKS[number % len(MARKS)], "")


def of(shown: Shown) -> Look:
    """A system's look: that of its place; at a chosen epoch it has a mark and line of its own in the same colour."""
    own = of_place(shown.place)
    return Look(own.colour, *CHOSEN[shown.choice.name]) if shown.choice.name in CHOSEN else own
