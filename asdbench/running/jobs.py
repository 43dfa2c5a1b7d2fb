"""What workers do: embed a chunk of clips, train and apply one job's fits.

Everything here is a function of picklable values, so any ``concurrent.futures.Executor`` will do. A job names no clip:
it carries where features are and codes (see :mod:`asdbench.running.blinding`). Embedding always uses one thread a
worker, so that cached features do not depend on who computed them.
"""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Batch, Clip, FitContext, Fitted, Floats, Kind, System, Waveform
from asdbench.errors import AsdbenchError, ClipError, FitError
from asdbench.plugins.registry import create
from asdbench.results.latent import Picture, picture
from asdbench.running.execution import threads_set
from asdbench.running.planning import derive_seed
from asdbench.version import __version__

EMBEDDING_THREADS = 1

FeatureKey: TypeAlias = str | int
"""Where a clip's features are: the digest of its content, or a row of somebody's file."""
Values: TypeAlias = Mapping[str, Floats]
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
class Job:
    """One model's fits for one seed; ``every_epoch``: components are wanted after each epoch, too.

    ``asdbench`` is the version that made it: a worker of another one refuses.
    """

    spec: str
    seed: int
    threads: int
    device: str
    source: FeatureSource
    tasks: Sequence[Task]
    every_epoch: bool = False
    asdbench: str = __version__


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
    history: list[dict[str, float]] = field(default_factory=list)
    steps: int = 0
    parameters: int | None = None
    latent: Picture | str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    failed: str = ""
    trace: str = ""


def embed_chunk(
    spec: str,
    clips: Sequence[Clip],
    digests: Sequence[str],
    reader: Callable[[Clip], Waveform],
    root: Path,
    device: str,
) -> dict[int, Unusable]:
    """Embed clips and put them into the cache; position -> reason for those that cannot be used."""
    from asdbench.embeddings import embed_clips
    from asdbench.embeddings.cache import FeatureCache, recipe_on

    embedding = create("embeddings", spec)
    cache = FeatureCache(root, recipe_on(embedding.recipe, device))
    unusable: dict[int, Unusable] = {}
    sounds: dict[int, Waveform] = {}
    for position, clip in enumerate(clips):
        try:
            sounds[position] = reader(clip)
        except ClipError as error:
            there = clip.path is None or os.access(clip.path, os.R_OK)
            unusable[position] = Unusable(_reason(error), lasting=there)
    with threads_set(EMBEDDING_THREADS):
        try:
            made = dict(zip(sounds, embed_clips(embedding, list(sounds.values()), device), strict=True))
        except ClipError:
            made = {}  # one of them is too short: find out which, one by one
            for position, sound in sounds.items():
                try:
                    made[position] = embed_clips(embedding, [sound], device)[0]
                except ClipError as error:
                    unusable[position] = Unusable(_reason(error, clips[position]), lasting=True)
    for position, features in made.items():
        if np.isfinite(features).all():
            cache.save(digests[position], features)
        else:
            name = clips[position].path or clips[position].name
            unusable[position] = Unusable(f"{name}: its features are not finite", lasting=True)
    return unusable


def _reason(error: AsdbenchError, clip: Clip | None = None) -> str:
    text = f"{error.message} ({error.looked})" if error.looked else error.message
    name = "" if clip is None else str(clip.path or clip.name)
    named = text if name in text else f"{name}: {text}"
    return f"{named}; {error.hint}" if error.hint else named


def run_job(job: Job) -> list[Answer]:
    """Train and apply a job's fits, one answer a task. A fit that fails takes only its own cells with it."""
    if job.asdbench != __version__:
        reason = f"the worker {platform.node()} has asdbench {__version__}, the run {job.asdbench}: install the same"
        return [Answer(failed=reason) for _ in job.tasks]
    system: System[Any] = create("systems", job.spec)
    answers: list[Answer] = []
    with threads_set(job.threads):
        for task in job.tasks:
            try:
                answers.append(_run_task(system, task, job))
            except AsdbenchError as error:
                looked = f" ({error.looked})" if error.looked else ""
                answers.append(Answer(failed=f"{error.message}{looked}"))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a plug-in may raise anything, exit or (Rust) panic: its cells fail
                answers.append(Answer(failed=f"{type(error).__name__}: {error}", trace=traceback.format_exc()))
    return answers


def _run_task(system: System[Any], task: Task, job: Job) -> Answer:
    answer = Answer()
    started = time.perf_counter()
    train, test = (rows.batch(job.source, task.n_sections) for rows in (task.train, task.test))

    def apply(fitted: Fitted) -> tuple[Values, Values]:
        return _components(system, fitted, train), _components(system, fitted, test)

    def keep(epoch: int, fitted: Fitted) -> None:
        answer.epochs[epoch] = apply(fitted)

    loaded = time.perf_counter()
    seed = derive_seed(job.seed, task.label, system.model)
    context = FitContext(seed, job.device, job.threads, keep if job.every_epoch else None)
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


def _components(system: System[Any], fitted: Fitted, batch: Batch) -> Values:
    values = fitted.components(batch)
    lacking = [name for name in system.formula if name not in values]
    if lacking:
        raise FitError(
            f"the model gives no component {', '.join(lacking)}",
            looked=f"{system.name} scores {', '.join(system.formula)}; the model gives {', '.join(values) or 'none'}",
        )
    for name, column in values.items():
        if np.shape(column) != (len(batch),):
            raise FitError(f"component {name!r} has shape {np.shape(column)} for {len(batch)} clips")
        if np.asarray(column).dtype.kind not in "biuf":
            raise FitError(f"component {name!r} is of type {np.asarray(column).dtype}, not real numbers")
    return {name: np.asarray(column, dtype=np.float32) for name, column in values.items()}
