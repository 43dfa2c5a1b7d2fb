"""CL-VAE's and CVAE's training against its matrix products, and against an ordinary training loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from asdbench.api import Batch, FitContext
from asdbench.plugins import registry
from asdbench_systems._fitted import FittedVae
from asdbench_systems._training import generator, minibatches
from tests.benchmarks.conftest import Race
from tests.benchmarks.products import Layer, seconds_of_products

WIDTH, SECTIONS, LATENT = 3776, 6, 512


def clips(count: int, width: int, seed: int) -> Batch:
    draw = np.random.default_rng(seed)
    features = draw.uniform(0, 0.4, (count, width)).astype(np.float32)
    zeros, sections = np.zeros(count, np.int64), np.sort(draw.integers(SECTIONS, size=count))
    sections[-SECTIONS:] = np.arange(SECTIONS)
    return Batch(features, zeros, sections, zeros, SECTIONS)


class PlainTraining:
    """An ordinary torch program for Table 1's network: Sequentials, a DataLoader, a one-hot label, Adam as it comes.

    Initial weights, order and noise are those of the system, so that the losses can be compared.
    """

    def __init__(self, system: str, train: Batch, batch_size: int, seed: int) -> None:
        self.data = TensorDataset(torch.from_numpy(np.array(train.features)), torch.from_numpy(train.section))
        self.width, self.batch_size, self.conditional = train.features[0].shape[0], batch_size, system == "cvae"
        self.order, self.noise = generator(seed, "order"), generator(seed, "noise")
        model: Any = registry.create("systems", system).model
        drawn = model.new_network(self.width, SECTIONS, seed)
        self.centers = None if self.conditional else model.new_centers(SECTIONS, seed)

        def blocks(*sizes: int) -> nn.Sequential:
            layers: list[nn.Module] = []
            for inputs, outputs in pairwise(sizes):
                layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
            return nn.Sequential(*layers)

        self.encoder = blocks(self.width, 1024, 1024, 1024, LATENT)
        self.mu, self.logvar = nn.Linear(LATENT, LATENT), nn.Linear(LATENT, LATENT)
        self.decoder = blocks(LATENT + SECTIONS * self.conditional, LATENT, 1024, 1024, 1024, self.width)
        self.parts = nn.ModuleList([self.encoder, self.mu, self.logvar, self.decoder])
        linears = [[m for m in one.modules() if isinstance(m, nn.Linear)] for one in (self.parts, drawn)]
        for ours, theirs in zip(*linears, strict=True):
            ours.load_state_dict(theirs.state_dict())
        self.optimizer = torch.optim.Adam(self.parts.parameters(), lr=1e-3)

    def epoch(self) -> float:
        """Train once over all clips; the mean loss."""
        rows = [batch.tolist() for batch in minibatches(len(self.data), self.batch_size, self.order)]
        total = 0.0
        for x, y in DataLoader(self.data, batch_sampler=rows):
            h = self.encoder(x)
            mu, logvar = self.mu(h), self.logvar(h)
            z = mu + torch.exp(0.5 * logvar) * torch.randn(len(x), LATENT, generator=self.noise)
            if self.conditional:
                z = torch.cat([z, nn.functional.one_hot(y, SECTIONS).float()], dim=1)
            loss = nn.functional.mse_loss(self.decoder(z), x)
            loss = loss - 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()
            if self.centers is not None:
                loss = loss + 150 * 0.5 * ((h - self.centers[y]) ** 2).sum(1).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if self.centers is not None:  # Eq. 4 and 5, class by class
                for section in y.unique().tolist():
                    of_class = h.detach()[y == section]
                    delta = (self.centers[section] - of_class).sum(0) / (1 + len(of_class))
                    self.centers[section] -= delta
            total += loss.item() * len(x)
        return total / len(self.data)


def layers(width: int, label: int) -> list[Layer]:
    """(inputs, outputs) of Table 1's Linear layers."""
    encoder = [(width, 1024), (1024, 1024), (1024, 1024), (1024, LATENT), (LATENT, LATENT), (LATENT, LATENT)]
    return [*encoder, (LATENT + label, LATENT), (LATENT, 1024), (1024, 1024), (1024, 1024), (1024, width)]


@pytest.mark.parametrize("system", ["clvae", "cvae"])
def test_losses_are_those_of_the_plain_training(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = int(np.random.default_rng().integers(2**31))
    train, ctx = clips(90, 64, seed), FitContext(seed)
    model: Any = registry.create("systems", f"{system}[epochs=2,batch_size=32]").model

    # in float64: in float32 Adam makes whole steps of the rounding of gradients that are 0 (a bias before a BatchNorm)
    def doubled(make: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given: None if (made := make(*given)) is None else made.double()

    for name in ("new_network", "new_centers"):
        monkeypatch.setattr(type(model), name, doubled(getattr(type(model), name)))
    monkeypatch.setattr(FittedVae, "scaled", lambda fitted, features: features.astype(np.float64))
    model.fit(train, ctx)
    plain = PlainTraining(system, train, 32, seed)
    plain.parts.double()
    plain.data = TensorDataset(plain.data.tensors[0].double(), plain.data.tensors[1])
    expected = [plain.epoch() for _ in range(2)]
    assert [epoch["loss"] for epoch in ctx.history] == pytest.approx(expected, rel=1e-9), f"seed {seed}"


@pytest.mark.parametrize("system", ["clvae", "cvae"])
def test_an_epoch(race: Race, system: str) -> None:
    count, width = (6018, WIDTH) if race.full else (64, 128)
    threads = 2
    model: Any = registry.create("systems", f"{system}[epochs=2]").model
    train = clips(count, width, seed=0)
    plain = PlainTraining(system, train, model.batch_size, seed=0)

    def ours() -> float:
        ends: list[float] = []
        model.fit(train, FitContext(1, on_epoch=lambda epoch, fitted: ends.append(time.perf_counter())))
        return ends[-1] - ends[-2]

    def plainly() -> float:
        started = time.perf_counter()
        plain.epoch()
        return time.perf_counter() - started

    def products() -> float:
        return seconds_of_products(layers(width, SECTIONS * (system == "cvae")), count, model.batch_size)

    race(
        f"{system}, an epoch of {count} x {width}, batch {model.batch_size}, {threads} threads",
        ours,
        {"bare products": (products, 1.6), "plain training": (plainly, None)},
        threads,
        rounds=3,
    )
