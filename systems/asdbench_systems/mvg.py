"""One Gaussian per section on the embedding, scored by the squared Mahalanobis distance.

Source: the report author's notebook (HirokiNarita/dcase2021_task2), which fits scikit-learn's LedoitWolf to each
section's training clips. The estimator is that of Ledoit & Wolf, *A well-conditioned estimator for large-dimensional
covariance matrices*, J. Multivariate Analysis 88 (2004); m, d2 and b2 are the paper's.

Conventions
-----------
X (n, p) are the centred training clips, S = X'X / n. Everything is float64. Where there are fewer clips than
dimensions, S is never formed: in an orthonormal basis of the clips the covariance is (n, n), beside it a constant.
Clips are scored in chunks of a fixed size, the last one filled up: libraries choose their order of summation by the
shape, and a clip's distance depends neither on its neighbours nor on how many they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Batch, FitContext, Scope, System
from asdbench.errors import FitError
from asdbench.plugins import registry
from asdbench_systems._checks import training_vectors, vectors

CHUNK = 128  # clips scored at a time


@dataclass(frozen=True)
class Mvg:
    """A Gaussian with the Ledoit-Wolf covariance.

    Parameters
    ----------
    embedding : str
        The features, a spec. Report: silent; the author's notebook takes 3072 values, ``resnet38[blocks=author3072]``.
    """

    embedding: str = "resnet38"

    deterministic: ClassVar[bool] = True

    @property
    def scope(self) -> Scope:
        """One Gaussian for each section of a machine."""
        return "section"

    def fit(self, train: Batch, ctx: FitContext) -> FittedMvg:
        """Mean and shrunk covariance of the training clips; nothing is random.

        Raises
        ------
        FitError
            For fewer than two clips, values that are not finite, or a covariance that is singular even when shrunk.
        """
        features = training_vectors(train)
        n, p = features.shape
        if (features == features[0]).all():
            raise _singular(n, p, "all clips have the same features")
        mean = features.mean(axis=0, dtype=np.float64)
        X = features - mean
        shrinkage, m = ledoit_wolf(X)
        ridge = shrinkage * m
        basis = None if n >= p else np.linalg.qr(X.T)[0]
        inside = X if basis is None else X @ basis
        covariance = (1 - shrinkage) / n * (inside.T @ inside) + ridge * np.eye(inside.shape[1])
        try:
            factor = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError as error:
            raise _singular(n, p, f"Ledoit-Wolf shrinkage {shrinkage:.1g}") from error
        pivots = np.diag(factor) ** 2
        if pivots.min() <= np.finfo(np.float64).eps * p * pivots.max():
            raise _singular(n, p, f"Ledoit-Wolf shrinkage {shrinkage:.1g}")
        return FittedMvg(mean, basis, factor, ridge)


def ledoit_wolf(X: NDArray[np.float64]) -> tuple[float, float]:
    """The shrinkage of Ledoit & Wolf (2004) and the mean eigenvalue that it shrinks towards.

    Parameters
    ----------
    X : array (n, p)
        Centred.

    Returns
    -------
    shrinkage : float
        b2 / d2: the covariance is (1 - shrinkage) S + shrinkage m I.
    m : float
        tr(S) / p.
    """
    n, p = X.shape
    gram = X @ X.T if n < p else X.T @ X  # both have the Frobenius norm n ||S||
    norms = np.einsum("ij,ij->i", X, X)  # ||x_k||^2
    m = norms.sum() / n / p
    s2 = np.square(gram / n).sum()  # ||S||^2
    d2 = s2 / p - m**2  # ||S - m I||^2 / p
    b2 = min((np.square(norms).sum() / n - s2) / (n * p), d2)  # 1/n^2 sum_k ||x_k x_k' - S||^2 / p, at most d2
    return (float(b2 / d2) if b2 > 0 else 0.0), float(m)


@dataclass(frozen=True, eq=False)
class FittedMvg:
    """A Gaussian, ready to give squared Mahalanobis distances.

    Parameters
    ----------
    mean : array (p,)
    basis : array (p, k) or None
        Orthonormal; outside what it spans the variance is ``ridge`` in every direction. None: all p dimensions.
    factor : array (k, k)
        Cholesky factor of the covariance in that basis.
    ridge : float
    """

    mean: NDArray[np.float64]
    basis: NDArray[np.float64] | None
    factor: NDArray[np.float64]
    ridge: float

    def components(self, batch: Batch) -> Mapping[str, NDArray[np.float64]]:
        """Component mahalanobis (clips,): the squared distance, as scikit-learn's ``LedoitWolf.mahalanobis`` gives it.

        NaN where a clip's features are not finite. The clips' section is not looked at: this is one section's Gaussian.
        """
        from scipy.linalg import solve_triangular

        distances = np.full(len(batch), np.nan)
        for start in range(0, len(batch), CHUNK):
            features = vectors(batch, start, min(start + CHUNK, len(batch)))
            usable = np.flatnonzero(np.isfinite(features).all(axis=1))
            x = np.zeros((CHUNK, len(self.mean)))
            x[usable] = features[usable] - self.mean
            inside = x if self.basis is None else x @ self.basis
            d2 = np.square(solve_triangular(self.factor, inside.T, lower=True)).sum(axis=0)
            if self.basis is not None:
                d2 += np.square(x - inside @ self.basis.T).sum(axis=1) / self.ridge
            distances[start + usable] = d2[usable]
        return {"mahalanobis": distances}

    @property
    def parameters(self) -> int:
        """How many numbers were learned: the mean and the covariance, each entry above or on its diagonal once."""
        p = len(self.mean)
        return p + p * (p + 1) // 2


def _singular(n: int, p: int, why: str) -> FitError:
    return FitError(
        "the covariance of the training clips is singular",
        looked=f"{n} training clips of {p} values: {why}",
        hint="add normal training clips that differ, or leave this section out",
    )


@registry.takes(Mvg)
def mvg(**parameters: Any) -> System[FittedMvg]:
    """A Gaussian per section on the embedding: the report author's notebook, and a floor for anything trained."""
    return System(
        name="mvg",
        title="Gaussian per section (Ledoit-Wolf), squared Mahalanobis distance",
        model=Mvg(**parameters),
        formula={"mahalanobis": 1.0},
        published="narita2021/mvg-notebook",
        source="HirokiNarita/dcase2021_task2, the notebook with LedoitWolf on ResNet38 features",
    )
