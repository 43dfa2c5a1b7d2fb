"""What each year of DCASE Task 2 calls its score files, machines and sections; its clips' names are in
:mod:`asdbench.datasets.grammar`.

Conventions
-----------
- Names are matched whole and case counts: the organizers' programs open files by their exact names.
- Development machines and sections are what labelled clip names are held against; the evaluation ones are those whose
  labels only the ground truth knows.
- Versions of the clips with labels in their names go round for evaluation sets too (the organizers' tools make them),
  which is why a labelled name may be of an evaluation machine or section.

Source: the organizers' READMEs, evaluators and ``download_path_<year>.yaml``; tried on real development clip names of
2020 to 2022 and on the evaluation lists of 2020 to 2025. Some clips of 2024 have no ``_test_`` in their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from asdbench.api import Label
from asdbench.datasets import grammar
from asdbench.metrics.challenge import DEFINITIONS, Definition

Part: TypeAlias = Literal["dev", "eval"]
Sections: TypeAlias = Mapping[str, tuple[str, ...]]
"""Machine -> its sections (2020: its ids)."""

KINDS = ("anomaly_score", "decision_result")

_FIRST_SHOT = ("ToyCar", "ToyTrain", "bearing", "fan", "gearbox", "slider", "valve")


class Unit(NamedTuple):
    """What one score file covers; ``domain`` is "" in all years but 2021."""

    machine: str
    section: str
    domain: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, self))


class ClipFields(NamedTuple):
    """What a labelled clip name says; ``domain`` is "" in 2020."""

    section: str
    domain: str
    label: Label
    number: int


@dataclass(frozen=True)
class Year:
    """A year's names.

    Parameters
    ----------
    year : int
    definition : Definition
    tail : str
        A score file's name after ``anomaly_score_<machine>_``, for messages.
    dev, eval : mapping of machine to sections
    evaluator : str
        Where the organizers keep the ground truth of the evaluation set.
    dev_clips : int or None
        The fewest clips that a score file of the development set has; None where it is not known.
    gapless : bool
        Whether the numbers in its development clips' names run without a gap, as far as real names were seen.
    """

    year: int
    definition: Definition
    tail: str
    dev: Sections
    eval: Sections
    evaluator: str
    dev_clips: int | None
    gapless: bool = False

    @property
    def assumed(self) -> str:
        """What must be said wherever the year is shown, or "": 2026 was not over when this was written."""
        return "the 2026 layout is assumed" if self.year == 2026 else ""

    @property
    def machines(self) -> tuple[str, ...]:
        """All machine types of the year."""
        return tuple(dict.fromkeys([*self.dev, *self.eval]))

    def machine(self, name: str) -> str:
        """The year's spelling of a machine's name (``slide_rail``, ``bandsealer``); the name itself where it has none.

        Case, blanks, ``_`` and ``-`` do not count.
        """
        return _spellings(self.machines).get(_plain(name), name)

    @property
    def example(self) -> str:
        """The form of a score file's name."""
        return f"anomaly_score_<machine>_{self.tail}"

    def file_name(self, kind: str, unit: Unit) -> str:
        """The name of a score or decision file."""
        if self.year == 2020:
            return f"{kind}_{unit.machine}_id_{unit.section}.csv"
        domain = f"_{unit.domain}" if unit.domain else ""
        return f"{kind}_{unit.machine}_section_{unit.section}{domain}_test.csv"

    def parse_file(self, name: str) -> tuple[str, Unit] | None:
        """Kind and unit of a file by its name, or None for another file.

        From 2022 on also the names without ``_test`` that the task page asked for and teams handed in, and those that
        the organizers' own baseline writes,
        ``anomaly_score_DCASE2023T2<machine>_section_<NN>_test_seed<seed><tag>[_Eval].csv``.
        """
        head = r"(?P<kind>anomaly_score|decision_result)_"
        if self.year == 2020:
            match = re.fullmatch(
                head.replace("|decision_result", "") + r"(?P<machine>.+)_id_(?P<section>\d{2})\.csv", name
            )
        elif self.year == 2021:
            match = re.fullmatch(
                head + r"(?P<machine>.+)_section_(?P<section>\d{2})_(?P<domain>source|target)_test\.csv", name
            )
        else:
            tail = r"(?P<machine>.+)_section_(?P<section>\d{2})"
            match = re.fullmatch(rf"{head}DCASE{self.year}T2{tail}_test_seed\d+.*\.csv", name)
            match = match or re.fullmatch(rf"{head}(?!DCASE\d{{4}}T2){tail}(?:_test)?\.csv", name)
        if match is None:
            return None
        return match["kind"], Unit(match["machine"], match["section"], match.groupdict().get("domain") or "")

    def parse_clip(self, name: str) -> ClipFields | None:
        """What a clip name with a label says, or None where it has none or is another year's."""
        fields = grammar.read(name, "", self.year)
        if fields is None or fields.split == "train" or fields.label is None:
            return None
        return ClipFields(fields.section, fields.domain, fields.label, int(fields.number))

    def unit(self, machine: str, name: str) -> Unit | None:
        """The unit that an *unlabelled* clip name belongs to, or None where it is no such name."""
        fields = grammar.read(name, "", self.year)
        return Unit(machine, fields.section, fields.domain) if fields and fields.label is None else None


