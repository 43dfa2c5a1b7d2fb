from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench import audio
from asdbench.api import Floats
from asdbench.audio import read, resample
from asdbench.embeddings import embed
from asdbench.errors import ClipError

RATE = 16000


@pytest.fixture(scope="module")
def noise() -> Floats:
    return np.random.default_rng(0).uniform(-0.5, 0.5, RATE).astype(np.float32)


def refused(path: Path, **options: Any) -> ClipError:
    with pytest.raises(ClipError) as caught:
        read(path, **options)
    assert path.name in caught.value.message
    assert str(path) in caught.value.looked
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("name", "subtype", "kind", "step"),
    [
        ("a.wav", "PCM_16", "WAV", 2**-15),
        ("a.wav", "PCM_24", "WAV", 2**-23),
        ("a.wav", "PCM_32", "WAV", 2**-24),
        ("a.wav", "FLOAT", "WAV", 0),
        ("a.wav", "DOUBLE", "WAV", 0),
        ("a.wav", "PCM_16", "WAVEX", 2**-15),
        ("a.wav", "PCM_24", "WAVEX", 2**-23),
        ("a.wav", "PCM_32", "WAVEX", 2**-24),
        ("a.wav", "FLOAT", "WAVEX", 0),
        ("a.wav", "PCM_16", "RF64", 2**-15),
        ("a.flac", "PCM_16", "FLAC", 2**-15),
        ("a.flac", "PCM_24", "FLAC", 2**-23),
        ("a.aiff", "PCM_16", "AIFF", 2**-15),
    ],
)
def test_formats(tmp_path: Path, noise: Floats, name: str, subtype: str, kind: str, step: float) -> None:
    soundfile.write(tmp_path / name, noise, RATE, subtype=subtype, format=kind)
    sound = read(tmp_path / name, rate=RATE)
    assert sound.rate == RATE
    assert sound.samples.dtype == np.float32
    assert np.abs(sound.samples - noise).max() <= step


def test_integers_are_scaled_by_full_scale(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([-32768, 0, 16384, 32767], dtype=np.int16), RATE)
    np.testing.assert_array_equal(read(tmp_path / "a.wav").samples, [-1, 0, 0.5, 32767 / 32768])


def test_big_endian_wave(tmp_path: Path, noise: Floats) -> None:
    soundfile.write(tmp_path / "a.wav", noise, RATE, subtype="FLOAT", endian="BIG")
    np.testing.assert_array_equal(read(tmp_path / "a.wav").samples, noise)


def test_one_channel_of_several_is_taken(tmp_path: Path, noise: Floats) -> None:
    channels = np.stack([noise * (k + 1) / 8 for k in range(8)], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, RATE, subtype="FLOAT", format="WAVEX")
    for k in (0, 3, 7):
        np.testing.assert_array_equal(read(tmp_path / "a.wav", channel=k).samples, channels[:, k])
    soundfile.write(tmp_path / "a.flac", channels[:, :2], RATE, subtype="PCM_24")
    assert np.abs(read(tmp_path / "a.flac", channel=1).samples - channels[:, 1]).max() <= 2**-23
    soundfile.write(tmp_path / "mono.wav", noise, RATE, subtype="FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "mono.wav", channel=0).samples, noise)


def test_several_channels_are_refused_and_counted(tmp_path: Path, noise: Floats) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([noise] * 8, axis=1), RATE)
    error = refused(tmp_path / "a.wav")
    assert "8 channels" in error.message
    assert "dcase2021[channel=0]:ROOT" in error.hint
    for channel in (8, -1):
        error = refused(tmp_path / "a.wav", channel=channel)
        assert f"no channel {channel}" in error.message
        assert "8" in error.looked


def test_another_rate_is_refused(tmp_path: Path, noise: Floats) -> None:
    soundfile.write(tmp_path / "a.wav", noise, 44100)
    error = refused(tmp_path / "a.wav", rate=RATE)
    assert "44100" in error.message
    assert "dcase2021[rate=any]:ROOT" in error.hint
    assert read(tmp_path / "a.wav").rate == 44100


