"""``asdbench compare``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asdbench.cli.options import FOLDER
from asdbench.cli.wrapping import markdown

if TYPE_CHECKING:
    from asdbench.results.seed_folder import SeedFolder


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--results", type=FOLDER, default=Path("results"), show_default=True, help="Where A and B are systems of."
)
@click.option("--dataset", metavar="NAME", help="Which data set's results, where there are several.")
def command(a: str, b: str, results: Path, dataset: str | None) -> None:
    """Is system A better than system B, on the same clips, and how sure is that?

    A and B are systems in the results folder, by the names they were asked for (clvae, clvae@oracle), or paths of two
    result folders (of a system or of one seed).
    """
    from asdbench.errors import UsageError
    from asdbench.judging.pairing import compare
    from asdbench.reports.text import comparison

    sides = [_found(asked, results, dataset) for asked in (a, b)]
    if {folder.path for folder in sides[0]} & {folder.path for folder in sides[1]}:
        names = {tuple(sorted({folder.dataset for folder in side})) for side in sides}
        if a == b or len(names) == 1:
            raise UsageError(
                "a system compared with itself", looked=f"A is {a}, B is {b}", hint="name two different systems"
            )
    one, two = _of_one_data_set(sides)
    called = (one[0].system, two[0].system)
    if called[0] == called[1]:
        called = (f"{called[0]} in {a}", f"{called[1]} in {b}")
    found = compare(one, two, called)

    def narrow() -> None:
        from asdbench.cli import narrow_comparison as pairs

        pairs.show(found)

    markdown(comparison.render(found), narrow)


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
    """Each side's folders of the one data set that both have."""
    from asdbench.errors import DataError, UsageError

    names = [sorted({folder.dataset for folder in side}) for side in sides]
    common = sorted(set(names[0]) & set(names[1]))
    if len(common) > 1:
        raise UsageError(
            "both have results of several data sets", looked=", ".join(common), hint="choose one with --dataset"
        )
    if common:
        return [[folder for folder in side if folder.dataset == common[0]] for side in sides]
    if all(len(own) == 1 for own in names):
        return [list(side) for side in sides]  # two folders may call one data set by two names
    raise DataError(
        "there is no data set that both have results of",
        looked="; ".join(", ".join(own) for own in names),
        hint="run both systems on one data set, then compare",
    )
