"""``asdbench run``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asdbench.cli.options import CACHE, DATASET_HELP, FOLDER, Names, Numbers, Whole
from asdbench.words import counted

if TYPE_CHECKING:
    from asdbench.results.selection import Selection
    from asdbench.running.executors import Kind


@click.command("run")
@click.option("--dataset", metavar="SPEC", help=DATASET_HELP)
@click.option(
    "--systems", metavar="SPECS", help="Systems separated by commas, such as clvae,cvae[epochs=50]. Default: all."
)
@click.option("--machines", type=Names(), multiple=True, help="Machines to score. Default: all.")
@click.option("--sections", type=Names(), multiple=True, help="Sections to score. Default: all.")
@click.option("--domains", type=Names(), multiple=True, help="Domains to score: source, target. Default: all.")
@click.option("--seeds", type=Numbers(), default="777", show_default=True, help="One run a seed.")
@click.option("--epochs", type=Whole(min=1), help="Training epochs, for systems whose spec does not say.")
@click.option("--weights", metavar="FILE|random", help="Checkpoint of the pretrained network, or an untrained one.")
@click.option(
    "--selection",
    type=click.Choice(["last", "pseudo", "oracle", "oracle-pauc", "both", "all"]),
    default="last",
    show_default=True,
    help="Which epoch counts. pseudo chooses it on training clips, into SYSTEM@pseudo; oracle by AUC on the development"
    " test labels, into SYSTEM@oracle; oracle-pauc by pAUC. both: last and oracle; all: all four.",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1.")
@click.option(
    "--threads",
    type=Whole(min=1, max=1024),
    default=1,
    show_default=True,
    help="Threads of a job: part of its identity.",
)
@click.option(
    "--workers",
    type=Whole(min=1),
    help="Processes side by side. Default: processors / threads. Moves no score.",
)
@click.option(
    "--executor",
    type=click.Choice(["inline", "processes", "dask"]),
    help="Where jobs run. Default: processes, or this one for one worker. Moves no score.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster: tcp://HOST:8786.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first job that fails.")
@click.option("--results", type=FOLDER, default=Path("results"), show_default=True, help="Where results go.")
@CACHE
@click.option("--replace", is_flag=True, help="Replace results made with other parameters.")
@click.option("--fetch", is_flag=True, help="First download what the data set and the systems lack (see `fetch`).")
def command(
    dataset: str | None,
    systems: str | None,
    machines: tuple[tuple[str, ...], ...],
    sections: tuple[tuple[str, ...], ...],
    domains: tuple[tuple[str, ...], ...],
    seeds: tuple[int, ...],
    epochs: int | None,
    weights: str | None,
    selection: Selection,
    device: str,
    threads: int,
    workers: int | None,
    executor: Kind | None,
    scheduler: str | None,
    fail_fast: bool,
    results: Path,
    cache: Path | None,
    replace: bool,
    fetch: bool,
) -> int:
    """Run systems over a data set and print their tables.

    Finished jobs are not computed again. The exit code is 1 if cells have no value, unless only labels are missing.
    """
    from asdbench.cli.progress import TerminalProgress
    from asdbench.cli.wrapping import line, whole
    from asdbench.metrics.challenge import UNLABELLED
    from asdbench.reports.content import tables
    from asdbench.reports.content.footnotes import some
    from asdbench.reports.content.ranking import closing
    from asdbench.reports.text import markdown
    from asdbench.running.run import run

    if fetch:
        from asdbench.cli.download_progress import TerminalTransfers
        from asdbench.running.missing import fetch_missing

        with TerminalTransfers() as watcher:
            named = [name for names in machines for name in names]
            weights = fetch_missing(dataset, systems, named, weights, watcher)
    with TerminalProgress() as progress:
        summary = run(
            dataset,
            systems,
            machines=[name for names in machines for name in names],
            sections=[name for names in sections for name in names],
            domains=[name for names in domains for name in names],
            seeds=seeds,
            epochs=epochs,
            weights=weights,
            selection=selection,
            device=device,
            threads=threads,
            workers=workers,
            results=results,
            cache=cache,
            replace=replace,
            fail_fast=fail_fast,
            executor=executor or ("dask" if scheduler else None),
            scheduler=scheduler,
            progress=progress,
            command=shlex.join(["asdbench", *sys.argv[1:]]),
        )
    built = tables.build(results, only=summary.folders)
    overseen = sys.stdout.isatty()
    if overseen:
        from asdbench.cli import run_overview as overview

        overview.show(built)
    else:
        click.echo(markdown.render(built), nl=False)
    click.echo("", err=True)
    for name, reason in summary.not_applicable:
        click.echo(line("not applicable: ", f"{name}: {reason}", sys.stderr), err=True)
    for warning in dict.fromkeys(summary.warnings):
        click.echo(line("warning: ", warning, sys.stderr), err=True)
    for table in [] if overseen else built:
        where = " (evaluation sections)" if table.part == "eval" else ""
        score = "no value" if table.score is None else f"{table.score:.2f}"
        said = [*table.stamps, *filter(None, [table.partial])]
        stamps = f"  [{', '.join(said)}]" if said else ""
        click.echo(f"{table.system}{where}: official score {score}{stamps}", err=True)
    for told in closing(built):
        click.echo(line("verdict: ", told, sys.stderr), err=True)
    lost: dict[tuple[str, int, str], list[str]] = {}
    for system, seed, cell, reason in summary.failed:
        lost.setdefault((system, seed, reason), []).append(str(cell))
    for (system, seed, reason), cells in lost.items():
        unlabelled = reason == UNLABELLED
        known = f"{reason}; their scores are written" if unlabelled else reason
        head = "not scored: " if unlabelled else "no value: "
        click.echo(line(head, f"{system}, seed {seed}, {some(cells, 6)}: {known}", sys.stderr), err=True)
    for trace in summary.traces:
        click.echo(f"traceback: {trace}", err=True)
    refused = f"{summary.refused} refused or failed, " if summary.refused else ""
    done = f"{summary.trained} trained, {refused}{summary.shared} scored from an equal model"
    done += f", {summary.reused} found finished"
    lost_cells = f"{counted(len(summary.failed), 'cell')} without a value"
    click.echo(line("done:    ", f"{done}; {whole(lost_cells)}; {summary.seconds:.1f} s", sys.stderr), err=True)
    click.echo(f"results: {results / summary.dataset}", err=True)
    if summary.log:
        click.echo(f"log:     {summary.log}", err=True)
    folder = [] if results == Path("results") else [str(results)]
    again = shlex.join(["asdbench", "report", *folder, "--dataset", summary.dataset])
    click.echo(f"next:    {again}{' (all tables)' if overseen else ''}", err=True)
    click.echo(f"         {again} --format html --output report.html --open (the page, with figures)", err=True)
    explicit = {name for name, _ in summary.not_applicable} if systems else set()
    if len(summary.failed) == summary.cells:
        return 4  # nothing was measured
    failed = any(reason != UNLABELLED for *_, reason in summary.failed)
    return 1 if failed or explicit else 0
