"""Embeddings: waveforms to features.

``embed`` is for people, ``embed_clips`` for the harness. Both hand every embedding exactly ``embedding.batch`` clips of
one length at a time, padding the last batch with zeros, so that a clip's features do not depend on its neighbours: the
libraries below choose their order of summation by the shape of the batch.

Importing this package imports neither torch nor the embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Embedding, Floats, Waveform
from asdbench.audio import check_loudness
from asdbench.errors import ClipError, UsageError
from asdbench.plugins.registry import create
from asdbench.plugins.spec import parse
from asdbench.precision import lost

__all__ = ["embed", "embed_clips"]

Samples = NDArray[np.floating[Any]]


def embed(
    waveforms: Samples | Sequence[Samples],
    sample_rate: int,
    embedding: str = "resnet38",
    weights: str | Path | None = None,
    device: str = "cpu",
) -> Floats:
    """The embedding of waveforms.

    Parameters
    ----------
    waveforms : array (clips, samples) or (samples,), or sequence of arrays (samples,) of any lengths
        Floating-point sound in [-1, 1].
    sample_rate : int
        Hz.
    embedding : str
        A spec: ``resnet38``, ``resnet38[blocks=pre-add]``, ``cnn14``, ``logmel``, ...
    weights : path, "random" or None
        The checkpoint, where the embedding is a network and the spec does not name it; "random": an untrained network.
    device : str
        Where the network runs.

    Returns
    -------
    float32 array (clips, d)
        d = 3776 for ``resnet38``; (clips, frames, 128) for ``logmel``, where all clips must have the same length.

    Raises
    ------
    ClipError
        Where a waveform is not one-dimensional, not floating-point, not finite or too short.
    UsageError
        For an unknown embedding or parameter.
    WeightsError
        Where the weights are missing, damaged or of another network.

    Examples
    --------
    >>> noise = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 16000)).astype(np.float32)
    >>> embed(noise, 16000, "logmel").shape
    (2, 32, 128)
    """
    spec = parse(embedding)
    made: Embedding = create("embeddings", spec if weights is None else spec.with_parameters(weights=weights))
    if sample_rate <= 0 or sample_rate != int(sample_rate):
        raise UsageError(f"sample_rate={sample_rate} is not a whole number of Hz", hint="say 16000")
    single = isinstance(waveforms, np.ndarray) and waveforms.ndim == 1
    rows = [waveforms] if single else list(waveforms)
    clips = [Waveform(_checked(np.asarray(row), number), int(sample_rate)) for number, row in enumerate(rows)]
    if not clips:
        raise UsageError("no waveforms given", hint="give an array (clips, samples)")
    features = embed_clips(made, clips, device)
    if len({row.shape for row in features}) > 1:
        raise UsageError(
            f"{made.name} gives {made.kind}, of different length for clips of different length",
            looked=f"{len(clips)} clips of {len({len(clip.samples) for clip in clips})} lengths",
            hint="give clips of one length at a time",
        )
    return np.stack(features)


def embed_clips(embedding: Embedding, waveforms: Sequence[Waveform], device: str = "cpu") -> list[Floats]:
    """Features of clips that may differ in length and rate, one array a clip, in their order.

    Parameters
    ----------
    embedding : Embedding
    waveforms : sequence of Waveform
    device : str
        Where a network runs.

    Raises
    ------
    ClipError
        Where clips are too short for the embedding (clips of other lengths may be fine), or it gives values that are
        not finite.
    UsageError
        Where the embedding does not give one row a clip, or values that float32 cannot tell apart.
    """
    groups: dict[tuple[int, int], list[int]] = {}
    for position, waveform in enumerate(waveforms):
        groups.setdefault((len(waveform.samples), waveform.rate), []).append(position)
    found: dict[int, NDArray[Any]] = {}
    for (length, rate), positions in groups.items():
        for start in range(0, len(positions), embedding.batch):
            taken = positions[start : start + embedding.batch]
            batch = np.zeros((embedding.batch, length), dtype=np.float32)
            for row, position in enumerate(taken):
                batch[row] = waveforms[position].samples
            features = embedding.embed(batch, rate, device)
            if len(features) != len(batch):
                raise UsageError(
                    f"the embedding {embedding.name!r} gave {len(features)} rows for {len(batch)} clips",
                    hint="embed() must give one row a clip",
                )
            for position, values in zip(taken, features[: len(taken)], strict=True):
                if not np.isfinite(values).all():
                    raise ClipError(
                        f"{embedding.name} gave values that are not finite",
                        looked=f"clip {position} of {len(waveforms)}, {length} samples at {rate} Hz",
                        hint="check the recording and the weights",
                    )
                found[position] = np.asarray(values)
    return _narrowed(embedding, [found[position] for position in range(len(waveforms))])


def _narrowed(embedding: Embedding, features: Sequence[NDArray[Any]]) -> list[Floats]:
    """Features as float32, refused where that loses what they tell."""
    with np.errstate(over="ignore"):  # said below
        narrow = [np.asarray(one, dtype=np.float32) for one in features]
    if any(one.dtype != np.float32 for one in features):
        values, cast = (np.concatenate([np.atleast_2d(one) for one in side]) for side in (features, narrow))
        reason = lost(values, cast)
        if reason:
            raise UsageError(
                f"{embedding.name} gives {values.dtype}, and float32 cannot hold it: {reason}",
                looked=f"the features of {len(features)} clips",
                hint="subtract a constant, or scale them, in embed(): models are given float32",
            )
    return narrow


def _checked(samples: NDArray[Any], number: int) -> Floats:
    if samples.ndim != 1:
        raise ClipError(
            f"waveform {number} has the shape {samples.shape}",
            looked="each must be one channel: (samples,)",
            hint="give an array (clips, samples), or a list of one-dimensional arrays",
        )
    if samples.dtype.kind != "f":
        scale = f": divide by {np.iinfo(samples.dtype).max + 1}" if samples.dtype.kind in "iu" else ""
        raise ClipError(
            f"waveform {number} is of type {samples.dtype}",
            looked="sound must be floating-point, in [-1, 1]",
            hint=f"convert it to float32{scale}",
        )
    if not np.isfinite(samples).all():
        raise ClipError(f"waveform {number} holds samples that are not finite", hint="NaN and infinity are no sound")
    if len(samples):
        check_loudness(float(np.abs(samples).max()), f"waveform {number}")
    return samples.astype(np.float32)
