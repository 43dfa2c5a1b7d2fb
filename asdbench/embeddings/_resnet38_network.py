"""The ResNet38 of PANNs, for inference: what its intermediate maps are averaged to.

The architecture is that of Kong et al. 2020 (arXiv 1912.10211); the tensors are named as in PANNs' checkpoints. The
means are Eq. 1 and 2 of Narita & Tamamori 2021: the output of each of the 16 BasicBlocks, averaged over both map axes,
joined: 3 x 64 + 4 x 128 + 6 x 256 + 3 x 512 = 3776 values.

Conventions
-----------
- Log-mel: 32 kHz, periodic Hann window of 1024, hop 320, centred with reflection, power, 64 Slaney mel bands from 50 Hz
  to fmax, 10 log10 of at least 1e-10; (frames, 64), float32.
- Maps are (clips, channels, frames, bands), in torch's channels-last order: fastest on the CPU for this network.
- Each BatchNorm is folded into the convolution before it; ``bn0``, before which there is none, is a scale and a shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # torch's own convention

from asdbench.api import Floats
from asdbench.embeddings import panns
from asdbench.embeddings.logmel import Doubles, mel_filterbank, power_mel

WINDOW, BANDS = 1024, 64
FMIN, FLOOR = 50.0, 1e-10
LAYERS = ((64, 3), (128, 4), (256, 6), (512, 3))  # channels and number of blocks
EPSILON = 1e-5  # of every BatchNorm
FRONT_END: dict[str, panns.Shape] = {
    "spectrogram_extractor.stft.conv_real.weight": (WINDOW // 2 + 1, 1, WINDOW),
    "spectrogram_extractor.stft.conv_imag.weight": (WINDOW // 2 + 1, 1, WINDOW),
    "logmel_extractor.melW": (WINDOW // 2 + 1, BANDS),
}


def convolutions(top: bool = True) -> Iterator[tuple[str, str, panns.Shape]]:
    """(name, name of the BatchNorm after it, shape) of each convolution; ``top``: those after the BasicBlocks too."""
    yield "conv_block1.conv1", "conv_block1.bn1", (64, 1, 3, 3)
    yield "conv_block1.conv2", "conv_block1.bn2", (64, 64, 3, 3)
    before = 64
    for name, channels in blocks():
        yield f"{name}.conv1", f"{name}.bn1", (channels, before, 3, 3)
        yield f"{name}.conv2", f"{name}.bn2", (channels, channels, 3, 3)
        if channels != before:
            yield f"{name}.downsample.1", f"{name}.downsample.2", (channels, before, 1, 1)
        before = channels
    if top:
        yield "conv_block_after1.conv1", "conv_block_after1.bn1", (2048, 512, 3, 3)
        yield "conv_block_after1.conv2", "conv_block_after1.bn2", (2048, 2048, 3, 3)


def blocks() -> Iterator[tuple[str, int]]:
    """(name, channels) of the 16 BasicBlocks."""
    for layer, (channels, count) in enumerate(LAYERS, start=1):
        for block in range(count):
            yield f"resnet.layer{layer}.{block}", channels


def shapes(top: bool = True) -> dict[str, panns.Shape]:
    """Names and shapes of the tensors without the front end's: 243 in all; without ``top`` those that 3776 needs."""
    found: dict[str, panns.Shape] = {}

    def add_batch_norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{part}"] = (channels,)
        found[f"{name}.num_batches_tracked"] = ()

    add_batch_norm("bn0", BANDS)
    for name, batch_norm, shape in convolutions(top):
        found[f"{name}.weight"] = shape
        add_batch_norm(batch_norm, shape[0])
    if top:
        found |= {"fc1.weight": (2048, 2048), "fc1.bias": (2048,)}
        found |= {"fc_audioset.weight": (527, 2048), "fc_audioset.bias": (527,)}
    return found


