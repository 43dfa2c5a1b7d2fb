"""``asdbench datasets`` and ``asdbench datasets validate``."""

from __future__ import annotations

import gc
import inspect
from pathlib import Path

import click

from asdbench.cli.options import FOLDER
from asdbench.cli.wrapping import terminal_width


@click.group("datasets", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the data sets there are, or check one: `datasets validate ROOT`."""
    if context.invoked_subcommand is not None:
        return
    from asdbench.datasets import usage
    from asdbench.plugins import registry

    for name, entry in registry.entries("datasets").items():
        make = entry.load()
        click.echo(usage(name, make))
        click.echo(f"    {inspect.cleandoc(make.__doc__ or '').partition(chr(10))[0]}")
        click.echo(f"    from {entry.origin} ({entry.target})")
    click.echo("\nasdbench datasets validate ROOT tells whether all of it is there and whole.")


@command.command("validate")
@click.argument("root", metavar="[ROOT]", required=False)
@click.option("--deep", is_flag=True, help="Decode every clip instead of reading headers alone.")
@click.option("--quick", is_flag=True, help="Hash nothing: copies of clips are not found.")
@click.option("--complete", is_flag=True, help="A machine or part that is absent as a whole is wrong, too.")
@click.option("--all", "everything", is_flag=True, help="List everything found, not the first of each kind.")
@click.option("--cache", type=FOLDER, help="Where hashes are kept. Default: ASDBENCH_CACHE or the user's cache folder.")
def validate(root: str | None, deep: bool, quick: bool, complete: bool, everything: bool, cache: Path | None) -> int:
    """Check a data set: what is there, per machine, section, domain, split and label, and what is wrong with it.

    ROOT is a folder, or a spec such as dcase2021:ROOT; without it the configured data set is checked. A whole part of a
    machine (development, additional, evaluation) may be absent unless --complete is given; a part that is there must
    be complete. Exit code 0: as expected. 4: something is wrong.
    """
    from asdbench.cli.progress import TerminalProgress
    from asdbench.datasets import open_dataset, spec_of
    from asdbench.datasets.dcase import MisfitsError
    from asdbench.reports.text import validation
    from asdbench.running.run import keep_digests
    from asdbench.upkeep.cache import DATABASE, default_cache
    from asdbench.upkeep.validation import validate as check

    folder = cache or default_cache()
    misfits: MisfitsError | None = None
    try:
        data, chosen = open_dataset(None if root is None else spec_of(root))
    except MisfitsError as error:  # a run refuses such a data set; here all that is wrong should show at once
        if error.rest is None:
            raise
        data, chosen, misfits = error.rest, error.rest.spec, error
    gc.freeze()  # all clips live to the end: looking for garbage among them again and again takes a tenth of the time
    keep_digests(data, folder)
    with TerminalProgress() as progress:
        progress.say(f"data: {chosen.partition('; note: ')[0]}")
        found = check(
            data,
            misfits=misfits,
            deep=deep,
            quick=quick,
            complete=complete,
            database=folder / DATABASE,
            progress=progress,
        )
    click.echo(validation.render(found, everything, terminal_width()), nl=False)
    return 4 if found.wrong else 0
