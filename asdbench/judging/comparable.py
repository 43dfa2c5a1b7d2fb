"""What of several systems' results may be compared: the same data, the same settings over the seeds, the same clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.metrics.challenge import Group
from asdbench.results.scoring import evaluate, scored_files
from asdbench.results.seed_folder import SeedFolder
from asdbench.running.planning import differences
from asdbench.words import listed


def check_alike(name: str, manifests: Sequence[Mapping[str, Any]]) -> None:
    """Only trainings that differ by their seed alone are averaged."""
    for machine, entry in manifests[0]["machines"].items():
        for other in manifests[1:]:
            if machine not in other["machines"]:
                continue
            one, two = ({**found["key"], "formula": found["formula"]} for found in (entry, other["machines"][machine]))
            moved = differences({**one, "seed": 0}, {**two, "seed": 0})
            if moved:
                seeds = f"seed {manifests[0]['seed']} (there) and seed {other['seed']} (now), {machine}"
                raise DataError(
                    f"the seeds of {name} were not made alike",
                    looked=f"{seeds}: {'; '.join(moved)}",
                    hint="compare one seed: give the paths of two seed folders",
                )


def check_data(names: Sequence[str], manifests: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """Machines that several systems have must have been scored on the same clips; DataError naming those that were not.

    What counts are the machine's own clips, training and test. That a system was trained on other machines beside them
    is a property of the system.
    """
    years = sorted({one["dataset"].get("year", 2021) for side in manifests for one in side})
    if len(years) > 1:
        raise DataError(
            "these results are of data sets of different years: their metrics are not the same",
            looked=", ".join(map(str, years)),
            hint="run all systems on one data set, then compare",
        )
    first: dict[str, tuple[str, str]] = {}
    other = dict[tuple[str, str, str], None]()
    for name, side in zip(names, manifests, strict=True):
        for one in side:
            for machine, entry in sorted(one["machines"].items()):
                there, clips = first.setdefault(machine, (name, clips_of(entry)))
                if clips != clips_of(entry):
                    other[machine, there, name] = None
    if other:
        (_, one_name, two_name), *_ = other
        machines = ", ".join(dict.fromkeys(machine for machine, *_ in other))
        raise DataError(
            "these results were not made on the same data",
            looked=f"the clips of {machines} have another fingerprint in {one_name} than in {two_name}",
            hint="run all systems on one data set, then compare",
        )


def clips_of(entry: Mapping[str, Any]) -> str:
    """The fingerprint of a machine's clips; results of before it was kept have that of the job's."""
    return str(entry.get("clips", entry["key"]["data"]))


def common_cells(
    folders: Sequence[Sequence[SeedFolder]], names: Sequence[str]
) -> tuple[list[Cell], dict[str, tuple[Cell, ...]]]:
    """The cells with a value in every folder, and the others by reason."""
    reasons: dict[Cell, str] = {}
    seen: dict[Cell, int] = {}
    for name, side in zip(names, folders, strict=True):
        for folder in side:
            for metrics in evaluate(folder):
                seen[metrics.cell] = seen.get(metrics.cell, 0) + 1
                if metrics.auc is None or metrics.pauc is None:
                    where = f"{name}, seed {folder.seed}" if len(side) > 1 else name
                    reasons.setdefault(metrics.cell, f"{where}: {metrics.reason}")
    for cell, count in seen.items():
        if count < sum(map(len, folders)):
            having = [
                name
                for name, side in zip(names, folders, strict=True)
                if all(cell in _asked(folder) for folder in side)
            ]
            alone = f"only {listed(having)} {'has' if len(having) == 1 else 'have'} them"
            reasons.setdefault(cell, alone if having else "some seeds lack them")
    left_out: dict[str, tuple[Cell, ...]] = {}
    for cell, reason in sorted(reasons.items(), key=lambda item: item[0]):
        left_out[reason] = (*left_out.get(reason, ()), cell)
    return sorted(seen.keys() - reasons.keys()), left_out


def _asked(folder: SeedFolder) -> set[Cell]:
    machines = folder.manifest()["machines"].items()
    return {Cell(machine, *name.rsplit("/", 1)) for machine, entry in machines for name in entry["cells"]}


@dataclass(frozen=True, eq=False)
class CommonFile:
    """The clips of one score file that all folders have, sorted by name.

    Parameters
    ----------
    file : Cell
        What the file covers.
    part : {"dev", "eval"}
    cells : tuple of Cell
        Those to compare.
    groups : tuple of list of Group
        Each system's, one a folder: the same clips, labels and domains.
    """

    file: Cell
    part: str
    cells: tuple[Cell, ...]
    groups: tuple[list[Group], ...]


def common_files(folders: Sequence[Sequence[SeedFolder]], cells: Sequence[Cell]) -> list[CommonFile]:
    """The score files of some cells that every folder has a value of.

    Raises
    ------
    DataError
        Where a file's clips or what they are differ between folders.
    """
    wanted = set(cells)
    found: dict[Cell, CommonFile] = {}
    for number, side in enumerate(folders):
        for folder in side:
            for one in scored_files(folder):
                own = tuple(cell.cell for cell in one.cells if cell.cell in wanted)
                if one.group is None or not own:
                    continue
                group = _sorted(one.group)
                there = found.setdefault(group.file, CommonFile(group.file, one.part, own, tuple([] for _ in folders)))
                first = next((group for side in there.groups for group in side), group)
                same = first.clips == group.clips and first.domains == group.domains
                if not same or not np.array_equal(first.labels, group.labels):
                    raise DataError(
                        f"the test clips of {group.file} or their labels are not the same in all folders",
                        looked=f"{folders[0][0].path} and {folder.path}",
                        hint="run both again with --replace",
                    )
                there.groups[number].append(group)
    return [found[file] for file in sorted(found)]


def _sorted(group: Group) -> Group:
    order = sorted(range(len(group.clips)), key=group.clips.__getitem__)
    return Group(
        group.file,
        group.labels[order],
        group.scores[order],
        domains=[group.domains[row] for row in order],
        clips=[group.clips[row] for row in order],
    )
