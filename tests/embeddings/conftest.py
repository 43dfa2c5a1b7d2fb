"""Checkpoints for the networks' tests."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asdbench.api import Floats

Shapes = Mapping[str, tuple[int, ...]]


def filled(name: str, shape: tuple[int, ...], seed: int = 2021) -> NDArray[Any]:
    """The fill rule of the conformance data for the tensor ``name``."""
    draw = np.random.default_rng([seed, zlib.crc32(name.encode())])
    values: Any
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.int64)
    if name.endswith("running_var"):
        values = draw.uniform(0.5, 1.5, shape)
    elif name.endswith("running_mean"):
        values = 0.1 * draw.standard_normal(shape)
    elif len(shape) in (2, 4):
        values = draw.standard_normal(shape) * np.sqrt(1 / np.prod(shape[1:]))
    elif name.endswith("weight"):
        values = draw.uniform(0.5, 1.0, shape)
    else:
        values = 0.1 * draw.standard_normal(shape)
    return np.asarray(values, dtype=np.float32)


@pytest.fixture(scope="session")
def resnet38_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A whole checkpoint of ResNet38, filled by the rule, without the front end's tensors."""
    import torch

    from asdbench.embeddings._resnet38_network import shapes

    path = tmp_path_factory.mktemp("weights") / "resnet38.pth"
    torch.save({"model": {name: torch.from_numpy(filled(name, shape)) for name, shape in shapes().items()}}, path)
    yield path
    path.unlink()  # 300 MB, which pytest would keep for three runs


@pytest.fixture
def small_checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Writes checkpoints with all of a network's tensors, each a single number spread over its shape: a few kB."""
    import torch

    def write(shapes: Shapes, name: str = "small.pth", **changes: Any) -> Path:
        state: dict[str, Any] = {tensor: torch.tensor(0.01).expand(shape) for tensor, shape in shapes.items()}
        state |= {tensor: torch.as_tensor(values) for tensor, values in changes.items() if values is not None}
        torch.save({"model": {k: v for k, v in state.items() if changes.get(k, v) is not None}}, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture(scope="session")
def noise() -> Floats:
    """Eight clips of 1 s at 16 kHz, all different."""
    draw = np.random.default_rng(0)
    clips = draw.standard_normal((8, 16000)) * draw.uniform(0.01, 0.1, (8, 1))
    return clips.astype(np.float32)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Two threads gain nothing here, and lose much where other processes run beside the tests."""
    import torch

    torch.set_num_threads(1)
