"""Checks of what a system is given: parameters, and the training clips' vectors.

Conventions
-----------
A parameter that cannot be is a UsageError when the model is made, before any work; features that cannot be trained on
are a FitError when it is fitted. What stands here is light: it is imported with the factories.
"""

from __future__ import annotations

import math

import numpy as np

from asdbench.api import Batch, Floats
from asdbench.errors import FitError, UsageError


def check_number(name: str, value: float, fits: bool, wanted: str) -> None:
    """Refuse a parameter's value.

    Raises
    ------
    UsageError
        Where it is not finite or does not fit.
    """
    if not (math.isfinite(value) and fits):
        raise UsageError(
            f"{name}={value} does not fit", looked=f"{name} takes {wanted}", hint=f"give {name} another value"
        )


def vectors(batch: Batch, start: int = 0, stop: int | None = None) -> Floats:
    """Clips ``start`` to ``stop`` as an array (clips, d) float32; reads only these where the features are on disk.

    Raises
    ------
    FitError
        Where a clip has frames instead of one vector.
    """
    part = batch.features[start : len(batch) if stop is None else stop]
    if any(np.ndim(row) != 1 for row in part[:1]):
        raise FitError(
            "this system takes one vector a clip",
            looked=f"the first clip's features are an array {np.shape(part[0])}",
            hint="choose an embedding that gives vectors, such as resnet38",
        )
    return np.asarray(part, dtype=np.float32)


def training_vectors(batch: Batch, least: int = 2) -> Floats:
    """All training clips as an array (clips, d) float32.

    Raises
    ------
    FitError
        For fewer than ``least`` clips, frames instead of vectors, or values that are not finite.
    """
    if len(batch) < least:
        raise FitError(
            f"{len(batch)} training clip{'s' * (len(batch) != 1)}: this system needs {least} or more",
            looked="the training clips of this fit",
            hint="add normal training clips, or leave these sections out",
        )
    features = vectors(batch)
    unusable = np.count_nonzero(~np.isfinite(features).all(axis=1))
    if unusable:
        raise FitError(
            f"{unusable} of {len(batch)} training clips have features that are not finite (NaN or infinite)",
            looked="the training clips of this fit, sorted by name: the first is number "
            f"{1 + int(np.argmax(~np.isfinite(features).all(axis=1)))}",
            hint="compute these features again, or take these clips out of the data set",
        )
    return features