def _plain(name: str) -> str:
    plain = re.sub(r"[\s_-]", "", name).casefold()
    return {"sliderail": "slider", "sliderrail": "slider"}.get(plain, plain)


@cache
def _spellings(machines: tuple[str, ...]) -> Mapping[str, str]:
    return MappingProxyType({_plain(machine): machine for machine in machines})


def _all(machines: tuple[str, ...], *sections: str) -> Sections:
    return MappingProxyType(dict.fromkeys(machines, sections))


_MIMII = ("fan", "pump", "slider", "valve")
_2021 = ("ToyCar", "ToyTrain", "fan", "gearbox", "pump", "slider", "valve")
_LATER: Mapping[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    2023: (_FIRST_SHOT, ("ToyDrone", "ToyNscale", "ToyTank", "Vacuum", "bandsaw", "grinder", "shaker")),
    2024: (
        _FIRST_SHOT,
        (
            "3DPrinter",
            "AirCompressor",
            "BrushlessMotor",
            "HairDryer",
            "HoveringDrone",
            "RoboticArm",
            "Scanner",
            "ToothBrush",
            "ToyCircuit",
        ),
    ),
    2025: (
        _FIRST_SHOT,
        (
            "AutoTrash",
            "BandSealer",
            "CoffeeGrinder",
            "HomeCamera",
            "Polisher",
            "ScrewFeeder",
            "ToyPet",
            "ToyRCCar",
        ),
    ),
    2026: (
        ("ToyCar", "ToyCarEmu", "bearingEmu", "fan", "gearboxEmu", "sliderEmu", "valveEmu"),
        ("BlowerDustCollector", "Sander", "SewingMachine", "ToothBrush", "ToyDrone"),
    ),
}
_SECTION = "section_<NN>_test.csv"

YEARS: Mapping[int, Year] = MappingProxyType(
    {
        2020: Year(
            2020,
            DEFINITIONS[2020],
            "id_<NN>.csv",
            {
                "ToyCar": ("01", "02", "03", "04"),
                "ToyConveyor": ("01", "02", "03"),
                **_all(_MIMII, "00", "02", "04", "06"),
            },
            {"ToyCar": ("05", "06", "07"), "ToyConveyor": ("04", "05", "06"), **_all(_MIMII, "01", "03", "05")},
            "github.com/y-kawagu/dcase2020_task2_evaluator (eval_data_list.csv: zenodo.org/records/3951620)",
            dev_clips=150,
            gapless=True,
        ),
        2021: Year(
            2021,
            DEFINITIONS[2021],
            "section_<NN>_<source|target>_test.csv",
            _all(_2021, "00", "01", "02"),
            _all(_2021, "03", "04", "05"),
            "github.com/y-kawagu/dcase2021_task2_evaluator (ground_truth_data)",
            dev_clips=198,
            gapless=True,
        ),
        2022: Year(
            2022,
            DEFINITIONS[2022],
            _SECTION,
            _all(_FIRST_SHOT, "00", "01", "02"),
            _all(_FIRST_SHOT, "03", "04", "05"),
            "github.com/Kota-Dohi/dcase2022_evaluator",
            dev_clips=200,
            gapless=True,
        ),
        **{
            year: Year(
                year,
                DEFINITIONS[year],
                _SECTION,
                _all(dev, "00"),
                _all(evaluation, "00"),
                f"github.com/nttcslab/dcase{year}_task2_evaluator",
                dev_clips=None if year == 2026 else 200,
            )
            for year, (dev, evaluation) in _LATER.items()
        },
    }
)
"""All years, oldest first."""
