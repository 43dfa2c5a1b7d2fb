from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import asdbench
from asdbench.api import Clip, Floats, Kind, Waveform
from asdbench.embeddings import embed, embed_clips
from asdbench.errors import ClipError, UsageError, WeightsError
from asdbench.plugins.registry import create
from asdbench.running.identity import recipe_of
from asdbench.running.jobs import embed_chunk


@dataclass
class Recording:
    """An embedding that keeps what it was given; its features are the clip's mean, its length and its rate."""

    batch: int = 3
    calls: list[tuple[Floats, int]] = field(default_factory=list)
    name: str = "recording"
    kind: Kind = "vector"
    stamps: tuple[str, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def embed(self, waveforms: Floats, rate: int, device: str = "cpu") -> Floats:
        self.calls.append((waveforms.copy(), rate))
        return np.array([[row.mean(), len(row), rate] for row in waveforms], dtype=np.float32)


def clip(value: float, length: int = 100, rate: int = 16000) -> Waveform:
    return Waveform(np.full(length, value, dtype=np.float32), rate)


@given(
    clips=st.lists(
        st.tuples(st.integers(1, 100), st.sampled_from([50, 60]), st.sampled_from([8000, 16000])), max_size=20
    ),
    batch=st.integers(1, 5),
)
def test_batches_are_full_and_of_one_length_and_the_order_stays(clips: list[tuple[int, int, int]], batch: int) -> None:
    embedding = Recording(batch)
    features = embed_clips(embedding, [clip(*one) for one in clips])
    np.testing.assert_allclose(
        np.array(features).reshape(-1, 3), np.array(clips, dtype=float).reshape(-1, 3), rtol=1e-6
    )
    assert all(len(waveforms) == batch for waveforms, _ in embedding.calls)
    groups = {one[1:]: sum(other[1:] == one[1:] for other in clips) for one in clips}
    assert len(embedding.calls) == sum(-(-count // batch) for count in groups.values())


def test_the_last_batch_is_filled_with_zeros() -> None:
    embedding = Recording(batch=3)
    assert len(embed_clips(embedding, [clip(1), clip(2)])) == 2
    ((waveforms, _),) = embedding.calls
    assert waveforms[:, 0].tolist() == [1, 2, 0]


def test_an_embedding_that_gives_other_rows_or_nan_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recording, "embed", lambda self, waveforms, rate, device: np.zeros((1, 2), dtype=np.float32))
    with pytest.raises(UsageError, match="1 rows for 3 clips"):
        embed_clips(Recording(), [clip(1)])
    monkeypatch.setattr(Recording, "embed", lambda self, waveforms, rate, device: waveforms[:, :2] / waveforms[:, :2])
    with np.errstate(invalid="ignore"), pytest.raises(ClipError, match="not finite") as caught:
        embed_clips(Recording(), [clip(1), clip(0)])
    assert "clip 1" in caught.value.looked


def test_features_that_float32_cannot_tell_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def gives(function: Callable[[Floats], NDArray[np.float64]]) -> None:
        monkeypatch.setattr(Recording, "embed", lambda self, waveforms, rate, device: function(waveforms))

    gives(lambda waveforms: waveforms[:, :2].astype(np.float64) + np.array([0, 1e9]))
    with pytest.raises(UsageError, match=r"column 2 of 2 goes from 1000000001\.0 to 1000000002\.0") as caught:
        embed_clips(Recording(), [clip(1), clip(2)])
    assert "recording gives float64" in caught.value.message
    assert len(embed_clips(Recording(), [clip(1)])) == 1
    gives(lambda waveforms: waveforms[:, :2].astype(np.float64) * 1e300)
    with pytest.raises(UsageError, match="2 of 4 values are beyond float32"):
        embed_clips(Recording(), [clip(0), clip(2)])
    gives(lambda waveforms: waveforms[:, :2].astype(np.float64) + 1 / 3)
    features = embed_clips(Recording(), [clip(1), clip(2)])
    assert [one.dtype for one in features] == [np.float32] * 2


def test_arrays_lists_and_single_clips(noise: Floats) -> None:
    features = asdbench.embed(noise[:3], 16000, weights="random")
    assert features.shape == (3, 3776)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(embed(list(noise[:3]), 16000, "resnet38[weights=random]"), features)
    np.testing.assert_array_equal(embed(noise[1], 16000, weights="random"), features[1:2])
    np.testing.assert_array_equal(embed(noise[:1].astype(np.float64), 16000, weights="random"), features[:1])


def test_different_lengths_side_by_side(noise: Floats) -> None:
    clips = [noise[0], noise[1, :8000], noise[2], noise[3, :4000]]
    features = embed(clips, 16000, weights="random")
    assert features.shape == (4, 3776)
    for one, expected in zip(clips, features, strict=True):
        np.testing.assert_array_equal(embed(one, 16000, weights="random")[0], expected)


def test_logmel(noise: Floats) -> None:
    assert embed(noise, 16000, "logmel").shape == (8, 32, 128)
    with pytest.raises(UsageError, match="different length"):
        embed([noise[0], noise[1, :8000]], 16000, "logmel")
    with pytest.raises(UsageError, match="weights"):
        embed(noise, 16000, "logmel", weights="random")


@pytest.mark.parametrize(
    ("waveforms", "words"),
    [
        (np.zeros((2, 16000), dtype=np.int16), ["int16", "divide by 32768"]),
        (np.zeros((2, 16000), dtype=np.int32), ["int32", "divide by 2147483648"]),
        (np.zeros((2, 16000), dtype=complex), ["complex128"]),
        (np.full((1, 16000), np.nan), ["waveform 0", "not finite"]),
        ([np.zeros(16000), np.full(16000, np.inf)], ["waveform 1", "not finite"]),
        (np.full((1, 16000), 12345.0), ["12345", "32768"]),
        (np.zeros((2, 3, 16000)), ["(3, 16000)", "one channel"]),
        ([0.1, 0.2], ["waveform 0", "one-dimensional"]),
        (np.zeros((1, 100)), ["too short"]),
        (np.zeros((1, 0)), ["too short"]),
    ],
)
def test_what_is_no_sound(waveforms: Any, words: list[str]) -> None:
    with pytest.raises(ClipError) as caught:
        embed(waveforms, 16000, weights="random")
    for word in words:
        assert word in str(caught.value)


def test_usage(noise: Floats, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not given"):
        embed(noise, 16000)
    with pytest.raises(WeightsError, match="cannot be read"):
        embed(noise, 16000, weights=tmp_path / "a,b[c].pth")
    with pytest.raises(UsageError, match="resnet83"):
        embed(noise, 16000, "resnet83")
    with pytest.raises(UsageError, match="no waveforms"):
        embed([], 16000, weights="random")
    for rate in (0, -1, 0.5):
        with pytest.raises(UsageError, match="sample_rate"):
            embed(noise, rate, weights="random")  # type: ignore[arg-type]  # as people do


@pytest.mark.slow
def test_importing_is_light() -> None:
    code = (
        "import sys, asdbench.embeddings, asdbench.embeddings.logmel, asdbench.embeddings.cnn14, asdbench.audio;"
        "heavy = {'torch', 'librosa', 'scipy', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_run_holds_anybodys_reader_to_the_same_loudness(noise: Floats, tmp_path: Path) -> None:
    """The reader of a plug-in's data set is not ours: what it gives is looked at before it is embedded."""
    clips = [Clip(f"{number}.wav", "fan", "00", "source", "test", "dev", None) for number in range(3)]
    sounds = {"0.wav": noise[0], "1.wav": 32768 * noise[1], "2.wav": 1.9 * noise[2]}
    digests = ["a" * 64, "b" * 64, "c" * 64]
    recipe = recipe_of("logmel", create("embeddings", "logmel"))
    bad = embed_chunk("logmel", recipe, clips, digests, lambda one: Waveform(sounds[one.name], 16000), tmp_path, "cpu")
    assert list(bad) == [1]
    assert "1.wav: reaches " in bad[1].reason
    assert "divide by 32768" in bad[1].reason
    assert {path.stem for path in tmp_path.rglob("*.safetensors")} == {digests[0], digests[2]}
