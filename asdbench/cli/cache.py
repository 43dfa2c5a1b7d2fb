"""``asdbench cache info``, ``cache verify`` and ``cache prune``."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asdbench.cli.options import FOLDER, Real
from asdbench.words import counted

if TYPE_CHECKING:
    from asdbench.upkeep.cache import Inventory, Recipe

SHOWN = 10
_where = click.option("--cache", type=FOLDER, help="The folder. Default: ASDBENCH_CACHE or the user's cache folder.")


@click.group("cache")
def command() -> None:
    """What is kept between runs: features of clips, hashes and headers of sound files."""


@command.command("info")
@_where
def info(cache: Path | None) -> None:
    """Say what is kept, by recipe."""
    from rich.filesize import decimal
    from tabulate import tabulate

    from asdbench.upkeep.cache import DATABASE

    found = _inventory(cache)
    click.echo(f"{found.root}: {decimal(found.size)}")
    if found.recipes:
        body = [
            [own.id, *_about(own.about)[:2], len(own.entries), decimal(own.size), _last(own)] for own in found.recipes
        ]
        head = ["recipe", "embedding", "weights", "clips", "size", "last written"]
        aligned = ("left", "left", "left", "right", "right", "left")
        click.echo("\n" + tabulate(body, head, "plain", disable_numparse=True, colalign=aligned))
        click.echo("")
        for own in found.recipes:
            click.echo(f"{own.id}: {_about(own.about)[2]}")
    if found.database:
        kept = {"sha256": ("hash", "hashes"), "heading": ("header", "headers")}
        facts = sorted(found.facts.items())
        counts = ", ".join(counted(number, *kept.get(kind, (kind, kind))) for kind, number in facts)
        size = decimal(sum(file.size for file in found.database))
        click.echo(f"\n{DATABASE}: {counts or 'cannot be read'} of sound files, {size}")
    if not found.recipes and not found.database:
        click.echo("nothing is kept")
    _say_foreign(found)


@command.command("verify")
@_where
def verify(cache: Path | None) -> int:
    """Read everything that is kept and compare checksums. Exit code 4 where something is damaged."""
    from asdbench.cli.progress import TerminalProgress
    from asdbench.upkeep.cache import verify as check

    found = _inventory(cache)
    with TerminalProgress() as progress:
        damaged = check(found, progress)
    for path, reason in damaged.items():
        click.echo(f"damaged: {path}: {reason}")
    entries = sum(len(recipe.entries) for recipe in found.recipes)
    read = f"{counted(entries, 'entry', 'entries')} of {counted(len(found.recipes), 'recipe')} read"
    click.echo(f"{read}: {counted(len(damaged), 'damaged file') if damaged else 'no damaged files'}")
    if damaged:
        click.echo("to do: asdbench cache prune --damaged removes them; runs compute them again")
    _say_foreign(found)
    return 4 if damaged else 0


@command.command("prune")
@_where
@click.option("--older-than", metavar="DAYS", type=Real(min=0), help="Features written before that.")
@click.option("--recipe", metavar="ID", help="Features of this recipe (`cache info`); the first letters will do.")
@click.option("--damaged", is_flag=True, help="What `cache verify` finds.")
@click.option("--all", "everything", is_flag=True, help="All that is kept.")
@click.option("--dry-run", is_flag=True, help="Remove nothing, only say what would be.")
def prune(
    cache: Path | None, older_than: float | None, recipe: str | None, damaged: bool, everything: bool, dry_run: bool
) -> None:
    """Free space: remove what meets all conditions given. Only files that asdbench has put there are touched."""
    from rich.filesize import decimal

    from asdbench.cli.progress import TerminalProgress
    from asdbench.upkeep.cache import prune as remove

    root = _inventory(cache).root
    with TerminalProgress() as progress:
        done = remove(
            root,
            older_than=older_than,
            recipe=recipe,
            damaged=damaged,
            everything=everything,
            dry_run=dry_run,
            progress=progress,
        )
    files = counted(done.files, "file")
    click.echo(f"{'would remove' if dry_run else 'removed'} {files}, {decimal(done.size)}, from {root}")
    for folder in done.left:
        click.echo(f"left: {folder}: it holds files that are not ours")


def _inventory(cache: Path | None) -> Inventory:
    from asdbench.upkeep.cache import default_cache, inventory

    return inventory((cache or default_cache()).absolute())


def _about(recipe: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Embedding, weights and what else makes the recipe, in words."""
    if recipe is None:
        return "?", "?", "recipe.json is missing or damaged"
    weights = recipe.get("weights", "")
    if isinstance(weights, Mapping):
        name = "published" if weights.get("published") else "not published"
        weights = f"{str(weights.get('sha256', '?'))[:12]} ({name})"
    rest = {key: value for key, value in recipe.items() if key not in ("format", "embedding", "weights")}
    return str(recipe.get("embedding", "?")), str(weights or "none"), ", ".join(_words(rest))


def _words(values: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for key, value in values.items():
        if key == "code":  # a file and digest each: enough to tell two recipes apart
            words.append(f"code {hashlib.sha256(repr(value).encode()).hexdigest()[:6]}")
        elif isinstance(value, Mapping):
            words += [
                f"{name} {one}" if key in ("versions", "libraries") else f"{name}={one}" for name, one in value.items()
            ]
        else:
            words.append(f"{key}={value}")
    return words


def _last(recipe: Recipe) -> str:
    written = [file.written for file in recipe.entries]
    return time.strftime("%Y-%m-%d", time.localtime(max(written))) if written else ""


def _say_foreign(found: Inventory) -> None:
    for path in found.foreign[:SHOWN]:
        click.echo(f"not ours, left alone: {path}", err=True)
    if len(found.foreign) > SHOWN:
        click.echo(f"not ours, left alone: {len(found.foreign) - SHOWN} more", err=True)
