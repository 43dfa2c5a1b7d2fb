"""``asdbench leaderboard``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.options import FORMAT, PLACE
from asdbench.cli.wrapping import markdown


@click.command("leaderboard")
@click.argument("results", nargs=-1, type=PLACE)
@click.option("--dataset", metavar="NAME", help="Only this data set's results. Default: all there are.")
@FORMAT
def command(results: tuple[Path, ...], dataset: str | None, form: str) -> None:
    """Rank every system of some RESULTS folders, and what was published, by official score.

    Results that must not be set against the others (synthetic data, a reduced budget, other cells) have no rank.
    """
    from asdbench.reports.content.leaderboard import boards
    from asdbench.reports.text import leaderboard

    found = boards(results or (Path("results"),), dataset)
    made = leaderboard.render(found, form)
    if form == "markdown":

        def narrow() -> None:
            from asdbench.cli import narrow_leaderboard as ranks

            ranks.show(found)

        markdown(made, narrow)
    else:
        click.echo(made, nl=False)
