"""Two systems' seed folders set beside one another: what is paired, what is refused, what is concluded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.api import DOMAINS, Cell
from asdbench.errors import DataError
from asdbench.judging.pairing import Comparison, Pair, compare
from asdbench.metrics.aggregate import official_score
from asdbench.metrics.intervals import Interval
from asdbench.metrics.paired import Difference, delong
from asdbench.reports.text.comparison import conclusion, render, row
from asdbench.reports.text.markdown import NOT_THERE
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
                "key": {"parameters": {"epochs": epochs}, "data": job or data, "unit": cell.machine, "seed": seed},
                **({} if job is None else {"clips": data}),
                "formula": {"distance": 1.0},
                "fits": {},
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
    system_entry = {"name": system, "title": system, "full_epochs": 300}
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


def sentence(comparison: Comparison) -> str:
    (part,) = comparison.parts
    return conclusion(comparison, part)


def test_values_and_differences_are_those_of_the_score_files(tmp_path: Path) -> None:
    a, b = write(tmp_path, "a", 1.5), write(tmp_path, "b", 1.0)
    (part,) = compare([a], [b]).parts
    plain = [{metrics.cell: metrics for metrics in evaluate(folder)} for folder in (a, b)]
    assert [one.cell for one in part.cells] == sorted(CELLS)
    for one in part.cells:
        first, second = plain[0][one.cell], plain[1][one.cell]
        assert (one.auc.a, one.auc.b) == pytest.approx((first.auc, second.auc), abs=1e-12)
        assert (one.pauc.a, one.pauc.b) == pytest.approx((first.pauc, second.pauc), abs=1e-12)
        assert one.auc.difference == delong(
            np.repeat([0, 1], 40), a.files.scores(one.cell)[1], b.files.scores(one.cell)[1]
        )
        assert one.pauc.difference.estimate == pytest.approx(one.pauc.a - one.pauc.b, abs=1e-12)
    scores = [official_score(v for m in seed.values() for v in (m.auc, m.pauc) if v is not None) for seed in plain]
    assert (part.official.a, part.official.b) == pytest.approx(scores, abs=1e-12)
    assert part.official.difference.estimate == pytest.approx(scores[0] - scores[1], abs=1e-12)
    source = [metrics.auc for cell, metrics in plain[0].items() if cell.domain == "source" and metrics.auc is not None]
    assert part.means["source", "auc"].a == pytest.approx(np.mean(source), abs=1e-12)
    won = sum((one.auc.a > one.auc.b) for one in part.cells)
    assert part.balance == (won, 8 - won, 0)


def test_the_other_way_round_everything_changes_its_sign(tmp_path: Path) -> None:
    a, b = write(tmp_path, "a", 1.5), write(tmp_path, "b", 1.0)
    (there,), (back,) = compare([a], [b]).parts, compare([b], [a]).parts
    one, two = there.official.difference, back.official.difference
    assert one.interval is not None
    assert two.interval is not None
    found = (two.estimate, two.interval.low, two.interval.high, two.p)
    assert found == pytest.approx((-one.estimate, -one.interval.high, -one.interval.low, one.p), abs=1e-12)
    assert there.balance[:2] == back.balance[1::-1]


def test_rows_are_matched_by_clip_and_not_by_position(tmp_path: Path) -> None:
    a, b = write(tmp_path, "a"), write(tmp_path, "b", 1.5)
    turned = write(tmp_path / "turned", "b", 1.5, turn=True)
    one, two = compare([a], [b]), compare([a], [turned])
    assert one.parts == two.parts


def test_a_clear_difference_is_said_from_the_better_systems_side(tmp_path: Path) -> None:
    a, b = write(tmp_path, "weak", 0.5), write(tmp_path, "strong", 2.5)
    said = sentence(compare([a], [b]))
    assert said.startswith("On small (seed 777), strong scores ")
    assert "winning 8 of 8 AUC cells; the interval speaks of the clips" in said
    found = re.search(
        r"scores ([\d.]+) points higher than weak in the official score \(95 % interval ([\d.]+) to ([\d.]+)\)", said
    )
    assert found
    points, low, high = map(float, found.groups())
    assert 0 < low < points < high
    assert sentence(compare([b], [a])) == said


def test_where_the_interval_holds_0_no_difference_is_claimed(tmp_path: Path) -> None:
    a, b = write(tmp_path, "a"), write(tmp_path, "b")
    said = sentence(compare([a], [b]))
    assert "no difference can be told between a and b" in said
    assert "higher" not in said
    same = write(tmp_path / "again", "a")
    said = sentence(compare([a], [same], ("a here", "a there")))
    assert "no difference can be told between a here and a there: +0.0 points" in said
    assert "a here winning 0 of 8 AUC cells, 8 tied" in said


def test_equal_systems_are_never_told_apart_also_where_a_cell_falls_to_0(tmp_path: Path) -> None:
    a, b = write(tmp_path, "a", -1.0, count=5), write(tmp_path / "again", "a", -1.0, count=5)
    found = compare([a], [b], ("a", "twin"))
    assert found.parts[0].falls
    assert "no difference can be told between a and twin: +0.0 points" in sentence(found)


def test_without_any_interval_the_higher_one_is_still_named(tmp_path: Path) -> None:
    """One ranks all clips rightly, the other all of them wrongly, whatever the clips."""
    good, bad = write(tmp_path, "good", 99.0), write(tmp_path, "bad", -99.0)
    said = sentence(compare([bad], [good]))
    assert "good scores 100.0 points higher than bad in the official score (no 95 % interval can be given)" in said
    assert "by the mean AUC good is 100.0 points higher (no 95 % interval can be given)" in said
    assert "the interval speaks" not in said


def test_differences_of_few_clips_have_intervals_where_single_values_have(tmp_path: Path) -> None:
    for count, official, partial in ((4, False, False), (12, True, False), (20, True, True)):
        a, b = write(tmp_path / f"{count}", "a", 1.0, count=count), write(tmp_path / f"{count}", "b", 1.5, count=count)
        (part,) = compare([a], [b]).parts
        assert (part.official.difference.interval is not None) == official
        assert (part.means["", "pauc"].difference.interval is not None) == partial
        assert f"{NOT_THERE}: means of pAUC" in render(compare([a], [b])) or partial


def test_a_cell_that_may_fall_to_0_hides_nothing_in_the_conclusion(tmp_path: Path) -> None:
    """A harmonic mean is 0 where one AUC is; the mean AUC still tells, and the sentence says both."""
    a, b = write(tmp_path, "a", 3.0, count=20), write(tmp_path, "b", 0.5, count=20)
    fallen = np.r_[np.zeros(20), np.full(17, -1.0), np.ones(3)]  # three anomalies alone lie above the normal clips
    a.files.write_scores(CELLS[0], a.files.scores(CELLS[0])[0], fallen)
    manifest = a.manifest()
    manifest["machines"]["fan"]["files"].update(a.files.digests([CELLS[0]]))
    a.write_manifest(manifest)
    found = compare([a], [b])
    assert found.parts[0].falling == (CELLS[0],)
    said = sentence(found)
    official = found.parts[0].official.difference
    assert (official.interval, official.p) == (None, None)
    assert re.search(
        r"a scores [\d.]+ points higher than b in the official score \(no 95 % interval can be given\)", said
    )
    assert re.search(r"by the mean AUC a is [\d.]+ points higher \(95 % interval [\d.]+ to [\d.]+\)", said)
    assert "the AUC of fan 00 source is 0 in some resamples" in render(found)
    assert "neither interval nor p" in render(found)
    turned = sentence(compare([b], [a]))
    assert turned == said
    assert "cells of 20 clips a class" in render(found)


def test_seeds_are_paired_and_their_spread_is_shown_apart(tmp_path: Path) -> None:
    a = [write(tmp_path, "a", 1.5, seed=seed) for seed in (1, 2, 3)]
    b = [write(tmp_path, "b", 1.0, seed=seed) for seed in (2, 3, 4)]
    both = compare(a, b)
    assert (both.seeds, both.a.only_seeds, both.b.only_seeds) == ((2, 3), (1,), (4,))
    alone = [compare([a[n + 1]], [b[n]]).parts[0] for n in range(2)]
    (part,) = both.parts
    assert part.official.per_seed == pytest.approx([one.official.difference.estimate for one in alone], abs=1e-12)
    assert part.official.difference.estimate == pytest.approx(np.mean(part.official.per_seed), abs=1e-12)
    assert part.official.spread == pytest.approx(np.std(part.official.per_seed, ddof=1), abs=1e-12)
    said = sentence(both)
    assert "(seeds 2, 3)" in said
    assert "the official score differs in that direction in 2 of 2 seeds (standard deviation" in said
    text = render(both)
    assert "sd over seeds" in text
    assert "seeds of a alone: 1" in text
    assert "seeds of b alone: 4" in text
    assert "sd over seeds" not in render(compare(a[:2], b[:1]))


def test_a_spread_over_seeds_widens_no_interval(tmp_path: Path) -> None:
    """Seeds whose trainings differ much: the interval is of the mean over them, for clips alone."""
    a = [write(tmp_path, "a", merit, seed=seed) for seed, merit in ((1, 0.2), (2, 2.5))]
    b = [write(tmp_path, "b", 1.0, seed=seed) for seed in (1, 2)]
    official = compare(a, b).parts[0].official
    assert official.spread is not None
    assert official.difference.error is not None
    assert official.spread > 3 * official.difference.error
    assert official.agreeing == 1


def test_seeds_made_otherwise_are_not_averaged(tmp_path: Path) -> None:
    a = [write(tmp_path, "a", seed=1), write(tmp_path, "a", seed=2, epochs=20)]
    b = [write(tmp_path, "b", seed=seed) for seed in (1, 2)]
    with pytest.raises(DataError, match=r"seeds of a were not made alike.*epochs: 300 there, 20 now"):
        compare(a, b)
    assert compare(a[1:], b).a.budget == "20 of 300 epochs"


def test_other_data_are_refused_and_the_machines_named(tmp_path: Path) -> None:
    a = write(tmp_path, "a")
    with pytest.raises(DataError, match="the clips of fan, pump have another fingerprint in a than in b"):
        compare([a], [write(tmp_path, "b", data="e")])
    with pytest.raises(DataError, match="labels are not the same"):
        compare([a], [write(tmp_path, "d", label=("anomaly", "normal"))])


def test_a_system_trained_on_all_machines_at_once_is_held_to_its_machines_clips(tmp_path: Path) -> None:
    a = write(tmp_path, "a")
    assert compare([a], [write(tmp_path, "b", job="all")]).parts[0].cells
    with pytest.raises(DataError, match="the clips of fan, pump have another fingerprint"):
        compare([a], [write(tmp_path, "c", data="e", job="d")])


def test_no_common_seed_or_cell_is_an_error(tmp_path: Path) -> None:
    a = write(tmp_path, "a", cells=CELLS[:2])
    with pytest.raises(DataError, match="no seed that both have; a: 777; b: 1"):
        compare([a], [write(tmp_path, "b", seed=1)])
    with pytest.raises(DataError, match="no cell that both have"):
        compare([a], [write(tmp_path, "c", cells=CELLS[2:])])


def test_cells_that_one_lacks_are_named_and_left_out(tmp_path: Path) -> None:
    a, b = write(tmp_path, "a", unscored=CELLS[:1]), write(tmp_path, "b", cells=CELLS[:6])
    found = compare([a], [b])
    assert [one.cell for one in found.parts[0].cells] == CELLS[1:6]
    assert found.left_out == {"a: it broke": tuple(CELLS[:1]), "only a has them": tuple(CELLS[6:])}
    assert "pump 01 source, pump 01 target: only a has them" in render(found)
    (b.path / "anomaly_score_fan_section_01_source_test.csv").write_text("x.wav,1.0\n")
    assert any("not the one that was written" in reason for reason in compare([a], [b]).left_out)


def test_collapsed_models_stand_in_the_conclusion(tmp_path: Path) -> None:
    a, b = write(tmp_path, "a", constant=["fan"]), write(tmp_path, "b")
    said = sentence(compare([a], [b]))
    assert "a has a collapsed component in 1 of 2 machines" in said
    assert "b has a collapsed" not in said
    more = [a, write(tmp_path, "a", seed=1, constant=["fan", "pump"])]
    both = compare(more, [b, write(tmp_path, "b", seed=1)])
    assert "a has a collapsed component in 3 of 4 trainings" in sentence(both)
    assert "fan (seed 1), pump (seed 1), fan (seed 777)" in render(both)


def test_stamps_come_first_and_those_of_one_system_carry_its_name(tmp_path: Path) -> None:
    a = write(tmp_path, "a@oracle", stamps=["synthetic data", "epoch chosen on the test labels"])
    found = compare([a], [write(tmp_path, "b", stamps=["synthetic data"])])
    assert "(synthetic data, a@oracle: epoch chosen on the test labels; seed 777)" in sentence(found)
    stamp, conclusion_line = render(found).split("\n\n")[1:3]
    assert stamp.startswith(
        "> **SYNTHETIC DATA; A@ORACLE: EPOCH CHOSEN ON THE TEST LABELS.** These numbers are no result"
    )
    assert conclusion_line.startswith("**On small")


def test_development_and_evaluation_sections_are_never_mixed(tmp_path: Path) -> None:
    for system, merit in (("a", 1.5), ("b", 1.0)):
        write(tmp_path, system, merit)
        folder = seed_folder(tmp_path, "small", system, 777)
        rows = [[*row[:4], "eval" if row[1] == "01" else "dev", row[5]] for row in folder.label_rows()]
        folder.write_labels(rows)
    found = compare([seed_folder(tmp_path, "small", "a", 777)], [seed_folder(tmp_path, "small", "b", 777)])
    assert [(part.part, {one.cell.section for one in part.cells}) for part in found.parts] == [
        ("dev", {"00"}),
        ("eval", {"01"}),
    ]
    assert "On small, evaluation sections (seed 777)" in render(found)


def test_every_cell_is_a_row_of_the_table(tmp_path: Path) -> None:
    found = compare([write(tmp_path, "a", 1.5)], [write(tmp_path, "b")])
    lines = [
        [part.strip() for part in line.strip("|").split("|")] for line in render(found).splitlines() if "|" in line
    ]
    rows = {tuple(line[:3]): line[3:] for line in lines if len(line) == 13}
    for one in found.parts[0].cells:
        row = rows[one.cell.machine, one.cell.section, one.cell.domain]
        assert [float(value) for value in row[:3]] == pytest.approx(
            [100 * one.auc.a, 100 * one.auc.b, 100 * one.auc.difference.estimate], abs=0.0051
        )
        assert float(row[5]) == pytest.approx(100 * one.pauc.a, abs=0.0051)
        interval = one.auc.difference.interval
        assert interval is not None
        assert row[3] == f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def test_nothing_is_less_than_nothing() -> None:
    tiny = Difference(-1e-6, 1e-4, Interval(-1e-6, -1e-5, 1e-5), 0.9)
    assert row(Pair(0.5, 0.5, tiny, (-1e-6,)))[2:4] == ["+0.00", "0.0 to 0.0"]
