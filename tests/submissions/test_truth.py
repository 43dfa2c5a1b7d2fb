"""Ground truth in its three forms."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from asdbench.errors import DataError
from asdbench.submissions.scoring import score_folder
from asdbench.submissions.truth import read_truth, shipped
from asdbench.years import YEARS, Unit

from .conftest import write

FAN = Unit("bandsaw", "00")


@pytest.mark.shared
def test_the_shipped_labels_are_those_of_the_evaluator_and_of_the_list(shared: Path) -> None:
    ours = shipped(YEARS[2021])
    assert ours is not None
    assert sum(map(len, ours.clips.values())) == 8635
    for path in ("conformance/dcase2021_evaluator", "reference/ground_truth/eval_data_list_2021.csv"):
        assert read_truth(shared / path, YEARS[2021]).clips == ours.clips
    assert all(shipped(YEARS[year]) is None for year in YEARS if year != 2021)


@pytest.mark.shared
@pytest.mark.parametrize("year", range(2020, 2026))
def test_the_lists_of_all_years_are_read_to_the_last_clip(shared: Path, year: int) -> None:
    path = shared / "reference" / "ground_truth" / f"eval_data_list_{year}.csv"
    truth = read_truth(path, YEARS[year])
    with path.open(newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) > 1]
    answers = [answer for clips in truth.clips.values() for answer in clips.values()]
    assert len(answers) == len(rows)
    assert sum(answer.label for answer in answers) == sum("anomaly" in row[1] for row in rows)
    assert sum(answer.domain == "target" for answer in answers) == sum("_target_" in row[1] for row in rows)
    assert {unit.machine: () for unit in truth.clips}.keys() == YEARS[year].eval.keys()


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


@pytest.fixture
def evaluator(tmp_path: Path) -> Path:
    """The evaluator's folder of 2023, with one machine: labels 0 0 1 1, domains source target source target."""
    root = tmp_path / "evaluator"
    names = [f"section_00_{n:04d}.wav" for n in range(4)]
    tables = {
        "ground_truth_data": ["0", "0", "1", "1"],
        "ground_truth_domain": ["0", "1", "0", "1"],
        "ground_truth_attributes": [
            f"section_00_{domain}_test_{label}_{n:04d}_vel_{n}"
            for n, (domain, label) in enumerate(
                [("source", "normal"), ("target", "normal"), ("source", "anomaly"), ("target", "anomaly")]
            )
        ],
    }
    for folder, column in tables.items():
        (root / folder).mkdir(parents=True)
        write(root / folder / "ground_truth_bandsaw_section_00_test.csv", zip(names, column, strict=True))
    return root


@pytest.mark.parametrize("inner", ["", "ground_truth_data"])
def test_the_evaluators_folder_from_2022_on(evaluator: Path, inner: str) -> None:
    truth = read_truth(evaluator / inner, YEARS[2023])
    answers = truth.clips[FAN]
    assert [answer.label for answer in answers.values()] == [0, 0, 1, 1]
    assert [answer.domain for answer in answers.values()] == ["source", "target", "source", "target"]
    assert truth.labelled[FAN]["section_00_target_test_normal_0001_vel_1.wav"] == "section_00_0001.wav"


def test_the_evaluators_folder_by_where_one_stands(evaluator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(evaluator / "ground_truth_data")
    assert read_truth(Path(), YEARS[2023]).clips == read_truth(evaluator, YEARS[2023]).clips


@pytest.mark.parametrize("labelled", [False, True])
def test_a_submission_as_the_organizers_later_baseline_writes_it(
    evaluator: Path, tmp_path: Path, labelled: bool
) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    truth = read_truth(evaluator, YEARS[2023])
    clips = list(truth.labelled[FAN]) if labelled else list(truth.clips[FAN])
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
    clips = [*truth.clips[FAN], next(iter(truth.labelled[FAN]))]
    write(folder / "anomaly_score_bandsaw_section_00_test.csv", [(clip, "1") for clip in clips])
    with pytest.raises(
        DataError, match=r"section_00_0000\.wav stands twice, here as section_00_source_test_normal_0000"
    ):
        score_folder(folder, YEARS[2023], evaluator)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: shutil.rmtree(root / "ground_truth_domain"), "which domain"),
        (lambda root: write(next((root / "ground_truth_domain").iterdir()), [("a.wav", "0")]), "different clips"),
        (
            lambda root: write(next((root / "ground_truth_data").iterdir()), [("a.wav", "2")]),
            "line 1: .*neither 0 nor 1",
        ),
        (lambda root: (root / "ground_truth_data" / "ground_truth_fan_section_03_source_test.csv").touch(), "its name"),
        (lambda root: shutil.rmtree(root / "ground_truth_data"), "no ground truth in"),
        (lambda root: shutil.rmtree(root), "no ground truth at"),
    ],
)
def test_a_folder_that_is_no_ground_truth(evaluator: Path, change: object, words: str) -> None:
    assert callable(change)
    change(evaluator)
    with pytest.raises(DataError, match=words):
        read_truth(evaluator, YEARS[2023])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lists no clips"),
        ("bandsaw\n", "lists no clips"),
        ("section_00_0000.wav,section_00_source_test_normal_0000.wav\n", "line 1: .*not the name"),
        ("bandsaw\nsection_00_0000.wav,section_00_0000.wav\n", "line 2: .*with its label"),
        ("bandsaw\nsection_00_0000.wav,section_01_source_test_normal_0000.wav\n", "line 2: .*different sections"),
        ("bandsaw\nsection_00_0000.wav,section_00_source_test_normal_0000.wav,1\n", "line 2: .*contradict"),
        ("bandsaw\n" + 2 * "section_00_0000.wav,section_00_source_test_normal_0000.wav\n", "line 3: .*twice"),
        ("bandsaw\nid_00_00000000.wav,normal_id_00_00000000.wav,0\n", "line 2"),
        ("a machine\n", "line 1: .*no machine type"),
    ],
)
def test_a_list_that_is_no_ground_truth(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "eval_data_list.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        read_truth(path, YEARS[2023])
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(DataError, match="cannot be read"):
        read_truth(path, YEARS[2023])
