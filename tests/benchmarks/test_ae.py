"""The autoencoder's training against its matrix products, and against the plain way: every frame copied five times."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from asdbench.api import Batch, FitContext, Floats
from asdbench_systems import _networks, ae
from asdbench_systems._networks import Autoencoder
from asdbench_systems._training import generator, minibatches
from asdbench_systems.ae import FRAMES, Ae, joined_frames
from tests.benchmarks.conftest import Race, note
from tests.benchmarks.peak import MEASURED
from tests.benchmarks.products import seconds_of_products

BANDS = 128
SIZES = [FRAMES * BANDS, 128, 128, 128, 128, 8, 128, 128, 128, 128, FRAMES * BANDS]
MEGABYTES_A_CLIP = 0.5


def clips(count: int, frames: int, seed: int) -> Batch:
    draw = np.random.default_rng(seed)
    zeros = np.zeros(count, np.int64)
    made = [(6 * draw.standard_normal((frames, BANDS)) - 30).astype(np.float32) for _ in range(count)]
    return Batch(made, zeros, zeros, zeros, 1)


def copied(frames: Floats) -> Floats:
    """All windows of a clip, as the baselines build them."""
    n = len(frames) - FRAMES + 1
    vectors = np.zeros((n, FRAMES * BANDS), np.float32)
    for t in range(FRAMES):
        vectors[:, t * BANDS : (t + 1) * BANDS] = frames[t : t + n]
    return vectors


class PlainTraining:
    """An ordinary torch program: all windows copied, a DataLoader, Linear and BatchNorm1d, Adam as it comes.

    Initial weights, order and Adam's epsilon are those of ``ae``, so that the losses can be compared.
    """

    def __init__(self, train: Batch, batch_size: int, seed: int) -> None:
        self.data = torch.from_numpy(np.concatenate([copied(clip) for clip in train.features]))
        self.batch_size, self.order, self.steps = batch_size, generator(seed, "order"), 0
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(SIZES):
            layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs, eps=1e-3), nn.ReLU()]
        self.network = nn.Sequential(*layers[:-2])
        drawn = Autoencoder(SIZES[0], 1e-3, generator(seed, "init"))
        same = [[m for m in one.modules() if isinstance(m, nn.Linear)] for one in (self.network, drawn)]
        for ours, theirs in zip(*same, strict=True):
            ours.load_state_dict(theirs.state_dict())
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)

    def epoch(self) -> float:
        """Train once over all windows; the mean loss."""
        rows = [batch.tolist() for batch in minibatches(len(self.data), self.batch_size, self.order)]
        total = 0.0
        for (x,) in DataLoader(TensorDataset(self.data), batch_sampler=rows):
            loss = nn.functional.mse_loss(self.network(x), x)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
            self.steps += 1
            self.optimizer.param_groups[0]["eps"] = 1e-7 / math.sqrt(1 - 0.999**self.steps)
            self.optimizer.step()
            total += loss.item() * len(x)
        return total / len(self.data)


def epoch_seconds(model: Ae, train: Batch) -> float:
    """Seconds of a model's last epoch."""
    ends: list[float] = []
    model.fit(train, FitContext(1, on_epoch=lambda epoch, fitted: ends.append(time.perf_counter())))
    return ends[-1] - ends[-2]


def test_losses_are_those_of_the_plain_training(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = int(np.random.default_rng().integers(2**31))
    train, ctx = clips(6, 40, seed), FitContext(seed)

    # in float64: in float32 Adam makes whole steps of the rounding of gradients that are 0 (a bias before a BatchNorm)
    def doubled(train: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        frames, starts = joined_frames(train)
        return frames.double(), starts

    monkeypatch.setattr(ae, "joined_frames", doubled)
    monkeypatch.setattr(_networks, "Autoencoder", lambda *given: Autoencoder(*given).double())
    Ae(epochs=3, batch_size=32, validation=0).fit(train, ctx)
    plain = PlainTraining(train, 32, seed)
    plain.data, plain.network = plain.data.double(), plain.network.double()
    expected = [plain.epoch() for _ in range(3)]
    found = [epoch["loss"] for epoch in ctx.history]
    assert found == pytest.approx(expected, rel=1e-9), f"seed {seed}"


def test_an_epoch(race: Race) -> None:
    count, frames = (203, 313) if race.full else (4, 40)
    threads = 2
    model, train = Ae(epochs=2, batch_size=256, validation=0), clips(count, frames, seed=0)
    plain = PlainTraining(train, 256, seed=0)

    def plainly() -> float:
        started = time.perf_counter()
        plain.epoch()
        return time.perf_counter() - started

    def products() -> float:
        return seconds_of_products(list(pairwise(SIZES)), count * (frames - FRAMES + 1), 256)

    case = f"ae, an epoch of {count} clips of 10 s, batch 256, {threads} threads"
    race(
        case,
        lambda: epoch_seconds(model, train),
        {"bare products": (products, 2.0), "plain training": (plainly, None)},
        threads,
    )
    if race.full:
        note(case, race.seconds, "s", 1.8)


PEAK = """
import sys
import torch
from asdbench.api import FitContext
from asdbench_systems.ae import Ae
from tests.benchmarks.peak import megabytes
from tests.benchmarks.test_ae import clips
torch.set_num_threads(1)
Ae(epochs=1, batch_size=256).fit(clips(int(sys.argv[1]), 313, seed=0), FitContext(1))
print(megabytes())
"""


@MEASURED
def test_memory_grows_by_the_log_mel_not_by_five_copies(full: bool, pytestconfig: pytest.Config) -> None:
    few, many = 50, 400  # with fewer, the 15 MB by which peaks differ from run to run hide the growth
    peaks = []
    for count in (few, many):
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(count)],
            cwd=pytestconfig.rootpath,
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(float(done.stdout))
    growth = (peaks[1] - peaks[0]) / (many - few)
    if full:
        note(f"ae, peak memory a training clip, {few} to {many} clips", growth, "MB", MEGABYTES_A_CLIP)
    assert BANDS * 313 * 4 / 2**20 < growth < MEGABYTES_A_CLIP
