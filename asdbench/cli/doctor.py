"""``asdbench doctor``."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path

import click

from asdbench.cli.options import FOLDER

STATE, SUBJECT = 9, 12
"""Widths of the first two columns."""


@click.command("doctor")
@click.option("--results", type=FOLDER, default=Path("results"), show_default=True, help="Where results would go.")
@click.option(
    "--cache", type=FOLDER, help="Where features are kept. Default: ASDBENCH_CACHE or the user's cache folder."
)
def command(results: Path, cache: Path | None) -> int:
    """Say what is ready on this machine and what is missing. Nothing is downloaded or changed.

    Exit code 4 where something is missing that `asdbench run`, as configured, needs.
    """
    from asdbench.cache import default_cache
    from asdbench.doctor import diagnose

    # In a pipe a check stays one line, for grep.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10**6
    missing = 0
    for check in diagnose(results, cache or default_cache()):
        text = f"{check.text}. To do: {check.hint}" if check.hint else check.text
        head = f"{check.state:<{STATE}}{check.subject:<{SUBJECT}}"
        click.echo(
            textwrap.fill(
                " ".join(text.split()),
                max(width, 2 * (STATE + SUBJECT)),
                initial_indent=head,
                subsequent_indent=" " * (STATE + SUBJECT),
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
        missing += check.state == "missing"
    return 4 if missing else 0
