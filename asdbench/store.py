"""Result folders: ``RESULTS/<dataset>/<system>/seed-<n>/``, plain files in the challenge's own layout.

- ``anomaly_score_<machine>_section_<NN>_<domain>_test.csv``: ``clip,score``, no head line
- ``decision_result_<machine>_section_<NN>_<domain>_test.csv``: ``clip,0|1``; only where there is a threshold
- ``components.csv``: ``split,machine,section,domain,clip,<component...>``
- ``labels.csv``: ``machine,section,domain,clip,part,label`` of the test clips
- ``history.csv``: ``fit,epoch,<loss term...>``
- ``manifest.json``: what was run, on what, with what; written last

A machine counts as done only when the manifest says so: files are written first, each atomically (a temporary file in
the same folder, then a rename), the manifest last. Scores are the weighted sum of the components *as written*, so that
the files can be made again from ``components.csv`` and are then the same to the last bit.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell, Floats, Label
from asdbench.errors import DataError

FORMAT = 1
IDENTITY = ("split", "machine", "section", "domain", "clip")
LABELS = ("machine", "section", "domain", "clip", "part", "label")


@dataclass(frozen=True)
class Components:
    """The components of some clips.

    Parameters
    ----------
    identity : sequence of (split, machine, section, domain, clip)
    values : mapping of component to array (clips,)
    """

    identity: Sequence[tuple[str, str, str, str, str]]
    values: Mapping[str, Floats]

    def where(self, *, split: str | None = None, machine: str | None = None) -> Components:
        """The rows of a split and/or machine."""
        return self._take(
            number
            for number, row in enumerate(self.identity)
            if (split is None or row[0] == split) and (machine is None or row[1] == machine)
        )

    def without(self, machines: Iterable[str]) -> Components:
        """The rows of all other machines."""
        gone = set(machines)
        return self._take(number for number, row in enumerate(self.identity) if row[1] not in gone)

    def by_machine(self) -> Components:
        """The rows sorted by machine, otherwise in their order: so that a file does not tell which job ended first."""
        return self._take(sorted(range(len(self.identity)), key=lambda number: self.identity[number][1]))

    def _take(self, rows: Iterable[int]) -> Components:
        keep = list(rows)
        return Components(
            [self.identity[n] for n in keep], {name: column[keep] for name, column in self.values.items()}
        )


def join(parts: Sequence[Components]) -> Components:
    """Several into one; a component that one of them lacks is NaN there."""
    parts = [part for part in parts if part.identity]
    names = list(dict.fromkeys(name for part in parts for name in part.values))
    return Components(
        [row for part in parts for row in part.identity],
        {
            name: np.concatenate(
                [part.values.get(name, np.full(len(part.identity), np.nan, np.float32)) for part in parts]
            )
            for name in names
        },
    )


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
        """The system as it was asked for."""
        return unquote(self.path.parent.name)

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
        path = self.path / "manifest.json"
        if not path.exists():
            return {}
        try:
            manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                "a manifest cannot be read", looked=f"{path}: {error}", hint="remove that seed folder and run again"
            ) from error
        found = manifest.get("format") if isinstance(manifest, dict) else None
        if found != FORMAT or not isinstance(manifest.get("machines"), dict):
            raise DataError(
                "a manifest of another format",
                looked=f"{path}: expected format {FORMAT}, found {found}",
                hint="use the version of asdbench that wrote it, or another --results folder",
            )
        return manifest

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest; do this last."""
        text = json.dumps({"format": FORMAT, **manifest}, indent=1, ensure_ascii=False, allow_nan=False)
        write_text(self.path / "manifest.json", text + "\n")

    def components(self) -> Components:
        """All components written so far."""
        rows = list(self._rows("components.csv", IDENTITY))
        if not rows:
            return Components([], {})
        head = rows[0]
        names = head[len(IDENTITY) :]
        table = np.array([row[len(IDENTITY) :] for row in rows[1:]], dtype=np.float32).reshape(
            len(rows) - 1, len(names)
        )
        identity = [(row[0], row[1], row[2], row[3], row[4]) for row in rows[1:]]
        return Components(identity, {name: table[:, number] for number, name in enumerate(names)})

    def write_components(self, components: Components) -> None:
        """Write ``components.csv``; float32 values in the shortest form that reads back to the same bits."""
        columns = [[str(value) for value in column] for column in components.values.values()]
        rows = ([*row, *values] for row, *values in zip(components.identity, *columns, strict=True))
        self._write_rows("components.csv", [*IDENTITY, *components.values], rows)

    def labels(self) -> dict[tuple[str, str], Label]:
        """(machine, clip) -> label of the test clips whose label is known."""
        known: dict[tuple[str, str], Label] = {}
        for row in self.label_rows():
            if row[5]:
                known[row[0], row[3]] = "anomaly" if row[5] == "anomaly" else "normal"
        return known

    def parts(self) -> dict[Cell, str]:
        """Cell -> ``dev`` or ``eval``."""
        return {Cell(row[0], row[1], row[2]): row[4] for row in self.label_rows()}

    def label_rows(self) -> list[list[str]]:
        """The rows of ``labels.csv``: machine, section, domain, clip, part, label or empty."""
        return list(self._rows("labels.csv", LABELS))[1:]

    def write_labels(self, rows: Iterable[Sequence[str]]) -> None:
        """Write ``labels.csv``."""
        self._write_rows("labels.csv", LABELS, rows)

    def history(self) -> list[dict[str, str]]:
        """The rows of ``history.csv`` as text."""
        rows = list(self._rows("history.csv", ("fit", "epoch")))
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] if rows else []

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write ``history.csv``."""
        head = list(dict.fromkeys(name for row in rows for name in row)) or ["fit", "epoch"]
        self._write_rows("history.csv", head, ([str(row.get(name, "")) for name in head] for row in rows))

    def cells(self) -> list[Cell]:
        """The cells that have a score file."""
        found = []
        for path in sorted(self.path.glob("anomaly_score_*_test.csv")):
            machine, _, tail = path.name.removeprefix("anomaly_score_").rpartition("_section_")
            section, _, domain = tail.removesuffix("_test.csv").rpartition("_")
            found.append(Cell(machine, section, domain))
        return found

    def has_scores(self, cell: Cell) -> bool:
        """Whether the cell's score file is there."""
        return self._cell_file("anomaly_score", cell).is_file()

    def scores(self, cell: Cell) -> tuple[list[str], NDArray[np.float64]]:
        """Clips and scores of a cell."""
        return self._read_pairs(self._cell_file("anomaly_score", cell))

    def decisions(self, cell: Cell) -> dict[str, int] | None:
        """Clip -> 0 or 1, or None where there is no decision file."""
        path = self._cell_file("decision_result", cell)
        if not path.is_file():
            return None
        clips, values = self._read_pairs(path)
        return dict(zip(clips, values.astype(int).tolist(), strict=True))

    def write_scores(self, cell: Cell, clips: Sequence[str], scores: NDArray[np.float64]) -> None:
        """Write the score file of a cell."""
        rows = zip(clips, [repr(float(score)) for score in scores], strict=True)
        self._write_rows(self._cell_file("anomaly_score", cell).name, None, rows)

    def write_decisions(self, cell: Cell, clips: Sequence[str], decisions: Sequence[int] | None) -> None:
        """Write the decision file of a cell; None removes it."""
        path = self._cell_file("decision_result", cell)
        if decisions is None:
            path.unlink(missing_ok=True)
        else:
            self._write_rows(path.name, None, zip(clips, [str(int(value)) for value in decisions], strict=True))

    def write_failure(self, label: str, trace: str) -> None:
        """Write the tracebacks of a unit's failures to ``failure-<label>.txt``; none removes the file."""
        path = self.path / f"failure-{_folder_name(label)}.txt"
        if trace:
            write_text(path, trace)
        else:
            path.unlink(missing_ok=True)

    def remove_scores(self, machine: str) -> None:
        """Remove the score and decision files of a machine."""
        for cell in self.cells():
            if cell.machine == machine:
                self._cell_file("anomaly_score", cell).unlink(missing_ok=True)
                self._cell_file("decision_result", cell).unlink(missing_ok=True)

    def _cell_file(self, kind: str, cell: Cell) -> Path:
        return self.path / f"{kind}_{cell.machine}_section_{cell.section}_{cell.domain}_test.csv"

    def _read_pairs(self, path: Path) -> tuple[list[str], NDArray[np.float64]]:
        clips, values = [], []
        with path.open(newline="", encoding="utf-8") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                try:
                    clip, value = row
                    values.append(float(value))
                except ValueError as error:
                    raise DataError(
                        "a line is not `clip,number`",
                        looked=f"{path}, line {number}: {row}",
                        hint="run that system again",
                    ) from error
                clips.append(clip)
        return clips, np.array(values, dtype=np.float64)

    def _rows(self, name: str, head: Sequence[str]) -> Iterator[list[str]]:
        path = self.path / name
        if not path.exists():
            return
        with path.open(newline="", encoding="utf-8") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                if number == 1 and row[: len(head)] != list(head):
                    raise DataError(
                        f"{name} has another head line",
                        looked=f"{path}: {row}",
                        hint="remove that seed folder and run again",
                    )
                yield row

    def _write_rows(self, name: str, head: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if head is not None:
            writer.writerow(head)
        writer.writerows(rows)
        write_text(self.path / name, text.getvalue())


def seed_folder(results: Path, dataset: str, system: str, seed: int) -> SeedFolder:
    """The folder of a data set, system and seed. Characters that cannot stand in a file name are percent-encoded."""
    return SeedFolder(results / _folder_name(dataset) / _folder_name(system) / f"seed-{seed}")


def _folder_name(name: str) -> str:
    quoted = quote(name, safe="[]=,@+ ")
    if not quoted.strip("."):
        quoted = quoted.replace(".", "%2E")  # "." and ".." are other folders
    if len(quoted) > 200:
        raise DataError(
            f"a name is too long for a folder: {len(quoted)} characters", looked=name[:80], hint="shorten it"
        )
    return quoted


def seed_folders(results: Path, dataset: str | None = None) -> list[SeedFolder]:
    """All folders with a manifest, sorted by data set, system and seed.

    Raises
    ------
    DataError
        Where ``results`` is no folder.
    """
    if not results.is_dir():
        raise DataError(
            f"no results at {results}",
            looked=str(results.absolute()),
            hint="`asdbench run` makes them; or name another folder",
        )
    found = [SeedFolder(path.parent) for path in results.glob("*/*/seed-*/manifest.json")]
    wanted = [folder for folder in found if dataset is None or folder.dataset == dataset]
    return sorted(wanted, key=lambda folder: (folder.dataset, folder.system, folder.seed))


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: other processes see the old one or the new one, never half of it.

    Raises
    ------
    DataError
        Where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise DataError(
            f"cannot write {path.name}",
            looked=f"{path.parent}: {error.strerror}",
            hint="check permissions and free space, or choose --results DIR",
        ) from error
