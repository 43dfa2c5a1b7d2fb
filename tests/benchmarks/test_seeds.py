"""Several seeds trained at once, in one batched product a layer, against one after another: does it pay?

The trial is complete (each seed has its own weights, rows and running statistics, and is equal to training it alone),
but no part of the project: see docs/performance.md for what was measured.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from asdbench_systems._networks import LATENT, Autoencoder
from asdbench_systems._training import adam, generator
from asdbench_systems.cvae import Cvae
from tests.benchmarks.conftest import Race

SEEDS = 5
AE_WIDTH, SECTIONS = 640, 3


@dataclass(frozen=True)
class Small:
    """A training to repeat: which network, in mini-batches of what size and width."""

    system: str
    width: int
    batch_size: int

    @property
    def ae(self) -> bool:
        return self.system == "ae"

    def network(self, seed: int) -> nn.Module:
        draw = generator(seed, "init")
        return Autoencoder(self.width, 1e-3, draw) if self.ae else Cvae().new_network(self.width, SECTIONS, seed)

    def loss(self, outputs: Any, x: Tensor, y: Tensor) -> Tensor:
        if self.ae:
            return nn.functional.mse_loss(outputs, x)
        model = Cvae()
        return model.loss(model.terms(x, outputs, y, None))

    def given(self, x: Tensor, y: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        """The network's arguments for a mini-batch."""
        return (x,) if self.ae else (x, nn.functional.one_hot(y, SECTIONS).to(x.dtype), noise)


class Alone:
    """Seeds trained one after another, as the systems do."""

    def __init__(self, what: Small, networks: Sequence[nn.Module]) -> None:
        self.what, self.networks = what, [network.train() for network in networks]
        self.optimizers = [adam(network.parameters(), 1e-3) for network in self.networks]

    def step(self, x: Tensor, y: Tensor, noise: Tensor) -> None:
        """One step of each; x (seeds, n, width), y (seeds, n), noise (seeds, n, 512)."""
        for network, optimizer, *batch in zip(self.networks, self.optimizers, x, y, noise, strict=True):
            loss = self.what.loss(network(*self.what.given(*batch)), batch[0], batch[1])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
            optimizer.step()

    def state(self, seed: int) -> dict[str, Tensor]:
        return self.networks[seed].state_dict()


class Together:
    """All seeds in one step: weights stacked, the forward pass mapped over them, one Adam for all."""

    def __init__(self, what: Small, networks: Sequence[nn.Module]) -> None:
        self.what = what
        self.parameters, self.buffers = stack_module_state([network.train() for network in networks])
        self.skeleton = copy.deepcopy(networks[0]).to("meta")
        self.optimizer = adam(self.parameters.values(), 1e-3)
        self.forward = torch.vmap(self._one, in_dims=(0, 0, 0, 0, 0))

    def _one(self, parameters: Any, buffers: Any, x: Tensor, y: Tensor, noise: Tensor) -> Tensor:
        outputs = functional_call(self.skeleton, (parameters, buffers), self.what.given(x, y, noise))
        return self.what.loss(outputs, x, y)

    def step(self, x: Tensor, y: Tensor, noise: Tensor) -> None:
        losses = self.forward(self.parameters, self.buffers, x, y, noise)
        self.optimizer.zero_grad()
        # the seeds' gradients do not mix: each loss has weights of its own
        losses.sum().backward()  # type: ignore[no-untyped-call]  # torch does not say
        self.optimizer.step()

    def state(self, seed: int) -> dict[str, Tensor]:
        return {name: value[seed] for name, value in {**self.parameters, **self.buffers}.items()}


def batches(what: Small, seeds: int, dtype: torch.dtype, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """One mini-batch of each seed, of rows in its own order."""
    draw = torch.Generator().manual_seed(seed)
    n = what.batch_size
    x = torch.rand(seeds, n, what.width, generator=draw, dtype=dtype)
    y = torch.randint(SECTIONS, (seeds, n), generator=draw)
    return x, y, torch.randn(seeds, n, LATENT, generator=draw, dtype=dtype)


@pytest.mark.parametrize("what", [Small("ae", AE_WIDTH, 16), Small("cvae", 48, 16)], ids=["ae", "cvae"])
def test_each_seed_is_as_trained_alone(what: Small) -> None:
    seed = int(np.random.default_rng().integers(2**31))
    # float64: before a BatchNorm a bias has a gradient of nothing but rounding, which Adam makes a whole step
    networks = [what.network(number).double() for number in range(3)]
    alone, together = Alone(what, [copy.deepcopy(network) for network in networks]), Together(what, networks)
    batch = batches(what, 3, torch.double, seed)
    alone.step(*batch)
    together.step(*batch)
    for number in range(3):
        expected, found = alone.state(number), together.state(number)
        assert expected.keys() == found.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-5, msg=f"{name}, seed {seed}")


@pytest.mark.parametrize(
    ("what", "steps"),
    [
        (Small("ae", AE_WIDTH, 64), 20),
        (Small("ae", AE_WIDTH, 512), 10),
        (Small("cvae", 3776, 32), 2),
        (Small("cvae", 3776, 512), 1),
    ],
    ids=["ae-toy", "ae", "cvae-toy", "cvae"],
)
def test_steps(race: Race, what: Small, steps: int) -> None:
    if not race.full:
        what, steps = Small(what.system, AE_WIDTH if what.system == "ae" else 32, 8), 1
    networks = [what.network(number) for number in range(SEEDS)]
    alone, together = Alone(what, [copy.deepcopy(network) for network in networks]), Together(what, networks)
    batch = batches(what, SEEDS, torch.float32, 0)

    def seconds(way: Alone | Together) -> float:
        started = time.perf_counter()
        for _ in range(steps):
            way.step(*batch)
        return (time.perf_counter() - started) / steps

    case = f"{what.system}, a step of {SEEDS} seeds at once, batch {what.batch_size} x {what.width}, 1 thread"
    race(case, lambda: seconds(together), {"one after another": (lambda: seconds(alone), None)}, rounds=7)
