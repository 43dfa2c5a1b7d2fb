"""What a set with labels in its clip names must hold."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asdbench.datasets.years import YEARS, Unit, Year
from asdbench.submissions.development import Named, expected_units, gap
from tests.submissions.conftest import clip_names

UNIT = Unit("fan", "00", "source")


def named(year: Year, clips: Iterable[str]) -> Named:
    parsed = {clip: year.parse_clip(clip) for clip in clips}
    return {clip: fields for clip, fields in parsed.items() if fields is not None}


def cells(year: int, count: int, *units: tuple[str, ...]) -> dict[Unit, Named]:
    return {Unit(*unit): named(YEARS[year], clip_names(YEARS[year], Unit(*unit), count)) for unit in units}


def test_small_sets_have_the_sections_that_any_machine_has_in_both_domains() -> None:
    found = cells(2021, 4, ("fan", "00", "source"), ("fan", "00", "target"), ("pump", "05", "source"))
    assert expected_units(YEARS[2021], found) == {
        Unit(machine, section, domain)
        for machine in ("fan", "pump")
        for section in ("00", "05")
        for domain in ("source", "target")
    }


def test_sets_as_large_as_the_official_one_have_its_sections() -> None:
    assert expected_units(YEARS[2022], cells(2022, 50, ("fan", "01"))) == {Unit("fan", s) for s in ("00", "01", "02")}
    assert expected_units(YEARS[2022], cells(2022, 49, ("fan", "01"))) == {Unit("fan", "01")}
    assert expected_units(YEARS[2020], cells(2020, 100, ("fan", "00"))) == {
        Unit("fan", s) for s in ("00", "02", "04", "06")
    }
    assert expected_units(YEARS[2020], cells(2020, 100, ("fan", "05"))) == {Unit("fan", s) for s in ("01", "03", "05")}


def test_ids_of_2020_differ_between_machines() -> None:
    assert expected_units(YEARS[2020], cells(2020, 4, ("fan", "00"), ("ToyCar", "01"))) == {
        Unit("fan", "00"),
        Unit("ToyCar", "01"),
    }


@pytest.mark.parametrize(
    "names",
    [
        [f"section_00_source_test_{label}_{n:04d}.wav" for label in ("normal", "anomaly") for n in range(5)],
        [f"section_00_source_test_{'normal' if n < 5 else 'anomaly'}_{n:04d}.wav" for n in range(9)],
        [f"section_00_source_test_{'anomaly' if n % 3 else 'normal'}_{n:04d}.wav" for n in range(1, 9)],
        [
            f"section_00_source_test_{label}_{n + 100 * (label == 'anomaly'):04d}.wav"
            for label in ("normal", "anomaly")
            for n in range(5)
        ],
    ],
    ids=["within a label", "one after the other", "mixed, from 1", "anomalies from 100"],
)
def test_numbers_without_a_gap(names: list[str]) -> None:
    assert gap(YEARS[2021], UNIT, named(YEARS[2021], names)) is None


@given(st.integers(3, 30), st.integers(0, 29))
def test_a_number_left_out_is_named(count: int, number: int) -> None:
    assume(number < count - 1)
    names = [f"section_00_source_test_{label}_{n:04d}.wav" for label in ("normal", "anomaly") for n in range(count)]
    names.remove(f"section_00_source_test_anomaly_{number:04d}.wav")
    found = gap(YEARS[2021], UNIT, named(YEARS[2021], names))
    assert found == f"a clip is missing: the numbers leave out source anomaly {number:04d}"


def test_huge_numbers_cost_nothing() -> None:
    names = [f"section_00_source_test_{label}_{n:04d}.wav" for label in ("normal", "anomaly") for n in (0, 10**30)]
    assert "and" in (gap(YEARS[2021], UNIT, named(YEARS[2021], names)) or "")


def test_evaluation_clips_with_labels_are_numbered_otherwise() -> None:
    names = ["section_03_source_test_normal_0007.wav", "section_03_source_test_anomaly_0123.wav"]
    assert gap(YEARS[2021], Unit("fan", "03", "source"), named(YEARS[2021], names)) is None
