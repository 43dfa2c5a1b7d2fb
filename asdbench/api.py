"""The values and protocols that data sets, embeddings, models and the harness share. numpy only.

Conventions
-----------
- A *cell* is machine x section x domain. Sections are strings as the data set writes them ("00", "03").
- Scores and components: one value a clip, larger means more anomalous.
- Training rows come sorted by clip name (guaranteed; the AE's validation tail relies on it); test rows come in a
  seeded random order, without names and labels, and the harness puts them back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Components: TypeAlias = Mapping[str, NDArray[np.floating[Any]]]
"""Component -> one value a clip."""
Scope: TypeAlias = Literal["machine", "machine-part", "section", "all"]
Split: TypeAlias = Literal["train", "test"]
Part: TypeAlias = Literal["dev", "additional", "eval"]
Label: TypeAlias = Literal["normal", "anomaly"]
Kind: TypeAlias = Literal["vector", "frames"]
Profile: TypeAlias = Literal["full", "quick"]

DOMAINS = ("source", "target")


@dataclass(frozen=True, order=True)
class Cell:
    """Machine x section x domain: what one AUC and one pAUC are computed over."""

    machine: str
    section: str
    domain: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.machine, self.section, self.domain)))


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of a data set.

    Parameters
    ----------
    name : str
        As the data set names it (the file's base name; the first column of ``index.csv``); unique within a machine.
    machine, section, domain : str
        The cell it belongs to. In 2020 the section is the machine's id and the domain "".
    split : {"train", "test"}
    part : {"dev", "additional", "eval"}
        Development data, additional training data (of the evaluation sections), evaluation test data.
    label : {"normal", "anomaly"} or None
        None where it is not known. Never shown to a model.
    path : Path or None
        The sound file, where there is one.
    row : int or None
        The row of ``features.npy``, for given features.
    attributes : tuple of (str, str)
        What its name says of the machine's state beyond the cell, such as ``("vel", "6V")``; models do not see it.
    """

    name: str
    machine: str
    section: str
    domain: str
    split: Split
    part: Part
    label: Label | None
    path: Path | None = None
    row: int | None = None
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def cell(self) -> Cell:
        """The cell this clip belongs to."""
        return Cell(self.machine, self.section, self.domain)


@dataclass(frozen=True)
class Waveform:
    """Sound: ``samples`` (n,) float32 in [-1, 1], one channel, at ``rate`` Hz."""

    samples: Floats
    rate: int


class Dataset(Protocol):
    """An index of clips and the way to their sound (or to given features)."""

    @property
    def name(self) -> str:
        """Name of the results folder: ``toy``, ``dcase2021``, the base name of a features folder."""

    @property
    def spec(self) -> str:
        """The spec that made it, as typed."""

    @property
    def year(self) -> int:
        """The challenge year (2020 to 2026) whose file names, metrics and official score apply."""

    @property
    def stamps(self) -> tuple[str, ...]:
        """What every table made from it must say, such as ``synthetic data``."""

    @property
    def profile(self) -> Profile:
        """``quick`` where systems should use their short training budget (toy), else ``full``."""

    @property
    def clips(self) -> Sequence[Clip]:
        """All clips, sorted by (machine, name)."""

    @property
    def reader(self) -> Callable[[Clip], Waveform] | None:
        """A picklable function that reads a clip's sound, raising ClipError; None where features are given."""

    @property
    def features(self) -> GivenFeatures | None:
        """The given features instead of sound, or None."""

    def digest(self, clip: Clip) -> str:
        """A sha256 (hex) of the clip's content."""


class GivenFeatures(Protocol):
    """Features that somebody has computed already."""

    @property
    def kind(self) -> Kind:
        """``vector``: one vector a clip."""

    @property
    def recipe(self) -> Mapping[str, Any]:
        """How they were made, as far as known (JSON values)."""

    @property
    def path(self) -> Path:
        """The ``.npy`` file."""


class Embedding(Protocol):
    """Turns waveforms into features.

    Made by a factory whose parameters are those of its spec; cheap to make (no torch, no file of weights read except
    for its hash), and handed to workers as its spec.
    """

    @property
    def name(self) -> str:
        """Its name in the registry."""

    @property
    def kind(self) -> Kind:
        """``vector`` (clips, d) or ``frames`` (clips, frames, bands)."""

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Everything that its output depends on (JSON values): parameters, weights' sha256, library versions."""

    @property
    def stamps(self) -> tuple[str, ...]:
        """What every table made with it must say, such as ``untrained network``."""

    @property
    def batch(self) -> int:
        """The fixed number of clips the harness hands to ``embed`` at a time, so that neighbours do not matter."""

    def embed(self, waveforms: Floats, rate: int, device: str = "cpu") -> Floats:
        """Features (clips, ...) of ``waveforms`` (clips, samples) at ``rate`` Hz; ClipError where too short."""


