"""CL-VAE, the report's method: a VAE whose encoder is drawn to a centre for each section. Systems 1 and 2.

Source: Narita & Tamamori, DCASE 2021 Task 2 technical report, Table 1 and Eq. 3 to 10; results in Tables 5 and 6. The
centre loss is that of Wen et al., ECCV 2016. "Row n" is the row of docs/ambiguities.md.

Eq. 3         L_C = 1/2 sum_i ||x_i - c_{y_i}||^2
Eq. 4, 5      delta_c_j = sum_i [y_i = j] (c_j - x_i) / (1 + sum_i [y_i = j]);  c_j <- c_j - alpha delta_c_j
Eq. 6, 7      L_rec, L_kld: in :mod:`asdbench_systems._vae`
Eq. 8         loss = L_rec + L_kld + lambda L_C
System 1      Eq. 9 = L_rec + L_kld
System 2      Eq. 9 + 0.01 Eq. 10, where Eq. 10 = L_rec + L_kld + lambda L_C
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from asdbench.api import System
from asdbench.plugins import registry
from asdbench_systems._checks import check_number
from asdbench_systems._fitted import FittedVae
from asdbench_systems._vae import AUTHOR, PRINTED, Reading, Terms, Vae

if TYPE_CHECKING:
    from torch import Tensor

    from asdbench_systems._networks import Outputs

ALPHA = 1.0  # Eq. 5
QUICK = {"epochs": 25, "batch_size": 32}  # toy data
READINGS: Mapping[Reading, Mapping[str, Any]] = {
    "default": {},
    "printed": {**PRINTED, "center_reduction": "sum"},  # row 12
    # rows 11, 12 of the author's CVAE_ex4, whose weight of 2 has no 1/2 of Eq. 3 before it
    "author": {**AUTHOR, "center_update": "learned", "center_weight": 4.0},
}


def center_term(v: Tensor, centers: Tensor) -> Tensor:
    """Eq. 3, for each clip: 1/2 ||x_i - c||^2, of vectors (n, 512) and the centre of each (n, 512)."""
    return 0.5 * (v - centers).square().sum(dim=1)


def move_centers(centers: Tensor, v: Tensor, y: Tensor) -> None:
    """Eq. 4 and 5, in place: each centre (k, 512) moves towards the mean of its class's vectors (m, 512).

    Parameters
    ----------
    centers : Tensor (k, 512)
    v : Tensor (m, 512)
        The mini-batch's vectors x_i.
    y : Tensor of int64 (m,)
        Their classes.
    """
    member = v.new_zeros(len(y), len(centers)).scatter(1, y.unsqueeze(1), 1)  # [y_i = j]
    counts = member.sum(dim=0).unsqueeze(1)  # sum_i [y_i = j]
    delta = (counts * centers - member.T @ v) / (1 + counts)  # Eq. 4
    centers.sub_(ALPHA * delta)  # Eq. 5


@dataclass(frozen=True)
class Clvae(Vae):
    """Table 1's network with a CenterLossLayer.

    Parameters
    ----------
    center_on : {"encoder", "mu", "z"}
        The vector x_i of Eq. 3: the output of the encoder's FCBlock(512); the latent mean; or the sampled z (at test
        the z that is decoded). Row 10. Report: "output layer of the encoder", 512.
    center_update : {"wen", "learned"}
        Centres by Eq. 4 and 5 with alpha = 1 after each mini-batch, or as parameters trained by the same Adam as in the
        author's development code. Row 11. Report: Eq. 4, 5.
    center_reduction : {"mean", "sum"}
        Of Eq. 3 over the clips of a mini-batch, in training. Row 12. Report: Eq. 3 is a sum; the default is not.
    center_weight : float
        lambda of Eq. 8 and 10. Row 12. Report: 150. The author's code: 2 without the 1/2 of Eq. 3, which is 4 here.
    center_at_test : {"own", "nearest"}
        The centre of the clip's own section, or whichever is nearest. Row 16. Report: Eq. 10, silent.
    """

    center_on: Literal["encoder", "mu", "z"] = "encoder"
    center_update: Literal["wen", "learned"] = "wen"
    center_reduction: Literal["mean", "sum"] = "mean"
    center_weight: float = 150.0
    center_at_test: Literal["own", "nearest"] = "own"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("center_weight", self.center_weight, self.center_weight >= 0, "0 or a number above it")

    def new_centers(self, n_classes: int, seed: int) -> Tensor:
        """Initial centres (n_classes, 512), standard normal as in the author's code (the report is silent)."""
        import torch

        from asdbench_systems._networks import LATENT
        from asdbench_systems._training import generator

        centers = torch.randn(n_classes, LATENT, generator=generator(seed, "centers"))
        return centers if self.center_update == "wen" else torch.nn.Parameter(centers)  # row 11

    def vector(self, outputs: Outputs) -> Tensor:
        """Row 10: the x_i of Eq. 3; by default the encoder's output, after BatchNorm and ReLU, before mu and sigma."""
        return {"encoder": outputs.h, "mu": outputs.mu, "z": outputs.z}[self.center_on]

    def terms(self, x: Tensor, outputs: Outputs, y: Tensor, centers: Tensor | None) -> Terms:
        """Eq. 6, 7 and 3, each clip's."""
        assert centers is not None
        return {**super().terms(x, outputs, y, centers), "center": center_term(self.vector(outputs), centers[y])}

    def loss(self, terms: Terms) -> Tensor:
        """Eq. 8: L_rec + L_kld + lambda L_C."""
        # Row 12: the report sums Eq. 3 over the mini-batch; the mean stands on one scale with Eq. 6 and 7
        center = terms["center"].mean() if self.center_reduction == "mean" else terms["center"].sum()
        return super().loss(terms) + self.center_weight * center

    def after_step(self, outputs: Outputs, y: Tensor, centers: Tensor | None) -> None:
        """Eq. 4, 5 with the vectors of the mini-batch just seen; the loss was taken with the centres before."""
        if self.center_update == "wen":
            assert centers is not None
            move_centers(centers, self.vector(outputs).detach(), y)

    def test_terms(self, x: Tensor, outputs: Outputs, y: Tensor, centers: Tensor | None, seen: Tensor) -> Terms:
        """Eq. 6, 7 and 3; center is NaN where ``own`` is asked for and the clip's class had no training clip."""
        assert centers is not None
        plain = super().terms(x, outputs, y, centers)
        vector = self.vector(outputs)
        if self.center_at_test == "own":  # row 16
            center = center_term(vector, centers[y.clamp(min=0)]).masked_fill(y < 0, math.nan)
        else:  # of the classes with training clips; the others' centres are where they were drawn
            center = vector.new_full((len(vector),), math.inf)
            for candidate in centers[seen]:
                center = center.minimum(center_term(vector, candidate))
        return {**plain, "center": center}


