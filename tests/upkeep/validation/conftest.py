"""Small data sets of real files, and large ones of names alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

OLD = 1_600_000_000
Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """A function that writes a sound file below ``tmp_path / "data"``, each with a sound of its own."""
    written = 0

    def write(name: str, *, samples: int = 1600, rate: int = 16000, channels: int = 1, like: int | None = None) -> Path:
        nonlocal written
        written += 1
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(written if like is None else like).uniform(-0.5, 0.5, (samples, channels))
        soundfile.write(path, noise, rate, subtype="PCM_16")
        os.utime(path, (OLD, OLD))
        return path

    return write
