"""The conditional VAE of the report's Table 4: the network of Table 1 told the section, on the same features.

Source: Narita & Tamamori, DCASE 2021 Task 2 technical report, Table 4, which says no more of it than that it uses
section labels and the same features. Row 20 names what is open; all else is as in :mod:`asdbench_systems._vae`.
Score: L_rec + L_kld (Eq. 9).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asdbench.api import System
from asdbench.plugins import registry
from asdbench_systems._fitted import FittedVae
from asdbench_systems._vae import AUTHOR, PRINTED, LabelAt, Reading, Terms, Vae

if TYPE_CHECKING:
    from torch import Tensor

    from asdbench_systems._networks import VAE, Outputs


READINGS: Mapping[Reading, Mapping[str, Any]] = {
    "default": {},
    "printed": PRINTED,
    # rows 2, 9, 20 of the author's CVAE, and what it shares with his CL-VAE
    "author": {**AUTHOR, "batch_size": 5000, "scaling": "input-batchnorm", "label_at": "author-bug"},
}


@dataclass(frozen=True)
class Cvae(Vae):
    """Table 1's network, conditioned on the section.

    Parameters
    ----------
    label_at : {"decoder", "both", "author-bug"}
        Where the one-hot label is joined: to z; to z and to the encoder's input; or to the encoder's output as in the
        author's development code, by which z is never decoded and the KL head trains alone. Row 20. Report: silent.
    """

    label_at: LabelAt = "decoder"

    def new_network(self, width: int, n_classes: int, seed: int) -> VAE:
        """Table 1 with the label joined as row 20 says."""
        return self.table1(width, n_classes, self.label_at, seed)

    def label(self, y: Tensor, n_classes: int) -> Tensor:
        """The one-hot label (n, n_classes); zeros where the class is unknown (-1)."""
        onehot = y.new_zeros(len(y), n_classes + 1).scatter(1, y.where(y >= 0, n_classes).unsqueeze(1), 1)
        return onehot[:, :n_classes].float()

    def test_terms(self, x: Tensor, outputs: Outputs, y: Tensor, centers: Tensor | None, seen: Tensor) -> Terms:
        """Eq. 6 and 7; NaN where the class had no training clip: its condition was never trained."""
        terms = self.terms(x, outputs, y, centers)
        return {name: value.masked_fill(y < 0, math.nan) for name, value in terms.items()}


@registry.takes(Cvae)
def cvae(*, reading: Reading = "default", **parameters: Any) -> System[FittedVae]:
    """The conditional VAE that the report compares with (Table 4).

    On toy data: 25 epochs of mini-batches of 32, 50 steps for the 57 training clips of a machine.

    Parameters
    ----------
    reading : {"default", "printed", "author"}
        What the other parameters are where they are not given: the defaults below; rows 13 and 14 as the report prints
        them; or the author's development code in every row. Report: see each parameter.
    """
    return System(
        name="cvae",
        title="Conditional VAE on section labels",
        model=Cvae(**{**READINGS[reading], **parameters}),
        formula={"reconstruction": 1.0, "kld": 1.0},  # Eq. 9
        published="narita2021/table-4",
        quick={"epochs": 25, "batch_size": 32},
        source="Narita & Tamamori, DCASE 2021 Task 2 technical report, Table 4",
    )
