"""What workers do: embed a chunk of clips, train and apply one job's fits.

Everything here is a function of picklable values, so any ``concurrent.futures.Executor`` will do. A job names no clip:
it carries where features are and codes (see :mod:`asdbench.running.blinding`). Embedding always uses one thread a
worker, so that cached features do not depend on who computed them.
"""

from __future__ import annotations

import os
import platform
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.api import Clip, System, Waveform
from asdbench.errors import AsdbenchError, ClipError
from asdbench.plugins.registry import create
from asdbench.running.execution import threads_set
from asdbench.running.fitting import Answer, FeatureSource, Task, Unusable, run_task
from asdbench.running.identity import code_of_system, recipe_of
from asdbench.running.planning import differences
from asdbench.version import __version__

EMBEDDING_THREADS = 1


@dataclass(frozen=True)
class Job:
    """One model's fits for one seed; ``every_epoch``: components are wanted after each epoch, too; ``pseudo``: then
    also of pseudo-anomalies.

    ``asdbench`` is the version that made it, and ``code`` has the digests of what the system runs: a worker with
    another version or other code refuses.
    """

    spec: str
    seed: int
    threads: int
    device: str
    source: FeatureSource
    tasks: Sequence[Task]
    every_epoch: bool = False
    pseudo: bool = False
    code: Mapping[str, str] = field(default_factory=dict)
    asdbench: str = __version__


def embed_chunk(
    spec: str,
    recipe: Mapping[str, Any],
    clips: Sequence[Clip],
    digests: Sequence[str],
    reader: Callable[[Clip], Waveform],
    root: Path,
    device: str,
) -> dict[int, Unusable]:
    """Embed clips and put them into the cache of a recipe; position -> reason for those that cannot be used."""
    from asdbench.audio import check_loudness
    from asdbench.embeddings import embed_clips
    from asdbench.embeddings.cache import FeatureCache, recipe_on

    embedding = create("embeddings", spec)
    other = differences(recipe, recipe_of(spec, embedding))
    if other:
        return dict.fromkeys(range(len(clips)), Unusable(_other_code(spec, other), lasting=False))
    cache = FeatureCache(root, recipe_on(recipe, device))
    unusable: dict[int, Unusable] = {}
    sounds: dict[int, Waveform] = {}
    for position, clip in enumerate(clips):
        try:
            sounds[position] = reader(clip)  # of anybody's data set
            peak = float(np.abs(sounds[position].samples).max(initial=0.0))
            check_loudness(peak, f"{clip.path or clip.name}:")
        except ClipError as error:
            sounds.pop(position, None)
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


def _other_code(spec: str, other: Sequence[str]) -> str:
    return f"the worker {platform.node()} has other code of {spec} than the run: {other[0]}; give both the same"


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
    other = differences(job.code, code_of_system(job.spec, system).modules)
    if other:
        return [Answer(failed=_other_code(job.spec, other)) for _ in job.tasks]
    answers: list[Answer] = []
    with threads_set(job.threads):
        for task in job.tasks:
            try:
                answer = run_task(
                    system,
                    task,
                    job.source,
                    seed=job.seed,
                    device=job.device,
                    threads=job.threads,
                    every_epoch=job.every_epoch,
                    pseudo=job.pseudo,
                )
                answers.append(answer)
            except AsdbenchError as error:
                looked = f" ({error.looked})" if error.looked else ""
                answers.append(Answer(failed=f"{error.message}{looked}"))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a plug-in may raise anything, exit or (Rust) panic: its cells fail
                answers.append(Answer(failed=f"{type(error).__name__}: {error}", trace=traceback.format_exc()))
    return answers
