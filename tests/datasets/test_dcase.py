from __future__ import annotations

import os
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdbench.datasets import fingerprint
from asdbench.datasets.dcase import MisfitsError, dcase2021
from asdbench.errors import ClipError, DataError

TRAIN = "section_00_source_train_normal_0000_strength_1.wav"
NORMAL = "section_00_source_test_normal_0000.wav"
ANOMALY = "section_00_source_test_anomaly_0000.wav"


def put(root: Path, *paths: str, content: bytes = b"") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content or path.encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small data set with both parts, under ``data set`` to have a blank in its path."""
    root = tmp_path / "data set"
    for machine in ("fan", "ToyCar"):
        put(
            root,
            f"dev_data/{machine}/train/{TRAIN}",
            f"dev_data/{machine}/source_test/{NORMAL}",
            f"dev_data/{machine}/source_test/{ANOMALY}",
            f"dev_data/{machine}/target_test/section_00_target_test_normal_0000.wav",
            f"eval_data/{machine}/train/section_03_target_train_normal_0002.wav",
            f"eval_data/{machine}/source_test/section_03_source_test_0000.wav",
        )
    return root


def error(root: Path | str, **parameters: object) -> DataError:
    with pytest.raises(DataError) as caught:
        dcase2021(str(root), **parameters)  # type: ignore[arg-type]
    assert type(caught.value) in (DataError, MisfitsError)
    assert caught.value.exit_code == 4
    assert caught.value.looked
    assert caught.value.hint
    return caught.value


def test_every_clip_stands_in_the_index_sorted_with_its_fields(root: Path) -> None:
    data = dcase2021(str(root))
    assert [(clip.machine, clip.name) for clip in data.clips] == sorted((c.machine, c.name) for c in data.clips)
    assert len(data.clips) == 12
    fan = {clip.name: clip for clip in data.clips if clip.machine == "fan"}
    train, anomaly = fan[TRAIN], fan[ANOMALY]
    assert (train.split, train.part, train.section, train.domain, train.label) == (
        "train",
        "dev",
        "00",
        "source",
        "normal",
    )
    assert (anomaly.split, anomaly.part, anomaly.label) == ("test", "dev", "anomaly")
    assert train.path == root / "dev_data" / "fan" / "train" / TRAIN
    assert train.row is None
    additional = fan["section_03_target_train_normal_0002.wav"]
    assert (additional.part, additional.domain, additional.split) == ("additional", "target", "train")
    assert fan["section_03_source_test_0000.wav"].part == "eval"
    assert (data.name, data.stamps, data.profile, data.features, data.remarks) == ("dcase2021", (), "full", None, ())


def test_evaluation_clips_have_the_official_labels(root: Path) -> None:
    put(root, "eval_data/fan/source_test/section_03_source_test_0002.wav")
    put(root, "eval_data/fan/source_test/section_03_source_test_9999.wav")
    put(root, "eval_data/coffee/source_test/section_03_source_test_0000.wav")
    put(root, "eval_data/fan/source_test/section_04_source_test_anomaly_0000.wav")
    labels = {(c.machine, c.name): c.label for c in dcase2021(str(root)).clips if c.part == "eval"}
    # As the first lines of the organizers' ground_truth_{fan,ToyCar}_section_03_source_test.csv have it.
    assert labels["fan", "section_03_source_test_0000.wav"] == "anomaly"
    assert labels["ToyCar", "section_03_source_test_0000.wav"] == "normal"
    assert labels["fan", "section_03_source_test_9999.wav"] is None
    assert labels["coffee", "section_03_source_test_0000.wav"] is None
    assert labels["fan", "section_04_source_test_anomaly_0000.wav"] == "anomaly"
    named = {(c.machine, c.name): c.label for c in dcase2021(str(root), truth="none").clips if c.part == "eval"}
    assert named["fan", "section_03_source_test_0000.wav"] is None
    assert named["fan", "section_04_source_test_anomaly_0000.wav"] == "anomaly"


@pytest.mark.parametrize(
    ("kept", "remarks"),
    [
        (f"dev_data/fan/train/{TRAIN}", ("fan has no test clips",)),
        (f"dev_data/fan/source_test/{ANOMALY}", ()),
        ("eval_data/fan/source_test/section_03_source_test_0000.wav", ()),
    ],
)
def test_any_part_of_a_data_set_will_do(tmp_path: Path, kept: str, remarks: tuple[str, ...]) -> None:
    put(tmp_path, kept)
    data = dcase2021(str(tmp_path))
    assert len(data.clips) == 1
    assert data.remarks == remarks


def test_files_that_are_no_clips_are_left_alone(root: Path) -> None:
    before = dcase2021(str(root)).clips
    put(root, "dev_data/fan/train/._" + TRAIN, "dev_data/fan/train/.DS_Store", "dev_data/fan/attributes_00.csv")
    put(root, "dev_data/fan/train/notes.txt", "dev_data/README.md", "readme.wav", "dev_data/__MACOSX/fan/train/._a.wav")
    put(root, "dev_data/.cache/train/x.wav")
    assert dcase2021(str(root)).clips == before


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    put(tmp_path, "dev_data/fan/train/section_00_source_train_normal_0000.WAV")
    assert [clip.name for clip in dcase2021(str(tmp_path)).clips] == ["section_00_source_train_normal_0000.WAV"]


def test_links_to_files_machines_and_parts_are_followed(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "linked"
    (other / "dev_data" / "fan" / "train").mkdir(parents=True)
    (other / "dev_data" / "fan" / "train" / TRAIN).symlink_to(root / "dev_data" / "fan" / "train" / TRAIN)
    (other / "dev_data" / "ToyCar").symlink_to(root / "dev_data" / "ToyCar")
    (other / "eval_data").symlink_to(root / "eval_data")
    (tmp_path / "root").symlink_to(other)
    data = dcase2021(str(tmp_path / "root"))
    assert Counter(clip.machine for clip in data.clips) == {"ToyCar": 6, "fan": 3}
    original = {(clip.machine, clip.name): dcase2021(str(root)).digest(clip) for clip in dcase2021(str(root)).clips}
    assert {(c.machine, c.name): data.digest(c) for c in data.clips}.items() <= original.items()


def test_links_that_a_copy_wrote_out_as_text_are_followed_and_remarked(root: Path, tmp_path: Path) -> None:
    original = root / "dev_data" / "fan" / "source_test"
    copy = tmp_path / "copy" / "dev_data" / "fan" / "source_test"
    copy.mkdir(parents=True)
    for name in (NORMAL, ANOMALY):
        (copy / name).write_text(f"../../../../{root.name}/dev_data/fan/source_test/{name}")
    data = dcase2021(str(tmp_path / "copy"))
    assert [clip.path for clip in data.clips] == [original / ANOMALY, original / NORMAL]
    assert [clip.name for clip in data.clips] == [ANOMALY, NORMAL]
    assert "as text" in data.remarks[0]
    (copy / ANOMALY).write_text("../nowhere.wav")
    assert dcase2021(str(tmp_path / "copy")).clips[0].path == copy / ANOMALY


def test_relative_roots_and_home_folders(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    data = dcase2021("data set")
    assert data.spec == "dcase2021:data set"
    monkeypatch.chdir("/")
    assert data.clips[0].path is not None
    assert data.clips[0].path.is_file()
    monkeypatch.setenv("HOME", str(root.parent))
    assert len(dcase2021("~/data set").clips) == 12


def test_the_spec_shows_what_was_changed(root: Path) -> None:
    assert dcase2021(str(root), channel=1, rate="any").spec == f"dcase2021[channel=1,rate=any]:{root}"


def test_names_outside_the_grammar_are_listed(root: Path) -> None:
    put(root, *(f"dev_data/fan/source_test/anomaly_id_00_{number:08d}.wav" for number in range(7)))
    put(root, "dev_data/fan/train/section_00_source_test_normal_0001.wav")
    caught = error(root)
    assert "8 clips" in caught.message
    assert caught.looked.startswith("dev_data/fan/source_test/anomaly_id_00_00000000.wav; ")
    assert caught.looked.endswith("; and 3 more")
    assert isinstance(caught, MisfitsError)
    assert caught.files[-1] == "dev_data/fan/train/section_00_source_test_normal_0001.wav"


def test_a_name_in_both_parts_is_refused(root: Path) -> None:
    put(root, f"eval_data/fan/source_test/{ANOMALY}")
    caught = error(root)
    assert ANOMALY in caught.message
    assert "dev_data" in caught.looked
    assert "eval_data" in caught.looked


def test_no_root(tmp_path: Path) -> None:
    assert "nowhere" in error(tmp_path / "nowhere").message
    (tmp_path / "file").write_text("")
    assert "a file" in error(tmp_path / "file").looked


def test_an_empty_root(tmp_path: Path) -> None:
    assert "empty" in error(tmp_path).looked
    (tmp_path / "dev_data").mkdir()
    assert "no clips" in error(tmp_path).message


@pytest.mark.parametrize("below", ["dev_data", "dev_data/fan", "dev_data/fan/train", "eval_data"])
def test_a_root_too_deep_is_pointed_out(root: Path, below: str) -> None:
    assert f"did you mean dcase2021:{root}" in error(root / below).hint


def test_a_root_not_deep_enough_is_pointed_out(root: Path) -> None:
    assert f"did you mean dcase2021:{root}" in error(root.parent).hint


def test_machine_folders_without_dev_data_are_taken_as_they_are(root: Path) -> None:
    before = {(clip.machine, clip.name): clip.part for clip in dcase2021(str(root)).clips}
    (root / "dev_data").rename(root.parent / "machines")
    for path in (root / "eval_data").glob("*/*/*"):  # sections 03 to 05 are known to be of the evaluation set
        path.rename(root.parent / "machines" / path.relative_to(root / "eval_data"))
    assert {(clip.machine, clip.name): clip.part for clip in dcase2021(str(root.parent / "machines")).clips} == before
    assert dcase2021(str(root.parent / "machines")).remarks == ()
    (root.parent / "machines" / "fan").rename(root.parent / "machines" / "coffee")
    assert dcase2021(str(root.parent / "machines")).remarks == (
        "not in dev_data or eval_data, and no machine of 2021: coffee",
    )


def test_archives_still_packed_are_pointed_out(tmp_path: Path) -> None:
    put(tmp_path, "dev_data_fan.zip", "dev_data_pump.zip")
    assert "dev_data_fan.zip" in error(tmp_path).hint
    (tmp_path / "dev_data").mkdir()
    (tmp_path / "dev_data_fan.zip").rename(tmp_path / "dev_data" / "dev_data_fan.zip")
    caught = error(tmp_path)
    assert "packed" in caught.message
    assert "dev_data_fan.zip" in caught.looked


def test_given_features_are_pointed_out(tmp_path: Path) -> None:
    put(tmp_path, "index.csv", "features.npy")
    assert f"features:{tmp_path}" in error(tmp_path).hint


def test_folders_without_clips_are_remarked_and_the_rest_is_there(root: Path) -> None:
    (root / "dev_data" / "valve" / "train").mkdir(parents=True)
    (root / "dev_data" / "pump" / "tests").mkdir(parents=True)
    put(root, "dev_data/gearbox/source_test/section_00_source_test_normal_0000.wav.part")
    data = dcase2021(str(root))
    assert {clip.machine for clip in data.clips} == {"fan", "ToyCar"}
    assert data.remarks == (
        "dev_data/gearbox/source_test holds an unfinished copy (.part, .tmp or the like)",
        "dev_data/gearbox/source_test holds no .wav file",
        "dev_data/pump holds none of train, test, source_test, target_test",
        "dev_data/valve/train holds no .wav file",
    )


def test_machines_without_test_clips_are_remarked(root: Path) -> None:
    put(root, f"dev_data/pump/train/{TRAIN}")
    assert dcase2021(str(root)).remarks == ("pump has no test clips",)
    put(root, f"dev_data/valve/train/{TRAIN}")
    (root / "dev_data" / "valve" / "source_test").mkdir()
    assert dcase2021(str(root)).remarks == (
        "dev_data/valve/source_test holds no .wav file",
        "pump, valve have no test clips",
    )


def test_unfinished_copies_are_counted(root: Path) -> None:
    before = dcase2021(str(root))
    endings = (".wav.part", ".wav.crdownload", ".WAV.TMP", ".wav.partial")
    put(root, *(f"dev_data/fan/train/section_00_source_train_normal_0009{ending}" for ending in endings))
    put(root, "dev_data/fan/train/notes.txt", "eval_data/fan/source_test/Unconfirmed 12.crdownload")
    data = dcase2021(str(root))
    assert data.clips == before.clips
    assert data.remarks == (
        "dev_data/fan/train holds 4 unfinished copies (.part, .tmp or the like)",
        "eval_data/fan/source_test holds an unfinished copy (.part, .tmp or the like)",
    )


LATIN = os.fsdecode("Lüfter".encode("latin-1"))


# Elsewhere a file cannot have such a name, and there is nothing to list.
@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_names_that_are_not_utf8_are_listed_when_the_data_set_is_opened(root: Path) -> None:
    put(root, "dev_data/Lüfter/source_test/" + NORMAL)  # letters outside ASCII are fine
    assert "Lüfter" in {clip.machine for clip in dcase2021(str(root)).clips}
    try:
        path = root / "dev_data" / "fan" / "train" / f"section_00_source_train_normal_0003_{LATIN}.wav"
        path.write_bytes(b"x")
        (root / "dev_data" / LATIN).mkdir()
    except OSError:
        pytest.skip("this file system refuses such names")
    caught = error(root)
    assert caught.message == "1 name is not UTF-8"
    assert caught.looked == r"dev_data/fan/train/section_00_source_train_normal_0003_L\xfcfter.wav"
    path.unlink()
    assert dcase2021(str(root)).remarks[0].startswith(r"dev_data/L\xfcfter holds none of")
    (root / "dev_data" / LATIN / "train").mkdir()
    assert error(root).looked == r"dev_data/L\xfcfter"
    str(error(root)).encode()


def test_a_root_marked_as_synthetic_is_stamped(root: Path) -> None:
    assert dcase2021(str(root)).stamps == ()
    before = dcase2021(str(root))
    put(root, "SYNTHETIC.txt")
    data = dcase2021(str(root))
    assert data.stamps == ("synthetic data",)
    assert (data.clips, data.remarks, data.spec) == (before.clips, before.remarks, before.spec)
    assert fingerprint(data, data.clips) == fingerprint(before, before.clips)


def test_only_folders_without_clips(tmp_path: Path) -> None:
    (tmp_path / "dev_data" / "fan" / "train").mkdir(parents=True)
    assert "dev_data/fan/train holds no .wav file" in error(tmp_path).looked


def test_a_folder_one_may_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def guarded(folder: Path) -> object:
        if folder.name == "train":  # by hand, because a chmod does not stop root
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    caught = error(root)
    assert "cannot list train: Permission denied" in caught.message
    assert str(root) in caught.looked


def write_sound(path: Path, channels: int = 1, rate: int = 16000) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(channels).integers(-20000, 20000, (800, channels)).astype(np.int16)
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return samples


def test_the_reader_reads_in_another_process_what_the_file_holds(tmp_path: Path) -> None:
    samples = write_sound(tmp_path / "dev_data" / "fan" / "train" / TRAIN)
    data = dcase2021(str(tmp_path))
    # Worker processes are sent it so; what is pickled is our own, a moment ago.
    sound = pickle.loads(pickle.dumps(data.reader))(data.clips[0])
    assert sound.rate == 16000
    np.testing.assert_array_equal(sound.samples, samples[:, 0].astype(np.float32) / 32768)


def test_channels_and_rates_are_taken_as_asked(tmp_path: Path) -> None:
    samples = write_sound(tmp_path / "dev_data" / "fan" / "train" / TRAIN, channels=8, rate=44100)
    data = dcase2021(str(tmp_path), channel=3, rate="any")
    sound = data.reader(data.clips[0])
    assert sound.rate == 44100
    np.testing.assert_array_equal(sound.samples, samples[:, 3].astype(np.float32) / 32768)
    for parameters in ({"rate": "any"}, {"channel": 3}, {"channel": 8, "rate": "any"}):
        other = dcase2021(str(tmp_path), **parameters)
        with pytest.raises(ClipError) as caught:
            other.reader(other.clips[0])
        assert TRAIN in str(caught.value)


def test_an_unreadable_file_harms_no_other(tmp_path: Path) -> None:
    samples = write_sound(tmp_path / "dev_data" / "fan" / "train" / TRAIN)
    put(tmp_path, f"dev_data/fan/source_test/{NORMAL}", content=b"RIFF cut short")
    data = dcase2021(str(tmp_path))
    by_name = {clip.name: clip for clip in data.clips}
    with pytest.raises(ClipError):
        data.reader(by_name[NORMAL])
    assert len(data.reader(by_name[TRAIN]).samples) == len(samples)


def test_digests_follow_content_and_channel(root: Path) -> None:
    data = dcase2021(str(root))
    clip, path = data.clips[0], data.clips[0].path
    assert path is not None
    before, printed = data.digest(clip), fingerprint(data, data.clips)
    assert data.digest_many(data.clips) == [data.digest(clip) for clip in data.clips]
    assert dcase2021(str(root), channel=0).digest(clip) != dcase2021(str(root), channel=1).digest(clip)
    path.write_bytes(b"other content")
    assert data.digest(clip) != before
    assert fingerprint(data, data.clips) != printed


@pytest.mark.shared
def test_the_real_recordings_are_indexed(shared: Path) -> None:
    data = dcase2021(str(shared / "real" / "layout2021"))
    counts = Counter((clip.split, clip.label) for clip in data.clips)
    assert counts == {("train", "normal"): 12, ("test", "normal"): 8, ("test", "anomaly"): 20}
    assert {(clip.machine, clip.section, clip.domain) for clip in data.clips} == {("fan", "00", "source")}
    assert len({data.digest(clip) for clip in data.clips}) == 40
    sound = data.reader(data.clips[0])
    assert (sound.rate, len(sound.samples)) == (16000, 160000)
