"""Sound files: reading, checking, resampling. Nothing else touches sound files.

Conventions
-----------
- A waveform is one channel of float32; integer formats are scaled so that full scale is 1.
- A file that cannot be scored is a :class:`~asdbench.errors.ClipError` that names it, never a shorter or quieter clip.
  libsndfile silently shortens a WAVE file that ends before its header says so, hence the look at the header here.
- Resampling calls soxr and resampy directly, with the settings and to the very samples of ``librosa.resample``
  (``soxr_hq``, ``kaiser_best``): importing librosa compiles for 13 s on a fresh machine.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from asdbench.api import Floats, Waveform
from asdbench.errors import ClipError
from asdbench.words import counted

Resampler: TypeAlias = Literal["soxr_hq", "kaiser_best"]

_CHUNKED: Mapping[tuple[bytes, bytes], tuple[Literal["little", "big"], bytes]] = {
    (b"RIFF", b"WAVE"): ("little", b"data"),
    (b"RF64", b"WAVE"): ("little", b"data"),
    (b"RIFX", b"WAVE"): ("big", b"data"),
    (b"FORM", b"AIFF"): ("big", b"SSND"),
    (b"FORM", b"AIFC"): ("big", b"SSND"),
}
_UNKNOWN_SIZE = 0xFFFFFFFF  # a stream's writer could not know it; in RF64 the real one stands in the ds64 chunk


@dataclass(frozen=True)
class Header:
    """What a file's header says: rate in Hz, number of channels, samples a channel."""

    rate: int
    channels: int
    samples: int

    @property
    def seconds(self) -> float:
        """The length."""
        return self.samples / self.rate


def header(path: Path) -> Header:
    """What the header of a sound file says; nothing is decoded.

    Raises
    ------
    ClipError
        Where the file is missing, empty, cut short or not sound.
    """
    import soundfile

    _check_length(path)
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:  # as bytes: also where the locale knows fewer letters
            return Header(file.samplerate, file.channels, file.frames)
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        raise _not_sound(path, error) from error


def read(path: Path, channel: int | None = None, rate: int | None = None, dataset: str = "dcase2021") -> Waveform:
    """Read one channel of a sound file.

    Parameters
    ----------
    path : Path
        WAVE (16, 24, 32 bit, float, WAVE_FORMAT_EXTENSIBLE), FLAC or whatever else libsndfile reads.
    channel : int or None
        Which channel to take, from 0; None: the file must have one only.
    rate : int or None
        The sample rate in Hz that the file must have; None: any.
    dataset : str
        What the data set is called where one says how it is read, for advice.

    Returns
    -------
    Waveform
        ``samples`` (n,) float32, and the file's rate.

    Raises
    ------
    ClipError
        Where the file is missing, empty, cut short or not sound; has several channels, not the channel or not the rate
        asked for; holds no or a single sample, a NaN or an infinity; or is silent.
    """
    _check_length(path)
    samples, found = _decode(path)
    if rate is not None and found != rate:
        raise ClipError(
            f"{path.name}: sampled at {found} Hz, not at {rate} Hz",
            looked=str(path),
            hint=f"to resample clips of any rate, say so where you name the data set: {dataset}[rate=any]:ROOT",
        )
    taken = _take(path, samples, channel, dataset)
    if not np.isfinite(taken).all():
        raise ClipError(
            f"{path.name}: holds samples that are not finite (NaN or infinity)",
            looked=str(path),
            hint="export the recording again, or take the file out of the data set",
        )
    if len(taken) < 2:
        raise ClipError(
            f"{path.name}: too short, it holds a single sample",
            looked=str(path),
            hint="copy or export the recording again, or take the file out of the data set",
        )
    if taken.min() == taken.max():
        raise ClipError(
            f"{path.name}: silent, all of its {len(taken)} samples are {taken[0]:g}",
            looked=str(path),
            hint="a dead sensor cannot be scored: check the recording, or take the file out of the data set",
        )
    return Waveform(taken, found)


