"""One fit: features of coded rows into a model, components out of it. It knows no clip, no label, no result folder.

Whatever here moves a number is part of every job's key (:mod:`asdbench.running.identity`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Batch, FitContext, Fitted, Floats, Kind, System
from asdbench.errors import FitError
from asdbench.results.components import Column, column
from asdbench.results.latent import Picture, picture
from asdbench.running.planning import derive_seed
from asdbench.running.pseudo import pseudo_anomalies

FeatureKey: TypeAlias = str | int
"""Where a clip's features are: the digest of its content, or a row of somebody's file."""
Values: TypeAlias = Mapping[str, Column]
"""Component -> one value a clip."""


class FeatureSource(Protocol):
    """Where a job finds features."""

    def load(self, keys: Sequence[FeatureKey]) -> Floats | list[Floats]:
        """Features in the order of ``keys``: plain arrays that know nothing of files."""


@dataclass(frozen=True)
class CachedFeatures:
    """Features in the cache of one recipe, by the digest of each clip's content."""

    root: Path
    recipe: Mapping[str, Any]
    kind: Kind

    def load(self, keys: Sequence[FeatureKey]) -> Floats | list[Floats]:
        """Features in the order of ``keys``: one array for vectors, else one a clip."""
        from asdbench.embeddings.cache import FeatureCache

        cache = FeatureCache(self.root, self.recipe)
        loaded = [cache.load(str(key)) for key in keys]
        return np.stack(loaded) if self.kind == "vector" and loaded else loaded


@dataclass(frozen=True)
class FeatureFile:
    """Features in somebody's ``features.npy``."""

    path: Path

    def load(self, keys: Sequence[FeatureKey]) -> Floats | list[Floats]:
        """The rows ``keys``."""
        table = np.load(self.path, mmap_mode="r", allow_pickle=False)
        return np.array(table[list(keys)], dtype=np.float32)


@dataclass(frozen=True)
class Rows:
    """What a worker knows of some clips: where their features are, and codes (see :class:`asdbench.api.Batch`)."""

    keys: Sequence[FeatureKey]
    machine: NDArray[np.int64]
    section: NDArray[np.int64]
    domain: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.keys)

    def batch(self, source: FeatureSource, n_sections: int) -> Batch:
        """What the model sees of them."""
        return Batch(source.load(self.keys), self.machine, self.section, self.domain, n_sections)


@dataclass(frozen=True)
class Task:
    """One fit: training rows sorted by clip name, test rows in a seeded random order."""

    label: str
    train: Rows
    test: Rows
    n_sections: int


@dataclass(frozen=True)
class Unusable:
    """Why a clip cannot be used, and whether that lasts: its bytes are no use, or it only could not be read now."""

    reason: str
    lasting: bool


@dataclass
class Answer:
    """What one task gave, in the order of its rows.

    Parameters
    ----------
    values : (Values, Values) or None
        Components of training and test rows; None where the fit failed.
    epochs : mapping of epoch to (Values, Values)
        After each epoch, where the job asks for it.
    pseudo : mapping of epoch to Values
        Of the pseudo-anomalies, likewise.
    pseudo_rows : int array
        The training row that each pseudo-anomaly is made from.
    history : list
        Loss terms per epoch.
    steps : int
    parameters : int or None
        How many numbers were learned, where the model says so.
    latent : Picture, str or None
        Two principal axes of the latent space; the reason why there are none; None where the model has no ``latent``.
    seconds : mapping of stage to float
    failed, trace : str
        Why it failed; the traceback of what went wrong in code.
    """

    values: tuple[Values, Values] | None = None
    epochs: dict[int, tuple[Values, Values]] = field(default_factory=dict)
    pseudo: dict[int, Values] = field(default_factory=dict)
    pseudo_rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    history: list[dict[str, float]] = field(default_factory=list)
    steps: int = 0
    parameters: int | None = None
    latent: Picture | str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    failed: str = ""
    trace: str = ""


def run_task(
    system: System[Any],
    task: Task,
    source: FeatureSource,
    *,
    seed: int,
    device: str,
    threads: int,
    every_epoch: bool,
    pseudo: bool,
) -> Answer:
    """Train on a task's training rows, and give the components of all its rows.

    Parameters
    ----------
    seed : int
        The run's.
    every_epoch : bool
        Keep the components after each epoch, too.
    pseudo : bool
        Then also those of pseudo-anomalies.

    Raises
    ------
    AsdbenchError
        What the model raises; FitError for components that are none. A plug-in may raise anything.
    """
    answer = Answer()
    started = time.perf_counter()
    train, test = (rows.batch(source, task.n_sections) for rows in (task.train, task.test))

    def apply(fitted: Fitted) -> tuple[Values, Values]:
        return components_of(system, fitted, train), components_of(system, fitted, test)

    def keep(epoch: int, fitted: Fitted) -> None:
        answer.epochs[epoch] = apply(fitted)
        if mixed is not None:
            answer.pseudo[epoch] = components_of(system, fitted, mixed)

    loaded = time.perf_counter()
    own_seed = derive_seed(seed, task.label, system.model)
    mixed = None
    if pseudo:
        mixed, answer.pseudo_rows = pseudo_anomalies(train, own_seed)
    context = FitContext(own_seed, device, threads, keep if every_epoch else None)
    fitted = system.model.fit(train, context)
    trained = time.perf_counter()
    answer.values = apply(fitted)
    answer.history, answer.steps = context.history, int(context.steps)
    answer.seconds = {
        "load": round(loaded - started, 3),
        "fit": round(trained - loaded, 3),
        "score": round(time.perf_counter() - trained, 3),
    }
    answer.parameters = _parameters(fitted)
    scored = time.perf_counter()
    answer.latent = picture(fitted, train, test)
    if answer.latent is not None:
        answer.seconds["latent"] = round(time.perf_counter() - scored, 3)
    return answer


def _parameters(fitted: Fitted) -> int | None:
    stated = getattr(fitted, "parameters", None)
    return int(stated) if isinstance(stated, int | np.integer) and not isinstance(stated, bool) else None


def components_of(system: System[Any], fitted: Fitted, batch: Batch) -> Values:
    """What a model gives, held to what the formula needs; FitError where it is not that."""
    values = fitted.components(batch)
    lacking = [name for name in system.formula if name not in values]
    if lacking:
        raise FitError(
            f"the model gives no component {', '.join(lacking)}",
            looked=f"{system.name} scores {', '.join(system.formula)}; the model gives {', '.join(values) or 'none'}",
        )
    return {name: column(name, found, len(batch)) for name, found in values.items()}
