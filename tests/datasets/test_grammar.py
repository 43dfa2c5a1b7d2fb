from __future__ import annotations

import pytest

from asdbench.datasets.grammar import Fields, parse, read
from asdbench.errors import DataError


@pytest.mark.parametrize(
    ("year", "name", "folder", "expected"),
    [
        (2020, "normal_id_00_00000000.wav", "train", Fields("00", "", "train", "normal", "00000000")),
        (2020, "anomaly_id_06_00000012.wav", "test", Fields("06", "", "test", "anomaly", "00000012")),
        (2020, "id_01_00000003.wav", "test", Fields("01", "", "test", None, "00000003")),
        (2020, "normal_id_06_00000012.wav", "", Fields("06", "", "test", "normal", "00000012")),
        (
            2021,
            "section_00_source_train_normal_0000_strength_1_ambient.wav",
            "train",
            Fields("00", "source", "train", "normal", "0000", "strength_1_ambient"),
        ),
        (2021, "section_05_target_train_normal_0002.wav", "train", Fields("05", "target", "train", "normal", "0002")),
        (
            2021,
            "section_01_source_train_normal_0007_v.1, (None).WAV",
            "train",
            Fields("01", "source", "train", "normal", "0007", "v.1, (None)"),
        ),
        (
            2021,
            "section_02_target_test_anomaly_0107.wav",
            "target_test",
            Fields("02", "target", "test", "anomaly", "0107"),
        ),
        (2021, "section_03_source_test_0199.wav", "source_test", Fields("03", "source", "test", None, "0199")),
        (2021, "section_03_source_test_0199.wav", "test", Fields("03", "source", "test", None, "0199")),
        (
            2021,
            "section_03_source_test_normal_0199.wav",
            "source_test",
            Fields("03", "source", "test", "normal", "0199"),
        ),
        (
            2022,
            "section_02_source_test_normal_0049_car_A2_spd_28V_mic_1_noise_1.wav",
            "test",
            Fields("02", "source", "test", "normal", "0049", "car_A2_spd_28V_mic_1_noise_1"),
        ),
        (2022, "section_03_0000.wav", "test", Fields("03", "", "test", None, "0000")),
        (2023, "section_00_test_0000.wav", "test", Fields("00", "", "test", None, "0000")),
        (
            2023,
            "section_00_source_train_normal_0362_car_C2_spd_31V_mic_1.wav",
            "train",
            Fields("00", "source", "train", "normal", "0362", "car_C2_spd_31V_mic_1"),
        ),
        (
            2023,
            "section_00_source_train_normal_0362_car_C2_spd_31V_mic_1.wav",
            "",
            Fields("00", "source", "train", "normal", "0362", "car_C2_spd_31V_mic_1"),
        ),
        (
            2024,
            "section_00_target_normal_0091_weight35_BckgE.wav",
            "test",
            Fields("00", "target", "test", "normal", "0091", "weight35_BckgE"),
        ),
        (
            2025,
            "section_00_source_train_normal_0000_noAttribute.wav",
            "train",
            Fields("00", "source", "train", "normal", "0000", "noAttribute"),
        ),
    ],
)
def test_official_names_are_understood(year: int, name: str, folder: str, expected: Fields) -> None:
    assert parse(name, folder, year) == expected


@pytest.mark.parametrize(
    ("year", "name", "folder"),
    [
        (2020, "anomaly_id_00_00000000.wav", "train"),
        (2020, "id_00_00000000.wav", "train"),
        (2020, "section_00_source_test_normal_0000.wav", "test"),
        (2020, "normal_id_00_00000000.wav", "source_test"),
        (2021, "section_00_source_test_normal_0000.wav", "train"),
        (2021, "section_00_source_train_normal_0000_a.wav", "source_test"),
        (2021, "section_00_target_test_normal_0000.wav", "source_test"),
        (2021, "section_00_source_train_anomaly_0000.wav", "train"),
        (2021, "section_00_source_train_normal_0000a.wav", "train"),
        (2021, "section_00_source_test_normal_0000 (1).wav", "source_test"),
        (2021, "section_00_source_test_0000_anomaly.wav", "source_test"),
        (2021, "section_00_test_0000.wav", "source_test"),  # 2022
        (2021, "normal_id_01_00000000.wav", "source_test"),  # 2020
        (2021, "SECTION_00_source_test_normal_0000.wav", "source_test"),
        (2021, "section_٠١_source_test_normal_0000.wav", "source_test"),
        (2022, "section_03_source_test_0000.wav", "test"),  # 2021
        (2022, "section_03_0000_vel_21.wav", "test"),
        (2023, "section_00_test_normal_0000_vel_21.wav", "test"),
        (2023, "section_00_source_test_normal_0000_vel_21.wav", "train"),
        (2023, "section_00_source_train_normal_0000_vel_21.wav", "test"),
        (2023, "section_00_source_test_normal_0000_vel_21.wav", "source_test"),
    ],
)
def test_other_names_are_refused_with_what_was_expected(year: int, name: str, folder: str) -> None:
    assert read(name, folder, year) is None
    with pytest.raises(DataError) as caught:
        parse(name, folder, year)
    assert name in caught.value.message
    assert str(year) in caught.value.message
    assert "expected there" in caught.value.looked
