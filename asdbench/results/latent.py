"""The picture of a model's latent space: its training clips' two principal axes, and what lies where on them.

Conventions
-----------
- The axes are those of the training clips' latent vectors alone; test clips and class centres are projected on them, so
  that a test clip cannot turn the picture. One picture a fit: two fits' axes have nothing in common.
- The sign of an axis is fixed: its entry of largest size is positive. Equal vectors give equal pictures.
- A picture is never worth a score: whatever goes wrong with it is a reason, and the fit's components stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Batch, Fitted, Floats

CHUNK = 4096  # vectors that are held in float64 at a time
DIGITS = 6
"""Significant digits that are kept of a coordinate."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Coordinates on the two axes: (training clips, 2), (test clips, 2) and (classes, 2), in the order of their rows.

    ``centres`` is (0, 2) where the model has none; NaN where a vector is not finite.
    """

    train: Floats
    test: Floats
    centres: Floats


def picture(fitted: Fitted, train: Batch, test: Batch) -> Picture | str | None:
    """The picture of a trained model; None where the model has no ``latent``, or the reason why there is none."""
    latent = getattr(fitted, "latent", None)
    if latent is None:
        return None
    try:
        vectors = _vectors("latent", latent(train), len(train))
        mean, axes = principal_axes(vectors)
        centres = getattr(fitted, "centres", lambda: None)()
        return Picture(
            _projected(vectors, mean, axes),
            _projected(_vectors("latent", latent(test), len(test), len(mean)), mean, axes),
            np.zeros((0, 2), np.float32)
            if centres is None
            else _projected(_vectors("centres", centres, None, len(mean)), mean, axes),
        )
    except Exception as error:  # a plug-in may raise anything; the reason is kept, the scores do not depend on it
        return f"{type(error).__name__}: {error}"


def principal_axes(vectors: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (d,) and the two directions of largest variance (2, d) of vectors (n, d); those not finite do not count.

    By singular values of the d x d scatter, which is summed in chunks: memory does not grow with the clips. A second
    axis that does not exist (d = 1) is 0.
    """
    width = vectors.shape[1]
    total, count = np.zeros(width), 0
    for chunk in _finite_chunks(vectors):
        total += chunk.sum(axis=0)
        count += len(chunk)
    mean = total / max(count, 1)
    scatter = np.zeros((width, width))
    for chunk in _finite_chunks(vectors):
        scatter += (chunk - mean).T @ (chunk - mean)
    axes = np.zeros((2, width))
    found = np.linalg.svd(scatter, hermitian=True)[2][:2]
    axes[: len(found)] = found
    largest = axes[[0, 1], np.abs(axes).argmax(axis=1)]
    return mean, axes * np.where(largest < 0, -1.0, 1.0)[:, None]


def _finite_chunks(vectors: NDArray[Any]) -> Any:
    for start in range(0, len(vectors), CHUNK):
        chunk = vectors[start : start + CHUNK].astype(np.float64)
        yield chunk[np.isfinite(chunk).all(axis=1)]


def _projected(vectors: NDArray[Any], mean: NDArray[np.float64], axes: NDArray[np.float64]) -> Floats:
    parts = [
        (vectors[start : start + CHUNK].astype(np.float64) - mean) @ axes.T for start in range(0, len(vectors), CHUNK)
    ]
    return np.concatenate(parts or [np.zeros((0, 2))]).astype(np.float32)


def _vectors(name: str, found: Any, count: int | None, width: int | None = None) -> NDArray[Any]:
    """What a model gave, if it is (count, width) numbers."""
    vectors = np.asarray(found)
    rows = len(vectors) if count is None and vectors.ndim else count
    columns = vectors.shape[-1] if width is None and vectors.ndim else width
    if vectors.shape != (rows, columns) or vectors.dtype.kind not in "biuf" or not columns:
        wanted = f"({'classes' if count is None else count}, {'d' if width is None else width})"
        raise ValueError(f"{name}() gives {vectors.dtype} {vectors.shape}, not numbers {wanted}")
    return vectors  # as they are: what is large beside its differences loses them in a narrower type