def test_missing_and_folder(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "a.wav").message
    (tmp_path / "b.wav").mkdir()
    assert "directory" in refused(tmp_path / "b.wav").message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"this is not sound " * 50, "not a sound file"),
        (b"RIFF", "not a sound file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "not a sound file"),
        (b"fLaC" + bytes(100), "not a sound file"),
    ],
)
def test_not_sound(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    assert message in refused(tmp_path / "a.wav").message


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "AIFF"])
@pytest.mark.parametrize("removed", [1, 2, 1000, 32000])
def test_cut_short(tmp_path: Path, noise: Floats, kind: str, removed: int) -> None:
    soundfile.write(tmp_path / "whole", noise, RATE, subtype="PCM_16", format=kind)
    content = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut.wav").write_bytes(content[:-removed])
    error = refused(tmp_path / "cut.wav")
    assert "cut short" in error.message
    assert f"{removed} byte" in error.message


@pytest.mark.parametrize("kept", [4, 12, 30, 40])
def test_cut_short_within_the_header(tmp_path: Path, noise: Floats, kept: int) -> None:
    soundfile.write(tmp_path / "whole.wav", noise, RATE)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "whole.wav").read_bytes()[:kept])
    refused(tmp_path / "cut.wav")


@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_flac_cut_short(tmp_path: Path, noise: Floats, part: float) -> None:
    soundfile.write(tmp_path / "whole.flac", noise, RATE)
    content = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(content[: int(len(content) * part)])
    refused(tmp_path / "cut.flac")


def test_chunks_around_the_sound_do_not_count_as_missing(tmp_path: Path, noise: Floats) -> None:
    soundfile.write(tmp_path / "a.wav", noise, RATE, subtype="FLOAT")
    content = (tmp_path / "a.wav").read_bytes()
    start = content.index(b"data")
    odd = b"note" + (3).to_bytes(4, "little") + b"abc\0"
    (tmp_path / "b.wav").write_bytes(content[:start] + odd + content[start:] + odd)
    np.testing.assert_array_equal(read(tmp_path / "b.wav").samples, noise)


UNKNOWN = (0, 0x7FFFF000, 0x7FFFEFFE, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
"""What programs write into a pipe for a length that they do not know."""


@pytest.mark.parametrize("size", UNKNOWN)
@pytest.mark.parametrize("whole", ["same", "with header", "right"])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_wave_file_from_a_pipe_is_read_to_its_end(
    tmp_path: Path, noise: Floats, size: int, whole: str, subtype: str
) -> None:
    soundfile.write(tmp_path / "a.wav", noise, RATE, subtype=subtype)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = size.to_bytes(4, "little")
    riff = {"same": size, "with header": (size + 36) % 2**32, "right": len(content) - 8}[whole]
    content[4:8] = riff.to_bytes(4, "little")
    (tmp_path / "b.wav").write_bytes(content)
    np.testing.assert_array_equal(read(tmp_path / "b.wav").samples, read(tmp_path / "a.wav").samples)
    assert audio.header(tmp_path / "b.wav") == audio.header(tmp_path / "a.wav")
    assert audio.header(tmp_path / "b.wav").seconds == 1.0


def test_an_aiff_file_from_a_pipe_and_an_rf64_without_a_length_are_read_to_their_end(
    tmp_path: Path, noise: Floats
) -> None:
    soundfile.write(tmp_path / "a.aiff", noise, RATE, "PCM_16")
    content = bytearray((tmp_path / "a.aiff").read_bytes())
    frames, size = content.index(b"COMM") + 10, content.index(b"SSND") + 4
    content[frames : frames + 4] = (0x7F000000 // 2).to_bytes(4, "big")  # as SoX
    content[size : size + 4] = (0x7F000000 + 8).to_bytes(4, "big")
    (tmp_path / "b.aiff").write_bytes(content)
    np.testing.assert_array_equal(read(tmp_path / "b.aiff").samples, read(tmp_path / "a.aiff").samples)
    soundfile.write(tmp_path / "a.wav", noise, RATE, "PCM_16", format="RF64")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    size = content.index(b"ds64") + 16
    for value in (0, 2**64 - 1):
        content[size : size + 8] = value.to_bytes(8, "little")
        (tmp_path / "b.wav").write_bytes(content)
        np.testing.assert_array_equal(read(tmp_path / "b.wav").samples, read(tmp_path / "a.wav").samples)


def test_a_length_of_nothing_before_other_chunks_is_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0), RATE)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "b.wav").write_bytes(content + b"LIST" + (3).to_bytes(4, "little") + b"abc\0")
    assert "no samples" in refused(tmp_path / "b.wav").message


def unannounced(path: Path) -> None:
    """Take the number of samples out of a FLAC file's STREAMINFO, as an encoder leaves it that writes into a pipe."""
    content = bytearray(path.read_bytes())
    assert content[:4] == b"fLaC"
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)


