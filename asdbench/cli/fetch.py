"""``asdbench fetch``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from asdbench.cli.options import FOLDER, Names, Real, Whole
from asdbench.fetching import MIRROR


@click.command("fetch")
@click.argument("what", metavar="NAME")
@click.option("--to", "to", type=FOLDER, help="The data set's ROOT (needed), or the checkpoint's folder.")
@click.option("--machines", type=Names(), multiple=True, help="Machine types. Default: all.")
@click.option("--parts", type=Names(), multiple=True, help="dev, additional, eval, truth. Default: all that are known.")
@click.option(
    "--from",
    "origin",
    metavar="FOLDER|URL",
    envvar=MIRROR,
    help=f"A folder with the files, or the address above them. Default: {MIRROR}, then the official addresses.",
)
@click.option("--parallel", type=Whole(1, 16), default=3, show_default=True, help="Files side by side.")
@click.option("--keep-archives", is_flag=True, help="Keep the zip files, in ROOT/archives.")
@click.option("--replace", is_flag=True, help="Replace files that are there and differ.")
@click.option("--retries", type=Whole(0, 100), default=8, show_default=True, help="Attempts after a fault.")
@click.option(
    "--timeout",
    type=Real(min=0, min_open=True, max=3600),
    default=30,
    show_default=True,
    help="Seconds of silence that count as a fault.",
)
def command(
    what: str,
    to: Path | None,
    machines: tuple[tuple[str, ...], ...],
    parts: tuple[tuple[str, ...], ...],
    origin: str | None,
    parallel: int,
    keep_archives: bool,
    replace: bool,
    retries: int,
    timeout: float,
) -> None:
    """Download, verify, unpack and lay out a data set (dcase2020 to dcase2026) or a checkpoint (resnet38, cnn14).

    An interrupted fetch goes on where it stopped; what is there and verified is not fetched again.
    """
    from rich.filesize import decimal

    from asdbench.cli.download_progress import TerminalTransfers
    from asdbench.errors import UsageError
    from asdbench.fetching.catalogue import checkpoint
    from asdbench.fetching.checkpoints import fetch_checkpoint
    from asdbench.fetching.dataset import fetch_dataset
    from asdbench.fetching.download import Wishes
    from asdbench.fetching.http import Patience

    chosen = [name for names in machines for name in names]
    wanted = [name for names in parts for name in names]
    wishes = Wishes(origin, parallel, keep_archives, replace, Patience(retries, timeout))
    if checkpoint(what):
        if chosen or wanted:
            raise UsageError(f"{what} is a checkpoint: it has no machines and no parts", hint=f"asdbench fetch {what}")
        with TerminalTransfers() as watcher:
            path = fetch_checkpoint(what, to, wishes, watcher)
        click.echo(path)
        embed = "" if what == "resnet38" else f" --embedding {what}"
        order = "run --dataset dcase2021:ROOT" if what == "resnet38" else f"embed{embed} --dataset dcase2021:ROOT"
        click.echo(f"next:    asdbench {order} --weights {shlex.quote(str(path))}", err=True)
        if what == "resnet38":
            click.echo(f"or, once and for all, in ./asdbench.toml: weights = {_quoted(path)}", err=True)
        return
    if to is None:
        raise UsageError("--to ROOT is missing", hint=f"asdbench fetch {what} --to data/{what} makes the folder")
    with TerminalTransfers() as watcher:
        done = fetch_dataset(what, to, machines=chosen, parts=wanted, wishes=wishes, watcher=watcher)
    came = f"{len(done.fetched)} fetched ({decimal(done.bytes)}), {len(done.there)} there already"
    click.echo(f"{came}; record: {to / '.asdbench' / 'downloads.json'}", err=True)
    click.echo(to)
    if any(to.glob("*/*/train")):
        click.echo(f"next:    asdbench run --dataset {shlex.quote(f'{what}:{to}')} --weights FILE", err=True)
        click.echo("weights: asdbench fetch resnet38", err=True)
    else:
        only = f" --machines {','.join(chosen)}" if chosen else ""
        click.echo(f"next:    asdbench fetch {what} --to {shlex.quote(str(to))}{only} (training clips)", err=True)


def _quoted(path: Path) -> str:
    """A path as TOML has text."""
    import json

    return json.dumps(str(path.absolute()))
