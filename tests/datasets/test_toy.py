from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asdbench.api import Clip, Waveform
from asdbench.datasets import grammar
from asdbench.datasets._machines import MACHINES
from asdbench.datasets.dcase import dcase2021
from asdbench.datasets.shipped_truth import labels_2021
from asdbench.datasets.toy import ToyReader, toy, write
from asdbench.errors import UsageError

GOLDEN = Path(__file__).parents[1] / "data" / "toy_sounds.json"
NAMES = {
    "train": ["section_00_source_train_normal_0000_{}.wav", "section_02_target_train_normal_0001_{}.wav"],
    "normal": ["section_01_source_test_normal_0003.wav", "section_00_target_test_normal_0002.wav"],
    "anomaly": [f"section_0{number % 3}_source_test_anomaly_{number:04d}.wav" for number in range(9)],
    "evaluation": [f"section_03_target_test_{number:04d}.wav" for number in range(4)],
}


def sounds(machine: str, kind: str) -> str:
    """One sha256 over the 16-bit samples of the clips of a kind."""
    reader, total = ToyReader(seed=0, seconds=1.0), hashlib.sha256()
    for name in NAMES[kind]:
        if kind == "train":
            name = name.format(reader.attribute(machine, name.removesuffix("_{}.wav")))
        total.update(reader.samples(machine, name).astype("<i2").tobytes())
    return total.hexdigest()


@pytest.mark.parametrize("machine", grammar.MACHINES)
def test_sounds_stay_the_same_as_long_as_the_recipe_does(machine: str) -> None:
    # Made with numpy 2.4 on x86-64. After a change that is meant: raise toy.RECIPE and write what `sounds` gives.
    golden = json.loads(GOLDEN.read_text())[machine]
    assert {kind: sounds(machine, kind) for kind in NAMES} == golden


def test_the_default_size_is_what_the_time_budget_was_made_for() -> None:
    clips = toy().clips
    assert len(clips) == 1239
    counts = Counter((clip.machine, clip.section, clip.domain, clip.split, clip.label) for clip in clips)
    for machine in grammar.MACHINES:
        for section in ("00", "01", "02"):
            for domain, train in (("source", 16), ("target", 3)):
                assert counts[machine, section, domain, "train", "normal"] == train
                assert counts[machine, section, domain, "test", "normal"] == 10
                assert counts[machine, section, domain, "test", "anomaly"] == 10


@pytest.mark.parametrize("additional", [False, True])
def test_names_follow_the_grammar_and_say_what_the_index_says(additional: bool) -> None:
    clips = toy(additional=additional).clips
    assert [(clip.machine, clip.name) for clip in clips] == sorted({(clip.machine, clip.name) for clip in clips})
    for clip in clips:
        fields = grammar.parse(clip.name, "train" if clip.split == "train" else f"{clip.domain}_test", 2021)
        assert (fields.section, fields.domain, fields.split) == (clip.section, clip.domain, clip.split)
        assert fields.label == (None if clip.part == "eval" else clip.label)
        assert bool(fields.attributes) == (clip.split == "train")


def test_evaluation_clips_have_the_official_labels() -> None:
    clips = [clip for clip in toy(additional=True).clips if clip.part == "eval"]
    assert set(Counter((clip.cell, clip.label) for clip in clips).values()) == {10}
    assert len(clips) == 7 * 3 * 2 * 20
    assert all(clip.label == labels_2021()[clip.machine, clip.name] for clip in clips)


def test_there_are_evaluation_clips_beyond_the_official_numbers() -> None:
    clips = [clip for clip in toy(train=0, train_target=0, test=130, additional=True).clips if clip.part == "eval"]
    assert set(Counter((clip.cell, clip.label) for clip in clips).values()) == {130}


def test_the_parts_of_the_sections() -> None:
    parts = {(clip.section, clip.split): clip.part for clip in toy(additional=True).clips}
    assert parts == {
        (section, split): "dev" if section < "03" else ("additional" if split == "train" else "eval")
        for section in ("00", "01", "02", "03", "04", "05")
        for split in ("train", "test")
    }


def test_what_it_says_of_itself() -> None:
    data = toy(test=2, seconds=0.5)
    assert (data.name, data.spec, data.stamps) == ("toy", "toy[test=2,seconds=0.5]", ("synthetic data",))
    assert (data.profile, data.features, toy().spec) == ("quick", None, "toy")


