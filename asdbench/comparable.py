"""What of two systems' results may be set beside one another: same data, same settings over the seeds, same clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.metrics.aggregate import label_codes
from asdbench.planning import differences
from asdbench.scoring import evaluate
from asdbench.store import SeedFolder


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
    other = dict[str, None]()
    for one, two in zip(*manifests, strict=True):
        for machine in sorted(one["machines"].keys() & two["machines"].keys()):
            if _clips(one["machines"][machine]) != _clips(two["machines"][machine]):
                other[machine] = None
    if other:
        raise DataError(
            "these results were not made on the same data",
            looked=f"the clips of {', '.join(other)} have another fingerprint in {names[0]} than in {names[1]}",
            hint="run both systems on one data set, then compare",
        )


def _clips(entry: Mapping[str, Any]) -> str:
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


def common_scores(
    cell: Cell, folders: Sequence[Sequence[SeedFolder]], labels: Sequence[Sequence[Mapping[tuple[str, str], Any]]]
) -> tuple[list[str], NDArray[np.int64], list[list[NDArray[np.float64]]]]:
    """Clips sorted by name, their labels, and the scores of each folder in that order."""
    names: list[str] = []
    codes: NDArray[np.int64] | None = None
    scores: list[list[NDArray[np.float64]]] = [[], []]
    for number, side in enumerate(folders):
        for folder, known in zip(side, labels[number], strict=True):
            clips, values = folder.scores(cell)
            order = sorted(range(len(clips)), key=clips.__getitem__)
            own, truth = [clips[n] for n in order], label_codes(known.get((cell.machine, clips[n])) for n in order)
            if codes is None:
                names, codes = own, truth
            if own != names or not np.array_equal(codes, truth):
                raise DataError(
                    f"the test clips of {cell} or their labels are not the same in all folders",
                    looked=f"{folders[0][0].path} and {folder.path}",
                    hint="run both again with --replace",
                )
            scores[number].append(values[order])
    assert codes is not None  # there are folders
    return names, codes, scores
