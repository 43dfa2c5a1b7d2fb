"""The 2048-d embedding of PANNs Cnn14 (Kong et al. 2020, arXiv 1912.10211), by the authors' package panns-inference.

Importing that package reads a list of labels in the home folder, or downloads it with wget; only its module ``models``,
which needs neither, is imported here (:func:`_model_class`), and nothing else in the project touches it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from asdbench.api import Floats, Kind
from asdbench.audio import Resampler, resample
from asdbench.embeddings import panns
from asdbench.errors import UsageError

if TYPE_CHECKING:
    import torch

PUBLISHED = panns.Published("Cnn14", "Cnn14_mAP=0.431.pth", "541141fa2ee191a88f24a3219fff024e")
FRONT_END = ("spectrogram_extractor.", "logmel_extractor.")
FRAMES = 32  # five poolings by two


def cnn14(*, weights: str | None = None, resampler: Resampler = "soxr_hq") -> Cnn14:
    """The embedding of PANNs Cnn14: 2048 values a clip.

    Parameters
    ----------
    weights : str
        Path of a PANNs checkpoint of Cnn14, or random for an untrained network.
    resampler : {"soxr_hq", "kaiser_best"}
        How clips come to 32 kHz.

    Raises
    ------
    WeightsError
        Where no weights are given or the file is not there.
    """
    return Cnn14(panns.find(weights, PUBLISHED), resampler)


@dataclass(frozen=True)
class Cnn14:
    """The ``cnn14`` embedding; see :func:`cnn14`."""

    checkpoint: panns.Checkpoint | None
    resampler: Resampler

    name: ClassVar[str] = "cnn14"
    kind: ClassVar[Kind] = "vector"
    batch: ClassVar[int] = (
        8  # 45 ms a clip of 1 s with one thread; 105 ms one by one, where reading the weights dominates
    )

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Everything that the output depends on."""
        resampling = "soxr" if self.resampler == "soxr_hq" else "resampy"
        libraries = ("torch", "torchlibrosa", "panns-inference", "librosa", "numpy", resampling)
        return {
            "format": 1,
            "embedding": self.name,
            "parameters": {"resampler": self.resampler},
            "weights": panns.identity(self.checkpoint, PUBLISHED),
            "batch": self.batch,
            "versions": {library: version(library) for library in libraries},
        }

    @property
    def stamps(self) -> tuple[str, ...]:
        """What every table must say."""
        return () if self.checkpoint else (panns.STAMP,)

    def embed(self, waveforms: Floats, rate: int, device: str = "cpu") -> Floats:
        """The activations of the last hidden layer.

        Parameters
        ----------
        waveforms : float32 array (clips, samples)
        rate : int
            Hz; another rate than 32000 is resampled.
        device : str
            Where the network runs.

        Returns
        -------
        float32 array (clips, 2048)

        Raises
        ------
        ClipError
            Where the clips are shorter than 0.31 s.
        WeightsError
            Where the checkpoint is damaged or of another network.
        """
        panns.check_duration(self.name, waveforms.shape[-1], rate, FRAMES)
        import torch

        network = load(self.checkpoint, device)
        samples = torch.from_numpy(resample(waveforms, rate, panns.RATE, self.resampler)).to(device)
        with panns.reproducible():
            return np.asarray(network(samples)["embedding"].cpu().numpy())


@lru_cache(maxsize=1)
def load(checkpoint: panns.Checkpoint | None, device: str) -> torch.nn.Module:
    """The network in evaluation mode, with the weights of a checkpoint or an untrained one's.

    Raises
    ------
    WeightsError
        Where the file does not hold this network for this front end.
    """
    import torch

    where = panns.to_device(device)
    with torch.random.fork_rng(devices=[]):  # its constructor draws from the generator that trainings use
        network: torch.nn.Module = _model_class()(
            sample_rate=panns.RATE,
            window_size=1024,
            hop_size=panns.HOP,
            mel_bins=64,
            fmin=50,
            fmax=14000,
            classes_num=527,
        )
    own = network.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in own.items()}
    front_end = {name: shapes.pop(name) for name in own if name.startswith(FRONT_END)}
    if checkpoint is None:
        state = panns.untrained(shapes)
    else:
        state = panns.read(checkpoint)
        panns.check(checkpoint, state, shapes, front_end)
        for name in front_end:
            if name in state:
                panns.check_front_end(checkpoint, name, state[name], own[name].double().numpy())
    network.load_state_dict({**own, **state})
    return network.eval().to(where)


def _model_class() -> Any:
    """``panns_inference.models.Cnn14``, without running the package's ``__init__`` and ``config``."""
    loaded = sys.modules.get("panns_inference.models")
    if loaded is not None:  # somebody else's doing
        return loaded.Cnn14
    package = importlib.util.find_spec("panns_inference")
    if package is None or package.submodule_search_locations is None:
        raise UsageError("cnn14 needs the package panns-inference", hint="pip install panns-inference")
    importlib.import_module("torchlibrosa")  # which models.py needs: before anything is put in other modules' place
    stand_in = types.ModuleType("panns_inference")
    stand_in.__path__ = list(package.submodule_search_locations)
    # models.py imports pyplot, which it does not use, and which writes a font cache into the home folder.
    unused = {name: types.ModuleType(name) for name in ("matplotlib", "matplotlib.pyplot") if name not in sys.modules}
    with _modules({"panns_inference": stand_in, **unused}):
        return importlib.import_module("panns_inference.models").Cnn14


@contextmanager
def _modules(stand_ins: Mapping[str, types.ModuleType]) -> Iterator[None]:
    """Put modules in place for a while; afterwards neither they nor their submodules are left behind."""
    before = set(sys.modules)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        roots = {name.partition(".")[0] for name in stand_ins}
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in roots:
                del sys.modules[name]
