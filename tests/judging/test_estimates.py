from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdbench.api import Cell
from asdbench.judging.estimates import estimates
from asdbench.judging.samples import Sample
from asdbench.metrics.challenge import DEFINITIONS, Definition
from asdbench.metrics.intervals import PAUC_FLOOR

from .trainings import made

EARLY, MIDDLE, LATE = (DEFINITIONS[year] for year in (2020, 2021, 2023))


@pytest.mark.parametrize("definition", [EARLY, MIDDLE, LATE])
def test_every_value_of_a_table_has_an_interval_that_holds_it(definition: Definition) -> None:
    late = definition is LATE
    domains = ("",) if definition is EARLY else ("source", "target")
    found = estimates(made("a", 1, 4, domains=domains, together=late), definition)
    every = [
        *found.cells.values(),
        *found.arithmetic.values(),
        *found.harmonic.values(),
        found.official,
        *found.overall.values(),
        *(one for own in found.machines.values() for one in own.values()),
    ]
    for one in every:
        assert one.low is not None
        assert one.high is not None
        assert 0 <= one.low <= one.value <= one.high <= 1
    assert set(found.arithmetic) == set(definition.columns())


def test_official_score_is_the_mean_of_the_seeds_scores() -> None:
    found = estimates(made("a", 1, 4), MIDDLE)
    seeds = [estimates(replace(one, deterministic=True), MIDDLE).official.value for one in singles()]
    assert found.official.value == pytest.approx(np.mean(seeds))


def singles() -> list[Sample]:
    sample = made("a", 1, 4)
    return [replace(sample, files=tuple(one.of([fit]) for one in sample.files)) for fit in range(4)]


def test_units_of_unequal_numbers_have_nearly_the_same_official_score() -> None:
    sample = made("a", 1, 5)
    uneven = replace(sample, files=tuple(one.of(range(4)) if one.unit == "pump" else one for one in sample.files))
    whole = estimates(replace(sample, files=tuple(one.of(range(4)) for one in sample.files)), MIDDLE)
    assert estimates(uneven, MIDDLE).official.value == pytest.approx(whole.official.value, abs=0.02)


def test_a_mean_over_one_cell_is_that_cell() -> None:
    found = estimates(made("a", 1, 4, machines=("fan",), sections=("00",)), MIDDLE)
    cell = Cell("fan", "00", "source")
    assert found.cells[cell, "auc"] == found.overall["auc"] == found.arithmetic["source", "auc"]
    assert found.cells[cell, "auc"] == found.harmonic["source", "auc"]


def test_of_one_training_there_is_no_interval_of_the_method() -> None:
    found = estimates(made("a", 1, 1), MIDDLE)
    assert found.official.low is None
    assert found.official.reason == "one training: nothing follows about the method"


def test_taken_as_it_is_one_training_has_an_interval_over_clips() -> None:
    sample = made("a", 1, 1)
    found = estimates(sample, MIDDLE, as_they_are=True)
    assert found == estimates(replace(sample, deterministic=True), MIDDLE)
    assert found.official.low is not None
    assert found.official.training_error == 0


def test_of_a_deterministic_system_the_clips_alone_count() -> None:
    found = estimates(made("a", 1, 1, deterministic=True), MIDDLE)
    assert found.official.low is not None
    assert found.official.training_error == 0


def test_separated_classes_have_an_interval_with_a_width() -> None:
    found = estimates(made("a", 1, 3, lift=99, clips=30), MIDDLE)
    one = found.cells[Cell("fan", "00", "source"), "auc"]
    assert one.value == 1
    assert one.low is not None
    assert 0.9 < one.low < 1


def test_a_pauc_does_not_fall_below_its_floor() -> None:
    found = estimates(made("a", 1, 3, lift=-3, clips=30), MIDDLE)
    for (_, metric), one in found.cells.items():
        if metric == "pauc":
            assert one.low is not None
            assert one.low >= PAUC_FLOOR - 1e-12


def test_a_harmonic_mean_that_falls_to_zero_has_no_interval() -> None:
    found = estimates(made("a", 1, 3, lift=-99), MIDDLE)
    assert found.official.low is None
    assert "falls to 0" in found.official.reason
    assert found.overall["auc"].low is not None