@dataclass(frozen=True)
class Batch:
    """What a model sees of some clips: no names, no labels.

    Parameters
    ----------
    features : array (clips, d) or sequence of arrays (frames, bands)
        A sequence where clips may differ in length; may be memory-mapped: index it, do not copy it whole.
    machine, section, domain : int64 arrays (clips,)
        Codes from 0 within the fit's training clips; -1 where a value is not known or does not occur among them.
        Domain: 0 source, 1 target; -1 for all clips of 2020, and for the test clips of 2022 and later.
    n_sections : int
        Number of section codes in the fit's training clips; 0 where none of them states its section.
    """

    features: Floats | Sequence[Floats]
    machine: NDArray[np.int64]
    section: NDArray[np.int64]
    domain: NDArray[np.int64]
    n_sections: int

    def __len__(self) -> int:
        return len(self.section)


class Fitted(Protocol):
    """A trained model.

    It may have more, for reports; a run does without what is not there:

    - ``latent(batch) -> (clips, d)``: a vector a clip; its two principal axes are drawn.
    - ``centres() -> (n_sections, d)``: of the section codes, in the same space; or ``(2 * n_sections, d)``, each
      section's source before its target. NaN for a class without training clips; None for a model without centres.
    - ``parameters`` (int): how many numbers were learned, those of centres among them.
    - ``save(folder)``.
    """

    def components(self, batch: Batch) -> Components:
        """Named score components, one value a clip each, float32 or float64; NaN where a clip cannot be scored.

        A clip's values depend on nothing but the clip: neither on its neighbours nor on how many they are.
        """


@dataclass
class FitContext:
    """What the harness hands to ``fit`` besides the data.

    Parameters
    ----------
    seed : int
        From the run's seed, the scope and the model's family; never from order or parameters, so that sweeps are
        paired.
    device : str
        "cpu", "cuda", "cuda:1", ...
    threads : int
        Number of threads of this job; already set for torch and BLAS.
    on_epoch : callable or None
        Called with (epoch, fitted) after each epoch.
    history : list of dict
        What ``log`` collected.
    steps : int
        Optimizer steps; a model that takes any adds to it, and the tables' footnotes state it.
    """

    seed: int
    device: str = "cpu"
    threads: int = 1
    on_epoch: Callable[[int, Fitted], None] | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    steps: int = 0

    def log(self, epoch: int, **terms: float) -> None:
        """Keep the loss terms of an epoch (from 1); they become ``history.csv``."""
        self.history.append({"epoch": epoch, **{name: float(value) for name, value in terms.items()}})


F_co = TypeVar("F_co", bound=Fitted, covariant=True)


class Model(Protocol[F_co]):
    """A frozen dataclass of parameters: equal parameters = the same model = trained once.

    A model that gives the same scores whatever the seed may say so: ``deterministic: ClassVar[bool] = True``. One fit
    of it is then all there is, and verdicts about methods need no more (``check_system`` tries it with two seeds).
    """

    @property
    def embedding(self) -> str:
        """The features it wants, a spec: ``resnet38``, ``logmel[pad_mode=reflect]``."""

    @property
    def scope(self) -> Scope:
        """Which training clips form one fit."""

    def fit(self, train: Batch, ctx: FitContext) -> F_co:
        """Train on normal clips; FitError where that cannot be done."""


@dataclass(frozen=True)
class System(Generic[F_co]):
    """A model and a weighted sum of its components.

    Parameters
    ----------
    name, title : str
        Name in the registry; one line for people.
    model : Model
    formula : mapping of str to float
        Weights of the components in the score.
    published : str or None
        Key of the published table it claims to reproduce (see ``asdbench.published``).
    quick : mapping of str to value
        Parameters of its short budget, for toy data; what the user gives wins.
    source : str
        Where the method comes from.
    standardised : sequence of mapping of str to float
        Weighted sums of components in ``formula``. Where there are any, the score is not the formula's but the sum of
        these, each standardised to mean 0 and deviation 1 over the training clips of the fit.
    """

    name: str
    title: str
    model: Model[F_co]
    formula: Mapping[str, float]
    published: str | None = None
    quick: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    standardised: Sequence[Mapping[str, float]] = ()

    @property
    def scoring(self) -> dict[str, Any]:
        """How components become a score, as JSON values: for manifests."""
        if not self.standardised:
            return dict(self.formula)
        return {"standardised": [dict(weights) for weights in self.standardised]}

    def score(self, components: Components, train: Components | None = None) -> NDArray[np.float64]:
        """The weighted sum, in float64.

        Parameters
        ----------
        components : mapping of str to array (clips,)
        train : mapping of str to array (training clips,) or None
            The components of the training clips of the same fit: read where scores are ``standardised``.

        Returns
        -------
        array (clips,)
            NaN where scores are standardised and the training clips' are all the same.
        """
        if not self.standardised:
            return _weighted(self.formula, components)
        if train is None:
            raise ValueError(f"{self.name} standardises its scores: they need the components of the training clips")
        total = np.zeros(1)
        for weights in self.standardised:
            over = _weighted(weights, train)
            over = over[np.isfinite(over)]
            varies = len(over) > 0 and np.ptp(over) > 0
            mean, deviation = (over.mean(), over.std()) if varies else (math.nan, math.nan)
            total = total + (_weighted(weights, components) - mean) / deviation
        return total


def _weighted(weights: Mapping[str, float], components: Components) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):  # a score that is not finite is named where it is written
        total = [weight * components[name].astype(np.float64) for name, weight in weights.items()]
        return np.asarray(np.sum(total, axis=0), dtype=np.float64)
