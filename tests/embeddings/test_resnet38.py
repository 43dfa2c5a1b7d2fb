from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from asdbench.api import Floats
from asdbench.audio import resample
from asdbench.embeddings import _resnet38_network as network
from asdbench.embeddings import panns
from asdbench.embeddings.logmel import mel_filterbank
from asdbench.embeddings.resnet38 import PUBLISHED, ResNet38, resnet38
from asdbench.errors import ClipError, UsageError, WeightsError
from asdbench.plugins.registry import create

pytestmark = pytest.mark.slow

REAL, IMAGINARY, MEL = network.FRONT_END


def relative(found: Any, expected: Any) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def load(path: Path, fmax: int = 14000, top: bool = False) -> network.Network:
    return network.load(panns.find(str(path), PUBLISHED), fmax, top, "cpu")


# --- The network is PANNs' ResNet38 ---


@pytest.mark.shared
def test_the_tensors_are_the_reference_networks(shared: Path) -> None:
    reference = json.loads((shared / "conformance/resnet38/state_dict.json").read_text())["state_dict"]
    assert {**network.shapes(), **network.FRONT_END} == {name: tuple(shape) for name, shape in reference.items()}
    assert len(network.shapes()) == 243


@pytest.mark.shared
def test_conformance(shared: Path, resnet38_checkpoint: Path) -> None:
    expected = np.load(shared / "conformance/resnet38/expected.npz")
    loaded = load(resnet38_checkpoint, top=True)
    log_mel = np.stack([loaded.log_mel(samples) for samples in expected["waveform"]])
    assert log_mel.shape == expected["log_mel"].shape
    assert relative(log_mel, expected["log_mel"]) < 1e-4
    with panns.reproducible():
        assert relative(loaded.block_means(torch.from_numpy(log_mel)).numpy(), expected["block_means"]) < 1e-4
        assert relative(loaded.embedding(torch.from_numpy(log_mel)).numpy(), expected["embedding"]) < 1e-4
    features = resnet38(weights=str(resnet38_checkpoint)).embed(expected["waveform"], 32000)
    assert relative(features, expected["block_means"]) < 1e-4


