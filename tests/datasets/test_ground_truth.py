from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from asdbench.datasets.grammar import MACHINES, parse
from asdbench.datasets.ground_truth import labels_2021


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
