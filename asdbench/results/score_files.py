"""The score and decision files of a seed folder: the challenge's own, by the names of the data set's year.

- 2020: ``anomaly_score_<machine>_id_<NN>.csv``
- 2021: ``anomaly_score_<machine>_section_<NN>_<domain>_test.csv``
- 2022 and later: ``anomaly_score_<machine>_section_<NN>_test.csv``, the clips of both domains

``decision_result_…`` likewise, only where there is a threshold. Lines are ``clip,score`` and ``clip,0|1``, without a
head line. A file is asked for by any cell of it: from 2022 on two cells have one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.datasets.years import KINDS, Unit, Year
from asdbench.files import digest, read_pairs, write_rows


@dataclass(frozen=True)
class ScoreFiles:
    """The files of a folder. Reading never fails for want of a file but in :meth:`scores`."""

    path: Path
    year: Year

    def cells(self) -> list[Cell]:
        """What the score files that are there cover, one cell a file: its domain is "" where its name has none."""
        tail = ".csv" if self.year.year == 2020 else "_test.csv"
        found = []
        for path in sorted(self.path.glob(f"anomaly_score_*{tail}")):
            machine, mark, rest = path.name.removeprefix("anomaly_score_").rpartition(f"_{self.year.definition.unit}_")
            section, domain = rest.removesuffix(tail), ""
            if self.year.definition.domains == "files":
                section, _, domain = section.rpartition("_")
            if mark and section:
                found.append(Cell(machine, section, domain))
        return found

    def names(self, cell: Cell) -> tuple[str, str]:
        """The names of the cell's score and decision file."""
        file = self.year.definition.file(cell)
        unit = Unit(file.machine, file.section, file.domain)
        score, decision = (self.year.file_name(kind, unit) for kind in KINDS)
        return score, decision

    def digests(self, cells: Iterable[Cell]) -> dict[str, str]:
        """File name -> sha256 of the files of some cells, as far as they are there."""
        names = dict.fromkeys(name for cell in cells for name in self.names(cell))
        there = {name: self.path / name for name in names if (self.path / name).is_file()}
        return {name: digest(path) for name, path in there.items()}

    def scores(self, cell: Cell) -> tuple[list[str], NDArray[np.float64]]:
        """Clips and scores of the cell's file; DataError where it is not there or damaged."""
        return read_pairs(self.path / self.names(cell)[0])

    def decisions(self, cell: Cell) -> dict[str, int] | None:
        """Clip -> 0 or 1, or None where there is no decision file."""
        path = self.path / self.names(cell)[1]
        if not path.is_file():
            return None
        clips, values = read_pairs(path)
        return dict(zip(clips, values.astype(int).tolist(), strict=True))

    def write_scores(self, cell: Cell, clips: Sequence[str], scores: NDArray[np.float64]) -> None:
        """Write the cell's score file: scores in the shortest form that reads back to the same bits."""
        rows = zip(clips, [repr(float(score)) for score in scores], strict=True)
        write_rows(self.path / self.names(cell)[0], None, rows)

    def write_decisions(self, cell: Cell, clips: Sequence[str], decisions: Sequence[int] | None) -> None:
        """Write the cell's decision file; None removes it."""
        path = self.path / self.names(cell)[1]
        if decisions is None:
            path.unlink(missing_ok=True)
        else:
            write_rows(path, None, zip(clips, [str(int(value)) for value in decisions], strict=True))

    def remove(self, machine: str) -> None:
        """Remove the files of a machine."""
        for cell in self.cells():
            if cell.machine == machine:
                for name in self.names(cell):
                    (self.path / name).unlink(missing_ok=True)