def plain_maps(state: dict[str, Tensor], log_mel: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
    """The network written out slowly: (name, before the residual addition, after) of each stage."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, variance, weight, bias = (
            state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, variance, weight, bias)

    def convolution(x: Tensor, name: str, norm_name: str) -> Tensor:
        weight = state[f"{name}.weight"]
        return norm(functional.conv2d(x, weight, padding=weight.shape[2] // 2), norm_name)

    def double(x: Tensor, name: str) -> Tensor:
        x = functional.relu(convolution(x, f"{name}.conv1", f"{name}.bn1"))
        return convolution(x, f"{name}.conv2", f"{name}.bn2")

    x = norm(log_mel.transpose(1, 2), "bn0").transpose(1, 2)[:, None]
    x = functional.avg_pool2d(functional.relu(double(x, "conv_block1")), 2)
    yield "conv_block1", x, x
    for layer, count in enumerate((3, 4, 6, 3), start=1):
        for block in range(count):
            name = f"resnet.layer{layer}.{block}"
            shortcut = x
            if layer > 1 and block == 0:
                x = functional.avg_pool2d(x, 2)
                shortcut = convolution(
                    functional.avg_pool2d(shortcut, 2), f"{name}.downsample.1", f"{name}.downsample.2"
                )
            branch = double(x, name)
            x = functional.relu(branch + shortcut)
            yield name, branch, x
    x = functional.relu(double(functional.avg_pool2d(x, 2), "conv_block_after1"))
    yield "conv_block_after1", x, x


def test_every_choice_of_maps_equals_the_plain_network(resnet38_checkpoint: Path, noise: Floats) -> None:
    state = panns.read(panns.Checkpoint(str(resnet38_checkpoint), "", ""))
    clips = noise[:2]
    loaded = load(resnet38_checkpoint, top=True)
    log_mel = torch.from_numpy(np.stack([loaded.log_mel(resample(clip, 16000, 32000)) for clip in clips]))
    with torch.inference_mode():
        stages = [(n, b.mean((2, 3)).numpy(), o.mean((2, 3)).numpy()) for n, b, o in plain_maps(state, log_mel)]
    blocks = stages[1:-1]
    author = [stages[0][2], *(stages[i][2] for i in (3, 7, 13, 16)), stages[-1][2]]
    expected = {
        "basic": np.hstack([output for _, _, output in blocks]),
        "pre-add": np.hstack([branch for _, branch, _ in blocks]),
        "author3072": np.hstack(author),
    }
    for choice, values in expected.items():
        embedding = create("embeddings", f"resnet38[blocks={choice},weights={resnet38_checkpoint}]")
        found = embedding.embed(clips, 16000)
        assert found.shape == (2, 3072 if choice == "author3072" else 3776)
        assert found.dtype == np.float32
        assert relative(found, values) < 1e-5


# --- Parameters ---


def test_parameters_change_the_features(noise: Floats) -> None:
    usual = resnet38(weights="random").embed(noise[:1], 16000)
    assert usual.shape == (1, 3776)
    lower = resnet38(weights="random", fmax=8000).embed(noise[:1], 16000)
    older = resnet38(weights="random", resampler="kaiser_best").embed(noise[:1], 16000)
    branches = resnet38(weights="random", blocks="pre-add").embed(noise[:1], 16000)
    assert relative(lower, usual) > 1e-2
    assert 1e-6 < relative(older, usual) < 0.1
    assert relative(branches, usual) > 0.1
    assert (usual >= 0).all()
    assert (branches < 0).any()


def test_the_recipe_says_what_the_features_depend_on(resnet38_checkpoint: Path, tmp_path: Path) -> None:
    embedding = resnet38(weights=str(resnet38_checkpoint), fmax=8000)
    recipe = json.loads(json.dumps(embedding.recipe))
    assert recipe["parameters"] == {"blocks": "basic", "fmax": 8000, "resampler": "soxr_hq"}
    assert recipe["weights"]["published"] is False
    assert len(recipe["weights"]["sha256"]) == 64
    assert {"torch", "soxr"} <= set(recipe["versions"])
    assert "resampy" in resnet38(weights="random", resampler="kaiser_best").recipe["versions"]
    shutil.copy(resnet38_checkpoint, tmp_path / "renamed")
    assert resnet38(weights=str(tmp_path / "renamed"), fmax=8000).recipe == recipe
    with (tmp_path / "renamed").open("ab") as file:
        file.write(b"x")
    assert resnet38(weights=str(tmp_path / "renamed"), fmax=8000).recipe != recipe


def test_the_published_file_is_known_by_its_md5() -> None:
    published = ResNet38(
        panns.Checkpoint("any name", "0" * 64, "bf12f36aaabac4e0855e22d3c3239c1b"), "basic", 14000, "soxr_hq"
    )
    assert published.recipe["weights"]["published"] is True
    assert published.recipe["weights"]["name"] == "ResNet38_mAP=0.434.pth"
    assert published.stamps == ()


def test_specs() -> None:
    embedding = create("embeddings", "resnet38[weights=random,blocks=pre-add,fmax=8000,resampler=kaiser_best]")
    assert embedding == ResNet38(None, "pre-add", 8000, "kaiser_best")
    with pytest.raises(UsageError, match="fmax"):
        create("embeddings", "resnet38[weights=random,fmax=9000]")


def test_making_one_imports_no_torch() -> None:
    code = (
        "import sys; from asdbench.embeddings.resnet38 import resnet38; e = resnet38(weights='random'); e.recipe;"
        "heavy = {'torch', 'librosa', 'scipy', 'soxr', 'soundfile', 'pandas'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- A clip's features depend on nothing but the clip ---


@pytest.mark.parametrize("seconds", [1, 0.2, 3.3])
def test_neighbours_and_position_do_not_matter(noise: Floats, seconds: float) -> None:
    embedding = resnet38(weights="random")
    clips = np.tile(noise, 4)[:, : int(seconds * 16000)]
    batch = embedding.batch
    alone = np.zeros((batch, clips.shape[1]), dtype=np.float32)
    alone[0] = clips[0]
    expected = embedding.embed(alone, 16000)[0]
    for position in range(batch):
        others = clips[1 : batch + 1].copy()
        others[position] = clips[0]
        np.testing.assert_array_equal(embedding.embed(others, 16000)[position], expected)


def test_threads_do_not_matter_and_are_left_alone(noise: Floats) -> None:
    embedding = resnet38(weights="random")
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(embedding.embed(noise[:4], 16000))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])


def test_different_clips_differ(noise: Floats) -> None:
    features = resnet38(weights="random").embed(noise[:4], 16000)
    for one, other in pairwise(features):
        assert relative(one, other) > 1e-3


@pytest.mark.parametrize(("blocks", "seconds"), [("basic", 0.15), ("pre-add", 0.15), ("author3072", 0.31)])
def test_shortest_clip(noise: Floats, blocks: Any, seconds: float) -> None:
    embedding = resnet38(weights="random", blocks=blocks)
    shortest = noise[:1, : round(seconds * 16000)]
    assert np.isfinite(embedding.embed(shortest, 16000)).all()
    with pytest.raises(ClipError, match="too short") as caught:
        embedding.embed(shortest[:, :-1], 16000)
    assert f"{seconds:.3f} s or more" in caught.value.hint


# --- The untrained network ---


def test_random_is_the_same_everywhere_and_says_so(noise: Floats) -> None:
    embedding = resnet38(weights="random")
    assert embedding.stamps == ("untrained network",)
    assert embedding.recipe["weights"] == "random"
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = network.load(None, 14000, False, "cpu")
    network.load.cache_clear()
    torch.manual_seed(2)
    second = network.load(None, 14000, False, "cpu")
    assert first is not second
    for name, (weight, _) in first.folded.items():
        assert torch.equal(weight, second.folded[name][0])
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), before)
    # Numbers kept, so that another numpy or another order of filling is noticed.
    values = panns.untrained({"conv_block1.conv1.weight": (64, 1, 3, 3)})["conv_block1.conv1.weight"]
    np.testing.assert_allclose(values.flatten()[:3], [-0.85275716, -0.32371205, -0.43323472], rtol=1e-6)


def test_random_activations_neither_vanish_nor_explode(noise: Floats) -> None:
    features = resnet38(weights="random").embed(noise[:4], 16000)
    edges = np.cumsum([0] + [width for width, count in network.LAYERS for _ in range(count)])
    for low, high in pairwise(edges):
        assert 0.05 < features[:, low:high].mean() < 5
        assert (features[:, low:high].max(axis=0) > 0).mean() > 0.5


# --- Weights that do not fit ---


def test_weights_must_be_given() -> None:
    with pytest.raises(WeightsError, match="ResNet38 weights not given") as caught:
        resnet38()
    assert "--weights random" in caught.value.hint
    assert "ResNet38_mAP=0.434.pth" in caught.value.hint


def test_missing_weights_are_noticed_at_once(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.pth", tmp_path):
        with pytest.raises(WeightsError, match="cannot be read") as caught:
            resnet38(weights=str(path))
        assert str(path) in caught.value.looked


def test_one_loaded_network_a_process(small_checkpoint: Callable[..., Path]) -> None:
    path = small_checkpoint(network.shapes())
    assert load(path) is load(path)
    assert load(path) is not load(path, fmax=8000)


def stored_front_end(fmax: int = 14000) -> dict[str, Any]:
    phase = np.exp(-2j * np.pi * np.outer(np.arange(513), np.arange(1024)) / 1024) * np.hanning(1025)[:-1]
    return {
        REAL: phase.real[:, None].astype(np.float32),
        IMAGINARY: phase.imag[:, None].astype(np.float32),
        MEL: mel_filterbank(32000, 1024, 64, 50, fmax).astype(np.float32),
    }


def test_a_stored_front_end_that_agrees_is_used(small_checkpoint: Callable[..., Path]) -> None:
    stored = stored_front_end()
    stored[MEL] *= np.float32(1 + 1e-5)
    loaded = load(small_checkpoint(network.shapes(), **stored))
    np.testing.assert_array_equal(loaded.filters, stored[MEL])


def test_8000_hz_with_the_filters_for_14000_rebuilds_them(small_checkpoint: Callable[..., Path]) -> None:
    expected = mel_filterbank(32000, 1024, 64, 50, 8000)
    for stored in (stored_front_end(14000), stored_front_end(8000)):
        loaded = load(small_checkpoint(network.shapes(), **stored), fmax=8000)
        np.testing.assert_allclose(loaded.filters, expected, atol=1e-8)


def test_half_precision_is_computed_with_as_float32(small_checkpoint: Callable[..., Path]) -> None:
    weight = torch.randn(64, 64, 3, 3, generator=torch.Generator().manual_seed(0)).half()
    halves = {name: values.astype(np.float16) for name, values in stored_front_end().items()}
    name = "conv_block1.conv2.weight"
    half = load(small_checkpoint(network.shapes(), "half.pth", **{**halves, name: weight}))
    single = load(small_checkpoint(network.shapes(), "single.pth", **{name: weight.float()}))
    for one, other in zip(half.folded["conv_block1.conv2"], single.folded["conv_block1.conv2"], strict=True):
        assert one.dtype == torch.float32
        assert torch.equal(one, other)
    np.testing.assert_allclose(half.filters, mel_filterbank(32000, 1024, 64, 50, 14000), rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(
    ("tensor", "change"),
    [
        (MEL, lambda values: mel_filterbank(32000, 1024, 64, 50, 8000).astype(np.float32)),
        (MEL, lambda values: values * 2),
        (REAL, lambda values: np.roll(values, 160, axis=2)),
        (IMAGINARY, lambda values: values * np.hamming(1024).astype(np.float32)),
    ],
)
def test_a_stored_front_end_that_disagrees(small_checkpoint: Callable[..., Path], tensor: str, change: Any) -> None:
    stored = stored_front_end()
    stored[tensor] = change(stored[tensor])
    path = small_checkpoint(network.shapes(), **stored)
    with pytest.raises(WeightsError, match="another front end") as caught:
        load(path)
    assert tensor in caught.value.message
    assert path.name in caught.value.message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"resnet.layer4.2.conv2.weight": None}, ["another network", "lacks", "resnet.layer4.2.conv2.weight"]),
        ({"fc_audioset.bias": None}, ["another network", "lacks", "fc_audioset.bias"]),
        ({"resnet.layer4.3.conv1.weight": torch.zeros(1)}, ["another network", "more", "resnet.layer4.3.conv1.weight"]),
        ({"fc1.weight": torch.zeros(2048, 512)}, ["another network", "fc1.weight", "[2048, 512]", "[2048, 2048]"]),
        ({MEL: torch.zeros(257, 64)}, ["another network", MEL, "[257, 64]"]),
        ({"bn0.weight": torch.full((64,), torch.nan)}, ["not finite", "bn0.weight"]),
        ({"fc1.bias": torch.full((2048,), torch.inf)}, ["not finite", "fc1.bias"]),
        ({"fc1.bias": torch.zeros(2048, dtype=torch.complex64)}, ["fc1.bias", "complex64", "not floating-point"]),
        ({"bn0.running_var": torch.full((64,), -1.0)}, ["negative variance", "bn0.running_var"]),
    ],
)
def test_another_network(small_checkpoint: Callable[..., Path], changes: Any, words: list[str]) -> None:
    path = small_checkpoint(network.shapes(), **changes)
    embedding = resnet38(weights=str(path))
    with pytest.raises(WeightsError) as caught:
        embedding.embed(np.zeros((4, 16000), dtype=np.float32), 16000)
    for word in [path.name, *words]:
        assert word in caught.value.message


def test_an_unknown_device(noise: Floats) -> None:
    for device in ("nonsense", "cuda:99"):
        with pytest.raises(UsageError, match=device):
            resnet38(weights="random").embed(noise[:4], 16000, device)
