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
    type=click.Choice(["markdown", "latex", "csv", "json", "html"]),
    default="markdown",
    show_default=True,
    help="json: a record a system and seed, with the keys of `score`. html: a page with figures.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write there. html needs it.")
@click.option("--open", "opened", is_flag=True, help="Show the page in a browser (html).")
def command(results: Path, dataset: str | None, form: str, output: Path | None, opened: bool) -> None:
    """Print the tables of a RESULTS folder, one a system, beside what was published; or write a page with figures."""
    from asdbench.errors import UsageError
    from asdbench.files import write_text

    if form == "html" and output is None:
        raise UsageError("a page is a file", looked="--format html", hint="say --output FILE.html")
    if opened and form != "html":
        raise UsageError("only a page can be opened", looked=f"--format {form}", hint="say --format html --output FILE")
    made = _render(results, dataset, form)
    if output is None:
        click.echo(made, nl=False)
        return
    write_text(output, made)
    click.echo(output, err=form != "html")
    if opened:
        import webbrowser

        webbrowser.open(output.resolve().as_uri())


def _render(results: Path, dataset: str | None, form: str) -> str:
    if form == "html":
        from asdbench.reports import evidence, html

        return html.render(evidence.views(results, dataset))
    from asdbench.reports import tables

    # Each of these modules renders the same tables.
    renderer = {"markdown": "markdown", "latex": "paper", "csv": "tidy", "json": "records"}[form]
    found = tables.build(results, dataset)
    made: str = importlib.import_module(f"asdbench.reports.{renderer}").render(found)
    return made
