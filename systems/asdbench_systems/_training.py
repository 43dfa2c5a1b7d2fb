"""What the trained systems share: random streams, mini-batches, the optimiser, checks before and during training.

Conventions
-----------
Every random number comes from a :func:`generator` of this module, never from torch's global one, so that a fit neither
depends on what ran before it nor disturbs what runs beside it. Threads and deterministic algorithms are the harness's.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from asdbench.errors import FitError


def generator(seed: int, purpose: str) -> torch.Generator:
    """A random stream of its own for each purpose ("init", "order", "noise").

    Separate, so that another decoder or batch size leaves the other streams as they are: sweeps stay paired. On the
    CPU for every device, so that a GPU sees the same numbers.
    """
    words = np.random.SeedSequence([seed % 2**64, zlib.crc32(purpose.encode())]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)


def minibatches(n: int, batch_size: int, order: torch.Generator) -> Iterator[Tensor]:
    """Row numbers 0..n-1, shuffled, in mini-batches of ``batch_size``.

    The last is smaller (no drop_last); a last batch of one row joins the batch before it, for BatchNorm cannot train
    on one row (row 2).
    """
    rows = torch.randperm(n, generator=order)
    edges = batch_edges(n, batch_size)
    for start, stop in pairwise(edges):
        yield rows[start:stop]


def batch_edges(n: int, batch_size: int) -> list[int]:
    """Where the mini-batches of ``n`` rows start and end: ``[0, batch_size, ..., n]``."""
    edges = [*range(0, n, batch_size), n]
    if len(edges) > 2 and edges[-1] - edges[-2] == 1:
        del edges[-2]
    return edges


def adam(parameters: Iterable[nn.Parameter], lr: float) -> torch.optim.Adam:
    """Adam with torch's defaults, in one fused kernel: half the time of a step of a small network."""
    return torch.optim.Adam(parameters, lr=lr, fused=True)


def check_loss(loss: float, epoch: int, epochs: int) -> None:
    """Stop a training that has diverged.

    Raises
    ------
    FitError
        Where the epoch's mean loss is not a finite number.
    """
    if not math.isfinite(loss):
        raise FitError(
            f"the training diverged: the loss of epoch {epoch} of {epochs} is {loss}",
            looked="the mean loss over the epoch's mini-batches",
            hint="look for huge values in the features, or give a smaller learning rate (lr=1e-4)",
        )
