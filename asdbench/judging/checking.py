"""Holds a run to expected scores: what CI asks before a change lands.

1. *Scores, clip by clip.* A score may move by 1e-4 of its size, and by a hundredth of what the scores of its file
   range over: behind a large constant nothing is hidden. That holds everywhere for what is computed without training
   (``mvg``), and for trained systems where package versions, threads and processor are those of the file.
2. *Metrics, over the seeds.* Training amplifies rounding, so in another environment a training is another draw: its
   metrics are held instead. Mean AUC, mean pAUC and official score, and each machine's mean AUC and pAUC, must not be
   worse than expected by more than the tolerance *and* beyond the paired 95 % interval over clips (machines: jointly)
   *and*, of several seeds, beyond what the seeds differ by among themselves. Better never fails.
3. *Nothing is missing*: every expected system, seed, cell and clip, from the same data.

A cell without labels cannot be held by rule 2: that counts as missing, never as passed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from asdbench.api import Cell
from asdbench.judging.comparable import CommonFile
from asdbench.judging.expected import TINY, Expected, Found
from asdbench.judging.pairing import Pair, Part, paired
from asdbench.metrics.aggregate import RANKING, Metric, label_codes
from asdbench.metrics.challenge import DEFINITIONS, Group, score_group
from asdbench.metrics.intervals import LEVEL
from asdbench.metrics.paired import Difference
from asdbench.words import counted

SCORE_TOLERANCE = 1e-4
"""Of rule 1, relative."""
RANGE_TOLERANCE = 0.01
"""Of rule 1, a part of the range of the file's expected scores."""
METRIC_TOLERANCE = 0.02
"""Of rule 2, a fraction: two points."""
NAMES = {"auc": "AUC", "pauc": "pAUC"}


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
        if run is None:
            continue
        there = found.head["systems"][f"{system}/seed-{run}"]
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
        else:
            by_score.setdefault(system, []).append((seed, run))
    for system, seeds in by_score.items():
        trained = expected.head["systems"][f"{system}/seed-{seeds[0][0]}"]["trained"]
        why = "trained in the same environment" if trained else "computed without training"
        verdict.rules.append(f"{system}: rule 1, scores clip by clip ({why})")
        for seed, run in seeds:
            _hold_scores(system, seed, run, found, expected, verdict)
    for system, numbers in by_metric.items():
        why = "; ".join(elsewhere[system])
        verdict.rules.append(
            f"{system}: rule 2, metrics over {_seeds(numbers)} (trained in another environment: {why})"
        )
        _hold_metrics(system, numbers, found, expected, tolerance, verdict)
    return verdict


def _parsed(name: str) -> tuple[str, int]:
    system, _, seed = name.rpartition("/seed-")
    return system, int(seed)


def _stand_in(system: str, found: Found, expected: Expected) -> int | None:
    """A seed that was run in place of an expected one: its scores still say whether they are the expected ones."""
    others = (_parsed(name) for name in found.head["systems"] if name not in expected.head["systems"])
    return min((seed for name, seed in others if name == system), default=None)


