"""The names of score files in each year, and which cells share one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asdbench.api import DOMAINS, Cell
from asdbench.datasets.years import YEARS
from asdbench.results.score_files import ScoreFiles

CASES = [
    (2020, Cell("fan", "01", ""), "fan_id_01.csv"),
    (2020, Cell("a_id_b", "01", ""), "a_id_b_id_01.csv"),
    (2021, Cell("fan", "01", "target"), "fan_section_01_target_test.csv"),
    (2021, Cell("a_section_b", "x_y", "source"), "a_section_b_section_x_y_source_test.csv"),
    (2022, Cell("fan", "01", ""), "fan_section_01_test.csv"),
    (2025, Cell("AutoTrash", "00", ""), "AutoTrash_section_00_test.csv"),
]


@pytest.mark.parametrize(("year", "cell", "tail"), CASES)
def test_files_have_the_years_names_and_are_found_again(tmp_path: Path, year: int, cell: Cell, tail: str) -> None:
    files = ScoreFiles(tmp_path, YEARS[year])
    files.write_scores(cell, ["a.wav", "b.wav"], np.array([0.1, 1 / 3]))
    files.write_decisions(cell, ["a.wav", "b.wav"], [0, 1])
    assert {path.name for path in tmp_path.iterdir()} == {f"anomaly_score_{tail}", f"decision_result_{tail}"}
    assert files.cells() == [cell]
    assert files.scores(cell)[1].tolist() == [0.1, 1 / 3]
    assert files.decisions(cell) == {"a.wav": 0, "b.wav": 1}
    files.remove("another")
    assert len(files.digests([cell])) == 2
    files.remove(cell.machine)
    assert list(tmp_path.iterdir()) == []


def test_from_2022_on_both_domains_of_a_section_have_one_file(tmp_path: Path) -> None:
    source, target = (Cell("fan", "01", domain) for domain in DOMAINS)
    later, before = ScoreFiles(tmp_path, YEARS[2023]), ScoreFiles(tmp_path, YEARS[2021])
    assert later.names(source) == later.names(target)
    assert before.names(source) != before.names(target)
    later.write_scores(source, ["a.wav"], np.array([1.0]))
    assert later.scores(target)[0] == ["a.wav"]
    assert len(later.digests([source, target])) == 1
