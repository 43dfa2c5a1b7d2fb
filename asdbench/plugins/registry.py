"""Names to things: entry points, files of one's own, parameters.

A spec's name (:mod:`asdbench.plugins.spec`) is an entry point of the group ``asdbench.systems``,
``asdbench.embeddings`` or ``asdbench.datasets`` (built-in ones are declared in just the same way), or
``./file.py:factory``. The parameters that a factory takes by keyword are the parameters of the spec.
"""

from __future__ import annotations

import difflib
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, TypeVar

from asdbench.errors import AsdbenchError, UsageError
from asdbench.plugins.plugin_file import load
from asdbench.plugins.spec import Spec, parse
from asdbench.words import listed

Group = Literal["systems", "embeddings", "datasets"]
T = TypeVar("T", bound=Callable[..., Any])


@dataclass(frozen=True)
class Entry:
    """A registered factory, not yet imported."""

    name: str
    group: Group
    target: str
    origin: str

    def load(self) -> Callable[..., Any]:
        """Import the factory."""
        return typing.cast(Callable[..., Any], EntryPoint(self.name, self.target, f"asdbench.{self.group}").load())


@lru_cache
def entries(group: Group) -> Mapping[str, Entry]:
    """All registered factories of a group by name, with the distribution each comes from."""
    found: dict[str, Entry] = {}
    for point in sorted(entry_points(group=f"asdbench.{group}"), key=lambda point: point.name):
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else "?"
        other = found.get(point.name)
        if other and other.target != point.value:
            raise UsageError(
                f"two packages register the {group[:-1]} {point.name!r}",
                looked=f"{other.origin} and {distribution}",
                hint="uninstall one of them, or name the other by ./file.py:factory",
            )
        found[point.name] = Entry(point.name, group, point.value, distribution)
    return found


