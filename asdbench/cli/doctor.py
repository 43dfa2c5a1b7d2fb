"""``asdbench doctor``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.options import CACHE, FOLDER
from asdbench.cli.wrapping import line

STATE, SUBJECT = 9, 12
"""Widths of the first two columns."""


@click.command("doctor")
@click.option("--results", type=FOLDER, default=Path("results"), show_default=True, help="Where results would go.")
@CACHE
def command(results: Path, cache: Path | None) -> int:
    """Say what is ready on this machine and what is missing. Nothing is downloaded or changed.

    Exit code 4 where something is missing that `asdbench run`, as configured, needs.
    """
    from asdbench.upkeep.cache import default_cache
    from asdbench.upkeep.doctor import diagnose

    missing = 0
    for check in diagnose(results, cache or default_cache()):
        text = f"{check.text}. To do: {check.hint}" if check.hint else check.text
        click.echo(line(f"{check.state:<{STATE}}{check.subject:<{SUBJECT}}", " ".join(text.split()), cut=True))
        missing += check.state == "missing"
    return 4 if missing else 0
