"""Expected scores: what CI holds a run to, clip by clip.

An expected file is CSV with columns ``system,seed,machine,section,domain,clip,score`` below one head line,
``# {json}``: format, data fingerprint per machine, and the environment each system's scores were made in.

Rule: a score may move by 1e-4 of its size. That holds everywhere for what is computed without training (``mvg``, given
weights). Training amplifies rounding, so trained systems are held to it only where package versions, threads and
processor equal those of the file; elsewhere they are named as not compared, and never counted as passed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.files import write_text
from asdbench.store import SeedFolder

FORMAT = 1
TOLERANCE = 1e-4
HEAD = ("system", "seed", "machine", "section", "domain", "clip", "score")
SAME = ("asdbench", "torch", "numpy", "scipy", "cpu", "cpu_features")
"""What must be equal for a training to repeat."""

Key = tuple[str, int, Cell, str]


@dataclass(frozen=True)
class Expected:
    """The head of an expected file and the score of each (system, seed, cell, clip)."""

    head: Mapping[str, Any]
    scores: Mapping[Key, float] = field(hash=False)


@dataclass
class Verdict:
    """What a check found.

    Parameters
    ----------
    compared : int
        Clips compared.
    regressions, missing, not_compared : list of str
        Scores that moved; what is expected but not there, or made from other data; systems that were trained in another
        environment.
    """

    compared: int = 0
    regressions: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 fine, 3 regression, 4 something missing or nothing compared."""
        if self.regressions:
            return 3
        return 4 if self.missing or not self.compared else 0


def collect(folders: Sequence[SeedFolder]) -> Expected:
    """The scores of result folders, in the form of an expected file."""
    scores: dict[Key, float] = {}
    systems: dict[str, Any] = {}
    for folder in folders:
        machines = folder.manifest()["machines"]
        systems[f"{folder.system}/seed-{folder.seed}"] = _about(machines)
        files = folder.files
        for cell in files.cells():
            for clip, score in zip(*files.scores(cell), strict=True):
                scores[folder.system, folder.seed, cell, clip] = float(score)
    return Expected({"format": FORMAT, "systems": systems}, scores)


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


def compare(found: Expected, expected: Expected) -> Verdict:
    """Hold found scores against expected ones. Systems that are not expected are passed over."""
    verdict = Verdict()
    moved: dict[tuple[str, int, Cell], tuple[int, float, str]] = {}
    skip = set()
    for name, about in expected.head["systems"].items():
        system, _, seed = name.rpartition("/seed-")
        there = found.head["systems"].get(name)
        if there is None:
            verdict.missing.append(f"{system}, seed {seed}: not run")
            skip.add((system, int(seed)))
        elif changed := [m for m, data in about["data"].items() if there["data"].get(m, data) != data]:
            verdict.missing.append(f"{system}, seed {seed}: other data for {', '.join(changed)}")
            skip.add((system, int(seed)))
        elif about["trained"] and there["environment"] != about["environment"]:
            other = [key for key, value in about["environment"].items() if there["environment"].get(key) != value]
            verdict.not_compared.append(f"{system}, seed {seed}: trained in another environment ({', '.join(other)})")
            skip.add((system, int(seed)))
    gone: dict[tuple[str, int, Cell], int] = {}
    for key, score in expected.scores.items():
        system, number, cell, clip = key
        if (system, number) in skip:
            continue
        if key not in found.scores:
            gone[system, number, cell] = gone.get((system, number, cell), 0) + 1
            continue
        verdict.compared += 1
        distance = abs(found.scores[key] - score) / max(abs(score), 1e-12)
        if not distance <= TOLERANCE:  # NaN too
            count, worst, _ = moved.get((system, number, cell), (0, 0.0, ""))
            moved[system, number, cell] = (count + 1, max(worst, distance), clip)
    for (system, number, cell), count in gone.items():
        verdict.missing.append(f"{system}, seed {number}, {cell}: {count} clips have no score")
    for (system, number, cell), (count, worst, clip) in moved.items():
        verdict.regressions.append(
            f"{system}, seed {number}, {cell}: {count} scores moved by up to {worst:.2g} of their size"
            f" (allowed {TOLERANCE:g}), such as {clip}"
        )
    return verdict
