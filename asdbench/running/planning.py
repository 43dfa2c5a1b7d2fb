"""Systems x machines x seeds -> jobs and their keys. Pure: nothing is read, trained or written here.

A *job* trains one model for one seed and one *unit*: a machine, or every machine where the model's scope is ``all``.
Inside a unit the scope says which training clips form one *fit*:

=============== ==================================================================================
scope           fits of a unit
=============== ==================================================================================
``machine``     one: development and additional training clips together
``machine-part`` two: development sections, evaluation sections
``section``     one a section
``all``         one over every machine of the data set
=============== ==================================================================================

All fits and all test clips of a unit are always computed; ``--sections`` and ``--domains`` only choose which cells are
written as score files. So a wider selection later needs no new training and moves no score.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Clip, Model, Scope, System
from asdbench.errors import DataError
from asdbench.metrics.challenge import DEFINITIONS
from asdbench.plugins.sources import Sources
from asdbench.words import counted

Key = Mapping[str, Any]


@dataclass(frozen=True)
class Fit:
    """One training: its label (``fan``, ``fan/dev``, ``fan/00``, ``all``) and its clips, sorted by name."""

    label: str
    train: tuple[Clip, ...]
    test: tuple[Clip, ...]


@dataclass(frozen=True)
class Unit:
    """What one job covers: one machine, or all of them."""

    machines: tuple[str, ...]
    fits: tuple[Fit, ...]

    @property
    def label(self) -> str:
        """``fan``, or ``all``."""
        return self.fits[0].label.partition("/")[0]

    @property
    def clips(self) -> list[Clip]:
        """All clips of all fits."""
        return [clip for fit in self.fits for clip in (*fit.train, *fit.test)]


def told(clips: Sequence[Clip], year: int) -> list[Clip]:
    """The clips as systems are told of them: from 2022 on, the domain of a test clip is not for them to know.

    Score files then hold both domains, and cells are told apart when they are scored.
    """
    if DEFINITIONS[year].domains != "clips":
        return list(clips)
    return [replace(clip, domain="") if clip.split == "test" else clip for clip in clips]


def units(clips: Sequence[Clip], scope: Scope, machines: Sequence[str]) -> list[Unit]:
    """The units of a scope that give scores for ``machines``.

    Parameters
    ----------
    clips : sequence of Clip
        All clips of the data set.
    scope : Scope
    machines : sequence of str
        Machines to be scored; training clips depend on the scope alone.

    Raises
    ------
    DataError
        Where a training clip is labelled an anomaly.
    """
    wrong = [clip for clip in clips if clip.split == "train" and clip.label == "anomaly"]
    if wrong:
        raise DataError(
            f"{counted(len(wrong), 'training clip is', 'training clips are')} labelled anomaly",
            looked=", ".join(f"{clip.machine}/{clip.name}" for clip in wrong[:3]),
            hint="models hear only normal sounds: mend the index or leave these clips out",
        )
    if scope == "all":
        return [Unit(tuple(sorted({clip.machine for clip in clips})), (_fit("all", clips),))] if machines else []
    made = []
    for machine in machines:
        own = [clip for clip in clips if clip.machine == machine]
        if scope == "machine":
            fits = [_fit(machine, own)]
        elif scope == "machine-part":
            evaluation = [clip for clip in own if clip.part != "dev"]
            fits = (
                [_fit(f"{machine}/dev", [clip for clip in own if clip.part == "dev"])]
                if len(evaluation) < len(own)
                else []
            )
            fits += [_fit(f"{machine}/eval", evaluation)] if evaluation else []
        else:
            sections = sorted({clip.section for clip in own})
            fits = [_fit(f"{machine}/{section}", [c for c in own if c.section == section]) for section in sections]
        made.append(Unit((machine,), tuple(fits)))
    return made


def _fit(label: str, clips: Iterable[Clip]) -> Fit:
    ordered = sorted(clips, key=lambda clip: (clip.machine, clip.name))
    return Fit(
        label,
        tuple(clip for clip in ordered if clip.split == "train"),
        tuple(clip for clip in ordered if clip.split == "test"),
    )


def derive_seed(seed: int, label: str, model: Model[Any]) -> int:
    """The seed of one fit: from the run's seed, the fit's label and the model's family (its class).

    Never from parameters or order, so that two settings of a model start from the same draws.
    """
    words = [seed, zlib.crc32(label.encode()), zlib.crc32(type(model).__name__.encode())]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint32)[0])


def presentation_order(seed: int, label: str, count: int) -> NDArray[np.int64]:
    """The order in which a model sees the test clips: in name order the labels would show."""
    words = [seed, zlib.crc32(label.encode()), zlib.crc32(b"test order")]
    return np.random.default_rng(np.random.SeedSequence(words)).permutation(count)


def model_parameters(model: Model[Any]) -> dict[str, Any]:
    """All parameters of a model as JSON values.

    A field named ``weights`` that is not None is a file: it counts by its content, wherever it lies.
    """
    values: dict[str, Any] = {}
    for field in fields(model):  # type: ignore[arg-type]  # Model's contract: a frozen dataclass
        value = getattr(model, field.name)
        if field.name == "weights" and value is not None:
            value = {"sha256": file_digest(Path(value))}
        values[field.name] = value if isinstance(value, (str, int, bool, Mapping, type(None))) else _plain(value)
    return values


def _plain(value: object) -> object:
    """A parameter as a JSON value: finite numbers as they are, anything else as text."""
    return value if isinstance(value, float) and math.isfinite(value) else str(value)


def file_digest(path: Path) -> str:
    """Sha256 (hex) of a file.

    Raises
    ------
    DataError
        Where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"cannot read {path}",
            looked=f"{path.absolute()}: {error.strerror}",
            hint="give the path of an existing file",
        ) from error


