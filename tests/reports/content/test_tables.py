"""Tables built from real seed folders; the DCASE 2021 layout is imitated with the published scores' cells."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.api import DOMAINS, Cell
from asdbench.errors import DataError, UsageError
from asdbench.metrics.roc import auc, pauc
from asdbench.published import tables as published_tables
from asdbench.reports.content.intervals import coverage
from asdbench.reports.content.reproduction import LEGEND
from asdbench.reports.content.system_table import SystemTable, best, shared_notes
from asdbench.reports.content.tables import build
from asdbench.reports.content.wording import span
from asdbench.reports.text import json_records, markdown, paper
from asdbench.reports.text import tidy_csv as tidy
from asdbench.results.results_folder import seed_folder
from tests.reports.results import machine_entry


def fill(
    results: Path,
    *,
    dataset: str = "dcase2021",
    spec: str = "dcase2021:ROOT",
    system: str = "clvae",
    published: str | None = "narita2021/table-5",
    stamps: tuple[str, ...] = (),
    seed: int = 777,
    cells: list[Cell] | None = None,
    part: str = "dev",
    count: int = 100,
    reasons: dict[str, str] | None = None,
    title: str = "CL-VAE",
    constant: tuple[str, ...] = (),
    epochs: int = 300,
    weights: Any = None,
    data: str = "d",
    deterministic: bool = False,
) -> dict[Cell, tuple[float, float]]:
    """Write a seed folder as a run would; gives AUC and pAUC of each cell."""
    folder = seed_folder(results, dataset, system, seed)
    draws = np.random.default_rng(seed)
    expected: dict[Cell, tuple[float, float]] = {}
    labels, machines = [], dict[str, Any]()
    for cell in cells if cells is not None else [Cell("fan", "00", domain) for domain in DOMAINS]:
        name = f"{cell.section}/{cell.domain}"
        if cell.machine not in machines:
            weights = weights or {"sha256": "ab" * 32, "published": True}
            machines[cell.machine] = machine_entry(
                spec, stamps, epochs=epochs, batch_size=512, weights=weights, data=data
            ) | {
                "formula": {"reconstruction": 1.0},
                "fits": {cell.machine: {"train_clips": 3009, "steps": 1800, "sections": ["00", "01", "02"]}},
                "constant": list(constant),
                "thresholds": {},
            }
        entry = machines[cell.machine]
        entry["cells"][name] = (reasons or {}).get(name)
        clips = [f"section_{cell.section}_{cell.domain}_test_{n:04d}.wav" for n in range(2 * count)]
        truth = np.repeat([0, 1], count)
        labels += [
            [cell.machine, cell.section, cell.domain, clip, part, "anomaly" if one else "normal"]
            for clip, one in zip(clips, truth, strict=True)
        ]
        if entry["cells"][name] is None:
            scores = draws.standard_normal(2 * count) + truth
            folder.files.write_scores(cell, clips, scores)
            entry["files"].update(folder.files.digests([cell]))
            expected[cell] = (100 * auc(truth, scores), 100 * pauc(truth, scores))
    folder.write_labels(labels)
    folder.write_manifest(
        {
            "dataset": {"name": dataset, "spec": spec, "profile": "full"},
            "system": {
                "name": system,
                "spec": system,
                "title": title,
                "published": published,
                "full_epochs": 300,
                "source": "",
                "embedding": "resnet38",
                "deterministic": deterministic,
            },
            "stamps": list(stamps),
            "seed": seed,
            "machines": machines,
        }
    )
    return expected


def one(results: Path) -> SystemTable:
    (table,) = build(results)
    return table


ALL = [Cell(m, s, d) for (m, s), d in itertools.product(published_tables()["narita2021/table-5"].rows, DOMAINS)]


def test_values_are_the_cells_metrics_in_percent(tmp_path: Path) -> None:
    expected = fill(tmp_path)
    (row,) = one(tmp_path).rows
    for cell, (area, partial) in expected.items():
        assert row.ours[cell.domain, "auc"] == pytest.approx(area, abs=1e-12)
        assert row.ours[cell.domain, "pauc"] == pytest.approx(partial, abs=1e-12)


def test_the_published_table_stands_beside_with_the_difference(tmp_path: Path) -> None:
    fill(tmp_path, cells=ALL)
    table = one(tmp_path)
    assert len(table.rows) == 21
    assert table.their_score == pytest.approx(67.83, abs=0.005)  # official score of the published cells
    assert table.theirs["source", "auc"].arithmetic == pytest.approx(77.386, abs=0.001)
    text = markdown.render([table])
    assert "AUC source, published" in text
    line = next(line for line in text.splitlines() if "| fan" in line)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert float(cells[2]) - float(cells[6]) == pytest.approx(float(cells[10].rstrip(" ✗=")), abs=0.011)
    assert "Its printed MEAN row: AUC source 77.39" in text


def test_the_means_and_the_score_are_those_of_the_cells(tmp_path: Path) -> None:
    expected = fill(tmp_path, cells=ALL)
    table = one(tmp_path)
    values = np.array([value for pair in expected.values() for value in pair])
    source = np.array([pair[0] for cell, pair in expected.items() if cell.domain == "source"])
    assert table.ours["source", "auc"].arithmetic == pytest.approx(source.mean())
    assert table.ours["source", "auc"].harmonic == pytest.approx(len(source) / (1 / source).sum())
    assert table.score == pytest.approx(len(values) / (1 / values).sum())
    text = markdown.render([table])
    assert "**Arithmetic mean**" in text
    assert "**Harmonic mean**" in text
    assert f"**Official score: {table.score:.2f}**" in text


def test_published_means_are_over_the_same_cells_only(tmp_path: Path) -> None:
    fill(tmp_path, cells=[Cell("fan", "00", "source"), Cell("fan", "01", "source")])
    table = one(tmp_path)
    cells = published_tables()["narita2021/table-5"].cells
    wanted = (cells["fan", "00", "source", "auc"] + cells["fan", "01", "source", "auc"]) / 2
    assert table.theirs["source", "auc"].arithmetic == pytest.approx(wanted)
    assert ("target", "auc") not in table.theirs
    assert " – |" in markdown.render([table])


def test_table_4_shows_the_printed_mean_and_the_right_one(tmp_path: Path) -> None:
    fill(tmp_path, system="cvae", published="narita2021/table-4", cells=ALL)
    table = one(tmp_path)
    assert table.theirs["source", "auc"].arithmetic == pytest.approx(61.99, abs=0.005)
    assert any("AUC source 61.78" in note for note in table.notes)
    assert any("ToyCar 00 and" in note for note in table.notes)


def test_synthetic_data_is_stamped_and_stands_alone(tmp_path: Path) -> None:
    fill(tmp_path, dataset="toy", spec="toy", stamps=("synthetic data", "untrained network"), cells=ALL)
    text = markdown.render(build(tmp_path))
    assert "SYNTHETIC DATA, UNTRAINED NETWORK" in text
    assert "published values are left out: synthetic data" in text.lower()
    assert "difference" not in text.lower()


def test_a_reduced_budget_is_a_stamp_at_every_table_and_in_every_line(tmp_path: Path) -> None:
    fill(tmp_path, system="ae", epochs=3)
    fill(tmp_path, system="mvg")
    tables = build(tmp_path)
    assert [table.stamps for table in tables] == [("reduced budget: 3 of 300 epochs",), ()]
    page = markdown.render(tables)
    overview, reduced, full = page.split("## ")
    assert "> **REDUCED BUDGET: 3 of 300 epochs.**" in overview
    assert "> **REDUCED BUDGET: 3 of 300 epochs.** Mind this when you compare." in reduced
    assert "REDUCED BUDGET" not in full
    stamps = tidy.frame(tables).groupby("system")["stamps"].agg(set)
    assert dict(stamps) == {"ae": {"reduced budget: 3 of 300 epochs"}, "mvg": {""}}


def test_features_of_any_folder_are_not_taken_for_the_benchmark(tmp_path: Path) -> None:
    fill(tmp_path, dataset="dcase2021", spec="features:dcase2021", cells=ALL)
    table = one(tmp_path)
    assert not table.has_published
    assert any("not known to be it" in note for note in table.notes)


def test_other_clip_counts_are_marked(tmp_path: Path) -> None:
    fill(tmp_path, count=10)
    text = markdown.render(build(tmp_path))
    assert "00 †" in text
    assert "10+10 test clips here, 100+100 in DCASE 2021" in text


def test_what_is_not_scored_is_a_dash_with_its_reason(tmp_path: Path) -> None:
    fill(tmp_path, reasons={"00/target": "section 00 has no training clips"})
    table = one(tmp_path)
    assert ("target", "auc") not in table.rows[0].ours
    assert any("fan 00 target: section 00 has no training clips" in note for note in table.notes)


def test_a_collapsed_model_is_named_in_its_table(tmp_path: Path) -> None:
    fill(tmp_path, constant=("kld",))
    assert "**Collapsed model**" in markdown.render(build(tmp_path))


def test_several_seeds_are_averaged_and_a_cell_that_one_lacks_has_no_value(tmp_path: Path) -> None:
    first = fill(tmp_path, seed=1)
    second = fill(tmp_path, seed=2, reasons={"00/target": "gone"})
    table = one(tmp_path)
    cell = Cell("fan", "00", "source")
    assert table.rows[0].ours["source", "auc"] == pytest.approx((first[cell][0] + second[cell][0]) / 2)
    assert ("target", "auc") not in table.rows[0].ours
    scores = [2 / (1 / seed[cell][0] + 1 / seed[cell][1]) for seed in (first, second)]
    assert table.settings[0].startswith("Mean over 2 seeds: 1, 2. Official score of each: ")
    assert f"{scores[0]:.2f}, {scores[1]:.2f} (mean {np.mean(scores):.2f}" in table.settings[0]
    assert f"standard deviation {np.std(scores, ddof=1):.2f} over seeds" in table.settings[0]
    assert table.score == pytest.approx(np.mean(scores))
    assert any("seed 2: gone" in note for note in table.notes)


@pytest.mark.parametrize("other", [{"epochs": 20}, {"data": "e"}, {"stamps": ("untrained network",)}])
def test_seeds_of_other_settings_data_or_stamps_are_not_averaged(tmp_path: Path, other: dict[str, Any]) -> None:
    fill(tmp_path, seed=1)
    fill(tmp_path, seed=2, **other)
    one, two = build(tmp_path)
    assert one.settings[0] == "Seed 1."
    assert two.settings[0] == "Seed 2."
    budget = (f"reduced budget: {other['epochs']} of 300 epochs",) if "epochs" in other else ()
    assert (one.stamps, two.stamps) == ((), other.get("stamps", budget))


def test_a_budget_below_the_full_one_is_said_loudly(tmp_path: Path) -> None:
    fill(tmp_path, epochs=20)
    assert any(note.startswith("**Reduced budget**: 20 of 300 epochs.") for note in one(tmp_path).notes)
    fill(tmp_path, epochs=300)
    assert any(note.startswith("Budget: 300 epochs, batch 512 (1800 optimizer steps") for note in one(tmp_path).notes)


def test_what_deviates_stands_apart_from_the_settings(tmp_path: Path) -> None:
    fill(tmp_path, epochs=20, stamps=("untrained network",), weights="random")
    table = one(tmp_path)
    assert table.deviations[:2] == [
        "**Reduced budget**: 20 of 300 epochs.",
        "Features: resnet38: random weights, an untrained network.",
    ]
    assert not any("untrained" in note or "Reduced" in note for note in table.settings)
    assert table.notes == [*table.deviations, *table.settings, *table.remarks]


def test_what_all_tables_say_is_said_once(tmp_path: Path) -> None:
    fill(tmp_path, seed=1)
    fill(tmp_path, seed=2, epochs=20)
    found = build(tmp_path)
    shown = markdown.render(found)
    shared = shared_notes(found)
    assert shared
    for note in shared:
        assert shown.count(markdown.remark(note)) == 1
    own = [note for table in found for note in table.notes if note not in shared]
    assert all(markdown.remark(note) in shown for note in own)
    assert shared_notes(found[:1]) == []


def test_each_part_has_its_best_and_its_own_clips(tmp_path: Path) -> None:
    """From 2023 on development and evaluation sections of different machines have the same numbers."""
    for seed, system in enumerate(("clvae", "mvg"), start=1):
        for part, machine in (("dev", "fan"), ("eval", "bearing")):
            cells = [Cell(machine, "00", domain) for domain in DOMAINS]
            fill(tmp_path / part, system=system, seed=seed, cells=cells, part=part, published=None)
        both = [seed_folder(tmp_path / part, "dcase2021", system, seed) for part in ("dev", "eval")]
        first, second = (folder.manifest() for folder in both)
        both[0].write_labels([*both[0].label_rows(), *both[1].label_rows()])
        for file in both[1].path.glob("*.csv"):
            if file.name.startswith(("anomaly", "decision")):
                shutil.copy(file, both[0].path)
        first["machines"] |= second["machines"]
        both[0].write_manifest(first)
    found = build(tmp_path / "dev")
    assert sorted(table.part for table in found) == ["dev", "dev", "eval", "eval"]
    assert sorted(table.part for table in best(found)) == ["dev", "eval"]
    assert all("Test clips scored: 200 normal, 200 anomalous." in table.settings for table in found)


def test_what_is_shared_is_said_of_its_data_set_alone(tmp_path: Path) -> None:
    for dataset, stamps in (("a", ("synthetic data",)), ("b", ())):
        for seed in (1, 2):
            fill(tmp_path, dataset=dataset, system=f"s{seed}", stamps=stamps)
    shown = markdown.render(build(tmp_path))
    first, second = shown.split("# Results on b")
    assert "Of all tables on a:" in first
    assert "Synthetic sound" in first
    assert "Of all tables on b:" in second
    assert "Synthetic sound" not in second


def test_evaluation_sections_have_a_table_of_their_own(tmp_path: Path) -> None:
    folder = seed_folder(tmp_path, "dcase2021", "clvae", 777)
    fill(tmp_path, cells=[Cell("fan", "00", "source"), Cell("fan", "03", "source")])
    folder.write_labels([[*row[:4], "eval" if row[1] == "03" else "dev", row[5]] for row in folder.label_rows()])
    tables = build(tmp_path)
    assert [(table.part, [row.section for row in table.rows]) for table in tables] == [
        ("dev", ["00"]),
        ("eval", ["03"]),
    ]
    assert tables[0].has_published
    assert not tables[1].has_published
    assert "evaluation sections" in markdown.render(tables)


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a|b", "*bold*", "`code`", "line\nbreak", "[x](y)", "# head"]
)
def test_names_from_data_are_text(tmp_path: Path, name: str) -> None:
    fill(tmp_path, dataset="d", spec="features:d", title=name, cells=[Cell("fan", "00", "source")])
    table = one(tmp_path)
    text = markdown.text(name)
    assert "\n" not in text
    plain = text.replace("\\", "")
    assert plain == name.replace("\n", " ")
    assert all(text[i - 1] == "\\" for i, character in enumerate(text) if character in "<>|*`[]#")
    assert text in markdown.render([table])


@pytest.mark.parametrize("name", ["<script>alert(1)", "a|b", "line\nbreak", "[x](y)", "# head", "_low_"])
def test_names_from_data_are_text_in_notes_and_stamps_too(tmp_path: Path, name: str) -> None:
    cells = [Cell(name, "00", "source"), Cell("fan", "00", "source")]
    stamps = (f"features of {name}",)
    fill(tmp_path, dataset="d", spec=f"features:{name}", cells=cells, constant=("kld",), stamps=stamps)
    table = one(tmp_path)
    (note,) = (note for note in table.notes if "Collapsed" in note)
    assert name in note
    said = markdown.remark(note)
    assert "**Collapsed model**" in said
    assert markdown.text(name) in said
    page = markdown.render([table])
    assert f"- {said}\n" in page
    assert name not in page.replace(f"`features:{name}`", "").replace(markdown.text(name), "")
    assert "\nbreak" not in page


def test_collapsed_models_are_marked_wherever_their_numbers_stand(tmp_path: Path) -> None:
    fill(tmp_path, constant=("kld",))
    fill(tmp_path, system="mvg", published=None)
    tables = build(tmp_path)
    shown = markdown.render(tables)
    assert "| clvae ‡ " in shown
    assert "| mvg " in shown
    assert "| fan ‡ " in shown
    assert "‡ with collapsed models" in shown
    assert "‡ **Collapsed model**: components constant over each section's clips: fan: kld." in shown
    frame = tidy.frame(tables)
    assert set(frame[frame.system == "clvae"].collapsed) == {"yes"}
    assert set(frame[frame.system == "mvg"].collapsed) == {""}
    assert "‡" not in markdown.render([table for table in tables if table.system == "mvg"])


def test_how_often_intervals_hold_the_truth_is_said_where_it_is_not_95_percent(tmp_path: Path) -> None:
    fill(tmp_path)
    fill(tmp_path, system="few", published=None, count=10)
    few, many = sorted(build(tmp_path), key=lambda table: table.system != "few")
    assert any("96 to 100 at 10 + 10" in note for note in few.notes)
    assert not any("hold the truth" in note for note in many.notes)
    assert coverage(100, 96.0)


def test_the_tidy_table_has_a_line_a_value(tmp_path: Path) -> None:
    expected = fill(tmp_path, cells=ALL)
    frame = tidy.frame(build(tmp_path))
    cells = frame[frame.statistic == "cell"]
    assert len(cells) == 84
    chosen = frame[
        (frame.machine == "fan") & (frame.section == "01") & (frame.domain == "target") & (frame.metric == "auc")
    ]
    assert chosen.value.item() == pytest.approx(expected[Cell("fan", "01", "target")][0] / 100)
    published = published_tables()["narita2021/table-5"].cells["fan", "01", "target", "auc"]
    assert chosen.published.item() == pytest.approx(published / 100, rel=1e-12)


def test_the_tidy_table_has_intervals_clips_means_and_official_score(tmp_path: Path) -> None:
    for seed in (1, 2):
        fill(tmp_path, seed=seed, cells=ALL[:4], count=30)
    table = one(tmp_path)
    frame = tidy.frame([table])
    assert list(frame.columns[:13]) == [
        *("format", "dataset", "system", "part", "stamps", "collapsed", "machine", "section", "domain", "metric"),
        *("value", "published", "verdict"),
    ]
    assert set(frame.seeds) == {"1; 2"}
    lines = {
        (line["statistic"], line["machine"], line["section"], line["domain"], line["metric"]): line
        for line in frame.to_dict("records")
    }
    assert len(lines) == len(frame)
    for row in table.rows:
        for column, bounds in row.bounds.items():
            line = lines["cell", row.machine, row.section, *column]
            assert (100 * line["low"], 100 * line["high"]) == pytest.approx(bounds)
            assert (line["n_normal"], line["n_anomaly"]) == (30, 30)
    for column, mean in table.ours.items():
        line = lines["harmonic mean", "", "", *column]
        assert 100 * line["value"] == pytest.approx(mean.harmonic)
        assert (100 * line["low"], 100 * line["high"]) == pytest.approx(table.harmonic_bounds[column])
        assert 100 * line["published"] == pytest.approx(table.theirs[column].harmonic)
    assert 100 * lines["arithmetic mean", "", "", "", "auc"]["value"] == pytest.approx(table.overall["auc"])
    theirs = [value for row in table.rows for (_, metric), value in row.published.items() if metric == "auc"]
    assert 100 * lines["arithmetic mean", "", "", "", "auc"]["published"] == pytest.approx(np.mean(theirs))
    score = lines["harmonic mean", "", "", "", "official_score"]
    assert (100 * score["low"], 100 * score["high"]) == pytest.approx(table.score_bounds)
    assert (100 * score["value"], 100 * score["published"]) == pytest.approx((table.score, table.their_score))
    assert 100 * score["sd_over_seeds"] == pytest.approx(np.std(np.array(table.seed_scores, dtype=float), ddof=1))


def shift(results: Path, cells: list[Cell], system: str = "clvae") -> dict[tuple[str, str, str, str], float]:
    """The metrics of a filled folder, percent, as a table's cells."""
    (table,) = [table for table in build(results) if table.system == system]
    return {
        (row.machine, row.section, *column): value
        for row in table.rows
        for column, value in row.ours.items()
        if Cell(row.machine, row.section, column[0]) in cells
    }


