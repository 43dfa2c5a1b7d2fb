"""What of two systems' results may be set beside one another: same data, same settings over the seeds, same clips."""

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


def check_data(names: tuple[str, str], manifests: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """Machines that both have must have been scored on the same clips; DataError naming those that were not.

    What counts are the machine's own clips, training and test. That a system was trained on other machines beside them
    is a property of the system.
    """
    years = sorted({one["dataset"].get("year", 2021) for side in manifests for one in side})
    if len(years) > 1:
        raise DataError(
            "these results are of data sets of different years: their metrics are not the same",
            looked=", ".join(map(str, years)),
            hint="run both systems on one data set, then compare",
        )
    other = dict[str, None]()
    for one, two in zip(*manifests, strict=True):
        for machine in sorted(one["machines"].keys() & two["machines"].keys()):
            if clips_of(one["machines"][machine]) != clips_of(two["machines"][machine]):
                other[machine] = None
    if other:
        raise DataError(
            "these results were not made on the same data",
            looked=f"the clips of {', '.join(other)} have another fingerprint in {names[0]} than in {names[1]}",
            hint="run both systems on one data set, then compare",
        )


def clips_of(entry: Mapping[str, Any]) -> str:
    """The fingerprint of a machine's clips; results of before it was kept have that of the job's."""
    return str(entry.get("clips", entry["key"]["data"]))


def common_cells(
    folders: Sequence[Sequence[SeedFolder]], names: tuple[str, str]
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
            reasons.setdefault(cell, f"only {having[0]} has them" if having else "some seeds lack them")
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
    groups : (list of Group, list of Group)
        Each system's, one a folder: the same clips, labels and domains.
    """

    file: Cell
    part: str
    cells: tuple[Cell, ...]
    groups: tuple[list[Group], list[Group]]


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
                there = found.setdefault(group.file, CommonFile(group.file, one.part, own, ([], [])))
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
