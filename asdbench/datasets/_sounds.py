"""What the sounds of machines are put together from: random numbers that stay the same, noise, tones, rings, rotation.

Conventions
-----------
- Sounds are float64 arrays of one clip's length at :data:`RATE`; times and rates in seconds and Hz.
- Random numbers come from the raw stream of PCG64, which numpy promises never to change (NEP 19); it makes no such
  promise for the distributions of ``Generator``. With rounding to 16 bits this keeps sounds the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE = 16000
"""Samples a second, as in the challenge."""

Sound: TypeAlias = NDArray[np.float64]


class Chance:
    """Random numbers from a seed of several words."""

    def __init__(self, *words: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(words))

    def numbers(self, count: int) -> Sound:
        """Even in [0, 1)."""
        return np.asarray(self._bits.random_raw(count) >> np.uint64(11)) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """One number, even in [low, high)."""
        return low + (high - low) * float(self.numbers(1)[0])

    def whole(self, low: int, high: int) -> int:
        """One whole number from low to high, both included."""
        return low + int(self.numbers(1)[0] * (high - low + 1))

    def noise(self, count: int) -> Sound:
        """White, variance 1."""
        return (self.numbers(count) - 0.5) * 12**0.5

    def bend(self, count: int, depth: float, knots: int = 9) -> Sound:
        """A slow random course around 1 that leaves it by ``depth`` at most."""
        course = 1 + depth * (2 * self.numbers(knots) - 1)
        return np.interp(np.linspace(0, knots - 1, count), np.arange(knots), course)


def rotation(chance: Chance, rate: float | Sound, count: int, wobble: float = 0.004) -> Sound:
    """The angle (radians) of a shaft that turns ``rate`` times a second, not quite evenly, from a random start."""
    speed = rate * chance.bend(count, wobble) / RATE
    return 2 * np.pi * (chance.between(0, 1) + np.cumsum(speed))


def tones(angle: Sound, weights: Sequence[float] | Sound) -> Sound:
    """A fundamental and its harmonics: ``sum_k weights[k - 1] sin(k angle)``."""
    first = np.cos(angle) + 1j * np.sin(angle)
    total = np.zeros_like(first)
    for weight in np.asarray(weights)[::-1]:  # Horner's rule: one multiplication a harmonic instead of one sine
        total = (total + weight) * first
    return np.ascontiguousarray(total.imag)


def harmonics(body: Chance, count: int, fall: float) -> Sound:
    """Weights of an individual's harmonics: falling as ``k ** -fall``, each with its own factor of 0.3 to 1.7."""
    return np.arange(1.0, count + 1) ** -fall * (0.3 + 1.4 * body.numbers(count))


def shaped(white: Sound, gain: Callable[[Sound], Sound]) -> Sound:
    """Noise with the spectrum ``gain(frequencies in Hz)``, whose largest value should be about 1."""
    frequencies = np.asarray(np.fft.rfftfreq(len(white), 1 / RATE), dtype=np.float64)
    return np.fft.irfft(np.fft.rfft(white) * gain(frequencies), len(white))


def low(corner: float, order: float = 2.0) -> Callable[[Sound], Sound]:
    """A gain that falls above ``corner``."""
    return lambda f: 1 / (1 + (f / corner) ** order)


def band(centre: float, octaves: float = 1.0) -> Callable[[Sound], Sound]:
    """A gain with a hump around ``centre``, ``octaves`` wide on either side."""
    return lambda f: np.exp(-0.5 * (np.log2(np.maximum(f, 1.0) / centre) / octaves) ** 2)


def rings(
    count: int, times: Sequence[float] | Sound, heights: Any, modes: Sequence[tuple[float, float, float]]
) -> Sound:
    """Something struck at ``times`` (s) as hard as ``heights`` (one or one each); modes of (Hz, decay in s, weight)."""
    length = max(2, int(RATE * 5 * max(decay for _, decay, _ in modes)))
    t = np.arange(length) / RATE
    stroke = np.zeros(length)
    for hertz, decay, weight in modes:
        stroke += weight * np.exp(-t / decay) * np.sin(2 * np.pi * hertz * t)
    out = np.zeros(count + length)
    for time, height in zip(times, np.broadcast_to(heights, len(times)), strict=True):
        start = round(time * RATE)
        if 0 <= start < count:
            out[start : start + length] += height * stroke
    return out[:count]


def beats(chance: Chance, rate: float, count: int, jitter: float = 0.0) -> Sound:
    """Times (seconds) of something that happens ``rate`` times a second, from a random start, jittered by that part."""
    period = 1 / rate
    times = np.arange(-period, count / RATE, period) + period * chance.between(0, 1)
    return times + jitter * period * (chance.numbers(len(times)) - 0.5)
