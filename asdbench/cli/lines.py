"""Lines that fit the terminal: wrapped under their beginning there, one line in a pipe (for grep)."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TextIO

import click

NARROWEST = 40


def line(head: str, text: str, stream: TextIO | None = None) -> str:
    """``head`` and ``text``; what does not fit stands below the beginning of the text.

    Parameters
    ----------
    head : str
        May be styled.
    text : str
        Its line breaks are kept, and indented as well.
    stream : file, optional
        Where it will be printed; standard output.
    """
    to = sys.stdout if stream is None else stream
    indent = " " * len(click.unstyle(head))
    width = max(shutil.get_terminal_size().columns, NARROWEST) if to.isatty() else 10**6
    wrapped = [
        textwrap.wrap(part, width - len(indent), break_long_words=False, break_on_hyphens=False) or [""]
        for part in text.split("\n")
    ]
    return head + f"\n{indent}".join(piece for part in wrapped for piece in part)
