"""A vector of a clip without any weights: its log-mel spectrogram, pooled over time.

For each of the 128 mel bands of ``logmel``: a pooled level and the standard deviation over the frames, 256 values a
clip. The level is the global weighted ranked pooling (GWRP) of liuyoude/DCASE2022Task2-Record: a band's values are
sorted from the largest to the smallest and averaged with the weights r^0, r^1, r^2, ...; r = 1 is the mean, r = 0 the
maximum.

Levels are given as (dB + 100) / 100, deviations as dB / 10. Both are then non-negative and of order one for ordinary
recordings, which the report's VAEs need: their decoder ends in a ReLU, and nothing scales their input. ``unit=db``
gives plain dB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np

from asdbench.api import Floats, Kind
from asdbench.embeddings.logmel import PadMode, logmel
from asdbench.errors import UsageError

Unit: TypeAlias = Literal["scaled", "db"]


def pooled(*, r: float = 1.0, deviation: bool = True, unit: Unit = "scaled", pad_mode: PadMode = "reflect") -> Pooled:
    """The log-mel spectrogram pooled over time: (256,) a clip, and no weights are needed.

    Parameters
    ----------
    r : float
        In [0, 1]: the weight of a frame relative to the next louder one. 1: mean; 0: maximum.
    deviation : bool
        Whether the standard deviation over time of each band follows the 128 levels.
    unit : {"scaled", "db"}
        (dB + 100) / 100 and deviation / 10, or plain dB.
    pad_mode : {"reflect", "zeros"}
        As of ``logmel``.

    Raises
    ------
    UsageError
        For an ``r`` outside [0, 1].
    """
    if not 0 <= r <= 1:
        raise UsageError(f"pooled: r is {r}", looked="r is a weight from 0 (maximum) to 1 (mean)", hint="write r=1")
    return Pooled(float(r), deviation, unit, pad_mode)


@dataclass(frozen=True)
class Pooled:
    """The ``pooled`` embedding; see :func:`pooled`."""

    r: float
    deviation: bool
    unit: Unit
    pad_mode: PadMode

    name: ClassVar[str] = "pooled"
    kind: ClassVar[Kind] = "vector"
    stamps: ClassVar[tuple[str, ...]] = ()
    batch: ClassVar[int] = 1

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Everything that the output depends on."""
        return {
            **logmel(pad_mode=self.pad_mode).recipe,
            "embedding": self.name,
            "parameters": {
                "r": self.r,
                "deviation": self.deviation,
                "unit": self.unit,
                "pad_mode": self.pad_mode,
            },
        }

    def embed(self, waveforms: Floats, rate: int, device: str = "cpu") -> Floats:
        """Pooled log-mel spectrograms.

        Parameters
        ----------
        waveforms : float32 array (clips, samples)
        rate : int
            Hz; another rate than 16000 is resampled.
        device : str
            Not used: this runs on the CPU.

        Returns
        -------
        float32 array (clips, 256), or (clips, 128) without deviations

        Raises
        ------
        ClipError
            Where the clips are shorter than 0.128 s.
        """
        frames = logmel(pad_mode=self.pad_mode).embed(waveforms, rate).astype(np.float64)
        ranked = -np.sort(-frames, axis=1)
        weights = self.r ** np.arange(frames.shape[1])  # 0^0 is 1: the maximum
        level = np.einsum("cfb,f->cb", ranked, weights) / weights.sum()
        spread = frames.std(axis=1)
        if self.unit == "scaled":
            level, spread = (level + 100) / 100, spread / 10
        found = np.concatenate([level, spread], axis=1) if self.deviation else level
        return found.astype(np.float32)
