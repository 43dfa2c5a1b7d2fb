"""A trained VAE: from clips to score components.

Conventions
-----------
Clips go through the network in chunks of a fixed size, the last one filled up, in evaluation mode and without random
numbers of any running state: a clip's components depend neither on its neighbours nor on how many they are.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Batch, Floats
from asdbench_systems._checks import vectors

if TYPE_CHECKING:
    from torch import Tensor

    from asdbench_systems._networks import VAE, Outputs

CHUNK = 128  # clips


class Reading(Protocol):
    """What a fitted VAE asks its model: how the network's outputs are read."""

    @property
    def latent_at_test(self) -> str: ...  # "mu" or "sample"

    def class_codes(self, batch: Batch) -> tuple[NDArray[np.int64], int]: ...

    def label(self, y: Tensor, n_classes: int) -> Tensor | None: ...

    def vector(self, outputs: Outputs) -> Tensor: ...

    def test_terms(self, x: Tensor, outputs: Outputs, y: Tensor, centers: Tensor | None, seen: Tensor) -> Any: ...


@dataclass(frozen=True, eq=False)
class FittedVae:
    """A trained network, and the centres where there are any.

    Parameters
    ----------
    model : Reading
        The model that was trained.
    network : VAE
    centers : Tensor (n_classes, 512) or None
    seen : Tensor of bool (n_classes,)
        Classes that had a training clip.
    shift, scale : float32 arrays (d,)
        Row 9: what the network sees is (features - shift) / scale.
    seed : int
        Of the noise, where z is sampled at test.
    device : str
    """

    model: Reading
    network: VAE
    centers: Tensor | None
    seen: Tensor
    shift: Floats
    scale: Floats
    seed: int
    device: str

    def components(self, batch: Batch) -> Mapping[str, Floats]:
        """Each (clips,): reconstruction (Eq. 6), kld (Eq. 7) and, of CL-VAE, center (Eq. 3, without its weight).

        NaN in every component where a clip's features are not finite, and in those that need the clip's class where
        that class had no training clip.
        """
        centers = None if self.centers is None else self.centers.detach()
        found: dict[str, list[Floats]] = {}
        for x, y, outputs in self._evaluate(batch):
            finite = x.isfinite().all(dim=1)
            for name, value in self.model.test_terms(x, outputs, y, centers, self.seen).items():
                found.setdefault(name, []).append(value.where(finite & value.isfinite(), math.nan).cpu().numpy())
        return {name: np.concatenate(values)[: len(batch)] for name, values in found.items()}

    def latent(self, batch: Batch) -> Floats:
        """The vector of each clip that is looked at, (clips, 512): mu, or of CL-VAE the one drawn to the centres."""
        found = [self.model.vector(outputs).cpu().numpy() for _, _, outputs in self._evaluate(batch)]
        return np.concatenate(found)[: len(batch)]

    def centres(self) -> Floats | None:
        """The class centres (n_classes, 512), NaN where a class had no training clip; None but of CL-VAE."""
        if self.centers is None:
            return None
        centres = self.centers.detach()
        return np.asarray(centres.where(self.seen.unsqueeze(1), math.nan).cpu().numpy(), dtype=np.float32)

    @property
    def parameters(self) -> int:
        """How many numbers were learned: the network's, and the centres'."""
        learned = sum(parameter.numel() for parameter in self.network.parameters())
        return learned + (0 if self.centers is None else self.centers.numel())

    def scaled(self, features: Floats) -> Floats:
        """What the network sees of features (n, d); a new array."""
        return (features - self.shift) / self.scale

    def _evaluate(self, batch: Batch) -> Iterator[tuple[Tensor, Tensor, Outputs]]:
        import torch

        classes, n_classes = self.model.class_codes(batch)
        self.network.eval()
        for start in range(0, len(batch), CHUNK):
            features = vectors(batch, start, min(start + CHUNK, len(batch)))
            filled = np.zeros((CHUNK, features.shape[1]), np.float32)
            filled[: len(features)] = self.scaled(features)
            codes = np.full(CHUNK, -1)
            codes[: len(features)] = classes[start : start + CHUNK]
            x, y = torch.from_numpy(filled).to(self.device), torch.from_numpy(codes).to(self.device)
            y = y.where((y >= 0) & self.seen[y.clamp(min=0)], -1)
            with torch.no_grad():
                outputs = self.network(x, self.model.label(y, n_classes), self._noise(filled))
            yield x, y, outputs

    def _noise(self, x: Floats) -> Tensor | None:
        """Row 15: none (z is mu), or one draw for each clip, from its features, so that the order does not matter."""
        if self.model.latent_at_test == "mu":
            return None
        import torch

        from asdbench_systems._networks import LATENT

        seeds = [[self.seed % 2**64, zlib.crc32(row.tobytes())] for row in x]
        noise = [np.random.default_rng(seed).standard_normal(LATENT, np.float32) for seed in seeds]
        return torch.from_numpy(np.stack(noise)).to(self.device)
