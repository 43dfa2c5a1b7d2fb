"""The sound of a clip for a page: a spectrogram, and the sound itself as a data URI, where somebody named its data set.

A results folder may be a stranger's. It says which data set it was made on, and that text is shown and compared, never
opened: a spec can run code and read any path. Sounds come only from a data set that the person at the keyboard names.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from asdbench.api import Clip, Dataset, Floats, Waveform
from asdbench.errors import ClipError
from asdbench.reports.figures import Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 10.0  # seconds that a page holds of a clip
BOUND = 1_500_000  # bytes of sound that a page holds, as base64
WINDOW, HOP, BANDS, FRAMES = 512, 256, 64, 128
UNNAMED = "name the data set to see and hear its clips, as in --dataset toy or --dataset dcase2021:ROOT"
DEPTH, STEPS = 80, 32  # decibels that a picture shows, in so many colours: fewer bytes, and nothing to be seen of it


class Sounds:
    """The sounds of a data set that somebody opened; ``why_not`` says why there are none.

    Parameters
    ----------
    data : Dataset or None
    why_not : str
        Why there is no data set, where there is none.
    """

    def __init__(self, data: Dataset | None, why_not: str = UNNAMED) -> None:
        self.why_not = why_not if data is None else ""
        self._spec = "" if data is None else data.spec
        self._clips: dict[tuple[str, str], Clip] = {}
        self._reader: Callable[[Clip], Waveform] | None = None if data is None else data.reader
        if data is not None and self._reader is None:
            self.why_not = "the data set holds features, not sound"
        elif data is not None:
            self._clips = {(clip.machine, clip.name): clip for clip in data.clips if clip.split == "test"}

    def read(self, machine: str, name: str, made_on: str) -> Waveform:
        """A clip's sound.

        Parameters
        ----------
        machine, name : str
        made_on : str
            The data set that the results say they were made on. It is compared with the open one, no more.

        Raises
        ------
        ClipError
            Where the sound cannot be had.
        """
        # A root may have moved; a data set without a root is known by its spec alone, and others have other sounds.
        if self._reader is not None and ":" not in self._spec and made_on != self._spec:
            raise ClipError(f"the results were made on {made_on}, not on {self._spec}")
        clip = self._clips.get((machine, name))
        if clip is None or self._reader is None:
            raise ClipError(self.why_not or f"{name}: not in the data set that was named")
        return self._reader(clip)


def data_uri(sound: Waveform) -> str:
    """A sound's first :data:`LONGEST` seconds as an MP3 data URI, at its own level: all browsers play it."""
    import soundfile

    content = io.BytesIO()
    samples = sound.samples[: int(LONGEST * sound.rate)]
    soundfile.write(content, samples, sound.rate, format="MP3")
    return f"data:audio/mpeg;base64,{base64.b64encode(content.getvalue()).decode()}"


def spectrogram(sound: Waveform, title: str) -> Panel:
    """The panel of a sound's magnitude in decibels, 80 dB deep."""

    def draw(axes: Axes) -> None:
        from matplotlib import colormaps

        levels = _levels(sound.samples)
        seconds = len(sound.samples) / sound.rate
        axes.imshow(
            levels,
            origin="lower",
            aspect="auto",
            extent=(0, seconds, 0, sound.rate / 2000),
            cmap=colormaps["magma"].resampled(STEPS),
            vmin=float(levels.max()) - DEPTH,
            interpolation="none",  # the page scales it
        )
        axes.grid(False)
        axes.set_xlabel("seconds")
        axes.set_ylabel("kHz")

    return Panel(title, draw, 1.9)


def _levels(samples: Floats) -> Floats:
    """Decibels (bands, frames), frames and bands thinned by maximum to what a small picture shows."""
    padded = np.pad(samples.astype(np.float32), (0, max(0, WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)[:, 1:]) ** 2
    power = power.reshape(len(power), BANDS, -1).max(axis=2)
    step = -(-len(power) // FRAMES)
    power = np.maximum.reduceat(power, range(0, len(power), step), axis=0)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)).T, dtype=np.float32)
