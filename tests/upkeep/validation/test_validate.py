from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdbench import audio
from asdbench.datasets.dcase import MisfitsError, dcase2021
from asdbench.datasets.features import features
from asdbench.upkeep.validation import Finding, Validation, validate
from tests.conftest import MakeFeatures
from tests.upkeep.validation.conftest import OLD, Put

TRAIN = "dev_data/coffee/train/section_00_source_train_normal_{:04d}.wav"
NORMAL = "dev_data/coffee/source_test/section_00_source_test_normal_{:04d}.wav"
ANOMALY = "dev_data/coffee/source_test/section_00_source_test_anomaly_{:04d}.wav"


@pytest.fixture
def root(put: Put, tmp_path: Path) -> Path:
    """Ten training and two test clips of a machine that no year has, so that no counts are known."""
    for number in range(10):
        put(TRAIN.format(number))
    put(NORMAL.format(0))
    put(ANOMALY.format(0))
    return tmp_path / "data"


def check(root: Path, deep: bool = False, quick: bool = False, lenient: bool = False) -> Validation:
    channel, rate = (0, "any") if lenient else (None, "16000")
    return validate(dcase2021(str(root), channel=channel, rate=rate), deep=deep, quick=quick)  # type: ignore[arg-type]


def wrong(found: Validation) -> dict[str, Finding]:
    return {finding.title: finding for finding in found.findings if finding.wrong}


def test_a_sound_data_set_has_nothing_wrong(root: Path) -> None:
    for found in (check(root), check(root, deep=True), check(root, quick=True)):
        assert not found.wrong
        assert found.clips == 12
        assert dict(found.formats) == {"16000 Hz, 1 channel, 0.100 s": 12}
    assert any("--deep" in text for text in check(root).unchecked)
    assert not any("--deep" in text for text in check(root, deep=True).unchecked)
    assert any("--quick" in text for text in check(root, quick=True).unchecked)


def test_copies_are_found_by_content_and_leaks_are_told_apart(root: Path, put: Put) -> None:
    put(TRAIN.format(20), like=100)
    put(TRAIN.format(21), like=100)
    put(TRAIN.format(22), like=200)
    put(NORMAL.format(1), like=200)
    found = wrong(check(root))
    assert found.pop("training clips that also stand in the test, by content").items == (
        f"coffee {Path(NORMAL.format(1)).name} = coffee {Path(TRAIN.format(22)).name}",
    )
    assert found.pop("clips that are there twice, by content").items == (
        f"coffee {Path(TRAIN.format(20)).name} = coffee {Path(TRAIN.format(21)).name}",
    )
    assert not found
    assert not check(root, quick=True).wrong


def test_copies_are_found_in_given_features(make_features: MakeFeatures) -> None:
    folder = make_features()
    assert not validate(features(str(folder))).wrong
    rows = np.load(folder / "features.npy")
    clips = features(str(folder)).clips
    train = next(clip for clip in clips if clip.split == "train")
    test = next(clip for clip in clips if clip.split == "test")
    rows[test.row] = rows[train.row]
    np.save(folder / "features.npy", rows)
    (finding,) = wrong(validate(features(str(folder)))).values()
    assert finding.title == "training clips that also stand in the test, by content"
    assert finding.items == (f"fan {test.name} = fan {train.name}",)
    assert not validate(features(str(folder)), quick=True).wrong


def test_clip_numbers_that_occur_twice_are_named(root: Path, put: Put) -> None:
    put(TRAIN.format(3).replace(".wav", "_other.wav"))
    for found in (check(root), check(root, quick=True)):
        (finding,) = wrong(found).values()
        assert finding.title == "clip numbers that occur twice"
        assert finding.items == (
            "coffee section_00_source_train_normal_0003.wav = coffee section_00_source_train_normal_0003_other.wav",
        )


