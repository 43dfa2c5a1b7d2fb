"""Systems of results folders beside each other: what is compared, what is refused, what is said."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.api import DOMAINS, Cell
from asdbench.errors import DataError
from asdbench.judging.compared import Compared, compare_folders
from asdbench.judging.conclusions import Verdict
from asdbench.judging.methods import Comparison
from asdbench.metrics.aggregate import official_score
from asdbench.reports.content.comparison import sentence
from asdbench.reports.text.comparison import render, values
from asdbench.results.results_folder import seed_folder
from asdbench.results.scoring import evaluate
from asdbench.results.seed_folder import SeedFolder

CELLS = [
    Cell(machine, section, domain) for machine in ("fan", "pump") for section in ("00", "01") for domain in DOMAINS
]


def write(
    results: Path,
    system: str,
    merit: float = 1.0,
    *,
    seed: int = 777,
    cells: Sequence[Cell] = CELLS,
    count: int = 40,
    own: float = 1.0,
    part: str = "dev",
    turn: bool = False,
    unscored: Sequence[Cell] = (),
    stamps: Sequence[str] = (),
    constant: Sequence[str] = (),
    data: str = "d",
    epochs: int = 300,
    job: str | None = None,
    label: tuple[str, str] = ("normal", "anomaly"),
    deterministic: bool = False,
    key: str = "",
) -> SeedFolder:
    """A seed folder whose anomalies lie ``merit`` off; all systems share half of what makes a clip hard."""
    folder = seed_folder(results, "small", system, seed)
    labels, machines = [], dict[str, Any]()
    for number, cell in enumerate(cells):
        truth = np.repeat([0, 1], count)
        clips = [f"section_{cell.section}_{cell.domain}_test_{n:04d}.wav" for n in range(2 * count)]
        hard = np.random.default_rng([number]).standard_normal(2 * count)
        mine = np.random.default_rng([number, seed, *system.encode()]).standard_normal(2 * count)
        scores = hard + own * mine + merit * truth
        entry = machines.setdefault(
            cell.machine,
            {
                "key": {
                    "model": key or system,
                    "parameters": {"epochs": epochs},
                    "data": job or data,
                    "unit": cell.machine,
                    "seed": seed,
                },
                **({} if job is None else {"clips": data}),
                "formula": {"distance": 1.0},
                "fits": {cell.machine: {"sections": ["00", "01"]}},
                "cells": {},
                "files": {},
                "dataset": "small",
                "stamps": list(stamps),
                "failed": {},
                "impossible": {},
                "constant": ["kld"] if cell.machine in constant else [],
                "thresholds": {},
            },
        )
        entry["cells"][f"{cell.section}/{cell.domain}"] = "it broke" if cell in unscored else None
        labels += [
            [cell.machine, cell.section, cell.domain, c, part, label[t]] for c, t in zip(clips, truth, strict=True)
        ]
        if cell not in unscored:
            order = np.arange(2 * count)[:: -1 if turn else 1]
            folder.files.write_scores(cell, [clips[n] for n in order], scores[order])
            entry["files"].update(folder.files.digests([cell]))
    folder.write_labels(labels)
    system_entry = {"name": system, "title": system, "full_epochs": 300, "deterministic": deterministic}
    folder.write_manifest(
        {
            "dataset": {"name": "small", "spec": "small"},
            "system": system_entry,
            "stamps": list(stamps),
            "seed": seed,
            "machines": machines,
        }
    )
    return folder


SEEDS = (1, 2, 3)


def seeds(results: Path, system: str, merit: float = 1.0, trainings: int = 3, **more: Any) -> list[SeedFolder]:
    """Trainings of a system that differ by what is their own alone."""
    return [write(results, system, merit, seed=seed + 1, **more) for seed in range(trainings)]


def compare(a: Sequence[SeedFolder], b: Sequence[SeedFolder], names: Sequence[str] = ("a", "b")) -> Compared:
    return compare_folders([a, b], names)


def only(compared: Compared) -> Comparison:
    (part,) = compared.parts
    (pair,) = part.pairs
    return pair


def told(compared: Compared) -> str:
    (part,) = compared.parts
    return sentence(compared, part, only(compared))


def test_values_are_means_over_the_trainings_of_the_score_files(tmp_path: Path) -> None:
    a, b = seeds(tmp_path, "a", 1.5), seeds(tmp_path, "b", 1.0, 2)
    pair = only(compare(a, b))
    assert pair.seeds == (3, 2)
    assert pair.methods is not None
    scores, areas = [], []
    for side in (a, b):
        found = [evaluate(folder) for folder in side]
        own = [official_score(v for m in each for v in (m.auc, m.pauc) if v is not None) for each in found]
        scores.append(np.mean(own))
        areas.append(np.mean([m.auc for each in found for m in each if m.auc is not None]))
    assert (pair.methods["official"].a, pair.methods["official"].b) == pytest.approx(scores, abs=1e-12)
    assert (pair.methods["auc"].a, pair.methods["auc"].b) == pytest.approx(areas, abs=1e-12)
    assert pair.methods["auc"].difference == pytest.approx(areas[0] - areas[1], abs=1e-12)
    for cell in CELLS:
        plain = [m.auc for folder in a for m in evaluate(folder) if m.cell == cell and m.auc is not None]
        assert pair.cells[cell, "auc"].a == pytest.approx(np.mean(plain), abs=1e-12)


def test_a_clear_difference_makes_a_method_better(tmp_path: Path) -> None:
    a, b = seeds(tmp_path, "weak", 0.5), seeds(tmp_path, "strong", 2.5)
    found = compare(a, b, ("weak", "strong"))
    assert only(found).methods is not None
    said = told(found)
    numbers = re.search(
        r"On small, strong is better than weak: its official score is ([\d.]+) points higher"
        r" \(95 % interval ([\d.]+) to ([\d.]+), p <0.001, 3 trainings of each\)",
        said,
    )
    assert numbers, said
    points, low, high = map(float, numbers.groups())
    assert 0 < low < points < high
    assert "strong is better than weak" in told(compare(b, a, ("strong", "weak")))


def test_one_method_under_two_names_is_not_told_apart(tmp_path: Path) -> None:
    a, b = seeds(tmp_path, "one", 1.0, 5), seeds(tmp_path, "twin", 1.0, 5)
    found = compare(a, b, ("one", "twin"))
    methods = only(found).methods
    assert methods is not None
    assert methods["official"].conclusion == "undecided"
    said = told(found)
    assert "it is undecided whether one or twin is better" in said
    assert "seeds of each would make it ± 1" in said or "no number of seeds will do" in said


def test_of_one_training_nothing_is_said_about_methods(tmp_path: Path) -> None:
    a, b = write(tmp_path, "weak", 0.5), write(tmp_path, "strong", 2.5)
    found = compare([a], [b], ("weak", "strong"))
    pair = only(found)
    assert pair.methods is None
    assert pair.machines_like_these is None
    for text in (render(found), render(found, "latex"), render(found, "csv")):
        assert not re.search(r"\b(better|worse|equivalent|undecided)\b", text), text
    said = told(found)
    assert re.search(r"that of strong has an official score [\d.]+ points higher than that of weak", said)
    assert "there is one training of weak and strong, so nothing follows about the methods" in said
    assert json.loads(render(found, "json"))["parts"][0]["methods"] is None
    assert "These trainings, over clips" in render(found)


def test_one_training_of_one_side_is_too_few_unless_it_is_deterministic(tmp_path: Path) -> None:
    a = seeds(tmp_path, "a", 1.5, 5)
    assert only(compare(a, [write(tmp_path, "b", 1.0)])).methods is None
    fixed = compare(a, [write(tmp_path, "c", 1.0, deterministic=True)], ("a", "c"))
    assert only(fixed).methods is not None
    assert "5 trainings of a, c is deterministic" in told(fixed)
    assert "c is deterministic: every seed gives the same scores" in render(fixed)


def test_trainings_that_are_shared_are_paired(tmp_path: Path) -> None:
    """Systems 1 and 2 read one and the same training: its spread is in no difference."""
    a, b = seeds(tmp_path, "a", 1.0, own=1.0, key="one"), seeds(tmp_path, "b", 1.2, own=1.0, key="one")
    c = seeds(tmp_path, "c", 1.2, own=1.0)
    assert only(compare(a, b)).paired
    assert not only(compare(a, c)).paired
    assert "3 trainings, the same of both" in told(compare(a, b))


def test_more_than_two_systems_are_each_compared_with_each(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    folders = [seeds(tmp_path, name, merit) for name, merit in zip(names, (0.5, 1.0, 2.5), strict=True)]
    found = compare_folders(folders, names)
    (part,) = found.parts
    assert [(pair.a, pair.b) for pair in part.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    alone = only(compare(folders[0], folders[1]))
    assert part.pairs[0].methods is not None
    assert alone.methods is not None
    assert (part.pairs[0].methods["auc"].p or 0) >= (alone.methods["auc"].p or 0)
    assert part.pairs[0].methods["auc"].low == pytest.approx(alone.methods["auc"].low, abs=1e-12)
    text = render(found)
    assert text.count("- **On small, ") == 3
    assert "adjusted for all pairs (Holm)" in text
    record = json.loads(render(found, "json"))
    assert [pair["systems"] for pair in record["pairs"]] == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert record["pairs"][0]["parts"][0]["methods"]["official"]["p"] == part.pairs[0].methods["official"].p


def test_json_has_the_keys_it_promises_as_fractions(tmp_path: Path) -> None:
    found = compare(seeds(tmp_path, "a", 1.5), seeds(tmp_path, "b", 1.0))
    record = json.loads(render(found, "json"))
    assert (record["margin"], record["systems"]) == (0.01, ["a", "b"])
    (part,) = record["parts"]
    assert part["part"] == "dev"
    assert set(part["methods"]) == {"official", "auc", "pauc"} == set(part["machines_like_these"])
    methods = only(found).methods
    assert methods is not None
    for quantity, own in part["methods"].items():
        assert own["difference"] == pytest.approx(own["a"] - own["b"], abs=1e-12)
        assert 0 < own["a"] < 1
        assert (own["low"], own["high"], own["p"]) == (
            methods[quantity].low,
            methods[quantity].high,
            methods[quantity].p,
        )
        assert own["conclusion"] in ("better", "worse", "equivalent", "undecided")
        assert {"seeds_needed", "reason"} <= set(own)
    assert part["trainings"]["official"]["conclusion"] is None
    assert len(part["cells"]) == 2 * len(CELLS)


def test_csv_has_a_line_for_every_value(tmp_path: Path) -> None:
    found = compare(seeds(tmp_path, "a", 1.5), seeds(tmp_path, "b", 1.0))
    rows = list(csv.DictReader(io.StringIO(render(found, "csv"))))
    kinds = [row["of"] for row in rows]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "methods": 3,
        "machines like these": 3,
        "machine": 6,
        "cell": 16,
        "trainings": 3,
    }
    for row in rows:
        gap = float(row["value_a"]) - float(row["value_b"])
        assert float(row["difference"]) == pytest.approx(gap, abs=1e-12)
        assert (row["trainings_a"], row["trainings_b"], row["margin"]) == ("3", "3", "0.01")


def test_rows_are_matched_by_clip_and_not_by_position(tmp_path: Path) -> None:
    a, b = seeds(tmp_path, "a"), seeds(tmp_path, "b", 1.5)
    turned = seeds(tmp_path / "turned", "b", 1.5, turn=True)
    assert render(compare(a, b)) == render(compare(a, turned))


def test_where_a_cell_falls_to_0_the_mean_auc_decides(tmp_path: Path) -> None:
    """A harmonic mean is 0 where one AUC is."""
    a, b = seeds(tmp_path, "a", 3.0, count=20, own=0.3), seeds(tmp_path, "b", 0.5, count=20)
    for folder in a:
        scores = np.r_[np.zeros(20), np.full(17, -1.0), np.ones(3)]  # three anomalies alone lie above the normal clips
        folder.files.write_scores(CELLS[0], folder.files.scores(CELLS[0])[0], scores)
        manifest = folder.manifest()
        manifest["machines"]["fan"]["files"].update(folder.files.digests([CELLS[0]]))
        folder.write_manifest(manifest)
    found = compare(a, b)
    methods = only(found).methods
    assert methods is not None
    assert (methods["official"].low, methods["official"].p) == (None, None)
    assert methods["official"].conclusion == "undecided"
    assert "cell fan 00 source falls to 0" in methods["official"].reason
    assert methods["auc"].conclusion == "better"
    assert "by the mean AUC, a is better than b" in told(found)


def test_seeds_made_otherwise_are_not_averaged(tmp_path: Path) -> None:
    a = [write(tmp_path, "a", seed=1), write(tmp_path, "a", seed=2, epochs=20)]
    b = [write(tmp_path, "b", seed=seed) for seed in (1, 2)]
    with pytest.raises(DataError, match=r"seeds of a were not made alike.*epochs: 300 there, 20 now"):
        compare(a, b)
    assert compare(a[1:], b).sides[0].budget == "20 of 300 epochs"


def test_other_data_are_refused_and_the_machines_named(tmp_path: Path) -> None:
    a = write(tmp_path, "a")
    with pytest.raises(DataError, match="the clips of fan, pump have another fingerprint in a than in b"):
        compare([a], [write(tmp_path, "b", data="e")])
    with pytest.raises(DataError, match="labels are not the same"):
        compare([a], [write(tmp_path, "d", label=("anomaly", "normal"))])


def test_a_system_trained_on_all_machines_at_once_is_held_to_its_machines_clips(tmp_path: Path) -> None:
    a = write(tmp_path, "a")
    assert only(compare([a], [write(tmp_path, "b", job="all")])).cells
    with pytest.raises(DataError, match="the clips of fan, pump have another fingerprint"):
        compare([a], [write(tmp_path, "c", data="e", job="d")])


def test_no_common_cell_is_an_error(tmp_path: Path) -> None:
    a = write(tmp_path, "a", cells=CELLS[:2])
    with pytest.raises(DataError, match="no cell that all have a value of"):
        compare([a], [write(tmp_path, "c", cells=CELLS[2:])])


def test_cells_that_one_lacks_are_named_and_left_out(tmp_path: Path) -> None:
    a, b = write(tmp_path, "a", unscored=CELLS[:1]), write(tmp_path, "b", cells=CELLS[:6])
    found = compare([a], [b])
    assert sorted({cell for cell, _ in only(found).cells}) == CELLS[1:6]
    assert found.left_out == {"a: it broke": tuple(CELLS[:1]), "only a has them": tuple(CELLS[6:])}
    assert "pump 01 source, pump 01 target: only a has them" in render(found)
    (b.path / "anomaly_score_fan_section_01_source_test.csv").write_text("x.wav,1.0\n")
    assert any("not the one that was written" in reason for reason in compare([a], [b]).left_out)


def test_collapsed_fits_stand_in_the_verdict(tmp_path: Path) -> None:
    a, b = seeds(tmp_path, "a", constant=["fan"]), seeds(tmp_path, "b")
    found = compare(a, b)
    assert only(found).collapsed == (3, 0)
    assert "a has a collapsed component in 3 of 6 fits" in told(found)
    assert "b has a collapsed" not in told(found)
    assert "fan (seed 1), fan (seed 2), fan (seed 3)" in render(found)


def test_stamps_come_first_and_those_of_one_system_carry_its_name(tmp_path: Path) -> None:
    a = write(tmp_path, "a@oracle", stamps=["synthetic data", "epoch chosen on the test labels"])
    found = compare([a], [write(tmp_path, "b", stamps=["synthetic data"])], ("a@oracle", "b"))
    assert "On small (synthetic data; a@oracle: epoch chosen on the test labels)," in told(found)
    stamp, line = render(found).split("\n\n")[1:3]
    assert stamp.startswith(
        "> **SYNTHETIC DATA; A@ORACLE: EPOCH CHOSEN ON THE TEST LABELS.** These numbers are no result"
    )
    assert line.startswith("**On small")


def test_development_and_evaluation_sections_are_never_mixed(tmp_path: Path) -> None:
    for system, merit in (("a", 1.5), ("b", 1.0)):
        write(tmp_path, system, merit)
        folder = seed_folder(tmp_path, "small", system, 777)
        rows = [[*row[:4], "eval" if row[1] == "01" else "dev", row[5]] for row in folder.label_rows()]
        folder.write_labels(rows)
    found = compare([seed_folder(tmp_path, "small", "a", 777)], [seed_folder(tmp_path, "small", "b", 777)])
    seen = [(part.part, {cell.section for cell, _ in part.pairs[0].cells}) for part in found.parts]
    assert seen == [("dev", {"00"}), ("eval", {"01"})]
    assert "On small, evaluation sections, " in render(found)


def test_every_cell_is_a_row_of_the_table(tmp_path: Path) -> None:
    found = compare(seeds(tmp_path, "a", 1.5), seeds(tmp_path, "b"))
    lines = [[part.strip() for part in row.strip("|").split("|")] for row in render(found).splitlines() if "|" in row]
    rows = {tuple(line[:3]): line[3:] for line in lines if len(line) == 11}
    for (cell, metric), own in only(found).cells.items():
        shown = rows[cell.machine, cell.section, cell.domain][4 * (metric == "pauc") :][:4]
        assert [float(value) for value in shown[:3]] == pytest.approx(
            [100 * own.a, 100 * own.b, 100 * own.difference], abs=0.0051
        )
        assert own.low is not None
        assert own.high is not None
        assert shown[3] == f"{100 * own.low:z.1f} to {100 * own.high:z.1f}"


def test_nothing_is_less_than_nothing() -> None:
    assert values(Verdict(0.5, 0.5, -1e-6, -1e-5, 1e-5))[2:4] == ["+0.00", "0.0 to 0.0"]
