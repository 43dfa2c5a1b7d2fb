"""``asdbench plot``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.options import PLACE, WHICH, Names, Specs

KINDS = ("auc", "shift", "roc", "histogram", "training", "latent")  # of asdbench.reports.figures, which loads more


@click.command("plot")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("results", type=PLACE, default=Path("results"))
@click.option("--output", type=PLACE, help="The file: .svg, .png or .pdf. Default: KIND.svg.")
@WHICH
@click.option("--part", type=click.Choice(["dev", "eval"]), help="Development or evaluation sections. Default: dev.")
@click.option("--systems", type=Specs(), default=(), help="Only these systems.")
@click.option("--machines", type=Names(), default=(), help="Only these machines.")
def command(
    kind: str,
    results: Path,
    output: Path | None,
    dataset: str | None,
    part: str | None,
    systems: tuple[str, ...],
    machines: tuple[str, ...],
) -> None:
    """Draw one figure of a RESULTS folder.

    auc: each section's AUC with intervals. shift: source against target. roc: ROC curves. histogram: scores and
    threshold. training: loss terms and AUC per epoch. latent: latent vectors and centres. Systems named ...@oracle
    are drawn where --systems names them.
    """
    from asdbench.reports import figures
    from asdbench.reports.content import evidence
    from asdbench.reports.figures import drawing

    view = evidence.choose(evidence.views(results, dataset), part)
    view = (view if systems else view.without_oracles()).only(systems, machines)
    path = output or Path(f"{kind}.svg")
    figure = figures.make(next(known for known in figures.KINDS if known == kind), view)
    drawing.save(figure, path)
    for reason in figure.empty:
        click.echo(f"left out: {reason}", err=True)
    click.echo(path)
