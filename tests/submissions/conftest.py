"""Small folders of challenge files, made to measure."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from asdbench.datasets.years import YEARS, Unit, Year

Rows = list[tuple[str, str]]
MakeFolder = Callable[..., Path]


def clip_names(year: Year, unit: Unit, count: int = 4) -> list[str]:
    """Labelled names: ``count`` normal clips and as many anomalies, of each domain that the file holds."""
    labels = ("normal", "anomaly")
    if year.year == 2020:
        return [f"{label}_id_{unit.section}_{n:08d}.wav" for label in labels for n in range(count)]
    tail = "_vel_9" if year.year >= 2022 else ""
    return [
        f"section_{unit.section}_{domain}_test_{label}_{n:04d}{tail}.wav"
        for domain in ([unit.domain] if unit.domain else ["source", "target"])
        for label in labels
        for n in range(count)
    ]


def write(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    path.write_text("".join(f"{clip},{value}\n" for clip, value in rows), encoding="utf-8")


def read(path: Path) -> Rows:
    rows = (line.partition(",") for line in path.read_text(encoding="utf-8").splitlines())
    return [(clip, value) for clip, _, value in rows]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """A function that writes a small development set: scores that are better than chance, with ties."""

    def make(
        year: int = 2021,
        machines: Iterable[str] = ("fan",),
        sections: Iterable[str] = ("00", "01"),
        *,
        decisions: bool = True,
        count: int = 4,
        name: str = "team",
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        draws = np.random.default_rng(year)
        domains = ("source", "target") if year == 2021 else ("",)
        for unit in (Unit(m, s, d) for m in machines for s in sections for d in domains):
            clips = clip_names(YEARS[year], unit, count)
            scores = [round(float(draws.normal() + ("anomaly" in clip)), 1) for clip in clips]
            rows = list(zip(clips, scores, strict=True))
            write(folder / YEARS[year].file_name("anomaly_score", unit), [(c, str(s)) for c, s in rows])
            if decisions and year != 2020:
                write(folder / YEARS[year].file_name("decision_result", unit), [(c, str(int(s > 1))) for c, s in rows])
        return folder

    return make


@pytest.fixture
def evaluation(shared: Path, tmp_path: Path) -> Path:
    """A copy of the made-up submission of the 2021 evaluation set."""
    folder = tmp_path / "submission"
    shutil.copytree(shared / "conformance" / "dcase2021_evaluator" / "submission", folder)
    return folder
