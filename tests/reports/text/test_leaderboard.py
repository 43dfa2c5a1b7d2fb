"""Boards of systems: order, what has a rank, what stands beside the number, and every form of it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.api import DOMAINS, Cell
from asdbench.errors import DataError, UsageError
from asdbench.metrics.aggregate import official_score
from asdbench.published import tables as published_tables
from asdbench.reports.content.leaderboard import Board, Place, boards
from asdbench.reports.text.leaderboard import FIELDS, render
from asdbench.results.results_folder import seed_folder
from tests.reports.content.test_tables import ALL, fill
from tests.reports.text.test_latex import NASTY, compiled, well_formed

FORMS = ("markdown", "latex", "csv", "json")
# Sections whose published cells have the clips that `fill` makes.
USUAL = [cell for cell in ALL if cell.machine in ("fan", "pump", "valve")]


def board(*results: Path) -> Board:
    (found,) = boards(results)
    return found


def place(found: Board, system: str) -> Place:
    (one,) = [place for place in found.places if place.system == system]
    return one


def edit(results: Path, system: str, fits: dict[str, dict[str, Any]], seed: int = 777) -> None:
    """Say more of the fits in a seed folder's manifest."""
    folder = seed_folder(results, "dcase2021", system, seed)
    manifest = folder.manifest()
    for entry in manifest["machines"].values():
        entry["fits"] = fits
    folder.write_manifest({name: value for name, value in manifest.items() if name != "components"})


def test_own_and_published_stand_in_the_order_of_their_score(tmp_path: Path) -> None:
    expected = fill(tmp_path, cells=USUAL)
    found = board(tmp_path)
    scores = [one.score for one in found.places if one.result]
    assert len(scores) > 5
    assert None not in scores
    assert scores == sorted(scores, key=lambda score: -(score or 0))
    assert not any(one.rank for one in found.places)  # one training, and published values
    assert "No rank: clvae: one training, from which nothing follows about the method" in render([found], "markdown")
    assert "no trainings to compare" in render([found], "latex")
    own = place(found, "clvae")
    assert own.score == pytest.approx(official_score(value for pair in expected.values() for value in pair))
    assert own.score is not None
    assert own.bounds is not None
    assert own.bounds[0] < own.score < own.bounds[1]
    assert own.source == str(tmp_path / "dcase2021" / "clvae" / "seed-777")
    five = published_tables()["narita2021/table-5"]
    cells = {(cell.machine, cell.section, cell.domain) for cell in USUAL}
    same = official_score(value for key, value in five.cells.items() if key[:3] in cells)
    assert place(found, five.key).score == pytest.approx(same)
    assert place(found, five.key).source == "report Table 5"


