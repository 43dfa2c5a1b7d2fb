"""Scores of several trainings, as arrays: what a verdict about methods is computed from.

Conventions
-----------
- A *file* is what one score file covers: a cell (2020, 2021), or a section with both domains (2022 and later).
- A *fit* is one training of one model on one *unit* (a machine, a machine's part, a section, everything) with one seed.
  The files of one fit move together; units are independent of each other.
- Fits are called by their seed. Seeds of the same name in two units are one row of the results table, no more: nothing
  is shared. Two systems share a training only where the *training* key says so (equal job keys).
- A table is tidy: one row a system, fit and clip.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.metrics.challenge import DEFINITIONS, Definition, Group
from asdbench.words import listed

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("system", "fit", "clip", "label", "score")
TEXT = ("system", "fit", "clip", "cell", "machine", "section", "domain", "unit", "training")
"""Columns that are text, whatever they look like."""
LABELS: Mapping[object, int] = {"normal": 0, "anomaly": 1, 0: 0, 1: 1, "0": 0, "1": 1}


@dataclass(frozen=True, eq=False)
class Scored:
    """One file's clips as a system's fits score them.

    Parameters
    ----------
    file : Cell
        What it covers (:meth:`asdbench.metrics.challenge.Definition.file`).
    unit : str
        What one fit covers; files of the same unit have the same fits.
    fits : tuple of str
        The fits' seeds, one a row of ``scores``.
    labels : int array (clips,)
        0 normal, 1 anomaly.
    scores : float64 array (fits, clips)
    clips : tuple of str
        Names, each once.
    domains : tuple of str
        Each clip's; read in 2022 and later only.
    trainings : tuple of str
        Keys that say which fits of several systems are one and the same training; empty where none is shared.
    cells : tuple of Cell
        The cells whose values count; empty: all.
    """

    file: Cell
    unit: str
    fits: tuple[str, ...]
    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    clips: tuple[str, ...]
    domains: tuple[str, ...] = ()
    trainings: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()

    def of(self, rows: Sequence[int]) -> Scored:
        """The same with some of the fits."""
        return replace(
            self,
            fits=tuple(self.fits[row] for row in rows),
            scores=self.scores[list(rows)],
            trainings=tuple(self.trainings[row] for row in rows) if self.trainings else (),
        )


def scored(
    groups: Mapping[str, Group], unit: str, trainings: Mapping[str, str] | None = None, cells: Sequence[Cell] = ()
) -> Scored:
    """One file's clips from the groups of several seeds, as score files are read.

    Parameters
    ----------
    groups : mapping of seed to Group
        The same clips in the same order.
    unit : str
        What one fit covers.
    trainings : mapping of seed to str, optional
        Job keys: which seeds of several systems are one and the same training.
    cells : sequence of Cell
        The cells whose values count; empty: all.

    Raises
    ------
    DataError
        Where the groups differ in their clips.
    """
    first = next(iter(groups.values()))
    for seed, group in groups.items():
        if tuple(group.clips) != tuple(first.clips) or not np.array_equal(group.labels, first.labels):
            raise DataError(f"{first.file}: seed {seed} has not scored the clips of the others in the same order")
    return Scored(
        first.file,
        unit,
        tuple(groups),
        first.labels,
        np.stack([group.scores for group in groups.values()]),
        tuple(first.clips),
        tuple(first.domains),
        tuple(trainings[seed] for seed in groups) if trainings else (),
        tuple(cells),
    )


@dataclass(frozen=True, eq=False)
class Sample:
    """A system's trainings on a data set.

    Parameters
    ----------
    name : str
    files : tuple of Scored
    deterministic : bool
        Whether another seed gives the same scores: one fit is then all there is, and the first is taken.
    collapsed : int
        How many fits collapsed; passed through to the verdict.
    """

    name: str
    files: tuple[Scored, ...]
    deterministic: bool = False
    collapsed: int = 0

    @property
    def seeds(self) -> int:
        """Fits of the unit that has the fewest."""
        return 1 if self.deterministic else min(len(one.fits) for one in self.files)

    @property
    def varies_unseen(self) -> bool:
        """Whether there is one training of something whose trainings differ: nothing is known of the method then."""
        return not self.deterministic and self.seeds < 2


def checked(sample: Sample) -> Sample:
    """The sample with its files in order, each file's clips by class, domain and name; DataError where it is amiss."""
    files = [_ordered(sample.name, one) for one in sorted(sample.files, key=lambda one: _key(one.file))]
    if not files:
        raise DataError(f"{sample.name} has no scores", hint="give at least one cell with clips of both classes")
    doubled = {one.file for one in files if sum(other.file == one.file for other in files) > 1}
    if doubled:
        raise DataError(f"{sample.name}: {min(map(str, doubled))} is there twice", hint="give each file once")
    if sample.deterministic:
        files = [one.of([0]) for one in files]
    fits: dict[str, Scored] = {}
    for one in files:
        first = fits.setdefault(one.unit, one)
        if (first.fits, first.trainings) != (one.fits, one.trainings):
            raise DataError(
                f"{sample.name}: the fits of {one.unit} are not the same in {first.file} and in {one.file}",
                looked=f"{listed(first.fits)}; {listed(one.fits)}",
                hint="every fit of a unit must score all of its cells",
            )
    return replace(sample, files=tuple(files))


