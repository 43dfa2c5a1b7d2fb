"""Option types that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class Names(click.ParamType[tuple[str, ...]]):
    """Names separated by commas, as a tuple."""

    name = "name,name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Split and strip; an empty list of names is a mistake."""
        if isinstance(value, tuple):
            return value
        names = tuple(part.strip() for part in str(value).split(",") if part.strip())
        if not names:
            self.fail("no name given", param, ctx)
        return names


class Specs(click.ParamType[tuple[str, ...]]):
    """Systems separated by commas, of which those inside brackets do not count."""

    name = "name,name[param=value]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Split and strip; an empty list is a mistake."""
        from asdbench.plugins.spec import split

        if isinstance(value, tuple):
            return value
        names = tuple(split(str(value)))
        if not names:
            self.fail("no system given", param, ctx)
        return names


class Numbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers from 0 separated by commas, as a tuple."""

    name = "n,n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Split and convert."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",") if part.strip()]
        if not parts or not all(part.isdecimal() and len(part) < 19 for part in parts):
            self.fail(f"{value!r} is no list of whole numbers (below 10^18) such as 777,778", param, ctx)
        return tuple(int(part) for part in parts)


class Whole(click.IntRange):
    """A whole number within bounds, in plain words."""

    name = "whole number"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """What stands for it in a help."""
        return "N"


class Real(click.FloatRange):
    """A number within bounds, in plain words."""

    name = "number"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """What stands for it in a help."""
        return "X"


class Place(click.Path):
    """A file or folder; "" is none, as an unset variable gives it, though Path takes it for the current folder."""

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(path_type=Path, file_okay=file_okay, dir_okay=dir_okay)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is empty; ``~`` is the home folder also where the shell leaves it (``--to=~/data``)."""
        if value == "":
            self.fail(f"the name of the {self.name} is empty", param, ctx)
        return super().convert(Path(value).expanduser(), param, ctx)


PLACE = Place()
FOLDER = Place(file_okay=False)
FILE = Place(dir_okay=False)
DATASET_HELP = (
    "toy, dcase2020:ROOT to dcase2026:ROOT (dcase:ROOT tells the year by itself) or features:DIR. "
    "Without it: ASDBENCH_DATA, then asdbench.toml, then toy."
)

CACHE = click.option(
    "--cache", type=FOLDER, help="Where features are kept. Default: ASDBENCH_CACHE or the user's cache folder."
)
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "latex", "csv", "json"]),
    default="markdown",
    show_default=True,
    help="csv and json hold fractions, the others percent.",
)
WHICH = click.option("--dataset", metavar="NAME", help="Which data set's results, where there are several.")
