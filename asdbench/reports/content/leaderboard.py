"""Every system on one data set, own and published, in the order of the official score.

Conventions
-----------
- A board holds results on the same clips: other clips, or development and evaluation sections, are boards of their own.
- Scores are compared over the same cells. A system that lacks some stands below, without
  a rank.
- Only what may be taken for a result has a rank: not synthetic data, an untrained network, a reduced budget, nor an
  epoch chosen on the test labels. Everything that a reader must mind stands beside the number.
- A rank is of a method: 1, and one more for every system that is better (:mod:`asdbench.reports.content.ranks`). A
  single training and a published table have none, and the notes say why. Lines stand in the order of their scores.
- Published values are of DCASE 2021 Task 2, development set, and stand on its boards only.
- Cost: seconds of fitting alone and learned numbers, of one seed, over all fits of the board's sections.
- Percent.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from asdbench.api import DOMAINS
from asdbench.judging.beside_published import why_left_out
from asdbench.judging.comparable import clips_of
from asdbench.metrics.aggregate import harmonic_mean, official_score
from asdbench.metrics.challenge import DEFINITIONS, Definition
from asdbench.published import Table, tables
from asdbench.reports.content.ranks import MEANING, PUBLISHED, ranked
from asdbench.reports.content.system_table import SystemTable
from asdbench.reports.content.tables import build
from asdbench.reports.content.wording import Bounds
from asdbench.results.results_folder import results_in
from asdbench.results.seed_folder import SeedFolder

CellName: TypeAlias = tuple[str, str, str]
"""Machine, section, domain."""
FULL = "narita2021/table-3"
"""A published table that has all cells of the development set."""


@dataclass(frozen=True)
class Place:
    """A line of a board.

    Parameters
    ----------
    system, title : str
        The system as asked for, or the key of a published table.
    published : bool
    source : str
        The run's folder, or where it was printed.
    score : float or None
        Official score; of several seeds the mean of theirs.
    bounds : (float, float) or None
        95 % interval; ``interval_of`` says over what.
    seeds : mapping of seed to official score
    seconds, parameters : float or None, int or None
        None where they are not recorded.
    cells : frozenset of (machine, section, domain)
        What the score is over.
    asked : int
        How many cells the run was asked for; 0 of a published table.
    mind : tuple of str
        What a reader must know before the number.
    result : bool
        Whether the number may be taken for a result.
    rank : int or None
    why_not : str
        Why a result has no rank.
    interval_of : str
        What its interval is over: ``over clips, one training``; "" where there is none.
    """

    system: str
    title: str
    published: bool
    source: str
    score: float | None
    cells: frozenset[CellName]
    asked: int = 0
    bounds: Bounds | None = None
    seeds: Mapping[int, float] = field(default_factory=dict)
    seconds: float | None = None
    parameters: int | None = None
    mind: tuple[str, ...] = ()
    result: bool = True
    rank: int | None = None
    why_not: str = ""
    interval_of: str = ""

    @property
    def mean(self) -> float | None:
        """Mean of the official score over seeds; None without seeds."""
        return statistics.fmean(self.seeds.values()) if self.seeds else None

    @property
    def spread(self) -> float | None:
        """Standard deviation of the official score over seeds; None for fewer than two."""
        return statistics.stdev(self.seeds.values()) if len(self.seeds) > 1 else None


@dataclass(frozen=True)
class Board:
    """Results on the same clips, best first.

    Parameters
    ----------
    dataset, part : str
    specs : tuple of str
        The data as the runs named it.
    definition : Definition
    places : tuple of Place
    cells : int
        How many cells the board has.
    notes : tuple of str
    """

    dataset: str
    part: str
    specs: tuple[str, ...]
    definition: Definition
    places: tuple[Place, ...]
    cells: int
    notes: tuple[str, ...]


def boards(results: Sequence[Path], dataset: str | None = None) -> list[Board]:
    """The boards of some results folders.

    Parameters
    ----------
    results : sequence of Path
    dataset : str or None
        Only this data set.

    Raises
    ------
    DataError
        Where one of them holds no results.
    UsageError
        Where one of them has none of this data set.
    """
    groups: list[list[SystemTable]] = []
    for table in _tables(results, dataset):
        own = next((group for group in groups if all(_alike(table, other) for other in group)), None)
        if own is None:
            groups.append([table])
        else:
            own.append(table)
    return [_board(group) for group in groups]


def _tables(results: Sequence[Path], dataset: str | None) -> list[SystemTable]:
    """The tables of all folders; a folder named twice counts once."""
    seen: set[Path] = set()
    found: list[SystemTable] = []
    for root in results:
        folders = [folder for folder in results_in(root, dataset) if folder.path.resolve() not in seen]
        seen |= {folder.path.resolve() for folder in folders}
        if folders:
            found += build(root, only=folders)
    return found


def _alike(one: SystemTable, two: SystemTable) -> bool:
    """Whether two tables are of one data set, part, year and, of the machines that both have, the same clips."""
    about = [(table.dataset, table.part, table.folders[0].year) for table in (one, two)]
    left, right = (_clips(table.folders) for table in (one, two))
    return about[0] == about[1] and all(left[machine] == right[machine] for machine in left.keys() & right.keys())


def _clips(folders: Iterable[SeedFolder]) -> dict[str, str]:
    return {machine: clips_of(entry) for folder in folders for machine, entry in folder.manifest()["machines"].items()}


def _board(found: Sequence[SystemTable]) -> Board:
    first = found[0]
    definition = DEFINITIONS[first.folders[0].year]
    places = [_own(table) for table in found]
    cells = frozenset[CellName]().union(*(place.cells for place in places))
    notes = []
    why_not = next(filter(None, (why_left_out(table.folders[0].manifest()) for table in found)), "")
    if why_not:
        notes.append(f"{why_not[0].upper()}{why_not[1:]}.")
    elif first.part != "dev":
        notes.append("Published values are left out: none are known of the evaluation sections.")
    else:
        beside = [place for table in tables().values() if (place := _printed(table, cells)) is not None]
        if any(row.mark for table in found for row in table.rows):
            # The order among them is right, but not beside ours.
            beside = [replace(one, mind=("other test clips than ours", *one.mind), result=False) for one in beside]
        places += beside
        told: dict[str, list[str]] = {}
        for place in beside:
            told.setdefault(tables()[place.system].note, []).append(place.title)
        notes += [f"{'; '.join(names)}: {note}" for note, names in told.items() if note]
    places = _ranked([_over(place, cells) for place in places], found)
    ordered = sorted(places, key=lambda place: (place.cells != cells, *_by_score(place)))
    notes += _on_ranks(ordered)
    specs = dict.fromkeys(str(table.folders[0].manifest()["dataset"]["spec"]) for table in found)
    return Board(first.dataset, first.part, tuple(specs), definition, tuple(ordered), len(cells), tuple(notes))


def _ranked(places: Sequence[Place], found: Sequence[SystemTable]) -> list[Place]:
    """The places, of which the first are those of some tables, with their ranks."""
    own = [number for number, _ in enumerate(found) if places[number].result and places[number].score is not None]
    told = dict(zip(own, ranked([found[number] for number in own]), strict=True))
    made = []
    for number, place in enumerate(places):
        rank = told.get(number, PUBLISHED if place.published and place.result else "")
        made.append(replace(place, rank=rank) if isinstance(rank, int) else replace(place, why_not=rank))
    return made


def _on_ranks(places: Sequence[Place]) -> list[str]:
    """What ranks mean, and who has none for which reason."""
    reasons: dict[str, list[str]] = {}
    for place in places:
        if place.why_not:
            reasons.setdefault(place.why_not, []).append(place.title if place.published else place.system)
    meaning = [MEANING] if any(place.rank for place in places) else []
    return meaning + [f"No rank: {'; '.join(names)}: {reason}." for reason, names in reasons.items()]


def _over(place: Place, cells: frozenset[CellName]) -> Place:
    """A place with how many cells its score is over, where it lacks some of the board's or of its own."""
    of = max(len(cells), place.asked)
    mind = [f"over {len(place.cells)} of {of} cells"] if len(place.cells) < of else []
    return replace(place, mind=(*mind, *place.mind), result=place.result and place.cells == cells)