def test_sound_is_one_second_of_16_bit_numbers_at_16_khz() -> None:
    data = toy()
    sound = data.reader(data.clips[0])
    assert (sound.rate, sound.samples.shape, sound.samples.dtype) == (16000, (16000,), np.dtype(np.float32))
    assert np.array_equal(sound.samples * 32768, np.rint(sound.samples * 32768))
    assert len(toy(seconds=0.25).reader(data.clips[0]).samples) == 4000


@pytest.mark.parametrize("seconds", [0.1, 3.7])
@pytest.mark.parametrize("machine", grammar.MACHINES)
def test_any_length_sounds(machine: str, seconds: float) -> None:
    reader = ToyReader(seed=11, seconds=seconds)
    for number in range(12):
        samples = reader.samples(machine, f"section_01_target_test_anomaly_{number:04d}.wav")
        assert len(samples) == round(seconds * 16000)
        assert 100 < samples.astype(float).std() < 12000


def chosen() -> list[Clip]:
    return [clip for clip in toy().clips if clip.name.endswith(("_0001.wav", "_0002.wav"))][::5]


@pytest.mark.slow
def test_sounds_do_not_depend_on_process_order_or_size_of_the_set() -> None:
    clips = chosen()
    here = [toy().reader(clip).samples for clip in clips]
    small = toy(train=1, test=3)
    assert {(clip.machine, clip.name) for clip in clips} <= {(clip.machine, clip.name) for clip in small.clips}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        there: Sequence[Waveform] = list(pool.map(small.reader, clips[::-1]))
    for one, other in zip(here, there[::-1], strict=True):
        np.testing.assert_array_equal(one, other.samples)


def test_sounds_do_not_depend_on_the_label_in_the_index() -> None:
    from dataclasses import replace

    data = toy(additional=True)
    for clip in [clip for clip in data.clips if clip.part == "eval"][::97]:
        np.testing.assert_array_equal(data.reader(clip).samples, data.reader(replace(clip, label=None)).samples)


def test_digests_are_those_of_the_sound() -> None:
    data = toy(additional=True)
    assert len({data.digest(clip) for clip in data.clips}) == len(data.clips)
    clip = data.clips[7]
    assert toy().digest(clip) == data.digest(clip)
    others = {toy(seed=5).digest(clip), toy(seconds=0.5).digest(clip), data.digest(clip)}
    assert len(others) == 3
    assert not np.array_equal(toy(seed=5).reader(clip).samples, data.reader(clip).samples)


def test_the_target_domain_shifts_one_of_speed_load_and_noise() -> None:
    settings: dict[tuple[str, str], dict[str, list[NDArray[np.int64]]]] = defaultdict(lambda: defaultdict(list))
    for clip in toy().clips:
        if clip.split == "train":
            words = clip.name.removesuffix(".wav").split("_")
            settings[clip.machine, clip.section][clip.domain].append(np.array(words[-5::2], dtype=np.int64))
    shifts = set()
    for domains in settings.values():
        ratio = np.mean(domains["target"], axis=0) / np.mean(domains["source"], axis=0)
        moved = np.abs(np.log(ratio)) > 0.1
        assert moved.sum() == 1
        shifts.add(int(np.flatnonzero(moved)[0]))
    assert shifts == {0, 1, 2}


def test_every_fault_occurs_on_every_machine() -> None:
    reader = ToyReader(seed=0, seconds=1.0)
    for machine, made in MACHINES.items():
        names = (f"section_0{section}_source_test_anomaly_{n:04d}.wav" for section in range(3) for n in range(10))
        states = [reader._state(machine, grammar.parse(name, "source_test", 2021))[0] for name in names]
        assert {state.fault for state in states} == set(made.faults)
        strengths = np.array([state.strength for state in states]).reshape(3, 10)
        assert np.all(strengths.max(axis=1) / strengths.min(axis=1) > 4)  # graded within a cell
        assert strengths.max(axis=1).max() / strengths.max(axis=1).min() > 2  # and from cell to cell