@registry.takes(Clvae)
def clvae(*, reading: Reading = "default", **parameters: Any) -> System[FittedVae]:
    """System 1 of the report (Table 5): CL-VAE, scored by Eq. 9.

    On toy data: 25 epochs of mini-batches of 32, 50 steps for the 57 training clips of a machine.

    Parameters
    ----------
    reading : {"default", "printed", "author"}
        What the other parameters are where they are not given: the defaults below; rows 12 to 14 as the report prints
        them; or the author's development code in every row. Report: see each parameter.
    """
    return System(
        name="clvae",
        title="CL-VAE, System 1 (Eq. 9)",
        model=Clvae(**{**READINGS[reading], **parameters}),
        formula={"reconstruction": 1.0, "kld": 1.0},  # Eq. 9
        published="narita2021/table-5",
        quick=QUICK,
        source="Narita & Tamamori, DCASE 2021 Task 2 technical report, System 1, Table 5",
    )


@registry.takes(Clvae)
def clvae_ensemble(
    *,
    reading: Reading = "default",
    scale: float = 0.01,
    combine: Literal["sum", "standardised"] = "sum",
    **parameters: Any,
) -> System[FittedVae]:
    """System 2 of the report (Table 6): the same trained model as System 1, scored by Eq. 9 + 0.01 Eq. 10.

    On toy data: 25 epochs of mini-batches of 32, 50 steps for the 57 training clips of a machine.

    Parameters
    ----------
    reading : {"default", "printed", "author"}
        As of ``clvae``. The author's development code has no System 2: with ``author`` it is his CL-VAE, scored by the
        report's formula. Report: see each parameter.
    scale : float
        The weight of Eq. 10. Row 17. Report: 0.01.
    combine : {"sum", "standardised"}
        The sum of Eq. 9 and the scaled Eq. 10; or both standardised first, to mean 0 and deviation 1 over the training
        clips, by which the scale of Eq. 10 cancels. Row 17. Report: "ensemble".
    """
    check_number("scale", scale, scale >= 0, "0 or a number above it")
    model = Clvae(**{**READINGS[reading], **parameters})
    eq9 = {"reconstruction": 1.0, "kld": 1.0}
    eq10 = {**eq9, "center": model.center_weight}
    return System(
        name="clvae-ensemble",
        title="CL-VAE, System 2 (Eq. 9 + 0.01 Eq. 10)",
        model=model,
        formula={  # Eq. 9 + scale * Eq. 10, gathered by component
            "reconstruction": 1 + scale,
            "kld": 1 + scale,
            "center": scale * model.center_weight,
        },
        standardised=(eq9, eq10) if combine == "standardised" else (),
        published="narita2021/table-6",
        quick=QUICK,
        source="Narita & Tamamori, DCASE 2021 Task 2 technical report, System 2, Table 6",
    )