def job_key(
    system: System[Any],
    unit: Unit,
    *,
    seed: int,
    features: Mapping[str, Any],
    fingerprint: str,
    threads: int,
    device: str,
    origin: str,
    code: Sources,
) -> dict[str, Any]:
    """Everything that a job's components depend on; two equal keys mean equal components.

    Parameters
    ----------
    features : mapping
        The embedding's recipe (with the weights' hash), or that of given features.
    fingerprint : str
        Of the unit's clips.
    origin : str
        Package and version (or file) that the system comes from.
    code : Sources
        What training and scoring run, and what that imports.
    """
    from asdbench.version import __version__

    versions = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "torch")} | dict(code.versions)
    return {
        "model": type(system.model).__name__,
        "parameters": model_parameters(system.model),
        "embedding": dict(features),
        "data": fingerprint,
        "unit": unit.label,
        "seed": seed,
        "threads": threads,
        "device": device,
        "origin": origin,
        "asdbench": __version__,
        "versions": dict(sorted(versions.items())),
        "code": dict(code.modules),
    }


def settings(key: Key) -> dict[str, Any]:
    """The part of a job key that all machines of a result folder share."""
    return {name: value for name, value in key.items() if name not in ("unit", "data")}


def key_hash(key: Key) -> str:
    """Sha256 (hex) of a key's canonical JSON."""
    return hashlib.sha256(
        json.dumps(key, sort_keys=True, ensure_ascii=False).encode("utf-8", "backslashreplace")
    ).hexdigest()


def differences(old: Key, new: Key, prefix: str = "") -> list[str]:
    """What differs between two keys, in words: ``epochs: 300 there, 20 now``."""
    found: list[str] = []
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        if name not in old:
            found.append(f"{prefix}{name}: not known of what is there")
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            found += differences(before, after, f"{prefix}{name}." if name != "parameters" else prefix)
        elif before != after:
            pairs = enumerate(zip(str(before), str(after), strict=False))
            same = next((place for place, (one, other) in pairs if one != other), 0)
            found.append(f"{prefix}{name}: {_short(before, same)} there, {_short(after, same)} now")
    return found


def _short(value: object, same: int) -> str:
    """A long value's beginning, and what follows after ``same`` letters that it shares with another."""
    text = str(value)
    if len(text) <= 40:
        return text
    return f"{text[:12]}…" if same < 12 else f"{text[:12]}…{text[same : same + 8]}…"
