"""``asdbench published`` and ``asdbench published show KEY``."""

from __future__ import annotations

import click


@click.group("published", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the published tables there are, or show one: `published show narita2021/table-5`.

    Printed means stand beside those recomputed from the printed cells; known errors are named.
    """
    if context.invoked_subcommand is not None:
        return
    from asdbench.published import tables
    from asdbench.reports import published

    click.echo(published.overview(list(tables().values())))
    click.echo("asdbench published show KEY prints a table with its cells.")


@command.command("show")
@click.argument("key")
def show(key: str) -> None:
    """Print a published table as Markdown: cells, printed means, recomputed means, official score."""
    from asdbench.published import tables
    from asdbench.reports import published

    click.echo(published.render(tables()[key]), nl=False)