@pytest.mark.parametrize("count", [100, 4096, 3 * 4096, RATE])
def test_a_flac_file_that_does_not_know_its_length_is_read_to_its_end(
    tmp_path: Path, noise: Floats, count: int
) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.stack([noise[:count], noise[:count] / 2], axis=1), RATE)
    before = read(path, channel=1).samples
    unannounced(path)
    np.testing.assert_array_equal(read(path, channel=1).samples, before)
    assert audio.header(path) == audio.Header(RATE, 2, count)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_such_a_flac_file_cut_short_is_noticed(tmp_path: Path, noise: Floats, part: float) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise, RATE)
    unannounced(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    assert "lost sync" in refused(path).message
    with pytest.raises(ClipError, match="lost sync"):
        audio.header(path)


def test_a_flac_file_that_announces_an_age_takes_no_more_memory_than_it_holds(tmp_path: Path, noise: Floats) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise, RATE)
    content = bytearray(path.read_bytes())
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)
    assert f"{2**36 - 1} samples announced, {RATE} there" in refused(path).message
    with pytest.raises(ClipError, match=f"{RATE} there"):
        audio.header(path)


@pytest.mark.parametrize("subtype", ["GSM610", "G721_32", "NMS_ADPCM_16"])
def test_what_cannot_be_sought_in_is_read_from_its_beginning(tmp_path: Path, noise: Floats, subtype: str) -> None:
    seconds = np.arange(8000) / 8000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * seconds), 8000, subtype)
    with soundfile.SoundFile(tmp_path / "a.wav") as file:
        assert not file.seekable()
        expected = file.read(file.frames, dtype="float32")
    sound = read(tmp_path / "a.wav")
    np.testing.assert_array_equal(sound.samples, expected)
    assert len(sound.samples) == audio.header(tmp_path / "a.wav").samples >= 8000
    frequencies = np.abs(np.fft.rfft(sound.samples[:8000]))
    assert np.argmax(frequencies) == 440


def test_long_files_are_read_in_blocks_to_the_same_samples(
    tmp_path: Path, noise: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", np.tile(noise, 9), RATE, "FLOAT")
    before = read(tmp_path / "a.wav").samples
    monkeypatch.setattr(audio, "_MANY", 1000)
    np.testing.assert_array_equal(read(tmp_path / "a.wav").samples, before)


@pytest.mark.parametrize(
    ("peak", "divisor"), [(5453.0, 32768), (-32768.0, 32768), (40000.0, 8388608), (1e9, 2147483648), (101.0, 32768)]
)
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_integers_as_floats_are_refused_with_what_to_divide_by(
    tmp_path: Path, noise: Floats, peak: float, divisor: int, subtype: str
) -> None:
    soundfile.write(tmp_path / "a.wav", np.append(noise, peak), RATE, subtype)
    error = refused(tmp_path / "a.wav")
    assert f"a.wav: reaches {abs(peak):.0f}" in error.message
    assert "sound must be in [-1, 1]" in error.looked
    assert f"divide by {divisor}" in error.hint
    with pytest.raises(ClipError) as caught:
        embed(np.append(noise, peak), RATE, "logmel")
    assert (caught.value.message, caught.value.hint) == (f"waveform 0 reaches {abs(peak):.0f}", error.hint)
    assert audio.header(tmp_path / "a.wav").peaks == (abs(peak),)


@pytest.mark.parametrize("peak", [1.02, -1.5, 100.0])
def test_overshoot_is_sound(tmp_path: Path, noise: Floats, peak: float) -> None:
    soundfile.write(tmp_path / "a.wav", np.append(noise, peak), RATE, "FLOAT")
    assert read(tmp_path / "a.wav").samples[-1] == np.float32(peak)
    assert embed(np.append(noise, peak), RATE, "logmel").shape[0] == 1


def test_only_the_channel_that_is_read_must_be_sound(tmp_path: Path, noise: Floats) -> None:
    """Beside microphones a recorder may have a counter of revolutions."""
    soundfile.write(tmp_path / "a.wav", np.stack([noise, 1000 * noise], axis=1), RATE, "FLOAT")
    assert len(read(tmp_path / "a.wav", channel=0).samples) == RATE
    assert "reaches" in refused(tmp_path / "a.wav", channel=1).message


def test_no_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0), RATE)
    assert "no samples" in refused(tmp_path / "a.wav").message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path: Path, noise: Floats, value: float) -> None:
    soundfile.write(tmp_path / "a.wav", np.append(noise, np.float32(value)), RATE, subtype="FLOAT")
    assert "not finite" in refused(tmp_path / "a.wav").message


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_a_dead_sensor_is_silent(tmp_path: Path, value: float) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(RATE, value), RATE, subtype="FLOAT")
    error = refused(tmp_path / "a.wav")
    assert "silent" in error.message
    assert "dead sensor" in error.hint


