"""One method's values with intervals over trainings and clips: what tables and leaderboards show of several seeds.

Conventions
-----------
- An interval is made on the log-odds scale (Qin & Hotilovac, Comparison of non-parametric confidence intervals for the
  area under the ROC curve, 2008): towards 1 it lies wider on the other side. Classes that do not overlap are given the
  spread of their two closest clips in the wrong order.
- A mean over one cell is that cell: same interval.
- Of one training of a system that is not deterministic there is no interval of the method: None, with a reason. Taken
  ``as_they_are`` the clips alone count, and the interval is of these very trainings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asdbench.judging.means import Mean, contributions
from asdbench.judging.measuring import Clusters, Measured, Value, measure
from asdbench.judging.samples import Sample, checked
from asdbench.judging.spread import spread
from asdbench.judging.student import quantile
from asdbench.metrics.aggregate import RANKING, Metric
from asdbench.metrics.challenge import Column, Definition
from asdbench.metrics.intervals import LEVEL, PAUC_FLOOR, PAUC_PER_AREA


@dataclass(frozen=True)
class Estimate:
    """A method's value, expected over trainings (fractions).

    Parameters
    ----------
    value : float
    low, high : float or None
        The 95 % interval; None where there is none, and ``reason`` says why.
    training_error, clip_error : float or None
        The square roots of the two parts of the variance.
    reason : str
    """

    value: float
    low: float | None = None
    high: float | None = None
    training_error: float | None = None
    clip_error: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Estimates:
    """All that tables show of one method on some cells.

    Parameters
    ----------
    cells : mapping of (Cell, metric) to Estimate
        Each value once.
    arithmetic, harmonic : mapping of (domain, metric) to Estimate
        Means over the column's cells.
    official : Estimate
    overall : mapping of metric to Estimate
        Arithmetic means over all cells.
    machines : mapping of str to (mapping of {"official", "auc", "pauc"} to Estimate)
    """

    cells: Mapping[Value, Estimate]
    arithmetic: Mapping[Column, Estimate]
    harmonic: Mapping[Column, Estimate]
    official: Estimate
    overall: Mapping[Metric, Estimate]
    machines: Mapping[str, Mapping[str, Estimate]]


def estimates(
    sample: Sample, definition: Definition, *, clusters: Clusters | None = None, as_they_are: bool = False
) -> Estimates:
    """One method's values with intervals.

    Parameters
    ----------
    sample : Sample
        The system's trainings.
    definition : Definition
        Of the data set's year.
    clusters : mapping of file to int array (clips,), optional
        Clips that hang together, in the order of the checked sample.
    as_they_are : bool
        Of these very trainings: the clips alone.
    """
    measured = measure(checked(sample), definition, clusters)
    columns: dict[Column, list[Value]] = {}
    machines: dict[str, list[Value]] = {}
    for value in measured.values:
        columns.setdefault((value[0].domain, value[1]), []).append(value)
        machines.setdefault(value[0].machine, []).append(value)
    ordered = {column: columns[column] for column in definition.columns() if column in columns}

    def of(values: Sequence[Value], mean: Mean) -> Estimate:
        return estimate(measured, values, mean, as_they_are=as_they_are)

    return Estimates(
        {value: of([value], "arithmetic") for value in measured.values},
        {column: of(values, "arithmetic") for column, values in ordered.items()},
        {column: of(values, "harmonic") for column, values in ordered.items()},
        of(measured.values, definition.official),
        {metric: of(_of_metric(measured.values, metric), "arithmetic") for metric in RANKING},
        {
            machine: {
                "official": of(values, definition.official),
                **{metric: of(_of_metric(values, metric), "arithmetic") for metric in RANKING},
            }
            for machine, values in machines.items()
        },
    )


def _of_metric(values: Sequence[Value], metric: Metric) -> list[Value]:
    return [value for value in values if value[1] == metric]


def estimate(measured: Measured, values: Sequence[Value], mean: Mean, *, as_they_are: bool = False) -> Estimate:
    """A mean of some values of a method, or of these very trainings, with its interval."""
    if len(values) == 1:
        mean = "arithmetic"  # it is that value
    found = contributions(measured, values, mean)
    if measured.sample.varies_unseen and not as_they_are:
        return Estimate(found.estimate, reason="one training: nothing follows about the method")
    if found.falling:
        return Estimate(found.estimate, reason=f"cell {found.falling[0]} falls to 0, and a harmonic mean with it")
    if found.too_few and mean == "harmonic":
        return Estimate(found.estimate, reason=found.too_few)
    uncertainty = spread([(1, found)], as_they_are=as_they_are)
    if uncertainty.thin:
        return Estimate(found.estimate, reason="one clip of a class, or all of a class hang together")
    partial = all(metric == "pauc" for _, metric in values)
    pairs = [_one_pair(measured, value) for value in values]
    least = math.sqrt(3 * sum(pair**2 for pair in pairs)) / len(pairs)
    pair = sum(pairs) / len(pairs)
    inner = min(max(found.estimate, min(pair, 0.5)), max(1 - pair, 0.5))
    reach = max(uncertainty.reach(LEVEL), least * quantile(LEVEL, uncertainty.freedoms[1])) / (inner * (1 - inner))
    low, high = (1 / (1 + (1 / inner - 1) * math.exp(min(sign * reach, 700.0))) for sign in (1, -1))
    return Estimate(
        found.estimate,
        min(max(low, PAUC_FLOOR if partial else 0.0), found.estimate),
        max(high, found.estimate),
        math.sqrt(uncertainty.training_part),
        math.sqrt(uncertainty.clip_part),
    )


def _one_pair(measured: Measured, value: Value) -> float:
    """What a value loses when its two closest clips stand in the wrong order."""
    one = measured.files[measured.place[value]]
    normal, anomalies = one.clips[value]
    return (PAUC_PER_AREA if value[1] == "pauc" else 1.0) / (normal * anomalies)
