from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.judging.conclusions import concluded
from asdbench.judging.measuring import measure
from asdbench.judging.methods import Comparison, compare, compare_all, ranks
from asdbench.judging.pair import QUANTITIES, Pair
from asdbench.judging.samples import Sample, Scored, checked
from asdbench.judging.student import quantile
from asdbench.metrics.challenge import DEFINITIONS, Definition

from .trainings import made

EARLY, MIDDLE, LATE = (DEFINITIONS[year] for year in (2020, 2021, 2023))


def known(found: Comparison) -> dict[str, object]:
    """What was found, without p of a single test at rounding."""
    assert found.methods is not None
    return {
        quantity: (round(one.difference, 12), one.conclusion, one.seeds_needed, round(one.p or 0, 9))
        for quantity, one in found.methods.items()
    }


@pytest.mark.parametrize("definition", [EARLY, MIDDLE, LATE])
def test_a_much_better_method_is_better(definition: Definition) -> None:
    late = definition is LATE
    sides = [
        made(name, seed, 4, clips=40, lift=lift, together=late, domains=("source", "target") if late else ("source",))
        for name, seed, lift in (("a", 1, 2.5), ("b", 2, 0.5))
    ]
    found = compare(sides[0], sides[1], definition)
    assert found.methods is not None
    for quantity in QUANTITIES:
        one = found.methods[quantity]
        assert one.conclusion == "better"
        assert one.low is not None
        assert one.low > 0
        assert one.difference == pytest.approx(one.a - one.b)
    assert found.machines is not None
    assert set(found.machines) == {"fan", "pump"}
    assert found.cells is not None
    assert len(found.cells) == 4 * (3 if late else 2)


