"""Small data sets in the names of any year, as a plug-in file has them: ``yearly.py:given[year=2022]:DIR``.

``given`` has features, ``sounds`` has sound (noise; anomalies are faint). Development clips state labels in their
names, evaluation clips do not; without ``truth`` nobody knows these.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.api import DOMAINS, Clip, Label, Part, Profile, Waveform
from asdbench.datasets.features import VectorFile

LABELS: tuple[Label, ...] = ("normal", "anomaly")
MACHINES = {2020: ("fan", "ToyCar"), 2021: ("fan", "ToyCar"), 2022: ("fan", "ToyCar"), 2024: ("fan", "ToyCar")}
SECTIONS = {
    2020: (("01", "02"), ("05",)),
    2021: (("00", "01"), ("03",)),
    2022: (("00", "01"), ("03",)),
    2024: (("00",), ()),
}
EVALUATION = "HairDryer"  # from 2023 on the evaluation set has machines of its own


@dataclass
class Yearly:
    """See :class:`asdbench.api.Dataset`."""

    name: str
    spec: str
    year: int
    clips: Sequence[Clip]
    features: VectorFile | None = None
    reader: Callable[[Clip], Waveform] | None = None
    stamps: tuple[str, ...] = ()
    profile: Profile = "full"

    def digest(self, clip: Clip) -> str:
        """Of the name: content follows from it."""
        return hashlib.sha256(f"{self.year} {clip.machine} {clip.name}".encode()).hexdigest()


def given(
    folder: str,
    *,
    year: int = 2021,
    evaluation: bool = True,
    truth: bool = True,
    stated: bool = True,
    train: int = 8,
    test: int = 6,
) -> Yearly:
    """A data set of vectors; ``stated``: training clips state their section and domain."""
    clips, anomalous = _clips(year, evaluation, truth, stated, train, test)
    clips = [replace(clip, row=row) for row, clip in enumerate(clips)]
    draws = [np.random.default_rng(list(f"{clip.machine} {clip.name}".encode())).standard_normal(8) for clip in clips]
    array = np.array(draws, dtype=np.float32) + 2.0 * np.array(anomalous, dtype=np.float32)[:, None]
    path = Path(folder) / f"{year}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return Yearly(f"dcase{year}", f"given-{year}-{truth}", year, clips, VectorFile(path, {"made": "for a test"}))


def sounds(
    *, year: int = 2021, evaluation: bool = True, truth: bool = True, stated: bool = True, train: int = 4, test: int = 3
) -> Yearly:
    """A data set of sound, 0.3 s a clip."""
    clips, _ = _clips(year, evaluation, truth, stated, train, test)
    return Yearly(f"dcase{year}", f"sounds-{year}-{truth}", year, clips, reader=_read)


def _read(clip: Clip) -> Waveform:
    draws = np.random.default_rng(list(f"{clip.machine} {clip.name}".encode()))
    loud = 0.003 if "anomaly" in clip.name else 0.03
    return Waveform((loud * draws.standard_normal(4800)).astype(np.float32), 16000)


def _clips(
    year: int, evaluation: bool, truth: bool, stated: bool, train: int, test: int
) -> tuple[list[Clip], list[bool]]:
    """Sorted by machine and name, and whether they are anomalies."""
    found = list(_named(year, evaluation, truth, train, test))
    found.sort(key=lambda one: (one[0].machine, one[0].name))
    clips = [clip if stated or clip.split == "test" else _unstated(clip) for clip, _ in found]
    return clips, [anomalous for _, anomalous in found]


def _unstated(clip: Clip) -> Clip:
    return replace(clip, section="", domain="")


def _named(year: int, evaluation: bool, truth: bool, train: int, test: int) -> Iterator[tuple[Clip, bool]]:
    dev, other = SECTIONS[year]
    parts: list[tuple[Part, tuple[str, ...]]] = [("dev", dev), ("eval", other)]
    places = [
        (machine, section, part) for machine in MACHINES[year] for part, sections in parts for section in sections
    ]
    places += [(EVALUATION, "00", "eval")] if year >= 2023 else []
    for machine, section, part in places:
        if part == "eval" and not evaluation:
            continue
        number = 0
        for domain in DOMAINS if year > 2020 else ("",):
            for n in range(train):
                name = f"normal_id_{section}_{100 + n:08d}.wav"
                if year > 2020:
                    name = f"section_{section}_{domain}_train_normal_{n:04d}_x.wav"
                kept: Part = "dev" if part == "dev" else "additional"
                yield Clip(name, machine, section, domain, "train", kept, "normal"), False
            for label in LABELS:
                for n in range(test):
                    if part == "dev":
                        name = f"{label}_id_{section}_{n:08d}.wav"
                        if year > 2020:
                            name = f"section_{section}_{domain}_test_{label}_{n:04d}.wav"
                        yield Clip(name, machine, section, domain, "test", part, label), label == "anomaly"
                        continue
                    name = {2020: f"id_{section}_{number:08d}.wav"}.get(
                        year, f"section_{section}_test_{number:04d}.wav"
                    )
                    if year == 2021:
                        name = f"section_{section}_{domain}_test_{number:04d}.wav"
                    told = domain if truth or year == 2021 else ""
                    clip = Clip(name, machine, section, told, "test", part, label if truth else None)
                    yield clip, label == "anomaly"
                    number += 1


def parameters(**given: Any) -> str:
    """As a spec has them."""
    return ",".join(f"{name}={str(value).lower()}" for name, value in given.items())
