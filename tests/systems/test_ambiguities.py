"""Each reading of FIDELITY's table of ambiguities is a parameter: taken by the registry, with an effect, documented."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from asdbench.api import Batch, FitContext
from asdbench.errors import UsageError
from asdbench.plugins import registry
from asdbench.plugins.spec import parse
from asdbench.running.request import with_weights
from asdbench.testing import random_batch
from asdbench_systems._vae import Vae

torch.set_num_threads(1)

# The last column of the table: row, system, parameter, default, alternatives. Numbers have one other value each.
ROWS = [
    (1, "clvae", "lr", "0.001", ("onecycle", "0.01")),
    (2, "clvae", "epochs", "300", ("3",)),
    (2, "clvae", "batch_size", "512", ("8",)),
    (4, "clvae", "sections", "all", ("dev",)),
    (5, "clvae", "classes", "section", ("section-domain",)),
    (9, "clvae", "scaling", "none", ("zscore", "input-batchnorm")),
    (10, "clvae", "center_on", "encoder", ("mu", "z")),
    (11, "clvae", "center_update", "wen", ("learned",)),
    (12, "clvae", "center_reduction", "mean", ("sum",)),
    (12, "clvae", "center_weight", "150.0", ("2",)),
    (13, "clvae", "reconstruction_reduction", "mean", ("sum",)),
    (14, "clvae", "kld", "standard", ("literal",)),
    (15, "clvae", "latent_at_test", "mu", ("sample",)),
    (16, "clvae", "center_at_test", "own", ("nearest",)),
    (17, "clvae-ensemble", "scale", "0.01", ("0.5",)),
    (17, "clvae-ensemble", "combine", "sum", ("standardised",)),
    (18, "clvae", "decoder", "table1", ("author",)),
    (19, "clvae", "output", "batchnorm-relu", ("relu", "linear")),
    (20, "cvae", "label_at", "decoder", ("both", "author-bug")),
]
OF_CL_VAE = {"center_on", "center_update", "center_reduction", "center_weight", "center_at_test"}


def readings() -> list[tuple[str, str, str]]:
    """Every alternative on every system that has the parameter."""
    found = []
    for _, system, parameter, _, values in ROWS:
        systems = ["clvae", "clvae-ensemble"] if parameter in OF_CL_VAE else ["clvae", "clvae-ensemble", "cvae"]
        for name in [system] if system != "clvae" else systems:
            found += [(name, parameter, value) for value in values]
    return found


@lru_cache
def trained(model: Vae) -> dict[str, NDArray[np.float32]]:
    """Components of clips of three sections; six sections train where the scope is the whole machine."""
    train, test = random_batch(48, sections=6, seed=1), random_batch(40, sections=3, seed=2)
    if model.scope == "machine-part":
        rows = np.flatnonzero(train.section < 3)
        assert isinstance(train.features, np.ndarray)
        features = train.features[rows]
        train = Batch(features, train.machine[rows], train.section[rows], train.domain[rows], n_sections=3)
    fitted = model.fit(train, FitContext(seed=1))
    return dict(fitted.components(replace(test, n_sections=train.n_sections)))


SAME = "combine=mean"  # FIDELITY's row 17 says itself that it is no alternative


def scored(text: str) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float64]]:
    spec = parse(text)
    system = registry.create(
        "systems", spec.with_parameters(**{"epochs": 2, "batch_size": 16, **dict(spec.parameters)})
    )
    found = trained(system.model)
    return found, system.score(found, found)


@pytest.mark.parametrize(("system", "parameter", "value"), readings())
def test_every_reading_is_accepted_and_changes_the_components(system: str, parameter: str, value: str) -> None:
    plain, plain_score = scored(system)
    other, other_score = scored(f"{system}[{parameter}={value}]")
    assert plain.keys() == other.keys()
    assert all(np.isfinite(values).all() for values in other.values())
    if parameter in ("scale", "combine"):
        assert all(np.array_equal(plain[name], other[name]) for name in plain)  # the same trained model
        assert not np.allclose(plain_score, other_score, rtol=1e-3)
    else:
        assert any(not np.allclose(plain[name], other[name], rtol=1e-3) for name in plain)


@pytest.mark.parametrize(("row", "system", "parameter", "default", "values"), ROWS)
def test_every_reading_is_shown_with_its_row_default_and_the_reports_words(
    row: int, system: str, parameter: str, default: str, values: tuple[str, ...]
) -> None:
    make = registry.factory("systems", system)
    declared = registry.parameters(make)[parameter]
    assert str(declared.default) == default
    said = registry.documentation(make)[parameter]
    assert f"Row {row}." in said
    assert "Report:" in said
    shown = registry.describe(declared.annotation)
    for value in values:
        assert value in shown.split("|") or re.fullmatch(r"[\d.]+", value)


PRINTED = {"reconstruction_reduction": "sum", "kld": "literal"}
AUTHOR = {
    "embedding": "resnet38[blocks=author3072,resampler=kaiser_best]",
    "latent_at_test": "sample",
    "decoder": "author",
}
CL_VAE = {"center_update": "learned", "center_weight": 4.0}
CVAE = {"batch_size": 5000, "scaling": "input-batchnorm", "label_at": "author-bug"}


@pytest.mark.parametrize(
    ("system", "reading", "differs"),
    [
        ("clvae", "default", {}),
        ("cvae", "default", {}),
        ("clvae", "printed", {**PRINTED, "center_reduction": "sum"}),
        ("clvae-ensemble", "printed", {**PRINTED, "center_reduction": "sum"}),
        ("cvae", "printed", PRINTED),
        ("clvae", "author", {**AUTHOR, **CL_VAE}),
        ("clvae-ensemble", "author", {**AUTHOR, **CL_VAE}),
        ("cvae", "author", {**AUTHOR, **CVAE}),
    ],
)
def test_a_reading_is_the_parameters_that_it_stands_for(system: str, reading: str, differs: dict[str, object]) -> None:
    make = registry.factory("systems", system)
    plain = registry.create("systems", system).model
    assert make(reading=reading).model == replace(plain, **differs)  # equal models are trained once
    assert registry.create("systems", f"{system}[reading={reading}]").model == make(**differs).model
    assert registry.create("embeddings", with_weights(make(reading=reading).model.embedding, "random")).kind == "vector"


def test_single_parameters_overrule_a_reading_in_whatever_order() -> None:
    for text in ("clvae[reading=printed,kld=standard]", "clvae[kld=standard,reading=printed]"):
        model = registry.create("systems", text).model
        assert (model.kld, model.reconstruction_reduction) == ("standard", "sum")
    system = registry.create("systems", "clvae-ensemble[reading=author,scale=1]")
    assert system.formula == {"reconstruction": 2.0, "kld": 2.0, "center": 4.0}  # lambda is the reading's


@pytest.mark.parametrize("reading", ["printed", "author"])
@pytest.mark.parametrize("system", ["clvae", "clvae-ensemble", "cvae"])
def test_every_named_reading_can_be_trained(system: str, reading: str) -> None:
    plain, _ = scored(system)
    other, score = scored(f"{system}[reading={reading}]")
    assert np.isfinite(score).all()
    assert any(not np.allclose(plain[name], other[name], rtol=1e-3) for name in plain)


def test_an_unknown_reading_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="does not fit") as caught:
        registry.create("systems", "clvae[reading=authors]")
    assert "default|printed|author" in str(caught.value.looked)


@pytest.mark.shared
def test_this_table_is_the_one_of_fidelity(shared: Path) -> None:
    """Each ``name=value|value`` of its last column, but for those of the embedding (in brackets)."""
    lines = [line for line in (shared / "FIDELITY.md").read_text().splitlines() if re.match(r"\| \d\d? \|", line)]
    assert len(lines) == 21
    theirs: set[tuple[int, str]] = set()
    for line in lines:
        cells = [cell.replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)]
        for quoted in re.findall(r"`([^`]*)`", cells[-2]):
            for name, values in re.findall(r"(\w+)=(\S*)", quoted if "[" not in quoted else ""):
                theirs.add((int(cells[1]), name))
                ours = [{default.removesuffix(".0"), *others} for _, _, known, default, others in ROWS if known == name]
                offered = {value for value in values.split("|") if value and f"{name}={value}" != SAME}
                assert offered <= ours[0]
    assert theirs == {(row, parameter) for row, _, parameter, _, _ in ROWS}
