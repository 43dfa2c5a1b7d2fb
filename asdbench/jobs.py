"""What workers do: embed a chunk of clips, train and apply one job's fits.

Everything here is a function of picklable values, so any ``concurrent.futures.Executor`` will do. Embedding always uses
one thread a worker, so that cached features do not depend on who computed them.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from asdbench.api import DOMAINS, Batch, Cell, Clip, FitContext, Fitted, Floats, Kind, System, Waveform
from asdbench.components import Components, join
from asdbench.errors import AsdbenchError, ClipError, FitError
from asdbench.execution import threads_set
from asdbench.planning import Fit, Unit, derive_seed, presentation_order
from asdbench.registry import create

EMBEDDING_THREADS = 1


class FeatureSource(Protocol):
    """Where a job finds the features of its clips."""

    def load(self, clips: Sequence[Clip]) -> Floats | list[Floats]:
        """Features in the order of ``clips``."""


@dataclass(frozen=True)
class CachedFeatures:
    """Features in the cache of one recipe, by the digest of each clip's content."""

    root: Path
    recipe: Mapping[str, Any]
    kind: Kind
    digests: Mapping[tuple[str, str], str]

    def load(self, clips: Sequence[Clip]) -> Floats | list[Floats]:
        """Features in the order of ``clips``: one array for vectors, else one a clip."""
        from asdbench.embeddings.cache import FeatureCache

        cache = FeatureCache(self.root, self.recipe)
        loaded = [cache.load(self.digests[clip.machine, clip.name]) for clip in clips]
        return np.stack(loaded) if self.kind == "vector" and loaded else loaded


@dataclass(frozen=True)
class FeatureFile:
    """Features in somebody's ``features.npy``."""

    path: Path

    def load(self, clips: Sequence[Clip]) -> Floats | list[Floats]:
        """The clips' rows."""
        table = np.load(self.path, mmap_mode="r", allow_pickle=False)
        return np.asarray(table[[clip.row for clip in clips]], dtype=np.float32)


@dataclass(frozen=True)
class Job:
    """One model trained for one seed and one unit; ``every_epoch``: components are wanted after each epoch, too."""

    spec: str
    unit: Unit
    seed: int
    threads: int
    device: str
    source: FeatureSource
    unusable: Mapping[tuple[str, str], str]
    every_epoch: bool = False


@dataclass
class Outcome:
    """What a job gives back.

    Parameters
    ----------
    components : Components
        Of training and test clips.
    failed : mapping of Cell to str
        Cells without components, with the reason; the next run tries them again.
    impossible : mapping of Cell to str
        Cells that this data cannot give (no training clips), with the reason; trying again is no use.
    history, fits : list, dict
        Loss terms per epoch; clips, sections and seconds per fit.
    epochs : mapping of epoch to Components
        After each epoch, where the job asks for it.
    trace : str
        Tracebacks of what went wrong in code.
    """

    components: Components
    failed: dict[Cell, str] = field(default_factory=dict)
    impossible: dict[Cell, str] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    fits: dict[str, Any] = field(default_factory=dict)
    epochs: dict[int, Components] = field(default_factory=dict)
    trace: str = ""


def embed_chunk(
    spec: str,
    clips: Sequence[Clip],
    digests: Sequence[str],
    reader: Callable[[Clip], Waveform],
    root: Path,
    device: str,
) -> dict[int, str]:
    """Embed clips and put them into the cache; position -> reason for those that cannot be used."""
    from asdbench.embeddings import embed_clips
    from asdbench.embeddings.cache import FeatureCache, recipe_on

    embedding = create("embeddings", spec)
    cache = FeatureCache(root, recipe_on(embedding.recipe, device))
    unusable: dict[int, str] = {}
    sounds: dict[int, Waveform] = {}
    for position, clip in enumerate(clips):
        try:
            sounds[position] = reader(clip)
        except ClipError as error:
            unusable[position] = _reason(error)
    with threads_set(EMBEDDING_THREADS):
        try:
            made = dict(zip(sounds, embed_clips(embedding, list(sounds.values()), device), strict=True))
        except ClipError:
            made = {}  # one of them is too short: find out which, one by one
            for position, sound in sounds.items():
                try:
                    made[position] = embed_clips(embedding, [sound], device)[0]
                except ClipError as error:
                    unusable[position] = _reason(error, clips[position])
    for position, features in made.items():
        if np.isfinite(features).all():
            cache.save(digests[position], features)
        else:
            unusable[position] = f"{clips[position].path or clips[position].name}: its features are not finite"
    return unusable


def _reason(error: AsdbenchError, clip: Clip | None = None) -> str:
    text = f"{error.message} ({error.looked})" if error.looked else error.message
    name = "" if clip is None else str(clip.path or clip.name)
    named = text if name in text else f"{name}: {text}"
    return f"{named}; {error.hint}" if error.hint else named


def run_job(job: Job) -> Outcome:
    """Train and apply a job's fits. A fit that fails takes only its own cells with it."""
    system: System[Any] = create("systems", job.spec)
    parts: list[Components] = []
    epochs: dict[int, list[Components]] = {}
    outcome = Outcome(Components([], {}))
    with threads_set(job.threads):
        for fit in job.unit.fits:
            try:
                parts += _run_fit(system, fit, job, outcome, epochs)
            except AsdbenchError as error:
                _fail(outcome, fit, f"{error.message}{f' ({error.looked})' if error.looked else ''}")
            except (Exception, SystemExit) as error:  # a plug-in may raise anything: its cells fail, the trace is kept
                outcome.trace += traceback.format_exc()
                _fail(outcome, fit, f"{type(error).__name__}: {error}")
    outcome.components = join(parts)
    outcome.epochs = {epoch: join(some) for epoch, some in epochs.items()}
    return outcome


