"""What the CVAE of Table 4 and the CL-VAE (Systems 1 and 2) share: Table 1's network, Eq. 6 and 7, training.

Source: Narita & Tamamori, DCASE 2021 Task 2 technical report, Table 1 and Eq. 6 to 8. "Row n" is the row of the table
in docs/ambiguities.md: a choice that the report leaves open, named at the line that makes it.

Conventions
-----------
Loss terms are computed per clip; their mean over a mini-batch is taken by the loss alone. A component at test is
therefore the same function of the network's outputs as the term that was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Batch, FitContext, Floats, Scope
from asdbench.errors import FitError
from asdbench_systems._checks import check_number, training_vectors
from asdbench_systems._fitted import FittedVae

if TYPE_CHECKING:
    from torch import Tensor

    from asdbench_systems._networks import VAE, Outputs

Terms: TypeAlias = "dict[str, Tensor]"  # name of a loss term -> (n,) its value for each clip
LabelAt: TypeAlias = Literal["decoder", "both", "author-bug"]

Reading: TypeAlias = Literal["default", "printed", "author"]
"""A column of docs/ambiguities.md; a factory of a system has parameters for each, which single ones overrule."""

LEARNING_RATE = 1e-3  # row 1: also where OneCycleLR has its maximum
PRINTED: Mapping[str, Any] = {"reconstruction_reduction": "sum", "kld": "literal"}  # rows 13, 14
AUTHOR: Mapping[str, Any] = {  # rows 6, 8, 15, 18; the other rows are the default's
    "embedding": "resnet38[blocks=author3072,resampler=kaiser_best]",
    "latent_at_test": "sample",
    "decoder": "author",
}


@dataclass(frozen=True)
class Vae:
    """The variational autoencoder of Table 1 and how it is trained.

    Parameters
    ----------
    embedding : str
        The features, a spec; rows 6 to 8 are parameters of the embedding (``resnet38[blocks=pre-add]``). Report: Eq. 1,
        2: means of the outputs of the 16 BasicBlocks of PANNs ResNet38, d = 3776.
    lr : float or {"onecycle"}
        Adam's learning rate, constant; ``onecycle`` is torch's OneCycleLR up to 1e-3. Row 1. Report: silent.
    epochs : int
        Passes over the training clips; the model after the last one counts (row 3). Row 2. Report: silent.
    batch_size : int
        Clips in a mini-batch; the last one is smaller, one clip left over joins the batch before. Row 2. Report:
        silent.
    sections : {"all", "dev"}
        One model of the development and additional training clips of a machine together, or the development and the
        evaluation sections apart. Row 4. Report: Table 1, CenterLossLayer(6 sections), so all.
    classes : {"section", "section-domain"}
        What a class is: a section, or source and target of a section apart. Row 5. Report: Table 1, 6 sections; the
        text, 5.
    scaling : {"none", "zscore", "input-batchnorm"}
        Of the features: none; by mean and standard deviation of the training clips (the reconstruction is then of
        scaled features); or a BatchNorm before the encoder (the reconstruction is of unscaled ones). Row 9. Report:
        silent.
    reconstruction_reduction : {"mean", "sum"}
        Over the d features of a clip, in training and in the score; the mean over the mini-batch is taken either way.
        Row 13. Report: Eq. 6, 1/N sum, where N is the size of the mini-batch: printed, it is ``sum``.
    kld : {"standard", "literal"}
        1 + log sigma^2 - mu^2 - sigma^2, in training the mean over the mini-batch; or Eq. 7 to the letter: log sigma,
        in training the sum over the mini-batch. Row 14. Report: Eq. 7 prints log sigma and the sum from 1 to N.
    latent_at_test : {"mu", "sample"}
        Decode the mean at test, or a draw of z whose noise is fixed by the seed and the clip's features. Row 15.
        Report: silent.
    decoder : {"table1", "author"}
        FCBlocks of 512, 1024 x 3, d; or of 1024, d, d, d as in the author's development code. Row 18. Report: Table 1.
    output : {"batchnorm-relu", "relu", "linear"}
        What follows the decoder's last Linear layer. Row 19. Report: Table 1, FCBlock(3776), so BatchNorm and ReLU.
    """

    embedding: str = "resnet38"
    lr: float | Literal["onecycle"] = LEARNING_RATE
    epochs: int = 300
    batch_size: int = 512
    sections: Literal["all", "dev"] = "all"
    classes: Literal["section", "section-domain"] = "section"
    scaling: Literal["none", "zscore", "input-batchnorm"] = "none"
    reconstruction_reduction: Literal["mean", "sum"] = "mean"
    kld: Literal["standard", "literal"] = "standard"
    latent_at_test: Literal["mu", "sample"] = "mu"
    decoder: Literal["table1", "author"] = "table1"
    output: Literal["batchnorm-relu", "relu", "linear"] = "batchnorm-relu"

    def __post_init__(self) -> None:
        if self.lr != "onecycle":
            check_number("lr", self.lr, self.lr > 0, "a number above 0, or onecycle")
        check_number("epochs", self.epochs, self.epochs >= 1, "1 or more")
        check_number(
            "batch_size", self.batch_size, self.batch_size >= 2, "2 or more: BatchNorm cannot train on one clip"
        )

    @property
    def scope(self) -> Scope:
        """Row 4: all six sections of a machine where they are there, or development and evaluation apart."""
        return "machine" if self.sections == "all" else "machine-part"

    def reconstruction(self, x: Tensor, xhat: Tensor) -> Tensor:
        """Eq. 6, for each clip: 1/N sum (x - xhat)^2."""
        squared = (x - xhat).square()
        # Row 13: N counts the clips and the d features ("mean", the author's), or the clips alone as the report says
        # ("sum": d times larger)
        return squared.mean(dim=1) if self.reconstruction_reduction == "mean" else squared.sum(dim=1)

    def divergence(self, mu: Tensor, logvar: Tensor) -> Tensor:
        """Eq. 7, for each clip: -1/2 sum (1 + log sigma^2 - mu^2 - sigma^2), over the 512 latent dimensions."""
        # Row 14: the network gives log sigma^2, as the author's; the report prints log sigma, which is half of that
        logarithm = logvar if self.kld == "standard" else 0.5 * logvar
        return -0.5 * (1 + logarithm - mu.square() - logvar.exp()).sum(dim=1)

    def terms(self, x: Tensor, outputs: Outputs, y: Tensor, centers: Tensor | None) -> Terms:
        """Each clip's loss terms; ``y`` (n,) are the clips' classes."""
        return {
            "reconstruction": self.reconstruction(x, outputs.xhat),
            "kld": self.divergence(outputs.mu, outputs.logvar),
        }

    def loss(self, terms: Terms) -> Tensor:
        """Eq. 8 without the centre loss: L_rec + L_kld."""
        # Row 14: the author's code takes the mean of Eq. 7 over the mini-batch; the report prints the sum over i = 1..N
        kld = terms["kld"].mean() if self.kld == "standard" else terms["kld"].sum()
        return terms["reconstruction"].mean() + kld

    # What CVAE and CL-VAE do otherwise; here is the plain VAE.

    def new_network(self, width: int, n_classes: int, seed: int) -> VAE:
        """Table 1 for features of ``width``, drawn from ``seed``."""
        return self.table1(width, 0, "decoder", seed)

    def label(self, y: Tensor, n_classes: int) -> Tensor | None:
        """The one-hot label (n, n_classes) that the network takes, or None."""
        return None

    def new_centers(self, n_classes: int, seed: int) -> Tensor | None:
        """The class centres (n_classes, 512), or None."""
        return None

    def after_step(self, outputs: Outputs, y: Tensor, centers: Tensor | None) -> None:
        """What is done after a mini-batch besides the optimiser's step."""

    def vector(self, outputs: Outputs) -> Tensor:
        """The clips' vectors (n, 512) that a picture of the latent space shows: mu."""
        return outputs.mu

    def test_terms(self, x: Tensor, outputs: Outputs, y: Tensor, centers: Tensor | None, seen: Tensor) -> Terms:
        """Each clip's components; ``y`` is -1 where the class had no training clip, ``seen`` (n_classes,) which had."""
        return self.terms(x, outputs, y, centers)

    # Training

    def fit(self, train: Batch, ctx: FitContext) -> FittedVae:
        """Train on normal clips: Adam on :meth:`loss`, ``epochs`` passes in shuffled mini-batches.

        Logs the mean over the epoch's clips of the loss and of each of its terms.

        Raises
        ------
        FitError
            For features that are not one finite vector a clip, fewer than two clips, or a training that diverges.
        """
        import torch
        from torch.optim.lr_scheduler import OneCycleLR

        from asdbench_systems._networks import LATENT
        from asdbench_systems._training import adam, batch_edges, check_loss, generator, minibatches

        features = training_vectors(train)
        fitted = self._untrained(features, train, ctx)
        network, centers, n_classes = fitted.network, fitted.centers, len(fitted.seen)
        data = torch.from_numpy(fitted.scaled(features)).to(ctx.device)
        classes = torch.from_numpy(self.class_codes(train)[0]).to(ctx.device)

        learned = [centers] if isinstance(centers, torch.nn.Parameter) else []
        # Row 1: Adam at a constant 1e-3, or with OneCycleLR, stepped after each mini-batch
        optimizer = adam([*network.parameters(), *learned], LEARNING_RATE if self.lr == "onecycle" else self.lr)
        steps = self.epochs * (len(batch_edges(len(data), self.batch_size)) - 1)
        onecycle = OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps) if self.lr == "onecycle" else None
        order, noise = generator(ctx.seed, "order"), generator(ctx.seed, "noise")

        for epoch in range(1, self.epochs + 1):  # row 3: a fixed budget, the last epoch counts
            network.train()
            sums: Terms = {}
            for batch in minibatches(len(data), self.batch_size, order):
                rows = batch.to(ctx.device)
                x, y = data[rows], classes[rows]
                draw = torch.randn(len(rows), LATENT, generator=noise).to(ctx.device)
                outputs: Outputs = network(x, self.label(y, n_classes), draw)
                terms = self.terms(x, outputs, y, centers)
                loss = self.loss(terms)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
                optimizer.step()
                ctx.steps += 1
                if onecycle:
                    onecycle.step()
                self.after_step(outputs, y, centers)
                for name, value in {"loss": loss, **terms}.items():
                    sums[name] = sums.get(name, 0) + value.detach().mean() * len(rows)
            means = {name: float(value) / len(data) for name, value in sums.items()}
            check_loss(means["loss"], epoch, self.epochs)
            ctx.log(epoch, **means)
            if ctx.on_epoch:
                ctx.on_epoch(epoch, fitted)
        network.eval()
        return fitted

    def class_codes(self, batch: Batch) -> tuple[NDArray[np.int64], int]:
        """Row 5: the class of each clip, -1 where unknown, and how many there are: of the sections there, never 6."""
        if self.classes == "section":
            return batch.section, batch.n_sections
        known = (batch.section >= 0) & (batch.domain >= 0)
        return np.where(known, 2 * batch.section + batch.domain, -1), 2 * batch.n_sections

    def table1(self, width: int, n_classes: int, label_at: LabelAt, seed: int) -> VAE:
        """Table 1's network; ``n_classes`` is the length of the one-hot label it takes, 0 for none."""
        from asdbench_systems._networks import VAE
        from asdbench_systems._training import generator

        batchnorm = self.scaling == "input-batchnorm"  # row 9
        return VAE(width, n_classes, label_at, self.decoder, self.output, batchnorm, generator(seed, "init"))

    def _untrained(self, features: Floats, train: Batch, ctx: FitContext) -> FittedVae:
        import torch

        width = features.shape[1]
        classes, n_classes = self.class_codes(train)
        if np.any(classes < 0):
            raise FitError(
                f"{np.count_nonzero(classes < 0)} of {len(train)} training clips are of an unknown section or domain",
                looked=f"the training clips' codes, for classes={self.classes}",
                hint="say section and domain of every training clip, or use classes=section",
            )
        shift, scale = np.zeros(width), np.ones(width)
        if self.scaling == "zscore":  # row 9
            shift, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
            scale[scale == 0] = 1  # a feature that never varies becomes 0, not 0/0
        centers = self.new_centers(n_classes, ctx.seed)
        if centers is not None:
            centers.data = centers.data.to(ctx.device)
        return FittedVae(
            model=self,
            network=self.new_network(width, n_classes, ctx.seed).to(ctx.device),
            centers=centers,
            seen=torch.from_numpy(np.bincount(classes, minlength=n_classes) > 0).to(ctx.device),
            shift=shift.astype(np.float32),
            scale=scale.astype(np.float32),
            seed=ctx.seed,
            device=ctx.device,
        )
