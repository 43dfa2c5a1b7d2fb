"""``asdbench export``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.options import PLACE, WHICH, Whole
from asdbench.words import counted


@click.command("export")
@click.argument("results", type=PLACE, default=Path("results"))
@click.option("--output", metavar="DIR", type=PLACE, required=True, help="Where the files go.")
@WHICH
@click.option("--system", metavar="NAME", help="Which system, where there are several.")
@click.option("--seed", metavar="N", type=Whole(min=0), help="Which seed, where there are several.")
@click.option(
    "--part", type=click.Choice(["dev", "eval"]), help="Development or evaluation set. Default: eval where it is there."
)
@click.option("--year", type=Whole(2020, 2026), help="Whose file names apply. Default: the data set's year.")
@click.option("--partial", is_flag=True, help="Write what there is, and say what is missing.")
@click.option("--replace", is_flag=True, help="Replace the score and decision files in DIR.")
def command(
    results: Path,
    output: Path,
    dataset: str | None,
    system: str | None,
    seed: int | None,
    part: str | None,
    year: int | None,
    partial: bool,
    replace: bool,
) -> None:
    """Write a challenge submission from RESULTS: anomaly_score_*.csv and decision_result_*.csv of one system and seed.

    RESULTS is a results folder, or the folder of a data set, a system or a seed in it.
    """
    from asdbench.datasets.years import YEARS
    from asdbench.reports.content.footnotes import NO_RESULT, loud, stamps_of
    from asdbench.submissions.export import Part, choose, export

    folder = choose(results, dataset, system, seed)
    names = YEARS[year or folder.year]
    chosen: Part | None = "dev" if part == "dev" else "eval" if part == "eval" else None
    done = export(folder, output, names, chosen, partial=partial, replace=replace)
    what = "development" if done.part == "dev" else "evaluation"
    files = counted(done.files, "file")
    click.echo(f"{files} of {folder.system} on {folder.dataset}, seed {folder.seed}, {what} set: {output}", err=True)
    stamps = stamps_of(folder.manifest())
    if stamps:
        meaning = "these scores are no result" if NO_RESULT.intersection(stamps) else "mind this when you hand it in"
        click.echo(f"{', '.join(map(loud, stamps))}: {meaning}", err=True)
    for remark in done.remarks:
        click.echo(f"note: {remark}", err=True)
    click.echo(f"next:    asdbench score {output} --year {names.year}", err=True)
