"""``asdbench report``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asdbench.cli.options import FILE, PLACE
from asdbench.cli.wrapping import markdown

if TYPE_CHECKING:
    from asdbench.api import Dataset


@click.command("report")
@click.argument("results", type=PLACE, default=Path("results"))
@click.option(
    "--dataset",
    metavar="NAME|SPEC",
    help="Only this data set's results. Default: all there are. html: also where sounds come from, such as toy or "
    "dcase2021:ROOT; without it the page has none.",
)
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

        name, data, why_not = _sounding(results, dataset)
        made = html.render(evidence.views(results, name), data, why_not)
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


def _sounding(results: Path, asked: str | None) -> tuple[str | None, Dataset | None, str]:
    """The name of the results that are meant, the data set with their sounds, and why there is none.

    What names results is a name: it is opened only where it is just that of a registered data set (``toy``). Somebody
    who copies the name that a stranger's folder has must not run what it says.
    """
    from asdbench.datasets import open_dataset
    from asdbench.errors import AsdbenchError
    from asdbench.plugins import registry
    from asdbench.reports.page.sounds import UNNAMED
    from asdbench.results.results_folder import seed_folders

    if asked is None:
        return None, None, UNNAMED
    if asked not in {folder.dataset for folder in seed_folders(results)} and (":" in asked or "[" in asked):
        data, _ = open_dataset(asked)
        return data.name, data, ""
    if asked not in registry.entries("datasets"):
        return asked, None, UNNAMED
    try:
        return asked, open_dataset(asked)[0], ""
    except AsdbenchError as error:  # a name that needs a root as well, such as dcase2021: it still chooses the results
        return asked, None, f"{error.message}; {UNNAMED}"
