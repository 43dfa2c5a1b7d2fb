"""``asdbench report``."""

from __future__ import annotations

import importlib
from pathlib import Path

import click


@click.command("report")
@click.argument("results", type=click.Path(path_type=Path), default=Path("results"))
@click.option("--dataset", metavar="NAME", help="Only this data set's results. Default: all there are.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "latex", "csv", "json"]),
    default="markdown",
    show_default=True,
    help="json: a record a system and seed, with the keys of `score`.",
)
def command(results: Path, dataset: str | None, form: str) -> None:
    """Print the tables of a RESULTS folder, one a system, beside what was published."""
    from asdbench.reports import tables

    # Each of these modules renders the same tables.
    renderer = {"markdown": "markdown", "latex": "paper", "csv": "tidy", "json": "records"}[form]
    found = tables.build(results, dataset)
    click.echo(importlib.import_module(f"asdbench.reports.{renderer}").render(found), nl=False)
