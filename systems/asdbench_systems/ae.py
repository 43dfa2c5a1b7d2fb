"""The organizers' autoencoder baseline of 2021 (Table 3 of the report), as their Keras program trains it.

Source: repository y-kawagu/dcase2021_task2_baseline_ae (``baseline.yaml``, ``common.py``, ``keras_model.py``,
``00_train.py``, ``01_test.py``). Where Keras and torch differ, the line that follows Keras says so.

Conventions
-----------
A *window* is five consecutive frames of the log-mel spectrogram, frame after frame (640 values); no window reaches from
one clip into the next. Windows are views of the frames: a mini-batch is all that is ever copied. Nothing is normalised.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Batch, FitContext, Scope, System
from asdbench.errors import FitError, WeightsError
from asdbench.plugins import registry
from asdbench_systems._checks import check_number

if TYPE_CHECKING:
    from torch import Tensor

    from asdbench_systems._networks import Autoencoder

FRAMES = 5  # of a window


@dataclass(frozen=True)
class Ae:
    """The organizers' autoencoder: one for the development, one for the evaluation sections of a machine.

    Parameters
    ----------
    weights : str or None
        An ``.npz`` of weights to score with, without training: arrays ``encoder.0.weight``, ... as torch names them.
        Report: silent (Table 3 quotes the organizers' results).
    batchnorm_eps : float
        BatchNorm's epsilon: 1e-3 is Keras' default, 1e-5 torch's. Report: silent; the organizers leave Keras' default.
    pad_mode : {"reflect", "zeros"}
        How the log-mel spectrogram pads a clip's ends: as librosa 0.6, which the organizers pinned, or as librosa does
        since 0.10. Report: silent.
    epochs : int
        Passes over the training windows; the last one counts. Report: silent; the organizers' 100.
    batch_size : int
        Windows in a mini-batch; one window left over joins the batch before. Report: silent; the organizers' 512.
    lr : float
        Adam's learning rate. Report: silent; the organizers' 1e-3.
    validation : float
        The share of the windows, at the end in the order of the clips' names, that never trains and whose loss is
        logged. Report: silent; the organizers' 0.1, which takes the last clips of the last section, its target clips
        among them.
    """

    weights: str | None = None
    batchnorm_eps: float = 1e-3
    pad_mode: Literal["reflect", "zeros"] = "reflect"
    epochs: int = 100
    batch_size: int = 512
    lr: float = 1e-3
    validation: float = 0.1

    def __post_init__(self) -> None:
        check_number("batchnorm_eps", self.batchnorm_eps, self.batchnorm_eps > 0, "a number above 0")
        check_number("epochs", self.epochs, self.epochs >= 1, "1 or more")
        check_number(
            "batch_size", self.batch_size, self.batch_size >= 2, "2 or more: BatchNorm cannot train on one row"
        )
        check_number("lr", self.lr, self.lr > 0, "a number above 0")
        check_number("validation", self.validation, 0 <= self.validation < 1, "a share from 0 to below 1")

    @property
    def embedding(self) -> str:
        """The organizers' log-mel spectrogram: 128 bands, window 1024, hop 512."""
        return f"logmel[pad_mode={self.pad_mode}]"

    @property
    def scope(self) -> Scope:
        """Sections 00-02 and 03-05 apart, as the organizers' dev and eval modes."""
        return "machine-part"

    def fit(self, train: Batch, ctx: FitContext) -> FittedAe:
        """Train on the windows of normal clips, or take the weights given.

        Logs ``loss``, the mean squared error as trained, and ``val_loss``, that of the validation windows.

        Raises
        ------
        FitError
            For training clips shorter than five frames or not finite, too few windows, or a training that diverges.
        WeightsError
            For weights that are missing, damaged or of another network.
        """
        from torch.nn.functional import mse_loss

        from asdbench_systems._networks import Autoencoder
        from asdbench_systems._training import adam, batch_edges, check_loss, generator, minibatches

        network = Autoencoder(FRAMES * _bands(train), self.batchnorm_eps, generator(ctx.seed, "init"))
        fitted = FittedAe(network.to(ctx.device), ctx.device)
        if self.weights is not None:
            load_weights(network, Path(self.weights))
            return fitted

        frames, starts = joined_frames(train)
        windows, starts = windows_of(frames.to(ctx.device)), starts.to(ctx.device)
        # Keras' validation_split: the last rows before any shuffling, whichever clips they are of
        n = math.floor(len(starts) * (1 - self.validation))
        if n < 2:
            raise FitError(
                f"{n} training window{'s' * (n != 1)} besides the validation rows: BatchNorm needs 2 or more",
                looked=f"{len(starts)} windows of {FRAMES} frames in {len(train)} training clips",
                hint="add training clips, or give validation=0",
            )
        tail = starts[n:]
        optimizer = adam(network.parameters(), self.lr)
        order = generator(ctx.seed, "order")
        step = 0
        for epoch in range(1, self.epochs + 1):
            network.train()
            loss_sum = windows.new_zeros(())
            for rows in minibatches(n, self.batch_size, order):
                x = windows.index_select(0, starts[rows.to(ctx.device)])
                loss = mse_loss(network(x), x)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
                # Keras adds its epsilon (1e-7) to sqrt(v) before v's bias is corrected, torch to sqrt(v/(1 - beta2^t))
                # after: the same step wants epsilon / sqrt(1 - beta2^t), from 3.2e-6 at first down to 1e-7
                step += 1
                optimizer.param_groups[0]["eps"] = 1e-7 / math.sqrt(1 - 0.999**step)
                optimizer.step()
                ctx.steps += 1
                loss_sum += loss.detach() * len(rows)
            terms = {"loss": float(loss_sum) / n}
            check_loss(terms["loss"], epoch, self.epochs)
            if len(tail):
                edges = batch_edges(len(tail), self.batch_size)
                errors = [fitted.errors(windows, tail[a:b]).sum() for a, b in pairwise(edges)]
                terms["val_loss"] = float(sum(errors)) / len(tail)
            ctx.log(epoch, **terms)
            if ctx.on_epoch:
                ctx.on_epoch(epoch, fitted)
        network.eval()
        return fitted


@dataclass(frozen=True, eq=False)
class FittedAe:
    """A trained autoencoder."""

    network: Autoencoder
    device: str

    def components(self, batch: Batch) -> Mapping[str, NDArray[np.float64]]:
        """Component reconstruction (clips,): the mean squared error over a clip's windows and their 640 values.

        NaN for a clip of fewer than five frames or with values that are not finite. Each clip goes through the network
        alone, so that its score does not depend on its neighbours.
        """
        import torch

        scores = np.full(len(batch), np.nan)
        for row in range(len(batch)):
            frames = np.array(batch.features[row], np.float32)
            if len(frames) >= FRAMES and np.isfinite(frames).all():
                windows = windows_of(torch.from_numpy(frames).to(self.device))
                scores[row] = float(self.errors(windows, torch.arange(len(windows), device=self.device)).mean())
        return {"reconstruction": scores}

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def errors(self, windows: Tensor, rows: Tensor) -> Tensor:
        """The mean squared error of each of the windows named, (rows,) float64."""
        import torch

        self.network.eval()
        with torch.no_grad():
            x = windows.index_select(0, rows)
            xhat: Tensor = self.network(x)
            return (x.double() - xhat).square().mean(dim=1)  # float64 data minus float32 output, as the organizers


def windows_of(frames: Tensor) -> Tensor:
    """All windows (n - 4, 640) of frames (n, 128): a view, of which row t is frames t to t + 4 one after another."""
    n, bands = frames.shape
    return frames.as_strided((n - FRAMES + 1, FRAMES * bands), (bands, 1))


def joined_frames(train: Batch) -> tuple[Tensor, Tensor]:
    """All clips' frames one after another (frames, 128), and which of their windows lie within one clip, in order.

    Raises
    ------
    FitError
        For clips shorter than a window, or values that are not finite.
    """
    import torch

    lengths = np.array([len(clip) for clip in train.features])
    short = np.count_nonzero(lengths < FRAMES)
    if short:
        raise FitError(
            f"{short} of {len(train)} training clips are shorter than a window of {FRAMES} frames",
            looked=f"the shortest has {lengths.min()} frames",
            hint="take these clips out of the data set",
        )
    ends = np.cumsum(lengths)
    frames = np.empty((ends[-1], _bands(train)), np.float32)
    for clip, start, end in zip(train.features, ends - lengths, ends, strict=True):
        frames[start:end] = clip
        if not np.isfinite(frames[start:end]).all():
            raise FitError(
                "a training clip has features that are not finite (NaN or infinite)",
                looked=f"clip number {1 + int(np.searchsorted(ends, end))} of {len(train)}, sorted by name",
                hint="compute its features again, or take it out of the data set",
            )
    starts = np.concatenate([np.arange(end - n, end - FRAMES + 1) for n, end in zip(lengths, ends, strict=True)])
    return torch.from_numpy(frames), torch.from_numpy(starts)


def load_weights(network: Autoencoder, path: Path) -> None:
    """Fill a network from an ``.npz`` of arrays named as torch names its tensors.

    Raises
    ------
    WeightsError
        For a file that is missing or damaged, or an array that is missing, unknown, of another shape or not finite.
    """
    import torch

    hint = "give an .npz with the arrays encoder.0.weight, encoder.0.bias, encoder.1.weight, ... of the ae system"
    try:
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if not isinstance(stored, np.lib.npyio.NpzFile):
                raise WeightsError("the weights are one array, not an .npz of named arrays", str(path), hint)
            arrays: dict[str, NDArray[Any]] = {name: stored[name] for name in stored.files}
    except OSError as error:
        raise WeightsError(
            "the weights cannot be read", looked=f"{path}: {error.strerror or error}", hint=hint
        ) from error
    except (ValueError, EOFError) as error:  # numpy's own words would advise to read pickles
        raise WeightsError("the weights are damaged or no .npz", looked=str(path), hint=hint) from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise WeightsError("the weights are damaged or no .npz", looked=f"{path}: {error}", hint=hint) from error

    wanted = network.state_dict()
    # the count of training batches has no part in scoring and may be left out
    for name in wanted.keys() - arrays.keys():
        if not name.endswith("num_batches_tracked"):
            raise WeightsError(f"the weights lack the array {name}", looked=str(path), hint=hint)
    for name, array in sorted(arrays.items()):
        where = f"{path}, array {name}"
        if name not in wanted:
            raise WeightsError(f"the weights hold an array that this network has not: {name}", looked=where, hint=hint)
        if array.shape != tuple(wanted[name].shape):
            found = f"the array {name} is {array.shape}, this network's is {tuple(wanted[name].shape)}"
            raise WeightsError(found, looked=where, hint=hint)
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise WeightsError(f"the array {name} holds values that are not finite numbers", looked=where, hint=hint)
        if name.endswith("running_var") and (array < 0).any():
            raise WeightsError(f"the array {name} holds negative variances", looked=where, hint=hint)
    network.load_state_dict({**wanted, **{name: torch.from_numpy(array) for name, array in arrays.items()}})


def _bands(batch: Batch) -> int:
    if not len(batch):
        raise FitError(
            "there are no training clips", looked="the training clips of this fit", hint="add normal training clips"
        )
    shape = np.shape(batch.features[0])
    if len(shape) != 2:
        raise FitError(
            "the autoencoder takes the frames of a spectrogram, (frames, bands) a clip",
            looked=f"the first clip's features are an array {shape}",
            hint="it needs sound: a features: folder holds one vector a clip",
        )
    return int(shape[1])


@registry.takes(Ae)
def ae(**parameters: Any) -> System[FittedAe]:
    """The autoencoder baseline of the organizers (Table 3).

    On toy data: 30 epochs of mini-batches of 64, 690 steps for the 57 training clips of 32 frames of a machine.
    """
    return System(
        name="ae",
        title="Autoencoder, the organizers' 2021 baseline",
        model=Ae(**parameters),
        formula={"reconstruction": 1.0},
        published="narita2021/table-3",
        quick={"epochs": 30, "batch_size": 64},
        source="DCASE 2021 Task 2 baseline, y-kawagu/dcase2021_task2_baseline_ae; report Table 3",
    )
