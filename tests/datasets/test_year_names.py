"""What each year calls its files and clips."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.datasets.years import KINDS, YEARS, Unit
from asdbench.published import official_counts

MACHINES = st.sampled_from(["fan", "ToyCar", "3DPrinter", "my_machine", "a.b"])
SECTIONS = st.from_regex(r"[0-9]{2}", fullmatch=True)


@given(st.sampled_from(sorted(YEARS)), MACHINES, SECTIONS, st.sampled_from(["source", "target"]))
def test_a_file_name_is_read_back(year: int, machine: str, section: str, domain: str) -> None:
    unit = Unit(machine, section, domain if year == 2021 else "")
    for kind in KINDS[:1] if year == 2020 else KINDS:
        assert YEARS[year].parse_file(YEARS[year].file_name(kind, unit)) == (kind, unit)


@pytest.mark.parametrize(
    ("year", "name"),
    [
        (2020, "decision_result_fan_id_00.csv"),
        (2020, "tflite_anomaly_score_ToyCar_id_01.csv"),
        (2021, "anomaly_score_fan_section_00_source_test.CSV"),
        (2021, "Anomaly_score_fan_section_00_source_test.csv"),
        (2021, "anomaly_score_fan_section_0_source_test.csv"),
        (2021, "anomaly_score_fan_section_00_test.csv"),
        (2021, "anomaly_score_fan_section_00_source_test.csv.bak"),
        (2021, "._anomaly_score_fan_section_00_source_test.csv"),
        (2022, "anomaly_score_fan_section_00_source_test.csv"),
        (2023, "anomaly_score_DCASE2024T2fan_section_00_test_seed13711_id(0_).csv"),
        (2021, "result.csv"),
    ],
)
def test_other_files_are_other_files(year: int, name: str) -> None:
    assert YEARS[year].parse_file(name) is None


@pytest.mark.parametrize("year", range(2022, 2027))
@pytest.mark.parametrize("kind", KINDS)
def test_names_of_2022_and_later_without_test_are_read(year: int, kind: str) -> None:
    assert YEARS[year].parse_file(f"{kind}_fan_section_03.csv") == (kind, Unit("fan", "03"))


@pytest.mark.parametrize("tail", ["_seed13711_id(0_)_Eval", "_seed13711_id(0_)", "_seed1"])
@pytest.mark.parametrize("year", [2022, 2023, 2024, 2026])
def test_the_names_of_the_organizers_later_baseline(year: int, tail: str) -> None:
    name = f"decision_result_DCASE{year}T2bandsaw_section_00_test{tail}.csv"
    assert YEARS[year].parse_file(name) == ("decision_result", Unit("bandsaw", "00"))


@pytest.mark.parametrize(
    ("year", "name", "fields"),
    [
        (2020, "normal_id_01_00000012.wav", ("01", "", "normal", 12)),
        (2021, "section_00_target_test_anomaly_0003.wav", ("00", "target", "anomaly", 3)),
        (2022, "section_02_source_test_normal_0049_car_A2_spd_28V_mic_1_noise_1.wav", ("02", "source", "normal", 49)),
        (2024, "section_00_source_normal_0035_weight15_BckgF.wav", ("00", "source", "normal", 35)),
        (2025, "section_00_target_test_anomaly_0012_id_C1_spd_2_mic_2.WAV", ("00", "target", "anomaly", 12)),
    ],
)
def test_labels_are_read_from_clip_names(year: int, name: str, fields: tuple[str, str, str, int]) -> None:
    assert YEARS[year].parse_clip(name) == fields


@pytest.mark.parametrize(
    ("year", "name"),
    [
        (2020, "id_01_00000000.wav"),
        (2020, "section_00_source_test_normal_0000.wav"),
        (2021, "section_03_source_test_0000.wav"),
        (2021, "section_00_source_train_normal_0000_strength_1.wav"),
        (2021, "section_00_source_test_normal_0000"),
        (2023, "section_00_0000.wav"),
        (2023, "section_00_both_test_normal_0000.wav"),
    ],
)
def test_other_names_have_no_label(year: int, name: str) -> None:
    assert YEARS[year].parse_clip(name) is None


def test_the_2021_sections_are_those_that_were_counted() -> None:
    counted: dict[str, set[str]] = {}
    for machine, section, _, split, _ in official_counts():
        if split == "test":
            counted.setdefault(machine, set()).add(section)
    year = YEARS[2021]
    assert {m: {*year.dev[m], *year.eval[m]} for m in year.machines} == counted


@pytest.mark.shared
@pytest.mark.parametrize("year", range(2020, 2026))
def test_machines_and_sections_of_the_evaluation_sets(shared: Path, year: int) -> None:
    found: dict[str, set[str]] = {}
    machine = ""
    with (shared / "reference" / "ground_truth" / f"eval_data_list_{year}.csv").open(newline="") as file:
        for row in csv.reader(file):
            if len(row) == 1:
                machine = row[0]
            else:
                found.setdefault(machine, set()).add(row[0].split("_")[1])
    assert found == {machine: set(sections) for machine, sections in YEARS[year].eval.items()}


@pytest.mark.shared
@pytest.mark.parametrize("year", range(2023, 2027))
def test_machines_of_the_later_years_are_those_to_download(shared: Path, year: int) -> None:
    found: dict[str, set[str]] = {"dev": set(), "eval": set()}
    with (shared / "reference" / "downloads.csv").open(newline="") as file:
        for row in csv.reader(file):
            if row[0] == f"DCASE{year}T2":
                stem = row[3].removesuffix(".zip").removesuffix("_r2")
                part, _, machine = stem.removesuffix("_train").removesuffix("_test").partition("_")
                found[part].add(machine.removeprefix("data_"))
    assert found == {"dev": set(YEARS[year].dev), "eval": set(YEARS[year].eval)}
