"""Data sets of every year as trees of tiny clips: the official names and layouts, without the official sound.

Conventions
-----------
- 2021 has its true counts, times ``scale``. Evaluation sets of other years are those of a ground truth list where one
  is given (and it is copied into the root); everything else is made up and small.
- Clips are tiny WAV files of noise: all different, or hard links to one file (``linked``, much faster).
- Layouts: ``official``; ``raw`` as the organizers' baselines have it; ``bare`` without ``dev_data`` and ``eval_data``;
  ``zips`` with a folder an archive.
"""

from __future__ import annotations

import csv
import math
import os
import random
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from asdbench.datasets.years import YEARS
from asdbench.published import official_counts

TRAIN, TRAIN_TARGET, TEST = 4, 1, 2
"""Made-up clips a section: source and target training clips, test clips of each domain and label."""

ARCHIVES = {"dev": "dev_{}", "additional": "eval_data_{}_train", "eval": "eval_data_{}_test"}
ATTRIBUTES_2021: Mapping[str, str] = {
    "ToyCar": "A1Spd28VMic1",
    "ToyTrain": "A1Spd8Mic1",
    "fan": "strenght_1_big_ambient",
    "gearbox": "0_g_25_mm_2000_mV_None",
    "pump": "serial_no_020_viscous_liquid",
    "slider": "vel300_dis30_accl0.03",
    "valve": "pattern_00_no_pump",
}


class Place(NamedTuple):
    """A clip: part (dev, additional, eval), machine, folder and name."""

    part: str
    machine: str
    folder: str
    name: str


def write_tree(
    root: Path,
    year: int,
    *,
    scale: float = 1.0,
    machines: Sequence[str] | None = None,
    parts: Sequence[str] = ("dev", "additional", "eval"),
    truth: Path | None = None,
    layout: str = "official",
    linked: bool = True,
) -> Counter[tuple[str, str, str]]:
    """Write a data set; the numbers of its clips by (part, machine, folder)."""
    made: Counter[tuple[str, str, str]] = Counter()
    folders: set[Path] = set()
    one = root / ".sound"
    for place in places(year, scale, truth):
        if place.part not in parts or (machines is not None and place.machine not in machines):
            continue
        folder = root / _above(place, layout) / place.machine / place.folder
        if folder not in folders:
            folder.mkdir(parents=True, exist_ok=True)
            folders.add(folder)
        if not linked:
            (folder / place.name).write_bytes(tiny_wav(sum(made.values())))
        else:
            if not one.exists():
                one.write_bytes(tiny_wav(0))
            os.link(one, folder / place.name)
        made[place[:3]] += 1
    if truth is not None:
        (root / "ground_truth").mkdir()
        (root / "ground_truth" / f"eval_data_list_{year}.csv").write_bytes(truth.read_bytes())
    return made


def places(year: int, scale: float = 1.0, truth: Path | None = None) -> Iterator[Place]:
    """All clips of a year."""
    if year == 2021:
        yield from _places_2021(scale)
        return
    for part, sections in (("dev", YEARS[year].dev), ("additional", YEARS[year].eval)):
        for machine, names in sections.items():
            for section in names:
                yield from (Place(part, machine, "train", name) for name in _train(year, section))
                if part == "dev":
                    yield from (Place(part, machine, "test", name) for name in _test(year, section))
    yield from (Place("eval", machine, "test", name) for machine, name in _evaluation(year, scale, truth))


def tiny_wav(seed: int, channels: int = 1, rate: int = 16000, samples: int = 32) -> bytes:
    """A WAV file of 16-bit noise."""
    draw = random.Random(seed)
    data = struct.pack(f"<{samples * channels}h", *(draw.randrange(-20000, 20000) for _ in range(samples * channels)))
    head = struct.pack("<HHIIHH", 1, channels, rate, 2 * channels * rate, 2 * channels, 16)
    chunks = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def _above(place: Place, layout: str) -> str:
    side = "dev_data" if place.part == "dev" else "eval_data"
    return {
        "official": side,
        "raw": f"{side}/raw",
        "bare": "",
        "zips": ARCHIVES[place.part].format(place.machine),
    }[layout]


def _places_2021(scale: float) -> Iterator[Place]:
    for (machine, section, domain, split, label), count in official_counts().items():
        dev = section in YEARS[2021].dev[machine]
        part = "dev" if dev else "additional" if split == "train" else "eval"
        folder = "train" if split == "train" else f"{domain}_test"
        start = 0
        if part == "eval" and label == "anomaly":  # unlabelled: numbered through
            start = math.ceil(scale * official_counts()[machine, section, domain, split, "normal"])
        for number in range(start, start + math.ceil(scale * count)):
            word = "" if part == "eval" else f"_{label}"
            tail = f"_{ATTRIBUTES_2021[machine]}" if split == "train" else ""
            yield Place(part, machine, folder, f"section_{section}_{domain}_{split}{word}_{number:04d}{tail}.wav")


def _train(year: int, section: str) -> Iterator[str]:
    if year == 2020:
        yield from (f"normal_id_{section}_{number:08d}.wav" for number in range(TRAIN))
        return
    for domain, count in (("source", TRAIN), ("target", TRAIN_TARGET)):
        for number in range(count):
            yield f"section_{section}_{domain}_train_normal_{number:04d}_{_attribute(year, number)}.wav"


def _test(year: int, section: str) -> Iterator[str]:
    for label in ("normal", "anomaly"):
        if year == 2020:
            yield from (f"{label}_id_{section}_{number:08d}.wav" for number in range(TEST))
            continue
        for domain in ("source", "target"):
            for number in range(TEST):
                yield f"section_{section}_{domain}_test_{label}_{number:04d}_{_attribute(year, number)}.wav"


def _attribute(year: int, number: int) -> str:
    return "noAttribute" if year >= 2024 and number % 2 else f"vel_{number}_loc_A"


def _evaluation(year: int, scale: float, truth: Path | None) -> Iterator[tuple[str, str]]:
    if truth is None:
        for machine, sections in YEARS[year].eval.items():
            for section in sections:
                for number in range(4 * TEST):
                    yield (
                        machine,
                        f"id_{section}_{number:08d}.wav" if year == 2020 else f"section_{section}_{number:04d}.wav",
                    )
        return
    machine, of_machine = "", list[str]()
    rows: dict[str, list[str]] = {}
    with truth.open(newline="") as file:
        for row in csv.reader(file):
            if len(row) == 1:
                machine = row[0]
            else:
                rows.setdefault(machine, []).append(row[0])
    for machine, of_machine in rows.items():
        kept = math.ceil(scale * len(of_machine))
        yield from ((machine, of_machine[place * len(of_machine) // kept]) for place in range(kept))
