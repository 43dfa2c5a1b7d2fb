"""Which epoch of a training counts, and what its folder is called: the one place that knows ``@``.

=============== ======================== ======================================================================
choice          folder                   the epoch of each machine
=============== ======================== ======================================================================
``last``        ``SYSTEM``               the last one of a fixed budget
``pseudo``      ``SYSTEM@pseudo``        of the best pseudo-AUC on the training clips
``oracle``      ``SYSTEM@oracle``        of the best AUC on the labelled development test clips
``oracle-pauc`` ``SYSTEM@oracle-pauc``   of the best pAUC on the labelled development test clips
=============== ======================== ======================================================================

How epochs are chosen: :mod:`asdbench.running.selection`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from asdbench.errors import UsageError

Selection: TypeAlias = Literal["last", "pseudo", "oracle", "oracle-pauc", "both", "all"]
"""What ``--selection`` takes."""
Measure: TypeAlias = Literal["auc", "pauc", "pseudo"]
"""A column of ``epochs.csv``."""
MEASURES: tuple[Measure, ...] = ("auc", "pauc", "pseudo")
Epochs: TypeAlias = Mapping[str, Mapping[int, Mapping[str, float]]]
"""Machine -> epoch -> measure -> what that epoch's model gives, a fraction."""

STAMP = "epoch chosen on the test labels"


@dataclass(frozen=True)
class Choice:
    """A way to choose the epoch that counts.

    Parameters
    ----------
    name : str
    measure : str or None
        What the best epoch is the best by; None: the last epoch, whatever it gives.
    labels : bool
        Whether that measure needs the labels of test clips.
    """

    name: str
    measure: Measure | None
    labels: bool

    @property
    def suffix(self) -> str:
        """What follows the system in the name of its folder."""
        return "" if self.measure is None else f"@{self.name}"


LAST = Choice("last", None, labels=False)
PSEUDO = Choice("pseudo", "pseudo", labels=False)
ORACLE = Choice("oracle", "auc", labels=True)
ORACLE_PAUC = Choice("oracle-pauc", "pauc", labels=True)
CHOICES = (LAST, PSEUDO, ORACLE, ORACLE_PAUC)

ASKED: Mapping[str, tuple[Choice, ...]] = {
    **{choice.name: (choice,) for choice in CHOICES},
    "both": (LAST, ORACLE),
    "all": CHOICES,
}
"""What ``--selection`` takes, and what that makes."""


def choices(selection: str) -> tuple[Choice, ...]:
    """What a value of ``--selection`` asks for; UsageError for one that does not exist."""
    if selection not in ASKED:
        raise UsageError(
            f"selection {selection!r}", looked=f"there are: {', '.join(ASKED)}", hint="choose one of these"
        )
    return ASKED[selection]


def folder_name(system: str, choice: Choice) -> str:
    """The name of a system's folder."""
    return f"{system}{choice.suffix}"


def parted(folder: str) -> tuple[str, Choice]:
    """The system of a folder's name, and the choice of its epoch."""
    for choice in CHOICES:
        if choice.suffix and folder.endswith(choice.suffix):
            return folder.removesuffix(choice.suffix), choice
    return folder, LAST
