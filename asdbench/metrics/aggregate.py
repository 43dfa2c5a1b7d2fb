"""The metrics of a cell as a value, and means of them.

Conventions
-----------
- A *cell* is machine x section x domain (2020: machine x id, domain ""); every metric is a fraction. What cannot be
  computed is None with a reason, never NaN.
- Harmonic means floor their values at the float epsilon (2.2e-16), as the official evaluator does; arithmetic ones
  do not.
- What a year computes a cell's metrics over, and what its official score is: :mod:`asdbench.metrics.challenge`.

Source: the organizers' ``dcase2021_task2_evaluator`` and their 2021 autoencoder baseline.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell, Label
from asdbench.errors import DataError

Metric: TypeAlias = Literal["auc", "pauc", "precision", "recall", "f1"]
METRICS: tuple[Metric, ...] = get_args(Metric)
RANKING: tuple[Metric, ...] = ("auc", "pauc")

_CODES: Mapping[Label | None, int] = {"normal": 0, "anomaly": 1, None: -1}


@dataclass(frozen=True)
class CellMetrics:
    """The metrics of one cell, as fractions.

    Parameters
    ----------
    machine, section, domain : str
        In 2020 the section is the id and the domain "".
    auc, pauc, precision, recall, f1 : float or None
        None where it cannot be computed.
    n_normal, n_anomaly : int
        The cell's own clips with that label; from 2022 on its AUC is against the other domain's anomalies too.
    reason : str or None
        Why values are missing, where some are.
    n_unlabelled : int
        Clips of the cell's score file whose label is not known: no metric is over them.
    """

    machine: str
    section: str
    domain: str
    auc: float | None
    pauc: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    n_normal: int
    n_anomaly: int
    reason: str | None = None
    n_unlabelled: int = 0

    @property
    def cell(self) -> Cell:
        """The cell."""
        return Cell(self.machine, self.section, self.domain)

    def value(self, metric: Metric) -> float | None:
        """One metric by its name."""
        values: dict[Metric, float | None] = {
            "auc": self.auc,
            "pauc": self.pauc,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }
        return values[metric]


@dataclass(frozen=True)
class Means:
    """Arithmetic and harmonic mean of ``count`` values."""

    arithmetic: float
    harmonic: float
    count: int


def label_codes(labels: Iterable[Label | None]) -> NDArray[np.int64]:
    """Labels as numbers: 0 normal, 1 anomaly, -1 unknown."""
    return np.array([_CODES[label] for label in labels], dtype=np.int64)


def arithmetic_mean(values: Iterable[float]) -> float:
    """The arithmetic mean; DataError for no values or values that are not finite."""
    checked = _checked(values)
    return math.fsum(checked) / len(checked)


def harmonic_mean(values: Iterable[float]) -> float:
    """The harmonic mean, values floored at the float epsilon; DataError for no values or values that are not finite."""
    checked = _checked(values)
    return len(checked) / math.fsum(1 / max(value, sys.float_info.epsilon) for value in checked)


def official_score(values: Iterable[float]) -> float:
    """The official score of 2021: the harmonic mean of all AUC and pAUC values of all cells."""
    return harmonic_mean(values)


def means(values: Iterable[float]) -> Means:
    """Both means; DataError for no values or values that are not finite."""
    checked = _checked(values)
    return Means(arithmetic_mean(checked), harmonic_mean(checked), len(checked))


def _checked(values: Iterable[float]) -> Sequence[float]:
    checked = [float(value) for value in values]
    if not checked:
        raise DataError("there is nothing to take a mean of", hint="no cell has a value: see the cells' reasons")
    if not all(map(math.isfinite, checked)):
        raise DataError("a mean of values that are not finite", looked=str(checked), hint="leave missing values out")
    return checked