def published_as(monkeypatch: pytest.MonkeyPatch, cells: dict[Any, float]) -> None:
    from asdbench.judging import beside_published as comparison

    table = replace(published_tables()["narita2021/table-5"], cells=cells)
    monkeypatch.setattr(comparison, "tables", lambda: {"narita2021/table-5": table})


def test_each_value_of_a_deterministic_system_is_equal_to_rounding_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [Cell("fan", "00", domain) for domain in DOMAINS]
    fill(tmp_path, cells=[*chosen, Cell("fan", "01", "source")], deterministic=True)
    ours = shift(tmp_path, chosen)
    theirs = {place: round(value, 2) for place, value in ours.items()}
    theirs["fan", "00", "target", "auc"] += 0.02
    theirs["fan", "00", "target", "pauc"] -= 0.02
    published_as(monkeypatch, theirs)
    table = one(tmp_path)
    assert table.rows[0].verdicts == {
        ("source", "auc"): "reproduced",
        ("source", "pauc"): "reproduced",
        ("target", "auc"): "not reproduced",
        ("target", "pauc"): "not reproduced",
    }
    assert table.rows[1].verdicts == {}
    assert "; 2 not published. The published values are of 1 training" in table.verdict
    text = markdown.render([table])
    assert f"**Against the published values:** {table.verdict}." in text
    assert text.count(" ✗ |") == 2 + 2 + 2  # cells, and of target arithmetic and harmonic means of that one cell
    assert text.count(LEGEND) == 1
    frame = tidy.frame([table]).query("statistic == 'cell'")
    assert list(frame.verdict) == ["reproduced", "not reproduced", "reproduced", "not reproduced", "", ""]