def resample(samples: Floats, rate: int, to: int, method: Resampler = "soxr_hq") -> Floats:
    """Resample along the last axis; deterministic, equal to ``librosa.resample(..., res_type=method)``.

    Parameters
    ----------
    samples : float32 array (..., n)
    rate, to : int
        Sample rates in Hz, before and after.
    method : {"soxr_hq", "kaiser_best"}
        libsoxr's high quality, or resampy's filter (librosa's default until 0.9).

    Returns
    -------
    float32 array (..., ceil(n * to / rate))
    """
    if rate == to:
        return np.asarray(samples, dtype=np.float32)
    length = -(-samples.shape[-1] * to // rate)
    resampled = np.zeros((*samples.shape[:-1], length), dtype=np.float32)
    for index in np.ndindex(samples.shape[:-1]):
        row = _resample_row(np.ascontiguousarray(samples[index], dtype=np.float32), rate, to, method)
        # As librosa's fix_length: the libraries round a fraction of a sample down, librosa rounds it up.
        resampled[index][: len(row)] = row[:length]
    return resampled


def _resample_row(row: Floats, rate: int, to: int, method: Resampler) -> Floats:
    if method == "soxr_hq":
        import soxr

        return np.asarray(soxr.resample(row, rate, to, quality="soxr_hq"), dtype=np.float32)
    import resampy

    return np.asarray(resampy.resample(row, rate, to, filter="kaiser_best"), dtype=np.float32)


def _decode(path: Path) -> tuple[Floats, int]:
    """All channels (n, channels) and the sample rate."""
    import soundfile

    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:  # as bytes: also where the locale knows fewer letters
            promised, found = file.frames, file.samplerate
            samples: Floats = file.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, MemoryError, TypeError, ValueError) as error:  # the last three: absurd headers
        raise _not_sound(path, error) from error
    if len(samples) < promised:
        raise _truncated(path, f"{promised} samples announced, {len(samples)} there")
    if not len(samples):
        raise ClipError(f"{path.name}: holds no samples", looked=str(path), hint="take the file out of the data set")
    return samples, found


def _not_sound(path: Path, error: Exception) -> ClipError:
    return ClipError(
        f"{path.name}: not a sound file that can be read ({_reason(error)})",
        looked=str(path),
        hint="WAVE and FLAC are read: copy the file again, or take it out of the data set",
    )


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", "") or str(error)
    return text.strip().rstrip(".") or type(error).__name__


def _take(path: Path, samples: Floats, channel: int | None, dataset: str) -> Floats:
    channels = samples.shape[1]
    if channel is None and channels > 1:
        raise ClipError(
            f"{path.name}: has {channels} channels, not one",
            looked=str(path),
            hint=f"to use one of them, say which where you name the data set: {dataset}[channel=0]:ROOT",
        )
    if not 0 <= (channel or 0) < channels:
        raise ClipError(
            f"{path.name}: has no channel {channel}",
            looked=f"{path} has {channels}, counted from 0",
            hint=f"choose one where you name the data set: {dataset}[channel={channels - 1}]:ROOT",
        )
    return np.ascontiguousarray(samples[:, channel or 0])


def _check_length(path: Path) -> None:
    """Raise where the file is missing, empty, or holds less than its header announces."""
    try:
        missing = _missing_bytes(path)
    except FileNotFoundError as error:
        raise ClipError(
            f"{path.name}: no such file", looked=str(path), hint="is the data set complete at this path?"
        ) from error
    except OSError as error:
        raise ClipError(
            f"{path.name}: cannot be opened ({error.strerror})", looked=str(path), hint="check the file's permissions"
        ) from error
    if missing:
        raise _truncated(path, f"{counted(missing, 'byte')} of sound missing")


def _truncated(path: Path, what: str) -> ClipError:
    return ClipError(f"{path.name}: cut short, {what}", looked=str(path), hint="copy or download the file again")


def _missing_bytes(path: Path) -> int:
    """How many bytes of its data chunk a WAVE or AIFF file lacks; 0 for other formats and streams of unknown length."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise ClipError(
                f"{path.name}: empty file (0 bytes)", looked=str(path), hint="copy or download the file again"
            )
        head = file.read(12)
        if (head[:4], head[8:]) not in _CHUNKED:
            return 0
        order, data = _CHUNKED[head[:4], head[8:]]
        long_length = 0
        while len(chunk := file.read(8)) == 8:
            start, length = file.tell(), int.from_bytes(chunk[4:], order)
            if chunk[:4] == b"ds64":
                long_length = int.from_bytes(file.read(16)[8:], order)
            elif chunk[:4] == data:
                announced = long_length if length == _UNKNOWN_SIZE else length
                return max(0, announced - (size - start))
            file.seek(start + length + length % 2)  # chunks are padded to an even length
        return 0
