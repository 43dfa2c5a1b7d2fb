"""``asdbench report``."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from asdbench.cli.options import FILE, PLACE
from asdbench.cli.wrapping import markdown


@click.command("report")
@click.argument("results", type=PLACE, default=Path("results"))
@click.option("--dataset", metavar="NAME", help="Only this data set's results. Default: all there are.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "latex", "csv", "json", "html"]),
    default="markdown",
    show_default=True,
    help="json: a record a system and seed, with the keys of `score`. html: a page with figures.",
)
@click.option("--output", type=FILE, help="Write there. html needs it.")
@click.option("--open", "opened", is_flag=True, help="Show the page in a browser (html).")
def command(results: Path, dataset: str | None, form: str, output: Path | None, opened: bool) -> None:
    """Print the tables of a RESULTS folder, one a system, beside what was published; or write a page with figures."""
    from asdbench.errors import UsageError
    from asdbench.files import write_text

    if form == "html" and output is None:
        raise UsageError("a page is a file", looked="--format html", hint="say --output FILE.html")
    if opened and form != "html":
        raise UsageError("only a page can be opened", looked=f"--format {form}", hint="say --format html --output FILE")
    if form == "html":
        from asdbench.reports.content import evidence
        from asdbench.reports.page import html

        made = html.render(evidence.views(results, dataset))
    else:
        from asdbench.reports.content import tables

        found = tables.build(results, dataset)
        # Each of these modules renders the same tables.
        renderer = {"markdown": "markdown", "latex": "paper", "csv": "tidy_csv", "json": "json_records"}[form]
        made = importlib.import_module(f"asdbench.reports.text.{renderer}").render(found)
        if output is None and form == "markdown":

            def narrow() -> None:
                from asdbench.cli import narrow_tables as blocks

                blocks.show(found)

            markdown(made, narrow)
            return
    if output is None:
        click.echo(made, nl=False)
        return
    write_text(output, made)
    click.echo(output, err=form != "html")
    if opened:
        import webbrowser

        webbrowser.open(output.resolve().as_uri())
