from __future__ import annotations

import pytest

from asdbench.datasets.grammar import Fields, parse
from asdbench.errors import DataError


@pytest.mark.parametrize(
    ("name", "folder", "expected"),
    [
        (
            "section_00_source_train_normal_0000_strength_1_ambient.wav",
            "train",
            Fields("00", "source", "train", "normal", "0000", "strength_1_ambient"),
        ),
        ("section_05_target_train_normal_0002.wav", "train", Fields("05", "target", "train", "normal", "0002")),
        (
            "section_01_source_train_normal_0007_v.1, (None).WAV",
            "train",
            Fields("01", "source", "train", "normal", "0007", "v.1, (None)"),
        ),
        (
            "section_02_target_test_anomaly_0107.wav",
            "target_test",
            Fields("02", "target", "test", "anomaly", "0107"),
        ),
        ("section_03_source_test_0199.wav", "source_test", Fields("03", "source", "test", None, "0199")),
        ("section_03_source_test_normal_0199.wav", "source_test", Fields("03", "source", "test", "normal", "0199")),
    ],
)
def test_official_names_are_understood(name: str, folder: str, expected: Fields) -> None:
    assert parse(name, folder) == expected


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("section_00_source_test_normal_0000.wav", "train"),
        ("section_00_source_train_normal_0000_a.wav", "source_test"),
        ("section_00_target_test_normal_0000.wav", "source_test"),
        ("section_00_source_train_anomaly_0000.wav", "train"),
        ("section_00_source_train_normal_0000a.wav", "train"),
        ("section_00_source_test_normal_0000 (1).wav", "source_test"),
        ("section_00_source_test_0000_anomaly.wav", "source_test"),
        ("section_00_test_0000.wav", "source_test"),  # 2022
        ("normal_id_01_00000000.wav", "source_test"),  # 2020
        ("SECTION_00_source_test_normal_0000.wav", "source_test"),
        ("section_٠١_source_test_normal_0000.wav", "source_test"),
    ],
)
def test_other_names_are_refused_with_what_was_expected(name: str, folder: str) -> None:
    with pytest.raises(DataError) as caught:
        parse(name, folder)
    assert name in caught.value.message
    assert "section_00_" in caught.value.looked
