"""A system's table as data: rows of ours and the published, means, intervals, notes; and the best of several. Percent.

:mod:`asdbench.reports.content.tables` makes them from a results folder; Markdown, LaTeX, CSV and the page show them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asdbench.judging.intervals import Over
from asdbench.judging.reproduced import Outcome, Reproduction
from asdbench.judging.reproductions import Reproductions
from asdbench.metrics.aggregate import Means, Metric
from asdbench.metrics.challenge import Column, Definition
from asdbench.reports.content.footnotes import NO_RESULT, REDUCED
from asdbench.reports.content.intervals import over
from asdbench.reports.content.wording import Bounds, means_of, span
from asdbench.results.seed_folder import SeedFolder
from asdbench.results.selection import STAMP, parted


@dataclass(frozen=True)
class Row:
    """A machine's section: ours and published, percent by (domain, metric); a value that is not there is absent.

    ``mark`` is set where the clip counts are not those of DCASE 2021; ``missing`` are columns
    that were asked for and have no value; ``bounds`` are the 95 % interval of each value; ``verdicts`` are of the
    values that are published. ``collapsed``: a component of the machine's model is constant.
    """

    machine: str
    section: str
    ours: Mapping[Column, float]
    published: Mapping[Column, float]
    mark: bool = False
    missing: tuple[Column, ...] = ()
    bounds: Mapping[Column, Bounds] = field(default_factory=dict)
    verdicts: Mapping[Column, Outcome] = field(default_factory=dict)
    collapsed: bool = False


@dataclass(frozen=True)
class SystemTable:
    """A system's table.

    Parameters
    ----------
    dataset, system, title : str
    part : {"dev", "eval"}
        Development or evaluation sections; their means and official scores are never mixed.
    definition : Definition
        Of the data set's year: which columns there are and what the official score is.
    stamps : tuple of str
        What the table must say loudly, a reduced budget among it.
    rows : list of Row
    ours, theirs : mapping of (domain, metric) to Means
        Means per column, percent; ``theirs`` over the same cells as ours.
    score, their_score : float or None
        Official score, percent, over the same cells; of several seeds the mean of theirs.
    has_published : bool
    deviations : list of str
        What was done otherwise than by the method, the data and the table it stands beside.
    settings : list of str
        Seeds, budget, training data, features, versions.
    remarks : list of str
        What a reader must know of the numbers: where the published ones are from, what intervals say.
    arithmetic_bounds, harmonic_bounds, score_bounds
        95 % intervals of the means and of the official score, percent; a column, or the score, without one is absent.
    overall, overall_bounds, their_overall : mapping of metric to float, to their intervals, to the published
        The arithmetic means over all cells of whatever domain, percent.
    verdict : str
        What is reproduced, in one line; empty where nothing is published.
    reproductions : Reproductions or None
        Each value held against the published one; None where nothing is published.
    folders : tuple of SeedFolder
        What it was made from.
    seed_scores : tuple of float or None
        Official score of each folder over the cells that all have, percent.
    over : {"trainings and clips", "clips, deterministic", "clips, one training"} or None
        What its intervals are over; None where nothing has a value.
    """

    dataset: str
    system: str
    title: str
    part: str
    definition: Definition
    stamps: tuple[str, ...]
    rows: list[Row]
    ours: Mapping[Column, Means]
    theirs: Mapping[Column, Means]
    score: float | None
    their_score: float | None
    has_published: bool
    deviations: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    arithmetic_bounds: Mapping[Column, Bounds] = field(default_factory=dict)
    harmonic_bounds: Mapping[Column, Bounds] = field(default_factory=dict)
    score_bounds: Bounds | None = None
    overall: Mapping[Metric, float] = field(default_factory=dict)
    overall_bounds: Mapping[Metric, Bounds] = field(default_factory=dict)
    their_overall: Mapping[Metric, float] = field(default_factory=dict)
    verdict: str = ""
    reproductions: Reproductions | None = None
    folders: tuple[SeedFolder, ...] = ()
    seed_scores: tuple[float | None, ...] = ()
    over: Over | None = None

    @property
    def notes(self) -> list[str]:
        """All that stands below the table."""
        return [*self.deviations, *self.settings, *self.remarks]

    @property
    def cells(self) -> int:
        """How many cells (machine, section, domain) have a value."""
        return sum(metric == "auc" for row in self.rows for _, metric in row.ours)

    @property
    def asked(self) -> int:
        """How many cells were asked for, with a value or without."""
        return self.cells + sum(metric == "auc" for row in self.rows for _, metric in row.missing)

    @property
    def counted(self) -> str:
        """The cells in words: ``2``, or ``1 of 2`` where some have no value."""
        return str(self.cells) if self.cells == self.asked else f"{self.cells} of {self.asked}"

    @property
    def partial(self) -> str:
        """What must be said beside means and official score where cells have no value: ``over 1 of 2 cells``."""
        return f"over {self.counted} cells" if 0 < self.cells < self.asked else ""

    @property
    def oracle(self) -> bool:
        """Whether its epoch was chosen on the test labels."""
        return parted(self.system)[1].labels or STAMP in self.stamps

    @property
    def result(self) -> bool:
        """Whether its numbers may be taken for a result: for what the method reaches on real machines."""
        return not self.oracle and not any(stamp in NO_RESULT or stamp.startswith(REDUCED) for stamp in self.stamps)

    @property
    def mean_rows(self) -> list[Row]:
        """The means that the year's evaluator prints, as rows: ``Arithmetic mean`` stands for the machine."""
        return [self._mean_row(which) for which in means_of(self.definition)]

    def _mean_row(self, which: str) -> Row:
        bounds = self.arithmetic_bounds if which == "arithmetic" else self.harmonic_bounds
        ours = {column: getattr(mean, which) for column, mean in self.ours.items()}
        theirs = {column: getattr(mean, which) for column, mean in self.theirs.items()}
        verdicts = {column: found.outcome for column, found in self.means_beside(which).items()}
        return Row(f"{which.capitalize()} mean", "", ours, theirs, bounds=bounds, verdicts=verdicts)

    def means_beside(self, which: str) -> Mapping[Column, Reproduction]:
        """Each ``arithmetic`` or ``harmonic`` mean that stands beside one of published cells."""
        if self.reproductions is None:
            return {}
        return self.reproductions.arithmetic if which == "arithmetic" else self.reproductions.harmonic

    def beside(self, quantity: str) -> Reproduction | None:
        """The official score, mean AUC or mean pAUC over all cells beside that of the published ones."""
        return None if self.reproductions is None else self.reproductions.overall.get(quantity)

    @property
    def interval_of(self) -> str:
        """What its intervals are over, to stand beside them: ``over clips, one training``."""
        return over(self.over, len(self.folders)) if self.over else ""

    @property
    def score_interval(self) -> str:
        """The official score's interval and what it is over, ``48.6 to 70.1 over clips, one training``, or ""."""
        return f"{span(self.score_bounds)} {self.interval_of}" if self.score_bounds else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before any number: stamps, collapsed models, an official score over fewer cells."""
        collapsed = list(dict.fromkeys(row.machine for row in self.rows if row.collapsed))
        found = [*self.stamps, f"collapsed model: {', '.join(collapsed)}" if collapsed else "", self.partial]
        return tuple(filter(None, found))


def by_dataset(tables: Sequence[SystemTable]) -> Iterator[list[SystemTable]]:
    """Tables of one data set and year, in the order given."""
    for of in dict.fromkeys((table.dataset, table.definition) for table in tables):
        yield [table for table in tables if (table.dataset, table.definition) == of]


def shared_notes(tables: Sequence[SystemTable]) -> list[str]:
    """The notes that several tables have all of, to be said once; none of a single table."""
    first, *others = tables
    return [note for note in first.notes if others and all(note in table.notes for table in others)]


def best(tables: Sequence[SystemTable]) -> list[SystemTable]:
    """Those of the highest official score of their part, several where equal; none where it would be unfair to say.

    Systems whose epoch was chosen on the test labels do not take part, nor those scored on fewer cells than others,
    nor, where some numbers are results, those that are none.
    """
    found = []
    for part in dict.fromkeys(table.part for table in tables):
        fair = comparable([table for table in tables if table.part == part])
        found += [table for table in fair if table.score == fair[0].score] if len(fair) > 1 else []
    return found


def comparable(tables: Sequence[SystemTable]) -> list[SystemTable]:
    """Those that can be compared, the highest official score first."""
    scored = [table for table in tables if table.score is not None and not table.oracle]
    scored = [table for table in scored if table.result] or scored
    most = max((_values(table) for table in scored), key=len, default=frozenset[Any]())
    return sorted((table for table in scored if _values(table) == most), key=lambda table: -(table.score or 0.0))


def _values(table: SystemTable) -> frozenset[tuple[str, str, Column]]:
    return frozenset((row.machine, row.section, column) for row in table.rows for column in row.ours)
