"""The report's features: PANNs ResNet38's intermediate maps, averaged (Narita & Tamamori 2021, Section 2, Eq. 1 and 2).

16 kHz audio is resampled to 32 kHz, as the network was trained. The network itself is in ``_resnet38_network``, which
imports torch; this module does not, so that specs and recipes cost nothing.

What the report leaves open, and the default taken (docs/ambiguities.md, rows 6 to 8):

- which maps: "output from BasicBlock" and d = 3776 fix the 16 blocks; after addition and ReLU (``blocks=basic``);
- the mel filters' upper edge: 14000 Hz, as the checkpoint's own filters have it, not 8000 Hz, as the author's settings;
- the resampler: libsoxr's high quality, which librosa uses now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np

from asdbench.api import Floats, Kind
from asdbench.audio import Resampler, resample
from asdbench.embeddings import panns

Blocks: TypeAlias = Literal["basic", "pre-add", "author3072"]

PUBLISHED = panns.Published("ResNet38", "ResNet38_mAP=0.434.pth", "bf12f36aaabac4e0855e22d3c3239c1b")


def resnet38(
    *,
    weights: str | None = None,
    blocks: Blocks = "basic",
    fmax: Literal[14000, 8000] = 14000,
    resampler: Resampler = "soxr_hq",
) -> ResNet38:
    """Means of the maps of PANNs ResNet38: 3776 values a clip.

    Parameters
    ----------
    weights : str
        Path of a PANNs checkpoint of ResNet38, or random for an untrained network. Report: ResNet38 trained on
        AudioSet.
    blocks : {"basic", "pre-add", "author3072"}
        Which maps: the 16 BasicBlocks' outputs (3776 values), their branches before the residual addition (3776), or
        conv block 1, layers 1 to 4 and the last conv block as in the author's code of May 2021 (3072). Row 6. Report:
        "output from BasicBlock", d = 3776.
    fmax : {14000, 8000}
        Upper edge of the mel filters in Hz. Row 7. Report: 14000.
    resampler : {"soxr_hq", "kaiser_best"}
        How clips come to 32 kHz. Row 8. Report: resampled to 32 kHz, silent on how.

    Raises
    ------
    WeightsError
        Where no weights are given or the file is not there.
    """
    return ResNet38(panns.find(weights, PUBLISHED), blocks, fmax, resampler)


@dataclass(frozen=True)
class ResNet38:
    """The ``resnet38`` embedding; see :func:`resnet38`."""

    checkpoint: panns.Checkpoint | None
    blocks: Blocks
    fmax: int
    resampler: Resampler

    name: ClassVar[str] = "resnet38"
    kind: ClassVar[Kind] = "vector"
    batch: ClassVar[int] = 4  # 20 ms a clip of 1 s with one thread; 29 ms one by one, 19 ms by eight

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Everything that the output depends on."""
        resampling = "soxr" if self.resampler == "soxr_hq" else "resampy"
        return {
            "format": 1,
            "embedding": self.name,
            "parameters": {"blocks": self.blocks, "fmax": self.fmax, "resampler": self.resampler},
            "weights": panns.identity(self.checkpoint, PUBLISHED),
            "batch": self.batch,
            "versions": {library: version(library) for library in ("torch", "numpy", resampling)},
        }

    @property
    def stamps(self) -> tuple[str, ...]:
        """What every table must say."""
        return () if self.checkpoint else (panns.STAMP,)

    def embed(self, waveforms: Floats, rate: int, device: str = "cpu") -> Floats:
        """The means of the maps.

        Parameters
        ----------
        waveforms : float32 array (clips, samples)
            ``batch`` clips for results that do not depend on neighbours.
        rate : int
            Hz; another rate than 32000 is resampled.
        device : str
            Where the network runs.

        Returns
        -------
        float32 array (clips, 3776), or (clips, 3072) for ``author3072``

        Raises
        ------
        ClipError
            Where the clips are too short for the network's poolings: 0.15 s, or 0.31 s for ``author3072``.
        WeightsError
            Where the checkpoint is damaged or of another network.
        """
        author = self.blocks == "author3072"
        panns.check_duration(self.name, waveforms.shape[-1], rate, frames=32 if author else 16)
        import torch

        from asdbench.embeddings._resnet38_network import load

        network = load(self.checkpoint, self.fmax, author, device)
        log_mel = np.stack([network.log_mel(resample(row, rate, panns.RATE, self.resampler)) for row in waveforms])
        means = {
            "basic": network.block_means,
            "pre-add": network.branch_means,
            "author3072": network.stage_means,
        }[self.blocks]
        with panns.reproducible():
            return means(torch.from_numpy(log_mel).to(device)).cpu().numpy()
