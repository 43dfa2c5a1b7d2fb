"""Expected scores: the file that a run is held to (:mod:`asdbench.judging.checking`), and the same of a run itself.

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
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.files import write_text
from asdbench.results.manifest import unit_of
from asdbench.results.seed_folder import SeedFolder, Truth
from asdbench.running.planning import differences
from asdbench.words import counted

FORMAT = 1
HEAD = ("system", "seed", "machine", "section", "domain", "clip", "score")
SAME = ("asdbench", "torch", "numpy", "scipy", "cpu", "cpu_features")
"""What must be equal for a training to repeat."""

TINY = 1e-12
"""What a score is held to be at least when a move is put in relation to it."""

Scores = Mapping[tuple[str, int], Mapping[Cell, Mapping[str, float]]]
"""(system, seed) -> cell -> clip -> score."""


@dataclass(frozen=True)
class Expected:
    """The head of an expected file and the scores of each system and seed."""

    head: Mapping[str, Any]
    scores: Scores = field(hash=False)

    def of(self, system: str, seed: int) -> Mapping[Cell, Mapping[str, float]]:
        """The scores of one system and seed, by cell and clip."""
        return self.scores.get((system, seed), {})

    def renamed(self, names: Mapping[str, str]) -> Expected:
        """The same with systems called otherwise: files of before have a system's spec instead of its folder's name."""
        about = {_key(names, *name.rpartition("/seed-")): value for name, value in self.head["systems"].items()}
        scores = {(names.get(system, system), seed): cells for (system, seed), cells in self.scores.items()}
        return Expected({**self.head, "systems": about}, scores)

    @property
    def count(self) -> int:
        """How many scores there are."""
        return sum(len(clips) for cells in self.scores.values() for clips in cells.values())


@dataclass(frozen=True)
class Found(Expected):
    """The same of result folders, with what is needed to measure.

    ``truth``: (machine, clip) -> what it is. ``units``: (system, file) -> the fit it comes from. ``deterministic``:
    systems of which another seed gives the same scores.
    """

    truth: Mapping[tuple[str, str], Truth] = field(default_factory=dict, hash=False)
    year: int = 2021
    units: Mapping[tuple[str, Cell], str] = field(default_factory=dict, hash=False)
    deterministic: frozenset[str] = frozenset()


def _key(names: Mapping[str, str], system: str, mark: str, seed: str) -> str:
    return f"{names.get(system, system)}{mark}{seed}"


def collect(folders: Sequence[SeedFolder]) -> Found:
    """The scores of the result folders of a data set, with labels. A score file is named by the cell that it covers."""
    scores: dict[tuple[str, int], dict[Cell, dict[str, float]]] = {}
    systems: dict[str, Any] = {}
    truth: dict[tuple[str, str], Truth] = {}
    units: dict[tuple[str, Cell], str] = {}
    same = set()
    for folder in folders:
        manifest = folder.manifest()
        machines = manifest["machines"]
        same |= {folder.system} if manifest["system"].get("deterministic", False) else set()
        system, seed, files = folder.system, folder.seed, folder.files
        systems[f"{system}/seed-{seed}"] = _about(machines)
        truth |= folder.truth()
        own = scores[system, seed] = {}
        for cell in files.cells():
            clips, values = files.scores(cell)
            own[cell] = dict(zip(clips, values.tolist(), strict=True))
            entry = machines.get(cell.machine)  # a folder may hold files of a machine that its manifest does not name
            units[system, cell] = unit_of(entry, cell.section) if entry else cell.machine
    year = folders[0].year if folders else 2021
    return Found({"format": FORMAT, "systems": systems}, scores, truth, year, units, frozenset(same))


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
    for (system, seed), cells in sorted(expected.scores.items()):
        for cell, clips in sorted(cells.items()):
            for clip, score in sorted(clips.items()):
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
        scores: dict[tuple[str, int], dict[Cell, dict[str, float]]] = {}
        for (system, seed, *place), rows in groupby(csv.reader(lines[2:]), key=itemgetter(0, 1, 2, 3, 4)):
            own = scores.setdefault((system, int(seed)), {}).setdefault(Cell(*place), {})
            own.update({row[5]: float(row[6]) for row in rows})
    except (ValueError, LookupError, TypeError, StopIteration) as error:
        cut = isinstance(error, (IndexError, StopIteration))  # their own words are of lists
        what = "it is empty" if not lines else "a line is cut short" if cut else error
        raise DataError(
            "not a file of expected scores",
            looked=f"{path.absolute()}: {what}",
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
