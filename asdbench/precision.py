"""What a type of numbers can tell apart: whether values vary, and what a cast to another type loses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDING = 8
"""Steps of a type, at the size of the largest value, that its values may differ by and still be called the same."""
NOISE = 64
"""The same where a cast is judged: sums of many values are off by so much, and nobody misses it."""


def varies(low: Any, high: Any, dtype: np.dtype[Any], steps: int = ROUNDING) -> NDArray[np.bool_]:
    """Whether values from ``low`` to ``high`` (numbers, or arrays of many columns') differ by more than rounding.

    Judged by the resolution of ``dtype``, the type that they were computed in; integers have no rounding.
    """
    low, high = np.asarray(low), np.asarray(high)
    if dtype.kind != "f":
        return np.asarray(low != high)
    eps = np.finfo(dtype).eps
    with np.errstate(over="ignore"):  # the whole range of a type is more than it holds: infinite, so it varies
        return np.asarray(high - low > steps * eps * np.maximum(abs(low), abs(high)))


def lost(values: NDArray[Any], cast: NDArray[Any]) -> str | None:
    """Why a cast loses what values (n,) or (n, d) tell, or None.

    That is where a finite value becomes infinite, or a column that varies becomes constant.
    """
    if values.dtype == cast.dtype or values.itemsize < cast.itemsize or not values.size:
        return None  # nothing can be lost
    finite = np.isfinite(values)
    infinite = np.count_nonzero(finite & ~np.isfinite(cast))
    if infinite:
        return f"{infinite} of {values.size} values are beyond {cast.dtype} ({np.finfo(cast.dtype).max:.2g})"
    usable = finite.reshape(len(values), -1).all(axis=1)
    columns = values.reshape(len(values), -1)[usable]
    return merged(columns.min(axis=0), columns.max(axis=0), cast.dtype) if len(columns) else None


def merged(low: NDArray[Any], high: NDArray[Any], dtype: np.dtype[Any]) -> str | None:
    """The first of some columns, from ``low`` to ``high`` (d,), that varies and is constant as ``dtype``, in words."""
    gone = varies(low, high, low.dtype, NOISE) & (low.astype(dtype) == high.astype(dtype))
    if not gone.any():
        return None
    first = int(np.argmax(gone))
    which = f"column {first + 1} of {len(low)}" if len(low) > 1 else "it"
    return (
        f"{which} goes from {low[first]!s} to {high[first]!s} and would be {float(dtype.type(low[first]))} throughout"
    )
