"""Cells, machines and means beside a published table."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from asdbench.api import Cell
from asdbench.judging.measuring import Value
from asdbench.judging.reproduced import reproduced
from asdbench.judging.reproductions import Reproductions, hold
from asdbench.metrics.aggregate import RANKING
from asdbench.metrics.challenge import DEFINITIONS
from asdbench.published import Table, tables

CELLS = [Cell(machine, "00", domain) for machine in ("fan", "pump") for domain in ("source", "target")]
VALUES: list[Value] = [(cell, metric) for metric in RANKING for cell in CELLS]
BOTH: tuple[Literal["auc", "pauc"], ...] = ("auc", "pauc")
UNITS = {value: value[0].machine for value in VALUES}


def table(shift: float = 0.0, trainings: int | None = 1, leave_out: tuple[Cell, ...] = ()) -> Table:
    """Published: 60 in every cell, and the shift, percent."""
    cells = {(c.machine, c.section, c.domain, m): 60 + shift for c in CELLS for m in BOTH if c not in leave_out}
    return replace(tables()["narita2021/table-5"], cells=cells, trainings=trainings)


def ours(spread: dict[str, float], count: int = 3) -> list[dict[Value, float]]:
    """Trainings whose values of a machine all lie ``spread`` beside .6, evenly."""
    steps = np.linspace(-1, 1, count) if count > 1 else [0.0]
    return [{value: 0.6 + step * spread[value[0].machine] for value in VALUES} for step in steps]


def held(spread: dict[str, float], published: Table, *, deterministic: bool = False) -> Reproductions:
    return hold(ours(spread), UNITS, published, DEFINITIONS[2021], deterministic=deterministic)


def test_a_machine_is_judged_by_the_trainings_of_its_unit() -> None:
    found = held({"fan": 0.01, "pump": 0.002}, table(1.5))
    for machine, step in (("fan", 0.01), ("pump", 0.002)):
        by_hand = reproduced(0.6, [[0.6 - step, 0.6, 0.6 + step]], 0.615, 1e-4)
        for quantity in ("auc", "pauc", "official"):
            own = found.machines[machine][quantity]
            assert (own.low, own.high) == pytest.approx((by_hand.low, by_hand.high), abs=1e-9)
    assert found.machines["fan"]["official"].outcome == "reproduced"
    assert found.machines["pump"]["official"].outcome == "not reproduced"
    tally = found.by_machine
    assert (tally.reproduced, tally.not_reproduced, tally.cannot_be_told) == (1, 1, 0)
    assert tally.expected_misses == pytest.approx(0.1)


def test_over_machines_the_spreads_of_the_units_add() -> None:
    found = held({"fan": 0.01, "pump": 0.004}, table())
    by_hand = reproduced(0.6, [[-0.005, 0, 0.005], [-0.002, 0, 0.002]], 0.6, 1e-4)
    for one in (found.overall["auc"], found.arithmetic["source", "auc"]):
        assert (one.low, one.high) == pytest.approx((by_hand.low, by_hand.high), abs=1e-9)
    together = hold(
        ours({"fan": 0.01, "pump": 0.01}), dict.fromkeys(UNITS, "all"), table(), DEFINITIONS[2021]
    )  # one fit of everything: its values move as one
    one_unit = reproduced(0.6, [[0.59, 0.6, 0.61]], 0.6, 1e-4)
    assert together.overall["auc"].half_width == pytest.approx(one_unit.half_width, abs=1e-9)


def test_a_harmonic_mean_is_that_of_each_training() -> None:
    easier = {"source": 0.0, "target": 0.1}
    trainings = [{(cell, m): 0.5 + easier[cell.domain] + step for cell, m in VALUES} for step in (0.0, 0.02)]
    found = hold(trainings, UNITS, table(), DEFINITIONS[2021])
    each = [statistics.harmonic_mean(own.values()) for own in trainings]
    assert found.overall["official"].ours == pytest.approx(statistics.fmean(each))
    assert found.overall["official"].published == pytest.approx(0.6)
    fan = found.machines["fan"]["official"]
    by_hand = reproduced(statistics.fmean(each), [each], 0.6, 1e-4)
    assert (fan.low, fan.high) == pytest.approx((by_hand.low, by_hand.high), abs=1e-9)


def test_means_over_a_cell_that_is_not_published_are_left_out() -> None:
    found = held({"fan": 0.01, "pump": 0.01}, table(leave_out=(CELLS[0],)))
    assert list(found.machines) == ["pump"]
    assert found.overall == {}
    assert list(found.arithmetic) == [("target", "auc"), ("target", "pauc")]
    assert (len(found.cells), found.unpublished) == (6, 2)
    nothing = held({"fan": 0.01, "pump": 0.01}, table(leave_out=tuple(CELLS)))
    assert (nothing.mean_difference, nothing.machines, nothing.unpublished) == (None, {}, 8)


def test_a_cell_is_judged_only_where_its_interval_is_narrow() -> None:
    found = held({"fan": 0.002, "pump": 0.03}, table(30.0))
    assert found.cells[CELLS[0], "auc"].outcome == "not reproduced"
    wide = found.cells[CELLS[2], "auc"]
    assert (wide.half_width or 0) > 0.05
    assert wide.high is not None
    assert wide.high < wide.published  # far outside, and yet of a cell nothing is said
    assert (wide.outcome, "a cell so wide is not judged" in wide.reason) == ("cannot be told", True)
    assert found.machines["pump"]["official"].outcome == "not reproduced"


def test_an_unknown_number_of_published_trainings_counts_as_one() -> None:
    one, unknown, five = (
        held({"fan": 0.01, "pump": 0.01}, table(trainings=count)).machines["fan"]["auc"] for count in (1, None, 5)
    )
    assert one == unknown
    assert (five.half_width or 0) < (one.half_width or 0)


def test_one_training_tells_nothing_and_a_deterministic_system_rounding() -> None:
    single = hold(ours({"fan": 0, "pump": 0}, 1), UNITS, table(), DEFINITIONS[2021])
    assert {one.outcome for one in single.cells.values()} == {"cannot be told"}
    assert single.overall["official"].outcome == "cannot be told"
    equal = held({"fan": 0, "pump": 0}, table(0.004), deterministic=True)
    assert {one.outcome for one in (*equal.cells.values(), *equal.overall.values())} == {"reproduced"}
    other = held({"fan": 0, "pump": 0}, table(0.006), deterministic=True)
    assert {one.outcome for one in (*other.cells.values(), *other.overall.values())} == {"not reproduced"}
