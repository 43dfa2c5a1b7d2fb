"""The metrics of each year of the challenge, DCASE 2020 to 2026 Task 2: what a cell is and what the official score is.

Conventions
-----------
- 2020: a cell is a machine's individual (id), its domain ""; AUC and pAUC over its clips. Official score: the
  arithmetic mean of all.
- 2021: a cell is machine x section x domain, each metric over its own clips. Official score: the harmonic mean of all
  AUC and pAUC.
- 2022 and later: a cell is machine x section x domain, but its AUC is that of the domain's normal clips against all
  anomalies of the section. pAUC is the section's, over both domains: the same value in both cells, counted once.
  Precision, recall, F1, and the numbers of clips, are of the domain's own clips. Official score: the harmonic mean of
  all AUC and, once a section, pAUC.
- Clips of unknown label count in no metric; where a file has labelled ones, metrics are over those.
- Values are fractions. Harmonic means floor their values at the float epsilon, arithmetic ones do not.

Source: the organizers' evaluators (github y-kawagu/dcase2020_task2_evaluator, y-kawagu/dcase2021_task2_evaluator,
Kota-Dohi/dcase2022_evaluator, nttcslab/dcase2023_task2_evaluator and later). The 2022 evaluator's *per-machine* source
and target means slice a wrong part of its rows ("source" is the first section only); here they are what they are
called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.api import DOMAINS, Cell
from asdbench.errors import DataError
from asdbench.metrics.aggregate import (
    METRICS,
    RANKING,
    CellMetrics,
    Means,
    Metric,
    arithmetic_mean,
    harmonic_mean,
    means,
)
from asdbench.metrics.decision import precision_recall_f1
from asdbench.metrics.roc import auc, pauc
from asdbench.words import counted

DomainsIn: TypeAlias = Literal["nothing", "files", "clips"]
Column: TypeAlias = tuple[str, Metric]
"""A domain and a metric; the domain is "" where the metric is not a domain's."""

UNLABELLED = "labels unknown"
"""The reason of a cell of which nobody said the labels: all is done for it that can be."""


@dataclass(frozen=True)
class Definition:
    """How a year scores.

    Parameters
    ----------
    domains : {"nothing", "files", "clips"}
        Where a clip's domain stands: there are none (2020), in the score file's name (2021), or both domains share a
        file and only the clip's name or the ground truth tells (2022 and later).
    official : {"arithmetic", "harmonic"}
        The mean that makes the official score.
    """

    domains: DomainsIn
    official: Literal["arithmetic", "harmonic"]

    @property
    def pauc_of_section(self) -> bool:
        """Whether pAUC is over both domains of a section, and counts once."""
        return self.domains == "clips"

    @property
    def decisions(self) -> bool:
        """Whether the challenge asks for decision files (2021 and later)."""
        return self.domains != "nothing"

    @property
    def unit(self) -> str:
        """What the challenge calls a machine's individual: id (2020) or section."""
        return "id" if self.domains == "nothing" else "section"

    def file(self, cell: Cell) -> Cell:
        """What the score file of a cell covers: the cell, or (2022 and later) the whole section, domain ""."""
        return cell if self.domains == "files" else Cell(cell.machine, cell.section, "")

    def column(self, domain: str, metric: Metric) -> Column:
        """The column in which a metric of a domain stands, and counts once a section."""
        of_section = self.domains == "nothing" or (metric == "pauc" and self.pauc_of_section)
        return ("" if of_section else domain, metric)

    def columns(self, metrics: Sequence[Metric] = RANKING) -> tuple[Column, ...]:
        """All columns of some metrics, as the organizers' tables order them."""
        found = [self.column(domain, metric) for metric in metrics for domain in DOMAINS]
        return tuple(dict.fromkeys(found))

    def mean(self, values: Iterable[float]) -> float:
        """The official score of these values."""
        return arithmetic_mean(values) if self.official == "arithmetic" else harmonic_mean(values)


_LATER = Definition("clips", "harmonic")
DEFINITIONS: Mapping[int, Definition] = MappingProxyType(
    {
        2020: Definition("nothing", "arithmetic"),
        2021: Definition("files", "harmonic"),
        **dict.fromkeys(range(2022, 2027), _LATER),
    }
)


@dataclass(frozen=True, eq=False)
class Group:
    """The clips of one score file, in one order.

    Parameters
    ----------
    file : Cell
        What the file covers (:meth:`Definition.file`).
    labels : int array (clips,)
        0 normal, 1 anomaly, -1 unknown.
    scores : float array (clips,)
    decisions : int array (clips,) or None
        0 normal, 1 anomaly; None where there are none.
    domains : sequence of str
        Each clip's domain; "" where it is not known. Read in 2022 and later only.
    clips : sequence of str
        Their names; not needed for metrics.
    unlabelled : int
        Clips of unknown label that the file has besides (:func:`labelled`).
    """

    file: Cell
    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    decisions: NDArray[np.int64] | None = None
    domains: Sequence[str] = ()
    clips: Sequence[str] = ()
    unlabelled: int = 0


def labelled(group: Group) -> Group:
    """The clips of known label, the others counted; the group as it is where all labels are known, or none."""
    keep = group.labels != -1
    if keep.all() or not keep.any():
        return group
    numbers = np.flatnonzero(keep).tolist()
    return Group(
        group.file,
        group.labels[keep],
        group.scores[keep],
        None if group.decisions is None else group.decisions[keep],
        [group.domains[number] for number in numbers] if len(group.domains) else (),
        [group.clips[number] for number in numbers] if len(group.clips) else (),
        group.unlabelled + len(keep) - len(numbers),
    )