def test_the_very_same_law_without_spread_is_equivalent_with_many_clips() -> None:
    found = compare(made("a", 1, 3, clips=900, scale=0), made("b", 1, 3, clips=900, scale=0), MIDDLE, margin=0.05)
    assert found.methods is not None
    assert found.methods["auc"].conclusion == "equivalent"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_swapping_the_systems_negates(seed: int) -> None:
    a, b = made("a", seed, 3, lift=1.3), made("b", seed + 1, 2)
    one, two = compare(a, b, MIDDLE), compare(b, a, MIDDLE)
    assert one.methods is not None
    assert two.methods is not None
    for quantity in QUANTITIES:
        first, second = one.methods[quantity], two.methods[quantity]
        assert first.difference == pytest.approx(-second.difference)
        assert first.p == pytest.approx(second.p)
        assert first.low is not None
        assert second.high is not None
        assert first.low == pytest.approx(-second.high)
        turned = {"better": "worse", "worse": "better"}
        assert turned.get(str(first.conclusion), first.conclusion) == second.conclusion


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_clips_fits_and_files_is_irrelevant(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = made("a", seed, 4), made("b", seed + 1, 3)
    fits = random.permutation(4)

    def shuffled(one: Scored) -> Scored:
        clips = random.permutation(len(one.clips))
        return replace(
            one,
            fits=tuple(one.fits[fit] for fit in fits),
            labels=one.labels[clips],
            scores=one.scores[np.ix_(fits, clips)],
            clips=tuple(one.clips[clip] for clip in clips),
        )

    moved = replace(a, files=tuple(shuffled(one) for one in a.files)[::-1])
    assert known(compare(moved, b, MIDDLE)) == known(compare(a, b, MIDDLE))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_monotone_maps_of_the_scores_of_a_cell_change_nothing(seed: int) -> None:
    a, b = made("a", seed, 3), made("b", seed + 1, 3)
    maps: list[Callable[[NDArray[Any]], NDArray[Any]]] = [np.exp, lambda x: 3 * x - 7, np.arctan, lambda x: x**3]
    mapped = [replace(one, scores=own(one.scores)) for one, own in zip(a.files, maps, strict=True)]
    assert known(compare(replace(a, files=tuple(mapped)), b, MIDDLE)) == known(compare(a, b, MIDDLE))


def test_of_one_training_nothing_follows_about_the_method() -> None:
    found = compare(made("a", 1, 1), made("b", 2, 5), MIDDLE)
    assert found.methods is None
    assert found.machines is None
    assert {own.conclusion for own in found.cells.values()} == {None}  # over clips alone
    assert found.machines_like_these is None
    assert found.reason == "there is one training of a: nothing follows about the method"
    assert found.trainings["official"].low is not None
    assert found.trainings["official"].conclusion is None


def test_one_fit_of_a_deterministic_system_is_all_there_is() -> None:
    fixed = made("mvg", 1, 1, lift=2.5, deterministic=True, clips=40)
    found = compare(fixed, made("b", 2, 5, clips=40), MIDDLE)
    assert found.seeds == (1, 5)
    assert found.methods is not None
    assert found.methods["official"].conclusion == "better"


def test_of_a_deterministic_system_one_fit_counts_whatever_was_run() -> None:
    one = made("mvg", 1, 1, deterministic=True)
    twice = replace(
        one, files=tuple(replace(f, fits=("0", "1"), scores=np.repeat(f.scores, 2, axis=0)) for f in one.files)
    )
    other = made("b", 2, 3)
    assert known(compare(one, other, MIDDLE)) == known(compare(twice, other, MIDDLE))


def test_two_deterministic_systems_differ_by_their_clips_alone() -> None:
    sides = [made(name, seed, 1, deterministic=True) for name, seed in (("a", 1), ("b", 2))]
    found = compare(sides[0], sides[1], MIDDLE)
    assert found.methods is not None
    one = found.methods["auc"]
    assert one.training_error == 0
    assert one.low == found.trainings["auc"].low
    assert one.seeds_needed is None
    assert "no number of seeds" in one.reason


def test_shared_trainings_are_paired_and_others_are_not() -> None:
    a = made("a", 1, 4, keys=True, scale=0.8)
    random = np.random.default_rng(3)
    files = [replace(one, scores=one.scores + 0.1 * random.standard_normal(one.scores.shape)) for one in a.files]
    shared = compare(a, replace(a, name="b", files=tuple(files)), MIDDLE)
    apart = compare(a, replace(a, name="b", files=tuple(replace(one, trainings=()) for one in files)), MIDDLE)
    assert shared.paired
    assert not apart.paired
    assert shared.methods is not None
    assert apart.methods is not None
    narrow, wide = (one.methods["auc"].training_error for one in (shared, apart) if one.methods)
    assert narrow is not None
    assert wide is not None
    assert narrow < wide / 3


def test_of_trainings_that_are_shared_in_part_those_count() -> None:
    a = made("a", 1, 4, keys=True)
    some = replace(a, name="b", files=tuple(one.of([3, 1]) for one in a.files))
    files = [replace(one, scores=one.scores + np.arange(len(one.clips)) % 7 / 5) for one in some.files]
    found = compare(a, replace(some, files=tuple(files)), MIDDLE)
    assert found.seeds == (2, 2)
    assert found.paired


def test_readings_that_rank_alike_are_equivalent() -> None:
    a = made("a", 1, 3, keys=True)
    found = compare(a, replace(a, name="b", files=tuple(replace(f, scores=2 * f.scores) for f in a.files)), MIDDLE)
    assert found.methods is not None
    one = found.methods["official"]
    assert (one.conclusion, one.low, one.high, one.p) == ("equivalent", 0, 0, None)
    assert one.reason == "both rank all clips alike"


def test_perfect_separation_on_both_sides_has_no_p() -> None:
    found = compare(made("a", 1, 3, lift=99), made("b", 2, 3, lift=99), MIDDLE)
    assert found.methods is not None
    for one in found.methods.values():
        assert (one.difference, one.p, one.low, one.conclusion) == (0, None, None, "undecided")
        assert one.reason.startswith("no spread")


def test_a_mean_over_one_cell_is_that_cell() -> None:
    sides = [made(name, seed, 3, machines=("fan",), sections=("00",)) for name, seed in (("a", 1), ("b", 2))]
    found = compare(sides[0], sides[1], MIDDLE)
    assert found.methods is not None
    assert found.cells is not None
    assert found.machines is not None
    metrics: tuple[Literal["auc", "pauc"], ...] = ("auc", "pauc")
    for metric in metrics:
        cell = found.cells[Cell("fan", "00", "source"), metric]
        assert cell == found.methods[metric] == found.machines["fan"][metric]


def test_a_harmonic_mean_that_falls_to_zero_names_the_cell_and_decides_nothing() -> None:
    a, b = made("a", 1, 3, lift=2), made("b", 2, 3)
    fallen = replace(b.files[1], scores=np.where(b.files[1].labels == 1, -9.0, 9.0) + 0.01 * b.files[1].scores)
    found = compare(a, replace(b, files=(b.files[0], fallen, *b.files[2:])), MIDDLE)
    assert found.methods is not None
    official = found.methods["official"]
    assert (official.conclusion, official.p, official.low) == ("undecided", None, None)
    assert "cell fan 01 source falls to 0" in official.reason
    assert found.methods["auc"].conclusion is not None
    assert found.methods["auc"].low is not None
    assert found.machines is not None
    assert found.machines["pump"]["official"].low is not None


def test_few_clips_have_no_interval_of_a_pauc() -> None:
    found = compare(made("a", 1, 3, clips=10), made("b", 2, 3, clips=10), MIDDLE)
    assert found.methods is not None
    assert found.methods["auc"].low is not None
    assert found.methods["pauc"].low is None
    assert found.methods["pauc"].reason == "10 clips of a class in a cell, and an interval needs 20"


def test_an_official_score_needs_more_clips_than_an_auc() -> None:
    found = compare(made("a", 1, 3, clips=7, lift=2), made("b", 2, 3, clips=7, lift=2), MIDDLE)
    assert found.methods is not None
    assert found.methods["auc"].low is not None
    assert found.methods["official"].low is None
    assert found.methods["official"].reason == "7 clips of a class in a cell, and an interval needs 10"


def test_machines_like_these_are_students_over_machines() -> None:
    names = ("fan", "pump", "slider", "valve")
    sides = [made(name, seed, 3, machines=names) for name, seed in (("a", 1), ("b", 2))]
    found = compare(sides[0], sides[1], MIDDLE)
    assert found.machines is not None
    assert found.machines_like_these is not None
    gaps = np.array([found.machines[name]["auc"].difference for name in names])
    one = found.machines_like_these["auc"]
    reach = quantile(0.95, 3) * gaps.std(ddof=1) / 2
    assert one.difference == pytest.approx(gaps.mean())
    assert (one.low, one.high) == pytest.approx((gaps.mean() - reach, gaps.mean() + reach))


def test_one_machine_says_nothing_of_machines_like_it() -> None:
    sides = [made(name, seed, 3, machines=("fan",)) for name, seed in (("a", 1), ("b", 2))]
    assert compare(sides[0], sides[1], MIDDLE).machines_like_these is None


def test_undecided_says_how_many_seeds_it_takes() -> None:
    found = compare(made("a", 1, 3, clips=400, scale=0.2), made("b", 2, 3, clips=400, scale=0.2), MIDDLE)
    assert found.methods is not None
    one = found.methods["auc"]
    assert one.conclusion == "undecided"
    assert one.seeds_needed is not None
    assert f"{one.seeds_needed} seeds of each" in one.reason


def test_equivalent_and_yet_detectably_higher() -> None:
    a = made("a", 1, 5, clips=300, keys=True)
    random = np.random.default_rng(0)
    lifted = [
        replace(f, scores=f.scores + 0.02 * f.labels + 0.002 * random.standard_normal(f.scores.shape)) for f in a.files
    ]
    found = compare(replace(a, name="b", files=tuple(lifted)), a, MIDDLE)
    assert found.methods is not None
    assert found.methods["auc"].conclusion == "equivalent"
    assert found.methods["auc"].detectably == "higher"


def test_of_several_systems_all_pairs_are_compared_and_p_is_holms() -> None:
    systems = [made(name, seed, 3, lift=lift) for name, seed, lift in (("a", 1, 1.8), ("b", 2, 1.4), ("c", 3, 1.0))]
    found = compare_all(systems, MIDDLE)
    assert [(one.a, one.b) for one in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    alone = [compare(systems[i], systems[j], MIDDLE) for i, j in ((0, 1), (0, 2), (1, 2))]
    raw = [one.methods["auc"].p for one in alone if one.methods]
    adjusted = [one.methods["auc"].p for one in found if one.methods]
    smallest = int(np.argmin(np.array(raw, dtype=np.float64)))
    assert adjusted[smallest] == pytest.approx(min(1.0, 3 * (raw[smallest] or 0)))
    for one, single in zip(found, alone, strict=True):
        assert one.methods is not None
        assert single.methods is not None
        assert one.methods["auc"].adjusted
        assert not single.methods["auc"].adjusted
        assert one.methods["auc"].low == single.methods["auc"].low


def test_a_rank_is_one_more_than_the_systems_that_are_better() -> None:
    lifts = (("a", 1, 2.5), ("b", 2, 0.6), ("c", 3, 2.5))
    found = compare_all([made(name, seed, 4, lift=lift, clips=40) for name, seed, lift in lifts], MIDDLE)
    assert ranks(found) == {"a": 1, "b": 3, "c": 1}


def test_one_training_has_no_rank_and_takes_none_from_others() -> None:
    assert ranks(compare_all([made("a", 1, 3), made("b", 2, 3), made("c", 3, 1)], MIDDLE)) == {
        "a": 1,
        "b": 1,
        "c": None,
    }


def test_a_single_training_among_several_systems_leaves_the_other_pairs_alone() -> None:
    found = compare_all([made("a", 1, 3), made("b", 2, 1), made("c", 3, 3)], MIDDLE)
    assert [one.methods is None for one in found] == [True, False, True]
    assert found[1].methods is not None
    assert not found[1].methods["auc"].adjusted


def test_collapsed_fits_are_passed_through() -> None:
    assert compare(replace(made("a", 1), collapsed=2), made("b", 2), MIDDLE).collapsed == (2, 0)


def test_files_of_one_side_only_are_left_out_and_named() -> None:
    a, b = made("a", 1), made("b", 2)
    found = compare(a, replace(b, files=b.files[:3]), MIDDLE)
    assert found.left_out == (a.files[3].file,)


def test_other_clips_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="have not scored the same clips of fan 00 source"):
        compare(made("a", 1, clips=20), made("b", 2, clips=21), MIDDLE)


def test_no_cell_in_common() -> None:
    with pytest.raises(DataError, match="no cell in common"):
        compare(made("a", 1, machines=("fan",)), made("b", 2, machines=("pump",)), MIDDLE)


def test_the_record_has_the_keys_of_the_json() -> None:
    found = compare(made("a", 1), made("b", 2), MIDDLE)
    assert found.methods is not None
    keys = {"a", "b", "difference", "low", "high", "p", "conclusion", "seeds_needed", "reason"}
    assert keys <= found.methods["official"].record.keys()


Twins = dict[str, NDArray[Any]]


def twin(twins: Twins, name: str, scores: NDArray[Any], keys: str = "") -> Sample:
    """Trainings of the twins as a system; a fit is a machine's."""
    files = []
    seeds = tuple(map(str, range(len(scores))))
    for machine, section in sorted(set(zip(twins["machine"].tolist(), twins["section"].tolist(), strict=True))):
        own = (twins["machine"] == machine) & (twins["section"] == section)
        files.append(
            Scored(
                Cell(machine, section, ""),
                machine,
                seeds,
                twins["anomaly"][own].astype(np.int64),
                scores[:, own].astype(np.float64),
                tuple(f"{clip:04d}" for clip in np.flatnonzero(own)),
                (),
                tuple(f"{machine} {seed}" for seed in seeds) if keys else (),
            )
        )
    return Sample(name, tuple(files))


@pytest.fixture(scope="module")
def twins(shared: Path) -> Twins:
    with np.load(shared / "conformance" / "twins" / "scores.npz") as stored:
        return dict(stored)


@pytest.mark.shared
def test_twins_trained_once_are_called_two_trainings(twins: Twins) -> None:
    rows = np.concatenate([twins["clvae_one"], twins["clvae_other"]])
    singles = [twin(twins, str(row), rows[[row]]) for row in range(12)]
    found = compare_all(singles, EARLY)
    assert len(found) == 66
    assert all(one.methods is None for one in found)
    # What looking at clips alone would have said.
    assert sum((one.trainings["auc"].p or 0) < 0.05 for one in found) == 48


@pytest.mark.shared
@pytest.mark.parametrize("definition", [EARLY, MIDDLE])
@pytest.mark.parametrize("fits", [3, 5, 6])
def test_twins_are_told_apart_no_more_often_than_by_chance(twins: Twins, fits: int, definition: Definition) -> None:
    rows = np.concatenate([twins["clvae_one"], twins["clvae_other"]])
    random = np.random.default_rng(fits)
    wrong = dict.fromkeys(QUANTITIES, 0)
    for _ in range(100):
        order = random.permutation(12)
        sides = [twin(twins, name, rows[own]) for name, own in (("a", order[:fits]), ("b", order[fits : 2 * fits]))]
        one, two = (measure(checked(side), definition) for side in sides)
        pair = Pair(one, two, 0.01)
        for quantity, (verdict, found) in pair.quantities(pair.values).items():
            wrong[quantity] += concluded([verdict], [found], 0.01)[0].conclusion in ("better", "worse")
    assert max(wrong.values()) <= 7
