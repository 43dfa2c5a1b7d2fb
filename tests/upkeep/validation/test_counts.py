from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from asdbench.api import Clip
from asdbench.datasets import open_dataset
from asdbench.datasets.dcase import DcaseDataset, SoundReader
from asdbench.upkeep.validation.counts import Count, compare, count, official
from asdbench.upkeep.validation.findings import Finding


def benchmark(shared: Path) -> list[Clip]:
    """All clips of DCASE 2021, by the reference's own counts; evaluation clips are numbered across labels."""
    clips: list[Clip] = []
    with (shared / "reference" / "dcase2021_counts.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            part = {"additional_training": "additional"}.get(row["dataset"], row["dataset"])
            stem = f"section_{row['section']}_{row['domain']}_{row['split']}"
            before = 0
            for label in ("normal", "anomaly"):
                for number in range(int(row[f"n_{label}"])):
                    name = f"{stem}_{label}_{number:04d}_x.wav"
                    if part == "eval":
                        name = f"{stem}_{before + number:04d}.wav"
                    clips.append(
                        Clip(name, row["machine"], row["section"], row["domain"], row["split"], part, label, Path(name))  # type: ignore[arg-type]
                    )
                before += int(row[f"n_{label}"])
    return clips


def findings(clips: Sequence[Clip], complete: bool = False, **changed: Any) -> dict[str, Finding]:
    data = replace(DcaseDataset(2021, "dcase2021:ROOT", clips, SoundReader(None, 16000)), **changed)
    found = compare(data, count(data.clips), official(data), complete)
    return {finding.title.partition(",")[0]: finding for finding in found}


@pytest.mark.shared
def test_the_whole_benchmark_is_as_expected(shared: Path) -> None:
    clips = benchmark(shared)
    assert len(clips) == 59504
    assert findings(clips, complete=True) == {}


@pytest.mark.shared
def test_a_machine_or_part_may_be_absent_as_a_whole_unless_all_is_wanted(shared: Path) -> None:
    clips = [clip for clip in benchmark(shared) if clip.machine in ("fan", "pump") and clip.part != "additional"]
    clips = [clip for clip in clips if (clip.machine, clip.part) != ("pump", "eval")]
    (absent,) = findings(clips).values()
    assert not absent.wrong
    assert "dev: ToyCar, ToyTrain, gearbox, slider, valve" in absent.items
    assert "additional: all machines" in absent.items
    assert "eval: ToyCar, ToyTrain, gearbox, pump, slider, valve" in absent.items
    assert findings(clips, complete=True)["absent as a whole"].wrong


@pytest.mark.shared
def test_less_than_a_part_is_missing_and_named(shared: Path) -> None:
    clips = benchmark(shared)
    lost = {
        "section_01_source_train_normal_0004_x.wav",
        *(f"section_01_source_train_normal_00{number}_x.wav" for number in range(40, 50)),
        "section_04_target_test_0007.wav",
    }
    kept = [clip for clip in clips if not (clip.machine == "fan" and clip.name in lost)]
    assert findings(kept)["missing clips"].items == (
        "fan 01 source train normal: 989 of 1000; not there: 0004, 0040 to 0049",
        "fan 04 target test: 199 of 200; not there: 0007",
    )
    without_section = [clip for clip in clips if (clip.machine, clip.section, clip.split) != ("slider", "01", "test")]
    assert findings(without_section)["missing clips"].items == (
        "slider 01 source test: 0 of 200",
        "slider 01 target test: 0 of 198",
    )
    assert findings(kept)["missing clips"].wrong


@pytest.mark.shared
def test_more_than_there_should_be(shared: Path) -> None:
    clips = benchmark(shared)
    another = Clip(
        "section_00_source_test_anomaly_0100.wav", "fan", "00", "source", "test", "dev", "anomaly", Path("x")
    )
    strange = Clip(
        "section_07_source_test_anomaly_0000.wav", "fan", "07", "source", "test", "dev", "anomaly", Path("x")
    )
    found = findings([*clips, another, strange])
    assert found["more clips than there should be"].items == (
        "fan 00 source test anomaly: 101, not 100",
        "fan 07 source test: 1, DCASE 2021 has none there",
    )
    assert found["more clips than there should be"].wrong


@pytest.mark.shared
def test_labels_that_are_not_known_are_counted_together(shared: Path) -> None:
    clips = [replace(clip, label=None) if clip.part == "eval" else clip for clip in benchmark(shared)]
    assert findings(clips) == {}
    assert findings(clips[:-1])["missing clips"].items[0].startswith("valve 05 target test: 199 of 200")


@pytest.mark.shared
def test_swapped_labels_do_not_cancel_out(shared: Path) -> None:
    clips = benchmark(shared)
    at = next(n for n, clip in enumerate(clips) if (clip.machine, clip.section, clip.label) == ("fan", "00", "anomaly"))
    clips[at] = replace(clips[at], label="normal")
    found = findings(clips)
    assert found["missing clips"].items[0].startswith("fan 00 source test anomaly: 99 of 100")
    assert found["more clips than there should be"].items == ("fan 00 source test normal: 101, not 100",)


@pytest.mark.parametrize(
    ("machine", "changed"), [("coffee", {}), ("fan", {"year": 2022}), ("fan", {"stamps": ("synthetic data",)})]
)
def test_no_counts_are_made_up_for_other_data(machine: str, changed: dict[str, Any]) -> None:
    clip = Clip("section_00_source_train_normal_0000.wav", machine, "00", "source", "train", "dev", "normal", Path("x"))
    (note,) = findings([clip], **changed).values()
    assert "no official counts are known" in note.title
    assert not note.wrong


@pytest.mark.shared
def test_machines_of_ones_own_stand_beside_official_ones(shared: Path) -> None:
    own = Clip("section_00_source_train_normal_0000.wav", "coffee", "00", "source", "train", "dev", "normal", Path("x"))
    note = findings([*benchmark(shared), own])["machines that DCASE 2021 does not have: no counts are known"]
    assert note.items == ("coffee",)
    assert not note.wrong


def test_a_count_agrees_as_far_as_labels_are_known() -> None:
    assert Count(3, 2, 5).agrees(Count(5, 5))
    assert not Count(6, 0, 4).agrees(Count(5, 5))
    assert not Count(3, 2, 4).agrees(Count(5, 5))


@pytest.mark.shared
@pytest.mark.parametrize("year", [2020, 2023, 2024, 2025])
def test_evaluation_clips_of_other_years_are_held_against_their_ground_truth(
    shared: Path, tmp_path: Path, year: int
) -> None:
    """The lists' own names, as files: whole, then without one; development clips are counted, not compared."""
    lists = shared / "reference" / "ground_truth" / f"eval_data_list_{year}.csv"
    (tmp_path / "ground_truth").mkdir()
    shutil.copy(lists, tmp_path / "ground_truth")
    machine = ""
    with lists.open(newline="") as file:
        for row in csv.reader(file):
            if len(row) == 1:
                machine = row[0]
                (tmp_path / "eval_data" / machine / "test").mkdir(parents=True)
            else:
                (tmp_path / "eval_data" / machine / "test" / row[0]).touch()
    data = cast(DcaseDataset, open_dataset(f"dcase{year}:{tmp_path}")[0])
    assert len(data.clips) > 1000
    assert compare(data, count(data.clips), official(data), complete=True) == []
    lost = data.clips[700]
    fewer = replace(data, clips=[clip for clip in data.clips if clip is not lost])
    (missing,) = compare(fewer, count(fewer.clips), official(fewer), complete=True)
    assert missing.title == "missing clips"
    assert f"{lost.machine} {lost.section}" in missing.items[0]
    if year == 2023:
        first = replace(data.clips[0], machine="fan", section="00", split="train", part="dev", label="normal")
        more = replace(data, clips=[*data.clips, first])
        (note,) = compare(more, count(more.clips), official(more), complete=True)
        assert (note.title, note.items, note.wrong) == ("parts of which no official counts are known", ("dev",), False)
