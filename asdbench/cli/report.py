"""``asdbench report``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("results", type=click.Path(path_type=Path), default=Path("results"))
@click.option("--dataset", metavar="NAME", help="Only this data set's results. Default: all there are.")
@click.option("--format", "form", type=click.Choice(["markdown", "csv"]), default="markdown", show_default=True)
def command(results: Path, dataset: str | None, form: str) -> None:
    """Print the tables of a RESULTS folder, one a system, beside what was published."""
    from asdbench.reports import tables

    found = tables.build(results, dataset)
    if form == "csv":
        from asdbench.reports import tidy

        click.echo(tidy.render(found), nl=False)
    else:
        from asdbench.reports import markdown

        click.echo(markdown.render(found), nl=False)
