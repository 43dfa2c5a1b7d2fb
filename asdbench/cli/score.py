"""``asdbench score``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.options import FORMAT, PLACE, Whole
from asdbench.cli.wrapping import markdown


@click.command("score")
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option("--year", type=Whole(2020, 2026), required=True, help="Whose file names and definitions apply.")
@click.option(
    "--ground-truth",
    metavar="PATH",
    type=PLACE,
    help="Labels of an evaluation set: the evaluator's folder or a list. Those of 2021 and 2022 are built in.",
)
@click.option("--partial", is_flag=True, help="Score what is complete, and say what is not.")
@FORMAT
@click.option("--against", metavar="KEY", help="Set beside a published table (`asdbench published`), cell by cell.")
@click.option(
    "--deterministic",
    is_flag=True,
    help="With --against: another training would give the same scores, so values are equal to rounding or not. Else one"
    " set of files is one training, of which cannot be told whether it reproduces anything.",
)
def command(
    folder: Path,
    year: int,
    ground_truth: Path | None,
    partial: bool,
    form: str,
    against: str | None,
    deterministic: bool,
) -> None:
    """Score a folder of challenge files, anybody's: anomaly_score_*.csv and decision_result_*.csv.

    A folder that is not complete and right to the last line is refused with exit code 4.
    """
    from asdbench.datasets.years import YEARS
    from asdbench.errors import UsageError
    from asdbench.published import tables
    from asdbench.reports.content.reproduction import summary
    from asdbench.reports.text import against as beside
    from asdbench.reports.text import submission as challenge
    from asdbench.submissions.against import against as set_against
    from asdbench.submissions.against import other_clips, require_comparable
    from asdbench.submissions.scoring import score_folder

    if deterministic and against is None:
        raise UsageError("--deterministic says how to judge against a table", hint="give --against KEY, too")
    table = None if against is None else tables()[against]
    if table is not None:
        require_comparable(year)
    scored = score_folder(folder, YEARS[year], ground_truth, partial)
    held = None if table is None else set_against(scored, table, deterministic=deterministic)
    made = challenge.render(scored, form)
    if form == "markdown":
        markdown(made)
    else:
        click.echo(made, nl=False)
    if held is not None:
        odd = other_clips(scored, held.table)
        if form == "markdown":
            markdown("\n" + beside.render(held, odd))
        else:
            # The other formats have fixed columns.
            click.echo(f"against {held.table.key}: {summary(held, odd)}", err=True)
    if scored.others:
        click.echo(f"passed over: {_some(scored.others)}", err=True)
    for remark in scored.remarks:
        click.echo(f"note: {remark}", err=True)
    if scored.absent:
        click.echo(f"not there: {', '.join(scored.absent)}", err=True)
    for problem in scored.left_out:
        click.echo(f"left out: {problem}", err=True)


def _some(names: tuple[str, ...], most: int = 5) -> str:
    # A file's name may hold line breaks; this is one line.
    shown = [name if name.isprintable() else repr(name) for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")
