"""The Gaussian against scikit-learn's LedoitWolf."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

from asdbench.api import Batch, FitContext, Floats
from asdbench.errors import FitError
from asdbench.testing import random_batch
from asdbench_systems.mvg import Mvg, ledoit_wolf

pytestmark = pytest.mark.quick

CTX = FitContext(seed=0)


def correlated(n: int, p: int, seed: int) -> Batch:
    """Clips whose features differ in scale and go together, as embeddings do."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(p).standard_normal((p, p)) * np.geomspace(1, 1e-3, p)
    features = (rng.standard_normal((n, p)) @ mixing.T + 3).astype(np.float32)
    return replace(random_batch(n, sections=1), features=features)


def doubles(batch: Batch) -> NDArray[np.float64]:
    return np.array(batch.features, np.float64)


@pytest.mark.parametrize(("n", "p"), [(24, 300), (3, 50), (49, 50), (50, 50), (51, 50), (400, 20), (60, 1)])
def test_shrinkage_and_distances_are_scikit_learns(n: int, p: int) -> None:
    train, test = correlated(n, p, seed=1), correlated(40, p, seed=2)
    theirs = LedoitWolf().fit(doubles(train))
    x = doubles(train)
    shrinkage, _ = ledoit_wolf(x - x.mean(axis=0))
    assert shrinkage == pytest.approx(theirs.shrinkage_, rel=1e-6, abs=1e-12)
    fitted = Mvg().fit(train, CTX)
    for batch in (train, test):
        expected = theirs.mahalanobis(doubles(batch))
        np.testing.assert_allclose(fitted.components(batch)["mahalanobis"], expected, rtol=1e-6)


def test_parameters_are_mean_and_symmetric_covariance() -> None:
    assert Mvg().fit(correlated(30, 4, seed=1), CTX).parameters == 4 + 10


def test_a_constant_feature_does_no_harm() -> None:
    train = correlated(24, 60, seed=1)
    features = np.array(train.features)
    features[:, 5] = 0
    train = replace(train, features=features)
    expected = LedoitWolf().fit(doubles(train)).mahalanobis(doubles(train))
    np.testing.assert_allclose(Mvg().fit(train, CTX).components(train)["mahalanobis"], expected, rtol=1e-6)


def with_features(features: Floats) -> Batch:
    return replace(random_batch(len(features), sections=1), features=features)


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (np.ones((1, 8), np.float32), "1 training clip"),
        (np.full((9, 8), 0.1, np.float32), "singular"),
        (np.eye(2, 8, dtype=np.float32), "singular"),  # two clips: Ledoit-Wolf does not shrink
        (np.full((9, 8), np.nan, np.float32), "not finite"),
    ],
)
def test_what_has_no_gaussian(features: Floats, says: str) -> None:
    with pytest.raises(FitError, match=says):
        Mvg().fit(with_features(features), CTX)


def test_a_test_clip_that_is_not_finite_is_nan() -> None:
    fitted = Mvg().fit(random_batch(), CTX)
    test = random_batch(2000, seed=3)
    broken = np.array(test.features)
    broken[1500, 3] = np.nan
    distances = fitted.components(replace(test, features=broken))["mahalanobis"]
    assert np.flatnonzero(np.isnan(distances)).tolist() == [1500]
    good = np.arange(2000) != 1500
    np.testing.assert_allclose(distances[good], fitted.components(test)["mahalanobis"][good], rtol=1e-6)
