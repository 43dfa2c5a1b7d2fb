from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asdbench.api import Floats
from asdbench.audio import resample
from asdbench.embeddings import cnn14 as module
from asdbench.embeddings import panns
from asdbench.embeddings.cnn14 import Cnn14, cnn14
from asdbench.errors import ClipError, WeightsError
from asdbench.plugins.registry import create

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return module.load(None, "cpu")


@pytest.fixture(scope="module")
def shapes(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    state = network.state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items() if not name.startswith(module.FRONT_END)}


def test_the_import_touches_neither_home_nor_network(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    code = """
import pathlib, socket, sys
def forbidden(*arguments):
    raise AssertionError("network")
socket.socket.connect = socket.create_connection = forbidden
import numpy as np
from asdbench.embeddings.cnn14 import cnn14
embedding = cnn14(weights="random")
assert "torch" not in sys.modules
features = embedding.embed(np.random.default_rng(0).uniform(-0.1, 0.1, (8, 8000)).astype("float32"), 16000)
assert features.shape == (8, 2048), features.shape
left = [name for name in sys.modules if name.partition(".")[0] in ("panns_inference", "matplotlib")]
assert not left, left
written = list(pathlib.Path.home().rglob("*"))
assert not written, written
import matplotlib  # the real one, which does write there
assert matplotlib.__version__
"""
    environment = {"HOME": str(home), "PATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_a_package_that_is_imported_already_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = types.ModuleType("panns_inference.models")
    loaded.Cnn14 = object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "panns_inference.models", loaded)
    assert module._model_class() is loaded.Cnn14


def test_it_is_the_networks_own_embedding(network: torch.nn.Module, noise: Floats) -> None:
    found = cnn14(weights="random").embed(noise, 16000)
    with torch.no_grad():
        own = network(torch.from_numpy(resample(noise, 16000, 32000)))["embedding"].numpy()
    assert found.shape == (8, 2048)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, own, rtol=1e-4, atol=1e-5)
    assert not network.training
    assert 0.01 < found.mean() < 10
    assert found.std(axis=0).max() > 0


def test_neighbours_position_and_threads_do_not_matter(noise: Floats) -> None:
    embedding = cnn14(weights="random")
    assert embedding.batch == len(noise)
    short = noise[:, :8000]
    expected = embedding.embed(short, 16000)
    np.testing.assert_array_equal(embedding.embed(short[::-1].copy(), 16000), expected[::-1])
    others = np.zeros_like(short)
    others[3] = short[0]
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        np.testing.assert_array_equal(embedding.embed(others, 16000)[3], expected[0])
    finally:
        torch.set_num_threads(threads)


def test_random_does_not_touch_torchs_generator(noise: Floats, network: torch.nn.Module) -> None:
    module.load.cache_clear()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = module.load(None, "cpu")
    assert torch.equal(torch.get_rng_state(), before)
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert cnn14(weights="random").stamps == ("untrained network",)


def test_shortest_clip(noise: Floats) -> None:
    embedding = cnn14(weights="random")
    assert np.isfinite(embedding.embed(noise[:1, :4960], 16000)).all()
    with pytest.raises(ClipError, match="too short") as caught:
        embedding.embed(noise[:1, :4959], 16000)
    assert "0.310 s" in caught.value.hint


def test_weights_must_be_given_and_be_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="Cnn14 weights not given") as caught:
        create("embeddings", "cnn14")
    assert "Cnn14_mAP=0.431.pth" in caught.value.hint
    with pytest.raises(WeightsError, match="cannot be read"):
        cnn14(weights=str(tmp_path / "nothing.pth"))


def test_a_checkpoint_is_used(
    small_checkpoint: Callable[..., Path], shapes: dict[str, tuple[int, ...]], noise: Floats
) -> None:
    bias = np.linspace(0, 1, 2048, dtype=np.float32)
    zeros = dict.fromkeys((name for name in shapes if name.endswith("running_mean")), 0.0)
    changes: dict[str, Any] = {name: torch.zeros(shapes[name]) for name in zeros}
    path = small_checkpoint(shapes, **changes, **{"fc1.weight": torch.zeros(2048, 2048), "fc1.bias": bias})
    embedding = cnn14(weights=str(path))
    np.testing.assert_allclose(embedding.embed(noise[:2], 16000), np.stack([bias, bias]))
    assert embedding.recipe["weights"]["published"] is False
    assert embedding.stamps == ()
    official = Cnn14(panns.Checkpoint("any name", "0" * 64, "541141fa2ee191a88f24a3219fff024e"), "soxr_hq")
    assert official.recipe["weights"]["published"] is True


def test_checkpoints_that_do_not_fit(
    small_checkpoint: Callable[..., Path], shapes: dict[str, tuple[int, ...]], noise: Floats
) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"conv_block6.conv2.weight": None}, "conv_block6.conv2.weight"),
        ({"logmel_extractor.melW": torch.ones(513, 64)}, "another front end"),
    ]
    for changes, words in cases:
        with pytest.raises(WeightsError, match=words):
            cnn14(weights=str(small_checkpoint(shapes, **changes))).embed(noise[:1], 16000)
