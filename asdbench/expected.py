"""Expected scores: the file that a run is held to (:mod:`asdbench.checking` says how), and the same of a run itself.

An expected file is CSV with columns ``system,seed,machine,section,domain,clip,score`` below one head line,
``# {json}``: format, and for each system and seed whether it is trained, the environment its scores were made in and
the data fingerprint per machine.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.files import write_text
from asdbench.planning import differences
from asdbench.store import SeedFolder, Truth
from asdbench.words import counted

FORMAT = 1
HEAD = ("system", "seed", "machine", "section", "domain", "clip", "score")
SAME = ("asdbench", "torch", "numpy", "scipy", "cpu", "cpu_features")
"""What must be equal for a training to repeat."""

TINY = 1e-12
"""What a score is held to be at least when a move is put in relation to it."""

Key = tuple[str, int, Cell, str]


@dataclass(frozen=True)
class Expected:
    """The head of an expected file and the score of each (system, seed, cell, clip)."""

    head: Mapping[str, Any]
    scores: Mapping[Key, float] = field(hash=False)

    def of(self, system: str, seed: int) -> Mapping[Cell, Mapping[str, float]]:
        """The scores of one system and seed, by cell and clip."""
        return self._by_seed.get((system, seed), {})

    @cached_property
    def _by_seed(self) -> dict[tuple[str, int], dict[Cell, dict[str, float]]]:
        found: dict[tuple[str, int], dict[Cell, dict[str, float]]] = {}
        for (system, seed, cell, clip), score in self.scores.items():
            found.setdefault((system, seed), {}).setdefault(cell, {})[clip] = score
        return found


@dataclass(frozen=True)
class Found(Expected):
    """The same of result folders, with what is needed to measure: (machine, clip) -> what it is; the data's year."""

    truth: Mapping[tuple[str, str], Truth] = field(default_factory=dict, hash=False)
    year: int = 2021


def collect(folders: Sequence[SeedFolder]) -> Found:
    """The scores of the result folders of a data set, with labels. A score file is named by the cell that it covers."""
    scores: dict[Key, float] = {}
    systems: dict[str, Any] = {}
    truth: dict[tuple[str, str], Truth] = {}
    for folder in folders:
        machines = folder.manifest()["machines"]
        systems[f"{folder.system}/seed-{folder.seed}"] = _about(machines)
        truth |= folder.truth()
        files = folder.files
        for cell in files.cells():
            for clip, score in zip(*files.scores(cell), strict=True):
                scores[folder.system, folder.seed, cell, clip] = float(score)
    return Found({"format": FORMAT, "systems": systems}, scores, truth, folders[0].year if folders else 2021)


def _about(machines: Mapping[str, Any]) -> dict[str, Any]:
    entries = list(machines.values())
    steps = sum(fit.get("steps", 0) for entry in entries for fit in entry["fits"].values())
    environment = entries[0]["environment"]
    return {
        "trained": steps > 0,
        "environment": {**{name: environment.get(name) for name in SAME}, "threads": entries[0]["key"]["threads"]},
        "data": {machine: entry["key"]["data"] for machine, entry in machines.items()},
    }


def write_expected(path: Path, expected: Expected) -> None:
    """Write an expected file, rows in a fixed order."""
    text = io.StringIO()
    text.write(f"# {json.dumps(expected.head, sort_keys=True)}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    for (system, seed, cell, clip), score in sorted(expected.scores.items()):
        writer.writerow([system, seed, cell.machine, cell.section, cell.domain, clip, repr(score)])
    write_text(path, text.getvalue())


def read_expected(path: Path) -> Expected:
    """Read an expected file.

    Raises
    ------
    DataError
        Where it is missing or is not one.
    """
    try:
        lines = path.read_bytes().decode("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(
            "there are no expected scores to compare with",
            looked=f"{path.absolute()}: {error.strerror}",
            hint="name a file with --against, or make one with --update",
        ) from error
    try:
        head = json.loads(lines[0].removeprefix("# "))
        if (
            head["format"] != FORMAT
            or not isinstance(head["systems"], dict)
            or tuple(next(csv.reader(lines[1:2]))) != HEAD
        ):
            raise ValueError("another format")
        scores = {
            (row[0], int(row[1]), Cell(row[2], row[3], row[4]), row[5]): float(row[6]) for row in csv.reader(lines[2:])
        }
    except (ValueError, LookupError, TypeError, StopIteration) as error:
        raise DataError(
            "not a file of expected scores",
            looked=f"{path.absolute()}: {error}",
            hint="make one with `asdbench check --update`",
        ) from error
    return Expected(head, scores)


def changes(old: Expected, new: Expected) -> list[str]:
    """What another expected file says otherwise, in words; empty where both are the same."""
    lines: list[str] = []
    before, after = old.head["systems"], new.head["systems"]
    for name in sorted({*before, *after}):
        called = name.replace("/seed-", ", seed ")
        if name not in before or name not in after:
            lines.append(f"{called}: {'new' if name in after else 'gone'}")
            continue
        lines += [f"{called}: {line}" for line in differences(before[name], after[name])]
        system, _, seed = name.rpartition("/seed-")
        one, two = (
            {(cell, clip): score for cell, clips in side.of(system, int(seed)).items() for clip, score in clips.items()}
            for side in (old, new)
        )
        counts = {"gone": len(one.keys() - two.keys()), "new": len(two.keys() - one.keys())}
        moved = [abs(two[key] - one[key]) / max(abs(one[key]), TINY) for key in one.keys() & two.keys()]
        moved = [far for far in moved if far > 0]
        words = [f"{counted(count, 'score')} {what}" for what, count in counts.items() if count]
        if moved:
            words.append(f"{len(moved)} of {len(two)} scores moved, by up to {max(moved):.2g} of their size")
        lines += [f"{called}: {'; '.join(words)}"] if words else []
    return lines
