"""A seed's folder, ``RESULTS/<dataset>/<system>/seed-<n>/``: plain files in the challenge's own layout.

- ``anomaly_score_….csv``, ``decision_result_….csv``: the challenge's own files (see ``scorefiles``)
- ``components.csv``: ``split,machine,section,domain,clip,fit,<component...>``; the domain as systems were told it, the
  label of the fit that gave the row; a component that is not float32 says so, ``distance:float64``
- ``labels.csv``: ``machine,section,domain,clip,part,label`` of the test clips
- ``history.csv``: ``fit,epoch,<loss term...>``
- ``latent.csv``: ``split,machine,section,domain,clip,fit,x,y``: clips on the two principal axes of their fit's latent
  space (see ``latent``), class centres as rows of split ``centre``; only of models that have one
- ``epochs.csv``: ``machine,epoch,<measure...>``: what each epoch's model gives, fractions: AUC and pAUC, harmonic means
  over the machine's labelled development cells, pseudo-AUC; only where an epoch was chosen by one (see ``selection``)
- ``manifest.json``: what was run, on what, with what (see ``manifest``); written last

A machine counts as done only when the manifest says so: files are written first, each atomically (a temporary file in
the same folder, then a rename), the manifest last. Scores are the weighted sum of the components *as written*, so that
the files can be made again from ``components.csv`` and are then the same to the last bit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np

from asdbench.api import Cell, Label
from asdbench.datasets.years import YEARS
from asdbench.errors import DataError
from asdbench.files import (
    SETTLED_NS,
    as_file_name,
    damaged,
    digest,
    read_content,
    read_rows,
    rows_of,
    write_rows,
    write_text,
)
from asdbench.results.components import Column, Components, Row
from asdbench.results.latent import DIGITS
from asdbench.results.manifest import read_manifest, write_manifest
from asdbench.results.score_files import ScoreFiles
from asdbench.results.selection import MEASURES, Epochs

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]  # the module or nothing

IDENTITY = Row._fields
TYPES = ("float32", "float64")
LABEL: Mapping[str, Label] = {"normal": "normal", "anomaly": "anomaly"}
LATENT = (*IDENTITY, "x", "y")
EPOCHS = ("machine", "epoch")
LABELS = ("machine", "section", "domain", "clip", "part", "label")


State = tuple[tuple[str, int, int, int], ...]


class Truth(NamedTuple):
    """What the harness knows of a test clip: its cell, ``dev`` or ``eval``, its label or None."""

    cell: Cell
    part: str
    label: Label | None


Known = tuple[Mapping[tuple[str, str], Truth], Mapping[Cell, str]]


@dataclass(frozen=True)
class SeedFolder:
    """The folder of one data set, system and seed. Reading never fails for want of a file: nothing is there yet."""

    path: Path

    @property
    def dataset(self) -> str:
        """The data set's name."""
        return unquote(self.path.parent.parent.name)

    @property
    def system(self) -> str:
        """The system's name among the results."""
        return unquote(self.path.parent.name)

    @property
    def asked(self) -> str:
        """The system's spec as it was asked for; folders of before are called so. DataError as :meth:`manifest`."""
        return str(self.manifest().get("system", {}).get("asked", self.system))

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.path.name.removeprefix("seed-"))

    def manifest(self) -> dict[str, Any]:
        """The manifest, or {} where there is none yet.

        Raises
        ------
        DataError
            Where it is not one of ours, damaged, or of a newer format.
        """
        return read_manifest(self.path / "manifest.json")

    @property
    def year(self) -> int:
        """The challenge year whose file names and metrics apply: the data set's. Older folders do not say: 2021."""
        return int(self.manifest().get("dataset", {}).get("year", 2021))

    @property
    def files(self) -> ScoreFiles:
        """Its score and decision files."""
        return ScoreFiles(self.path, YEARS[self.year])

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest, with the hash of the components that it speaks of; do this last."""
        write_manifest(self.path / "manifest.json", {"components": self.digest("components.csv"), **manifest})

    def clear(self) -> None:
        """Remove what a run has written, whatever version of asdbench made it; the manifest first."""
        with self.locked():
            for pattern in ("manifest.json", "metrics.json", "*.csv", "failure-*.txt"):
                for path in self.path.glob(pattern):
                    path.unlink(missing_ok=True)

    def digest(self, name: str) -> str | None:
        """The sha256 (hex) of a file of the folder, or None where it is not there."""
        path = self.path / name
        return digest(path) if path.is_file() else None

    def sound(self) -> bool:
        """Whether the components are those that the manifest speaks of."""
        return self.manifest().get("components") == self.digest("components.csv")

    def state(self) -> State | None:
        """What differs once a file that metrics are made of does: the name, inode, size and time of each.

        None where one has changed a moment ago: it may again, and its time be the same.
        """
        names = [path for path in sorted(self.path.glob("*")) if path.suffix == ".csv" or path.name == "manifest.json"]
        try:
            found = [(path.name, path.stat()) for path in names]
        except FileNotFoundError:  # a run has removed it just now
            return None
        if any(status.st_mtime_ns > time.time_ns() - SETTLED_NS for _, status in found):
            return None
        return tuple((name, status.st_ino, status.st_size, status.st_mtime_ns) for name, status in found)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within it, no other run changes the folder; it waits for one that does. (Not on systems without flock.)"""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                "the results folder cannot be made",
                looked=f"{self.path}: {error.strerror}",
                hint="choose another --results DIR",
            ) from error
        if fcntl is None:
            yield
            return
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def components(self) -> Components:
        """All components written so far.

        Raises
        ------
        DataError
            Where the file is damaged.
        """
        return self._by_clip("components.csv", IDENTITY)

    def write_components(self, components: Components) -> None:
        """Write ``components.csv``: values in the shortest form that, in their type, reads back to the same bits."""
        self._write_by_clip("components.csv", components, str)

    def latent(self) -> Components:
        """Coordinates ``x`` and ``y`` of clips and class centres; nothing where none were recorded.

        Two clips share their axes where they are of one fit.

        Raises
        ------
        DataError
            Where the file is damaged.
        """
        return self._by_clip("latent.csv", LATENT)

    def write_latent(self, points: Components) -> None:
        """Write ``latent.csv``, to as many digits as a picture shows; no points, no file."""
        if points.identity:
            axes = Components(points.identity, {axis: points.values[axis] for axis in ("x", "y")})
            self._write_by_clip("latent.csv", axes, lambda value: f"{value:.{DIGITS}g}")
        else:
            (self.path / "latent.csv").unlink(missing_ok=True)

    def epochs(self) -> Epochs:
        """Machine -> epoch -> measure; nothing where none was recorded.

        Raises
        ------
        DataError
            Where ``epochs.csv`` is damaged.
        """
        found: dict[str, dict[int, dict[str, float]]] = {}
        rows = read_rows(self.path / "epochs.csv", EPOCHS)
        for machine, epoch, *numbers in rows[1:]:
            try:
                known = {name: float(number) for name, number in zip(rows[0][2:], numbers, strict=True) if number}
                found.setdefault(machine, {})[int(epoch)] = known
            except ValueError as error:
                raise damaged(self.path / "epochs.csv", str(error)) from error
        return found

    def write_epochs(self, epochs: Epochs) -> None:
        """Write ``epochs.csv``; no values, no file."""
        every = [(machine, epoch, own[epoch]) for machine, own in sorted(epochs.items()) for epoch in sorted(own)]
        names = [name for name in MEASURES if any(name in known for _, _, known in every)]
        if every:
            rows = (
                [machine, str(epoch), *(str(known.get(name, "")) for name in names)] for machine, epoch, known in every
            )
            write_rows(self.path / "epochs.csv", [*EPOCHS, *names], rows)
        else:
            (self.path / "epochs.csv").unlink(missing_ok=True)

    def truth(self) -> Mapping[tuple[str, str], Truth]:
        """(machine, clip) -> what is known of each test clip.

        Raises
        ------
        DataError
            Where ``labels.csv`` is damaged.
        """
        return self._known()[0]

    def parts(self) -> Mapping[Cell, str]:
        """Cell -> ``dev`` or ``eval``; DataError as :meth:`truth`."""
        return self._known()[1]

    def _known(self) -> Known:
        content = read_content(self.path / "labels.csv")
        try:
            return ({}, {}) if content is None else _known(content)
        except ValueError as error:
            raise damaged(self.path / "labels.csv", str(error)) from error

    def label_rows(self) -> list[list[str]]:
        """The rows of ``labels.csv``: machine, section, domain, clip, part, label or empty."""
        return read_rows(self.path / "labels.csv", LABELS)[1:]

    def write_labels(self, rows: Iterable[Sequence[str]]) -> None:
        """Write ``labels.csv``."""
        write_rows(self.path / "labels.csv", LABELS, rows)

    def history(self) -> list[dict[str, str]]:
        """The rows of ``history.csv`` as text."""
        rows = read_rows(self.path / "history.csv", ("fit", "epoch"))
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] if rows else []

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write ``history.csv``."""
        head = list(dict.fromkeys(name for row in rows for name in row)) or ["fit", "epoch"]
        write_rows(self.path / "history.csv", head, ([str(row.get(name, "")) for name in head] for row in rows))

    def _by_clip(self, name: str, head: Sequence[str]) -> Components:
        """A file of numbers by clip; its columns after the identity are their names."""
        rows = read_rows(self.path / name, head)
        if not rows:
            return Components([], {})
        values = {}
        for number, title in enumerate(rows[0][len(IDENTITY) :], len(IDENTITY)):
            column, dtype = _typed(title)
            try:
                values[column] = np.array([row[number] for row in rows[1:]], dtype=dtype)
            except ValueError as error:
                raise damaged(self.path / name, str(error)) from error
        return Components([Row(*row[: len(IDENTITY)]) for row in rows[1:]], values)

    def _write_by_clip(self, name: str, numbers: Components, text: Callable[[np.floating[Any]], str]) -> None:
        columns = [list(map(text, column)) for column in numbers.values.values()]
        rows = ([*row, *values] for row, *values in zip(numbers.identity, *columns, strict=True))
        titles = [_title(column, values) for column, values in numbers.values.items()]
        write_rows(self.path / name, [*IDENTITY, *titles], rows)

    def write_failure(self, label: str, trace: str) -> None:
        """Write the tracebacks of a unit's failures to ``failure-<label>.txt``; none removes the file."""
        path = self._failure(label)
        if trace:
            write_text(path, trace)
        else:
            path.unlink(missing_ok=True)

    def failure(self, label: str) -> Path | None:
        """The file with the tracebacks of a unit's failures, where there is one."""
        path = self._failure(label)
        return path if path.is_file() else None

    def _failure(self, label: str) -> Path:
        return self.path / f"failure-{as_file_name(label)}.txt"


def _title(name: str, values: Column) -> str:
    """A component's name, with its type behind it where it is not float32, or the name looks as if it had one."""
    return name if _typed(name) == (name, str(values.dtype)) else f"{name}:{values.dtype}"


def _typed(title: str) -> tuple[str, str]:
    name, _, dtype = title.rpartition(":")
    return (name, dtype) if dtype in TYPES and name else (title, "float32")


@lru_cache(maxsize=4)  # the folders of a run have the same labels: read once for all systems and seeds
def _known(content: bytes) -> Known:
    """What a file of labels says; ValueError where it is damaged."""
    truth: dict[tuple[str, str], Truth] = {}
    parts: dict[Cell, str] = {}
    for machine, section, domain, clip, part, label in rows_of(content, LABELS)[1:]:
        if label and label not in LABEL:
            raise ValueError(f"the label {label!r} of {clip}")
        cell = Cell(machine, section, domain)
        if any(character in name for name in (machine, section, domain) for character in "/\\\0"):
            raise ValueError(f"the cell {cell} of {clip}")  # export makes file names of them
        truth[machine, clip] = Truth(cell, part, LABEL.get(label))
        parts[cell] = part
    return MappingProxyType(truth), MappingProxyType(parts)
