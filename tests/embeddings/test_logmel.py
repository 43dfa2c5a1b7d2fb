from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from asdbench.api import Floats
from asdbench.audio import read
from asdbench.embeddings.logmel import PadMode, logmel, mel_filterbank, power_mel
from asdbench.errors import ClipError, UsageError
from asdbench.plugins.registry import create


@pytest.mark.parametrize("pad_mode", ["reflect", "zeros"])
def test_it_equals_the_definition_written_out(noise: Floats, pad_mode: PadMode) -> None:
    clip = noise[0, :3000].astype(np.float64)
    around = (clip[512:0:-1], clip[-2:-514:-1]) if pad_mode == "reflect" else (np.zeros(512), np.zeros(512))
    padded = np.concatenate([around[0], clip, around[1]])
    n = np.arange(1024)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / 1024)
    transform = np.exp(-2j * np.pi * np.outer(np.arange(513), n) / 1024)
    frames = [padded[start : start + 1024] * window for start in range(0, len(clip) + 1, 512)]
    power = np.abs(np.array(frames) @ transform.T) ** 2
    expected = 10 * np.log10(np.maximum(power @ mel_filterbank(16000, 1024, 128, 0, 8000), 2.220446049250313e-16))
    found = logmel(pad_mode=pad_mode).embed(noise[:1, :3000], 16000)
    assert found.shape == (1, 6, 128)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("pad_mode", ["reflect", "zeros"])
def test_it_equals_librosa(noise: Floats, pad_mode: PadMode) -> None:
    import librosa

    mel = librosa.feature.melspectrogram(
        y=noise[1].astype(np.float64),
        sr=16000,
        n_fft=1024,
        hop_length=512,
        n_mels=128,
        power=2.0,
        pad_mode="reflect" if pad_mode == "reflect" else "constant",
    )
    found = logmel(pad_mode=pad_mode).embed(noise[1:2], 16000)[0]
    np.testing.assert_allclose(found, 10 * np.log10(mel.T), atol=1e-4)


@pytest.mark.parametrize(
    ("rate", "window", "bands", "fmin", "fmax"),
    [
        (16000, 1024, 128, 0, 8000),
        (32000, 1024, 64, 50, 14000),
        (32000, 1024, 64, 50, 8000),
        (8000, 256, 20, 300, 3400),
    ],
)
def test_filters_equal_librosas(rate: int, window: int, bands: int, fmin: float, fmax: float) -> None:
    import librosa

    expected = librosa.filters.mel(sr=rate, n_fft=window, n_mels=bands, fmin=fmin, fmax=fmax).T
    np.testing.assert_allclose(mel_filterbank(rate, window, bands, fmin, fmax), expected, atol=1e-8)


def test_padding_changes_the_ends_only(noise: Floats) -> None:
    mirrored, zeros = (logmel(pad_mode=mode).embed(noise[:1], 16000)[0] for mode in ("reflect", "zeros"))
    changed = np.flatnonzero((mirrored != zeros).any(axis=1))
    assert changed.tolist() == [0, len(mirrored) - 1]


def test_ten_seconds_give_313_frames() -> None:
    clip = np.random.default_rng(3).uniform(-0.1, 0.1, (1, 160000)).astype(np.float32)
    assert logmel().embed(clip, 16000).shape == (1, 313, 128)


def test_digital_silence_stays_finite() -> None:
    silence = logmel().embed(np.zeros((1, 4096), dtype=np.float32), 16000)
    np.testing.assert_allclose(silence, -156.5356, atol=1e-3)


def test_louder_by_ten_is_20_db_more(noise: Floats) -> None:
    difference = logmel().embed(10 * noise, 16000) - logmel().embed(noise, 16000)
    np.testing.assert_allclose(difference, 20, atol=1e-3)


def test_another_rate_is_resampled() -> None:
    def tone(rate: int) -> Floats:
        return np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)[None]

    low, high = (logmel().embed(tone(rate), rate)[0, 5:-5] for rate in (16000, 44100))
    loud = low > low.max() - 40
    np.testing.assert_allclose(high[loud], low[loud], atol=0.05)


def test_a_filter_between_two_bins_gives_zero(noise: Floats) -> None:
    filters = mel_filterbank(16000, 1024, 4, 0, 8000)
    filters[:, 2] = 0
    assert (power_mel(noise[0], filters, 512)[:, 2] == 0).all()


@pytest.mark.parametrize("pad_mode", ["reflect", "zeros"])
def test_shorter_than_a_window_of_five_frames(noise: Floats, pad_mode: PadMode) -> None:
    embedding = logmel(pad_mode=pad_mode)
    assert embedding.embed(noise[:1, :2048], 16000).shape == (1, 5, 128)
    assert embedding.embed(noise[:1, :1024], 8000).shape == (1, 5, 128)
    for samples, rate in ((2047, 16000), (1023, 16000), (1, 16000), (1023, 8000)):
        with pytest.raises(ClipError, match="shorter than a window of 5 frames") as caught:
            embedding.embed(noise[:1, :samples], rate)
        assert f"{samples} samples at {rate} Hz" in caught.value.looked
        assert "0.128 s" in caught.value.hint


def test_spec_and_recipe() -> None:
    embedding = create("embeddings", "logmel[pad_mode=zeros]")
    assert embedding == logmel(pad_mode="zeros")
    assert embedding.kind == "frames"
    assert json.loads(json.dumps(embedding.recipe))["parameters"] == {"pad_mode": "zeros"}
    assert embedding.recipe != logmel().recipe
    with pytest.raises(UsageError, match="pad_mode"):
        create("embeddings", "logmel[pad_mode=mirror]")


@pytest.mark.shared
def test_real_recordings_equal_librosa(shared: Path) -> None:
    import librosa

    for path in sorted((shared / "real/mimii_fan_id00_mono_ch0").rglob("*.wav"))[::10]:
        sound = read(path)
        mel = librosa.feature.melspectrogram(
            y=sound.samples, sr=16000, n_fft=1024, hop_length=512, n_mels=128, pad_mode="reflect"
        )
        found = logmel().embed(sound.samples[None], 16000)[0]
        np.testing.assert_allclose(found, 10 * np.log10(mel.T), atol=2e-3)  # librosa computes in float32
