"""Runs on data of other years than 2021: their file names, their metrics, and what their training clips do not say."""

from __future__ import annotations

import csv
import io
import json
import re
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from asdbench.api import Cell
from asdbench.datasets.years import YEARS
from asdbench.errors import ConflictError, DataError, UsageError
from asdbench.judging.checking import check
from asdbench.judging.compared import Compared, compare_folders
from asdbench.judging.expected import Expected, Found, collect, read_expected, write_expected
from asdbench.metrics.aggregate import RANKING, CellMetrics
from asdbench.metrics.challenge import DEFINITIONS
from asdbench.reports.content import tables
from asdbench.reports.content.system_table import SystemTable
from asdbench.reports.text import comparison, markdown
from asdbench.reports.text import submission as challenge
from asdbench.reports.text import tidy_csv as tidy
from asdbench.results.scoring import evaluate
from asdbench.results.seed_folder import SeedFolder
from asdbench.running.run import run
from asdbench.running.summary import RunSummary
from asdbench.submissions.export import export
from asdbench.submissions.scoring import score_folder
from tests.runs import plugin
from tests.yearly import parameters

PLUGIN = Path(__file__).parents[1] / "yearly.py"
VECTORS = "cvae,clvae,clvae-ensemble,mvg"


def go(tmp_path: Path, systems: str, year: int, *, kind: str = "given", data: Any = None, **more: Any) -> RunSummary:
    where = f":{tmp_path / 'data'}" if kind == "given" else ""
    spec = f"{PLUGIN}:{kind}[{parameters(year=year, **(data or {}))}]{where}"
    more = {"epochs": 1, "results": tmp_path / "results", "cache": tmp_path / "cache", **more}
    return run(spec, systems, **more)


def by_cell(folder: SeedFolder) -> dict[Cell, CellMetrics]:
    return {metrics.cell: metrics for metrics in evaluate(folder)}


NAMES = {
    2020: {"anomaly_score_fan_id_01.csv", "anomaly_score_ToyCar_id_05.csv", "decision_result_fan_id_01.csv"},
    2022: {"anomaly_score_fan_section_00_test.csv", "decision_result_ToyCar_section_03_test.csv"},
    2024: {"anomaly_score_fan_section_00_test.csv", "anomaly_score_HairDryer_section_00_test.csv"},
}


@pytest.mark.parametrize("year", [2020, 2022, 2024])
def test_every_vector_system_runs_from_run_to_a_scored_export(tmp_path: Path, year: int) -> None:
    summary = go(tmp_path, VECTORS, year)
    assert summary.failed == []
    assert summary.results / f"dcase{year}" == summary.folders[0].path.parent.parent
    folder = summary.folders[-1]
    assert folder.year == year
    assert NAMES[year] <= {path.name for path in folder.path.iterdir()}

    built = tables.build(summary.results)
    assert len(built) == 2 * 4  # development and evaluation of four systems
    assert all(table.score is not None and not table.has_published for table in built)
    values = [row for row in long(built) if row["statistic"] == "cell" and row["metric"] in RANKING]
    assert len(values) == sum(len(row.ours) for table in built for row in table.rows)
    decided = {row["metric"] for row in long(built)} - {*RANKING, "official_score"}
    assert decided == {"precision", "recall", "f1"}
    text = markdown.render(built)
    assert ("AUC source" in text) == (year > 2020)
    assert bool(re.search(r"^\| Machine +\| ID ", text, re.M)) == (year == 2020)

    expected = tmp_path / "expected.csv"
    write_expected(expected, collect(summary.folders))
    assert check(collect(summary.folders), read_expected(expected)).exit_code == 0

    out = tmp_path / "submission"
    export(folder, out, YEARS[year], "dev")
    scored = score_folder(out, YEARS[year])
    own = by_cell(folder)
    assert {cell.cell for cell in scored.cells} == {cell for cell, part in _parts(folder).items() if part == "dev"}
    for cell in scored.cells:
        assert (cell.auc, cell.pauc) == (own[cell.cell].auc, own[cell.cell].pauc)
        assert (cell.f1 is None) == (year == 2020)
    table = next(one for one in built if (one.system, one.part) == ("mvg", "dev"))
    assert table.score == pytest.approx(100 * scored.summary.official_score, abs=1e-9)
    assert table.interval_of == "over clips, deterministic"
    fewest = min(min(cell.n_normal, cell.n_anomaly) for cell in scored.cells)
    assert (table.score_bounds is None) == (fewest < 10 and year != 2020)
    low, high = table.score_bounds or (0, 100)
    assert low < 100 * scored.summary.official_score < high


