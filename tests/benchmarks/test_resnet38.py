"""The ResNet38 embedding against PANNs' whole network as a plain torch program runs it, spectrogram and all."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from asdbench.api import Floats
from asdbench.audio import read, resample
from asdbench.embeddings import _resnet38_network, panns
from asdbench.embeddings.resnet38 import ResNet38
from tests.benchmarks.conftest import Race, note

RATE, SECONDS = panns.RATE, 10
PRODUCT = 2048  # rows and columns of the matrices that tell the processor's rate
MILLISECONDS = 15  # decoding, resampling and log-mel of a clip


class Double(nn.Module):
    """Two convolutions, each with BatchNorm and, in the conv blocks, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x))))))


class BasicBlock(Double):
    def __init__(self, inputs: int, outputs: int, halves: bool) -> None:
        super().__init__(inputs, outputs)
        self.halves = halves
        if halves:
            self.downsample = nn.Sequential(
                nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        branch, shortcut = (functional.avg_pool2d(x, 2), self.downsample(x)) if self.halves else (x, x)
        branch = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(branch)))))
        return functional.relu(branch + shortcut)


class PlainResNet38(nn.Module):
    """PANNs' ResNet38 with its front end and heads; forward gives the 16 BasicBlocks' means, embedding and classes."""

    def __init__(self) -> None:
        from torchlibrosa.stft import LogmelFilterBank, Spectrogram  # type: ignore[import-untyped]

        super().__init__()
        self.spectrogram = Spectrogram(n_fft=1024, hop_length=panns.HOP, freeze_parameters=True)
        self.logmel = LogmelFilterBank(
            sr=RATE, n_fft=1024, n_mels=64, fmin=50, fmax=14000, top_db=None, freeze_parameters=True
        )
        self.bn0 = nn.BatchNorm2d(64)
        self.conv_block1, self.conv_block_after1 = Double(1, 64), Double(512, 2048)
        self.resnet, before = nn.Module(), 64
        for number, (channels, count) in enumerate(_resnet38_network.LAYERS, start=1):
            blocks = []
            for block in range(count):
                blocks.append(BasicBlock(before, channels, halves=number > 1 and block == 0))
                before = channels
            self.resnet.add_module(f"layer{number}", nn.Sequential(*blocks))
        self.fc1, self.fc_audioset = nn.Linear(2048, 2048), nn.Linear(2048, 527)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.logmel(self.spectrogram(samples))
        x = self.bn0(x.transpose(1, 3)).transpose(1, 3)
        x = functional.avg_pool2d(self.conv_block1(x), 2)
        means = []
        for layer in self.resnet.children():
            assert isinstance(layer, nn.Sequential)
            for block in layer:
                x = block(x)
                means.append(x.mean((2, 3)))
        x = self.conv_block_after1(functional.avg_pool2d(x, 2)).mean(3)
        embedding = functional.relu(self.fc1(x.amax(2) + x.mean(2)))
        return torch.cat(means, 1), embedding, torch.sigmoid(self.fc_audioset(embedding))


