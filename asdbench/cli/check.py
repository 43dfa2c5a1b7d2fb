"""``asdbench check``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.options import PLACE, WHICH, Real
from asdbench.words import counted


@click.command("check")
@click.argument("results", type=PLACE, default=Path("results"))
@WHICH
@click.option("--against", type=PLACE, help="Expected scores. Default: RESULTS/expected/<dataset>.csv.")
@click.option(
    "--tolerance",
    type=Real(0, 100),
    default=2.0,
    show_default=True,
    help="Points that a mean AUC, mean pAUC or official score may be worse by, where metrics are compared.",
)
@click.option(
    "--update", is_flag=True, help="Write the expected scores from these results; say what changes, compare nothing."
)
def command(results: Path, dataset: str | None, against: Path | None, tolerance: float, update: bool) -> int:
    """Hold the scores in a RESULTS folder to expected ones.

    Scores are compared clip by clip (a move by 1e-4 of their size is allowed) if nothing was trained, or was trained in
    the environment of the file. Systems trained in another environment are compared by their metrics over the seeds.
    Results whose code has been edited since count as missing.

    Exit code 0: as expected. 3: a regression. 4: something is missing, or nothing could be compared.
    """
    from asdbench.errors import UsageError
    from asdbench.judging.checking import check
    from asdbench.judging.edited import edited
    from asdbench.judging.expected import changes, collect, read_expected, write_expected
    from asdbench.results.results_folder import results_in

    folders = results_in(results, dataset)
    names = sorted({folder.dataset for folder in folders})
    if len(names) > 1:
        raise UsageError("results of several data sets", looked=", ".join(names), hint="choose one with --dataset")
    path = against or results / "expected" / f"{names[0]}.csv"
    found = collect(folders)
    if update:
        told = changes(read_expected(path), found) if path.exists() else []
        write_expected(path, found)
        for line in told:
            click.echo(f"changed: {line}")
        scores, systems = counted(found.count, "expected score"), counted(len(found.head["systems"]), "system")
        click.echo(f"{scores} of {systems} written to {path}")
        return 0
    called = {folder.system for folder in folders}
    before = {folder.asked: folder.system for folder in folders if folder.asked not in called}
    expected = read_expected(path).renamed(before)
    verdict = check(found, expected, tolerance / 100)
    verdict.missing += [f"{what} is not as it was when these results were made: run again" for what in edited(folders)]
    for title, lines in (("", verdict.rules), ("worse: ", verdict.regressions), ("missing: ", verdict.missing)):
        for line in lines:
            click.echo(f"{title}{line}")
    held = f"{counted(verdict.compared, 'score')} and {counted(verdict.measured, 'metric')} compared with {path}"
    click.echo(f"{held}: {len(verdict.regressions)} worse, {len(verdict.missing)} missing")
    return verdict.exit_code
