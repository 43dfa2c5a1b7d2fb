"""The conformance check finds what it says it finds: each of these systems breaks the contract in one way."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from asdbench.api import Batch, FitContext, Floats, Scope, System
from asdbench.errors import FitError
from asdbench.testing import check_system, random_batch


@dataclass(eq=False)
class Distance:
    """Distance to the mean of the training clips, plus whatever is wrong."""

    fault: str
    mean: Floats
    noise: float
    calls: int = 0

    def components(self, batch: Batch) -> Mapping[str, Floats]:
        self.calls += 1
        features = np.asarray(batch.features)
        distance = np.square(features - self.mean).sum(axis=1) + np.float32(self.noise)
        if self.fault == "shape":
            return {"distance": distance[:, None]}
        if self.fault == "list":
            return {"distance": distance.tolist()}
        if self.fault == "nan":
            distance[3] = np.nan
        if self.fault == "order":
            distance += np.arange(len(distance))
        if self.fault == "unknown section" and (batch.section < 0).any():
            distance *= 2
        if self.fault == "batch mean":
            distance -= distance.mean()
        if self.fault == "slight batch mean":
            distance += 1e-3 * distance.mean()
        if self.fault == "rank":
            distance = distance.argsort().argsort() + np.float32(self.noise)
        if self.fault == "offset":
            return {"distance": distance + np.float32(1e9)}
        if self.fault == "wide offset":
            return {"distance": 4 * distance.astype(np.longdouble) + np.longdouble(3e18)}
        if self.fault == "beyond":
            return {"distance": np.longdouble(10) ** 4000 * (1 + distance.astype(np.longdouble))}
        if self.fault == "state":
            distance += self.calls
        return {"other" if self.fault == "name" else "distance": distance}


@dataclass(frozen=True)
class Model:
    fault: str = ""
    embedding: str = "resnet38"
    scope: Scope = "machine"
    mutable: list[int] = field(default_factory=list, compare=False)

    def fit(self, train: Batch, ctx: FitContext) -> Distance:
        features = np.asarray(train.features)
        if self.fault == "writes":
            features.setflags(write=True)
            features -= features.mean(axis=0)
        rng = np.random.default_rng(None if self.fault == "seed" else ctx.seed)
        noise = 0 if self.fault == "no seed" else float(rng.random())
        fitted = Distance(self.fault, features.mean(axis=0), noise)
        for epoch in (2, 1) if self.fault == "history" else (1, 2):
            ctx.log(epoch, loss=np.nan if self.fault == "log" else 1.0)
            if ctx.on_epoch:
                ctx.on_epoch(1 if self.fault == "epochs" else epoch, fitted)
        return fitted


class Identity(Model):
    """Equal to itself only."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def system(fault: str = "", formula: Mapping[str, float] | None = None) -> System[Distance]:
    model = Identity() if fault == "identity" else Model(fault)
    return System("distance", "Distance to the mean", model, {"distance": 1.0} if formula is None else formula)


@dataclass(frozen=True)
class Says(Model):
    """Says that its scores are the same whatever the seed."""

    deterministic: ClassVar[bool] = True


def saying(fault: str) -> System[Distance]:
    return System("distance", "Distance to the mean", Says(fault), {"distance": 1.0})


def test_a_model_that_says_deterministic_gives_the_same_scores_of_two_seeds() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_system(saying("no seed"))
    with pytest.raises(AssertionError, match="says that it is deterministic, but two seeds give different scores"):
        check_system(saying(""))


def test_equal_scores_of_two_seeds_are_remarked_where_the_model_does_not_say_so() -> None:
    with pytest.warns(UserWarning, match=r"two seeds give the same scores\. .*deterministic"):
        check_system(system("no seed"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_system(system())


def test_a_sound_system_passes() -> None:
    check_system(system(), random=True)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("shape", "must be an array of 30 floats"),
        ("list", "must be an array of 30 floats"),
        ("name", "names the component 'distance'"),
        ("nan", "not finite for 1 of 30"),
        ("order", "depends on the order"),
        ("unknown section", "unknown section"),
        ("state", "watched"),
        ("batch mean", "depends on the other test clips: with half of them"),
        ("slight batch mean", "depends on the other test clips"),
        ("rank", "depends on the other test clips"),
        ("offset", "the score is the same for all test clips"),
        ("wide offset", "float64 cannot hold it: it goes from"),
        ("beyond", "values are beyond float64"),
        ("writes", "changes the features"),
        ("seed", "same seed"),
        ("no seed", "does not use ctx.seed"),
        ("history", "epochs logged"),
        ("log", "not finite was logged"),
        ("epochs", "must count upwards"),
        ("identity", "not equal"),
    ],
)
def test_a_fault_is_named(fault: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_system(system(fault), random=True)


@dataclass(eq=False)
class Offset:
    """A component in float64 far from 0, of which float32 would leave nothing; and a batch's mean taken off, or not."""

    by: float
    centred: bool

    def components(self, batch: Batch) -> Mapping[str, NDArray[np.float64]]:
        distance = np.asarray(batch.features).sum(axis=1, dtype=np.float64)
        return {"distance": self.by * (1 + 1e-9 * (distance - distance.mean() * self.centred))}


@dataclass(frozen=True)
class OffsetModel:
    by: float = 1e9
    centred: bool = False
    embedding: str = "resnet38"
    scope: Scope = "machine"

    def fit(self, train: Batch, ctx: FitContext) -> Offset:
        return Offset(self.by, self.centred)


@pytest.mark.parametrize("by", [1e9, 1e301])
def test_a_component_far_from_zero_passes_in_float64_and_hides_no_batch_mean(by: float) -> None:
    check_system(System("far", "Far from zero", OffsetModel(by), {"distance": 1.0}))
    with pytest.raises(AssertionError, match="depends on the other test clips"):
        check_system(System("far", "Far from zero", OffsetModel(by, centred=True), {"distance": 1.0}))


@pytest.mark.parametrize("formula", [{}, {"distance": float("nan")}])
def test_an_impossible_formula_is_named(formula: Mapping[str, float]) -> None:
    with pytest.raises(AssertionError, match="formula"):
        check_system(system(formula=formula))


def test_what_a_system_itself_raises_comes_through() -> None:
    with pytest.raises(FitError, match="one vector a clip"):
        check_system("mvg", kind="frames")


def test_a_file_of_ones_own_is_checked_by_its_spec(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from asdbench_systems.mvg import mvg as mine\n")
    check_system(f"{path}:mine[embedding=logmel]")
    path.write_text("def mine(*, epochs: int = 3):\n    return epochs\n")
    with pytest.raises(AssertionError, match="makes a int"):
        check_system(f"{path}:mine")


def test_random_batches_are_of_all_sections_and_domains() -> None:
    batch = random_batch(48, sections=6, machines=2)
    found = set(zip(batch.section.tolist(), batch.domain.tolist(), strict=True))
    assert found == {(section, domain) for section in range(6) for domain in (0, 1)}
    assert set(zip(batch.section.tolist(), batch.machine.tolist(), strict=True)) == {
        (section, machine) for section in range(6) for machine in (0, 1)
    }
    assert len({len(frames) for frames in random_batch(kind="frames").features}) > 1