def _key(file: Cell) -> tuple[str, str, str]:
    return file.machine, file.section, file.domain


def _ordered(name: str, one: Scored) -> Scored:
    where = f"{name}, {one.file}"
    shape = len(one.fits), len(one.clips)
    if one.scores.shape != shape or one.labels.shape != shape[1:] or len(one.domains) not in (0, shape[1]):
        raise DataError(
            f"{where}: arrays differ in length",
            looked=f"{shape[0]} fits, {shape[1]} clips, scores {one.scores.shape}, labels {one.labels.shape}",
            hint="give scores (fits, clips), and a label and a name for each clip",
        )
    if len(one.trainings) not in (0, shape[0]) or not shape[0]:
        raise DataError(f"{where}: each fit needs one key, or none has one", looked=f"{shape[0]} fits")
    if len(set(one.clips)) != len(one.clips) or len(set(one.fits)) != len(one.fits):
        raise DataError(f"{where}: a clip or a fit stands twice", hint="give one score a fit and clip")
    if set(one.labels.tolist()) != {0, 1}:
        raise DataError(f"{where}: clips of both classes are needed", hint="0 is normal, 1 is anomaly")
    if not np.isfinite(one.scores).all():
        raise DataError(f"{where}: {int(np.sum(~np.isfinite(one.scores)))} scores are not finite")
    domains = one.domains or ("",) * shape[1]
    labels = one.labels.tolist()
    order = sorted(range(shape[1]), key=lambda clip: (labels[clip], domains[clip], one.clips[clip]))
    rows = sorted(range(shape[0]), key=lambda row: (len(one.fits[row]), one.fits[row]))  # 2 before 10
    return replace(
        one.of(rows),
        labels=one.labels[order],
        scores=one.scores[np.ix_(rows, order)],
        clips=tuple(one.clips[clip] for clip in order),
        domains=tuple(domains[clip] for clip in order),
    )


def from_table(
    table: pd.DataFrame,
    definition: Definition = DEFINITIONS[2021],
    *,
    deterministic: Collection[str] = (),
    collapsed: Mapping[str, int] | None = None,
) -> list[Sample]:
    """The systems of a tidy table, in the order in which they appear.

    Parameters
    ----------
    table : DataFrame
        One row a system, fit and clip. Columns ``system``, ``fit`` (the seed), ``clip``, ``label`` (0 and 1, or normal
        and anomaly), ``score``; where the clip belongs: ``machine``, ``section`` and ``domain``, or ``cell`` (and
        ``machine``, if there are several). Optional: ``unit`` (what a fit covers; else the machine), ``training``
        (equal in two systems where they read one and the same training; else nothing is shared).
    definition : Definition
        Which clips a value is over and what the official score is; else that of 2021.
    deterministic : collection of str
        Systems of which another seed gives the same scores.
    collapsed : mapping of str to int
        How many fits of a system collapsed.

    Raises
    ------
    DataError
        Where a column, a class or a score is missing, or fits of a unit scored other clips than its other fits.
    """
    frame = _with_places(table, definition)
    places = ["machine", "section", "domain"]
    file_columns = places if definition.domains == "files" else places[:2]
    samples: dict[str, list[Scored]] = {}
    grouped = frame.sort_values(["fit", "clip"], kind="stable").groupby(["system", *file_columns], sort=False)
    order = frame["system"].unique().tolist()
    for key, rows in grouped:
        system, *place = (str(one) for one in key)
        samples.setdefault(system, []).append(_scored(system, Cell(*place, *[""] * (3 - len(place))), rows))
    return [
        checked(Sample(name, tuple(samples[name]), name in deterministic, (collapsed or {}).get(name, 0)))
        for name in order
    ]


