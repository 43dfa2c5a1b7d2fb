"""From panels to sheets: SVG, PNG and PDF.

Conventions
-----------
- Nothing of a name is ever read as markup or mathematics.
- Figures are functions of the results alone: no date, and ids that follow from the content.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asdbench.errors import DataError, UsageError
from asdbench.reports.figures import Figure, Panel
from asdbench.reports.figures.look import AREA, COLOURS, SECTION_COLOURS, Look

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as Sheet

WIDTH = 3.6  # inches: 346 CSS pixels, which a telephone shows at full size
LETTER = 0.08  # inches of a legend's letter, on the wide side
INK, FAINT, GRID, PAPER = "#1b1e23", "#6b7480", "#d4d9de", "#fefefd"
VARIABLES = {
    INK: "--ink",
    FAINT: "--faint",
    GRID: "--grid",
    PAPER: "--paper",
    COLOURS[0].lower(): "--blue",
    COLOURS[5].lower(): "--sky",
    SECTION_COLOURS[1]: "--indigo",
    SECTION_COLOURS[3]: "--wine",
}
"""What is too dark or too bright for one of light and dark, and the page's own colours for it."""
SUFFIXES = (".svg", ".png", ".pdf")
MOST = 200  # panels on a sheet; more could not be read
_SETTINGS: dict[str, Any] = {
    "axes.edgecolor": FAINT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.bottom": False,  # the grid says where
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.left": False,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "path.simplify_threshold": 0.4,
}


@contextmanager
def settings() -> Iterator[None]:
    """Within it, figures look as they should, whatever the user's matplotlibrc says."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for name, value in _SETTINGS.items():
            matplotlib.rcParams[name] = value  # type: ignore[index]  # the table's keys are its own
        yield


DATES = ("Date", "Creator", "Format", "Type")


def save(figure: Figure, path: Path) -> None:
    """Write a figure with legend and caption as one sheet: SVG, PNG or PDF by the file's ending.

    Raises
    ------
    UsageError
        For another ending, or more panels than a sheet can show.
    DataError
        Where there is nothing to draw, with the reason; or the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{path.name}: this kind of picture cannot be written",
            looked=f"the ending {path.suffix or '(none)'}",
            hint=f"end the name in {', '.join(SUFFIXES)}",
        )
    if not figure.panels:
        why = "\n".join(dict.fromkeys(figure.empty))
        raise DataError(f"nothing to draw: {figure.title}", looked=why, hint="`asdbench plot --help` names the others")
    if len(figure.panels) > MOST:
        raise UsageError(
            f"{len(figure.panels)} panels are too many for one sheet",
            looked=f"at most {MOST}",
            hint="choose with --machines and --systems",
        )
    import matplotlib

    from asdbench.files import write_whole

    content = io.BytesIO()
    form = path.suffix.lower().removeprefix(".")
    with settings():
        matplotlib.rcParams["svg.hashsalt"] = figure.kind
        dates = dict.fromkeys(DATES) if form == "svg" else {"CreationDate": None} if form == "pdf" else {}
        sheet(figure).savefig(content, format=form, dpi=150, facecolor=PAPER, metadata=dates)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.getvalue())
    except OSError as error:
        raise DataError(
            f"cannot write {path.name}", looked=f"{path.parent}: {error.strerror}", hint="choose another --output"
        ) from error


def sheet(figure: Figure) -> Sheet:
    """All panels of a figure on a matplotlib figure; call it within :func:`settings`."""
    from matplotlib.figure import Figure as Sheet
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = figure.across or min(len(figure.panels), 2 if len(figure.panels) <= 4 else 4)
    rows = [figure.panels[start : start + columns] for start in range(0, len(figure.panels), columns)]
    width = max(WIDTH * columns, 5.0)
    stamps = textwrap.wrap(", ".join(figure.stamps), round(width * 11))
    words = textwrap.wrap(" ".join(filter(None, (figure.caption, *figure.empty))), round(width * 17))
    keys = [("\n".join(textwrap.wrap(name, round((width - 0.6) / LETTER))), look) for name, look in figure.legend]
    longest = max((len(line) for name, _ in keys for line in name.split("\n")), default=1)
    across = max(1, int(width / (0.55 + LETTER * longest)))
    deep = math.ceil(len(keys) / across)  # a legend is filled column by column
    lines = [1 + name.count("\n") for name, _ in keys]
    legend_lines = sum(max(lines[row::deep]) for row in range(deep))
    head = 0.4 + 0.22 * legend_lines
    foot = 0.15 + 0.16 * (len(words) + len(stamps))
    heights = [max(panel.height for panel in row) for row in rows]
    height = head + sum(heights) + foot
    space = (0.0, foot / height, 1.0, (height - head - foot) / height)
    made = Sheet(figsize=(width, height), layout=ConstrainedLayoutEngine(rect=space))
    axes = made.subplots(len(rows), columns, squeeze=False, gridspec_kw={"height_ratios": heights})
    for number, place in enumerate(axes.flat):
        if number < len(figure.panels):
            draw(figure.panels[number], place, width / columns)
        else:
            place.set_visible(False)
    made.text(0.1 / width, 1 - 0.1 / height, figure.title, va="top", weight="bold", size=11)
    marks = [_key(name, look) for name, look in keys]
    if marks:
        made.legend(handles=marks, loc="upper left", bbox_to_anchor=(0, 1 - 0.3 / height), ncols=across)
    if stamps:
        said = "\n".join(stamps)
        made.text(0.1 / width, (foot - 0.05) / height, said, va="top", weight="bold", color="#B00020", size=9)
    below = (foot - 0.05 - 0.17 * len(stamps)) / height
    made.text(0.1 / width, below, "\n".join(words), va="top", size=7.5)
    return made


def _key(name: str, look: Look) -> Artist:
    """What stands for a look in a legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if look.mark == AREA:
        return Patch(color=look.colour, label=name)
    return Line2D([], [], color=look.colour, marker=look.mark, ls=look.line, label=name)


def draw(panel: Panel, axes: Axes, width: float) -> None:
    """Draw a panel on axes that are ``width`` inches wide, with its title."""
    panel.draw(axes)
    axes.set_title("\n".join(textwrap.wrap(panel.title, round(width * 9)) or [""]))


def chance(axes: Axes, vertical: bool = True) -> None:
    """The chance line at 0.5, on an axis in percent."""
    line: Callable[..., Any] = axes.axvline if vertical else axes.axhline
    line(50, color=FAINT, ls=(0, (4, 3)), lw=1, zorder=1.5)


def logarithmic(axis: Axis) -> None:
    """A logarithmic axis whose numbers are plain text."""
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    set_scale = axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale
    set_scale("log")
    low, high = sorted(axis.get_view_interval())
    few = high / max(low, 1e-300) < 30
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=5))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(StrMethodFormatter(""))


def spread(count: int, width: float) -> Sequence[float]:
    """Offsets that set ``count`` marks side by side over a width."""
    return [0.0] if count == 1 else [width * (number / (count - 1) - 0.5) for number in range(count)]
