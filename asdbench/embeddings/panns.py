"""What the PANNs networks (Kong et al. 2020, arXiv 1912.10211) share: weights, their identity, their checks.

Conventions
-----------
- ``weights`` is the path of a checkpoint as PANNs publishes them (Zenodo record 3987831), or ``random``.
- A checkpoint is known by its content: any file whose tensors fit is taken, whatever its name; its hashes are recorded
  and whether it is the published one is said.
- Nothing is unpickled but tensors (``weights_only``). PANNs' training program stores a sampler's numpy arrays and
  scalars beside them: these are passed over, and not even made.
- ``module.`` before every name, as torch's DataParallel leaves it, is taken off.
- Tensors may be of any of the usual floating types: half precision is computed with as float32.
- ``random`` is an untrained network for dry runs, the same on every machine: see :func:`untrained`.

Importing this module does not import torch.
"""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.errors import ClipError, UsageError, WeightsError

if TYPE_CHECKING:
    import torch

RANDOM = "random"
RATE, HOP = 32000, 320  # of the front end that all of them share
STAMP = "untrained network"
PASSED_OVER = (  # what a pickle calls to make arrays, scalars and dtypes; numpy 2 has other names for the same
    "builtins.bytes",  # the content of an empty array
    "numpy.ndarray",
    "numpy.dtype",
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
)

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Published:
    """A checkpoint as PANNs publishes it: the network's title, the file's name and its md5."""

    title: str
    name: str
    md5: str


@dataclass(frozen=True)
class Checkpoint:
    """A file of weights and its hashes."""

    path: str
    sha256: str
    md5: str


