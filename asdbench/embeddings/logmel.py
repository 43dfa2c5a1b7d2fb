"""Log-mel spectrograms: the front end of the organizers' autoencoder, and the mel arithmetic that ResNet38 shares.

The ``logmel`` embedding is the 2021 recipe (y-kawagu/dcase2021_task2_baseline_ae, ``common.py`` and ``baseline.yaml``):
16 kHz, Hann window of 1024, hop 512, centred frames, power spectrum, 128 Slaney mel bands from 0 to 8000 Hz, then
10 log10 of at least the float epsilon; no reference level, no clipping, no normalisation.

The padding at both ends is a choice that changed under everybody: librosa 0.6, which the recipe pins, reflects the
signal; librosa since 0.10 pads with zeros. The two differ in the first and the last frame only, by up to 6 dB.

Everything is computed clip by clip in float64, so that a clip's spectrogram depends on nothing but the clip.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Floats, Kind
from asdbench.audio import resample
from asdbench.errors import ClipError

PadMode: TypeAlias = Literal["reflect", "zeros"]
Doubles: TypeAlias = NDArray[np.float64]

RATE = 16000
WINDOW = 1024
HOP = 512
BANDS = 128
FRAMES = 5  # of the autoencoder's window: a clip with fewer has none, and no score
FLOOR = sys.float_info.epsilon
BLOCK = 64  # frames transformed at a time: what stays in the processor's cache; moves no value


def logmel(*, pad_mode: PadMode = "reflect") -> LogMel:
    """The log-mel spectrogram of the organizers' autoencoder: (frames, 128) a clip, in dB.

    Parameters
    ----------
    pad_mode : {"reflect", "zeros"}
        What stands before and after the clip: its mirror image (librosa 0.6, the 2021 recipe) or zeros (librosa now).
    """
    return LogMel(pad_mode)


@dataclass(frozen=True)
class LogMel:
    """The ``logmel`` embedding; see :func:`logmel`."""

    pad_mode: PadMode

    name: ClassVar[str] = "logmel"
    kind: ClassVar[Kind] = "frames"
    stamps: ClassVar[tuple[str, ...]] = ()
    batch: ClassVar[int] = 1

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Everything that the output depends on."""
        return {
            "format": 1,
            "embedding": self.name,
            "parameters": {"pad_mode": self.pad_mode},
            "batch": self.batch,
            "versions": {library: version(library) for library in ("numpy", "soxr")},
        }

    def embed(self, waveforms: Floats, rate: int, device: str = "cpu") -> Floats:
        """Log-mel spectrograms.

        Parameters
        ----------
        waveforms : float32 array (clips, samples)
        rate : int
            Hz; another rate than 16000 is resampled.
        device : str
            Not used: this runs on the CPU.

        Returns
        -------
        float32 array (clips, 1 + samples // 512, 128), in dB

        Raises
        ------
        ClipError
            Where the clips have fewer than the 5 frames of the autoencoder's window: shorter than 0.128 s.
        """
        samples = resample(waveforms, rate, RATE)
        shortest = (FRAMES - 1) * HOP
        if samples.shape[-1] < shortest:
            raise ClipError(
                f"a clip of {waveforms.shape[-1] / rate:.4g} s is shorter than a window of {FRAMES} frames of logmel",
                looked=f"{waveforms.shape[-1]} samples at {rate} Hz",
                hint=f"clips must last {shortest / RATE:.3f} s or more",
            )
        filters = mel_filterbank(RATE, WINDOW, BANDS, 0.0, RATE / 2)
        return np.stack([_decibel(power_mel(row, filters, HOP, self.pad_mode)) for row in samples])


def _decibel(mel: Doubles) -> Floats:
    return (10.0 * np.log10(np.maximum(mel, FLOOR))).astype(np.float32)


def power_mel(samples: Floats, filters: NDArray[np.floating[Any]], hop: int, pad_mode: PadMode = "reflect") -> Doubles:
    """The power mel spectrogram of one clip: centred frames, periodic Hann window, |STFT|^2 times the filters.

    Parameters
    ----------
    samples : float32 array (n,)
        At least half a window and one sample long.
    filters : array (1 + window / 2, bands)
        See :func:`mel_filterbank`; it tells the length of the window.
    hop : int
        Samples from one frame to the next.
    pad_mode : {"reflect", "zeros"}
        What stands in the half window before and after the clip.

    Returns
    -------
    float64 array (1 + n // hop, bands)
    """
    from scipy.sparse import csr_array

    window = 2 * (len(filters) - 1)
    mode: Literal["reflect", "constant"] = "reflect" if pad_mode == "reflect" else "constant"
    padded = np.pad(samples.astype(np.float64), window // 2, mode=mode)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    hann = np.hanning(window + 1)[:-1]
    # Sparse: most weights are 0, and BLAS would start threads and sum in their order.
    weights = csr_array(filters.T)
    mel = np.empty((len(frames), filters.shape[1]))
    for start in range(0, len(frames), BLOCK):
        block = slice(start, start + BLOCK)
        spectrum = np.fft.rfft(frames[block] * hann)
        mel[block] = (weights @ (spectrum.real**2 + spectrum.imag**2).T).T
    return mel


def mel_filterbank(rate: int, window: int, bands: int, fmin: float, fmax: float) -> Doubles:
    """Triangular filters of equal area on Slaney's mel scale (Auditory Toolbox, 1998): librosa's default filters.

    Parameters
    ----------
    rate, window : int
        Sample rate in Hz and length of the FFT.
    bands : int
        Number of filters.
    fmin, fmax : float
        Lower edge of the first and upper edge of the last filter, in Hz.

    Returns
    -------
    float64 array (1 + window / 2, bands)
    """
    bins = np.fft.rfftfreq(window, 1 / rate)[:, None]
    lowest, highest = _hertz_to_mel(np.array([fmin, fmax]))
    edges = _mel_to_hertz(np.linspace(lowest, highest, bands + 2))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None) * 2 / (high - low), dtype=np.float64)


# Slaney's scale is linear to 1000 Hz (15 mel of 200/3 Hz each), then logarithmic: 27 mel for a factor of 6.4.
_KNEE_HERTZ, _KNEE_MEL, _STEP = 1000.0, 15.0, np.log(6.4) / 27


def _hertz_to_mel(hertz: Doubles) -> Doubles:
    linear = hertz * _KNEE_MEL / _KNEE_HERTZ
    return np.where(hertz < _KNEE_HERTZ, linear, _KNEE_MEL + np.log(np.maximum(hertz, 1) / _KNEE_HERTZ) / _STEP)


def _mel_to_hertz(mel: Doubles) -> Doubles:
    return np.where(mel < _KNEE_MEL, mel * _KNEE_HERTZ / _KNEE_MEL, _KNEE_HERTZ * np.exp((mel - _KNEE_MEL) * _STEP))
