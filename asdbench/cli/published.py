"""``asdbench published`` and ``asdbench published show KEY``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from asdbench.published import Table


@click.group("published", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the published tables there are, or show one: `published show narita2021/table-5`.

    Printed means stand beside those recomputed from the printed cells; known errors are named.
    """
    if context.invoked_subcommand is not None:
        return
    from asdbench.cli.wrapping import terminal_width
    from asdbench.published import tables
    from asdbench.reports.text import published

    width = min(published.WIDTH, terminal_width() or published.WIDTH)
    click.echo(published.overview(list(tables().values()), width))
    click.echo("asdbench published show KEY prints a table with its cells.")


@command.command("show")
@click.argument("key")
def show(key: str) -> None:
    """Print a published table: cells, printed means, recomputed means, official score. In a pipe it is Markdown."""
    from asdbench.cli.wrapping import markdown
    from asdbench.published import tables
    from asdbench.reports.text import published

    table = tables()[key]
    markdown(published.render(table), lambda: _narrow(table))


def _narrow(table: Table) -> None:
    """The table for a terminal that its Markdown is too wide for."""
    from asdbench.cli import wrapping as lines
    from asdbench.cli.wrapping import columns
    from asdbench.published import recomputed_means
    from asdbench.reports.content.wording import label
    from asdbench.reports.text import published

    console = lines.console()
    heads = [label(column).replace(" ", "\n") for column in published.COLUMNS]
    shown = columns(["Machine", "Section"], heads)
    for row in published.cells(table):
        shown.add_row(*row)
    for name, *values in published.means(table, published.COLUMNS):
        shown.add_row(name, "", *values)
    click.echo(lines.line("", f"{table.title} ({table.key})"))
    console.print("", shown, "", sep="\n")
    if published.beyond(table):
        both = columns(["Over both domains"], [label(column).replace(" ", "\n") for column in published.BOTH])
        for row in published.means(table, published.BOTH):
            both.add_row(*row)
        console.print(both, "", sep="\n")
    click.echo(lines.line("Official score: ", f"{recomputed_means(table).official_score:.2f}, {published.over(table)}"))
    for note in published.notes(table):
        click.echo(lines.line("- ", note))