def _by_score(place: Place) -> tuple[bool, float, str]:
    return place.score is None, -(place.score or 0.0), place.system


def _own(table: SystemTable) -> Place:
    folder = table.folders[0]
    scores = zip(table.folders, table.seed_scores, strict=True)
    return Place(
        system=table.system,
        title=table.title,
        published=False,
        source=str(folder.path.parent if len(table.folders) > 1 else folder.path),
        score=table.score,
        cells=frozenset(
            (row.machine, row.section, domain) for row in table.rows for domain, metric in row.ours if metric == "auc"
        ),
        asked=table.asked,
        bounds=table.score_bounds,
        seeds={one.seed: score for one, score in scores if score is not None},
        seconds=_mean([_seconds(one, table) for one in table.folders]),
        parameters=_parameters(folder, table),
        mind=tuple(warning for warning in table.warnings if warning != table.partial),
        result=table.result,
        interval_of=table.interval_of if table.score_bounds else "",
    )


def _fits(folder: SeedFolder, table: SystemTable) -> list[Mapping[str, object]]:
    """The fits of a folder that have to do with a table's sections, each once."""
    sections = {row.section for row in table.rows} | {""}
    named = {
        label: fit
        for entry in folder.manifest()["machines"].values()
        for label, fit in entry["fits"].items()
        if sections & set(fit.get("sections", ()))
    }
    return list(named.values())


def _seconds(folder: SeedFolder, table: SystemTable) -> float | None:
    stages = [fit.get("seconds") for fit in _fits(folder, table)]
    spent = [float(stage["fit"]) for stage in stages if isinstance(stage, Mapping) and "fit" in stage]
    return sum(spent) if spent and len(spent) == len(stages) else None


def _parameters(folder: SeedFolder, table: SystemTable) -> int | None:
    counts = [fit.get("parameters") for fit in _fits(folder, table)]
    known = [count for count in counts if isinstance(count, int)]
    return sum(known) if known and len(known) == len(counts) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known and len(known) == len(values) else None


def _printed(table: Table, cells: frozenset[CellName]) -> Place | None:
    """A published table over the cells of a board; None where it has none of them."""
    values = {key: value for key, value in table.cells.items() if key[:3] in cells}
    own = frozenset(key[:3] for key in values)
    everything = frozenset((machine, section, domain) for machine, section in tables()[FULL].rows for domain in DOMAINS)
    overall = [table.printed_harmonic.get(("both", metric)) for metric in ("auc", "pauc")]
    mind: tuple[str, ...] = ()
    if table.elided and cells == everything and None not in overall:
        score = harmonic_mean(value for value in overall if value is not None)
        own, mind = everything, ("from printed harmonic means",)
    elif values:
        score = official_score(value / 100 for value in values.values()) * 100
    else:
        return None
    return Place(table.key, table.title, True, _where(table), score, own, mind=mind)


def _where(table: Table) -> str:
    """Where it was printed, in short."""
    kind, _, name = table.key.partition("/")
    if kind == "organizers":
        return "README of the organizers"
    return f"report {name.replace('table-', 'Table ')}" if name.startswith("table-") else "the report author's notebook"