def _fail(outcome: Outcome, fit: Fit, reason: str) -> None:
    outcome.failed.update({clip.cell: reason for clip in fit.test if clip.cell not in outcome.impossible})
    outcome.fits[fit.label] = {"train_clips": len(fit.train), "failed": reason}


def _run_fit(
    system: System[Any], fit: Fit, job: Job, outcome: Outcome, epochs: dict[int, list[Components]]
) -> list[Components]:
    test = _scorable(fit, job, outcome)
    if not test and all(clip.cell in outcome.impossible for clip in fit.test):
        return []
    classes = sorted({(clip.machine, clip.section) for clip in fit.train if clip.section})
    order = presentation_order(job.seed, fit.label, len(test))
    shown = [test[position] for position in order]
    back = np.argsort(order)
    started = time.perf_counter()
    train_batch = _batch(job.source.load(fit.train), fit.train, classes)
    test_batch = _batch(job.source.load(shown), shown, classes) if test else None

    def apply(fitted: Fitted) -> list[Components]:
        parts = [_components(system, "train", fit.train, fitted.components(train_batch))]
        if test_batch is not None:
            values = {name: np.asarray(column)[back] for name, column in fitted.components(test_batch).items()}
            parts.append(_components(system, "test", test, values))
        return parts

    def keep(epoch: int, fitted: Fitted) -> None:
        epochs.setdefault(epoch, []).extend(apply(fitted))

    loaded = time.perf_counter()
    context = FitContext(
        derive_seed(job.seed, fit.label, system.model), job.device, job.threads, keep if job.every_epoch else None
    )
    fitted = system.model.fit(train_batch, context)
    trained = time.perf_counter()
    parts = apply(fitted)
    outcome.history += [{"fit": fit.label, **terms} for terms in context.history]
    outcome.fits[fit.label] = {
        "train_clips": len(fit.train),
        "steps": int(context.steps),
        "sections": sorted({clip.section for clip in fit.train}),
        "seconds": {
            "load": round(loaded - started, 3),
            "fit": round(trained - loaded, 3),
            "score": round(time.perf_counter() - trained, 3),
        },
    }
    return parts


def _scorable(fit: Fit, job: Job, outcome: Outcome) -> list[Clip]:
    """The test clips that can be scored; what the data cannot give is noted with its reason.

    A clip that cannot be used makes its cell impossible, not failed: the same bytes will not read better next time,
    and other bytes are other data.
    """
    trained = {(clip.machine, clip.section) for clip in fit.train}
    bad = [clip for clip in fit.train if (clip.machine, clip.name) in job.unusable]
    if bad:
        reason = f"{len(bad)} of {len(fit.train)} training clips cannot be used: "
        reason += job.unusable[bad[0].machine, bad[0].name]
        outcome.impossible.update({clip.cell: reason for clip in fit.test})
        outcome.fits[fit.label] = {"train_clips": len(fit.train), "failed": reason}
        return []
    usable = []
    for clip in fit.test:
        # Training clips whose section is not known may be of any section: whether that will do is for the model to say.
        if not {(clip.machine, clip.section), (clip.machine, "")} & trained:
            outcome.impossible[clip.cell] = f"section {clip.section} has no training clips"
        elif (clip.machine, clip.name) in job.unusable:
            outcome.impossible[clip.cell] = job.unusable[clip.machine, clip.name]
        else:
            usable.append(clip)
    return usable


def _batch(features: Floats | list[Floats], clips: Sequence[Clip], classes: Sequence[tuple[str, str]]) -> Batch:
    section = {pair: code for code, pair in enumerate(classes)}
    machine = {name: code for code, name in enumerate(sorted({name for name, _ in classes}))}
    return Batch(
        features,
        np.array([machine.get(clip.machine, -1) for clip in clips], dtype=np.int64),
        np.array([section.get((clip.machine, clip.section), -1) for clip in clips], dtype=np.int64),
        np.array([DOMAINS.index(clip.domain) if clip.domain in DOMAINS else -1 for clip in clips], dtype=np.int64),
        len(classes),
    )


def _components(system: System[Any], split: str, clips: Sequence[Clip], values: Mapping[str, Floats]) -> Components:
    lacking = [name for name in system.formula if name not in values]
    if lacking:
        raise FitError(
            f"the model gives no component {', '.join(lacking)}",
            looked=f"{system.name} scores {', '.join(system.formula)}; the model gives {', '.join(values) or 'none'}",
        )
    for name, column in values.items():
        if np.shape(column) != (len(clips),):
            raise FitError(f"component {name!r} has shape {np.shape(column)} for {len(clips)} clips")
        if np.asarray(column).dtype.kind not in "biuf":
            raise FitError(f"component {name!r} is of type {np.asarray(column).dtype}, not real numbers")
    identity = [(split, clip.machine, clip.section, clip.domain, clip.name) for clip in clips]
    return Components(identity, {name: np.asarray(column, dtype=np.float32) for name, column in values.items()})
