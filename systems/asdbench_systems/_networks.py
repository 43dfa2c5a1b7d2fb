"""The networks of the built-in systems: the organizers' autoencoder and the report's Table 1.

Conventions
-----------
Every Linear layer is drawn from an explicit generator, layer by layer in the order of the forward pass; torch's global
random state is neither read nor changed. ``y`` is the one-hot label of each row, where a network takes one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

AE_HIDDEN, AE_BOTTLENECK = 128, 8
HIDDEN, LATENT = 1024, 512  # Table 1


def linear(inputs: int, outputs: int, draw: torch.Generator, glorot: bool = False) -> nn.Linear:
    """A Linear layer, initialised as Keras does (Glorot uniform, zero bias) or as torch does (± 1/sqrt(inputs))."""
    # to_empty: torch's own initialisation would draw from the global random state
    layer: nn.Linear = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    bound = math.sqrt(6 / (inputs + outputs)) if glorot else math.sqrt(1 / inputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=draw)
        if glorot:
            layer.bias.zero_()
        else:
            layer.bias.uniform_(-bound, bound, generator=draw)
    return layer


# The organizers' autoencoder


class Autoencoder(nn.Module):
    """640-[128]x4-8-[128]x4-640: each hidden layer Dense, BatchNorm, ReLU, the bottleneck too; linear output.

    The names of its tensors are those of a Sequential ``encoder`` and a Sequential ``decoder``.

    Parameters
    ----------
    width : int
        Values in a window (5 frames x 128 bands).
    eps : float
        BatchNorm's epsilon.
    draw : torch.Generator
    """

    def __init__(self, width: int, eps: float, draw: torch.Generator) -> None:
        super().__init__()

        def dense(inputs: int, outputs: int) -> list[nn.Module]:
            # Keras' momentum of 0.99 counts what is kept. The moving variance follows the unbiased one: the pinned
            # Keras 2.3.0 multiplies the batch's by n / (n - (1 + eps)), torch by n / (n - 1).
            norm = nn.BatchNorm1d(outputs, eps=eps, momentum=0.01)
            return [linear(inputs, outputs, draw, glorot=True), norm, nn.ReLU()]

        hidden = [AE_HIDDEN] * 4
        down, up = [width, *hidden, AE_BOTTLENECK], [AE_BOTTLENECK, *hidden]
        self.encoder = nn.Sequential(*(layer for pair in pairwise(down) for layer in dense(*pair)))
        self.decoder = nn.Sequential(
            *(layer for pair in pairwise(up) for layer in dense(*pair)),
            linear(AE_HIDDEN, width, draw, glorot=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        code: Tensor = self.encoder(x)
        output: Tensor = self.decoder(code)
        return output


# ------------------------------------------------------------------------------------------------------- Table 1


class FCBlock(nn.Sequential):
    """Table 1's FCBlock: Linear, BatchNorm, ReLU."""

    def __init__(self, inputs: int, outputs: int, draw: torch.Generator) -> None:
        super().__init__(linear(inputs, outputs, draw), nn.BatchNorm1d(outputs), nn.ReLU())


@dataclass(frozen=True)
class Outputs:
    """What the VAE computes of a mini-batch.

    Parameters
    ----------
    h : Tensor (n, 512)
        Output of the encoder's last FCBlock.
    mu, logvar, z : Tensor (n, 512)
        Mean and log sigma^2 of the latent distribution, and the vector drawn from it (mu where there is no noise).
    xhat : Tensor (n, width)
        The reconstruction.
    """

    h: Tensor
    mu: Tensor
    logvar: Tensor
    z: Tensor
    xhat: Tensor


class VAE(nn.Module):
    """Table 1, with the alternatives of rows 9 and 18 to 20.

    Parameters
    ----------
    width : int
        Features of a clip (3776).
    classes : int
        Length of the one-hot label; 0 where the network takes none (CL-VAE).
    label_at : {"decoder", "both", "author-bug"}
        Row 20; without meaning where ``classes`` is 0.
    decoder : {"table1", "author"}
        Row 18.
    output : {"batchnorm-relu", "relu", "linear"}
        Row 19.
    input_batchnorm : bool
        Row 9.
    draw : torch.Generator
    """

    def __init__(
        self,
        width: int,
        classes: int,
        label_at: Literal["decoder", "both", "author-bug"],
        decoder: Literal["table1", "author"],
        output: Literal["batchnorm-relu", "relu", "linear"],
        input_batchnorm: bool,
        draw: torch.Generator,
    ) -> None:
        super().__init__()
        self.label_at = label_at
        self.scale_input = nn.BatchNorm1d(width) if input_batchnorm else nn.Identity()
        # Encoder: FCBlock(1024) x 3, FCBlock(512)
        sizes = [width + (classes if label_at == "both" else 0), HIDDEN, HIDDEN, HIDDEN, LATENT]
        self.encoder = nn.Sequential(*(FCBlock(a, b, draw) for a, b in pairwise(sizes)))
        # Reparameterization(512)
        self.mu = linear(LATENT, LATENT, draw)
        self.logvar = linear(LATENT, LATENT, draw)
        # Decoder: FCBlock(512), FCBlock(1024) x 3, FCBlock(3776). Row 18, the author's: 512 -> 1024 -> 3776, then two
        # more blocks of 3776, the last of which is the output
        hidden = [LATENT, HIDDEN, HIDDEN, HIDDEN] if decoder == "table1" else [HIDDEN, width, width]
        sizes = [LATENT + classes, *hidden]
        self.decoder = nn.Sequential(*(FCBlock(a, b, draw) for a, b in pairwise(sizes)))
        # Row 19: the last FCBlock whole, without its BatchNorm, or its Linear alone
        last: list[nn.Module] = [linear(hidden[-1], width, draw)]
        if output == "batchnorm-relu":
            last.append(nn.BatchNorm1d(width))
        if output != "linear":
            last.append(nn.ReLU())
        self.output = nn.Sequential(*last)

    def forward(self, x: Tensor, y: Tensor | None, noise: Tensor | None) -> Outputs:
        """Encode, draw z and decode ``x`` (n, width), with one-hot labels ``y`` and standard normal ``noise``."""
        seen = self.scale_input(x)
        if y is not None and self.label_at == "both":
            seen = torch.cat([seen, y], dim=1)
        h = self.encoder(seen)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu if noise is None else mu + (0.5 * logvar).exp() * noise
        # Row 20, the author's slip: the label is joined to the deterministic h, so that z is never decoded
        code = h if y is not None and self.label_at == "author-bug" else z
        if y is not None:
            code = torch.cat([code, y], dim=1)
        return Outputs(h, mu, logvar, z, self.output(self.decoder(code)))
