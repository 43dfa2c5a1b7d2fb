"""Held against numbers that the organizers' own programs printed."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from asdbench.api import Cell
from asdbench.metrics import DEFINITIONS, CellMetrics, Group, score_group, summarise
from asdbench.metrics.aggregate import METRICS

MACHINES = ("ToyCar", "ToyTrain", "fan", "gearbox", "pump", "slider", "valve")
Printed = dict[tuple[str, ...], list[float]]


def read_pairs(path: Path) -> dict[str, float]:
    with path.open(newline="") as file:
        return {name: float(value) for name, value in csv.reader(file)}


def score(folder: Path, sections: tuple[str, ...], truth: Callable[[Cell, str], int]) -> list[CellMetrics]:
    found = []
    for machine in MACHINES:
        for domain in ("source", "target"):
            for section in sections:
                cell = Cell(machine, section, domain)
                tail = f"{machine}_section_{section}_{domain}_test.csv"
                scores = read_pairs(folder / f"anomaly_score_{tail}")
                decisions = read_pairs(folder / f"decision_result_{tail}")
                labels = np.array([truth(cell, clip) for clip in scores])
                decided = np.array([int(decisions[clip]) for clip in scores])
                found += score_group(DEFINITIONS[2021], Group(cell, labels, np.array(list(scores.values())), decided))
    return found


def read_printed(path: Path) -> Printed:
    """By (machine, section, domain), (machine, name of a mean) or (name of an overall mean)."""
    printed: Printed = {}
    machine: tuple[str, ...] = ()
    with path.open(newline="") as file:
        for row in csv.reader(file):
            if len(row) == 1 or (row and not any(row[1:])):
                machine = (row[0],)
            elif row and row[0] in ("00", "01", "02", "03", "04", "05"):
                printed[*machine, row[0], row[1]] = [float(value) for value in row[2:]]
            elif row and "mean" in row[0]:
                where = () if "over all" in row[0] else machine
                printed[*where, row[0].partition(" over all")[0]] = [float(value) for value in row[2:]]
            elif row and row[0] == "official score":
                printed["official score",] = [float(row[2])]
    return printed


def assert_agrees(cells: list[CellMetrics], printed: Printed) -> int:
    """Every printed row to 1e-9; the number of rows compared."""
    compared = 0
    for cell in cells:
        values = [cell.value(metric) for metric in METRICS]
        assert values == pytest.approx(printed.pop((cell.machine, cell.section, cell.domain)), abs=1e-9)
        compared += 1
    for (*machine, name), expected in printed.items():
        own = [cell for cell in cells if not machine or cell.machine == machine[0]]
        if name == "official score":
            assert summarise(DEFINITIONS[2021], own).official_score == pytest.approx(expected[0], abs=1e-9)
        else:
            assert mean_row(own, name) == pytest.approx(expected, abs=1e-9), (machine, name)
        compared += 1
    return compared


def mean_row(cells: list[CellMetrics], name: str) -> list[float]:
    if name.startswith(("source", "target")):
        cells = [cell for cell in cells if cell.domain == name.split()[0]]
    means = [summarise(DEFINITIONS[2021], cells).means[metric] for metric in METRICS]
    return [mean.arithmetic if name.startswith("arithmetic") else mean.harmonic for mean in means]


@pytest.mark.shared
def test_the_baselines_real_run_is_reproduced_in_all_42_cells_and_all_means(shared: Path) -> None:
    folder = shared / "real" / "scores_dcase2021_dev_baseline_ae"
    cells = score(folder, ("00", "01", "02"), lambda cell, clip: int("_anomaly_" in clip))
    assert len(cells) == 42
    assert assert_agrees(cells, read_printed(folder / "result.csv")) == 42 + 7 * 2 + 2


@pytest.mark.shared
def test_the_official_evaluator_is_reproduced_in_every_row(shared: Path) -> None:
    folder = shared / "conformance" / "dcase2021_evaluator"

    @cache
    def labels(cell: Cell) -> dict[str, float]:
        name = f"ground_truth_{cell.machine}_section_{cell.section}_{cell.domain}_test.csv"
        return read_pairs(folder / "ground_truth_data" / name)

    cells = score(folder / "submission", ("03", "04", "05"), lambda cell, clip: int(labels(cell)[clip]))
    assert len(cells) == 42
    assert assert_agrees(cells, read_printed(folder / "expected_result.csv")) == 42 + 7 * 4 + 4 + 1


@pytest.mark.slow
def test_importing_metrics_and_published_tables_is_quick() -> None:
    heavy = {"torch", "pandas", "scipy", "sklearn", "matplotlib", "librosa"}
    code = (
        "import sys, asdbench.metrics as m, asdbench.published as p; p.tables(); p.official_counts();"
        "m.auc([0, 1], [0, 1]); m.pauc([0, 1], [0, 1]); print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert "asdbench" in loaded
    assert not loaded & heavy