def long(built: Sequence[SystemTable]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tidy.render(built))))


def _parts(folder: SeedFolder) -> dict[Cell, str]:
    return {known.cell: known.part for known in folder.truth().values()}


@pytest.mark.parametrize("year", [2020, 2022, 2024])
def test_the_autoencoder_runs_on_sound(tmp_path: Path, year: int) -> None:
    summary = go(tmp_path, "ae", year, kind="sounds", data={"evaluation": False})
    assert summary.failed == []
    assert {metrics.auc for metrics in evaluate(summary.folders[0])} == {1.0}  # anomalies are a tenth as loud


@pytest.mark.parametrize("year", [2020, 2022, 2024])
def test_a_seed_folder_is_a_submission(tmp_path: Path, year: int) -> None:
    (folder,) = go(tmp_path, "mvg", year, data={"evaluation": False}).folders
    scored = score_folder(folder.path, YEARS[year])
    found = json.loads(challenge.render(scored, "json"))["cells"]
    assert [(cell["machine"], cell["section"], cell["domain"] or "") for cell in found] == [
        (cell.machine, cell.section, cell.domain) for cell in sorted(by_cell(folder))
    ]
    assert [cell["auc"] for cell in found] == [by_cell(folder)[cell].auc for cell in sorted(by_cell(folder))]


def test_in_2020_tables_and_means_are_of_ids(tmp_path: Path) -> None:
    summary = go(tmp_path, "mvg", 2020, data={"evaluation": False})
    (table,) = tables.build(summary.results)
    values = [value for row in table.rows for value in row.ours.values()]
    assert len(values) == 2 * 2 * 2
    assert table.score == pytest.approx(statistics.fmean(values))
    text = markdown.render([table])
    assert "Official score: the arithmetic mean of all AUC and pAUC." in text
    assert "Harmonic mean" not in text
    assert "source" not in text
    assert "of ids 01, 02" in text
    assert {row["domain"] for row in long([table])} == {""}


def test_from_2022_on_auc_is_against_all_anomalies_and_pauc_counts_once(tmp_path: Path) -> None:
    summary = go(tmp_path, "mvg", 2022, data={"evaluation": False})
    (folder,) = summary.folders
    clips, scores = folder.files.scores(Cell("fan", "00", "source"))
    anomaly = np.array(["anomaly" in clip for clip in clips])
    target = np.array(["target" in clip for clip in clips])
    own = by_cell(folder)
    for domain, other in (("source", target), ("target", ~target)):
        keep = anomaly | ~other
        metrics = own[Cell("fan", "00", domain)]
        assert metrics.auc == pytest.approx(roc_auc_score(anomaly[keep], scores[keep]), abs=1e-12)
        assert metrics.pauc == pytest.approx(roc_auc_score(anomaly, scores, max_fpr=0.1), abs=1e-12)
        assert (metrics.n_normal, metrics.n_anomaly) == (6, 6)
    (table,) = tables.build(summary.results)
    values = [value for row in table.rows for value in row.ours.values()]
    assert len(values) == 2 * 2 * 3
    assert table.score == pytest.approx(statistics.harmonic_mean(values))
    head = next(line for line in markdown.render([table]).splitlines() if line.startswith("| Machine"))
    assert [name.strip() for name in head.strip("|").split("|")][2:] == ["AUC source", "AUC target", "pAUC"]


def test_one_domain_alone_is_still_against_the_anomalies_of_both(tmp_path: Path) -> None:
    whole = by_cell(go(tmp_path, "mvg", 2022).folders[0])
    part = go(tmp_path, "mvg", 2022, domains=["source"], results=tmp_path / "part")
    found = by_cell(part.folders[0])
    assert {cell.domain for cell in found} == {"source"}
    assert found == {cell: metrics for cell, metrics in whole.items() if cell.domain == "source"}
    for table in tables.build(part.results):
        assert {domain for row in table.rows for domain, _ in row.ours} == {"source", ""}
        assert "target" not in {domain for row in table.rows for domain, _ in row.bounds}
    wider = go(tmp_path, "mvg", 2022, results=tmp_path / "part")
    assert (wider.trained, by_cell(wider.folders[0])) == (0, whole)


def test_a_data_set_without_domains_cannot_be_asked_for_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the clips of this data set have no domains.*leave --domains out"):
        go(tmp_path, "mvg", 2020, domains=["source"])


def compare(one: Sequence[SeedFolder], two: Sequence[SeedFolder]) -> Compared:
    return compare_folders([one, two], ["one", "two"])


