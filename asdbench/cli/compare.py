"""``asdbench compare``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asdbench.cli.options import FILE, FOLDER, FORMAT, WHICH, Names, Real, Whole
from asdbench.cli.wrapping import markdown

if TYPE_CHECKING:
    from asdbench.judging.compared import Compared
    from asdbench.results.seed_folder import SeedFolder


@click.command("compare")
@click.argument("systems", metavar="A B [C ...]", nargs=-1)
@click.option(
    "--results", type=FOLDER, default=Path("results"), show_default=True, help="Where the systems have results."
)
@WHICH
@click.option(
    "--margin",
    type=Real(0, 100),
    default=1.0,
    show_default=True,
    help="A difference that does not matter, in points: within it two methods are equivalent.",
)
@click.option(
    "--scores",
    metavar="FILE",
    type=FILE,
    help="A CSV table of scores instead of results, anybody's: see docs/verdicts.md.",
)
@click.option(
    "--year", type=Whole(2020, 2026), default=2021, show_default=True, help="With --scores: whose metrics apply."
)
@click.option(
    "--deterministic",
    metavar="NAME,NAME",
    type=Names(),
    default=(),
    help="With --scores: systems that no seed changes.",
)
@FORMAT
@click.option("--output", type=FILE, help="Write to this file instead of the terminal.")
def command(
    systems: tuple[str, ...],
    results: Path,
    dataset: str | None,
    margin: float,
    scores: Path | None,
    year: int,
    deterministic: tuple[str, ...],
    form: str,
    output: Path | None,
) -> None:
    """Say which of several methods is better: better, worse, equivalent or undecided.

    A, B, C are systems in the results folder, by the names they were asked for (clvae, clvae@oracle), or paths of
    result folders (of a system or of one seed). Systems need neither the same seeds nor equally many. Of a single
    training nothing follows about a method; then these trainings are compared, and it is said.
    """
    from asdbench.files import write_text
    from asdbench.reports.text import comparison

    if scores is None:
        found = _of_folders(systems, results, dataset, margin / 100)
    else:
        found = _of_table(scores, systems, year, deterministic, margin / 100)
    made = comparison.render(found, form)
    if output is not None:
        write_text(output, made)
        return
    if form != "markdown":
        click.echo(made, nl=False)
        return

    def narrow() -> None:
        from asdbench.cli import narrow_comparison

        narrow_comparison.show(found)

    markdown(made, narrow)


def _of_table(
    path: Path, systems: tuple[str, ...], year: int, deterministic: tuple[str, ...], margin: float
) -> Compared:
    """The systems of a table of scores."""
    from asdbench.errors import UsageError
    from asdbench.judging.compared import compare_samples
    from asdbench.judging.samples import from_table, read_table
    from asdbench.metrics.challenge import DEFINITIONS
    from asdbench.plugins.registry import unknown

    table = read_table(path)
    there = [str(name) for name in dict.fromkeys(table["system"])] if "system" in table else []
    for name in (*systems, *deterministic):
        if there and name not in there:
            raise unknown("system in this table", name, there)
    chosen = systems or tuple(there)
    if there and len(chosen) < 2:
        raise UsageError(
            "a comparison needs two systems", looked=f"{path} has {', '.join(there)}", hint="name two of them"
        )
    if there:
        table = table[table["system"].astype(str).isin(chosen)]
    definition = DEFINITIONS[year]
    samples = {one.name: one for one in from_table(table, definition, deterministic=deterministic)}
    return compare_samples([samples[name] for name in chosen], definition, margin)


def _of_folders(systems: tuple[str, ...], results: Path, dataset: str | None, margin: float) -> Compared:
    """The systems of results folders."""
    from asdbench.errors import UsageError
    from asdbench.judging.compared import compare_folders

    if len(systems) < 2:
        raise UsageError(
            "a comparison needs two systems",
            looked=f"named: {', '.join(systems) or 'none'}",
            hint="name two or more: asdbench compare clvae cvae",
        )
    sides = [_found(asked, results, dataset) for asked in systems]
    for (one, mine), (two, theirs) in combinations(zip(systems, sides, strict=True), 2):
        if {folder.path for folder in mine} & {folder.path for folder in theirs}:
            data = {tuple(sorted({folder.dataset for folder in side})) for side in (mine, theirs)}
            if one == two or len(data) == 1:
                raise UsageError(
                    "a system compared with itself", looked=f"{one} and {two}", hint="name two different systems"
                )
    folders = _of_one_data_set(sides)
    names = [own[0].system for own in folders]
    called = [
        f"{name} in {asked}" if names.count(name) > 1 else name for name, asked in zip(names, systems, strict=True)
    ]
    return compare_folders(folders, called, margin)


def _found(asked: str, results: Path, dataset: str | None) -> list[SeedFolder]:
    """The seed folders that a name or path means, of whatever data sets. A system of that name comes first."""
    from asdbench.errors import DataError, UsageError
    from asdbench.plugins.registry import entries, unknown
    from asdbench.results.results_folder import results_in, seed_folders
    from asdbench.results.seed_folder import SeedFolder
    from asdbench.results.system_names import of_system

    own = results_in(results, dataset) if results.is_dir() and seed_folders(results) else []
    named = of_system(own, asked)
    if named:
        return named
    path = Path(asked)
    if path.is_dir():
        path = path.resolve()
        candidates = (
            [path] if (path / "manifest.json").is_file() else [one.parent for one in path.glob("*/manifest.json")]
        )
        folders = [SeedFolder(one) for one in sorted(candidates) if one.name.removeprefix("seed-").isdecimal()]
        if not folders:
            raise DataError(
                f"no results of a system in {asked}",
                looked=f"{path}: neither seed-<n> nor a folder of such",
                hint="give RESULTS/<dataset>/<system> or RESULTS/<dataset>/<system>/seed-<n>",
            )
        return sorted(folders, key=lambda folder: folder.seed)
    own = own or results_in(results, dataset)  # says what is wrong with it
    there = sorted({folder.system for folder in own})
    if asked.partition("[")[0] in entries("systems"):
        raise UsageError(
            f"there are no results of {asked}",
            looked=f"there are: {', '.join(there)}",
            hint=f"`asdbench run --systems {shlex.quote(asked)}` makes them",
        )
    raise unknown("system in these results", asked, there)


def _of_one_data_set(sides: Sequence[Sequence[SeedFolder]]) -> list[list[SeedFolder]]:
    """Each side's folders of the one data set that all have."""
    from asdbench.errors import DataError, UsageError

    names = [{folder.dataset for folder in side} for side in sides]
    common = sorted(set.intersection(*names))
    if len(common) > 1:
        raise UsageError(
            "they have results of several data sets", looked=", ".join(common), hint="choose one with --dataset"
        )
    if common:
        return [[folder for folder in side if folder.dataset == common[0]] for side in sides]
    if all(len(own) == 1 for own in names):
        return [list(side) for side in sides]  # two folders may call one data set by two names
    raise DataError(
        "the systems have no data set in common",
        looked="; ".join(", ".join(sorted(own)) for own in names),
        hint="run all systems on one data set, then compare",
    )
