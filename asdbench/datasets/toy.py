"""The built-in data set: synthetic sounds of seven machine types, so that everything runs without a download.

Conventions
-----------
- Same machines, sections, domains and file names as DCASE 2021 Task 2; clips of about one second at 16 kHz, rounded to
  16 bits, so that they are the same from run to run and when read back from a file.
- A section is an individual machine. Its target domain shifts speed, load or noise. A test anomaly has one of the
  faults of its machine type; strengths go from barely audible to plain within a cell, and differ between cells.
- Every clip is a function of (:data:`RECIPE`, seed, seconds, machine, name) alone, whatever else is in the data set.
  Whoever changes a sound raises :data:`RECIPE` (a test holds the sounds against their hashes).
- Evaluation clips carry no label in their name. They are given the labels that the official ground truth has for these
  names, so that a written copy is also right when it is read as ``dcase2021``.

Nothing measured on it says anything about real machines; every table made from it says so.
"""

from __future__ import annotations

import hashlib
import itertools
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.api import DOMAINS, Cell, Clip, Label, Part, Profile, Split, Waveform
from asdbench.datasets import grammar
from asdbench.datasets._machines import MACHINES, State
from asdbench.datasets._sounds import RATE, Chance, band, shaped
from asdbench.datasets.shipped_truth import labels_2021
from asdbench.errors import UsageError
from asdbench.plugins.registry import parameters
from asdbench.plugins.spec import Spec

RECIPE = 1
"""Version of the sounds."""

SECTIONS = {"dev": ("00", "01", "02"), "eval": ("03", "04", "05")}
SHIFTS = {"speed": (1.16, 0.86), "load": (1.5, 0.65), "noise": (3.0, 2.2)}
"""What the target domain may shift, and by what factor: one of the two."""
CEILINGS = (1.5, 0.85, 0.5)
"""Strength of the plainest faults of a cell; which cell has which goes round with machine and section."""
RANGE_DB = 18
"""From the faintest fault of a cell to its plainest."""
GOLDEN = 0.618034
"""Multiples of it fill the range of strengths evenly, however many clips there are."""

NOTE = """The sounds below this folder are synthetic: asdbench computed them ({spec}).
No machine was recorded, and nothing measured on them says anything about real machines.
While this file is here, asdbench reads the folder as "synthetic data", and every table made from it says so.
"""


