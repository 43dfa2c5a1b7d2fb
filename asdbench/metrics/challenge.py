"""The metrics of each year of the challenge, DCASE 2020 to 2026 Task 2: what a row is and what the official score is.

Conventions
-----------
- 2020: a row is a machine's individual (id); AUC and pAUC over its clips. Official score: the arithmetic mean of all.
- 2021: a row is machine x section x domain, each metric over its own clips. Official score: the harmonic mean of all
  AUC and pAUC.
- 2022 and later: a row is machine x section x domain, but its AUC is that of the domain's normal clips against all
  anomalies of the section. pAUC is the section's, over both domains: the same value in both rows, counted once.
  Precision, recall, F1, and the numbers of clips, are of the domain's own clips. Official score: the harmonic mean of
  all AUC and, once a section, pAUC.
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

from asdbench.api import DOMAINS
from asdbench.metrics.aggregate import METRICS, RANKING, Means, Metric, arithmetic_mean, harmonic_mean, means
from asdbench.metrics.decision import precision_recall_f1
from asdbench.metrics.roc import auc, pauc

DomainsIn: TypeAlias = Literal["nothing", "files", "clips"]


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


_LATER = Definition("clips", "harmonic")
DEFINITIONS: Mapping[int, Definition] = MappingProxyType(
    {
        2020: Definition("nothing", "arithmetic"),
        2021: Definition("files", "harmonic"),
        **dict.fromkeys(range(2022, 2027), _LATER),
    }
)


@dataclass(frozen=True)
class Group:
    """The clips of one score file, in one order.

    Parameters
    ----------
    machine, section : str
        2020: the section is the id.
    domain : str or None
        2021: the file's domain; else None.
    labels : int array (clips,)
        0 normal, 1 anomaly.
    scores : float array (clips,)
    decisions : int array (clips,) or None
        0 normal, 1 anomaly; None where there are none.
    domains : sequence of str or None
        Each clip's domain, 2022 and later.
    """

    machine: str
    section: str
    domain: str | None
    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    decisions: NDArray[np.int64] | None = None
    domains: Sequence[str] | None = None


@dataclass(frozen=True)
class ChallengeCell:
    """One row: metrics as fractions, precision, recall and F1 None where there are no decisions.

    ``domain`` is None in 2020. ``n_normal`` and ``n_anomaly`` are the row's own clips; 2022 and later, the AUC is
    against the other domain's anomalies too.
    """

    machine: str
    section: str
    domain: str | None
    auc: float
    pauc: float
    precision: float | None
    recall: float | None
    f1: float | None
    n_normal: int
    n_anomaly: int

    def value(self, metric: Metric) -> float | None:
        """One metric by its name."""
        value: float | None = getattr(self, metric)
        return value


@dataclass(frozen=True)
class ChallengeSummary:
    """Means over rows and the official score.

    Parameters
    ----------
    means : mapping of metric to Means
        A metric that any row lacks is absent.
    official_score : float
    """

    means: Mapping[Metric, Means] = field(hash=False)
    official_score: float


def missing_class(definition: Definition, labels: NDArray[np.int64], domains: Sequence[str] | None) -> str | None:
    """Why a file's clips have no AUC, or None where they have.

    An AUC needs normal clips (2022 and later: of each domain) and anomalies (2022 and later: of the section).
    """
    names = {0: "normal", 1: "anomaly"}
    if len(set(labels.tolist())) < 2:
        return f"one class only: {len(labels)} clips, all {names[int(labels[0])]}" if len(labels) else "no clips"
    if definition.domains == "clips":
        assert domains is not None
        for domain in DOMAINS:
            own = [label for label, where in zip(labels.tolist(), domains, strict=True) if where == domain]
            if not own:
                return f"no clips of the {domain} domain"
            if 0 not in own:
                return f"one class only in the {domain} domain: {len(own)} clips, all anomaly"
    return None


def score_group(definition: Definition, group: Group) -> list[ChallengeCell]:
    """The rows that a file's clips give: one, or one a domain (2022 and later).

    Raises
    ------
    DataError
        For one class only, scores that are not finite, labels or decisions other than 0 and 1.
    """
    if definition.domains != "clips":
        everything = np.ones(len(group.labels), dtype=np.bool_)
        area, partial = auc(group.labels, group.scores), pauc(group.labels, group.scores)
        return [_row(group, group.domain, everything, area, partial)]
    partial = pauc(group.labels, group.scores)
    rows = []
    for domain in DOMAINS:
        own = np.array(group.domains) == domain
        against = own | (group.labels == 1)
        rows.append(_row(group, domain, own, auc(group.labels[against], group.scores[against]), partial))
    return rows


def _row(group: Group, domain: str | None, own: NDArray[np.bool_], area: float, partial: float) -> ChallengeCell:
    labels = group.labels[own]
    precision, recall, f1 = None, None, None
    if group.decisions is not None:
        precision, recall, f1 = precision_recall_f1(labels, group.decisions[own])
    normal, anomaly = int(np.sum(labels == 0)), int(np.sum(labels == 1))
    return ChallengeCell(group.machine, group.section, domain, area, partial, precision, recall, f1, normal, anomaly)


def values(definition: Definition, cells: Iterable[ChallengeCell], metric: Metric) -> list[float] | None:
    """All values of a metric, each counted as often as the year counts it; None where a row lacks it."""
    given = list(cells)
    if metric == "pauc" and definition.pauc_of_section:
        given = list({(cell.machine, cell.section): cell for cell in given}.values())
    found = [cell.value(metric) for cell in given]
    known = [value for value in found if value is not None]
    return known if len(known) == len(found) else None


def summarise(definition: Definition, cells: Iterable[ChallengeCell]) -> ChallengeSummary:
    """Means and official score over rows: of a submission, of a machine, of a domain.

    Raises
    ------
    DataError
        Where there are no rows.
    """
    given = list(cells)
    found = {metric: values(definition, given, metric) for metric in METRICS}
    ranking = [value for metric in RANKING for value in found[metric] or ()]
    mean = arithmetic_mean if definition.official == "arithmetic" else harmonic_mean
    return ChallengeSummary(
        means=MappingProxyType({metric: means(kept) for metric, kept in found.items() if kept is not None}),
        official_score=mean(ranking),
    )
