"""The autoencoder follows the organizers' Keras program, and gives their kind of weights their scores."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from asdbench.api import Batch, FitContext, Floats
from asdbench.errors import FitError, UsageError, WeightsError
from asdbench.plugins import registry
from asdbench.testing import random_batch
from asdbench_systems import _networks, ae
from asdbench_systems._networks import Autoencoder
from asdbench_systems._training import generator, minibatches
from asdbench_systems.ae import Ae, joined_frames

torch.set_num_threads(1)


def spectrograms(lengths: Sequence[int], bands: int = 128, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    zeros = np.zeros(len(lengths), np.int64)
    frames = [(6 * rng.standard_normal((n, bands)) - 30).astype(np.float32) for n in lengths]
    return Batch(frames, zeros, zeros, zeros, 1)


def copied_windows(frames: Floats) -> Floats:
    """The slow and obvious way: frames t to t + 4, one after another."""
    return np.stack([np.concatenate([frames[t + k] for k in range(5)]) for t in range(len(frames) - 4)])


class PlainKeras:
    """The organizers' recipe written out: no torch layers, Keras' own update rules, float64."""

    def __init__(self, network: Autoencoder, eps: float) -> None:
        self.eps, self.t = eps, 0
        state = {name: value.detach().double().clone() for name, value in network.state_dict().items()}
        dense = [f"encoder.{k}" for k in (0, 3, 6, 9, 12)] + [f"decoder.{k}" for k in (0, 3, 6, 9, 12)]
        self.weights = [state[f"{name}.weight"] for name in dense]
        self.biases = [state[f"{name}.bias"] for name in dense]
        self.gamma = [torch.ones(len(bias), dtype=torch.double) for bias in self.biases[:-1]]
        self.beta = [torch.zeros(len(bias), dtype=torch.double) for bias in self.biases[:-1]]
        self.mean = [torch.zeros_like(gamma) for gamma in self.gamma]
        self.var = [torch.ones_like(gamma) for gamma in self.gamma]
        self.trained = [*self.weights, *self.biases, *self.gamma, *self.beta]
        self.m = [torch.zeros_like(value) for value in self.trained]
        self.v = [torch.zeros_like(value) for value in self.trained]

    def predict(self, x: Tensor, training: bool) -> Tensor:
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight.T + bias
            if k == len(self.weights) - 1:
                return x
            mean, var = (x.mean(0), x.var(0, unbiased=False)) if training else (self.mean[k], self.var[k])
            if training:
                self.mean[k] = 0.99 * self.mean[k] + 0.01 * mean.detach()
                n = len(x)  # 1 for Keras' 1 + eps: what that changes is held below
                self.var[k] = 0.99 * self.var[k] + 0.01 * var.detach() * n / (n - 1)
            x = torch.relu((x - mean) / torch.sqrt(var + self.eps) * self.gamma[k] + self.beta[k])
        raise AssertionError

    def step(self, x: Tensor) -> float:
        for value in self.trained:
            value.requires_grad_(True)
        loss = (self.predict(x, training=True) - x).square().mean()
        gradients = torch.autograd.grad(loss, self.trained)
        self.t += 1
        lr = 1e-3 * np.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)  # keras.optimizers.Adam
        with torch.no_grad():
            for value, gradient, m, v in zip(self.trained, gradients, self.m, self.v, strict=True):
                m.mul_(0.9).add_(0.1 * gradient)
                v.mul_(0.999).add_(0.001 * gradient.square())
                value.sub_(lr * m / (v.sqrt() + 1e-7))
        return float(loss.detach())


def test_trains_as_the_plain_keras_recipe_does(monkeypatch: pytest.MonkeyPatch) -> None:
    # in float64: the loss does not depend on the biases before a BatchNorm; in float32 rounding alone moves them,
    # by Adam as far as anything else, and two right programs differ by 1e-4
    def frames_and_starts(train: Batch) -> tuple[Tensor, Tensor]:
        frames, starts = joined_frames(train)
        return frames.double(), starts

    monkeypatch.setattr(ae, "joined_frames", frames_and_starts)
    monkeypatch.setattr(_networks, "Autoencoder", lambda *given: Autoencoder(*given).double())
    train = spectrograms([20, 31, 12, 40, 25])
    ctx = FitContext(seed=5)
    fitted = Ae(epochs=2, batch_size=32).fit(train, ctx)
    assert ctx.steps == 6

    x = torch.from_numpy(np.concatenate([copied_windows(frames) for frames in train.features])).double()
    assert len(x) == 108
    n = 97  # floor(0.9 * 108): 3 mini-batches of 32 and one row that joins the last
    plain = PlainKeras(Autoencoder(640, 1e-3, generator(5, "init")), eps=1e-3)
    order = generator(5, "order")
    for epoch in range(2):
        losses = [(plain.step(x[batch]), len(batch)) for batch in minibatches(n, 32, order)]
        assert [size for _, size in losses] == [32, 32, 33]
        assert ctx.history[epoch]["loss"] == pytest.approx(sum(loss * size for loss, size in losses) / n, rel=1e-9)
        with torch.no_grad():
            tail = (plain.predict(x[n:], training=False) - x[n:]).square().mean()
        assert ctx.history[epoch]["val_loss"] == pytest.approx(float(tail), rel=1e-9)
    with torch.no_grad():
        expected = (plain.predict(x, training=False) - x).square().mean(dim=1)
    np.testing.assert_allclose(fitted.errors(x, torch.arange(len(x))).numpy(), expected.numpy(), rtol=1e-9)


def test_a_clips_score_is_the_mean_over_its_windows_and_their_values() -> None:
    fitted = Ae(epochs=1, batch_size=32).fit(spectrograms([30, 30]), FitContext(seed=1))
    test = spectrograms([20, 5, 50], seed=1)
    for frames, score in zip(test.features, fitted.components(test)["reconstruction"], strict=True):
        x = copied_windows(frames)
        with torch.no_grad():
            xhat = fitted.network(torch.from_numpy(x)).numpy()
        assert score == pytest.approx(np.mean((x.astype(np.float64) - xhat) ** 2), rel=1e-6)


def test_moving_mean_and_variance_are_those_of_keras_2_3_0() -> None:
    network = Autoencoder(640, 1e-3, torch.Generator().manual_seed(0)).double()
    layer = network.encoder[1]
    assert isinstance(layer, torch.nn.BatchNorm1d)
    assert layer.running_mean is not None
    assert layer.running_var is not None
    n = 512
    x = torch.from_numpy(3 * np.random.default_rng(0).standard_normal((n, 128)))
    layer(x)
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.01 * x.numpy().mean(axis=0), rtol=1e-12)
    moved = layer.running_var.numpy() - 0.99
    keras = 0.01 * x.numpy().var(axis=0) * n / (n - (1 + 1e-3))
    np.testing.assert_allclose(moved, keras, rtol=2.5e-6)  # torch has n / (n - 1)
    biased = 0.01 * x.numpy().var(axis=0)
    assert np.abs(moved / biased - 1).min() > 1.9e-3


def test_initial_weights_are_glorot_uniform_with_zero_bias() -> None:
    network = Autoencoder(640, 1e-3, torch.Generator().manual_seed(0))
    for name, value in network.state_dict().items():
        if value.ndim == 2:
            bound = np.sqrt(6 / sum(value.shape))
            assert 0.98 * bound < value.abs().max() <= bound
        elif name.endswith("bias"):
            assert (value == 0).all()
    assert sum(value.numel() for value in network.parameters()) == 267_928


def test_the_validation_tail_never_trains() -> None:
    train = spectrograms([30] * 10)
    other = Batch([*train.features[:9], train.features[9] + 20], train.machine, train.section, train.domain, 1)
    histories: list[list[dict[str, float]]] = []
    states: list[dict[str, Tensor]] = []
    for clips in (train, other):
        ctx = FitContext(seed=1)
        states.append(Ae(epochs=2, batch_size=64).fit(clips, ctx).network.state_dict())
        histories.append(ctx.history)
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert [epoch["loss"] for epoch in histories[0]] == [epoch["loss"] for epoch in histories[1]]
    assert histories[0][0]["val_loss"] != histories[1][0]["val_loss"]


def test_without_validation_every_window_trains() -> None:
    ctx = FitContext(seed=1)
    Ae(epochs=1, batch_size=64, validation=0.0).fit(spectrograms([30] * 3), ctx)
    assert ctx.history[0].keys() == {"epoch", "loss"}


def test_windows_never_reach_into_the_next_clip() -> None:
    lengths = [9, 5, 7]
    ctx = FitContext(seed=0)
    joined, apart = spectrograms([sum(lengths)]), spectrograms(lengths)
    model = Ae(epochs=1, batch_size=512, validation=0.0)
    model.fit(Batch(apart.features, apart.machine, apart.section, apart.domain, 1), ctx)
    model.fit(joined, ctx)
    # the same frames (the generator fills them in order): 5 + 1 + 3 windows train apart, 17 joined
    plain = PlainKeras(Autoencoder(640, 1e-3, generator(0, "init")), eps=1e-3)
    rows = np.concatenate([copied_windows(frames) for frames in apart.features])
    assert len(rows) == 9
    assert ctx.history[0]["loss"] == pytest.approx(plain.step(torch.from_numpy(rows).double()), rel=1e-5)
    assert ctx.history[1]["loss"] != ctx.history[0]["loss"]


def test_training_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    Ae(epochs=1).fit(spectrograms([30] * 3), FitContext(seed=1))
    assert torch.equal(before, torch.get_rng_state())


def test_clips_too_short_or_not_finite() -> None:
    model = Ae(epochs=1, batch_size=64)
    with pytest.raises(FitError, match=r"2 of 4 training clips are shorter"):
        model.fit(spectrograms([30, 4, 30, 0]), FitContext(seed=1))
    broken = spectrograms([30, 30])
    broken.features[1][3, 5] = np.nan
    with pytest.raises(FitError, match="not finite"):
        model.fit(broken, FitContext(seed=1))
    with pytest.raises(FitError, match="BatchNorm"):
        model.fit(spectrograms([5]), FitContext(seed=1))
    with pytest.raises(FitError, match="frames of a spectrogram"):
        model.fit(random_batch(width=640), FitContext(seed=1))

    fitted = model.fit(spectrograms([30, 30]), FitContext(seed=1))
    test = spectrograms([30, 4, 30], seed=2)
    test.features[2][0, 0] = np.inf
    assert np.isnan(fitted.components(test)["reconstruction"]).tolist() == [False, True, True]


def test_diverging_training_is_an_error_that_names_the_epoch() -> None:
    train = spectrograms([30, 30])
    for frames in train.features:
        frames *= 1e25
    with pytest.raises(FitError, match="epoch 1 of 3"):
        Ae(epochs=3).fit(train, FitContext(seed=1))


@pytest.mark.parametrize(
    "parameters", [{"epochs": 0}, {"batch_size": 1}, {"lr": 0.0}, {"lr": float("nan")}, {"validation": 1.0}]
)
def test_impossible_parameters(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(parameters))):
        Ae(**parameters)


# ------------------------------------------------------------------------------------------------- given weights


@pytest.fixture
def arrays() -> dict[str, NDArray[Any]]:
    network = Ae(epochs=1).fit(spectrograms([30, 30]), FitContext(seed=1)).network
    return {name: value.numpy() for name, value in network.state_dict().items()}


def test_given_weights_score_without_training(arrays: dict[str, NDArray[Any]], tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for its own parameter
    test = spectrograms([30, 12], seed=3)
    trained = Ae(epochs=1).fit(spectrograms([30, 30]), FitContext(seed=1)).components(test)["reconstruction"]
    ctx = FitContext(seed=2)
    given = Ae(weights=str(path)).fit(spectrograms([9]), ctx).components(test)["reconstruction"]
    np.testing.assert_array_equal(trained, given)
    assert ctx.history == []


def test_the_batch_count_may_be_left_out(arrays: dict[str, NDArray[Any]], tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, **{name: a for name, a in arrays.items() if not name.endswith("tracked")})  # type: ignore[arg-type]
    fitted = Ae(weights=str(path)).fit(spectrograms([9]), FitContext(seed=2))
    assert np.isfinite(fitted.components(spectrograms([9]))["reconstruction"]).all()


Change = Callable[[dict[str, NDArray[Any]]], object]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a.pop("decoder.12.bias"), "decoder.12.bias"),
        (lambda a: a.update({"encoder.99.weight": np.zeros(3)}), "encoder.99.weight"),
        (lambda a: a.update({"encoder.0.weight": np.zeros((128, 320), np.float32)}), r"\(128, 320\)"),
        (lambda a: a.update({"encoder.4.bias": np.full(128, np.nan, np.float32)}), "encoder.4.bias"),
        (lambda a: a.update({"encoder.4.running_var": np.full(128, -1, np.float32)}), "negative variances"),
        (lambda a: a.update({"encoder.4.bias": np.full(128, "x")}), "encoder.4.bias"),
        (lambda a: a.update({"encoder.4.bias": np.array([print] * 128, dtype=object)}), "damaged"),
    ],
)
def test_wrong_weights_are_refused_by_name(
    arrays: dict[str, NDArray[Any]], tmp_path: Path, change: Change, says: str
) -> None:
    change(arrays)
    path = tmp_path / "w.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match=says) as caught:
        Ae(weights=str(path)).fit(spectrograms([9]), FitContext(seed=2))
    assert str(path) in caught.value.looked


def test_files_that_are_no_weights(arrays: dict[str, NDArray[Any]], tmp_path: Path) -> None:
    good, cut, text, one, empty = (tmp_path / name for name in ("good.npz", "cut.npz", "t.npz", "one.npy", "e.npz"))
    np.savez(good, **arrays)  # type: ignore[arg-type]
    cut.write_bytes(good.read_bytes()[:200_000])
    flipped = bytearray(good.read_bytes())
    flipped[100_000:100_100] = bytes(100)
    (tmp_path / "flipped.npz").write_bytes(flipped)
    text.write_text("no weights")
    empty.write_bytes(b"")
    np.save(one, np.zeros(3))
    for path in (cut, text, one, empty, tmp_path / "flipped.npz", tmp_path / "missing.npz", tmp_path):
        with pytest.raises(WeightsError) as caught:
            Ae(weights=str(path)).fit(spectrograms([9]), FitContext(seed=2))
        assert str(path) in caught.value.looked
        assert "pickle" not in caught.value.looked  # no advice to read them


# ---------------------------------------------------------------------------------- what somebody else's weights give


@pytest.mark.shared
@pytest.mark.parametrize("pad_mode", ["reflect", "zeros"])
def test_somebody_elses_weights_give_their_scores_on_real_clips(shared: Path, pad_mode: str) -> None:
    import soundfile
    from sklearn.metrics import roc_auc_score

    folder = shared / "conformance" / "ae_baseline"
    with (folder / "expected_scores.csv").open() as file:
        expected = list(csv.DictReader(file))
    assert len(expected) == 64
    fan: list[tuple[bool, float]] = []
    for machine in sorted({row["machine"] for row in expected}):
        weights = folder / f"model_{machine}.npz"
        system = registry.create("systems", f"ae[weights={weights},batchnorm_eps=1e-5,pad_mode={pad_mode}]")
        embedding = registry.create("embeddings", system.model.embedding)
        rows = [row for row in expected if row["machine"] == machine]
        frames = []
        for row in rows:
            samples, rate = soundfile.read(shared / "real" / row["clip"], dtype="float32")
            frames.append(embedding.embed(samples[None], rate)[0])
        zeros = np.zeros(len(rows), np.int64)
        clips = Batch(frames, zeros, zeros, zeros, 1)
        scores = system.score(system.model.fit(clips, FitContext(seed=0)).components(clips))
        wanted = [float(row[f"score_{'zero' if pad_mode == 'zeros' else 'reflect'}_padding"]) for row in rows]
        np.testing.assert_allclose(scores, wanted, rtol=1e-4)
        fan += [
            ("abnormal" in row["clip"], score)
            for row, score in zip(rows, scores, strict=True)
            if row["clip"].startswith("mimii_fan_id00_mono_ch0/")
        ]
    assert len(fan) == 40
    assert roc_auc_score(*zip(*fan, strict=True)) == pytest.approx(0.705, abs=5e-4)
