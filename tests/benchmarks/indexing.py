"""How fast a large data set is checked: ``python tests/benchmarks/indexing.py FOLDER``.

Writes a tree with all 59,504 names of DCASE 2021 below FOLDER (clips of 10 ms, each with a sound of its own; 240 MB of
blocks) unless it is there, and checks it twice with a cache of its own. Not a test: it times the machine.
"""

from __future__ import annotations

import struct
import sys
import time
from pathlib import Path

from asdbench.datasets.dcase import dcase2021
from asdbench.datasets.digests import Digests
from asdbench.datasets.shipped_truth import labels_2021
from asdbench.published import official_counts
from asdbench.upkeep.cache import DATABASE
from asdbench.upkeep.validation import validate

SAMPLES = 160


def names() -> list[str]:
    """The paths of all clips below the root."""
    paths = []
    for (machine, section, domain, split, label), count in official_counts().items():
        part, development = ("dev_data", True) if section < "03" else ("eval_data", False)
        folder = "train" if split == "train" else f"{domain}_test"
        if split == "train" or development:
            stem = f"{part}/{machine}/{folder}/section_{section}_{domain}_{split}_{label}"
            paths += [f"{stem}_{number:04d}.wav" for number in range(count)]
    for machine, name in labels_2021():
        paths.append(f"eval_data/{machine}/{name.split('_')[2]}_test/{name}")
    return paths


def write(root: Path) -> None:
    """Write the tree."""
    size = 2 * SAMPLES
    head = b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt "
    head += struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16) + b"data" + struct.pack("<I", size)
    for number, name in enumerate(names()):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(head + (struct.pack("<I", number) * SAMPLES)[:size])


def main(folder: Path) -> None:
    """Write, check, check again, print."""
    root, database = folder / "data", folder / DATABASE
    if not root.exists():
        write(root)
        time.sleep(2.5)  # what is younger is not kept
    database.unlink(missing_ok=True)
    for what in ("first", "again"):
        wall, processor = time.perf_counter(), time.process_time()
        data = dcase2021(str(root))
        data.digests = Digests(database)
        opened = time.perf_counter()
        found = validate(data, complete=True, database=database)
        ended = time.perf_counter()
        print(
            f"{what}: {found.clips} clips, wrong: {found.wrong}; opened in {opened - wall:.2f} s, checked in "
            f"{ended - opened:.2f} s, {time.process_time() - processor:.2f} s of processor time"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