def _seeds(numbers: Sequence[int]) -> str:
    return f"seed {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} seeds"


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
    system: str, seeds: Sequence[int], found: Found, expected: Expected, tolerance: float, verdict: Verdict
) -> None:
    """Rule 2, for one system."""
    definition = DEFINITIONS[found.year]
    files: list[CommonFile] = []
    for file in sorted({file for seed in seeds for file in expected.of(system, seed)}):
        clips = sorted({clip for seed in seeds for clip in expected.of(system, seed).get(file, {})})
        sides = [[side.of(system, seed).get(file, {}) for seed in seeds] for side in (found, expected)]
        if any(clip not in scores for side in sides for scores in side for clip in clips):
            verdict.missing.append(f"{system}, {_seeds(seeds)}, {file}: some clips have no score")
            continue
        known = [found.truth.get((file.machine, clip)) for clip in clips]
        codes = label_codes(None if one is None else one.label for one in known)
        domains = ["" if one is None else one.cell.domain for one in known]
        ours, theirs = (
            [Group(file, codes, np.array([scores[clip] for clip in clips]), None, domains, clips) for scores in side]
            for side in sides
        )
        cells = [one for group in (*ours, *theirs) for one in score_group(definition, group)]
        lacking = {one.cell: one.reason for one in cells if one.auc is None}
        held = tuple(cell for cell in dict.fromkeys(one.cell for one in cells) if cell not in lacking)
        verdict.missing += [
            f"{system}, {_seeds(seeds)}, {cell}: {reason}: its metrics cannot be held"
            for cell, reason in lacking.items()
        ]
        if held:
            part = next((one.part for one in known if one is not None), "dev")
            files.append(CommonFile(file, part, held, (ours, theirs)))
    for part in ("dev", "eval"):
        own = [file for file in files if file.part == part]
        if own:
            for name, pair, bound in _quantities(paired(part, definition, own)):
                verdict.measured += 1
                loss = -pair.difference.estimate
                if loss > max(tolerance, bound):
                    chance = "clips and seeds" if len(seeds) > 1 else "clips"
                    verdict.regressions.append(
                        f"{system}, {_seeds(seeds)}, {part}, {name}: {100 * pair.b:.2f} expected, {100 * pair.a:.2f}"
                        f" found: {100 * loss:.2f} worse, more than the tolerance of {100 * tolerance:g} and than the"
                        f" {100 * bound:.2f} that {chance} explain"
                    )


def _quantities(part: Part) -> Iterator[tuple[str, Pair, float]]:
    """What rule 2 holds: name, both values, and the loss that chance explains."""
    overall = {f"mean {NAMES[metric]}": part.means["", metric] for metric in RANKING}
    for name, pair in {**overall, "official score": part.official}.items():
        bounds = pair.difference.interval
        reach = pair.difference.estimate - bounds.low if bounds else 0.0
        yield name, pair, max(reach, _between_seeds(pair.per_seed, _quantile(1)))
    machines = sorted({cell.cell.machine for cell in part.cells})
    if len(machines) > 1:
        wide = _quantile(len(machines) * len(RANKING))
        for machine in machines:
            for metric in RANKING:
                pair, error = _mean(part, machine, metric)
                yield f"{machine} mean {NAMES[metric]}", pair, max(wide * error, _between_seeds(pair.per_seed, wide))


def _mean(part: Part, machine: str, metric: Metric) -> tuple[Pair, float]:
    """The mean of a machine's pairs, each once, and the standard error of its difference over clips."""
    files: dict[Cell, dict[str, Pair]] = {}
    for one in part.cells:
        if one.cell.machine == machine:
            column, _ = part.definition.column(one.cell.domain, metric)
            files.setdefault(part.definition.file(one.cell), {})[column] = one.auc if metric == "auc" else one.pauc
    pairs = [pair for own in files.values() for pair in own.values()]
    count = len(pairs)
    # Cells of one file share clips: how much their errors have in common is not known, so all of it is assumed.
    shared = (sum(pair.difference.error or 0.0 for pair in own.values()) for own in files.values())
    error = math.sqrt(sum(error**2 for error in shared)) / count
    a, b, estimate = (
        sum(values) / count
        for values in zip(*((pair.a, pair.b, pair.difference.estimate) for pair in pairs), strict=True)
    )
    per_seed = tuple(sum(found) / count for found in zip(*(pair.per_seed for pair in pairs), strict=True))
    return Pair(a, b, Difference(estimate, error, None, None), per_seed), error


def _quantile(tests: int) -> float:
    """Standard errors that so many comparisons together exceed by chance in 5 % of cases (Bonferroni)."""
    return NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / tests)


def _between_seeds(differences: Sequence[float], wide: float) -> float:
    """The mean difference that seeds explain which differ among themselves like this; nothing is known of one seed."""
    if len(differences) < 2:
        return 0.0
    return wide * statistics.stdev(differences) / math.sqrt(len(differences))