@pytest.fixture(scope="module")
def bands() -> dict[tuple[str, str], NDArray[np.float64]]:
    """Mean and deviation over time of log energies in 40 bands, by (machine, name)."""
    data = toy()
    edges = np.unique(np.geomspace(3, 257, 41).astype(int))
    found = {}
    for clip in data.clips:
        frames = np.lib.stride_tricks.sliding_window_view(data.reader(clip).samples, 512)[::256] * np.hanning(512)
        power = np.abs(np.fft.rfft(frames)) ** 2
        energy = np.log10(np.add.reduceat(power, edges[:-1], axis=1) + 1e-6)
        found[clip.machine, clip.name] = np.concatenate([energy.mean(axis=0), energy.std(axis=0)])
    return found


def of(bands: dict[tuple[str, str], NDArray[np.float64]], **wanted: Any) -> NDArray[np.float64]:
    clips = [clip for clip in toy().clips if all(getattr(clip, key) == value for key, value in wanted.items())]
    return np.stack([bands[clip.machine, clip.name] for clip in clips])


@pytest.mark.parametrize("machine", grammar.MACHINES)
def test_sections_are_individuals(machine: str, bands: dict[tuple[str, str], NDArray[np.float64]]) -> None:
    normal = {"machine": machine, "domain": "source", "label": "normal"}
    means = {s: of(bands, section=s, split="train", **normal).mean(axis=0) for s in ("00", "01", "02")}
    for section in means:
        for clip in of(bands, section=section, split="test", **normal):
            assert min(means, key=lambda other: float(np.linalg.norm(clip - means[other]))) == section


def test_faults_go_from_barely_audible_to_plain(bands: dict[tuple[str, str], NDArray[np.float64]]) -> None:
    aucs = {}
    for machine in grammar.MACHINES:
        for section in ("00", "01", "02"):
            cell = {"machine": machine, "section": section}
            train = of(bands, split="train", **cell)
            scale = train.std(axis=0) + 0.02
            for domain in ("source", "target"):
                normal, anomaly = (
                    np.mean(
                        ((of(bands, split="test", domain=domain, label=label, **cell) - train.mean(axis=0)) / scale)
                        ** 2,
                        axis=1,
                    )
                    for label in ("normal", "anomaly")
                )
                aucs[machine, section, domain] = float(np.mean(anomaly[:, None] > normal[None, :]))
    spread = np.quantile(list(aucs.values()), [0.1, 0.5, 0.9])
    assert 0.45 < spread[0] < 0.7
    assert 0.65 < spread[1] < 0.9
    assert spread[2] > 0.9


def test_what_is_written_is_read_back_with_its_labels(tmp_path: Path) -> None:
    data = toy(train=1, train_target=1, test=1, seconds=0.2, additional=True)
    write(tmp_path, data)
    again = dcase2021(str(tmp_path))
    assert (again.stamps, again.remarks) == (data.stamps, ())
    fields = ("name", "machine", "section", "domain", "split", "part", "label")
    assert [[getattr(c, f) for f in fields] for c in again.clips] == [
        [getattr(c, f) for f in fields] for c in data.clips
    ]
    for made, read in list(zip(data.clips, again.clips, strict=True))[::9]:
        sound = again.reader(read)
        assert sound.rate == 16000
        np.testing.assert_array_equal(sound.samples, data.reader(made).samples)


@pytest.mark.parametrize(
    "parameters", [{"train": -1}, {"test": -5}, {"seconds": 0.0}, {"seconds": float("nan")}, {"seed": -1}]
)
def test_senseless_sizes_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        toy(**parameters)
    assert next(iter(parameters)) in caught.value.looked


def test_a_set_without_training_or_test_clips_can_be_made() -> None:
    assert {clip.split for clip in toy(train=0, train_target=0).clips} == {"test"}
    assert {clip.split for clip in toy(test=0).clips} == {"train"}


def test_a_written_copy_says_what_it_is(tmp_path: Path) -> None:
    data = toy(train=1, train_target=0, test=0, seconds=0.2)
    write(tmp_path / "new", data)
    note = (tmp_path / "new" / grammar.MARKER).read_text()
    assert data.spec in note
    assert "synthetic" in note
    assert "every table" in note
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["SYNTHETIC.txt", "dev_data"]
    assert dcase2021(str(tmp_path / "new")).stamps == (grammar.SYNTHETIC,) == ("synthetic data",)
