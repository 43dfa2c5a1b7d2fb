"""The bare matrix products of a training: what an epoch costs at the least, measured beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

Layer = tuple[int, int]


def seconds_of_products(layers: Sequence[Layer], rows: int, batch_size: int) -> float:
    """Seconds of an epoch's products alone: forward, weights' gradient, and inputs' gradient but for the first layer.

    Parameters
    ----------
    layers : sequence of (inputs, outputs)
    rows : int
        Of the epoch, in mini-batches of ``batch_size``.
    """
    draw = torch.Generator().manual_seed(0)
    made = []
    for inputs, outputs in layers:
        x, weight, gradient = (
            torch.randn(shape, generator=draw)
            for shape in ((batch_size, inputs), (outputs, inputs), (batch_size, outputs))
        )
        made.append((x, weight, gradient, *(torch.empty_like(one) for one in (gradient, weight, x))))
    sizes = [min(batch_size, rows - start) for start in range(0, rows, batch_size)]
    started = time.perf_counter()
    for n in sizes:
        for number, (x, weight, gradient, out, for_weight, for_x) in enumerate(made):
            torch.mm(x[:n], weight.t(), out=out[:n])
            torch.mm(gradient[:n].t(), x[:n], out=for_weight)
            if number:
                torch.mm(gradient[:n], weight, out=for_x[:n])
    return time.perf_counter() - started
