"""Data sets: which one a run uses, and what identifies its content.

``--dataset`` takes a spec (``toy``, ``dcase2021:ROOT``, ``dcase:ROOT``, ``features:DIR``, ``./file.py:factory``).
Without it the environment variable ASDBENCH_DATA is used, then ``data`` in ``./asdbench.toml`` (at the top or under
``[asdbench]``), then ``toy``; in the first two a bare path means ``dcase2021:PATH``.

A ``./file.py:factory`` is code. It is taken from the command line and from Python alone, never from a setting: whoever
unpacks an archive and works in its folder did not choose the ``asdbench.toml`` there.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from asdbench.api import Clip, Dataset
from asdbench.errors import AsdbenchError, UsageError
from asdbench.plugins import registry
from asdbench.plugins.spec import parse

CONFIGURATION = "asdbench.toml"
VARIABLE = "ASDBENCH_DATA"
SETTINGS = ("data", "weights")
_SPEC = re.compile(r"\w{2,}(\[.*\])?:")
"""How text begins that is meant as a spec (a single letter is a drive)."""


def open_dataset(text: str | None = None) -> tuple[Dataset, str]:
    """Open the data set that is asked for, or the configured one, or ``toy``.

    Parameters
    ----------
    text : str or None
        A spec, as ``--dataset`` has it.

    Returns
    -------
    Dataset
    str
        In words, which one it is and why; with what a user should know of it (folders without a clip).

    Raises
    ------
    UsageError
        For an unknown data set or parameter, a missing or needless argument; for a setting that names code.
    DataError
        Where the data cannot be used; says where the choice came from.
    """
    if text is not None:
        return _described(_open(text), f"{text} (--dataset)")
    for origin, value in ((VARIABLE, os.environ.get(VARIABLE)), (CONFIGURATION, configured("data"))):
        if value:
            spec = _set_in(origin, value)
            try:
                return _described(_open(spec), f"{spec} (no --dataset; set in {origin})")
            except AsdbenchError as error:
                looked = "; ".join(part for part in (error.looked, f"{origin} says {value!r}") if part)
                raise type(error)(error.message, looked, error.hint) from error
    return _described(_open("toy"), f"no --dataset, {VARIABLE} or {CONFIGURATION}: the built-in toy data")


def _set_in(origin: str, value: str) -> str:
    """The spec that a setting means: that of a registered data set, or a bare path.

    Raises
    ------
    UsageError
        Where it names a file of Python.
    """
    if _name(value) in registry.entries("datasets"):
        return value
    if ".py:" in value:
        raise UsageError(
            f"{origin} names code as the data set, which was not run",
            looked=f"{origin} says {value!r}",
            hint="a setting names data by its path; if you trust the file, name it on the command line: "
            "--dataset ./file.py:factory",
        )
    return f"dcase2021:{value}"


def spec_of(text: str) -> str:
    """The spec of what is given as a spec or as a bare path: a folder of features or of the DCASE layout."""
    if _names_a_dataset(text) or (_SPEC.match(text) and not Path(text).expanduser().exists()):
        return text
    if (Path(text).expanduser() / "index.csv").is_file():
        return f"features:{text}"
    return f"dcase:{text}"


def usage(name: str, make: Callable[..., Any]) -> str:
    """How a data set is written: ``dcase2021[channel=None,rate=16000]:ROOT``, parameters with their defaults."""
    argument = _argument(make)
    declared = registry.parameters(make, argument=True)
    given = ",".join(f"{key}={parameter.default}" for key, parameter in declared.items())
    return name + (f"[{given}]" if given else "") + (f":{argument.name.upper()}" if argument else "")


def configured(key: str) -> str | None:
    """A value of ``./asdbench.toml``, from its table ``[asdbench]`` or from its top level.

    Raises
    ------
    UsageError
        Where the file cannot be read or the value is no text.
    """
    path = Path(CONFIGURATION)
    if not path.is_file():
        return None
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", looked=str(path.absolute()), hint='write data = "ROOT", with the quotes'
        ) from error
    table = found.get("asdbench", {})
    names = [*found, *(table if isinstance(table, dict) else ())]
    odd = [name for name in names if name not in ("asdbench", *SETTINGS)]
    if odd:
        raise registry.unknown(f"{CONFIGURATION} setting", odd[0], SETTINGS)
    value = table.get(key, found.get(key)) if isinstance(table, dict) else found.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{path}: {key} is {value!r}", looked=str(path.absolute()), hint=f'write {key} = "..."')
    return value


def fingerprint(dataset: Dataset, clips: Sequence[Clip], digests: Sequence[str] | None = None) -> str:
    """What identifies the content of some clips: their cells, splits and sounds (or features), but not their labels.

    Parameters
    ----------
    dataset : Dataset
    clips : sequence of Clip
        In any order.
    digests : sequence of str or None
        Of each clip, where they are at hand.

    Returns
    -------
    str
        A sha256 (hex).
    """
    lines = sorted(
        (clip.machine, clip.name, clip.section, clip.domain, clip.split, clip.part, digest)
        for clip, digest in zip(clips, digests or digests_of(dataset, clips), strict=True)
    )
    made = hashlib.sha256(b"[")  # JSON of the list, in parts: all of it would be tens of megabytes
    for start in range(0, len(lines), 1000):
        made.update((", " if start else "").encode() + json.dumps(lines[start : start + 1000]).encode()[1:-1])
    made.update(b"]")
    return made.hexdigest()


def digests_of(dataset: Dataset, clips: Sequence[Clip]) -> list[str]:
    """The sha256 (hex) of each clip's content, by the data set's ``digest_many(clips)`` where it has one."""
    many: Callable[[Sequence[Clip]], list[str]] | None = getattr(dataset, "digest_many", None)
    return many(clips) if many else [dataset.digest(clip) for clip in clips]


def _open(text: str) -> Dataset:
    if _is_path(text):
        raise UsageError(
            f"--dataset {text!r} is no data set but looks like a path",
            looked=f"there are: {', '.join(registry.entries('datasets'))}",
            hint=f"did you mean dcase:{text} or features:{text}?",
        )
    spec = parse(text)
    make = registry.factory("datasets", spec.name)
    argument = _argument(make)
    if spec.argument is not None and argument is None:
        raise UsageError(f"{spec.name} takes no argument", looked=text, hint=f"write {_example(spec.name, make, None)}")
    if not spec.argument and argument is not None:
        example = _example(spec.name, make, argument.name)
        if argument.default is argument.empty:
            raise UsageError(f"{spec.name} needs a {argument.name}: {example}", looked=text, hint=f"write {example}")
    return cast(Dataset, registry.create("datasets", spec, *([spec.argument] if spec.argument else [])))


def _argument(make: Callable[..., Any]) -> inspect.Parameter | None:
    """The parameter of a factory that the text behind ":" goes to."""
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return next((p for p in inspect.signature(make).parameters.values() if p.kind in places), None)


def _example(name: str, make: Callable[..., Any], argument: str | None) -> str:
    parameters = ",".join(f"{parameter}=..." for parameter in registry.parameters(make, argument=True))
    return (
        name
        + (f"[{parameters}]" if parameters and argument is None else "")
        + (f":{argument.upper()}" if argument else "")
    )


def _is_path(text: str) -> bool:
    """Whether somebody wrote a path where a spec stands: what names a registered data set or a .py file is a spec."""
    name = _name(text)
    if not name or _names_a_dataset(text):
        return False
    return name.startswith((".", "~")) or "/" in name or os.sep in name or Path(text).exists()


def _names_a_dataset(text: str) -> bool:
    return _name(text) in registry.entries("datasets") or ".py:" in text


def _name(text: str) -> str:
    return text.partition("[")[0].partition(":")[0].strip()


def _described(dataset: Dataset, words: str) -> tuple[Dataset, str]:
    remarks: Sequence[str] = getattr(dataset, "remarks", ())
    shown = "; ".join(remarks[:3]) + (f"; and {len(remarks) - 3} more" if len(remarks) > 3 else "")
    return dataset, f"{words}; note: {shown}" if remarks else words
