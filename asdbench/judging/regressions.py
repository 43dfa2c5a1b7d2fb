"""Is a run worse than expected by more than trainings differ by? What rule 2 of a check looks at.

Conventions
-----------
- Expected and found scores are of the same clips, so an interval over clips is no yardstick: what may differ is the
  training. The bound of a mean is t times the root of the sum over units of s^2 / k of both sides (Welch's test, units
  as in :mod:`asdbench.judging.means`).
- Where one side has one training, the other's spread speaks for both: s^2 (1 + 1 / k), the interval of one more
  training.
- One training on both sides: what trainings differ by is not known, and is taken to be 4 points a fit
  (:data:`ASSUMED`); where clips are few and other clips of the same kind would explain more of the difference of these
  two trainings, that. A stand-in, which docs/verdicts.md says how often it is wrong.
- A deterministic system: no training explains anything.
- Each overall mean is held at 95 %, those of machines jointly (Bonferroni).
- Values are fractions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asdbench.judging.means import Contributions, Mean, contributions
from asdbench.judging.measuring import Measured, Value, measure
from asdbench.judging.samples import Sample, checked
from asdbench.judging.spread import spread
from asdbench.judging.student import quantile, satterthwaite
from asdbench.metrics.aggregate import RANKING
from asdbench.metrics.challenge import Definition
from asdbench.metrics.intervals import LEVEL

NAMES = {"auc": "AUC", "pauc": "pAUC"}
ASSUMED = 0.04
"""What a machine's means of two single trainings are taken to be spread by. Measured of one CL-VAE on real features
(docs/verdicts.md): .4 points on fan and 6.1 on slider, 4.3 as a root mean square."""


@dataclass(frozen=True)
class Held:
    """A mean found beside the one expected.

    Parameters
    ----------
    name : str
        Such as ``official score`` or ``fan mean AUC``.
    found, expected : float
    bound : float
        The loss that chance explains.
    """

    name: str
    found: float
    expected: float
    bound: float

    @property
    def loss(self) -> float:
        """By how much it is worse."""
        return self.expected - self.found


def yardstick(found: int, expected: int, deterministic: bool) -> str:
    """What explains a loss, given how many trainings each side has."""
    if deterministic:
        return "nothing explains: the system is deterministic"
    if max(found, expected) == 1:
        assumed = f"{100 * ASSUMED:g} points a fit are assumed"
        return f"chance may explain (one training on each side: what trainings differ by is not known; {assumed})"
    return "trainings differ by" if min(found, expected) > 1 else "one more training explains"


def held(found: Sample, expected: Sample, definition: Definition) -> Iterator[Held]:
    """Every mean that is held, of two samples of the same system on the same clips.

    Parameters
    ----------
    found, expected : Sample
    definition : Definition
        Of the data set's year.
    """
    sides = measure(checked(found), definition), measure(checked(expected), definition)
    values = sides[0].values
    for metric in RANKING:
        own = [value for value in values if value[1] == metric]
        yield _held(f"mean {NAMES[metric]}", sides, own, "arithmetic", LEVEL)
    yield _held("official score", sides, values, definition.official, LEVEL)
    machines = sorted({cell.machine for cell, _ in values})
    if len(machines) > 1:
        level = 1 - (1 - LEVEL) / (len(machines) * len(RANKING))
        for machine in machines:
            for metric in RANKING:
                own = [value for value in values if value[0].machine == machine and value[1] == metric]
                yield _held(f"{machine} mean {NAMES[metric]}", sides, own, "arithmetic", level)


def _held(name: str, sides: tuple[Measured, Measured], values: Sequence[Value], mean: Mean, level: float) -> Held:
    found, expected = (contributions(side, values, mean) for side in sides)
    if sides[0].sample.deterministic:
        bound = 0.0
    elif all(side.sample.varies_unseen for side in sides):
        units = Counter(sides[0].files[sides[0].place[value]].scored.unit for value in values)
        assumed = quantile(level, math.inf) * ASSUMED * math.sqrt(2 * sum(n**2 for n in units.values())) / len(values)
        bound = max(assumed, spread([(1, found), (-1, expected)], as_they_are=True).reach(level))
    else:
        bound = explained(found, expected, level)
    return Held(name, found.estimate, expected.estimate, bound)


def explained(found: Contributions, expected: Contributions, level: float) -> float:
    """How far two means of trainings of one system lie apart by chance, two-sided.

    Parameters
    ----------
    found, expected : Contributions
        Of the same units; at least one side of several trainings.
    level : float
        Such as 0.95.
    """
    terms, freedoms = [], []
    for unit, own in found.units.items():
        sides = own.y, expected.units[unit].y
        several = [y for y in sides if len(y) > 1]
        for y in several:
            fits = [len(y)] if len(several) > 1 else [len(one) for one in sides]
            terms.append(float(y.var(ddof=1)) * sum(1 / k for k in fits))
            freedoms.append(len(y) - 1)
    freedom = satterthwaite(terms, freedoms)
    return quantile(level, freedom) * math.sqrt(sum(terms)) if math.isfinite(freedom) else 0.0
