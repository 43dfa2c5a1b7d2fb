"""Holds a run to expected scores: what CI asks before a change lands.

1. *Scores, clip by clip.* A score may move by 1e-4 of its size, and by a hundredth of what the scores of its file
   range over: behind a large constant nothing is hidden. That holds everywhere for what is computed without training
   (``mvg``), and for trained systems where package versions, threads and processor are those of the file.
2. *Metrics, over the seeds.* Training amplifies rounding, so in another environment a training is another draw: its
   metrics are held instead. Mean AUC, mean pAUC and official score, and each machine's mean AUC and pAUC, must not be
   worse than expected by more than the tolerance *and* by more than trainings differ by
   (:mod:`asdbench.judging.regressions`). Better never fails. All seeds of a side count, whatever they are called.
3. *Nothing is missing*: every expected system, seed, cell and clip, from the same data.

A cell without labels cannot be held by rule 2: that counts as missing, never as passed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from asdbench.judging.expected import TINY, Expected, Found
from asdbench.judging.regressions import held, yardstick
from asdbench.judging.samples import Sample, Scored, scored
from asdbench.metrics.aggregate import label_codes
from asdbench.metrics.challenge import DEFINITIONS, Group, labelled, score_group
from asdbench.words import counted

SCORE_TOLERANCE = 1e-4
"""Of rule 1, relative."""
RANGE_TOLERANCE = 0.01
"""Of rule 1, a part of the range of the file's expected scores."""
METRIC_TOLERANCE = 0.02
"""Of rule 2, a fraction: two points."""