@pytest.mark.parametrize("year", [2020, 2022])
def test_two_systems_are_compared_by_the_years_metrics(tmp_path: Path, year: int) -> None:
    summary = go(tmp_path, "clvae,cvae", year, data={"evaluation": False}, seeds=[1, 2], epochs=2)
    sides = [[one for one in summary.folders if one.system == name] for name in ("clvae", "cvae")]
    found = compare(sides[0], sides[1])
    (part,) = found.parts
    (pair,) = part.pairs
    assert pair.methods is not None
    scores = {table.system: table.score for table in tables.build(summary.results)}
    assert 100 * pair.methods["official"].a == pytest.approx(scores["clvae"], abs=1e-9)
    assert 100 * pair.methods["official"].b == pytest.approx(scores["cvae"], abs=1e-9)
    first = [by_cell(folder) for folder in sides[0]]
    for (cell, metric), own in pair.cells.items():
        domains = (cell.domain,) if cell.domain or year == 2020 else ("source", "target")
        values = [getattr(one[replace(cell, domain=domain)], metric) for one in first for domain in domains]
        assert own.a == pytest.approx(statistics.fmean(values), abs=1e-12)
    text = comparison.render(found)
    assert ("| Domain" in text) == (year > 2020)
    assert ("pAUC once a section" in text) == (year > 2021)


@pytest.mark.parametrize("year", [2020, 2022])
def test_a_check_in_another_environment_holds_the_years_metrics(tmp_path: Path, year: int) -> None:
    summary = go(tmp_path, "clvae", year, data={"evaluation": False}, epochs=3)
    found, path = collect(summary.folders), tmp_path / "expected.csv"
    head = json.loads(json.dumps(found.head))
    for about in head["systems"].values():
        about["environment"]["torch"] = "1.0"
    write_expected(path, Expected(head, found.scores))
    verdict = check(found, read_expected(path))
    assert (verdict.exit_code, verdict.compared, verdict.measured) == (0, 0, 3 + 2 * 2)  # overall, two machines
    scores = {
        of: {cell: {clip: -score for clip, score in clips.items()} for cell, clips in cells.items()}
        for of, cells in found.scores.items()
    }
    turned = Found(found.head, scores, found.truth, found.year)
    worse = check(turned, read_expected(path))
    assert worse.exit_code == 3
    values = [table.score for table in tables.build(summary.results)]
    assert any(f"official score: {values[0]:.2f} expected" in line for line in worse.regressions)


def test_a_system_of_all_machines_has_the_same_clips_as_one_of_each(tmp_path: Path) -> None:
    every = plugin(tmp_path, scope="all")
    found = [go(tmp_path, name, 2022, data={"evaluation": False}).folders for name in (every, "mvg")]
    (pair,) = compare(found[0], found[1]).parts[0].pairs
    assert len(pair.cells) == 2 * 2 * 3  # two AUC and one pAUC of two sections of two machines


def test_results_of_two_years_are_not_compared(tmp_path: Path) -> None:
    one, two = (go(tmp_path, "mvg", year, data={"evaluation": False}).folders for year in (2022, 2021))
    with pytest.raises(DataError, match="different years"):
        compare(one, two)


@pytest.mark.parametrize("year", [2020, 2022, 2024])
def test_labels_and_domains_that_become_known_need_no_training(tmp_path: Path, year: int) -> None:
    before = go(tmp_path, "mvg", year, data={"truth": False})
    reasons = {(cell, reason) for _, _, cell, reason in before.failed}
    assert {reason for _, reason in reasons} == {"labels unknown"}
    assert {cell.domain for cell, _ in reasons} == {""}
    table = next(one for one in tables.build(before.results) if one.part == "eval")
    assert table.score is None
    assert any("labels unknown" in note for note in table.notes)
    assert "labels unknown" in markdown.render([table])
    lost = [row for row in long([table]) if row["statistic"] == "cell" and not row["value"]]
    assert len(lost) == len(table.rows) * len(DEFINITIONS[year].columns())
    after = go(tmp_path, "mvg", year)
    assert (after.trained, after.failed) == (0, [])
    fresh = go(tmp_path, "mvg", year, results=tmp_path / "fresh")
    assert [by_cell(one) for one in after.folders] == [by_cell(one) for one in fresh.folders]


