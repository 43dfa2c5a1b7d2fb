"""Held against what the organizers' own programs printed, row by row, through the CSV that `asdbench score` prints."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from asdbench.datasets.years import YEARS
from asdbench.reports.text.submission import render
from asdbench.submissions.scoring import Scored, score_folder

METRICS = ("auc", "pauc", "precision", "recall", "f1")
Key = tuple[str, str, str, str]


def rows_of(scored: Scored) -> dict[Key, dict[str, str]]:
    """The rows of the CSV by (kind, machine, section, domain)."""
    rows = list(csv.DictReader(io.StringIO(render(scored, "csv"))))
    found = {(row["kind"], row["machine"], row["section"], row["domain"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def printed(path: Path) -> list[tuple[str, list[str]]]:
    """The rows of a result file with the machine they stand under, "" at the end."""
    machine, found = "", []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            if len(row) == 1:
                machine = row[0]
            elif not row:
                machine = ""
            else:
                found.append((machine, row))
    return found


def assert_2021(scored: Scored, path: Path) -> int:
    ours, compared = rows_of(scored), 0
    for machine, row in printed(path):
        name = row[0].partition(" over all")[0]
        if name == "official score":
            key: Key = ("official score", "", "", "")
            assert float(ours[key]["official_score"]) == pytest.approx(float(row[2]), abs=1e-9)
        elif name in ("section", ""):
            continue
        else:
            if name.isdigit():
                key = ("cell", machine, row[0], row[1])
            else:
                domain, _, mean = name.rpartition(" harmonic")
                key = (f"harmonic{mean}" if domain else name, machine, "", domain)
            assert [float(ours[key][metric]) for metric in METRICS] == pytest.approx(
                [float(value) for value in row[2:]], abs=1e-9
            ), key
        compared += 1
    return compared


@pytest.mark.shared
def test_the_2021_evaluator_is_reproduced_in_every_row(shared: Path) -> None:
    folder = shared / "conformance" / "dcase2021_evaluator"
    scored = score_folder(folder / "submission", YEARS[2021])
    assert (scored.part, len(scored.cells), scored.absent, scored.left_out) == ("evaluation", 42, (), ())
    assert assert_2021(scored, folder / "expected_result.csv") == 42 + 7 * 4 + 4 + 1


@pytest.mark.shared
@pytest.mark.parametrize(
    "truth",
    [
        "conformance/dcase2021_evaluator",
        "conformance/dcase2021_evaluator/ground_truth_data",
        "reference/ground_truth/eval_data_list_2021.csv",
    ],
)
def test_each_form_of_ground_truth_gives_the_same(shared: Path, truth: str) -> None:
    folder = shared / "conformance" / "dcase2021_evaluator" / "submission"
    given = score_folder(folder, YEARS[2021], shared / truth)
    assert given.cells == score_folder(folder, YEARS[2021]).cells


@pytest.mark.shared
def test_the_2021_baselines_real_run_is_reproduced_in_every_row(shared: Path) -> None:
    folder = shared / "real" / "scores_dcase2021_dev_baseline_ae"
    scored = score_folder(folder, YEARS[2021])
    assert (scored.part, len(scored.cells), scored.others) == ("development", 42, ("LICENSE", "result.csv"))
    assert scored.origin == "the development set of 2021"
    assert assert_2021(scored, folder / "result.csv") == 42 + 7 * 2 + 2


@pytest.mark.shared
def test_the_2022_baselines_real_run_is_reproduced_in_every_row(shared: Path) -> None:
    folder = shared / "real" / "scores_dcase2022_dev_baseline_ae"
    scored = score_folder(folder, YEARS[2022])
    ours, compared = rows_of(scored), 0
    for machine, (name, *values) in printed(folder / "result.csv"):
        if name in ("section", ""):
            continue
        kind, section = ("cell", name) if name.isdigit() else (name.partition(" over all")[0], "")
        source, target = (ours[kind, machine, section, domain] for domain in ("source", "target"))
        decided = [row[metric] for metric in METRICS[2:] for row in (source, target)]
        mine = [source["auc"], target["auc"], source["pauc"], *decided]
        assert [float(value) for value in mine] == pytest.approx([float(value) for value in values], abs=1e-9)
        assert source["pauc"] == target["pauc"]
        compared += 1
    assert compared == 21 + 7 * 2 + 2
    assert {(row["n_normal"], row["n_anomaly"]) for row in ours.values() if row["kind"] == "cell"} == {("50", "50")}


@pytest.mark.shared
def test_the_2022_official_score_counts_pauc_once_a_section(shared: Path) -> None:
    folder = shared / "real" / "scores_dcase2022_dev_baseline_ae"
    values = [
        float(value)
        for _, (name, *columns) in printed(folder / "result.csv")
        if name.isdigit()
        for value in columns[:3]  # AUC source, AUC target, pAUC
    ]
    assert len(values) == 63
    expected = len(values) / sum(1 / value for value in values)
    assert score_folder(folder, YEARS[2022]).summary.official_score == pytest.approx(expected, abs=1e-12)


@pytest.mark.shared
@pytest.mark.parametrize(
    "prefix", ["", "tflite_", "tflite_quant_", "tflite_quant_fullint_", "tflite_quant_fullint_micro_"]
)
def test_the_2020_runs_are_reproduced_in_every_row(shared: Path, tmp_path: Path, prefix: str) -> None:
    folder = shared / "real" / "scores_dcase2020_toycar_mlperf_tiny"
    files = sorted(folder.glob(f"{prefix}anomaly_score_*.csv"))
    assert len(files) == 4
    for path in files:
        shutil.copy(path, tmp_path / path.name.removeprefix(prefix))
    scored = score_folder(tmp_path, YEARS[2020])
    assert scored.absent == ("ToyConveyor", "fan", "pump", "slider", "valve")
    ours, compared = rows_of(scored), 0
    for machine, (name, area, partial) in printed(folder / f"{prefix}result.csv"):
        if name == "id":
            continue
        key: Key = ("cell", machine, name, "") if name.isdigit() else ("arithmetic mean", machine, "", "")
        assert float(ours[key]["auc"]) == pytest.approx(float(area), abs=1e-9)
        assert float(ours[key]["pauc"]) == pytest.approx(float(partial), abs=1e-9)
        compared += 1
        if not name.isdigit():
            mean = (float(area) + float(partial)) / 2
            assert scored.summary.official_score == pytest.approx(mean, abs=1e-9)
    assert compared == 5
    assert [cell.domain for cell in scored.cells] == [""] * 4