def test_of_one_training_nothing_is_reproduced_or_not(tmp_path: Path) -> None:
    fill(tmp_path)
    table = one(tmp_path)
    assert set(table.rows[0].verdicts.values()) == {"cannot be told"}
    assert table.verdict.startswith("one training of ours: cannot be told; mean difference ")
    text = markdown.render([table])
    assert "✗ |" not in text
    assert "✓ |" not in text
    assert ", cannot be told · 95 % interval" in text


def test_of_several_seeds_means_are_judged_by_one_more_training(tmp_path: Path) -> None:
    cells = [Cell(machine, "00", domain) for machine in ("fan", "valve") for domain in DOMAINS]
    for seed in (1, 2, 3):
        fill(tmp_path, seed=seed, cells=cells)
    table = one(tmp_path)
    found = table.beside("official")
    assert found is not None
    assert table.score == pytest.approx(100 * found.ours)
    assert table.their_score == pytest.approx(100 * found.published)
    assert found.low is not None
    assert found.high is not None
    assert table.verdict.startswith("of 2 machines (official score; 3 trainings of ours) ")
    lines = {
        line["machine"]: line for line in tidy.frame([table]).to_dict("records") if line["metric"].endswith("_score")
    }
    assert (lines[""]["again_low"], lines[""]["again_high"]) == pytest.approx((found.low, found.high))
    assert lines[""]["verdict"] == found.outcome
    for machine, own in (table.reproductions.machines if table.reproductions else {}).items():
        seen = lines[machine]
        assert (seen["statistic"], seen["n_cells"], seen["of_cells"]) == ("machine mean", 2, 2)
        assert (seen["value"], seen["published"]) == pytest.approx((own["official"].ours, own["official"].published))
        assert seen["verdict"] == own["official"].outcome
    records = json.loads(json_records.render([table]))
    assert [one["seed"] for one in records] == [1, 2, 3]
    for record in records:
        own_record = record["reproduction"]
        assert own_record["table"] == "narita2021/table-5"
        assert own_record["overall"]["official"]["low"] == pytest.approx(found.low)
        assert own_record["machines"]["fan"]["auc"]["outcome"] in ("reproduced", "not reproduced", "cannot be told")
    text = markdown.render([table])
    assert f"{100 * found.low:.1f} to {100 * found.high:.1f}" in next(
        line for line in text.splitlines() if line.startswith("| All ")
    )
    source = paper.render([table])
    assert "beside Table 5" in source
    assert "one more training" in source


