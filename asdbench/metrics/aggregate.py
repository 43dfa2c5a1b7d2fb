"""From clips to cells, and from cells to means and the official score.

Conventions
-----------
- A *cell* is machine x section x domain; every metric is a fraction. What cannot be computed is None with a reason,
  never NaN.
- Harmonic means floor their values at the float epsilon (2.2e-16), as the official evaluator does; arithmetic ones
  do not.
- Official score of 2021: the harmonic mean of all AUC and pAUC values of all cells (84 for the development set).
- Means are over the cells that have a value; how many, and how many have none, is part of the result.

Source: the organizers' ``dcase2021_task2_evaluator`` and their 2021 autoencoder baseline.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.api import Cell, Label
from asdbench.errors import DataError
from asdbench.metrics import decision, roc

Metric: TypeAlias = Literal["auc", "pauc", "precision", "recall", "f1"]
METRICS: tuple[Metric, ...] = get_args(Metric)
RANKING: tuple[Metric, ...] = ("auc", "pauc")

Row: TypeAlias = tuple[Cell, ArrayLike | None, ArrayLike, ArrayLike | None]
"""(cell, labels, scores, decisions) of one cell's clips, in one order. Labels: 0, 1, -1 for unknown, or None for all
unknown. Decisions: 0, 1, or None where there are none."""

_CODES: Mapping[Label | None, int] = {"normal": 0, "anomaly": 1, None: -1}


@dataclass(frozen=True)
class CellMetrics:
    """The metrics of one cell, as fractions.

    Parameters
    ----------
    machine, section, domain : str
    auc, pauc, precision, recall, f1 : float or None
        None where it cannot be computed.
    n_normal, n_anomaly : int
        Clips with that label.
    reason : str or None
        Why values are missing, where some are.
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


@dataclass(frozen=True)
class Summary:
    """Means over a set of cells.

    Parameters
    ----------
    cells : int
        Cells that have an AUC and a pAUC, over which the official score is.
    missing : int
        Cells that have none.
    means : mapping of metric to Means
        Over all cells; a metric without any value is absent.
    columns : mapping of (domain, metric) to Means
        Per domain.
    official_score : float or None
        Harmonic mean of all AUC and pAUC; None where no cell has any.
    """

    cells: int
    missing: int
    means: Mapping[Metric, Means] = field(hash=False)
    columns: Mapping[tuple[str, Metric], Means] = field(hash=False)
    official_score: float | None


def label_codes(labels: Iterable[Label | None]) -> NDArray[np.int64]:
    """Labels as numbers: 0 normal, 1 anomaly, -1 unknown."""
    return np.array([_CODES[label] for label in labels], dtype=np.int64)


def score_cells(rows: Iterable[Row]) -> list[CellMetrics]:
    """The metrics of each cell, in the order given.

    Parameters
    ----------
    rows : iterable of (cell, labels, scores, decisions)
        See :data:`Row`.

    Raises
    ------
    DataError
        For arrays of unequal length, labels other than 0, 1 and -1, decisions other than 0 and 1, or a cell given
        twice. Missing labels, a single class and scores that are not finite are no errors: the cell then says why it
        has no value.
    """
    done: dict[Cell, CellMetrics] = {}
    for cell, labels, scores, decisions in rows:
        if cell in done:
            raise DataError(f"the cell {cell} stands twice", hint="give all clips of a cell together")
        try:
            done[cell] = _score_cell(cell, labels, scores, decisions)
        except DataError as error:
            raise DataError(f"{cell}: {error.message}", error.looked, error.hint) from error
    return list(done.values())


def _score_cell(cell: Cell, labels: ArrayLike | None, scores: ArrayLike, decisions: ArrayLike | None) -> CellMetrics:
    values = np.asarray(scores)
    codes = np.full(len(values), -1) if labels is None else np.asarray(labels)
    for name, array in (("labels", codes), ("decisions", codes if decisions is None else np.asarray(decisions))):
        if array.shape != values.shape:
            raise DataError(
                f"{name} and scores differ in length",
                looked=f"{name} {array.shape}, scores {values.shape}",
                hint="give one value a clip",
            )
    if codes.dtype.kind not in "biuf" or not np.isin(codes, (0, 1, -1)).all():
        found = ", ".join(sorted({repr(code) for code in codes.tolist()})[:5])
        raise DataError("a label is none of 0, 1 and -1", looked=f"among them {found}", hint="see label_codes")
    n_normal, n_anomaly = int(np.sum(codes == 0)), int(np.sum(codes == 1))
    reason = _why_not(codes, values)
    if reason is not None:
        return CellMetrics(*_key(cell), None, None, None, None, None, n_normal, n_anomaly, reason)
    precision, recall, f1 = (None, None, None) if decisions is None else decision.precision_recall_f1(codes, decisions)
    return CellMetrics(
        *_key(cell),
        roc.auc(codes, values),
        roc.pauc(codes, values),
        precision,
        recall,
        f1,
        n_normal,
        n_anomaly,
        reason="no decisions" if decisions is None else None,
    )


def _key(cell: Cell) -> tuple[str, str, str]:
    return cell.machine, cell.section, cell.domain


def _why_not(codes: NDArray[np.int64], scores: NDArray[np.float64]) -> str | None:
    """Why a cell cannot be scored, or None where it can."""
    clips, unknown = len(codes), int(np.sum(codes == -1))
    if not clips:
        return "no clips"
    if unknown:
        return "labels unknown" if unknown == clips else f"labels of {unknown} of {clips} clips unknown"
    if scores.dtype.kind == "f" and not np.isfinite(scores).all():
        return f"{int(np.sum(~np.isfinite(scores)))} of {clips} scores are not finite"
    if (codes == codes[0]).all():
        return f"one class only: {clips} {'anomaly' if codes[0] else 'normal'}"
    return None


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


def summarise(cells: Iterable[CellMetrics]) -> Summary:
    """Means and official score over a set of cells: a run, a machine, a section.

    Parameters
    ----------
    cells : iterable of CellMetrics
        Each cell once.

    Returns
    -------
    Summary
    """
    given = list(cells)
    found: dict[Metric, list[float]] = {}
    by_domain: dict[tuple[str, Metric], list[float]] = {}
    for cell in given:
        for metric in METRICS:
            value = cell.value(metric)
            if value is not None:
                found.setdefault(metric, []).append(value)
                by_domain.setdefault((cell.domain, metric), []).append(value)
    ranking = [value for metric in RANKING for value in found.get(metric, ())]
    complete = sum(cell.auc is not None and cell.pauc is not None for cell in given)
    return Summary(
        cells=complete,
        missing=len(given) - complete,
        means=MappingProxyType({metric: means(values) for metric, values in found.items()}),
        columns=MappingProxyType({key: means(values) for key, values in by_domain.items()}),
        official_score=official_score(ranking) if ranking else None,
    )
