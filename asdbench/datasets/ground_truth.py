"""The labels of the DCASE 2021 Task 2 evaluation clips, which the organizers published after the challenge.

The evaluation set's file names carry no label. ``ground_truth_2021.txt`` beside this module holds the 8,635 labels of
the official evaluator (github y-kawagu/dcase2021_task2_evaluator, ``ground_truth_data``; MIT, Hitachi, Ltd.), one line
a cell and one digit a clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from asdbench.api import Label

LABELS: Mapping[str, Label] = {"0": "normal", "1": "anomaly"}


@cache
def labels_2021() -> Mapping[tuple[str, str], Label]:
    """The labels of the 2021 evaluation set by (machine, clip name); read at the first call.

    Returns
    -------
    mapping of (str, str) to {"normal", "anomaly"}
        8,635 clips of 7 machine types, sections 03 to 05: ``("fan", "section_03_source_test_0000.wav")``.
    """
    found: dict[tuple[str, str], Label] = {}
    text = files("asdbench.datasets").joinpath("ground_truth_2021.txt").read_text(encoding="ascii")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        machine, section, domain, digits = line.split()
        for number, digit in enumerate(digits):
            found[machine, f"section_{section}_{domain}_test_{number:04d}.wav"] = LABELS[digit]
    return MappingProxyType(found)
