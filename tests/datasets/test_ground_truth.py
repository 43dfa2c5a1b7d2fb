"""Ground truth in its three forms, and the part of the package that is one."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest

from asdbench.api import DOMAINS
from asdbench.datasets.grammar import MACHINES, parse
from asdbench.datasets.ground_truth import read_truth
from asdbench.datasets.shipped_truth import LABELS, Answer, labels_2021, shipped
from asdbench.datasets.years import YEARS, Unit
from asdbench.errors import DataError
from tests.submissions.conftest import write

BANDSAW = Unit("bandsaw", "00")


def test_counts_of_the_evaluation_set() -> None:
    labels = labels_2021()
    cells = Counter(
        (machine, *parse(name, name.split("_")[2] + "_test", 2021).__dict__.values()) for machine, name in labels
    )
    assert set(cells.values()) == {1}
    assert len(labels) == 8635
    sizes = Counter((machine, name.split("_test_")[0]) for machine, name in labels)
    assert len(sizes) == 42
    assert {machine for machine, _ in sizes} == set(MACHINES)
    assert {count for (machine, _), count in sizes.items() if machine not in ("gearbox", "slider")} == {200}
    anomalies = Counter(machine for (machine, _), label in labels.items() if label == "anomaly")
    assert anomalies["fan"] == 600


def test_clips_of_other_sections_have_no_label() -> None:
    assert ("fan", "section_00_source_test_0000.wav") not in labels_2021()


@pytest.mark.shared
def test_labels_are_those_of_the_official_evaluator(shared: Path) -> None:
    folder = shared / "conformance" / "dcase2021_evaluator" / "ground_truth_data"
    official = {}
    for path in folder.glob("ground_truth_*.csv"):
        machine = path.stem.removeprefix("ground_truth_").partition("_section_")[0]
        with path.open(newline="") as file:
            for name, value in csv.reader(file):
                official[machine, name] = "anomaly" if float(value) else "normal"
    assert dict(labels_2021()) == official


@pytest.mark.shared
def test_labels_are_those_of_the_independent_list(shared: Path) -> None:
    found, machine = {}, ""
    with (shared / "reference" / "ground_truth" / "eval_data_list_2021.csv").open(newline="") as file:
        for row in csv.reader(file):
            if len(row) == 1:
                machine = row[0]
            else:
                found[machine, row[0]] = "anomaly" if "_anomaly_" in row[1] else "normal"
    assert dict(labels_2021()) == found


@pytest.mark.shared
def test_the_shipped_labels_are_those_of_the_evaluator_and_of_the_list(shared: Path) -> None:
    ours = shipped(YEARS[2021])
    assert ours is not None
    assert sum(map(len, ours.clips.values())) == 8635
    for path in ("conformance/dcase2021_evaluator", "reference/ground_truth/eval_data_list_2021.csv"):
        assert read_truth(shared / path, YEARS[2021]).clips == ours.clips
    assert {year for year in YEARS if shipped(YEARS[year]) is not None} == {2021, 2022}


@pytest.mark.shared
def test_the_labels_of_2022_are_those_of_the_organizers_evaluator(shared: Path) -> None:
    official: dict[Unit, dict[str, Answer]] = {}
    with (shared / "reference" / "ground_truth" / "evaluator_2022.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            answer = Answer(int(row["anomaly"]), DOMAINS[int(row["target_domain"])])
            official.setdefault(Unit(row["machine"], row["clip"].split("_")[1]), {})[row["clip"]] = answer
    ours = shipped(YEARS[2022])
    assert ours is not None
    assert sum(map(len, official.values())) == 4200
    assert ours.clips == official


@pytest.mark.shared
def test_the_list_of_2022_that_goes_round_is_refused_by_its_content(shared: Path, tmp_path: Path) -> None:
    lines = (shared / "reference" / "ground_truth" / "eval_data_list_2022.csv").read_text().splitlines()
    path = tmp_path / "labels_of_mine.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match="this ground truth of 2022 is wrong") as caught:
        read_truth(path, YEARS[2022])
    assert "608 of 1,200 labels and 592 domains of ToyCar, ToyTrain contradict" in caught.value.looked
    assert "part of asdbench" in caught.value.hint
    heads = [number for number, line in enumerate(lines) if "," not in line]
    names = [lines[number] for number in heads]
    own = dict(zip(names, zip(heads, [*heads[1:], len(lines)], strict=True), strict=True))
    path.write_text("\n".join(lines[slice(*own["ToyTrain"])]))
    with pytest.raises(DataError, match=r"of 600 labels and \d+ domains of ToyTrain contradict"):
        read_truth(path, YEARS[2022])
    right = [line for name in names if not name.startswith("Toy") for line in lines[slice(*own[name])]]
    path.write_text("\n".join(right))
    assert len(read_truth(path, YEARS[2022]).machines) == 5


@pytest.mark.parametrize(("year", "unit"), [(2021, Unit("fan", "03", "source")), (2022, Unit("fan", "03"))])
@pytest.mark.parametrize("wrong", [0, 1])
def test_one_wrong_label_of_a_shipped_set_is_found_and_own_clips_are_left_alone(
    tmp_path: Path, year: int, unit: Unit, wrong: int
) -> None:
    ours = shipped(YEARS[year])
    assert ours is not None
    rows = []
    for number, (clip, answer) in enumerate(ours.clips[unit].items()):
        label = LABELS[1 - answer.label if number < wrong else answer.label]
        rows.append((clip, f"section_03_{answer.domain}_test_{label}_{number:04d}.wav"))
    path = tmp_path / "eval_data_list.csv"
    write(path, [("", ""), *rows])
    path.write_text("fan\n" + path.read_text().partition("\n")[2])
    if wrong:
        with pytest.raises(DataError, match="1 of 200 labels and 0 domains of fan contradict"):
            read_truth(path, YEARS[year])
        write(path, rows[:-1])  # not the official clips
        path.write_text("fan\n" + path.read_text())
        assert len(read_truth(path, YEARS[year]).clips[unit]) == 199
    else:
        assert read_truth(path, YEARS[year]).clips[unit] == ours.clips[unit]


@pytest.mark.shared
@pytest.mark.parametrize("year", [2020, 2021, 2023, 2024, 2025])  # that of 2022 is wrong
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


@pytest.mark.parametrize("year", [2022, 2024, 2025, 2026])
def test_a_list_of_another_year_whose_names_are_the_same_is_refused(tmp_path: Path, year: int) -> None:
    path = tmp_path / "eval_data_list.csv"
    lines = [f"{machine}\nsection_00_0001.wav,section_00_target_test_normal_0001.wav\n" for machine in YEARS[2023].eval]
    path.write_text("".join(lines))
    assert len(read_truth(path, YEARS[2023]).clips) == len(lines)
    with pytest.raises(DataError, match=f"no ground truth of {year}.*those of 2023"):
        read_truth(path, YEARS[year])
    path.write_text("".join(lines) + lines[0].replace(next(iter(YEARS[2023].eval)), "my_machine"))
    assert len(read_truth(path, YEARS[year]).clips) == len(lines) + 1  # somebody's own


@pytest.mark.parametrize("inner", ["", "ground_truth_data"])
def test_the_evaluators_folder_from_2022_on(evaluator: Path, inner: str) -> None:
    truth = read_truth(evaluator / inner, YEARS[2023])
    answers = truth.clips[BANDSAW]
    assert [answer.label for answer in answers.values()] == [0, 0, 1, 1]
    assert [answer.domain for answer in answers.values()] == ["source", "target", "source", "target"]
    assert truth.labelled[BANDSAW]["section_00_target_test_normal_0001_vel_1.wav"] == "section_00_0001.wav"


def test_the_evaluators_folder_by_where_one_stands(evaluator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(evaluator / "ground_truth_data")
    assert read_truth(Path(), YEARS[2023]).clips == read_truth(evaluator, YEARS[2023]).clips


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: shutil.rmtree(root / "ground_truth_domain"), "which domain"),
        (lambda root: write(next((root / "ground_truth_domain").iterdir()), [("a.wav", "0")]), "different clips"),
        (
            lambda root: write(next((root / "ground_truth_data").iterdir()), [("a.wav", "2")]),
            "line 1: .*neither `clip,0` nor",
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
