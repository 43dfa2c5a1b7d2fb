"""The file names of DCASE 2021 Task 2.

Conventions (README of the organizers' baseline, github y-kawagu/dcase2021_task2_baseline_ae):

- ``train/section_00_source_train_normal_0000_<attribute>.wav``; the attribute is free text and may be absent
- ``source_test/section_00_source_test_normal_0000.wav`` and ``..._test_anomaly_0000.wav`` in the development set
- ``source_test/section_03_source_test_0000.wav`` in the evaluation set: no label

The label of a test clip is optional everywhere, because copies of the evaluation set with labels in the names go
round, and because a clip without a known label is still a clip. The ending is ``.wav`` in any case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from asdbench.api import Label, Split
from asdbench.errors import DataError

MACHINES = ("ToyCar", "ToyTrain", "fan", "gearbox", "pump", "slider", "valve")
"""The machine types of 2021, in the order of the official tables. A data set may hold others."""

FOLDERS = ("train", "source_test", "target_test")
"""The folders of a machine type, under ``dev_data`` and under ``eval_data``."""

EXAMPLES = {
    "train": "section_00_source_train_normal_0000_<attribute>.wav",
    "source_test": "section_00_source_test_normal_0000.wav or section_03_source_test_0000.wav",
    "target_test": "section_00_target_test_normal_0000.wav or section_03_target_test_0000.wav",
}

SYNTHETIC, MARKER = "synthetic data", "SYNTHETIC.txt"
"""The stamp of synthetic sounds, and the file beside ``dev_data`` that says that a root holds such."""

_CELL = r"section_(?P<section>[0-9]{2,})_(?P<domain>source|target)"
_WAV = r"\.[wW][aA][vV]"
_TRAIN = re.compile(_CELL + r"_train_(?P<label>normal)_(?P<number>[0-9]{4,})(?:_(?P<attribute>.*))?" + _WAV)
_TEST = re.compile(_CELL + r"_test_(?:(?P<label>normal|anomaly)_)?(?P<number>[0-9]{4,})" + _WAV)


@dataclass(frozen=True)
class Fields:
    """What a file name says.

    Parameters
    ----------
    section : str
        "00" to "05" in 2021; digits as they stand in the name.
    domain : {"source", "target"}
    split : {"train", "test"}
    label : {"normal", "anomaly"} or None
        None where the name has none.
    number : str
        Digits as they stand in the name.
    attribute : str
        The rest of a training clip's name, or "".
    """

    section: str
    domain: str
    split: Split
    label: Label | None
    number: str
    attribute: str = ""


def parse(name: str, folder: str) -> Fields:
    """Read a file name.

    Parameters
    ----------
    name : str
        The file's base name.
    folder : {"train", "source_test", "target_test"}
        The folder it lies in.

    Raises
    ------
    DataError
        Where the name does not fit the grammar, or says another split or domain than its folder.
    """
    match = (_TRAIN if folder == "train" else _TEST).fullmatch(name)
    if match:
        domain = match["domain"]
        if folder in ("train", f"{domain}_test"):
            return Fields(
                section=match["section"],
                domain=domain,
                split="train" if folder == "train" else "test",
                label=cast("Label | None", match["label"]),
                number=match["number"],
                attribute=match.groupdict().get("attribute") or "",
            )
    raise DataError(
        f"{name!r} in a folder {folder!r} is no file name of the 2021 data set",
        looked=f"expected there: {EXAMPLES[folder]}",
        hint="rename it, or move it out of the data set",
    )
