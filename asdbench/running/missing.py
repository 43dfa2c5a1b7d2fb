"""``asdbench run --fetch``: what a run needs and does not find."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from asdbench.datasets import CONFIGURATION, VARIABLE, configured
from asdbench.embeddings import panns, resnet38
from asdbench.errors import UsageError
from asdbench.fetching import MIRROR
from asdbench.fetching.catalogue import checkpoint, names
from asdbench.fetching.checkpoints import fetch_checkpoint
from asdbench.fetching.dataset import fetch_dataset
from asdbench.fetching.download import Wishes
from asdbench.plugins import registry
from asdbench.plugins.spec import parse, split
from asdbench.progress import Transfers
from asdbench.running.request import resolve


def fetch_missing(
    dataset: str | None, systems: str | None, machines: Sequence[str], weights: str | None, watcher: Transfers
) -> str | None:
    """Fetch the parts of a data set that are not there, and the checkpoint, where one is needed and none configured.

    Parameters
    ----------
    dataset, systems, weights : str or None
        As the command line of ``asdbench run`` has them.
    machines : sequence of str
        None named: all.
    watcher : Transfers

    Returns
    -------
    str or None
        The weights to run with: those given, or the fetched checkpoint's path.

    Raises
    ------
    UsageError
        Where the data set is none that can be fetched, a system is unknown, or systems need different checkpoints.
    WeightsError
        Where the weights that are given are not there.
    DataError
        As :func:`~asdbench.fetching.dataset.fetch_dataset` does.
    """
    text = dataset or os.environ.get(VARIABLE) or configured("data") or ""
    spec = parse(text) if ":" in text else None
    fetchable = [name for name in names() if checkpoint(name) is None]
    if spec is None or spec.name not in fetchable or not spec.argument:
        raise UsageError(
            "--fetch needs to know which data set belongs where",
            looked=f"--dataset {text or 'is not given'}",
            hint=f"--dataset NAME:ROOT with one of {', '.join(fetchable)}",
        )
    if not dataset:
        origin = VARIABLE if os.environ.get(VARIABLE) else CONFIGURATION
        watcher.say(f"data: {text} (no --dataset; set in {origin})")
    wishes = Wishes(os.environ.get(MIRROR) or None)
    # Names and files that are not there are mistakes to be told before hours of downloading.
    wanted, given = _checkpoints(systems), weights or configured("weights")
    if given and wanted:
        panns.find(given, resnet38.PUBLISHED)
    needed = None if given else _only(wanted)
    fetch_dataset(
        spec.name, Path(spec.argument).expanduser(), machines=machines, wishes=wishes, adopt=True, watcher=watcher
    )
    return str(fetch_checkpoint(needed, wishes=wishes, watcher=watcher)) if needed else weights


def _checkpoints(systems: str | None) -> set[str]:
    """The checkpoints that some systems need and do not name."""
    wanted = set()
    for name in registry.entries("systems") if systems is None else split(systems):
        embedding = parse(resolve(name, "full", None)[1].model.embedding)
        if embedding.name in names() and "weights" not in dict(embedding.parameters):
            wanted.add(embedding.name)
    return wanted


def _only(wanted: set[str]) -> str | None:
    if len(wanted) > 1:
        raise UsageError(
            "--fetch can give a run one checkpoint",
            looked=f"the systems need {', '.join(sorted(wanted))}",
            hint="run them one after the other, or fetch both and name the weights in the systems' specs",
        )
    return next(iter(wanted), None)
