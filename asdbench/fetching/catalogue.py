"""What can be fetched: ``catalogue.csv`` beside this module, one line a file.

Conventions
-----------
- ``name`` is what the command line says (``dcase2021``, ``resnet38``); ``part`` is dev, additional, eval, truth or
  checkpoint; ``bytes``, ``md5``, ``sha256`` and ``url`` are ``unknown`` where nobody was found who states them.
- ``page`` is the official place of the file, for a person to look at.
- Several files of ``truth`` are the same labels: the organizers' evaluator first, then copies of it. One is enough.

Sources: the organizers' ``datasets/download_path_*.yaml`` (github nttcslab/dcase2023_task2_baseline_ae at 9b64dc4) for
the data sets' addresses, Zenodo record 20437238 for the evaluation clips of 2026; soundata for the md5 of 2020 and
2023; for the ground truth the evaluators' own repositories, each at a commit that has all labels (2025: its branch,
since none was found), and as copies the lists in the baseline's repository, each at the commit that brought it (not
that of 2022, which is wrong: :mod:`asdbench.datasets.shipped_truth`); of 2020 Zenodo record 3951620; for the
checkpoints Zenodo record 3987831 as several independent repositories quote it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from asdbench.errors import DataError, UsageError
from asdbench.plugins.registry import unknown

PARTS = ("dev", "additional", "eval", "truth")
FOLDERS = {"dev": "dev_data", "additional": "eval_data", "eval": "eval_data", "truth": "ground_truth"}
"""Where the parts belong, under the root."""
LARGEST, LARGEST_LIST = 8 * 10**9, 16 * 10**6
"""Bytes that an archive or checkpoint, and a list of labels, may have where the catalogue does not say how many."""


@dataclass(frozen=True)
class Source:
    """One file that can be fetched.

    Parameters
    ----------
    name, part, machine : str
        Data set or checkpoint, its part, and the machine type ("" where it has none).
    file : str
        Its name.
    bytes : int or None
        Its size, where known.
    md5, sha256, url : str or None
        Where known.
    page : str
        The official place, for a person.
    """

    name: str
    part: str
    machine: str
    file: str
    bytes: int | None
    md5: str | None
    sha256: str | None
    url: str | None
    page: str

    @property
    def checksum(self) -> str | None:
        """The published checksum as ``algorithm:hex``, the stronger one where there are two."""
        return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}" if self.md5 else None

    @property
    def most(self) -> int:
        """Bytes that no answer of a server may exceed: the size, where it is known, else far more than any file has."""
        return self.bytes or (LARGEST_LIST if self.part == "truth" else LARGEST)

    @property
    def folder(self) -> str:
        """Where its content belongs, relative to the root: ``dev_data/fan``, ``ground_truth``."""
        return f"{FOLDERS[self.part]}/{self.machine}" if self.machine else FOLDERS[self.part]


@cache
def sources() -> tuple[Source, ...]:
    """All that can be fetched, in the catalogue's order."""
    text = files("asdbench.fetching").joinpath("catalogue.csv").read_text(encoding="ascii")
    found = []
    for row in csv.DictReader(text.splitlines()):
        known = {key: None if value == "unknown" else value for key, value in row.items()}
        size = known["bytes"]
        found.append(
            Source(
                name=row["name"],
                part=row["part"],
                machine=row["machine"],
                file=row["file"],
                bytes=int(size) if size else None,
                md5=known["md5"],
                sha256=known["sha256"],
                url=known["url"],
                page=row["page"],
            )
        )
    return tuple(found)


def names() -> tuple[str, ...]:
    """Data sets and checkpoints, in the catalogue's order."""
    return tuple(dict.fromkeys(source.name for source in sources()))


def checkpoint(name: str) -> Source | None:
    """The checkpoint of that name, or None where the name is a data set's.

    Raises
    ------
    UsageError
        For a name that is neither.
    """
    if name not in names():
        raise unknown("data set or checkpoint", name, names())
    return next((source for source in sources() if source.name == name and source.part == "checkpoint"), None)


def choose(name: str, machines: Sequence[str] = (), parts: Sequence[str] = ()) -> list[Source]:
    """The files of a data set for some machine types and parts (nothing named: all).

    Raises
    ------
    UsageError
        For a data set, machine type or part that does not exist.
    DataError
        Where a part is asked for of which no file is known.
    """
    datasets = [source.name for source in sources() if source.part != "checkpoint"]
    if name not in datasets:
        raise unknown("data set", name, dict.fromkeys(datasets))
    whole = [source for source in sources() if source.name == name]
    for part in parts:
        if part not in PARTS:
            raise unknown("part", part, PARTS)
        if part not in {source.part for source in whole}:
            raise DataError(
                f"no file of the part {part!r} of {name} is known",
                looked=f"known: {', '.join(dict.fromkeys(source.part for source in whole))}",
                hint=f"leave {part} out; perhaps it is published by now: see where {whole[0].page} leads",
            )
    there = [source for source in whole if not parts or source.part in parts]
    having = there if any(source.machine for source in there) else whole  # the labels are one list for all machines
    known = list(dict.fromkeys(source.machine for source in having if source.machine))
    for machine in machines:
        if machine not in known:
            error = unknown(f"machine of {name}", machine, known)
            raise UsageError(error.message, f"{error.looked} ({', '.join(parts) or 'all parts'})", error.hint)
    return [source for source in there if not machines or not source.machine or source.machine in machines]
