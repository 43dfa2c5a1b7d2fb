"""What others have printed, as data: the report's Tables 3 to 6, its author's notebook, the organizers' example runs.

Conventions
-----------
- One table a file in this folder: lines ``# name: value`` on top (title, source, decimals, notes with known errors),
  then ``machine,section,domain,metric,percent`` in printed order; a row of machine ``MEAN`` is a printed arithmetic
  mean, of ``HARMONIC MEAN`` a printed harmonic one. Domain ``both``: over source and target.
- ``elided`` names machine types that a source leaves out although its printed means are over them, too.
- Values are percent, as printed; ``decimals`` says to how many places.
- ``trainings`` says of how many trainings the values are, a number or ``unknown``, and how that is known.
  ``selection`` says which epoch was taken, as far as is known. What is unknown is written so.
- Facts only: nothing is corrected here. Where a printed number is wrong, the note says so and
  :func:`recomputed_means` gives the right one.
- Keys: ``narita2021/table-3`` (AE of the organizers), ``-4`` (CVAE), ``-5`` (System 1), ``-6`` (System 2),
  ``narita2021/mvg-notebook``; ``organizers/ae-readme`` and ``-mobilenetv2-readme`` (one example run each). Files are
  read when first asked for.

The data set's clip counts are here, too.

Source: Narita & Tamamori, DCASE 2021 Challenge Task 2 technical report; each table names its own.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal, TypeAlias

from asdbench.api import Label, Split
from asdbench.errors import UsageError
from asdbench.metrics.aggregate import Means, means, official_score
from asdbench.plugins.registry import unknown

Metric: TypeAlias = Literal["auc", "pauc"]
Column: TypeAlias = tuple[str, Metric]
CellKey: TypeAlias = tuple[str, str, str, Metric]
CountKey: TypeAlias = tuple[str, str, str, Split, Label]

KEYS = (
    "narita2021/table-3",
    "narita2021/table-4",
    "narita2021/table-5",
    "narita2021/table-6",
    "narita2021/mvg-notebook",
    "organizers/ae-readme",
    "organizers/mobilenetv2-readme",
)
_METRICS: Mapping[str, Metric] = {"auc": "auc", "pauc": "pauc"}
_SPLITS: Mapping[str, Split] = {"train": "train", "test": "test"}


@dataclass(frozen=True)
class Table:
    """A published table.

    Parameters
    ----------
    key : str
        What :attr:`asdbench.api.System.published` refers to.
    title, source : str
        What it is and where it was printed.
    decimals : int
        Places after the point to which ``cells`` are rounded.
    note : str
        Known errors and what else a reader must know.
    trainings : int or None
        Of how many trainings each value is the mean; None where that is not known.
    trainings_said : str
        The same in words, with how it is known.
    selection : str
        Which epoch was taken, as far as is known.
    cells : mapping of (machine, section, domain, metric) to float
        Percent, in printed order.
    printed_means : mapping of (domain, metric) to float
        The printed mean row, percent, right or wrong; empty where none was printed. Domain ``both``: over both.
    printed_harmonic : mapping of (domain, metric) to float
        Printed harmonic means, percent.
    elided : tuple of str
        Machine types that the source does not print although its means are over them, too.
    """

    key: str
    title: str
    source: str
    decimals: int
    note: str
    trainings: int | None
    trainings_said: str
    selection: str
    cells: Mapping[CellKey, float] = field(hash=False)
    printed_means: Mapping[Column, float] = field(hash=False)
    printed_harmonic: Mapping[Column, float] = field(hash=False, default_factory=dict)
    elided: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """(machine, section), in printed order."""
        return tuple(dict.fromkeys((machine, section) for machine, section, _, _ in self.cells))

    @property
    def machines(self) -> tuple[str, ...]:
        """The machine types, in printed order."""
        return tuple(dict.fromkeys(machine for machine, _ in self.rows))


@dataclass(frozen=True)
class Recomputed:
    """Means of published cells, percent.

    Parameters
    ----------
    rows : tuple of (machine, section)
        The rows they are over.
    columns : mapping of (domain, metric) to Means
        What a MEAN row should hold.
    overall : mapping of metric to Means
        Over both domains.
    official_score : float
        Harmonic mean of all AUC and pAUC.
    """

    rows: tuple[tuple[str, str], ...]
    columns: Mapping[Column, Means] = field(hash=False)
    overall: Mapping[Metric, Means] = field(hash=False)
    official_score: float


class _Tables(dict[str, Table]):
    def __missing__(self, key: str) -> Table:
        raise unknown("published table", key, self)


@cache
def tables() -> Mapping[str, Table]:
    """All published tables by key, in :data:`KEYS` order; an unknown key is a UsageError with the nearest one.

    The mapping is shared: do not change it.
    """
    return _Tables({key: _read_table(key) for key in KEYS})


def recomputed_means(table: Table, rows: Iterable[tuple[str, str]] | None = None) -> Recomputed:
    """Means recomputed from a table's cells.

    Parameters
    ----------
    table : Table
        Whose cells.
    rows : iterable of (machine, section), optional
        Only these rows, for instance those that a run has scored; by default all.

    Raises
    ------
    UsageError
        For a row that the table does not have, or no rows.
    """
    chosen = table.rows if rows is None else tuple(dict.fromkeys(rows))
    absent = [row for row in chosen if row not in table.rows]
    if absent or not chosen:
        raise UsageError(
            f"{table.key} has no row {' '.join(absent[0])}" if absent else "no rows to take a mean of",
            looked=f"its rows: {', '.join(' '.join(row) for row in table.rows)}",
            hint="choose among the rows of the table",
        )
    columns: dict[Column, list[float]] = {}
    overall: dict[Metric, list[float]] = {}
    for (machine, section, domain, metric), percent in table.cells.items():
        if (machine, section) in chosen:
            columns.setdefault((domain, metric), []).append(percent)
            overall.setdefault(metric, []).append(percent)
    return Recomputed(
        rows=chosen,
        columns=MappingProxyType({column: means(values) for column, values in columns.items()}),
        overall=MappingProxyType({metric: means(values) for metric, values in overall.items()}),
        official_score=official_score(value for values in overall.values() for value in values),
    )


@cache
def official_counts() -> Mapping[CountKey, int]:
    """How many clips DCASE 2021 Task 2 has, by (machine, section, domain, split, label).

    Sections 00 to 02 are the development data; of 03 to 05 the training clips are the additional training data and the
    test clips the evaluation data.
    """
    _, rows = _read("dcase2021_counts.csv")
    counts: dict[CountKey, int] = {}
    for row in rows:
        key = row["machine"], row["section"], row["domain"], _SPLITS[row["split"]]
        counts[(*key, "normal")] = int(row["normal"])
        counts[(*key, "anomaly")] = int(row["anomaly"])
    return MappingProxyType(counts)


def _read_table(key: str) -> Table:
    head, rows = _read(f"{key.replace('/', '_')}.csv")
    cells: dict[CellKey, float] = {}
    printed: dict[str, dict[Column, float]] = {"MEAN": {}, "HARMONIC MEAN": {}}
    for row in rows:
        metric, percent = _METRICS[row["metric"]], float(row["percent"])
        if row["machine"] in printed:
            printed[row["machine"]][row["domain"], metric] = percent
        else:
            cells[row["machine"], row["section"], row["domain"], metric] = percent
    return Table(
        key=key,
        title=head["title"],
        source=head["source"],
        decimals=int(head["decimals"]),
        note=head["note"],
        trainings=_count(head["trainings"]),
        trainings_said=head["trainings"],
        selection=head["selection"],
        cells=MappingProxyType(cells),
        printed_means=MappingProxyType(printed["MEAN"]),
        printed_harmonic=MappingProxyType(printed["HARMONIC MEAN"]),
        elided=tuple(name.strip() for name in head.get("elided", "").split(",") if name.strip()),
    )


def _count(said: str) -> int | None:
    first = re.split(r"[ ,]", said)[0]
    return None if first == "unknown" else int(first)


def _read(name: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The head of a file (lines of the same name joined) and its rows."""
    lines = resources.files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
    head: dict[str, str] = {}
    for line in lines:
        if line.startswith("#"):
            field_name, _, text = line.removeprefix("#").partition(":")
            head[field_name.strip()] = f"{head.get(field_name.strip(), '')} {text.strip()}".strip()
    return head, list(csv.DictReader(line for line in lines if not line.startswith("#")))