@dataclass(frozen=True)
class Summary:
    """Means over cells and the official score.

    Parameters
    ----------
    means : mapping of metric to Means
        A metric that any cell lacks is absent.
    official_score : float
    """

    means: Mapping[Metric, Means] = field(hash=False)
    official_score: float


def against(definition: Definition, group: Group) -> dict[str, NDArray[np.bool_]]:
    """By domain of the group's cells: the clips that its AUC is over.

    2022 and later: the domain's own clips and all anomalies of the section.
    """
    if definition.domains != "clips":
        return {group.file.domain: np.ones(len(group.labels), dtype=np.bool_)}
    domains = np.array(group.domains, dtype=np.str_)
    there = [domain for domain in (*DOMAINS, "") if domain in set(group.domains)]
    return {domain: (domains == domain) | (group.labels == 1) for domain in there}


def score_group(definition: Definition, group: Group) -> list[CellMetrics]:
    """The cells that a file's clips give: one, or one for each domain that has labelled clips (2022 and later).

    A cell that cannot be scored (labels unknown, one class only, scores that are not finite) has None and a reason.

    Raises
    ------
    DataError
        For arrays of unequal length, labels other than 0, 1 and -1, or decisions other than 0 and 1.
    """
    try:
        _check(definition, group)
        group = labelled(group)
        domains = np.array(group.domains, dtype=np.str_)
        return [
            _cell(definition, group, domain, domains == domain if definition.domains == "clips" else over, over)
            for domain, over in against(definition, group).items()
        ]
    except DataError as error:
        raise DataError(f"{group.file}: {error.message}", error.looked, error.hint) from error


def _check(definition: Definition, group: Group) -> None:
    arrays = {"labels": group.labels, "decisions": group.labels if group.decisions is None else group.decisions}
    if definition.domains == "clips":
        arrays["domains"] = np.array(group.domains)
    for name, array in arrays.items():
        if array.shape != group.scores.shape:
            raise DataError(
                f"{name} and scores differ in length",
                looked=f"{name} {array.shape}, scores {group.scores.shape}",
                hint="give one value a clip",
            )
    if not np.isin(group.labels, (0, 1, -1)).all():
        found = ", ".join(sorted({repr(code) for code in group.labels.tolist()})[:5])
        raise DataError("a label is none of 0, 1 and -1", looked=f"among them {found}", hint="see label_codes")


def _cell(
    definition: Definition, group: Group, domain: str, own: NDArray[np.bool_], over: NDArray[np.bool_]
) -> CellMetrics:
    labels = group.labels[own]
    name = group.file.machine, group.file.section, domain
    counts = int(np.sum(labels == 0)), int(np.sum(labels == 1))
    others = group.unlabelled
    reason = _why_not(definition, group, domain, own, over)
    if reason is not None:
        return CellMetrics(*name, None, None, None, None, None, *counts, reason, others)
    area, partial = auc(group.labels[over], group.scores[over]), pauc(group.labels, group.scores)
    if group.decisions is None:
        return CellMetrics(*name, area, partial, None, None, None, *counts, "no decisions", others)
    return CellMetrics(*name, area, partial, *precision_recall_f1(labels, group.decisions[own]), *counts, None, others)


def _why_not(
    definition: Definition, group: Group, domain: str, own: NDArray[np.bool_], over: NDArray[np.bool_]
) -> str | None:
    """Why a cell cannot be scored, or None where it can."""
    clips, unknown = len(group.labels), int(np.sum(group.labels == -1))
    if not clips:
        return "no clips"
    if unknown == clips:
        return UNLABELLED
    if definition.domains == "clips" and not domain:
        return f"domain of {int(own.sum())} of {clips} clips unknown"
    if not np.isfinite(group.scores).all():
        return f"{int(np.sum(~np.isfinite(group.scores)))} of {clips} scores are not finite"
    kinds = set(group.labels.tolist())
    if len(kinds) == 1:
        return f"one class only: {counted(clips, 'clip')}, all {'anomaly' if 1 in kinds else 'normal'}"
    if 0 not in group.labels[over]:
        return f"one class only in the {domain} domain: {counted(int(own.sum()), 'clip')}, all anomaly"
    return None


def values(definition: Definition, cells: Iterable[CellMetrics], metric: Metric) -> list[float] | None:
    """All values of a metric, each counted as often as the year counts it; None where a cell lacks it."""
    once = {(cell.machine, cell.section, definition.column(cell.domain, metric)): cell.value(metric) for cell in cells}
    known = [value for value in once.values() if value is not None]
    return known if len(known) == len(once) else None


def summarise(definition: Definition, cells: Iterable[CellMetrics]) -> Summary:
    """Means and official score over cells that have values: of a submission, of a machine, of a domain.

    Raises
    ------
    DataError
        Where there are no cells, or none has an AUC.
    """
    given = list(cells)
    found = {metric: kept for metric in METRICS if given and (kept := values(definition, given, metric)) is not None}
    ranking = [value for metric in RANKING for value in found.get(metric, ())]
    return Summary(
        means=MappingProxyType({metric: means(kept) for metric, kept in found.items()}),
        official_score=definition.mean(ranking),
    )