def factory(group: Group, name: str) -> Callable[..., Any]:
    """The factory of that name, or of ``./file.py:factory``.

    Raises
    ------
    UsageError
        Where there is none of that name ("did you mean ...?").
    """
    file, colon, attribute = name.rpartition(":")
    if colon and file.endswith(".py"):
        return _from_file(Path(file), attribute)
    if name.endswith(".py") and Path(name).is_file():
        there = _factories(load(Path(name).resolve()))
        raise UsageError(
            f"{name} is a file; which function of it makes the system?",
            looked=f"there are: {', '.join(there) or 'none'}",
            hint=f"say {name}:{there[0] if there else 'factory'}",
        )
    known = entries(group)
    if name not in known:
        raise unknown(group[:-1], name, known)
    return known[name].load()


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that does not exist, with the nearest ones that do."""
    choices = list(known)
    near = difflib.get_close_matches(name.lower(), [choice.lower() for choice in choices], n=1)
    meant = next((choice for choice in choices if near and choice.lower() == near[0]), None)
    return UsageError(
        f"unknown {what} {name!r}",
        looked=f"there are: {', '.join(choices) or 'none'}",
        hint=f"did you mean {meant!r}?" if meant else "choose one of these",
    )


def _from_file(path: Path, attribute: str) -> Callable[..., Any]:
    if not path.is_file():
        raise UsageError(
            f"no such file: {path}", looked=str(path.absolute()), hint="give the path as ./file.py:factory"
        )
    module = load(path.resolve())
    made = getattr(module, attribute, None)
    if not callable(made):
        raise unknown(f"function of {path}", attribute, _factories(module))
    return typing.cast(Callable[..., Any], made)


def _factories(module: types.ModuleType) -> list[str]:
    """The functions that a module defines, but for those of its own use."""
    own = [name for name, value in vars(module).items() if inspect.isfunction(value)]
    return [name for name in own if vars(module)[name].__module__ == module.__name__ and not name.startswith("_")]


def create(group: Group, spec: Spec | str, *leading: object) -> Any:
    """Make the thing a spec names.

    Parameters
    ----------
    group : {"systems", "embeddings", "datasets"}
    spec : Spec or str
    *leading
        Positional arguments that go before the parameters (a data set's argument).

    Raises
    ------
    UsageError
        For an unknown name or parameter or a value that does not fit.
    """
    spec = parse(spec) if isinstance(spec, str) else spec
    make = factory(group, spec.name)
    values = convert(spec, make, argument=group == "datasets")
    try:
        return make(*leading, **values)
    except AsdbenchError:
        raise
    except Exception as error:  # a plug-in's factory may raise anything
        raise UsageError(
            f"{spec.name} cannot be made: {type(error).__name__}: {error}", looked=str(spec), hint="use -v to see where"
        ) from error


def parameters(make: Callable[..., Any], *, argument: bool = False) -> Mapping[str, inspect.Parameter]:
    """The parameters that a factory takes by keyword, with resolved annotations.

    Parameters
    ----------
    make : callable
        Where an annotation is missing, or names what is not there at run time, the type of the default stands for it.
    argument : bool
        Its first positional parameter is none of them: it takes what stands behind ":" in a data set's spec.
    """
    signature = inspect.signature(make)
    try:
        hints = typing.get_type_hints(make)
    except Exception:  # annotations are anybody's text; what it does not resolve is told by the defaults
        hints = {}
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [name for name, parameter in signature.parameters.items() if parameter.kind in positional]
    return {
        name: parameter.replace(annotation=hints[name] if name in hints else _type_of(parameter))
        for name, parameter in signature.parameters.items()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        if not (argument and name in places[:1])
    }


def _type_of(parameter: inspect.Parameter) -> Any:
    """What a parameter takes whose annotation is missing, or text that nothing resolves."""
    if parameter.annotation is not parameter.empty and not isinstance(parameter.annotation, str):
        return parameter.annotation
    default = parameter.default
    for kind in (bool, float, str, Path):
        if isinstance(default, kind):
            return kind
    return int | float if isinstance(default, int) else int | float | str


def convert(spec: Spec, make: Callable[..., Any], *, argument: bool = False) -> dict[str, Any]:
    """The spec's parameters as values of the types that the factory declares; ``argument`` as in :func:`parameters`."""
    declared = parameters(make, argument=argument)
    values = {}
    for name, text in spec.parameters:
        if name not in declared:
            raise unknown(f"{spec.name} parameter", name, declared)
        values[name] = _value(spec.name, name, text, declared[name].annotation)
    return values


def _value(owner: str, name: str, text: str, annotation: Any) -> Any:
    members = _members(annotation)
    if types.NoneType in members and text == "None":
        return None
    for member in members:
        if typing.get_origin(member) is Literal:
            for choice in typing.get_args(member):
                if text == str(choice):
                    return choice
        elif member is bool and text.lower() in ("true", "false"):
            return text.lower() == "true"
        elif member in (int, float, Path, str):
            try:
                return member(text)
            except ValueError:
                continue
    wanted = describe(annotation).split("|")
    plain = [PLAIN.get(word, word) for word in wanted]
    raise UsageError(
        f"{owner}: {name}={text} does not fit",
        looked=f"{name} takes {describe(annotation)}" + (f": {listed(plain, 'or')}" if plain != wanted else ""),
        hint=("choose one of these" if len(wanted) > 1 else "give such a value")
        + (f"; what they mean: asdbench systems show {owner}" if owner in entries("systems") else ""),
    )


PLAIN = {"int": "a whole number", "float": "a number", "str": "text", "Path": "a path", "bool": "true or false"}
"""Types in words."""


def _members(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def describe(annotation: Any) -> str:
    """A type for people: ``mean|sum``, ``float``, ``float|onecycle``."""
    words: list[str] = []
    for member in _members(annotation):
        if typing.get_origin(member) is Literal:
            words += [str(choice) for choice in typing.get_args(member)]
        else:
            words.append("None" if member is types.NoneType else getattr(member, "__name__", str(member)))
    return "|".join(words)


def takes(model: type) -> Callable[[T], T]:
    """Decorate a factory that passes ``**parameters`` on to the dataclass ``model``.

    The factory then shows the dataclass's fields as keyword parameters beside its own, so that each parameter, its
    default and its documentation are written once.
    """

    def decorate(make: T) -> T:
        hints = typing.get_type_hints(model)
        own = [p for p in inspect.signature(make).parameters.values() if p.kind is not p.VAR_KEYWORD]
        passed = [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
            )
            for field in fields(model)
            if field.init
        ]
        own_hints = typing.get_type_hints(make)
        make.__signature__ = inspect.Signature([*own, *passed])  # type: ignore[attr-defined]  # functions have it, T hides it
        make.__annotations__ = {**own_hints, **{p.name: p.annotation for p in passed}}
        make.model = model  # type: ignore[attr-defined]  # where `systems show` finds the fields' documentation
        return make

    return decorate


def documentation(make: Callable[..., Any]) -> Mapping[str, str]:
    """What the docstrings of a factory and its model say of each parameter (numpydoc ``Parameters`` sections)."""
    found: dict[str, str] = {}
    model = getattr(make, "model", None)
    for owner in [*(reversed(model.__mro__) if model else ()), make]:
        if owner is not object and owner.__doc__:
            found.update(_numpydoc_parameters(inspect.cleandoc(owner.__doc__)))
    return found


def _numpydoc_parameters(text: str) -> dict[str, str]:
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.group(1).splitlines() if section else ():
        if line and not line[0].isspace():
            names = [name.strip() for name in line.partition(" : ")[0].split(",")]
            found.update(dict.fromkeys(names, ""))
        elif line.strip():
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
    return found
