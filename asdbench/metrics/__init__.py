"""Metrics as plain functions of arrays; numpy only at import.

:mod:`~asdbench.metrics.roc` (AUC, pAUC), :mod:`~asdbench.metrics.decision` (gamma threshold, precision, recall, F1),
:mod:`~asdbench.metrics.challenge` (cells and official score of each year), :mod:`~asdbench.metrics.aggregate` (means).
All values are fractions.
"""

from asdbench.metrics.aggregate import (
    CellMetrics,
    Means,
    arithmetic_mean,
    harmonic_mean,
    label_codes,
    official_score,
)
from asdbench.metrics.challenge import DEFINITIONS, Definition, Group, Summary, score_group, summarise
from asdbench.metrics.decision import Threshold, decide, gamma_threshold, precision_recall_f1
from asdbench.metrics.roc import auc, pauc

__all__ = [
    "DEFINITIONS",
    "CellMetrics",
    "Definition",
    "Group",
    "Means",
    "Summary",
    "Threshold",
    "arithmetic_mean",
    "auc",
    "decide",
    "gamma_threshold",
    "harmonic_mean",
    "label_codes",
    "official_score",
    "pauc",
    "precision_recall_f1",
    "score_group",
    "summarise",
]
