"""Embedding many clips needs no more memory than embedding few: peak resident memory, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.conftest import note
from tests.benchmarks.peak import MEASURED

PROGRAM = """
import hashlib, json, sys, tempfile
from pathlib import Path
import numpy as np
import scipy.linalg, torch  # what embedding imports
from asdbench.plugins import registry
from asdbench.api import Clip, Waveform
from asdbench.running.executors import InlineExecutor
from asdbench.running.extraction import Request, extract
from asdbench.running.identity import recipe_of
from asdbench.progress import Progress
from tests.benchmarks.peak import megabytes

def read(clip):
    draw = np.random.default_rng(int(clip.name))
    return Waveform(draw.uniform(-0.1, 0.1, 3200).astype(np.float32), 16000)

class Sounds:
    reader = staticmethod(read)
    def digest(self, clip):
        return hashlib.sha256(clip.name.encode()).hexdigest()

before = megabytes()
clips = [
    Clip(f"{n:06d}", "fan", "00", "source", "train", "dev", "normal", path=Path(f"dev_data/fan/train/{n:06d}.wav"))
    for n in range(int(sys.argv[1]))
]
index = megabytes() - before
recipe = recipe_of("logmel", registry.create("embeddings", "logmel"))
with tempfile.TemporaryDirectory() as folder:
    bad = extract(Sounds(), [Request("logmel", recipe, clips)], Path(folder), InlineExecutor(), Progress(), "cpu")
    whole = megabytes()  # before the files are counted, which takes memory of its own
    made = sum(1 for _ in Path(folder).rglob("*.safetensors"))
assert not bad and made == len(clips), (bad, made)
print(json.dumps([whole, index]))
"""
FEATURES = 7 * 128 * 4 / 2**20  # MB of a clip of 0.2 s


def peak(clips: int, root: Path) -> tuple[float, float]:
    """Peak memory of embedding so many clips of 0.2 s by ``logmel``, and what their index takes of it; MB."""
    command = [sys.executable, "-c", PROGRAM, str(clips)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    whole, index = json.loads(done.stdout)
    return whole, index


@MEASURED
def test_embedding_many_clips(full: bool, pytestconfig: pytest.Config) -> None:
    few, *more = (500, 5000, 50000) if full else (200, 2000)
    least, _ = peak(few, pytestconfig.rootpath)
    for many in more:
        whole, index = peak(many, pytestconfig.rootpath)
        if full:
            case = f"embedding {many} clips, peak memory over that of {few} ({least:.0f} MB)"
            note(case, 100 * (whole / least - 1), "%")
            note(f"{case}, without the index", 100 * ((whole - index) / least - 1), "%", 10)
        assert whole - index - least < FEATURES * (many - few)  # a clip leaves less behind than its features
        assert whole - index < 1.1 * least