@pytest.fixture(scope="module")
def plain() -> PlainResNet38:
    """With the weights of ``weights=random``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchlibrosa's, of numpy's and librosa's new ways
        network = PlainResNet38().eval()
    state = panns.untrained(_resnet38_network.shapes())
    missing, extra = network.load_state_dict(state, strict=False)
    assert extra == []
    assert all(name.startswith(("spectrogram.", "logmel.")) for name in missing)
    return network


def noise(clips: int, seconds: float, rate: int, seed: int) -> Floats:
    return (0.05 * np.random.default_rng(seed).standard_normal((clips, int(seconds * rate)))).astype(np.float32)


def operations(frames: int) -> int:
    """Floating-point operations of the convolutions for one clip: two a weight and place."""
    total = 0
    for name, _, (outputs, inputs, height, width) in _resnet38_network.convolutions(top=False):
        halvings = int(name.split("layer")[1][0]) if "layer" in name else 0
        total += 2 * outputs * inputs * height * width * (frames >> halvings) * (64 >> halvings)
    return total


def test_operations_are_those_of_torchs_count() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    network = _resnet38_network.load(None, 14000, False, "cpu")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.block_means(torch.zeros(1, 101, 64))
    assert operations(101) == counter.get_total_flops()


def test_equals_the_plain_network(plain: PlainResNet38) -> None:
    seed = int(np.random.default_rng().integers(2**31))
    samples = noise(2, 1.0, RATE, seed)
    with torch.inference_mode():
        expected = plain(torch.from_numpy(samples))[0].numpy()
    found = ResNet38(None, "basic", 14000, "soxr_hq").embed(samples, RATE)
    assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected), f"seed {seed}"


def test_embedding(race: Race, plain: PlainResNet38) -> None:
    seconds, side = (SECONDS, PRODUCT) if race.full else (0.5, 64)
    embedding = ResNet38(None, "basic", 14000, "soxr_hq")
    samples = noise(embedding.batch, seconds, RATE, seed=0)
    matrices = [torch.randn(side, side) for _ in range(3)]
    blocked = [matrix.to_mkldnn() for matrix in matrices[:2]]
    frames = 1 + samples.shape[1] // panns.HOP
    rates: dict[str, list[float]] = {"torch.mm": [], "oneDNN's product": []}

    def ours() -> float:
        started = time.perf_counter()
        embedding.embed(samples, RATE)
        return (time.perf_counter() - started) / len(samples)

    def plainly() -> float:
        started = time.perf_counter()
        with torch.inference_mode():
            plain(torch.from_numpy(samples))
        return (time.perf_counter() - started) / len(samples)

    def product() -> None:
        torch.mm(matrices[0], matrices[1], out=matrices[2])

    def onednn() -> None:  # the same product by the library that computes the network: torch.mm is MKL's
        with torch.inference_mode():
            torch._C._nn.mkldnn_linear(*blocked, None)  # type: ignore[call-arg]  # the stub lacks its arguments

    def as_many_operations(name: str, run: Callable[[], None]) -> Callable[[], float]:
        def seconds() -> float:
            started = time.perf_counter()
            for _ in range(3):
                run()
            rates[name].append(3 * 2 * side**3 / (time.perf_counter() - started))
            return operations(frames) / rates[name][-1]

        return seconds

    case = f"resnet38, a clip of {seconds:g} s, batch {embedding.batch}, 1 thread"
    others: dict[str, tuple[Callable[[], float], float | None]] = {
        "plain network": (plainly, 0.7),
        "torch.mm": (as_many_operations("torch.mm", product), None),
        "oneDNN's product": (as_many_operations("oneDNN's product", onednn), None),
    }
    ratios = race(case, ours, others)
    if race.full:
        note("resnet38, operations of a clip", operations(frames) / 1e9, "G")
        for name, found in rates.items():
            note(f"{name} of {side} x {side}, 1 thread", statistics.median(found) / 1e9, "G/s")
            note(f"resnet38, of the rate of {name}", 100 / ratios[name], "%")


def test_reading_a_clip(race: Race, plain: PlainResNet38, tmp_path: Path) -> None:
    import soundfile
    import soxr

    seconds = SECONDS if race.full else 1
    path = tmp_path / "clip.wav"
    soundfile.write(path, noise(1, seconds, 16000, seed=1)[0], 16000, subtype="PCM_16")
    network = _resnet38_network.load(None, 14000, False, "cpu")
    shares: dict[str, list[float]] = {"decoding": [], "resampling": [], "log-mel": []}

    def ours() -> float:
        times = [time.perf_counter()]
        sound = read(path)
        times.append(time.perf_counter())
        samples = resample(sound.samples, sound.rate, RATE)
        times.append(time.perf_counter())
        network.log_mel(samples)
        times.append(time.perf_counter())
        for share, took in zip(shares.values(), np.diff(times).tolist(), strict=True):
            share.append(took)
        return times[-1] - times[0]

    def plainly() -> float:
        started = time.perf_counter()
        samples, rate = soundfile.read(path, dtype="float32")
        with torch.inference_mode():
            plain.logmel(plain.spectrogram(torch.from_numpy(soxr.resample(samples, rate, RATE))[None]))
        return time.perf_counter() - started

    case = f"reading, a clip of {seconds:g} s: decoding, resampling, log-mel"
    race(case, ours, {"soundfile, soxr, torchlibrosa": (plainly, None)}, rounds=25)
    if race.full:
        note(case, 1e3 * race.seconds, "ms", MILLISECONDS)
        for name, share in shares.items():
            note(f"reading, {name} alone", 1e3 * statistics.median(share), "ms")


def test_log_mel_equals_torchlibrosas(plain: PlainResNet38) -> None:
    seed = int(np.random.default_rng().integers(2**31))
    samples = noise(1, 1.0, RATE, seed)[0]
    with torch.inference_mode():
        expected: NDArray[np.float32] = plain.logmel(plain.spectrogram(torch.from_numpy(samples)[None])).numpy()[0, 0]
    found = _resnet38_network.load(None, 14000, False, "cpu").log_mel(samples)
    assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected), f"seed {seed}"
