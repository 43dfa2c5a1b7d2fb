"""The data sets of every year, on trees of tiny clips and on real ones."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdbench.api import Clip, Dataset
from asdbench.datasets import dcase, fingerprint, open_dataset
from asdbench.datasets.dcase import DcaseDataset, dcase2020, dcase2021, dcase2022, dcase2023, dcase2026
from asdbench.datasets.years import YEARS
from asdbench.errors import ClipError, DataError
from asdbench.published import official_counts
from tests.conftest import MakeTree
from tests.trees import TEST, TRAIN, write_tree

LAYOUTS = ("official", "raw", "bare", "zips")


def opened(year: int, root: Path, **parameters: object) -> DcaseDataset:
    make: Callable[..., DcaseDataset] = getattr(dcase, f"dcase{year}")
    return make(str(root), **parameters)


def seen(clips: object) -> Counter[tuple[str, str, str]]:
    assert isinstance(clips, list)
    return Counter((clip.part, clip.machine, clip.split) for clip in clips)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_year_is_indexed_in_every_layout(tmp_path: Path, year: int, layout: str) -> None:
    made = write_tree(tmp_path, year, scale=0.01, layout=layout)
    data: Dataset = opened(year, tmp_path)
    expected: Counter[tuple[str, str, str]] = Counter()
    for (part, machine, folder), count in made.items():
        expected[part, machine, "train" if folder == "train" else "test"] += count
    assert seen(data.clips) == expected
    assert (data.year, data.name) == (year, f"dcase{year}")
    assert {(clip.machine, clip.section) for clip in data.clips} == {
        (machine, section)
        for sections in (YEARS[year].dev, YEARS[year].eval)
        for machine, those in sections.items()
        for section in those
    }
    assert [(clip.machine, clip.name) for clip in data.clips] == sorted({(c.machine, c.name) for c in data.clips})
    for clip in data.clips:
        assert clip.path is not None
        assert clip.path.is_file()
        assert clip.domain in (
            ("",) if year == 2020 else ("source", "target", "") if clip.part == "eval" else ("source", "target")
        )
        assert clip.label in (("normal",) if clip.split == "train" else ("normal", "anomaly", None))
        assert (clip.label is None) == (clip.part == "eval" and year not in (2021, 2022))
    assert data.reader is not None
    assert len(data.reader(data.clips[0]).samples) == 32


def test_2021_has_its_true_counts(tmp_path: Path) -> None:
    write_tree(tmp_path, 2021)
    data = dcase2021(str(tmp_path))
    counts = Counter((c.machine, c.section, c.domain, c.split, c.label) for c in data.clips)
    assert counts == {key: count for key, count in official_counts().items() if count}
    assert data.remarks == ()


@pytest.mark.shared
@pytest.mark.parametrize("year", [2020, 2021, 2023, 2024, 2025])
def test_evaluation_clips_are_what_the_ground_truth_says(tmp_path: Path, shared: Path, year: int) -> None:
    truth = shared / "reference" / "ground_truth" / f"eval_data_list_{year}.csv"
    write_tree(tmp_path, year, truth=truth, parts=("eval",))
    clips = {(clip.machine, clip.name): clip for clip in opened(year, tmp_path).clips}
    machine, rows = "", 0
    with truth.open(newline="") as file:
        for row in csv.reader(file):
            if len(row) == 1:
                machine = row[0]
                continue
            clip, rows = clips[machine, row[0]], rows + 1
            assert clip.label == ("anomaly" if "anomaly" in row[1] else "normal")
            assert clip.domain == ("" if year == 2020 else "target" if "_target_" in row[1] else "source")
            assert all(value in row[1] for _, value in clip.attributes)
            assert bool(clip.attributes) == (year >= 2022 and "noAttribute" not in row[1])
    assert rows == len(clips)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["section_{}_{:04d}.wav", "section_{}_test_{:04d}.wav"])
def test_evaluation_clips_of_2022_are_what_the_evaluator_says_without_any_list(
    tmp_path: Path, shared: Path, name: str
) -> None:
    with (shared / "reference" / "ground_truth" / "evaluator_2022.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["clip"].startswith("section_04")]
    answers = {}
    for row in rows:
        _, section, number = row["clip"].removesuffix(".wav").split("_")
        file_name = name.format(section, int(number))
        (tmp_path / "eval_data" / row["machine"] / "test").mkdir(parents=True, exist_ok=True)
        (tmp_path / "eval_data" / row["machine"] / "test" / file_name).write_bytes(b"")
        answers[row["machine"], file_name] = (int(row["anomaly"]), int(row["target_domain"]))
    clips = opened(2022, tmp_path).clips
    found = {(c.machine, c.name): (int(c.label == "anomaly"), int(c.domain == "target")) for c in clips}
    assert len(found) == 1400
    assert found == answers
    assert all(clip.label is None for clip in dcase2022(str(tmp_path), truth="none").clips)


LIST = "bandsaw\nsection_00_0000.wav,section_00_target_test_anomaly_0000_vel_15.wav\n"


@pytest.mark.parametrize(
    "place", ["ground_truth/eval_data_list_2023.csv", "ground_truth/eval_data_list.csv", "eval_data_list_2023.csv"]
)
def test_a_ground_truth_list_is_found_in_the_root(make_tree: MakeTree, place: str) -> None:
    root = make_tree(2023, machines=("bandsaw",))
    before = dcase2023(str(root))
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).write_text(LIST)
    data = dcase2023(str(root))
    known = [(c.name, c.label, c.domain, c.attributes) for c in data.clips if c.part == "eval" and c.label]
    assert known == [("section_00_0000.wav", "anomaly", "target", (("vel", "15"),))]
    assert data.spec == before.spec
    (rest,) = [remark for remark in data.remarks if "no label" in remark]
    assert rest.startswith(f"{4 * TEST - 1} test clips have no label")
    assert "eval_data_list" in rest


def test_a_ground_truth_is_named_or_left_alone(make_tree: MakeTree, tmp_path: Path) -> None:
    root, path = make_tree(2023, machines=("bandsaw",)), tmp_path / "elsewhere.csv"
    path.write_text(LIST)
    data = dcase2023(str(root), truth=str(path))
    assert sum(clip.label == "anomaly" and clip.part == "eval" for clip in data.clips) == 1
    assert data.spec == f"dcase2023[truth={path}]:{root}"
    assert open_dataset(data.spec)[0].clips == data.clips
    (root / "eval_data_list.csv").write_text(LIST)
    assert not any(clip.label for clip in dcase2023(str(root), truth="none").clips if clip.part == "eval")


def test_the_other_form_of_an_evaluation_clips_name(make_tree: MakeTree) -> None:
    root = make_tree(2023, machines=("bandsaw",), parts=("eval",))
    folder = root / "eval_data" / "bandsaw" / "test"
    (folder / "section_00_0000.wav").rename(folder / "section_00_test_0000.wav")
    (root / "eval_data_list.csv").write_text(LIST)
    assert {clip.name: clip.label for clip in dcase2023(str(root)).clips}["section_00_test_0000.wav"] == "anomaly"


@pytest.mark.parametrize(
    ("text", "words"), [("no list", "no ground truth of 2023"), ("bandsaw\nid_00_00000000.wav,x\n", "line 2")]
)
def test_a_ground_truth_that_is_none_is_an_error(make_tree: MakeTree, text: str, words: str) -> None:
    root = make_tree(2023, machines=("bandsaw",))
    (root / "eval_data_list_2023.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        dcase2023(str(root))
    assert words in str(caught.value)
    with pytest.raises(DataError, match="no ground truth at"):
        dcase2023(str(root), truth="nowhere.csv")


def test_where_no_ground_truth_is_it_says_where_to_put_one(make_tree: MakeTree) -> None:
    (remark,) = dcase2023(str(make_tree(2023, machines=("bandsaw", "fan")))).remarks
    assert remark.startswith(f"{4 * TEST} test clips have no label: put eval_data_list_2023.csv into ROOT/ground_truth")


def test_in_2020_training_and_test_clips_of_one_name_are_told_apart(make_tree: MakeTree) -> None:
    data = dcase2020(str(make_tree(2020, machines=("fan",), parts=("dev",))))
    names = [clip.name for clip in data.clips if clip.section == "00" and "normal" in clip.name]
    assert names == [f"normal_id_00_{n:08d}.wav" for n in range(TEST)] + [
        f"train/normal_id_00_{n:08d}.wav" for n in range(TRAIN)
    ]
    assert {clip.domain for clip in data.clips} == {""}


@pytest.mark.parametrize(
    ("year", "folder", "machine"),
    [(2020, "slide_rail", "slider"), (2020, "toyconveyor", "ToyConveyor"), (2025, "bandsealer", "BandSealer")],
)
def test_other_spellings_of_a_machine_are_the_years(make_tree: MakeTree, year: int, folder: str, machine: str) -> None:
    root = make_tree(year, machines=(machine,))
    for path in root.glob(f"*_data/{machine}"):
        path.rename(path.with_name(folder))
    data = opened(year, root)
    assert {clip.machine for clip in data.clips} == {machine}
    assert f"{folder} is called {machine}, as in {year}" in data.remarks


def test_any_folder_is_a_machine(make_tree: MakeTree) -> None:
    root = make_tree(2023, machines=("fan",))
    (root / "dev_data" / "fan").rename(root / "dev_data" / "coffee machine")
    assert {clip.machine for clip in dcase2023(str(root)).clips} == {"coffee machine"}


def test_the_2026_layout_is_stamped_as_assumed_and_its_first_channel_taken(tmp_path: Path) -> None:
    name = "section_00_source_train_normal_0000_noAttribute.wav"
    stereo = np.random.default_rng(0).integers(-20000, 20000, (800, 2)).astype(np.int16)
    for year in (2025, 2026):
        path = tmp_path / str(year) / "dev_data" / "fan" / "train" / name
        path.parent.mkdir(parents=True)
        soundfile.write(path, stereo, 16000)
    before, data = opened(2025, tmp_path / "2025"), dcase2026(str(tmp_path / "2026"))
    assert before.stamps == ()
    assert data.stamps == ("the 2026 layout is assumed",)
    assert data.spec == f"dcase2026[channel=0]:{tmp_path / '2026'}"
    np.testing.assert_array_equal(data.reader(data.clips[0]).samples * 32768, stereo[:, 0])
    with pytest.raises(ClipError, match="2 channels"):
        before.reader(before.clips[0])
    second = dcase2026(str(tmp_path / "2026"), channel=1)
    np.testing.assert_array_equal(second.reader(second.clips[0]).samples * 32768, stereo[:, 1])
    assert fingerprint(second, second.clips) != fingerprint(data, data.clips)


def test_flac_is_a_clip_under_its_official_name(make_tree: MakeTree, tmp_path: Path) -> None:
    root = make_tree(2023, machines=("fan",), parts=("dev",))
    before = dcase2023(str(root))
    for path in root.glob("dev_data/fan/*/*.wav"):
        samples, rate = soundfile.read(path, dtype="int16")
        soundfile.write(path.with_suffix(".flac"), samples, rate)
        path.unlink()
    data = dcase2023(str(root))
    assert [clip.name for clip in data.clips] == [clip.name for clip in before.clips]
    assert {clip.path.suffix for clip in data.clips if clip.path} == {".flac"}
    np.testing.assert_array_equal(data.reader(data.clips[0]).samples * 32768, samples)
    both = root / "dev_data" / "fan" / "train" / data.clips[-1].name
    both.write_bytes(b"")
    with pytest.raises(DataError, match="two clips of fan"):
        dcase2023(str(root))


def test_supplemental_sound_is_left_out_and_said(make_tree: MakeTree) -> None:
    root = make_tree(2025, machines=("fan",), parts=("dev",))
    before = opened(2025, root)
    folder = root / "dev_data" / "fan" / "supplemental"
    folder.mkdir()
    (folder / "section_00_source_supplemental_machine_0000.wav").write_bytes(b"")
    data = opened(2025, root)
    assert data.clips == before.clips
    assert "supplemental sound is left out (fan)" in data.remarks


def test_another_years_names_say_whose_they_are(make_tree: MakeTree) -> None:
    for year, other in ((2020, 2022), (2021, 2023), (2022, 2021)):
        with pytest.raises(DataError) as caught:
            opened(other, make_tree(year, machines=("fan",)))
        assert f"do not fit the names of the {other} data set" in caught.value.message
        assert str(year) in caught.value.hint


def test_spectators_in_the_root_are_left_alone(make_tree: MakeTree) -> None:
    root = make_tree(2022, machines=("fan",))
    before = dcase2022(str(root)).clips
    for name in ("results/fan/test/a.wav", "papers/a.pdf", "mine/a.wav", ".cache/train/x.wav"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes(b"")
    assert dcase2022(str(root)).clips == before


def test_a_large_data_set_is_indexed_quickly(tmp_path: Path) -> None:
    made = sum(write_tree(tmp_path, 2021, machines=("fan", "gearbox"), parts=("dev", "additional")).values())
    started = time.process_time()
    assert len(dcase2021(str(tmp_path)).clips) == made > 10_000
    assert time.process_time() - started < 2  # 0.2 s here; 50,000 clips in 10 s is what is asked


@pytest.mark.shared
def test_real_clips_of_2020(shared: Path) -> None:
    data = dcase2020(str(shared / "real" / "dcase2020_lite"))
    assert Counter((clip.machine, clip.label) for clip in data.clips) == {
        (machine, label): 3 for machine in YEARS[2020].machines for label in ("normal", "anomaly")
    }
    assert {clip.split for clip in data.clips} == {"test"}
    assert any("taken as test clips" in remark for remark in data.remarks)
    assert {len(data.reader(clip).samples) for clip in data.clips} <= {160000, 176000}
    one = dcase2020(str(shared / "real" / "dcase2020_id00_train"))
    assert Counter((clip.split, clip.label) for clip in one.clips) == {("train", "normal"): 75, ("test", "anomaly"): 1}
    assert any("the machine is called dcase2020_id00_train" in remark for remark in one.remarks)


@pytest.mark.shared
def test_real_clips_of_2023(shared: Path) -> None:
    data = dcase2023(str(shared / "real" / "dcase2023_samples"))
    assert data.remarks == ()
    assert Counter((clip.machine, clip.split) for clip in data.clips) == {
        (machine, split): 2 for machine in YEARS[2023].dev for split in ("train", "test")
    }
    by_name: dict[str, Clip] = {clip.name: clip for clip in data.clips if clip.machine == "slider"}
    clip = by_name["section_00_target_test_normal_0013_vel_620_ac_0.08.wav"]
    assert (clip.domain, clip.label, clip.attributes) == ("target", "normal", (("vel", "620"), ("ac", "0.08")))
    assert all(clip.attributes and all(key for key, _ in clip.attributes) for clip in data.clips)
    assert {len(data.reader(clip).samples) for clip in data.clips} == {160000, 192000}
