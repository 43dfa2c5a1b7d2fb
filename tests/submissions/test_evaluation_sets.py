"""Submissions of evaluation sets, scored by a ground truth, under either name of their clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.datasets.ground_truth import read_truth
from asdbench.datasets.years import YEARS, Unit
from asdbench.errors import DataError
from asdbench.submissions.scoring import score_folder
from tests.submissions.conftest import write

BANDSAW = Unit("bandsaw", "00")


@pytest.mark.shared
@pytest.mark.parametrize("year", range(2020, 2026))
@pytest.mark.parametrize("labelled", [False, True])
def test_an_evaluation_set_of_each_year_is_scored(shared: Path, tmp_path: Path, year: int, labelled: bool) -> None:
    path = shared / "reference" / "ground_truth" / f"eval_data_list_{year}.csv"
    truth = read_truth(path, YEARS[year])
    for unit, clips in truth.clips.items():
        named = {clip: name for name, clip in truth.labelled[unit].items()} if labelled else {}
        assert not labelled or named.keys() == clips.keys()
        rows = [(named.get(clip, clip), str(answer.label)) for clip, answer in clips.items()]
        write(tmp_path / YEARS[year].file_name("anomaly_score", unit), rows)
    scored = score_folder(tmp_path, YEARS[year], path)
    assert {cell.auc for cell in scored.cells} == {1.0}
    assert scored.summary.official_score == pytest.approx(1, abs=1e-12)
    assert len(scored.cells) == len(truth.clips) * (2 if year >= 2022 else 1)


@pytest.mark.parametrize("labelled", [False, True])
def test_a_submission_as_the_organizers_later_baseline_writes_it(
    evaluator: Path, tmp_path: Path, labelled: bool
) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    truth = read_truth(evaluator, YEARS[2023])
    clips = list(truth.labelled[BANDSAW]) if labelled else list(truth.clips[BANDSAW])
    name = "anomaly_score_DCASE2023T2bandsaw_section_00_test_seed13711_id(0_)_Eval.csv"
    write(folder / name, zip(clips, ["0.1", "0.5", "0.4", "0.9"], strict=True))
    cells = score_folder(folder, YEARS[2023], evaluator).cells
    assert [(cell.domain, cell.auc, cell.n_normal, cell.n_anomaly) for cell in cells] == [
        ("source", 1.0, 1, 1),
        ("target", 0.5, 1, 1),
    ]


def test_a_clip_under_both_its_names_stands_twice(evaluator: Path, tmp_path: Path) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    truth = read_truth(evaluator, YEARS[2023])
    clips = [*truth.clips[BANDSAW], next(iter(truth.labelled[BANDSAW]))]
    write(folder / "anomaly_score_bandsaw_section_00_test.csv", [(clip, "1") for clip in clips])
    with pytest.raises(
        DataError, match=r"section_00_0000\.wav stands twice, here as section_00_source_test_normal_0000"
    ):
        score_folder(folder, YEARS[2023], evaluator)
