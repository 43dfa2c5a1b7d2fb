"""Runs as tests have them: on a folder of given features, with the cache beside the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asdbench.running.run import run
from asdbench.running.summary import RunSummary

PLUGIN = """
from dataclasses import dataclass
import numpy as np
from asdbench.api import System

@dataclass(frozen=True)
class Fitted:
    centre: object
    def components(self, batch):
        {spy}
        return {{"distance": np.abs(np.asarray(batch.features) - self.centre).sum(axis=1).astype(np.float32)}}

@dataclass(frozen=True)
class Model:
    power: int = 1
    embedding: str = "resnet38"
    scope: str = "{scope}"
    def fit(self, train, ctx):
        {body}
        return Fitted(np.asarray(train.features).mean(axis=0))

def make(*, power: int = 1):
    return System("mine", "Distance to the mean", Model(power), {{"distance": 1.0}})
"""


def plugin(folder: Path, body: str = "pass", spy: str = "pass", scope: str = "machine") -> str:
    """Write a system as a plug-in file and give its address; ``body`` runs as it is fitted, ``spy`` as it scores."""
    path = folder / "mine.py"
    path.write_text(PLUGIN.format(body=body, spy=spy, scope=scope))
    return f"{path}:make"


def go(features: Path, results: Path, systems: str = "mvg", **more: Any) -> RunSummary:
    """Run systems on a ``features:`` folder; ``more`` is as of :func:`asdbench.running.run.run`."""
    return run(f"features:{features}", systems, results=results, **{"cache": results.parent / "cache", **more})


def files(folder: Path) -> dict[str, bytes]:
    """What all tables below a folder hold."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.csv"))}
