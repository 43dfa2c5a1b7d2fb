"""CVAE and CL-VAE against Eq. 3 to 10 computed by hand, in numpy."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from asdbench.api import Batch, FitContext, Fitted
from asdbench.errors import FitError, UsageError
from asdbench.plugins import registry
from asdbench.testing import random_batch
from asdbench_systems._fitted import FittedVae
from asdbench_systems._training import generator, minibatches
from asdbench_systems._vae import Vae
from asdbench_systems.clvae import Clvae, center_term, clvae, clvae_ensemble, move_centers
from asdbench_systems.cvae import Cvae

torch.set_num_threads(1)

TINY: dict[str, Any] = {"epochs": 2, "batch_size": 16}
Doubles = NDArray[np.float64]


def outputs_of(fitted: FittedVae, batch: Batch) -> dict[str, Doubles]:
    """The network's outputs, without anything of the system's own evaluation."""
    x = torch.from_numpy(np.array(batch.features))
    y = torch.eye(batch.n_sections)[torch.from_numpy(batch.section)] if isinstance(fitted.model, Cvae) else None
    fitted.network.eval()
    with torch.no_grad():
        out = fitted.network(x, y, None)
    return {name: getattr(out, name).numpy().astype(np.float64) for name in ("h", "mu", "logvar", "z", "xhat")}


def terms_by_hand(out: dict[str, Doubles], x: Doubles) -> tuple[Doubles, Doubles]:
    reconstruction = ((x - out["xhat"]) ** 2).mean(axis=1)  # Eq. 6
    variance = np.exp(out["logvar"])
    kld = -0.5 * (1 + np.log(variance) - out["mu"] ** 2 - variance).sum(axis=1)  # Eq. 7
    return reconstruction, kld


# ------------------------------------------------------------------------------------------------- Eq. 6, 7, 9, 10


@pytest.mark.parametrize("model", [Cvae(**TINY), Clvae(**TINY)])
def test_components_are_the_equations_of_the_networks_outputs(model: Cvae | Clvae) -> None:
    train, test = random_batch(seed=1), random_batch(200, seed=2)
    fitted = model.fit(train, FitContext(seed=1))
    found = fitted.components(test)
    out = outputs_of(fitted, test)
    reconstruction, kld = terms_by_hand(out, np.array(test.features, np.float64))
    np.testing.assert_allclose(found["reconstruction"], reconstruction, rtol=1e-5)
    np.testing.assert_allclose(found["kld"], kld, rtol=1e-4)
    if isinstance(model, Clvae):
        assert fitted.centers is not None
        centers = fitted.centers.numpy().astype(np.float64)
        by_hand = [0.5 * np.sum((h - centers[j]) ** 2) for h, j in zip(out["h"], test.section, strict=True)]  # Eq. 3
        np.testing.assert_allclose(found["center"], by_hand, rtol=1e-5)


def test_system_1_is_eq_9_and_system_2_adds_a_hundredth_of_eq_10() -> None:
    parts = {"reconstruction": np.array([1.0, 2.0]), "kld": np.array([10.0, 20.0]), "center": np.array([0.1, 0.3])}
    eq9 = parts["reconstruction"] + parts["kld"]
    eq10 = eq9 + 150 * parts["center"]
    np.testing.assert_allclose(clvae().score(parts), eq9)
    np.testing.assert_allclose(clvae_ensemble().score(parts), eq9 + 0.01 * eq10)
    np.testing.assert_allclose(clvae_ensemble(scale=0.5).score(parts), eq9 + 0.5 * eq10)
    np.testing.assert_allclose(clvae_ensemble(center_weight=2.0).score(parts), 1.01 * eq9 + 0.02 * parts["center"])


def test_standardised_scores_of_system_2_are_z_scores_by_the_training_clips() -> None:
    draws = np.random.default_rng(1)
    names = ("reconstruction", "kld", "center")
    train, test = ({name: draws.gamma(2, 3, n).astype(np.float32) for name in names} for n in (40, 10))
    system = clvae_ensemble(combine="standardised", center_weight=2.0)

    def eq9_and_10(of: dict[str, NDArray[np.float32]]) -> list[Doubles]:
        parts = {name: values.astype(np.float64) for name, values in of.items()}
        eq9 = parts["reconstruction"] + parts["kld"]
        return [eq9, eq9 + 2 * parts["center"]]

    pairs = zip(eq9_and_10(test), eq9_and_10(train), strict=True)
    by_hand = sum((own - np.mean(over)) / np.std(over) for own, over in pairs)
    np.testing.assert_allclose(system.score(test, train), by_hand, rtol=1e-12)
    np.testing.assert_allclose(
        clvae_ensemble(combine="standardised", center_weight=2.0, scale=0.5).score(test, train), by_hand
    )
    plain = clvae_ensemble(center_weight=2.0).score(test, train)
    assert np.argsort(plain).tolist() != np.argsort(by_hand).tolist()
    flat = {name: np.ones_like(values) for name, values in train.items()}
    assert np.isnan(system.score(test, flat)).all()
    with pytest.raises(ValueError, match="training clips"):
        system.score(test)


def test_the_loss_of_the_printed_reading_is_the_defaults_with_eq_6_weighted_d_by_n() -> None:
    """FIDELITY: 3776 / 512 = 7.4 times, where Eq. 7 has log sigma in both."""
    n, d = 512, 3776
    draws = torch.Generator().manual_seed(1)
    x, xhat = (torch.rand(n, d, generator=draws, dtype=torch.float64) for _ in range(2))
    mu, logvar, v, c = (torch.randn(n, 512, generator=draws, dtype=torch.float64) for _ in range(4))

    def loss(model: Clvae) -> tuple[float, float]:
        terms = {
            "reconstruction": model.reconstruction(x, xhat),
            "kld": replace(model, kld="literal").divergence(mu, logvar),
            "center": center_term(v, c),
        }
        rest = {**terms, "reconstruction": torch.zeros(n)}
        return float(model.loss(terms) - model.loss(rest)), float(model.loss(rest))

    default, printed = Clvae(), clvae(reading="printed").model
    assert isinstance(printed, Clvae)
    (own, rest), (own_printed, rest_printed) = loss(default), loss(printed)
    assert rest_printed / n == pytest.approx(rest, rel=1e-9)
    assert own_printed / n == pytest.approx(own * d / n, rel=1e-6)


def test_both_systems_are_one_model_trained_once() -> None:
    assert clvae().model == clvae_ensemble(scale=0.1, combine="standardised").model
    assert hash(clvae(center_on="mu").model) == hash(clvae_ensemble(center_on="mu").model)
    assert clvae(center_on="mu").model != clvae().model


# ------------------------------------------------------------------------------------------------------------ Eq. 8


@pytest.mark.parametrize("center_on", ["encoder", "mu", "z"])
@pytest.mark.parametrize("reductions", [("mean", "mean"), ("sum", "sum")])
def test_the_loss_is_eq_8(center_on: Any, reductions: tuple[Any, Any]) -> None:
    train = random_batch(24, seed=3)
    model = Clvae(epochs=1, center_on=center_on, center_reduction=reductions[0], reconstruction_reduction=reductions[1])
    ctx = FitContext(seed=9)
    model.fit(train, ctx)

    # one mini-batch: the loss of the freshly drawn network and centres, in training mode
    network, centers = model.new_network(16, 3, seed=9), model.new_centers(3, seed=9).numpy()
    (rows,) = minibatches(24, 512, generator(9, "order"))
    x = torch.from_numpy(np.array(train.features))[rows]
    noise = torch.randn(24, 512, generator=generator(9, "noise"))
    with torch.no_grad():
        out = network.train()(x, None, noise)
    z = out.mu.numpy() + np.sqrt(np.exp(out.logvar.numpy())) * noise.numpy()
    v = {"encoder": out.h.numpy(), "mu": out.mu.numpy(), "z": z}[center_on]
    assert out.h.min() == 0  # row 10: after the ReLU
    as_numpy = {"xhat": out.xhat.numpy(), "mu": out.mu.numpy(), "logvar": out.logvar.numpy().astype(np.float64)}
    reconstruction, kld = terms_by_hand(as_numpy, x.numpy().astype(np.float64))
    if reductions[1] == "sum":
        reconstruction = reconstruction * 16
    center = 0.5 * np.square(v - centers[train.section[rows.numpy()]]).sum(axis=1)
    l_c = center.mean() if reductions[0] == "mean" else center.sum()
    logged = ctx.history[0]
    assert logged["loss"] == pytest.approx(reconstruction.mean() + kld.mean() + 150 * l_c, rel=1e-5)
    assert logged["reconstruction"] == pytest.approx(reconstruction.mean(), rel=1e-5)
    assert logged["kld"] == pytest.approx(kld.mean(), rel=1e-5)
    assert logged["center"] == pytest.approx(center.mean(), rel=1e-5)


# --------------------------------------------------------------------------------------------------------- Eq. 4, 5


def test_centers_move_as_eq_4_and_5_say() -> None:
    rng = np.random.default_rng(0)
    centers, v, y = rng.standard_normal((4, 7)), rng.standard_normal((9, 7)), np.array([0, 0, 1, 3, 3, 3, 0, 3, 3])
    expected = centers.copy()
    for j in range(4):
        delta = np.zeros(7)
        for i in range(9):
            if y[i] == j:
                delta += centers[j] - v[i]
        expected[j] = centers[j] - 1.0 * delta / (1 + np.sum(y == j))
    moved = torch.from_numpy(centers.copy())
    move_centers(moved, torch.from_numpy(v), torch.from_numpy(y))
    np.testing.assert_allclose(moved.numpy(), expected, rtol=1e-12)
    np.testing.assert_array_equal(moved.numpy()[2], centers[2])  # no clip of class 2


def test_training_moves_the_centers_once_a_mini_batch_after_the_loss() -> None:
    train = random_batch(24, seed=3)
    model = Clvae(epochs=1, batch_size=512)
    fitted = model.fit(train, FitContext(seed=9))
    expected = model.new_centers(3, seed=9)
    (rows,) = minibatches(24, 512, generator(9, "order"))
    with torch.no_grad():
        out = model.new_network(16, 3, seed=9).train()(torch.from_numpy(np.array(train.features))[rows], None, None)
    move_centers(expected, out.h, torch.from_numpy(train.section)[rows])
    assert fitted.centers is not None
    torch.testing.assert_close(fitted.centers, expected)


def test_learned_centers_are_trained_by_the_optimizer() -> None:
    model = Clvae(epochs=1, center_update="learned")
    centers = model.fit(random_batch(24), FitContext(seed=9)).centers
    assert centers is not None
    moved = (centers.detach() - model.new_centers(3, seed=9).detach()).abs()
    assert 0 < moved.max() <= 1.1e-3  # Adam's first step is the learning rate


# ------------------------------------------------------------------------------------------------- classes at test


def test_classes_are_the_sections_there_are() -> None:
    for n_sections in (1, 2, 5):
        fitted = Clvae(**TINY).fit(random_batch(sections=n_sections), FitContext(seed=1))
        assert fitted.centers is not None
        assert len(fitted.centers) == n_sections
    fitted = Clvae(**TINY, classes="section-domain").fit(random_batch(), FitContext(seed=1))
    assert fitted.centers is not None
    assert len(fitted.centers) == 6


def test_a_class_without_training_clips_has_no_center_and_no_condition() -> None:
    train = random_batch()
    train = replace(train, domain=np.where(train.section == 1, 0, train.domain))  # no target clip of section 1
    test = replace(random_batch(8), section=np.array([0, 0, 1, 1, 2, 2, -1, -1]), domain=np.array([0, 1] * 4))
    unseen = [False, False, False, True, False, False, True, True]
    own = Clvae(**TINY, classes="section-domain").fit(train, FitContext(seed=1)).components(test)
    assert np.isnan(own["center"]).tolist() == unseen
    assert np.isfinite(own["reconstruction"]).all()
    assert np.isfinite(own["kld"]).all()
    nearest = Clvae(**TINY, classes="section-domain", center_at_test="nearest").fit(train, FitContext(seed=1))
    assert np.isfinite(nearest.components(test)["center"]).all()
    told = Cvae(**TINY, classes="section-domain").fit(train, FitContext(seed=1)).components(test)
    for name in ("reconstruction", "kld"):
        assert np.isnan(told[name]).tolist() == unseen


def test_the_nearest_center_is_the_nearest_one_with_training_clips() -> None:
    train, test = random_batch(), random_batch(40, seed=5)
    train = replace(train, n_sections=4)  # section 3 has no training clips: its centre is where it was drawn
    fitted = Clvae(**TINY, center_at_test="nearest").fit(train, FitContext(seed=1))
    h = outputs_of(fitted, test)["h"]
    assert fitted.centers is not None
    distances = 0.5 * ((h[:, None] - fitted.centers.numpy()[:3]) ** 2).sum(axis=2)
    np.testing.assert_allclose(fitted.components(test)["center"], distances.min(axis=1), rtol=1e-5)


# ------------------------------------------------------------------------------------- seeds, batches, bad input


@pytest.mark.parametrize("model", [Cvae(**TINY, latent_at_test="sample"), Clvae(**TINY, latent_at_test="sample")])
def test_equal_seeds_are_bit_equal_whatever_ran_before(model: Cvae | Clvae) -> None:
    train, test = random_batch(), random_batch(130, seed=4)
    torch.manual_seed(1)
    first = model.fit(train, FitContext(seed=1)).components(test)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = model.fit(train, FitContext(seed=1)).components(test)
    assert torch.equal(before, torch.get_rng_state())
    other = model.fit(train, FitContext(seed=2)).components(test)
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])
        assert not np.array_equal(values, other[name])


@pytest.mark.parametrize("latent", ["mu", "sample"])
def test_a_clips_components_do_not_depend_on_its_neighbours(latent: Any) -> None:
    fitted = Clvae(**TINY, latent_at_test=latent).fit(random_batch(), FitContext(seed=1))
    test = random_batch(300, seed=4)
    whole = fitted.components(test)
    rows = np.random.default_rng(0).permutation(300)[:40]
    assert isinstance(test.features, np.ndarray)
    few = Batch(test.features[rows], test.machine[rows], test.section[rows], test.domain[rows], 3)
    part = fitted.components(few)
    for name, values in whole.items():
        np.testing.assert_array_equal(values[rows], part[name])


def test_513_clips_with_mini_batches_of_512() -> None:
    ctx = FitContext(seed=1)
    fitted = Clvae(epochs=1).fit(random_batch(513), ctx)
    assert ctx.steps == 1
    assert np.isfinite(ctx.history[0]["loss"])
    assert np.isfinite(fitted.components(random_batch())["kld"]).all()
    assert [len(rows) for rows in minibatches(1025, 512, torch.Generator())] == [512, 513]
    assert [len(rows) for rows in minibatches(1026, 512, torch.Generator())] == [512, 512, 2]
    assert sorted(torch.cat(list(minibatches(513, 512, torch.Generator()))).tolist()) == list(range(513))


def test_what_cannot_be_trained_on() -> None:
    with pytest.raises(FitError, match="1 training clip:"):
        Clvae(**TINY).fit(random_batch(1, sections=1), FitContext(seed=1))
    with pytest.raises(FitError, match="one vector a clip"):
        Clvae(**TINY).fit(random_batch(kind="frames"), FitContext(seed=1))
    broken = np.array(random_batch().features)
    broken[7, 3] = np.nan
    with pytest.raises(FitError, match="1 of 30 training clips") as caught:
        Clvae(**TINY).fit(replace(random_batch(), features=broken), FitContext(seed=1))
    assert "number 8" in caught.value.looked
    nowhere = replace(random_batch(), domain=np.full(30, -1))
    with pytest.raises(FitError, match="unknown section or domain"):
        Clvae(**TINY, classes="section-domain").fit(nowhere, FitContext(seed=1))
    huge = replace(random_batch(), features=np.array(random_batch().features) * np.float32(1e30))
    with pytest.raises(FitError, match="epoch 1 of 2"):
        Cvae(**TINY).fit(huge, FitContext(seed=1))


def test_test_clips_that_are_not_finite_are_nan_and_harm_no_other() -> None:
    fitted = Clvae(**TINY).fit(random_batch(), FitContext(seed=1))
    test = random_batch(seed=2)
    broken = np.array(test.features)
    broken[4, 2], broken[9, 0] = np.nan, -np.inf
    whole, found = fitted.components(test), fitted.components(replace(test, features=broken))
    good = ~np.isin(np.arange(30), [4, 9])
    for name, values in found.items():
        assert np.isnan(values[[4, 9]]).all()
        np.testing.assert_array_equal(values[good], whole[name][good])


@pytest.mark.parametrize(
    "parameters", [{"epochs": 0}, {"batch_size": 1}, {"lr": 0.0}, {"lr": float("inf")}, {"center_weight": -1.0}]
)
def test_impossible_parameters(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(parameters))):
        Clvae(**parameters)


def test_on_epoch_sees_each_epoch_and_the_last_is_the_result() -> None:
    train, test = random_batch(), random_batch(seed=4)
    watched: list[tuple[int, NDArray[np.float32]]] = []

    def watch(epoch: int, fitted: Fitted) -> None:
        watched.append((epoch, fitted.components(test)["kld"]))

    last = Clvae(epochs=3, batch_size=16).fit(train, FitContext(seed=1, on_epoch=watch)).components(test)["kld"]
    assert [epoch for epoch, _ in watched] == [1, 2, 3]
    np.testing.assert_array_equal(watched[2][1], last)
    assert not np.array_equal(watched[1][1], last)


def test_latent_is_the_vector_that_is_drawn_to_the_centres() -> None:
    fitted = Clvae(**TINY).fit(random_batch(), FitContext(seed=1))
    test = random_batch(200, seed=4)
    out = outputs_of(fitted, test)
    np.testing.assert_allclose(fitted.latent(test), out["h"], rtol=1e-4, atol=1e-6)
    centres = fitted.centres()
    assert centres is not None
    distance = np.square(fitted.latent(test) - centres[test.section]).sum(axis=1)  # Eq. 3
    np.testing.assert_allclose(fitted.components(test)["center"], distance / 2, rtol=1e-4)
    on_mu = Clvae(center_on="mu", **TINY).fit(random_batch(), FitContext(seed=1))
    np.testing.assert_allclose(on_mu.latent(test), outputs_of(on_mu, test)["mu"], rtol=1e-4, atol=1e-6)


def test_without_centres_the_latent_vector_is_the_mean() -> None:
    fitted = Cvae(**TINY).fit(random_batch(), FitContext(seed=1))
    test = random_batch(200, seed=4)
    np.testing.assert_allclose(fitted.latent(test), outputs_of(fitted, test)["mu"], rtol=1e-4, atol=1e-6)
    assert fitted.centres() is None


def test_a_centre_whose_class_was_never_seen_has_no_place() -> None:
    batch = random_batch()
    sources = replace(batch, domain=np.zeros_like(batch.domain))
    centres = Clvae(classes="section-domain", **TINY).fit(sources, FitContext(seed=1)).centres()
    assert centres is not None
    assert np.isfinite(centres).all(axis=1).tolist() == [True, False] * batch.n_sections


def test_parameters_are_those_of_table_1_and_the_centres() -> None:
    batch = random_batch()
    width = np.array(batch.features).shape[1]
    encoder, decoder = [width, 1024, 1024, 1024, 512], [512, 512, 1024, 1024, 1024, width]
    blocks = sum(a * b + 3 * b for path in (encoder, decoder) for a, b in pairwise(path))  # weights, bias, BatchNorm
    heads = 2 * (512 * 512 + 512)
    plain, drawn = (model(**TINY).fit(batch, FitContext(seed=1)).parameters for model in (Vae, Clvae))
    assert plain == blocks + heads
    assert drawn == plain + batch.n_sections * 512


def test_features_of_the_real_width_have_table_1s_network() -> None:
    network = registry.create("systems", "clvae").model.new_network(3776, 6, seed=0)
    wide = [3776, 1024, 1024, 1024, 512]
    encoder = [layer.weight.shape for layer in network.encoder.modules() if isinstance(layer, torch.nn.Linear)]
    assert [(b, a) for a, b in encoder] == list(pairwise(wide))
    decoder = [
        layer.weight.shape
        for part in (network.decoder, network.output)
        for layer in part.modules()
        if isinstance(layer, torch.nn.Linear)
    ]
    wide = [512, 512, 1024, 1024, 1024, 3776]
    assert [(b, a) for a, b in decoder] == list(pairwise(wide))
