"""Features and jobs of a run: what its jobs need is embedded, then each job is handed to a worker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from asdbench.api import Dataset
from asdbench.progress import Progress
from asdbench.running.blinding import Blinded, Outcome
from asdbench.running.execution import Lost, each
from asdbench.running.extraction import CHUNK, Bad, Request, extract, source
from asdbench.running.fitting import Answer
from asdbench.running.jobs import Job, run_job
from asdbench.running.resuming import Wanted

Jobs = Mapping[str, Sequence[Wanted]]
"""By key hash, who wants what the job gives (:class:`asdbench.running.resuming.Work`)."""


@dataclass(frozen=True)
class Settings:
    """How all jobs of a run are computed.

    Parameters
    ----------
    features : Path
        Where features are kept.
    threads : int
        Of a job.
    device : str
    """

    features: Path
    threads: int
    device: str


def calls(jobs: Jobs) -> int:
    """How many calls there are to spread over workers, about."""
    clips = {(clip.machine, clip.name) for one, *_ in jobs.values() for clip in one.unit.clips}
    return max(len(jobs), len(clips) // CHUNK)


def embed(data: Dataset, jobs: Jobs, settings: Settings, pool: Executor, progress: Progress) -> tuple[Bad, float]:
    """Put the features that the jobs need into their folder.

    Returns
    -------
    unusable : Bad
        Clips without features, and why.
    seconds : float
    """
    started = time.perf_counter()
    # Seeds and models of the same machines have the same clips, which are looked for once.
    wanted = {(one.asked.embedding, one.unit.machines): one for one, *_ in jobs.values()}
    requests = (Request(embedding, one.asked.recipe, one.unit.clips) for (embedding, _), one in wanted.items())
    unusable = extract(data, requests, settings.features, pool, progress, settings.device)
    return unusable, round(time.perf_counter() - started, 3)


def train(
    data: Dataset, jobs: Jobs, unusable: Bad, settings: Settings, pool: Executor, progress: Progress
) -> Iterator[tuple[Sequence[Wanted], Outcome]]:
    """Run the jobs; yields each as it ends: who wanted it, and what came of it."""

    def watch(running: Sequence[tuple[Sequence[Wanted], Blinded]]) -> None:
        progress.running([title(wanted) for wanted, _ in running])

    orders = (
        ((wanted, blinded), run_job, (job,))
        for wanted in jobs.values()
        for blinded, job in [_job(data, wanted, unusable, settings)]
    )
    for (wanted, blinded), answers in each(pool, orders, watch):
        if isinstance(answers, Lost):
            answers = [Answer(failed=answers.reason) for _ in blinded.tasks]
        yield wanted, blinded.opened(answers)


def title(wanted: Sequence[Wanted]) -> str:
    """A job in words, for progress."""
    names = ", ".join(dict.fromkeys(one.folder.system for one in wanted))
    return f"{names} · {wanted[0].unit.label} · seed {wanted[0].folder.seed}"


def _job(data: Dataset, wanted: Sequence[Wanted], unusable: Bad, settings: Settings) -> tuple[Blinded, Job]:
    """What a worker is told of the job that some want."""
    one = wanted[0]
    asked, seed = one.asked, one.folder.seed
    where, keys = source(data, one.unit.clips, asked.recipe, asked.features.kind, settings.features, settings.device)
    blinded = Blinded(one.unit, seed, keys, unusable.get(asked.embedding, {}))
    by = {other.choice.measure for other in wanted} - {None}
    return blinded, Job(
        str(asked.spec),
        seed,
        settings.threads,
        settings.device,
        where,
        blinded.tasks,
        every_epoch=bool(by),
        pseudo="pseudo" in by,
        code=dict(asked.code.modules),
    )