def find(weights: str | None, published: Published) -> Checkpoint | None:
    """The checkpoint that ``weights`` names; None for ``random``.

    Raises
    ------
    WeightsError
        Where no weights are given, or the file is not there.
    """
    if weights is None:
        raise WeightsError(
            f"{published.title} weights not given",
            looked="no --weights, no weights in asdbench.toml, no [weights=...] in the spec",
            hint=f"--weights FILE with the PANNs checkpoint {published.name}, which `asdbench fetch "
            f"{published.title.lower()}` gets (Zenodo record 3987831), or --weights random for a dry run that says so "
            "in every table",
        )
    if weights == RANDOM:
        return None
    try:
        status = Path(weights).stat()
        sha256, md5 = _hashes(weights, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise WeightsError(
            f"{published.title} weights cannot be read ({error.strerror})",
            looked=str(Path(weights).absolute()),
            hint=f"give the path of {published.name} (Zenodo record 3987831), or random",
        ) from error
    return Checkpoint(weights, sha256, md5)


@lru_cache(maxsize=8)
def _hashes(path: str, size: int, modified: int) -> tuple[str, str]:
    """(sha256, md5) of a file; size and time of change are there so that a replaced file is read again."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            sha256.update(block)
            md5.update(block)
    return sha256.hexdigest(), md5.hexdigest()


def identity(checkpoint: Checkpoint | None, published: Published) -> Any:
    """What a recipe says of the weights: a JSON value that depends on the file's content only."""
    if checkpoint is None:
        return RANDOM
    official = checkpoint.md5 == published.md5
    return {
        "sha256": checkpoint.sha256,
        "md5": checkpoint.md5,
        "published": official,
        "name": published.name if official else "not a published file",
    }


def read(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    """The tensors under the key ``model``.

    Raises
    ------
    WeightsError
        Where the file is damaged, holds code, or is no checkpoint.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch's advice on pickle protocols: ours comes as an error
            with torch.serialization.safe_globals(_stand_ins()):
                loaded = torch.load(checkpoint.path, weights_only=True, map_location="cpu")
        if zipfile.is_zipfile(checkpoint.path):  # torch does not compare the checksums
            with zipfile.ZipFile(checkpoint.path) as archive:
                damaged = archive.testzip()
            if damaged:
                raise zipfile.BadZipFile(f"the checksum of {damaged} does not match")
    except Exception as error:  # a damaged stream can provoke any error in the unpickler
        raise _unreadable(checkpoint, error) from error
    state = loaded.get("model") if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise WeightsError(
            f"{Path(checkpoint.path).name} is no PANNs checkpoint: it has no tensors under the key 'model'",
            looked=checkpoint.path,
            hint="give a checkpoint of PANNs (Zenodo record 3987831)",
        )
    names = [str(name) for name in state]
    prefix = "module." if names and all(name.startswith("module.") for name in names) else ""
    return {name.removeprefix(prefix): tensor for name, tensor in zip(names, state.values(), strict=True)}


class _PassedOver:
    """Stands where a pickle has something of numpy's: takes whatever it is given, and keeps nothing."""

    def __new__(cls, *_: object) -> _PassedOver:
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None:
        return


def _stand_ins() -> list[Any]:
    """For torch's allow-list, which knows a class by its module and name: stand-ins under numpy's names.

    Not numpy's own functions, whose results nobody needs: a file that is made to harm would reach their C code.
    """
    parts = (name.rpartition(".") for name in PASSED_OVER)
    return [type(name, (_PassedOver,), {"__module__": module}) for module, _, name in parts]


def _unreadable(checkpoint: Checkpoint, error: Exception) -> WeightsError:
    name, text = Path(checkpoint.path).name, str(error)
    if code := re.search(r"GLOBAL (\S+)", text):  # what a pickle would import, in torch's words
        return WeightsError(
            f"{name} holds more than tensors ({code.group(1)}); it was not executed",
            looked=checkpoint.path,
            hint="a pickle can run code. Give the file that PANNs published (Zenodo record 3987831); or, where you "
            "trust this one, keep its tensors alone: torch.save({'model': state_dict}, FILE)",
        )
    # Of a KeyError or the like there is only what was looked up: a number that means nothing to anybody.
    mute = isinstance(error, (pickle.UnpicklingError, LookupError))
    reason = "" if mute else re.split(r"\. |\n", text.strip())[0][:100]
    return WeightsError(
        f"{name} is damaged or no checkpoint ({reason or 'nothing in it was executed'})",
        looked=checkpoint.path,
        hint="compare its size and md5 with Zenodo record 3987831, and download it again",
    )


def check(
    checkpoint: Checkpoint,
    state: Mapping[str, torch.Tensor],
    shapes: Mapping[str, Shape],
    front_end: Mapping[str, Shape],
) -> None:
    """Is this the network of these ``shapes``? The ``front_end``'s tensors may be absent, all others must be there.

    Raises
    ------
    WeightsError
        Where a tensor is missing, extra, of another shape or type, not finite, or a variance that is negative.
    """
    name = Path(checkpoint.path).name
    known = {**shapes, **front_end}
    missing = [tensor for tensor in shapes if tensor not in state]
    extra = [tensor for tensor in state if tensor not in known]
    other = [
        f"{tensor} {list(state[tensor].shape)} instead of {list(shape)}"
        for tensor, shape in known.items()
        if tensor in state and tuple(state[tensor].shape) != shape
    ]
    for problem, tensors in (("lacks", missing), ("has other shapes than", other), ("has more than", extra)):
        if tensors:
            shown = ", ".join(tensors[:3]) + (f" and {len(tensors) - 3} more" if len(tensors) > 3 else "")
            raise WeightsError(
                f"{name} is of another network: it {problem} the expected tensors: {shown}",
                looked=f"{checkpoint.path}, {len(state)} tensors",
                hint="give the checkpoint of this network (Zenodo record 3987831)",
            )
    for tensor, values in state.items():
        if wrong := _wrong_type(tensor, values):
            raise WeightsError(
                f"{name}: {tensor} is of type {wrong}, not floating-point",
                looked=checkpoint.path,
                hint="give the checkpoint as PANNs publishes it (Zenodo record 3987831), neither quantised nor sparse",
            )
        low, high = values.aminmax()  # which hand NaN on, and need no second array of the size
        if not (low.isfinite() and high.isfinite()):
            raise WeightsError(
                f"{name} holds values that are not finite, in {tensor}",
                looked=checkpoint.path,
                hint="the file is damaged: compare its md5 with Zenodo record 3987831, and download it again",
            )
        if tensor.endswith("running_var") and low < 0:
            raise WeightsError(
                f"{name} holds a negative variance, in {tensor}",
                looked=f"{checkpoint.path}: {float(low):g}",
                hint="the file is damaged: compare its md5 with Zenodo record 3987831, and download it again",
            )


def _wrong_type(tensor: str, values: torch.Tensor) -> str:
    """What is wrong with the type of a tensor; "" where nothing is."""
    import torch

    if values.layout != torch.strided or values.is_quantized or values.is_nested or values.is_meta:
        kind = "quantised" if values.is_quantized else "sparse" if values.layout != torch.strided else "empty"
        return f"{kind} {str(values.dtype).removeprefix('torch.')}"
    floating = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    integer = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
    if values.dtype in floating or (tensor.endswith("num_batches_tracked") and values.dtype in integer):
        return ""
    return str(values.dtype).removeprefix("torch.")


def tolerance(found: torch.Tensor) -> float:
    """By how much of its norm a stored tensor of the front end may differ: 1e-4, or half precision's rounding."""
    import torch

    return max(1e-4, torch.finfo(found.dtype).eps / 2)


def check_front_end(checkpoint: Checkpoint, tensor: str, found: torch.Tensor, expected: np.ndarray[Any, Any]) -> None:
    """Does a stored tensor of the front end agree with the parameters, to :func:`tolerance` of its norm?

    Raises
    ------
    WeightsError
        Where it does not.
    """
    difference = float(np.linalg.norm(found.double().numpy() - expected) / np.linalg.norm(expected))
    if not difference < tolerance(found):
        raise WeightsError(
            f"{Path(checkpoint.path).name} was made for another front end: its {tensor} differs by {difference:.2g} "
            "of its norm from what the parameters say",
            looked=checkpoint.path,
            hint="check fmax, or give the PANNs checkpoint for 32 kHz, window 1024, hop 320, 64 mel bands",
        )


def untrained(shapes: Mapping[str, Shape]) -> dict[str, torch.Tensor]:
    """The tensors of an untrained network, seeded by each tensor's name; torch's generator is not touched.

    Convolutions and linear layers: normal with variance 2 / fan-in (He et al. 2015, Eq. 10), which keeps the size of
    activations through ReLU. BatchNorm: identity (weight 1, bias 0, mean 0, variance 1), but for two kinds: ``bn0`` has
    mean -40 and variance 400, the level and the spread in dB of a usual log-mel spectrogram, in place of what training
    would have found; and the last BatchNorm of each residual branch (``resnet.*.bn2``) has weight 1/4, so that 16
    additions do not let the activations grow.
    """
    import torch

    return {name: torch.from_numpy(_untrained(name, shape)) for name, shape in shapes.items()}


def _untrained(name: str, shape: Shape) -> np.ndarray[Any, Any]:
    if len(shape) > 1:
        generator = np.random.default_rng([0, zlib.crc32(name.encode())])
        fan_in = int(np.prod(shape[1:]))
        return generator.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2 / fan_in))
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.int64)
    if name.endswith("running_mean"):
        value = -40.0 if name.startswith("bn0.") else 0.0
    elif name.endswith("running_var"):
        value = 400.0 if name.startswith("bn0.") else 1.0
    elif name.endswith("weight"):
        value = 0.25 if name.startswith("resnet.") and ".bn2." in name else 1.0
    else:
        value = 0.0
    return np.full(shape, value, dtype=np.float32)


def check_duration(embedding: str, samples: int, rate: int, frames: int) -> None:
    """Raise ClipError where clips give fewer than ``frames`` centred frames (hop 320, 32 kHz): maps would be empty."""
    needed = (frames - 1) * HOP
    if -(-samples * RATE // rate) < needed:
        raise ClipError(
            f"a clip of {samples / rate:.3f} s is too short for {embedding}",
            looked=f"{samples} samples at {rate} Hz",
            hint=f"clips must last {needed / RATE:.3f} s or more",
        )


def to_device(device: str) -> torch.device:
    """The torch device of that name.

    Raises
    ------
    UsageError
        Where this machine does not have it.
    """
    import torch

    try:
        found = torch.device(device)
        torch.empty(1, device=found)
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        raise UsageError(
            f"device {device!r} cannot be used",
            looked=str(error).partition("\n")[0][:200],
            hint="--device cpu always works",
        ) from error
    return found


@contextmanager
def reproducible() -> Iterator[None]:
    """Inference whose last bits depend on the input alone.

    One thread, since oneDNN splits sums by the number of threads; on a GPU, deterministic float32 instead of TF32.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    try:
        with exact, torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(threads)
