"""The file names of DCASE Task 2, 2020 to 2026.

Conventions
-----------
- 2020: ``train/normal_id_00_00000000.wav``, ``test/anomaly_id_00_00000000.wav``; ``test/id_01_00000000.wav`` in the
  evaluation set. The id stands where later years have a section, and there are no domains.
- 2021: ``train/section_00_source_train_normal_0000_<attributes>.wav``,
  ``source_test/section_00_source_test_anomaly_0000.wav``; ``source_test/section_03_source_test_0000.wav`` in the
  evaluation set. The organizers' later tools put both domains' test clips into one folder ``test``.
- From 2022 on one folder ``test``, and attributes in the names of labelled test clips too:
  ``test/section_00_source_test_normal_0000_<attributes>.wav``. Evaluation clips have neither label nor domain in their
  names: ``test/section_03_0000.wav`` (or ``section_03_test_0000.wav``). Some names of 2024 leave ``_train`` or
  ``_test`` out.
- 2026 is taken to be as 2025.
- The label of a test clip is optional everywhere: copies of the evaluation sets with labels in the names go round, and
  a clip without a known label is still a clip. The ending is ``.wav`` in any case.
- A clip of no folder (name ``""``) is a training clip where its own name says so.

Sources: the READMEs of the organizers' baselines, real clip names of 2020 to 2023, the ground truth lists to 2025.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from types import MappingProxyType
from typing import cast

from asdbench.api import Label, Split
from asdbench.errors import DataError

MACHINES = ("ToyCar", "ToyTrain", "fan", "gearbox", "pump", "slider", "valve")
"""The machine types of 2021, in the order of the official tables. A data set may hold others."""

SYNTHETIC, MARKER = "synthetic data", "SYNTHETIC.txt"
"""The stamp of synthetic sounds, and the file beside ``dev_data`` that says that a root holds such."""

_ID = r"id_(?P<section>[0-9]{2,})_(?P<number>[0-9]{4,})"
_SECTION = r"section_(?P<section>[0-9]{2,})"
_DOMAIN = r"_(?P<domain>source|target)"
_NUMBER = r"_(?P<number>[0-9]{4,})"
_TAIL = r"(?:_(?P<attributes>.*))?"
_WAV = r"\.[wW][aA][vV]"


@dataclass(frozen=True)
class Grammar:
    """A year's names: a pattern each of training and test clips, its folders of test clips, examples for messages."""

    train: re.Pattern[str]
    test: re.Pattern[str]
    tests: tuple[str, ...]
    example: tuple[str, str]

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of a machine type."""
        return ("train", *self.tests)


_2020 = Grammar(
    re.compile(rf"(?P<label>normal)_{_ID}{_WAV}"),
    re.compile(rf"(?:(?P<label>normal|anomaly)_)?{_ID}{_WAV}"),
    ("test",),
    ("normal_id_00_00000000.wav", "anomaly_id_00_00000000.wav or id_01_00000000.wav"),
)
_2021 = Grammar(
    re.compile(rf"{_SECTION}{_DOMAIN}_train_(?P<label>normal){_NUMBER}{_TAIL}{_WAV}"),
    re.compile(rf"{_SECTION}{_DOMAIN}_test(?:_(?P<label>normal|anomaly))?{_NUMBER}{_WAV}"),
    ("source_test", "target_test", "test"),
    (
        "section_00_source_train_normal_0000_<attributes>.wav",
        "section_00_source_test_normal_0000.wav or section_03_source_test_0000.wav, in the folder of its domain",
    ),
)
_LATER = Grammar(
    re.compile(rf"{_SECTION}{_DOMAIN}(?:_train)?_(?P<label>normal){_NUMBER}{_TAIL}{_WAV}"),
    re.compile(
        rf"{_SECTION}(?:{_DOMAIN})?(?:_test)?(?(domain)_(?P<label>normal|anomaly)){_NUMBER}(?(domain){_TAIL}){_WAV}"
    ),
    ("test",),
    (
        "section_00_source_train_normal_0000_<attributes>.wav",
        "section_00_source_test_normal_0000_<attributes>.wav or section_03_0000.wav",
    ),
)

GRAMMARS: Mapping[int, Grammar] = MappingProxyType(
    {2020: _2020, 2021: _2021, **dict.fromkeys(range(2022, 2027), _LATER)}
)
"""By year."""

FOLDERS = ("train", *dict.fromkeys(folder for grammar in GRAMMARS.values() for folder in grammar.tests))
"""What the folders of clips are called in any year."""


@dataclass(frozen=True)
class Fields:
    """What a file name says.

    Parameters
    ----------
    section : str
        Digits as they stand in the name; 2020: the machine's id.
    domain : {"source", "target", ""}
        "" where the name has none.
    split : {"train", "test"}
    label : {"normal", "anomaly"} or None
        None where the name has none.
    number : str
        Digits as they stand in the name.
    attributes : str
        The rest of the name (see :mod:`asdbench.datasets.attributes`), or "".
    """

    section: str
    domain: str
    split: Split
    label: Label | None
    number: str
    attributes: str = ""


def read(name: str, folder: str, year: int) -> Fields | None:
    """What a file name says, or None where it does not fit the year's grammar or its folder.

    Parameters
    ----------
    name : str
        The file's base name.
    folder : str
        The folder it lies in, one of :data:`FOLDERS`; "" for none.
    year : int
    """
    grammar = GRAMMARS[year]
    split: Split = "train" if folder == "train" or (not folder and "_train_" in name) else "test"
    match = (grammar.train if split == "train" else grammar.test).fullmatch(name)
    if match is None or (folder and folder not in grammar.folders):
        return None
    # The same few words again and again: kept once.
    found = {key: intern(text) if text and key != "number" else text for key, text in match.groupdict().items()}
    domain = found.get("domain") or ""
    if folder.endswith("_test") and folder != f"{domain}_test":
        return None
    return Fields(
        section=found["section"],
        domain=domain,
        split=split,
        label=cast("Label | None", found["label"]),
        number=found["number"],
        attributes=found.get("attributes") or "",
    )


def parse(name: str, folder: str, year: int) -> Fields:
    """As :func:`read`, for a name that must fit.

    Raises
    ------
    DataError
        Where the name does not fit the grammar, or says another split or domain than its folder.
    """
    fields = read(name, folder, year)
    if fields is None:
        raise DataError(
            f"{name!r} in a folder {folder!r} is no file name of the {year} data set",
            looked=f"expected there: {expected(folder, year)}",
            hint="rename it, or move it out of the data set",
        )
    return fields


def expected(folder: str, year: int) -> str:
    """The form of the names in a folder, for messages."""
    grammar = GRAMMARS[year]
    if folder and folder not in grammar.folders:
        return f"folders {', '.join(grammar.folders)}"
    return grammar.example[0 if folder == "train" else 1]
