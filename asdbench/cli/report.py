"""``asdbench report``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("results", type=click.Path(path_type=Path), default=Path("results"))
@click.option("--dataset", metavar="NAME", help="Only this data set's results. Default: all there are.")
@click.option("--format", "form", type=click.Choice(["markdown"]), default="markdown", show_default=True)
def command(results: Path, dataset: str | None, form: str) -> None:
    """Print the tables of a RESULTS folder, one a system, beside what was published."""
    from asdbench.reports import markdown, tables

    click.echo(markdown.render(tables.build(results, dataset)), nl=False)
