"""``asdbench check``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("check")
@click.argument("results", type=click.Path(path_type=Path), default=Path("results"))
@click.option("--dataset", metavar="NAME", help="Which data set's results, where there are several.")
@click.option(
    "--against", type=click.Path(path_type=Path), help="Expected scores. Default: RESULTS/expected/<dataset>.csv."
)
@click.option("--update", is_flag=True, help="Write the expected scores from these results instead of comparing.")
def command(results: Path, dataset: str | None, against: Path | None, update: bool) -> int:
    """Compare the scores in a RESULTS folder with expected ones, clip by clip.

    Exit code 0: equal within tolerance. 3: a score moved. 4: something is missing, or nothing could be compared.
    """
    from asdbench.errors import DataError, UsageError
    from asdbench.expected import collect, compare, read_expected, write_expected
    from asdbench.store import seed_folders

    folders = seed_folders(results, dataset)
    names = sorted({folder.dataset for folder in folders})
    if not names:
        raise DataError(
            "there are no results to check", looked=str(results.absolute()), hint="`asdbench run` makes them"
        )
    if len(names) > 1:
        raise UsageError("results of several data sets", looked=", ".join(names), hint="choose one with --dataset")
    path = against or results / "expected" / f"{names[0]}.csv"
    found = collect(folders)
    if update:
        write_expected(path, found)
        click.echo(f"{len(found.scores)} expected scores of {len(found.head['systems'])} systems written to {path}")
        return 0
    verdict = compare(found, read_expected(path))
    for title, lines in (
        ("moved", verdict.regressions),
        ("missing", verdict.missing),
        ("not compared", verdict.not_compared),
    ):
        for line in lines:
            click.echo(f"{title}: {line}")
    click.echo(f"{verdict.compared} scores compared with {path}: {len(verdict.regressions)} cells moved")
    return verdict.exit_code
