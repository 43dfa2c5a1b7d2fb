"""Pseudo-anomalies: made of training clips, by which an epoch can be chosen without an anomaly.

What is told of a training clip (machine, section, domain) is kept; its features are replaced, in turn by

- a mixture: each feature is that of another training clip of the section, drawn for each feature anew, so that every
  value is one that occurs and together they are not;
- another normal clip: one of another section of the machine, where there is one.

The AUC of such clips against the training clips is the *pseudo-AUC*.

Source: Wilkinghoff & Tan, Can we predict anomaly detection performance from embedding-space geometry?
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Batch, Floats

COUNT = 512  # pseudo-anomalies of a fit at most: an AUC over them is known to a point or two


def pseudo_anomalies(train: Batch, seed: int) -> tuple[Batch, NDArray[np.int64]]:
    """Pseudo-anomalies of a fit's training clips, and the row that each is told to be.

    Parameters
    ----------
    train : Batch
    seed : int
        Of the fit: seeds of one run have other pseudo-anomalies.

    Returns
    -------
    Batch
        At most :data:`COUNT` clips: mixtures and clips of another section in turn.
    int array (clips,)
    """
    draws = np.random.default_rng([seed, zlib.crc32(b"pseudo-anomalies")])
    rows = np.sort(draws.choice(len(train), min(COUNT, len(train)), replace=False))
    features = []
    for number, row in enumerate(rows):
        machine, section = train.machine == train.machine[row], train.section == train.section[row]
        others = np.flatnonzero(machine & ~section)
        if number % 2 and len(others):
            features.append(np.array(train.features[int(draws.choice(others))]))
        else:
            features.append(_mixture(train.features, int(row), np.flatnonzero(machine & section), draws))
    made = np.stack(features) if isinstance(train.features, np.ndarray) else features
    return Batch(made, train.machine[rows], train.section[rows], train.domain[rows], train.n_sections), rows


def _mixture(
    features: Floats | Sequence[Floats], row: int, alike: NDArray[np.int64], draws: np.random.Generator
) -> Floats:
    """A clip (d,) or (frames, bands), as long as that of the row, of which each feature or band is another clip's."""
    mixed = np.array(features[row])
    donors = draws.choice(alike, mixed.shape[-1])
    if isinstance(features, np.ndarray) and features.ndim == 2:
        return np.asarray(features[donors, np.arange(len(donors))])
    for band, donor in enumerate(donors):
        # the band of a longer clip is cut, that of a shorter one begins again
        mixed[:, band] = np.resize(np.asarray(features[donor])[:, band], len(mixed))
    return mixed