@dataclass
class Verdict:
    """What a check found.

    Parameters
    ----------
    rules : list of str
        Which rule was applied to which system, and why.
    compared, measured : int
        Scores compared by rule 1, metrics compared by rule 2.
    regressions, missing : list of str
        What got worse, by how much and why that counts; what is expected but not there, or made from other data.
    """

    rules: list[str] = field(default_factory=list)
    compared: int = 0
    measured: int = 0
    regressions: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 fine, 3 regression, 4 something missing or nothing measured."""
        if self.regressions:
            return 3
        return 4 if self.missing or not self.compared + self.measured else 0


def check(found: Found, expected: Expected, tolerance: float = METRIC_TOLERANCE) -> Verdict:
    """Hold found scores against expected ones. Systems that are not expected are passed over.

    Parameters
    ----------
    tolerance : float
        Of rule 2, a fraction.
    """
    verdict = Verdict()
    by_score: dict[str, list[tuple[int, int]]] = {}
    by_metric: dict[str, list[int]] = {}
    elsewhere: dict[str, list[str]] = {}
    for name, about in expected.head["systems"].items():
        system, seed = _parsed(name)
        run = seed if name in found.head["systems"] else _stand_in(system, found, expected)
        if run != seed:
            verdict.missing.append(f"{system}, seed {seed}: not run")
        any_run = run if run is not None else min(_run(system, found), default=None)
        if any_run is None:
            continue
        there = found.head["systems"][f"{system}/seed-{any_run}"]
        changed = [m for m, data in about["data"].items() if there["data"].get(m, data) != data]
        if changed:
            verdict.missing.append(f"{system}, seed {seed}: other data for {', '.join(changed)}")
        elif about["trained"] and there["environment"] != about["environment"]:
            elsewhere[system] = [
                f"{key}: {value} expected, {there['environment'].get(key)} here"
                for key, value in about["environment"].items()
                if there["environment"].get(key) != value
            ]
            by_metric.setdefault(system, []).append(seed)
        elif run is not None:
            by_score.setdefault(system, []).append((seed, run))
    for system, seeds in by_score.items():
        trained = expected.head["systems"][f"{system}/seed-{seeds[0][0]}"]["trained"]
        why = "trained in the same environment" if trained else "computed without training"
        verdict.rules.append(f"{system}: rule 1, scores clip by clip ({why})")
        for seed, run in seeds:
            _hold_scores(system, seed, run, found, expected, verdict)
    for system, numbers in by_metric.items():
        why = "; ".join(elsewhere[system])
        runs = sorted(_run(system, found))
        by = yardstick(len(runs), len(numbers), system in found.deterministic)
        verdict.rules.append(
            f"{system}: rule 2, metrics over {_seeds(runs, numbers)} (trained in another environment: {why}); a loss"
            f" counts beyond what {by}"
        )
        _hold_metrics(system, runs, numbers, found, expected, tolerance, verdict)
    return verdict


def _parsed(name: str) -> tuple[str, int]:
    system, _, seed = name.rpartition("/seed-")
    return system, int(seed)


def _stand_in(system: str, found: Found, expected: Expected) -> int | None:
    """A seed that was run in place of an expected one: its scores still say whether they are the expected ones."""
    others = (_parsed(name) for name in found.head["systems"] if name not in expected.head["systems"])
    return min((seed for name, seed in others if name == system), default=None)


def _run(system: str, found: Found) -> set[int]:
    """The seeds of a system that were run."""
    return {seed for name, seed in map(_parsed, found.head["systems"]) if name == system}


def _seeds(runs: Sequence[int], expected: Sequence[int]) -> str:
    said = f"seed {runs[0]}" if len(runs) == 1 else f"{len(runs)} seeds"
    return said if list(runs) == sorted(expected) else f"{said}, {len(expected)} expected"


def _hold_scores(system: str, seed: int, run: int, found: Found, expected: Expected, verdict: Verdict) -> None:
    """Rule 1, for one seed; ``run`` is the seed it is compared with."""
    called = f"{system}, seed {seed}" if run == seed else f"{system}, seed {run} in place of {seed}"
    for cell, clips in expected.of(system, seed).items():
        own = found.of(system, run).get(cell, {})
        gone = sum(clip not in own for clip in clips)
        if gone:
            verdict.missing.append(f"{called}, {cell}: {counted(gone, 'clip has', 'clips have')} no score")
        distances = {
            clip: abs(own[clip] - score) / max(abs(score), TINY) for clip, score in clips.items() if clip in own
        }
        verdict.compared += len(distances)
        moved = {clip: far for clip, far in distances.items() if not far <= SCORE_TOLERANCE}  # NaN, too
        reach = RANGE_TOLERANCE * max(clips.values()) - RANGE_TOLERANCE * min(clips.values())
        moved |= {clip: far for clip, far in distances.items() if 0 < reach < abs(own[clip] - clips[clip])}
        if moved:
            worst = max(moved, key=lambda clip: math.inf if math.isnan(moved[clip]) else moved[clip])
            verdict.regressions.append(
                f"{called}, {cell}: {len(moved)} of {len(clips)} scores moved by up to {moved[worst]:.2g} of their size"
                f" (allowed: {SCORE_TOLERANCE:g}, and {RANGE_TOLERANCE:g} of their range), such as"
                f" {worst}: {clips[worst]:.12g} expected, {own[worst]:.12g} found"
            )


def _hold_metrics(
    system: str,
    runs: Sequence[int],
    seeds: Sequence[int],
    found: Found,
    expected: Expected,
    tolerance: float,
    verdict: Verdict,
) -> None:
    """Rule 2, for one system: all seeds that were run against all that are expected."""
    definition = DEFINITIONS[found.year]
    called = f"{system}, {_seeds(runs, seeds)}"
    parts: dict[str, tuple[list[Scored], list[Scored]]] = {}
    for file in sorted({file for seed in seeds for file in expected.of(system, seed)}):
        clips = sorted({clip for seed in seeds for clip in expected.of(system, seed).get(file, {})})
        sides = [
            {seed: side.of(system, seed).get(file, {}) for seed in numbers}
            for side, numbers in ((found, runs), (expected, seeds))
        ]
        if any(clip not in scores for side in sides for scores in side.values() for clip in clips):
            verdict.missing.append(f"{called}, {file}: some clips have no score")
            continue
        known = [found.truth.get((file.machine, clip)) for clip in clips]
        codes = label_codes(None if one is None else one.label for one in known)
        domains = ["" if one is None else one.cell.domain for one in known]
        groups = [
            {
                str(seed): labelled(
                    Group(file, codes, np.array([scores[clip] for clip in clips]), None, domains, clips)
                )
                for seed, scores in side.items()
            }
            for side in sides
        ]
        cells = [one for side in groups for group in side.values() for one in score_group(definition, group)]
        lacking = {one.cell: one.reason for one in cells if one.auc is None}
        whole = [cell for cell in dict.fromkeys(one.cell for one in cells) if cell not in lacking]
        verdict.missing += [
            f"{called}, {cell}: {reason}: its metrics cannot be held" for cell, reason in lacking.items()
        ]
        if whole:
            part = next((one.part for one in known if one is not None), "dev")
            unit = found.units.get((system, file), file.machine)
            for own, side in zip(parts.setdefault(part, ([], [])), groups, strict=True):
                own.append(scored(side, unit, cells=whole))
    deterministic = system in found.deterministic
    by = yardstick(len(runs), len(seeds), deterministic)
    for part, (ours, theirs) in parts.items():
        for one in held(
            Sample("found", tuple(ours), deterministic), Sample("expected", tuple(theirs), deterministic), definition
        ):
            verdict.measured += 1
            if one.loss > max(tolerance, one.bound):
                verdict.regressions.append(
                    f"{called}, {part}, {one.name}: {100 * one.expected:.2f} expected, {100 * one.found:.2f} found:"
                    f" {100 * one.loss:.2f} worse, more than the tolerance of {100 * tolerance:g}"
                    + ("" if deterministic else f" and than the {100 * one.bound:.2f} that {by}")
                )
