"""Specs: how systems, embeddings and data sets are asked for.

A *spec* is ``name[param=value,...]``; specs nest (``mvg[embedding=resnet38[blocks=pre-add]]``), commas inside brackets
do not split. A data set's spec may end in ``:ARGUMENT`` (``dcase2021:/data``). What the names and parameters stand for:
:mod:`asdbench.plugins.registry`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from asdbench.errors import UsageError


@dataclass(frozen=True)
class Spec:
    """A parsed spec. ``str()`` gives it back, parameters in the order they were written."""

    name: str
    parameters: tuple[tuple[str, str], ...] = ()
    argument: str | None = None

    def __str__(self) -> str:
        inner = ",".join(f"{key}={value}" for key, value in self.parameters)
        text = f"{self.name}[{inner}]" if inner else self.name
        return text if self.argument is None else f"{text}:{self.argument}"

    def with_parameters(self, **more: object) -> Spec:
        """The same spec with parameters added or replaced."""
        merged = {**dict(self.parameters), **{key: str(value) for key, value in more.items()}}
        return Spec(self.name, tuple(merged.items()), self.argument)


def split(text: str) -> list[str]:
    """Split at the commas that stand outside brackets; blank parts are dropped.

    Raises
    ------
    UsageError
        Where brackets do not match.
    """
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth < 0:
            break
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    if depth != 0:
        raise UsageError(f"brackets do not match in {text!r}", hint="write name[param=value,param=value]")
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def parse(text: str) -> Spec:
    """Parse a spec.

    Raises
    ------
    UsageError
        Where the text is not a spec.
    """
    match = re.match(r"((?:[^\[\]:,]*\.py:)?[^\[\]:,=]+)", text.strip())
    if not match:
        raise UsageError(f"{text!r} is not a name", hint="write name or name[param=value,...]")
    name, rest = match.group(1).strip(), text.strip()[match.end() :]
    inner = ""
    if rest.startswith("["):
        end = _closing_bracket(rest)
        inner, rest = rest[1:end], rest[end + 1 :]
    if rest and not rest.startswith(":"):
        raise UsageError(f"{text!r} is not a spec: {rest!r} is left over", hint="write name[param=value,...]")
    parameters: dict[str, str] = {}
    for part in split(inner):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{part!r} in {text!r} is not param=value", hint="write name[param=value,...]")
        if key.strip() in parameters:
            raise UsageError(f"parameter {key.strip()!r} stands twice in {text!r}", hint="give it once")
        parameters[key.strip()] = value.strip()
    return Spec(name, tuple(parameters.items()), rest[1:] if rest else None)


def canonical(text: str) -> str:
    """A spec in the one form that all ways to write it have: no blanks, a file's path from the current folder.

    Raises
    ------
    UsageError
        Where the text is not a spec.
    """
    spec = parse(text)
    file, colon, attribute = spec.name.rpartition(":")
    name = f"{_from_here(file)}:{attribute}" if colon and file.endswith(".py") else spec.name
    inner = tuple((key, canonical(value) if "[" in value else value) for key, value in spec.parameters)
    return str(Spec(name, inner, spec.argument))


def _from_here(file: str) -> str:
    """``./mine.py`` for a file in the current folder or below, however it is written; else its path, tidied."""
    path = Path(os.path.normpath(file))
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return path.as_posix() if path.is_absolute() or path.parts[0] == ".." else f"./{path.as_posix()}"


def _closing_bracket(text: str) -> int:
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth == 0:
            return position
    raise UsageError(f"brackets do not match in {text!r}", hint="write name[param=value,param=value]")
