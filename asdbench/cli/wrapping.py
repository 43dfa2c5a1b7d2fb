"""Lines that fit the terminal: wrapped under their beginning there, one line in a pipe (for grep)."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

NARROWEST = 40
TABLES = 80
"""Columns that tables take; a terminal of fewer breaks their rows."""
JOINT = "\x1f"  # no space to textwrap


def line(head: str, text: str, stream: TextIO | None = None, *, cut: bool = False) -> str:
    """``head`` and ``text``; what does not fit stands below the beginning of the text.

    Parameters
    ----------
    head : str
        May be styled.
    text : str
        Its line breaks are kept, and indented as well.
    stream : file, optional
        Where it will be printed; standard output.
    cut : bool
        Break a path that fits no line, after a slash. Else it stays in one piece, to be copied, and the terminal
        breaks it.
    """
    to = sys.stdout if stream is None else stream
    indent = " " * len(click.unstyle(head))
    width = max(shutil.get_terminal_size().columns, NARROWEST) if to.isatty() else 10**6
    wrapped = [
        textwrap.wrap(part, width - len(indent), break_long_words=False, break_on_hyphens=False) or [""]
        for part in text.split("\n")
    ]
    pieces = [piece for part in wrapped for piece in part]
    if cut:
        pieces = [short for piece in pieces for short in _cut(piece, width - len(indent))]
    return head + f"\n{indent}".join(pieces).replace(JOINT, " ")


def console() -> Console:
    """Where tables are printed: as wide as the terminal, but never so narrow that names and numbers would be lost."""
    from rich.console import Console

    return Console(highlight=False, width=max(terminal_width() or 0, TABLES))


def columns(names: Sequence[str], numbers: Sequence[str]) -> Table:
    """An empty table: columns of names, which fold where they must, and of numbers, which do not."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for head in names:
        made.add_column(head, overflow="fold")
    for head in numbers:
        made.add_column(head, justify="right", no_wrap=True)
    return made


def markdown(text: str, narrow: Callable[[], None] | None = None) -> None:
    """Print Markdown: in a pipe as it is; on a terminal for people, with long lines broken, tables left alone.

    Parameters
    ----------
    text : str
        Ends in a line break.
    narrow : callable or None
        Prints the same for a terminal that is narrower than the tables.
    """
    width = terminal_width()
    widest = max((len(row) for row in text.splitlines() if row.startswith("|")), default=0)
    if width is None:
        click.echo(text, nl=False)
    elif narrow is not None and widest > width:
        narrow()
    else:
        rows = (_row(row) if row.startswith("|") else line(*_beginning(_plain(row))) for row in text.split("\n"))
        click.echo("\n".join(rows), nl=False)


def _plain(text: str) -> str:
    """Markdown without the backslashes that keep a letter from being markup: nobody renders it on a terminal."""
    return re.sub(r"\\([\\`*{}\[\]<>|#_])", r"\1", text)


def _row(row: str) -> str:
    """The same of a table's row; its columns stay where they are."""
    cells = re.split(r"(?<!\\)\|", row)
    return "|".join(_plain(cell).ljust(len(cell)) for cell in cells)


def _beginning(row: str) -> tuple[str, str]:
    """What stands before a line's words (``- ``, ``> ``), and these."""
    found = re.match(r"[->] ", row)
    return (found[0], row[2:]) if found else ("", row)


def terminal_width() -> int | None:
    """The columns of the terminal that standard output is; None where it is none."""
    return max(shutil.get_terminal_size().columns, NARROWEST) if sys.stdout.isatty() else None


def whole(phrase: str) -> str:
    """A phrase whose words :func:`line` leaves in one line."""
    return phrase.replace(" ", JOINT)


def _cut(piece: str, room: int) -> list[str]:
    """A piece in parts that end in a slash, each as long as there is room; a longer name stays whole."""
    parts = [""]
    for name in re.findall(r"[^/]*/|[^/]+$", piece) if len(piece) > room else [piece]:
        if parts[-1] and len(parts[-1] + name) > room:
            parts.append("")
        parts[-1] += name
    return parts
