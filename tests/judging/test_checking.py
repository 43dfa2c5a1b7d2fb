"""The rules of a check: scores clip by clip, metrics over the seeds, nothing missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asdbench.api import Cell
from asdbench.judging.checking import Verdict, check
from asdbench.judging.expected import Expected, Found
from asdbench.results.seed_folder import Truth

CELL = Cell("fan", "00", "source")


def made(
    score: float = 1.0,
    *,
    trained: bool = False,
    torch: str = "2.13.0",
    data: str = "d",
    clips: int = 2,
    seed: int = 777,
) -> Found:
    about = {"trained": trained, "environment": {"torch": torch, "threads": 1}, "data": {"fan": data}}
    scores = {("mvg", seed): {CELL: {f"clip_{n}": score + n for n in range(clips)}}}
    return Found({"format": 1, "systems": {f"mvg/seed-{seed}": about}}, scores)


def test_equal_scores_pass_and_say_how_many_were_compared() -> None:
    verdict = check(made(), made())
    assert (verdict.exit_code, verdict.compared) == (0, 2)
    assert verdict.rules == ["mvg: rule 1, scores clip by clip (computed without training)"]


@pytest.mark.parametrize("score", [1.001, -1.0, float("nan"), float("inf")])
def test_a_score_that_moved_is_a_regression(score: float) -> None:
    verdict = check(made(score), made())
    assert verdict.exit_code == 3
    assert "fan 00 source: 2 of 2 scores moved" in verdict.regressions[0]
    assert "1 expected" in verdict.regressions[0]


def test_a_score_may_move_by_one_ten_thousandth() -> None:
    assert check(made(1.00009), made()).exit_code == 0
    assert check(made(1.00011), made()).exit_code == 3


def test_a_large_constant_hides_no_move() -> None:
    before = made(1e9, clips=101)  # a range of 100
    assert check(made(1e9 + 0.9, clips=101), before).exit_code == 0
    verdict = check(made(1e9 + 1.1, clips=101), before)
    assert verdict.exit_code == 3
    assert "0.01 of their range" in verdict.regressions[0]
    assert "1000000000 expected, 1000000001.1 found" in verdict.regressions[0]


@pytest.mark.parametrize(
    "found",
    [made(clips=1), made(data="other"), Found({"format": 1, "systems": {}}, {})],
    ids=["clip", "data", "system"],
)
def test_missing_or_changed_data_is_exit_4(found: Found) -> None:
    verdict = check(found, made())
    assert verdict.exit_code == 4
    assert verdict.missing


def test_nothing_expected_is_never_a_pass() -> None:
    assert check(made(), Expected({"format": 1, "systems": {}}, {})).exit_code == 4


def test_another_seed_is_missing_and_a_regression_where_it_moves_the_scores() -> None:
    moved = check(made(2.0, trained=True, seed=778), made(trained=True))
    assert moved.exit_code == 3
    assert moved.missing == ["mvg, seed 777: not run"]
    assert moved.regressions[0].startswith("mvg, seed 778 in place of 777, fan 00 source: 2 of 2 scores moved")
    assert check(made(seed=778), made()).exit_code == 4  # no training: the seed moves nothing, yet one is missing


def test_a_trained_system_is_held_clip_by_clip_in_the_same_environment_only() -> None:
    assert check(made(2.0, trained=True), made(trained=True)).exit_code == 3
    assert check(made(2.0, torch="3"), made()).exit_code == 3  # no training: held everywhere
    elsewhere = check(made(2.0, trained=True, torch="3"), made(trained=True))
    assert "rule 2, metrics over seed 777" in elsewhere.rules[0]
    assert "torch: 2.13.0 expected, 3 here" in elsewhere.rules[0]
    assert elsewhere.exit_code == 4  # there are no labels, so nothing was measured
    assert "labels unknown" in elsewhere.missing[0]


MACHINES = ("fan", "pump", "valve")


def trained(
    gaps: dict[str, float],
    *,
    torch: str = "2.13.0",
    seeds: tuple[int, ...] = (777,),
    noise: float = 0.3,
    clips: int = 40,
) -> Found:
    """Scores of normal and anomalous clips that lie ``gaps[machine]`` apart, a little otherwise from call to call."""
    scores: dict[Any, dict[Cell, dict[str, float]]] = {("cvae", seed): {} for seed in seeds}
    truth: dict[tuple[str, str], Truth] = {}
    for machine in MACHINES:
        clip_part = np.random.default_rng(len(machine)).standard_normal(2 * clips)  # a clip is hard for every training
        for seed in seeds:
            there = scores["cvae", seed].setdefault(Cell(machine, "00", "source"), {})
            own = np.random.default_rng([seed, len(torch), len(machine)]).standard_normal(2 * clips)
            for n in range(2 * clips):
                anomaly = n >= clips
                value = clip_part[n] + noise * own[n] + anomaly * gaps.get(machine, 1.5)
                there[f"clip_{n}"] = float(value)
                truth[machine, f"clip_{n}"] = Truth(
                    Cell(machine, "00", "source"), "dev", "anomaly" if anomaly else "normal"
                )
    about = {"trained": True, "environment": {"torch": torch}, "data": dict.fromkeys(MACHINES, "d")}
    return Found({"format": 1, "systems": {f"cvae/seed-{seed}": about for seed in seeds}}, scores, truth)


def elsewhere(gaps: dict[str, float], seeds: tuple[int, ...] = (777,), **more: Any) -> Verdict:
    return check(trained(gaps, torch="3", seeds=seeds), trained({}, seeds=seeds), **more)


@pytest.mark.parametrize("seeds", [(777,), (777, 778, 779)])
def test_in_another_environment_another_draw_passes_by_its_metrics(seeds: tuple[int, ...]) -> None:
    verdict = elsewhere({}, seeds)
    assert verdict.compared == 0
    assert verdict.measured == 3 + 3 * 2  # mean AUC, mean pAUC, official score; two means of three machines
    assert (verdict.exit_code, verdict.regressions) == (0, [])


@pytest.mark.parametrize("seeds", [(777,), (777, 778, 779)])
def test_in_another_environment_worse_metrics_are_a_regression_that_says_why(seeds: tuple[int, ...]) -> None:
    verdict = elsewhere(dict.fromkeys(MACHINES, 0.5), seeds)
    assert verdict.exit_code == 3
    (line,) = [line for line in verdict.regressions if "dev, mean AUC" in line]
    assert "more than the tolerance of 2 and than the" in line
    assert ("that trainings differ by" in line) == (len(seeds) > 1)
    assert ("that chance may explain (one training on each side" in line) == (len(seeds) == 1)
    assert any(
        "one training on each side: what trainings differ by is not known" in line for line in verdict.rules
    ) == (len(seeds) == 1)


def test_one_machine_that_breaks_is_named() -> None:
    lines = elsewhere({"pump": -1.5}).regressions
    assert any("dev, pump mean AUC" in line for line in lines)
    assert not any("fan mean" in line or "valve mean" in line for line in lines)


def test_better_metrics_never_fail() -> None:
    assert elsewhere(dict.fromkeys(MACHINES, 4.0)).exit_code == 0


def test_worse_by_less_than_the_tolerance_passes_however_sure() -> None:
    worse = dict.fromkeys(MACHINES, 1.2)
    three = (777, 778, 779)
    assert elsewhere(worse, three, tolerance=0.0).exit_code == 3
    assert elsewhere(worse, three, tolerance=0.2).exit_code == 0


def test_of_single_trainings_a_stated_spread_is_assumed() -> None:
    """At 400 clips a class other clips explain next to nothing; 4 points a fit make 2.64 x 4 x 1.41 of a machine."""
    assert check(trained({"fan": 1.2}, torch="3", clips=400), trained({}, clips=400)).exit_code == 0
    sure = check(trained({"fan": 0.3}, torch="3", clips=400), trained({}, clips=400))
    (line,) = [line for line in sure.regressions if "fan mean AUC" in line]
    assert "than the 14.92 that chance may explain (one training on each side" in line
    assert "4 points a fit are assumed" in sure.rules[0]


def test_of_several_trainings_what_they_differ_by_counts_and_not_the_clips() -> None:
    three = (777, 778, 779)
    verdict = check(trained({"fan": 1.2}, torch="3", clips=400, seeds=three), trained({}, clips=400, seeds=three))
    assert verdict.rules[0].endswith("a loss counts beyond what trainings differ by")
    assert any("fan mean AUC" in line for line in verdict.regressions)  # the same loss passes above


def test_one_run_is_held_to_what_one_more_training_of_the_expected_ones_may_be() -> None:
    three = (777, 778, 779)
    found, expected = trained({"fan": 1.2}, torch="3", clips=400), trained({}, clips=400, seeds=three)
    verdict = check(found, expected)
    assert "rule 2, metrics over seed 777, 3 expected (" in verdict.rules[0]
    assert verdict.missing == ["cvae, seed 778: not run", "cvae, seed 779: not run"]
    assert verdict.measured == 3 + 3 * 2
    (line,) = [line for line in verdict.regressions if "fan mean AUC" in line]
    assert "that one more training explains" in line
    same = check(trained({}, torch="3", clips=400), expected)
    assert (same.exit_code, same.regressions) == (4, [])  # two seeds are missing: never a pass
    turned = check(trained({"fan": 0.3}, torch="3", clips=400, seeds=three), trained({}, clips=400))
    assert any("fan mean AUC" in line for line in turned.regressions)


def test_where_another_seed_gives_the_same_scores_no_training_explains_a_loss() -> None:
    found = replace(trained({"fan": 1.2}, torch="3", clips=400), deterministic=frozenset({"cvae"}))
    verdict = check(found, trained({}, clips=400))
    assert verdict.rules[0].endswith("nothing explains: the system is deterministic")
    (line,) = [line for line in verdict.regressions if "fan mean AUC" in line]
    assert line.endswith("worse, more than the tolerance of 2")
