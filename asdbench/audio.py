"""Sound files: reading, checking, resampling. Nothing else touches sound files.

Conventions
-----------
- A waveform is one channel of float32; integer formats are scaled so that full scale is 1.
- A file that cannot be scored is a :class:`~asdbench.errors.ClipError` that names it, never a shorter or quieter clip.
  libsndfile silently shortens a WAVE file that ends before its header says so, hence the look at the header here.
- A header that could not know the length, as of a file that came through a pipe, is no fault: the file is decoded to
  its end. Files are read from their beginning on, never sought in: some formats (GSM in WAVE) cannot be.
- Floating-point files are meant in [-1, 1]; some overshoot is usual. Beyond :data:`LOUDEST` they hold integers.
- Resampling calls soxr and resampy directly, with the settings and to the very samples of ``librosa.resample``
  (``soxr_hq``, ``kaiser_best``): importing librosa compiles for 13 s on a fresh machine.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

import numpy as np

from asdbench.api import Floats, Waveform
from asdbench.chunks import sound_chunk
from asdbench.errors import ClipError
from asdbench.words import counted

if TYPE_CHECKING:
    from soundfile import SoundFile

Resampler: TypeAlias = Literal["soxr_hq", "kaiser_best"]

_FRAMES_UNKNOWN = 2**63 - 1  # libsndfile's
_MANY = 1 << 24
"""Samples a channel up to which a header is believed; longer files are read in blocks, to whatever end they have."""
_BLOCK = 1 << 16
_FLOATING = ("FLOAT", "DOUBLE")
LOUDEST = 100.0
"""A magnitude that no floating-point sound has, and integers that were merely cast soon have."""


@dataclass(frozen=True)
class Header:
    """What a file's header says: rate in Hz, number of channels, samples a channel.

    ``peaks`` has the largest magnitude of each channel, of floating-point files alone: their header bounds nothing.
    """

    rate: int
    channels: int
    samples: int
    peaks: tuple[float, ...] = ()

    @property
    def seconds(self) -> float:
        """The length."""
        return self.samples / self.rate


def header(path: Path) -> Header:
    """What the header of a sound file says; what it does not know, the length or how loud it is, is found by decoding.

    Raises
    ------
    ClipError
        Where the file is missing, empty, cut short or not sound.
    """
    import soundfile

    source = _source(path)
    try:
        with _opened(source) as file:
            floating, samples = file.subtype in _FLOATING, file.frames
            if not floating and samples <= _MANY:
                return Header(file.samplerate, file.channels, samples)
            count, peaks = 0, np.zeros(file.channels)
            for block in _blocks(file):
                count += len(block)
                if floating:
                    peaks = np.fmax(peaks, np.abs(block).max(axis=0))
            _check_count(path, samples, count)
            return Header(file.samplerate, file.channels, count, tuple(peaks.tolist()) if floating else ())
    except (soundfile.SoundFileError, MemoryError, TypeError, ValueError) as error:
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
        asked for; holds no or a single sample, a NaN or an infinity, or integers as floats; or is silent.
    """
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
    check_loudness(float(np.abs(taken).max()), f"{path.name}:", f"{path}: ")
    if taken.min() == taken.max():
        raise ClipError(
            f"{path.name}: silent, all of its {len(taken)} samples are {taken[0]:g}",
            looked=str(path),
            hint="a dead sensor cannot be scored: check the recording, or take the file out of the data set",
        )
    return Waveform(taken, found)


def check_loudness(peak: float, what: str, where: str = "") -> None:
    """Is this largest magnitude one of sound? Integers that were merely cast to floats would come out 90 dB too loud.

    Raises
    ------
    ClipError
        Above :data:`LOUDEST`; it begins with ``what``, and names ``where``.
    """
    if peak > LOUDEST:
        raise ClipError(
            f"{what} reaches {peak:.0f}",
            looked=f"{where}sound must be in [-1, 1]",
            hint=f"these are integers: divide by {full_scale(peak)}",
        )


def full_scale(peak: float) -> int:
    """What integers of that size are divided by: 32768 for 16 bits, else 24 or 32."""
    return next((1 << bits for bits in (15, 23) if peak <= 1 << bits), 1 << 31)


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

    source = _source(path)
    try:
        with _opened(source) as file:
            promised, found = file.frames, file.samplerate
            if promised > _MANY:
                blocks = list(_blocks(file))
                samples = np.concatenate(blocks) if blocks else np.zeros((0, file.channels), dtype=np.float32)
            else:
                samples = file.read(promised, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, MemoryError, TypeError, ValueError) as error:  # the last three: absurd headers
        raise _not_sound(path, error) from error
    _check_count(path, promised, len(samples))
    if not len(samples):
        raise ClipError(f"{path.name}: holds no samples", looked=str(path), hint="take the file out of the data set")
    return samples, found


def _opened(source: bytes | BinaryIO) -> SoundFile:
    import soundfile

    class Forwards(soundfile.SoundFile):  # type: ignore[misc]  # soundfile states no types
        def seekable(self) -> bool:
            return False  # else soundfile seeks after each read, which fails where the length is not known

    return Forwards(source)


def _blocks(file: SoundFile) -> Iterator[Floats]:
    while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
        yield block


def _check_count(path: Path, promised: int, there: int) -> None:
    if there < promised != _FRAMES_UNKNOWN:
        raise _truncated(path, f"{promised} samples announced, {there} there")


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


def _source(path: Path) -> bytes | BinaryIO:
    """What is to be decoded: a file's path, or its content with the length that its header should have had.

    Raises
    ------
    ClipError
        Where the file is missing, empty, or holds less than its header announces.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise ClipError(
                    f"{path.name}: empty file (0 bytes)", looked=str(path), hint="copy or download the file again"
                )
            sound = sound_chunk(file, size)
            if sound is not None and sound.untold:
                # libsndfile takes a length of 0 at its word
                content = bytearray(path.read_bytes())
                content[sound.at : sound.at + sound.width] = sound.there.to_bytes(sound.width, sound.order)
                return io.BytesIO(content)
    except FileNotFoundError as error:
        raise ClipError(
            f"{path.name}: no such file", looked=str(path), hint="is the data set complete at this path?"
        ) from error
    except OSError as error:
        raise ClipError(
            f"{path.name}: cannot be opened ({error.strerror})", looked=str(path), hint="check the file's permissions"
        ) from error
    if sound is not None and sound.missing:
        raise _truncated(path, f"{counted(sound.missing, 'byte')} of sound missing")
    return os.fsencode(path)  # as bytes: also where the locale knows fewer letters


def _truncated(path: Path, what: str) -> ClipError:
    return ClipError(f"{path.name}: cut short, {what}", looked=str(path), hint="copy or download the file again")
