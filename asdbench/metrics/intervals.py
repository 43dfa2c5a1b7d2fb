"""What all intervals share: their level, and the ends and steps of AUC and pAUC."""

from __future__ import annotations

from asdbench.metrics.roc import MAX_FPR

LEVEL = 0.95
PAUC_FLOOR = 0.5 * (1 - MAX_FPR / (2 - MAX_FPR))
"""The least standardised pAUC there is: about 0.474."""
ROUNDING = 1e-12
"""Below this a difference of fractions is none."""
PAUC_PER_AREA = 0.5 / (MAX_FPR - MAX_FPR**2 / 2)
"""What an area left of the maximum false positive rate counts in the standardised pAUC."""