def test_files_that_cannot_be_read_are_all_named_and_the_rest_is_checked(root: Path, put: Put) -> None:
    (root / TRAIN.format(20)).write_bytes(b"")
    (root / TRAIN.format(21)).write_bytes(b"no sound at all")
    cut = put(TRAIN.format(22))
    cut.write_bytes(cut.read_bytes()[:-100])
    (root / TRAIN.format(23)).symlink_to(root / "nowhere.wav")
    put(TRAIN.format(24), like=5)
    put(TRAIN.format(25), like=5)
    found = wrong(check(root))
    items = found["clips that a run cannot use"].items
    assert len(items) == 4
    for item, words in zip(items, ("empty", "not a sound file", "cut short", "No such file"), strict=True):
        assert words in item
    assert len(found["clips that are there twice, by content"].items) == 1


def test_rate_channels_and_length(root: Path, put: Put) -> None:
    put(NORMAL.format(1), rate=48000, samples=4800)
    put(NORMAL.format(2), channels=2)
    short = put(NORMAL.format(3), samples=1599)
    found = wrong(check(root))
    assert found["clips that are not sampled at 16000 Hz"].items == (f"coffee {Path(NORMAL.format(1)).name}: 48000 Hz",)
    assert found["clips of several channels"].items == (f"coffee {Path(NORMAL.format(2)).name}: 2",)
    (length,) = found["clips of another length than their machine's"].items
    assert short.name in length
    assert len(found) == 3
    allowed = check(root, lenient=True)
    assert set(wrong(allowed)) == {"clips of another length than their machine's"}
    assert "clips that are not sampled at 16000 Hz" in {finding.title for finding in allowed.findings}


def test_machines_without_a_usual_length_are_a_note(root: Path, put: Put) -> None:
    for number in range(6):
        put(TRAIN.format(number + 20), samples=3200)
    found = check(root)
    assert not found.wrong
    (note,) = (finding for finding in found.findings if "differ in length" in finding.title)
    assert note.items == ("coffee: 0.100 to 0.200 s",)


def test_deep_finds_what_a_header_does_not_tell(root: Path) -> None:
    soundfile.write(root / NORMAL.format(1), np.zeros(1600), 16000, subtype="PCM_16")
    assert not check(root).wrong
    (finding,) = wrong(check(root, deep=True)).values()
    assert "silent" in finding.items[0]


def test_deep_says_nothing_again_that_the_headers_told(root: Path, put: Put) -> None:
    put(NORMAL.format(1), rate=48000, samples=4800)
    put(NORMAL.format(2), channels=2)
    assert wrong(check(root, deep=True)) == wrong(check(root))


@pytest.mark.parametrize("deep", [False, True])
def test_a_channel_that_clips_do_not_have(root: Path, put: Put, deep: bool) -> None:
    put(NORMAL.format(1), channels=2)
    (finding,) = wrong(validate(dcase2021(str(root), channel=1), deep=deep)).values()
    assert finding.title == "clips that have no channel 1, counted from 0"
    assert len(finding.items) == 12
    assert f"coffee {Path(TRAIN.format(0)).name}: 1" in finding.items


def test_many_copies_of_a_clip_take_one_short_line(root: Path, put: Put) -> None:
    for number in range(20, 30):
        put(TRAIN.format(number), like=100)
    put(NORMAL.format(1), like=100)
    (finding,) = wrong(check(root)).values()
    (line,) = finding.items
    assert line.startswith(f"coffee {Path(NORMAL.format(1)).name} = ")
    assert line.count(" = ") == 3
    assert line.endswith(" and 7 more")


def test_leftovers(root: Path, put: Put) -> None:
    (root / "dev_data" / "tea" / "train").mkdir(parents=True)
    (root / NORMAL.format(1)).with_suffix(".wav.part").write_bytes(b"half")
    put("elsewhere/stray.wav")
    (root / "dev_data" / "notes.txt").write_text("fine")
    (root / "loop").symlink_to(root)
    found = check(root)
    assert set(wrong(found)) == {"empty folders", "unfinished copies"}
    assert wrong(found)["empty folders"].items == ("dev_data/tea/train",)
    notes = {finding.title: finding.items for finding in found.findings if not finding.wrong}
    assert notes["sound files that are no clips of the data set"] == ("elsewhere/stray.wav",)
    assert "remarks" not in notes  # they would say the same again