@dataclass(frozen=True)
class ToyReader:
    """Makes the sound of a clip; a value, so that it can be sent to workers."""

    seed: int
    seconds: float

    def __call__(self, clip: Clip) -> Waveform:
        """The sound of the clip: ``seconds`` at 16 kHz, multiples of 1/32768."""
        return Waveform(self.samples(clip.machine, clip.name).astype(np.float32) / np.float32(32768), RATE)

    def samples(self, machine: str, name: str) -> NDArray[np.int16]:
        """The same as 16-bit numbers (n,)."""
        fields = _parse(name)
        count = round(self.seconds * RATE)
        state, noise = self._state(machine, fields)
        body, run = (self._chance(machine, text) for text in (f"section {fields.section}", _stem(fields)))
        gain, hum, rumble = body.between(0.8, 1.25), body.between(200, 500), body.between(0.007, 0.014)
        gain *= 10 ** (run.between(-0.7, 0.7) / 20)
        rumble *= noise * 10 ** (run.between(-1, 1) / 20)
        surroundings = rumble * shaped(run.noise(count), lambda f: 0.25 + band(hum, 2.0)(f))
        sound = gain * MACHINES[machine].sound(body, run, state, count) + surroundings
        return np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)

    def attribute(self, machine: str, stem: str) -> str:
        """What the name of a training clip says of the state it was taken in."""
        speed, load, noise = self._nominal(machine, _parse(f"{stem}.wav"))
        return f"speed_{speed}_load_{load}_noise_{noise}"

    def _chance(self, machine: str, text: str) -> Chance:
        return Chance(RECIPE, self.seed, zlib.crc32(machine.encode()), zlib.crc32(text.encode()))

    def _nominal(self, machine: str, fields: grammar.Fields) -> tuple[int, int, int]:
        """Speed, load and noise in percent: one of a few settings; the target domain shifts one of the three."""
        turn = int(fields.number)  # in turn, so that normal and anomalous clips meet the same settings
        setting = {"speed": 97 + 3 * (turn % 3), "load": 94 + 6 * (turn // 3 % 3), "noise": 100}
        if fields.domain == "target":
            place = grammar.MACHINES.index(machine) + 2 * int(fields.section)  # not in step with the ceilings
            shifted = list(SHIFTS)[place % len(SHIFTS)]
            which = self._chance(machine, f"section {fields.section} shift").whole(0, 1)
            setting[shifted] = round(setting[shifted] * SHIFTS[shifted][which])
        return setting["speed"], setting["load"], setting["noise"]

    def _state(self, machine: str, fields: grammar.Fields) -> tuple[State, float]:
        """The state of the machine and how loud its surroundings are."""
        speed, load, noise = (percent / 100 for percent in self._nominal(machine, fields))
        chance = self._chance(machine, f"{_stem(fields)} state")
        state = State(speed * chance.between(0.99, 1.01), load * chance.between(0.95, 1.05))
        if fields.split == "train" or _label(machine, fields) == "normal":
            return state, noise
        faults = MACHINES[machine].faults
        place = grammar.MACHINES.index(machine) + int(fields.section) + DOMAINS.index(fields.domain)
        ceiling = CEILINGS[place % len(CEILINGS)]
        grade = (int(fields.number) * GOLDEN + chance.between(0, 1 / 8)) % 1
        strength = ceiling * 10 ** (-RANGE_DB * (1 - grade) / 20)
        return replace(state, fault=faults[chance.whole(0, len(faults) - 1)], strength=strength), noise


@dataclass(frozen=True)
class ToyDataset:
    """Synthetic clips (see :class:`asdbench.api.Dataset`)."""

    spec: str
    clips: Sequence[Clip]
    reader: ToyReader
    name: str = "toy"
    stamps: tuple[str, ...] = (grammar.SYNTHETIC,)
    profile: Profile = "quick"
    year: int = 2021
    features: None = None

    def digest(self, clip: Clip) -> str:
        """A sha256 (hex) of what the clip's sound is a function of."""
        what = f"toy {RECIPE} {self.reader.seed} {self.reader.seconds!r} {clip.machine} {clip.name}"
        return hashlib.sha256(what.encode()).hexdigest()


def toy(
    *,
    train: int = 16,
    train_target: int = 3,
    test: int = 10,
    seconds: float = 1.0,
    seed: int = 0,
    additional: bool = False,
) -> ToyDataset:
    """Synthetic sounds of the seven machine types, three individuals each.

    Parameters
    ----------
    train, train_target : int
        Normal training clips of a section in the source and in the target domain.
    test : int
        Normal test clips of a cell, and as many anomalous ones.
    seconds : float
        Length of a clip.
    seed : int
        Other seeds are other machines.
    additional : bool
        Whether sections 03 to 05 are there too, as additional training and evaluation data.

    Raises
    ------
    UsageError
        For a value that makes no sense.
    """
    given = {
        "train": train,
        "train_target": train_target,
        "test": test,
        "seconds": seconds,
        "seed": seed,
        "additional": additional,
    }
    if min(train, train_target, test, seed) < 0 or not 0.1 <= seconds <= 600:
        raise UsageError(
            "toy: counts and seed start at 0, seconds goes from 0.1 to 600",
            looked=", ".join(f"{name}={value}" for name, value in given.items()),
            hint="write toy[train=16,test=10,seconds=1.0]",
        )
    reader = ToyReader(seed, float(seconds))
    clips = [
        clip
        for machine in grammar.MACHINES
        for part, sections in SECTIONS.items()
        if part == "dev" or additional
        for section in sections
        for domain, normal in zip(DOMAINS, (train, train_target), strict=True)
        for clip in _cell(reader, Cell(machine, section, domain), normal, test, part == "eval")
    ]
    defaults = {name: parameter.default for name, parameter in parameters(toy).items()}
    written = tuple((name, str(value)) for name, value in given.items() if value != defaults[name])
    return ToyDataset(str(Spec("toy", written)), sorted(clips, key=lambda clip: (clip.machine, clip.name)), reader)


def write(root: Path, dataset: ToyDataset) -> None:
    """Write the clips as 16-bit WAV files in the official layout: to listen to, or to read as ``dcase2021:ROOT``.

    A file :data:`asdbench.datasets.grammar.MARKER` in ``root`` makes every table from the copy say what it is.

    Raises
    ------
    OSError
        Where a file cannot be written.
    """
    import soundfile

    root.mkdir(parents=True, exist_ok=True)
    (root / grammar.MARKER).write_text(NOTE.format(spec=dataset.spec), encoding="utf-8")  # first: no sound without it
    for clip in dataset.clips:
        folder = root / ("dev_data" if clip.part == "dev" else "eval_data") / clip.machine
        folder /= "train" if clip.split == "train" else f"{clip.domain}_test"
        folder.mkdir(parents=True, exist_ok=True)
        samples = dataset.reader.samples(clip.machine, clip.name)
        soundfile.write(folder / clip.name, samples, RATE, subtype="PCM_16")


def _cell(reader: ToyReader, cell: Cell, train: int, test: int, evaluation: bool) -> Iterator[Clip]:
    head = f"section_{cell.section}_{cell.domain}"

    def clip(name: str, split: Split, part: Part, label: Label) -> Clip:
        return Clip(name, cell.machine, cell.section, cell.domain, split, part, label)

    for number in range(train):
        stem = f"{head}_train_normal_{number:04d}"
        name = f"{stem}_{reader.attribute(cell.machine, stem)}.wav"
        yield clip(name, "train", "additional" if evaluation else "dev", "normal")
    labels: tuple[Label, ...] = ("normal", "anomaly")
    for label in labels:
        if evaluation:
            names = (f"{head}_test_{number:04d}.wav" for number in itertools.count())
            fitting = (name for name in names if _label(cell.machine, _parse(name)) == label)
            yield from (clip(name, "test", "eval", label) for name in itertools.islice(fitting, test))
        else:
            yield from (clip(f"{head}_test_{label}_{number:04d}.wav", "test", "dev", label) for number in range(test))


def _parse(name: str) -> grammar.Fields:
    return grammar.parse(name, "train" if "_train_" in name else f"{name.split('_')[2]}_test", 2021)


def _stem(fields: grammar.Fields) -> str:
    """The clip's name without attribute and ending."""
    label = f"{fields.label}_" if fields.label else ""
    return f"section_{fields.section}_{fields.domain}_{fields.split}_{label}{fields.number}"


def _label(machine: str, fields: grammar.Fields) -> Label:
    if fields.label:
        return fields.label
    stem = _stem(fields)
    official = labels_2021().get((machine, f"{stem}.wav"))
    # Behind the official numbers, one of each two neighbours is an anomaly.
    pair = zlib.crc32(f"{machine} {fields.section} {fields.domain} {int(fields.number) // 2}".encode())
    return official or ("anomaly" if (pair + int(fields.number)) % 2 else "normal")
