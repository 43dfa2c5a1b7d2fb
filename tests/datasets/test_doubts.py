"""Copies by content and by number, in the names of each year."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asdbench.api import Clip
from asdbench.datasets.doubts import leaks, named, same_content, same_number, stamp


def clip(name: str, machine: str = "fan", split: str = "test") -> Clip:
    part = "dev"
    return Clip(name, machine, "00", "source", split, part, "normal")  # type: ignore[arg-type]  # a test's words


@pytest.mark.parametrize(
    ("year", "split", "one", "other"),
    [
        (2020, "train", "train/normal_id_00_00000003.wav", "train/normal_id_00_0003.wav"),
        (2021, "train", "section_00_source_train_normal_0003_a.wav", "section_00_source_train_normal_0003_b.wav"),
        (2022, "test", "section_00_source_test_normal_0003_vel_1.wav", "section_00_source_test_normal_0003_vel_2.wav"),
        (2023, "test", "section_00_0003.wav", "section_00_test_0003.wav"),
        (2024, "train", "section_00_source_train_normal_0003_a.wav", "section_00_source_normal_0003_a.wav"),
    ],
)
def test_a_number_that_occurs_twice_is_found(year: int, split: str, one: str, other: str) -> None:
    clips = [clip(name, split=split) for name in (one, other)]
    assert same_number(clips, year) == [clips]
    assert same_number([clips[0], replace(clips[1], machine="pump")], year) == []
    assert same_number([clips[0], clip(other.replace("0003", "0004"), split=split)], year) == []


def test_other_labels_domains_sections_and_splits_have_numbers_of_their_own() -> None:
    names = [
        f"section_{section}_{domain}_test_{label}_0000.wav"
        for section in ("00", "01")
        for domain in ("source", "target")
        for label in ("normal", "anomaly")
    ]
    train = clip("section_00_source_train_normal_0000_a.wav", split="train")
    assert same_number([*map(clip, names), train, clip("mine.wav"), clip("mine_too.wav")], 2021) == []


def test_what_stands_on_both_sides_is_told_apart_and_counted_by_machine() -> None:
    clips = [clip("a", split="train"), clip("b"), clip("c"), clip("d", split="train"), clip("e", split="train")]
    groups = same_content([*clips, clip("f", "pump")], ["1", "1", "1", "2", "2", "3"])
    assert groups == [clips[:3], clips[3:]]
    assert [leaks(group) for group in groups] == [True, False]
    assert named(groups[0]) == "fan a = fan b = fan c"
    assert stamp(groups[:1], "fan") == "training clips in the test: 2 of fan"
    assert stamp(groups[:1], "pump") == ""