def test_misfits_stand_among_the_findings(root: Path, put: Put) -> None:
    strange = [f"dev_data/coffee/train/{name}.wav" for name in ("my_recording", "b", "a", "d", "c")]
    for name in strange:
        put(name)
    put(TRAIN.format(20), like=7)
    put(TRAIN.format(21), like=7)
    with pytest.raises(MisfitsError) as caught:
        dcase2021(str(root))
    assert caught.value.rest is not None
    assert len(caught.value.rest.clips) == 14
    found = validate(caught.value.rest, misfits=caught.value)
    titles = list(wrong(found))
    assert titles[0].startswith("names that do not fit")
    assert wrong(found)[titles[0]].items == tuple(sorted(strange))
    assert "clips that are there twice, by content" in titles
    assert not any("no clips of the data set" in finding.title for finding in found.findings)


def test_headers_and_hashes_are_kept_while_the_files_stand(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = audio.header

    def counted(path: Path) -> audio.Header:
        read.append(path.name)
        return original(path)

    monkeypatch.setattr(audio, "header", counted)
    database = tmp_path / "digests.sqlite"
    for _ in range(2):
        assert not validate(dcase2021(str(root)), database=database).wrong
        assert len(read) == 12
    changed = root / NORMAL.format(0)
    changed.write_bytes(b"")
    os.utime(changed, (OLD, OLD))
    assert validate(dcase2021(str(root)), database=database).wrong
    assert len(read) == 13


def put_floats(path: Path, peak: float, channels: int = 1) -> None:
    noise = np.random.default_rng(int(peak)).uniform(-0.5, 0.5, (1600, channels))
    noise[7, channels - 1] = peak
    soundfile.write(path, noise, 16000, "FLOAT")
    os.utime(path, (OLD, OLD))


def test_integers_as_floats_are_found_and_overshoot_is_sound(root: Path, tmp_path: Path) -> None:
    put_floats(root / TRAIN.format(20), 5453.0)
    put_floats(root / TRAIN.format(21), 1.02)
    title = "floating-point clips that hold integers: they reach more than 100, and sound is in [-1, 1]"
    database = tmp_path / "digests.sqlite"
    for deep in (False, True, False):  # the last time from what is kept
        found = validate(dcase2021(str(root)), deep=deep, database=database)
        assert dict(found.formats) == {"16000 Hz, 1 channel, 0.100 s": 14}
        ((name, finding),) = wrong(found).items()
        assert name == title
        assert finding.items == (f"coffee {Path(TRAIN.format(20)).name}: reaches 5453",)
        assert finding.hint == "divide by 32768"


def test_only_the_channel_that_a_run_reads_must_be_sound(root: Path) -> None:
    put_floats(root / TRAIN.format(20), 900.0, channels=2)
    assert not wrong(check(root, lenient=True))
    assert any("hold integers" in title for title in wrong(validate(dcase2021(str(root), channel=1))))


def test_files_from_a_pipe_are_as_long_as_they_are(root: Path, put: Put) -> None:
    path = put(TRAIN.format(20))
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = (0x7FFFF000).to_bytes(4, "little")
    path.write_bytes(content)
    flac = root / TRAIN.format(21).replace(".wav", ".flac")
    soundfile.write(flac, np.random.default_rng(21).uniform(-0.5, 0.5, 1600), 16000)
    content = bytearray(flac.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    flac.write_bytes(content)
    for deep in (False, True):
        found = check(root, deep=deep)
        assert not wrong(found)
        assert dict(found.formats) == {"16000 Hz, 1 channel, 0.100 s": 14}


@pytest.mark.shared
def test_real_clips_are_read_and_what_a_small_part_lacks_is_said(shared: Path) -> None:
    found = validate(dcase2021(str(shared / "real" / "layout2021")), deep=True)
    assert dict(found.formats) == {"16000 Hz, 1 channel, 10.000 s": 40}
    (missing,) = wrong(found).values()
    assert missing.title == "missing clips"
    assert "fan 00 source train normal: 12 of 1000; not there: 0012 to 0999" in missing.items
