"""The weight-free vector: pooled levels and deviations of the log-mel spectrogram."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.api import Floats
from asdbench.embeddings import embed
from asdbench.embeddings.logmel import logmel
from asdbench.embeddings.pooled import pooled
from asdbench.errors import ClipError, UsageError
from asdbench.plugins.registry import create


def slow_gwrp(values: Floats, r: float) -> float:
    """Global weighted ranked pooling of one band, word by word."""
    ranked = sorted((float(value) for value in values), reverse=True)
    weights = [r**rank for rank in range(len(ranked))]
    return sum(weight * value for weight, value in zip(weights, ranked, strict=True)) / sum(weights)


@pytest.mark.parametrize("r", [0.0, 0.5, 0.98, 1.0])
def test_levels_are_ranked_and_weighted(noise: Floats, r: float) -> None:
    frames = logmel().embed(noise[:2], 16000)
    found = pooled(r=r, deviation=False, unit="db").embed(noise[:2], 16000)
    assert found.shape == (2, 128)
    expected = [[slow_gwrp(clip[:, band], r) for band in range(128)] for clip in frames]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_one_is_the_mean_and_zero_the_maximum(noise: Floats) -> None:
    frames = logmel().embed(noise[:1], 16000)
    for r, expected in ((1.0, frames.mean(axis=1)), (0.0, frames.max(axis=1))):
        found = pooled(r=r, deviation=False, unit="db").embed(noise[:1], 16000)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_deviations_follow_and_both_are_scaled(noise: Floats) -> None:
    frames = logmel().embed(noise[:1], 16000)[0]
    found = pooled().embed(noise[:1], 16000)[0]
    np.testing.assert_allclose(found[:128], (frames.mean(axis=0) + 100) / 100, rtol=1e-5)
    np.testing.assert_allclose(found[128:], frames.std(axis=0) / 10, rtol=1e-4)
    assert found.min() >= 0
    assert found.max() < 3


def test_recipes_tell_parameters_apart() -> None:
    recipes = [one.recipe for one in (pooled(), pooled(r=0.5), pooled(deviation=False), pooled(unit="db"), logmel())]
    assert all(one != other for number, one in enumerate(recipes) for other in recipes[:number])


def test_it_is_found_by_its_name_and_needs_no_weights(noise: Floats) -> None:
    assert create("embeddings", "pooled[r=0.5]").r == 0.5
    assert embed(noise[:2], 16000, "pooled").shape == (2, 256)


@pytest.mark.parametrize("r", [-0.1, 1.1])
def test_a_weight_outside_its_range_is_refused(r: float) -> None:
    with pytest.raises(UsageError, match="r is"):
        pooled(r=r)


def test_a_clip_that_is_too_short_is_refused(noise: Floats) -> None:
    with pytest.raises(ClipError, match="shorter"):
        pooled().embed(noise[:1, :1000], 16000)