def test_values_of_other_clips_are_counted_in_the_line(tmp_path: Path) -> None:
    fill(tmp_path, count=10)
    assert one(tmp_path).verdict.partition(". The published")[0].endswith("; 4 of the 4 of other clips")


def test_without_published_values_there_is_no_verdict(tmp_path: Path) -> None:
    fill(tmp_path, dataset="toy", spec="toy", stamps=("synthetic data",))
    table = one(tmp_path)
    assert table.verdict == ""
    assert table.rows[0].verdicts == {}
    assert "Against" not in markdown.render([table])
    fill(tmp_path / "eval", cells=[Cell("fan", "03", "source")])
    assert one(tmp_path / "eval").verdict == ""


def test_the_optimism_of_the_oracle_is_over_the_same_settings_and_seeds(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        fill(tmp_path, seed=seed)
    other = {4: 0, 5: 0}
    for seed in other:  # other scores: the oracle's epoch
        fill(tmp_path, seed=seed, system="clvae@oracle", stamps=("epoch chosen on the test labels",))
        folder = seed_folder(tmp_path, "dcase2021", "clvae@oracle", seed)
        folder.path.rename(folder.path.with_name(f"seed-{seed - 3}"))
    last = [fill(tmp_path / "last", seed=seed) for seed in (1, 2)]
    oracle = [fill(tmp_path / "oracle", seed=seed) for seed in other]
    before, after = one(tmp_path / "last").score, one(tmp_path / "oracle").score
    assert before is not None
    assert after is not None
    gain = np.mean([pair[0] for seed in oracle for pair in seed.values()])
    gain -= np.mean([pair[0] for seed in last for pair in seed.values()])
    plain, chosen = build(tmp_path)
    assert chosen.system == "clvae@oracle"
    assert chosen.notes[0] == (
        f"Optimism of selecting the epoch on the test set: official score {after - before:+.2f}"
        f" (from {before:.2f} to {after:.2f}), mean AUC {gain:+.2f}."
    )
    assert f"- {chosen.notes[0]}" in markdown.render([chosen])
    assert not any("Optimism" in note for note in plain.notes)


def test_what_the_choice_is_worth_is_measured_on_the_other_half_and_on_the_evaluation_sections(tmp_path: Path) -> None:
    cells = [Cell("fan", "00", domain) for domain in DOMAINS]
    halves = [
        {
            "epoch": epoch,
            "cells": {
                "00/source": {"chosen": {"auc": 0.6, "pauc": 0.5}, "last": {"auc": 0.7, "pauc": 0.5}},
                "00/target": {"chosen": {"auc": last, "pauc": 0.5}, "last": {"auc": 0.5, "pauc": 0.5}},
                "01/target": {"chosen": {"auc": 1.0, "pauc": 1.0}, "last": {"auc": 0.1, "pauc": 0.1}},  # not asked for
            },
        }
        for epoch, last in ((3, 0.5), (7, 0.55))
    ]
    for system in ("clvae", "clvae@oracle", "clvae@oracle-pauc"):
        fill(tmp_path, system=system, cells=cells)
    folder = seed_folder(tmp_path, "dcase2021", "clvae@oracle", 777)
    manifest = folder.manifest()
    manifest["machines"]["fan"]["halves"] = halves
    folder.write_manifest(manifest)
    plain, chosen, without = build(tmp_path)
    official = [4 / (2 / 0.5 + 1 / 0.6 + 1 / last) - 4 / (2 / 0.5 + 1 / 0.7 + 1 / 0.5) for last in (0.5, 0.55)]
    assert chosen.notes[1] == (
        "Chosen on one half of the test clips and measured on the other, both ways: official score"
        f" {100 * np.mean(official):+.2f}, mean AUC {100 * np.mean([-0.05, -0.025]):+.2f}."
    )
    assert without.oracle
    assert "both ways: not stated" in without.notes[1]
    assert not any("both ways" in note for note in plain.notes)
    for system in ("clvae", "clvae@oracle"):
        fill(tmp_path / "eval", system=system, cells=cells, part="eval")
    _, evaluated = build(tmp_path / "eval")
    assert evaluated.notes[0].startswith(
        "What the epoch chosen on the development test clips gains on the evaluation sections: official score +0.00"
    )
    assert not any("both ways" in note or "Optimism" in note for note in evaluated.notes)


@pytest.mark.parametrize("other", [{"seed": 1}, {"epochs": 20}, {"data": "e"}])
def test_there_is_no_optimism_against_other_seeds_settings_or_data(tmp_path: Path, other: dict[str, Any]) -> None:
    fill(tmp_path, **other)
    fill(tmp_path, system="clvae@oracle", stamps=("epoch chosen on the test labels",))
    assert not any("Optimism" in note for table in build(tmp_path) for note in table.notes)


def test_optimism_over_other_cells_is_not_stated_as_a_number(tmp_path: Path) -> None:
    fill(tmp_path, reasons={"00/target": "gone"})
    fill(tmp_path, system="clvae@oracle", stamps=("epoch chosen on the test labels",))
    (_, chosen) = build(tmp_path)
    assert chosen.notes[0].startswith("Optimism of selecting the epoch on the test set: not stated")


def test_no_results_and_an_unknown_data_set_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no results"):
        build(tmp_path)
    fill(tmp_path, dataset="toy")
    with pytest.raises(UsageError, match="did you mean 'toy'"):
        build(tmp_path, "tyo")


@pytest.mark.parametrize("kind", ["cut", "edited", "decisions"])
def test_files_that_are_not_those_that_were_written_are_not_believed(tmp_path: Path, kind: str) -> None:
    fill(tmp_path)
    folder = seed_folder(tmp_path, "dcase2021", "clvae", 777)
    cell = Cell("fan", "00", "source")
    clips, scores = folder.files.scores(cell)
    if kind == "cut":
        folder.files.write_scores(cell, clips[:150], scores[:150])
    elif kind == "edited":
        folder.files.write_scores(cell, clips, np.where(np.arange(len(scores)) == 0, 999, scores))
    else:
        folder.files.write_decisions(cell, clips, [1] * len(clips))
    table = one(tmp_path)
    assert ("source", "auc") not in table.rows[0].ours
    assert ("target", "auc") in table.rows[0].ours
    assert any("fan 00 source: its score or decision file is not the one that was written" in n for n in table.notes)


def test_a_cell_without_a_value_has_its_line_in_the_tidy_table(tmp_path: Path) -> None:
    fill(tmp_path, reasons={"00/target": "gone"})
    frame = tidy.frame(build(tmp_path)).query("statistic == 'cell'")
    assert len(frame) == 4
    assert frame[frame.domain == "target"].value.isna().all()


def test_an_unknown_label_in_the_results_is_refused(tmp_path: Path) -> None:
    fill(tmp_path)
    folder = seed_folder(tmp_path, "dcase2021", "clvae", 777)
    folder.write_labels([[*row[:5], row[5].capitalize()] for row in folder.label_rows()])
    with pytest.raises(DataError, match="Normal"):
        build(tmp_path)


def test_means_over_cells_of_few_clips_say_why_they_have_no_interval(tmp_path: Path) -> None:
    fill(tmp_path / "few", cells=TWO, count=9)
    fill(tmp_path / "many", cells=TWO, count=30)
    few, many = one(tmp_path / "few"), one(tmp_path / "many")
    assert (
        "No 95 % interval of the official score: 9 clips of a class in a cell, and an interval needs 10." in few.notes
    )
    assert few.score_bounds is None
    assert few.harmonic_bounds.keys() == {("source", "auc")}
    assert few.arithmetic_bounds.keys() == many.harmonic_bounds.keys() == many.ours.keys()
    assert all(row.bounds.keys() == row.ours.keys() for row in few.rows)
    assert not any("No 95 % interval" in note for note in many.notes)


TWO = [Cell("fan", section, "source") for section in ("00", "01")]


@pytest.mark.parametrize("count", [2, 3, 100])
@pytest.mark.parametrize("seeds", [1, 3])
def test_a_mean_over_one_cell_is_that_cell(tmp_path: Path, count: int, seeds: int) -> None:
    for seed in range(seeds):
        fill(tmp_path, cells=[Cell("fan", "00", "source")], count=count, seed=seed)
    table = one(tmp_path)
    cell = table.rows[0].bounds
    assert cell.keys() == {("source", "auc"), ("source", "pauc")}
    assert table.arithmetic_bounds == table.harmonic_bounds == cell
    assert table.overall_bounds == {metric: cell["source", metric] for metric in ("auc", "pauc")}
    for column, mean in table.ours.items():
        assert mean.arithmetic == mean.harmonic == pytest.approx(table.rows[0].ours[column], abs=1e-9)


def test_intervals_of_several_seeds_are_over_trainings_and_clips(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        fill(tmp_path / "all", seed=seed)
    fill(tmp_path / "one", seed=1)
    several, single = one(tmp_path / "all"), one(tmp_path / "one")
    assert several.interval_of == "over 3 trainings and clips"
    assert single.interval_of == "over clips, one training"
    for table, said in ((several, "are over 3 trainings and the clips"), (single, "over clips, of this one training")):
        assert sum(said in note for note in table.notes) == 1
        assert f"95 % interval {span(table.score_bounds)} {table.interval_of}" in markdown.render([table])
    low, high = several.score_bounds or (0.0, 0.0)
    scores = [score for score in several.seed_scores if score is not None]
    # the spread of three trainings alone, with Student's t of two degrees of freedom
    assert (high - low) / 2 > 4.303 * np.std(scores, ddof=1) / np.sqrt(3)


def test_a_deterministic_system_needs_no_second_training(tmp_path: Path) -> None:
    fill(tmp_path, seed=1)
    folder = seed_folder(tmp_path, "dcase2021", "clvae", 1)
    manifest = folder.manifest()
    alone = one(tmp_path)
    folder.write_manifest({**manifest, "system": {**manifest["system"], "deterministic": True}})
    table = one(tmp_path)
    assert table.interval_of == "over clips, deterministic"
    assert table.score_bounds == alone.score_bounds


def test_a_cell_that_a_seed_lacks_leaves_the_intervals_of_the_others(tmp_path: Path) -> None:
    cells = [Cell("fan", section, domain) for section in ("00", "01") for domain in DOMAINS]
    for seed in (1, 2):
        fill(tmp_path / "same", cells=cells[:2], seed=seed)
    fill(tmp_path / "more", cells=cells, seed=1)
    fill(tmp_path / "more", cells=cells, seed=2, reasons={"01/source": "gone", "01/target": "gone"})
    table, same = one(tmp_path / "more"), one(tmp_path / "same")
    assert {mean.count for mean in table.ours.values()} == {1}
    assert table.score_bounds == same.score_bounds is not None
    assert table.arithmetic_bounds == same.arithmetic_bounds


def test_where_clips_hang_together_the_table_says_so_and_intervals_are_wider(tmp_path: Path) -> None:
    fill(tmp_path, cells=TWO)
    folder = seed_folder(tmp_path, "dcase2021", "clvae", 777)
    manifest = folder.manifest()
    noise = np.random.default_rng(1)
    alone = {}
    for hanging in (False, True):
        for cell in TWO:
            clips, scores = folder.files.scores(cell)
            half = len(scores) // 2  # normal clips come first
            drift = np.repeat(noise.standard_normal(half // 10), 10) + 0.2 * noise.standard_normal(half)
            scores[:half] = drift if hanging else noise.permutation(drift)
            folder.files.write_scores(cell, clips, scores)
            manifest["machines"]["fan"]["files"].update(folder.files.digests([cell]))
        folder.write_manifest(manifest)
        table = one(tmp_path)
        said = [note for note in table.notes if note.startswith("Clips that hang together")]
        assert bool(said) is hanging
        low, high = table.overall_bounds["auc"]
        alone[hanging] = high - low
    assert "fan, normal clips (0." in said[0]
    assert "they draw such clips in blocks of neighbours, and are wider" in said[0]
    assert alone[True] > 1.5 * alone[False]