def test_a_readme_without_all_cells_has_its_printed_means_on_the_whole_board_and_no_rank_on_others(
    tmp_path: Path,
) -> None:
    fill(tmp_path / "some", cells=USUAL)
    readme = place(board(tmp_path / "some"), "organizers/ae-readme")
    assert (readme.rank, readme.mind) == (None, ("over 12 of 18 cells",))
    fill(tmp_path / "all", cells=ALL)
    printed = published_tables()["organizers/ae-readme"].printed_harmonic
    whole = place(board(tmp_path / "all"), "organizers/ae-readme")
    assert whole.score == pytest.approx(2 / (1 / printed["both", "auc"] + 1 / printed["both", "pauc"]))
    assert whole.source == "README of the organizers"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"stamps": ("synthetic data",)}, "synthetic data"),
        ({"stamps": ("untrained network",)}, "untrained network"),
        ({"stamps": ("epoch chosen on the test labels",)}, "epoch chosen on the test labels"),
        ({"epochs": 2}, "reduced budget: 2 of 300 epochs"),
        ({"cells": USUAL[:4]}, "over 4 of 18 cells"),
    ],
)
def test_what_is_no_result_never_looks_like_one(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    fill(tmp_path, cells=USUAL, system="whole")
    fill(tmp_path, **{"cells": USUAL, **more})
    found = board(tmp_path)
    odd = place(found, "clvae")
    assert says in odd.mind
    assert (odd.rank, odd.result) == (None, False)
    assert place(found, "whole").result
    loud = says.partition(":")[0].upper()
    (line,) = [line for line in render([found], "markdown").splitlines() if line.startswith("|") and "| clvae " in line]
    assert f"({odd.score:.2f})" in line
    assert loud in line
    assert f"({odd.score:.2f})" in render([found], "latex")
    assert loud in render([found], "latex")
    (record,) = [record for record in json.loads(render([found], "json")) if record["system"] == "clvae"]
    assert (record["rank"], record["result"], says in record["mind"]) == (None, False, True)


def test_where_nothing_of_ours_is_a_result_the_board_says_so_first(tmp_path: Path) -> None:
    fill(tmp_path, dataset="toy", spec="toy", stamps=("synthetic data",))
    found = board(tmp_path)
    assert [one.system for one in found.places] == ["clvae"]
    assert "NO RESULT OF OURS IS HERE: SYNTHETIC DATA." in render([found], "markdown").split("|")[0]
    assert "NO RESULT OF OURS IS HERE: SYNTHETIC DATA." in render([found], "latex").split("tabular")[0]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"dataset": "toy", "spec": "toy", "stamps": ("synthetic data",)}, "synthetic data cannot be compared"),
        ({"dataset": "mine", "spec": "features:mine"}, "this data set is not known to be it"),
        ({"part": "eval", "cells": [Cell("fan", "03", d) for d in DOMAINS]}, "none are known of the evaluation"),
    ],
)
def test_published_values_stand_beside_the_benchmark_alone(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    fill(tmp_path, **more)
    found = board(tmp_path)
    assert not [one for one in found.places if one.published]
    assert [note for note in found.notes if "ublished values are left out" in note and says in note]


def test_other_test_clips_take_the_published_ranks(tmp_path: Path) -> None:
    fill(tmp_path, count=20)
    found = board(tmp_path)
    assert {one.rank for one in found.places if one.published} == {None}
    assert place(found, "narita2021/table-5").mind == ("other test clips than ours",)
    assert place(found, "clvae").result


def test_seeds_are_a_mean_and_a_deviation(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        fill(tmp_path, cells=USUAL, seed=seed)
    own = place(board(tmp_path), "clvae")
    assert sorted(own.seeds) == [1, 2, 3]
    values = list(own.seeds.values())
    mean = sum(values) / 3
    deviation = (sum((value - mean) ** 2 for value in values) / 2) ** 0.5
    assert own.spread == pytest.approx(deviation)
    assert f"3: {mean:.2f} ± {deviation:.2f}" in render(boards([tmp_path]), "markdown")
    assert own.source == str(tmp_path / "dcase2021" / "clvae")


def better(results: Path, by: float, system: str = "better", deterministic: bool = False) -> None:
    """Three trainings of a system whose anomalies lie farther from its normal clips than those of ``fill``."""
    for seed in (1, 2, 3):
        fill(results, cells=USUAL, seed=seed, system=system, published=None, title=system)
        folder = seed_folder(results, "dcase2021", system, seed)
        manifest = folder.manifest()
        for cell in USUAL:
            clips, scores = folder.files.scores(cell)
            noise = np.random.default_rng([seed, len(system)]).standard_normal(len(scores))
            scores = scores + by * (np.arange(len(scores)) >= len(scores) // 2) + 0.3 * noise
            folder.files.write_scores(cell, clips, scores)
            manifest["machines"][cell.machine]["files"].update(folder.files.digests([cell]))
        for entry in manifest["machines"].values():  # none is shared with another system
            entry["key"]["parameters"] |= {"of": system}
        manifest["system"]["deterministic"] = deterministic
        folder.write_manifest(manifest)


def test_a_rank_is_one_and_one_more_for_every_system_that_is_better(tmp_path: Path) -> None:
    better(tmp_path, 0.0, "first")
    better(tmp_path, 0.0, "second")
    better(tmp_path, 1.5, "far")
    fill(tmp_path, cells=USUAL, system="alone")
    found = board(tmp_path)
    assert {one.system: one.rank for one in found.places if not one.published} == {
        "far": 1,
        "first": 2,
        "second": 2,
        "alone": None,
    }
    assert place(found, "alone").why_not.startswith("one training")
    assert place(found, "far").interval_of == "over 3 trainings and clips"
    shown = render([found], "markdown")
    assert "Rank: 1, and one more for every system that is better" in shown
    assert "over clips, one training (alone)" in shown
    records = {one["system"]: one for one in json.loads(render([found], "json"))}
    assert records["alone"]["interval_of"] == "over clips, one training"
    assert records["first"]["rank"] == 2


def test_a_deterministic_system_is_ranked_from_one_fit_and_a_lone_one_not(tmp_path: Path) -> None:
    better(tmp_path / "two", 0.0, "first")
    better(tmp_path / "two", 1.5, "fixed", deterministic=True)
    for seed in (2, 3):
        shutil.rmtree(tmp_path / "two" / "dcase2021" / "fixed" / f"seed-{seed}")
    found = board(tmp_path / "two")
    assert (place(found, "fixed").rank, place(found, "first").rank) == (1, 2)
    better(tmp_path / "one", 0.0, "first")
    alone = place(board(tmp_path / "one"), "first")
    assert (alone.rank, alone.why_not) == (None, "no other system here to compare with")


def test_cost_is_of_all_fits_of_the_boards_sections(tmp_path: Path) -> None:
    fill(tmp_path)
    about = {"train_clips": 3, "steps": 1}
    fits = {
        "fan/00": {**about, "sections": ["00"], "seconds": {"fit": 2.5}, "parameters": 1_500_000},
        "fan/01": {**about, "sections": ["00", "01"], "seconds": {"fit": 1.0}, "parameters": 500_000},
        "fan/03": {**about, "sections": ["03"], "seconds": {"fit": 9.0}, "parameters": 7},
    }
    edit(tmp_path, "clvae", fits)
    own = place(board(tmp_path), "clvae")
    assert (own.seconds, own.parameters) == (3.5, 2_000_000)
    assert "3.5 s" in render(boards([tmp_path]), "markdown")
    assert "2.0 M" in render(boards([tmp_path]), "markdown")
    del fits["fan/00"]["parameters"]  # results of before it was kept
    edit(tmp_path, "clvae", fits)
    assert place(board(tmp_path), "clvae").parameters is None


def test_other_clips_are_a_board_of_their_own_and_a_folder_counts_once(tmp_path: Path) -> None:
    fill(tmp_path / "one")
    fill(tmp_path / "two", system="mine")
    fill(tmp_path / "three", system="other", data="other clips")
    roots = [tmp_path / name for name in ("one", "two", "three", "one")]
    own = [[one.system for one in found.places if not one.published] for found in boards(roots)]
    assert sorted(map(sorted, own)) == [["clvae", "mine"], ["other"]]


def test_a_folder_without_results_is_said(tmp_path: Path) -> None:
    fill(tmp_path / "one")
    (tmp_path / "two").mkdir()
    with pytest.raises(DataError, match=r"no results in .*two"):
        boards([tmp_path / "one", tmp_path / "two"])
    with pytest.raises(UsageError, match="unknown data set in these results 'toy'"):
        boards([tmp_path / "one"], "toy")


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    fill(tmp_path, stamps=("synthetic data", "untrained network"), spec="toy", dataset="toy")
    found = boards([tmp_path])
    (record,) = json.loads(render(found, "json"))
    assert set(record) == set(FIELDS)
    (row,) = csv.DictReader(io.StringIO(render(found, "csv")))
    assert row["mind"] == "synthetic data; untrained network"
    assert float(row["official_score"]) == record["official_score"]
    assert (row["rank"], row["result"], row["published"]) == ("", "", "")


@pytest.mark.parametrize("name", NASTY[:7])
def test_names_are_text_in_every_form(tmp_path: Path, name: str) -> None:
    system = name.replace("\x00", "")
    fill(tmp_path, system=system, dataset="a_<b>|c", spec="features:x", title=name)
    found = boards([tmp_path])
    assert json.loads(render(found, "json"))[0]["system"] == system
    (row,) = csv.DictReader(io.StringIO(render(found, "csv"), newline=""))
    assert row["system"] == system
    well_formed(render(found, "latex"))
    shown = render(found, "markdown")
    assert "<script>" not in shown
    table = [line for line in shown.splitlines() if line.startswith("|")]
    assert len(table) == 3
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1


@pytest.mark.slow
def test_a_board_compiles_and_fits_the_page(pdflatex: str, tmp_path: Path) -> None:
    fill(tmp_path / "r", cells=USUAL)
    fill(tmp_path / "r", cells=USUAL, epochs=2, system="clvae[epochs=2]", constant=("kld",))
    for seed in (1, 2):
        fill(tmp_path / "r", cells=USUAL, system="mvg", published=None, seed=seed)
    log = compiled(pdflatex, tmp_path, render(boards([tmp_path / "r"]), "latex"))
    assert "Overfull" not in log
    assert "Float too large" not in log