@dataclass(frozen=True)
class Network:
    """ResNet38 with folded BatchNorm.

    Parameters
    ----------
    filters : array (513, 64)
        The mel filters.
    scale, shift : Tensor (64,)
        bn0.
    folded : mapping of str to (weight, bias)
        Each convolution with the BatchNorm after it.
    linear : (weight, bias) or None
        fc1; None where only the BasicBlocks were loaded.
    """

    filters: Doubles
    scale: Tensor
    shift: Tensor
    folded: Mapping[str, tuple[Tensor, Tensor]]
    linear: tuple[Tensor, Tensor] | None

    def log_mel(self, samples: Floats) -> Floats:
        """(frames, 64) of one clip (n,) at 32 kHz."""
        mel = power_mel(samples, self.filters, panns.HOP)
        return (10.0 * np.log10(np.maximum(mel, FLOOR))).astype(np.float32)

    def block_means(self, log_mel: Tensor) -> Tensor:
        """Eq. 1 and 2: (clips, frames, 64) to (clips, 3776), the outputs after the residual addition and ReLU."""
        return torch.cat([_mean(output) for _, output in self._basic_blocks(self._conv_block1(log_mel))], dim=1)

    def branch_means(self, log_mel: Tensor) -> Tensor:
        """The same of the blocks' branches, after bn2 and before the residual addition: (clips, 3776)."""
        return torch.cat([_mean(branch) for branch, _ in self._basic_blocks(self._conv_block1(log_mel))], dim=1)

    def stage_means(self, log_mel: Tensor) -> Tensor:
        """Conv block 1, layers 1 to 4, last conv block, the author's set of May 2021: (clips, 3072)."""
        first = self._conv_block1(log_mel)
        outputs = [output for _, output in self._basic_blocks(first)]
        layers = [outputs[last - 1] for last in np.cumsum([count for _, count in LAYERS])]
        maps = [first, *layers, self._conv_block_after1(layers[-1])]
        return torch.cat([_mean(one) for one in maps], dim=1)

    def embedding(self, log_mel: Tensor) -> Tensor:
        """PANNs' own embedding, the activations of fc1: (clips, 2048). For comparison with other implementations."""
        assert self.linear is not None
        *_, (_, last) = self._basic_blocks(self._conv_block1(log_mel))
        over_bands = self._conv_block_after1(last).mean(dim=3)
        return F.relu(F.linear(over_bands.amax(dim=2) + over_bands.mean(dim=2), *self.linear))

    def _conv_block1(self, log_mel: Tensor) -> Tensor:
        maps = (log_mel * self.scale + self.shift)[:, None].contiguous(memory_format=torch.channels_last)
        maps = self._convolve(self._convolve(maps, "conv_block1.conv1").relu_(), "conv_block1.conv2").relu_()
        return F.avg_pool2d(maps, 2)

    def _conv_block_after1(self, maps: Tensor) -> Tensor:
        maps = self._convolve(F.avg_pool2d(maps, 2), "conv_block_after1.conv1").relu_()
        return self._convolve(maps, "conv_block_after1.conv2").relu_()

    def _basic_blocks(self, maps: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """(branch, output) of each of the 16 blocks."""
        for name, _ in blocks():
            halves = f"{name}.downsample.1" in self.folded
            if halves:  # PANNs pools instead of striding: before the branch and before the shortcut alike
                maps = F.avg_pool2d(maps, 2)
            branch = self._convolve(self._convolve(maps, f"{name}.conv1").relu_(), f"{name}.conv2")
            shortcut = self._convolve(maps, f"{name}.downsample.1") if halves else maps
            maps = torch.add(branch, shortcut).relu_()
            yield branch, maps

    def _convolve(self, maps: Tensor, name: str) -> Tensor:
        weight, bias = self.folded[name]
        return F.conv2d(maps, weight, bias, padding=weight.shape[-1] // 2)


def _mean(maps: Tensor) -> Tensor:
    return maps.mean(dim=(2, 3))


@lru_cache(maxsize=2)
def load(checkpoint: panns.Checkpoint | None, fmax: int, top: bool, device: str) -> Network:
    """The network with the weights of a checkpoint, or an untrained one for None.

    Parameters
    ----------
    checkpoint : Checkpoint or None
        See :func:`asdbench.embeddings.panns.find`.
    fmax : int
        Upper edge of the mel filters in Hz.
    top : bool
        Keep the layers after the BasicBlocks too.
    device : str

    Raises
    ------
    WeightsError
        Where the file does not hold this network for this front end.
    """
    where = panns.to_device(device)
    filters = mel_filterbank(panns.RATE, WINDOW, BANDS, FMIN, fmax)
    if checkpoint is None:
        state = panns.untrained(shapes(top))
    else:
        state = panns.read(checkpoint)
        panns.check(checkpoint, state, shapes(), FRONT_END)
        filters = _stored_front_end(checkpoint, state, filters, fmax)
    folded = {name: _fold(state, name, batch_norm, where) for name, batch_norm, _ in convolutions(top)}
    scale, shift = _batch_norm(state, "bn0")
    linear = (state["fc1.weight"].float().to(where), state["fc1.bias"].float().to(where)) if top else None
    return Network(filters, scale.float().to(where), shift.float().to(where), folded, linear)


def _stored_front_end(
    checkpoint: panns.Checkpoint, state: Mapping[str, Tensor], filters: Doubles, fmax: int
) -> Doubles:
    """The mel filters to use: the stored ones where there are some, after a check of all that is stored."""
    phase = 2 * np.pi / WINDOW * np.outer(np.arange(WINDOW // 2 + 1), np.arange(WINDOW))
    window = np.hanning(WINDOW + 1)[:-1]
    real, imaginary, mel = FRONT_END
    for name, expected in ((real, np.cos(phase) * window), (imaginary, -np.sin(phase) * window)):
        if name in state:
            panns.check_front_end(checkpoint, name, state[name][:, 0], expected)
    if mel not in state:
        return filters
    stored = state[mel].double().numpy()
    published = mel_filterbank(panns.RATE, WINDOW, BANDS, FMIN, 14000)
    if fmax != 14000 and np.linalg.norm(stored - published) < panns.tolerance(state[mel]) * np.linalg.norm(published):
        # Row 7: asking for 8000 Hz with the published file means its filters rebuilt.
        return filters
    panns.check_front_end(checkpoint, mel, state[mel], filters)
    return stored


def _batch_norm(state: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """(scale, shift) in float64."""
    weight, bias, mean, variance = (
        state[f"{name}.{part}"].double() for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight / torch.sqrt(variance + EPSILON)
    return scale, bias - mean * scale


def _fold(state: Mapping[str, Tensor], name: str, batch_norm: str, device: torch.device) -> tuple[Tensor, Tensor]:
    scale, shift = _batch_norm(state, batch_norm)
    weight = (state[f"{name}.weight"].double() * scale[:, None, None, None]).float()
    return weight.to(device, memory_format=torch.channels_last), shift.float().to(device)
