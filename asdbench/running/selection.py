"""Which epoch counts: the last one, or the best on the labelled test clips.

The last epoch of a fixed budget is what an honest run reports. The report author's public development code kept, per
machine, the epoch with the best AUC on the labelled *test* clips; ``--selection oracle`` does the same, in a folder
``<system>@oracle`` of its own that is stamped wherever it is shown. The difference is the optimism of that choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from asdbench.api import Cell, Clip, System
from asdbench.metrics.aggregate import harmonic_mean, label_codes
from asdbench.metrics.challenge import Definition, Group, score_group
from asdbench.results.components import Components, join
from asdbench.running.blinding import Outcome

Selection: TypeAlias = Literal["last", "oracle", "both"]
ORACLE = "@oracle"
STAMP = "epoch chosen on the test labels"


Areas: TypeAlias = Mapping[str, Mapping[int, float]]
"""Machine -> epoch -> harmonic mean of its cells' test AUC."""


def epoch_areas(
    outcome: Outcome, system: System[Any], machines: Sequence[str], clips: Sequence[Clip], definition: Definition
) -> Areas:
    """What each epoch's model gives on the labelled test clips; a machine without epochs or labelled cells is absent.

    Parameters
    ----------
    outcome : Outcome
        With the components of every epoch.
    clips : sequence of Clip
        With labels and domains: this is the harness, not a model.
    definition : Definition
        Of the year: what an AUC is over.
    """
    truth = {(clip.machine, clip.name): clip for clip in clips}
    areas: dict[str, dict[int, float]] = {}
    for machine in machines:
        for epoch, components in outcome.epochs.items():
            merit = _merit(components.where(split="test", machine=machine), system, truth, definition)
            if merit is not None:
                areas.setdefault(machine, {})[epoch] = merit
    return areas


def choose(
    outcome: Outcome, areas: Areas, machines: Sequence[str], clips: Sequence[Clip], definition: Definition
) -> tuple[Outcome, dict[str, int]]:
    """The outcome at each machine's best epoch by ``areas``, the first among equals.

    Returns
    -------
    outcome : Outcome
        A machine without areas has failed cells instead of components. The latent space is that of the last epoch and
        is left out.
    epochs : mapping of machine to epoch
    """
    parts: list[Components] = []
    epochs: dict[str, int] = {}
    failed = dict(outcome.failed)
    for machine in machines:
        merits = areas.get(machine)
        if merits:
            epochs[machine] = max(merits, key=lambda epoch: merits[epoch])
            parts.append(outcome.epochs[epochs[machine]].where(machine=machine))
        else:
            reason = "no labelled cell to choose by" if outcome.epochs else "it has no epochs to choose from"
            test = [clip for clip in clips if clip.machine == machine and clip.split == "test"]
            failed.update({definition.file(clip.cell): reason for clip in test})
    chosen = Outcome(
        join(parts), failed, dict(outcome.impossible), list(outcome.history), dict(outcome.fits), trace=outcome.trace
    )
    return chosen, epochs


def _merit(
    test: Components, system: System[Any], truth: Mapping[tuple[str, str], Clip], definition: Definition
) -> float | None:
    if not test.identity:
        return None
    scores = system.score(test.values)
    rows: dict[Cell, list[int]] = {}
    for number, (_, machine, section, domain, _) in enumerate(test.identity):
        rows.setdefault(Cell(machine, section, domain), []).append(number)
    areas = []
    for file, keep in rows.items():
        clips = [truth[file.machine, test.identity[number][4]] for number in keep]
        codes = label_codes(clip.label for clip in clips)
        group = Group(file, codes, scores[keep], domains=[clip.domain for clip in clips])
        areas += [cell.auc for cell in score_group(definition, group) if cell.auc is not None]
    return harmonic_mean(areas) if areas else None