def test_only_the_chosen_channel_is_judged(tmp_path: Path, noise: Floats) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([noise, np.zeros_like(noise)], axis=1), RATE)
    assert len(read(tmp_path / "a.wav", channel=0).samples) == RATE
    assert "silent" in refused(tmp_path / "a.wav", channel=1).message


def test_errors_travel_between_processes(tmp_path: Path) -> None:
    error = refused(tmp_path / "a.wav")
    # Worker processes send errors back so; what is pickled is our own, a moment ago.
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.shared
@pytest.mark.parametrize("label", ["normal", "abnormal"])
def test_real_eight_channel_recordings(shared: Path, label: str) -> None:
    clip = f"fan/id_00/{label}/00000000.wav"
    original = shared / "real/mimii_fan_id00_8ch_original" / clip
    assert "8 channels" in refused(original).message
    mono = read(shared / "real/mimii_fan_id00_mono_ch0" / clip, rate=RATE)
    assert len(mono.samples) == 10 * RATE
    np.testing.assert_array_equal(read(original, channel=0, rate=RATE).samples, mono.samples)
    assert not np.array_equal(read(original, channel=1).samples, mono.samples)


@pytest.mark.parametrize("method", ["soxr_hq", "kaiser_best"])
@pytest.mark.parametrize(
    ("rate", "to"), [(16000, 32000), (44100, 32000), (48000, 16000), (22050, 32000), (8000, 32000)]
)
def test_resampling_equals_librosa(method: Any, rate: int, to: int) -> None:
    import librosa

    samples = np.random.default_rng(1).uniform(-1, 1, (2, 4321)).astype(np.float32)
    expected = librosa.resample(samples, orig_sr=rate, target_sr=to, res_type=method)
    np.testing.assert_array_equal(resample(samples, rate, to, method), expected)
    np.testing.assert_array_equal(resample(samples[0], rate, to, method), expected[0])


def test_resampling_keeps_a_tone() -> None:
    seconds = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * seconds).astype(np.float32)
    doubled = resample(tone, RATE, 2 * RATE)
    expected = np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / (2 * RATE))
    inside = slice(2000, -2000)
    assert np.abs(doubled[inside] - expected[inside]).max() < 1e-4


@given(
    samples=st.integers(1, 3000),
    rate=st.sampled_from([8000, 11025, 16000, 44100, 48000]),
    to=st.sampled_from([16000, 32000]),
)
@settings(max_examples=40, deadline=None)
def test_resampled_length_is_rounded_up(samples: int, rate: int, to: int) -> None:
    signal = np.linspace(-1, 1, samples, dtype=np.float32)
    resampled = resample(signal, rate, to)
    assert len(resampled) == int(np.ceil(samples * to / rate))
    assert resampled.dtype == np.float32


def test_the_same_rate_leaves_the_samples_alone(noise: Floats) -> None:
    np.testing.assert_array_equal(resample(noise, RATE, RATE), noise)


def test_a_clip_of_one_sample_is_too_short_not_silent(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.zeros(1, np.float32), 16000)
    with pytest.raises(ClipError, match="too short"):
        read(tmp_path / "one.wav")


@pytest.mark.parametrize(("ending", "subtype"), [("wav", "PCM_16"), ("wav", "FLOAT"), ("flac", "PCM_24")])
def test_a_header_says_what_reading_finds(tmp_path: Path, ending: str, subtype: str) -> None:
    path = tmp_path / f"clip.{ending}"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (800, 3)), 8000, subtype=subtype)
    said = audio.header(path)
    assert (said.rate, said.channels, said.samples, said.seconds) == (8000, 3, 800, 0.1)


def test_a_header_that_cannot_be_trusted_is_an_error(tmp_path: Path) -> None:
    cut, text, empty = (tmp_path / f"{name}.wav" for name in ("cut", "text", "empty"))
    soundfile.write(cut, np.zeros(800), 8000)
    cut.write_bytes(cut.read_bytes()[:-2])
    text.write_text("no sound")
    empty.touch()
    for path in (cut, text, empty, tmp_path / "gone.wav"):
        with pytest.raises(ClipError) as caught:
            audio.header(path)
        assert path.name in caught.value.message