def _with_places(table: pd.DataFrame, definition: Definition) -> pd.DataFrame:
    missing = [column for column in NEEDED if column not in table.columns]
    places = {"machine", "section"} | ({"domain"} if definition.domains != "nothing" else set())
    has = set(table.columns)
    if "cell" not in has or definition.domains == "clips":
        missing += sorted(places - has)
    if missing:
        raise DataError(
            f"the table lacks the column {listed(missing)}" if len(missing) == 1 else f"it lacks {listed(missing)}",
            looked=", ".join(map(str, table.columns)),
            hint="one row a system, fit and clip: system, fit, clip, label, score, and the cell",
        )
    text = {name: table[name].astype(str) for name in ("system", "fit", "clip") if name in has}
    frame = table.assign(**text)
    if not places <= has:
        frame = frame.assign(section=table["cell"].astype(str), domain="")
    for name, other in (("machine", ""), ("section", ""), ("domain", ""), ("training", "")):
        frame[name] = frame[name].astype(str) if name in frame.columns else other
    frame["unit"] = frame["unit"].astype(str) if "unit" in has else frame["machine"]
    codes = frame["label"].map(LABELS)
    if codes.isna().any():
        odd = frame["label"][codes.isna()].iloc[0]
        raise DataError("a label is none of 0, 1, normal and anomaly", looked=repr(odd), hint="label every clip")
    return frame.assign(label=codes.astype(np.int64), score=frame["score"].astype(np.float64))


def _scored(system: str, file: Cell, rows: pd.DataFrame) -> Scored:
    """One system's rows of one file, sorted by fit and clip."""
    names, scores = rows["clip"].to_numpy(), rows["score"].to_numpy()
    fits, starts = np.unique(rows["fit"].to_numpy().astype(str), return_index=True)
    shape = len(fits), len(rows) // len(fits)
    labels, domains = rows["label"].to_numpy(), rows["domain"].to_numpy()
    if len(rows) % len(fits) or not (names.reshape(shape) == names[: shape[1]]).all():
        raise DataError(
            f"{system}, {file}: its fits have not scored the same clips",
            looked=f"{len(rows)} rows, {len(fits)} fits",
            hint="give one row for each fit and clip",
        )
    for what, values in (("label", labels), ("domain", domains)):
        if not (values.reshape(shape) == values[: shape[1]]).all():
            raise DataError(f"{system}, {file}: a clip has another {what} in another fit")
    units = rows["unit"].unique().tolist()
    if len(units) > 1:
        raise DataError(f"{system}, {file}: its clips are of several units", looked=listed(units))
    trainings = rows["training"].to_numpy()[starts].tolist()
    return Scored(
        file,
        units[0],
        tuple(fits.tolist()),
        labels[: shape[1]],
        scores.reshape(shape),
        tuple(names[: shape[1]].tolist()),
        tuple(domains[: shape[1]].tolist()),
        tuple(trainings) if all(trainings) else (),
    )


def read_table(path: Path) -> pd.DataFrame:
    """A tidy table of scores from a CSV file: sections keep their zeros, names are text.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        Where the file is not there or is no CSV.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values={"score": [""]})
    except (OSError, ValueError) as error:
        raise DataError(
            "the table of scores cannot be read",
            looked=f"{path}: {error}",
            hint=f"give a CSV file with the columns {', '.join(NEEDED)}",
        ) from error