@pytest.mark.parametrize(("year", "told"), [(2020, {-1}), (2021, {0, 1}), (2022, {-1}), (2024, {-1})])
def test_the_domain_of_a_test_clip_is_told_where_the_challenge_tells_it(
    tmp_path: Path, year: int, told: set[int]
) -> None:
    spy = 'return {"distance": batch.domain.astype(np.float32)}'
    (folder,) = go(tmp_path, plugin(tmp_path, spy=spy), year).folders
    components = folder.components()
    assert set(components.where(split="test").values["distance"].astype(int).tolist()) == told
    known = {-1} if year == 2020 else {0, 1}
    assert set(components.where(split="train").values["distance"].astype(int).tolist()) == known


@pytest.mark.parametrize("year", [2020, 2022, 2024])
def test_training_clips_that_state_no_section_are_a_reason_where_a_system_needs_it(tmp_path: Path, year: int) -> None:
    data = {"stated": False, "evaluation": False}
    summary = go(tmp_path, f"{VECTORS},{plugin(tmp_path)}", year, data=data)
    found = {(system.rpartition("/")[2], reason) for system, _, _, reason in summary.failed}
    for system in ("cvae", "clvae", "clvae-ensemble"):
        (reason,) = [why for name, why in found if name == system]
        assert re.search(r"\d+ of \d+ training clips are of an unknown section or domain", reason)
    assert all("has no training clips" in why for name, why in found if name == "mvg")
    assert {name for name, _ in found} == {"cvae", "clvae", "clvae-ensemble", "mvg"}  # the plug-in needs none
    text = markdown.render(tables.build(summary.results))
    assert "of an unknown section or domain" in text
    assert "some of no stated" in text
    heard = go(tmp_path, "ae", year, kind="sounds", data=data, results=tmp_path / "sounds")
    assert heard.failed == []


@pytest.mark.parametrize(
    ("year", "system", "says"),
    [
        (2020, "cvae[classes=section-domain]", "unknown section or domain"),
        (2022, "cvae[classes=section-domain]", "the domain of test clips is not told in 2022"),
        (2024, "clvae-ensemble[classes=section-domain]", "the domain of test clips is not told in 2024"),
    ],
)
def test_classes_by_domain_are_a_reason_where_domains_are_not_told(
    tmp_path: Path, year: int, system: str, says: str
) -> None:
    summary = go(tmp_path, system, year)
    assert len(summary.failed) == summary.cells
    assert all(says in reason for *_, reason in summary.failed)
    assert says in markdown.render(tables.build(summary.results))


@pytest.mark.parametrize("year", [2020, 2022])
def test_the_oracle_chooses_by_the_years_auc(tmp_path: Path, year: int) -> None:
    last, oracle = go(tmp_path, "clvae", year, selection="both", epochs=3, data={"evaluation": False}).folders
    best = {machine: entry["epoch"] for machine, entry in oracle.manifest()["machines"].items()}
    assert all(1 <= epoch <= 3 for epoch in best.values())
    for machine in best:
        means = [
            statistics.harmonic_mean([m.auc for cell, m in by_cell(one).items() if cell.machine == machine and m.auc])
            for one in (last, oracle)
        ]
        assert means[1] >= means[0] - 1e-12
    assert "Optimism" in markdown.render(tables.build(oracle.path.parent.parent.parent))


def test_a_data_set_that_changes_its_year_does_not_join_the_folder(tmp_path: Path) -> None:
    (folder,) = go(tmp_path, "mvg", 2022, data={"evaluation": False}).folders
    manifest = folder.manifest()
    assert manifest["dataset"]["year"] == 2022
    folder.write_manifest({**manifest, "dataset": {**manifest["dataset"], "year": 2020}})
    with pytest.raises(ConflictError, match="challenge year: 2020 there, 2022 now"):
        go(tmp_path, "mvg", 2022, data={"evaluation": False})
    again = go(tmp_path, "mvg", 2022, data={"evaluation": False}, replace=True)
    assert again.folders[0].year == 2022
    assert again.failed == []


def test_a_folder_of_an_unknown_year_is_not_believed(tmp_path: Path) -> None:
    (folder,) = go(tmp_path, "mvg", 2022, data={"evaluation": False}).folders
    manifest = folder.manifest()
    folder.write_manifest({**manifest, "dataset": {**manifest["dataset"], "year": 2035}})
    with pytest.raises(DataError, match="damaged or of another format"):
        folder.manifest()


def test_an_export_keeps_to_the_results_year_where_names_differ_in_kind(tmp_path: Path) -> None:
    (folder,) = go(tmp_path, "mvg", 2020, data={"evaluation": False}).folders
    with pytest.raises(UsageError, match="are no submission of 2021"):
        export(folder, tmp_path / "out", YEARS[2021])
    done = export(folder, tmp_path / "out", YEARS[2020])
    assert done.files == 4  # no decisions in 2020
