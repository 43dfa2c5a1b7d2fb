"""``asdbench systems`` and ``asdbench systems show NAME``."""

from __future__ import annotations

import inspect
import shutil
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import click

from asdbench.cli.wrapping import line
from asdbench.plugins import registry
from asdbench.plugins.spec import parse
from asdbench.plugins.systems import create_system

WIDEST = 96


@click.group("systems", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the systems there are, or show one: `systems show clvae`."""
    if context.invoked_subcommand is not None:
        return
    entries = registry.entries("systems")
    width = max(map(len, entries))
    for name, entry in entries.items():
        system = create_system(name)
        click.echo(line(f"{name:<{width}}  ", system.title))
        about = f"from {entry.origin} ({entry.target}); features: {system.model.embedding}"
        click.echo(line(f"{'':<{width}}  ", about))
    click.echo("")
    click.echo(line("", "asdbench systems show NAME tells a system's parameters and what the report says of each."))


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show a system: source, formula, parameters with defaults, and what the report says of each."""
    spec = parse(name)
    make = registry.factory("systems", spec.name)
    system = create_system(spec)
    sums = [_sum(weights) for weights in system.standardised]
    formula = " + ".join(f"standardised({own})" for own in sums) if sums else _sum(system.formula)
    entry = registry.entries("systems").get(spec.name)
    click.echo(f"{system.name}: {system.title}\n")
    for label, value in (
        ("source", system.source),
        ("comes from", f"{entry.origin} ({entry.target})" if entry else spec.name),
        ("features", system.model.embedding),
        ("one fit a", system.model.scope),
        ("score", formula),
        ("published as", system.published or "not published"),
        (
            "quick budget",
            ", ".join(f"{key}={value}" for key, value in system.quick.items()) or "none: nothing to shorten",
        ),
    ):
        click.echo(line(f"  {label + ':':<14}", value))
    summary = inspect.cleandoc(make.__doc__ or "").partition("\nParameters\n")[0].strip()
    click.echo("\n" + "\n\n".join(_filled(paragraph, "  ") for paragraph in summary.split("\n\n")))
    model: Any = system.model  # a dataclass, as create_system has seen
    of_model = {field.name: getattr(model, field.name) for field in fields(model)}
    _show_parameters("Parameters", make, {**of_model, **dict(spec.parameters)})
    embedding = parse(system.model.embedding)
    of_embedding = registry.factory("embeddings", embedding.name)
    _show_parameters(f"Parameters of the embedding {embedding.name}", of_embedding, dict(embedding.parameters))


def _sum(weights: Mapping[str, float]) -> str:
    return " + ".join(f"{weight:g} {component}" for component, weight in weights.items())


def _show_parameters(title: str, make: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """A factory's parameters: the values that hold for the spec shown, and what they mean."""
    words = registry.documentation(make)
    click.echo(f"\n{title}:")
    for key, parameter in registry.parameters(make).items():
        default = "..." if parameter.default is parameter.empty else parameter.default
        click.echo(f"  {key}={values.get(key, default)}  ({registry.describe(parameter.annotation)})")
        if words.get(key):
            click.echo(_filled(words[key].replace("``", ""), "      "))


def _filled(text: str, indent: str) -> str:
    """A paragraph as wide as the terminal, and no wider than is good to read."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)
