"""One table a system (and one more for evaluation sections, where there are any), as data.

Shaped like the report's Tables 3 to 6: machines and sections down, AUC and pAUC of source and target across, in
percent; with means, official score, the published values and the notes a reader needs. Other years have their own
columns: 2020 knows no domains, from 2022 on pAUC is the section's.

Several seeds: each value is the mean over the seeds; a cell that any seed lacks has none. Only seeds of one system with
the same settings and data are averaged; others get a table of their own. Intervals are those of
:mod:`asdbench.judging.intervals`: over trainings and clips, or over the clips of one training.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.judging.beside_published import other_counts, published_for
from asdbench.judging.estimates import Estimate
from asdbench.judging.intervals import intervals
from asdbench.judging.measuring import Value
from asdbench.judging.reproductions import Reproductions, hold
from asdbench.judging.trainings import deterministic
from asdbench.metrics.aggregate import RANKING, CellMetrics, Means, Metric, means, official_score
from asdbench.metrics.challenge import DEFINITIONS, Column, Definition, summarise
from asdbench.published import Table
from asdbench.reports.content.footnotes import (
    deviations,
    failings,
    published_notes,
    settings,
    some,
    stamps_of,
)
from asdbench.reports.content.groups import beside_chosen, grouped, last_epoch
from asdbench.reports.content.intervals import coverage
from asdbench.reports.content.intervals import notes as interval_notes
from asdbench.reports.content.optimism import gains
from asdbench.reports.content.reproduction import LEGEND, summary
from asdbench.reports.content.system_table import Row, SystemTable
from asdbench.reports.content.wording import Bounds
from asdbench.results.manifest import unit_of
from asdbench.results.results_folder import results_in
from asdbench.results.scoring import scored_files
from asdbench.results.seed_folder import SeedFolder

Key = TypeVar("Key")


def build(results: Path, dataset: str | None = None, only: Iterable[SeedFolder] | None = None) -> list[SystemTable]:
    """The tables of a results folder.

    Parameters
    ----------
    results : Path
    dataset : str or None
        Only this data set.
    only : iterable of SeedFolder or None
        Only these folders.

    Raises
    ------
    DataError
        Where there are no results.
    UsageError
        For a data set that has none.
    """
    found = results_in(results, dataset)
    wanted = None if only is None else {folder.path for folder in only}
    shown = [folder for folder in found if wanted is None or folder.path in wanted]
    groups, there = grouped(shown), grouped(beside_chosen(shown, found))
    if not groups:
        raise no_results(results)
    built: list[SystemTable] = []
    for group, folders in groups.items():
        last = last_epoch(group, folders, there)
        beside = {table.part: table for table in _tables(last)} if last else {}
        for table in _tables(folders):
            chosen = gains(beside[table.part], table) if table.part in beside else []
            built.append(replace(table, deviations=[*chosen, *table.deviations]))
    return built


def no_results(results: Path) -> DataError:
    """The error where a results folder has nothing to show."""
    return DataError("there are no results to report", looked=str(results.absolute()), hint="`asdbench run` makes them")


def _tables(folders: Sequence[SeedFolder]) -> list[SystemTable]:
    found = [scored_files(folder) for folder in folders]
    per_seed = [{cell.cell: cell for file in files for cell in file.cells} for files in found]
    parts = {cell.cell: file.part for files in found for file in files for cell in file.cells}
    split = {part: sorted(cell for cell, where in parts.items() if where == part) for part in ("dev", "eval")}
    return [_table(folders, per_seed, own, part) for part, own in split.items() if own]


def _table(
    folders: Sequence[SeedFolder], per_seed: Sequence[Mapping[Cell, CellMetrics]], cells: Sequence[Cell], part: str
) -> SystemTable:
    manifests = [folder.manifest() for folder in folders]
    first, definition = manifests[0], DEFINITIONS[folders[0].year]
    published = published_for(first)
    common = [cell for cell in cells if _reason([seed.get(cell) for seed in per_seed], folders) is None]
    sure = intervals(folders, common) if common else None
    found = None if sure is None else sure.estimates
    rows, missing, odd = [], dict[str, list[str]](), dict[str, list[str]]()
    beside = _beside(published.table, definition, manifests, [[seed[cell] for cell in common] for seed in per_seed])
    collapsed = {
        machine for manifest in manifests for machine, entry in manifest["machines"].items() if entry["constant"]
    }
    for machine, section in dict.fromkeys((cell.machine, cell.section) for cell in cells):
        ours: dict[Column, float] = {}
        marked = False
        absent: dict[Column, None] = {}
        theirs = _published_row(published.table, machine, section)
        for cell in sorted(cell for cell in cells if (cell.machine, cell.section) == (machine, section)):
            seeds = [seed.get(cell) for seed in per_seed]
            reason = _reason(seeds, folders)
            columns = [definition.column(cell.domain, metric) for metric in RANKING]
            if reason is not None:
                missing.setdefault(reason, []).append(str(cell))
                absent |= dict.fromkeys(columns if columns[0] in definition.columns() else definition.columns())
                continue
            for column in columns:
                ours[column] = 100 * statistics.fmean(_value(metrics, column[1]) for metrics in seeds)
            difference = other_counts(seeds[0]) if theirs and seeds[0] is not None else None
            if difference:
                marked = True
                odd.setdefault(difference, []).append(str(cell))
        bounds = {} if found is None else _bounds({c: found.cells[Cell(machine, section, c[0]), c[1]] for c in ours})
        judged = {} if beside is None else beside.cells
        verdicts = {
            column: judged[value].outcome
            for column in ours
            if (value := (Cell(machine, section, column[0]), column[1])) in judged
        }
        lacking = tuple(column for column in absent if column not in ours)
        rows.append(Row(machine, section, ours, theirs, marked, lacking, bounds, verdicts, machine in collapsed))
    own = {column: [row for row in rows if column in row.ours] for column in definition.columns()}
    same = {c: scored for c, scored in own.items() if scored and all(c in row.published for row in scored)}
    scores = [_score(definition, seed, common) for seed in per_seed]
    differing, notes = deviations(first), failings(manifests)
    if published.why_not:
        notes.append(published.why_not[0].upper() + published.why_not[1:] + ".")
    elif published.table is not None and any(row.published for row in rows):
        complete = {(row.machine, row.section) for row in rows} >= set(published.table.rows)
        notes += published_notes(published.table, complete)
        notes.append(LEGEND)
    elif published.table is not None:
        notes.append(f"No published values of these sections: {published.table.title} does not have them.")
    others = [f"{name} ({difference})" for difference, names in odd.items() for name in names]
    differing += [f"† other clips than the published cell: {some(others)}."] if others else []
    differing += [f"– not scored: {some(names)}: {reason}" for reason, names in missing.items()]
    having = [seed[cell] for cell in common for seed in per_seed]
    if having:
        clips = min(min(one.n_normal, one.n_anomaly) for one in having)
        notes += coverage(clips, max(100 * _value(one, "auc") for one in having))
    values = [value for row in rows for value in row.ours.values()]
    if sure is not None:
        notes += interval_notes(sure, len(folders))
    return SystemTable(
        dataset=folders[0].dataset,
        system=folders[0].system,
        title=first["system"]["title"],
        part=part,
        definition=definition,
        stamps=stamps_of(first),
        rows=rows,
        ours={}
        if found is None
        else {
            column: Means(100 * found.arithmetic[column].value, 100 * found.harmonic[column].value, len(own[column]))
            for column in found.arithmetic
        },
        theirs={column: means(row.published[column] for row in scored) for column, scored in same.items()},
        score=statistics.fmean(score for score in scores if score is not None) if values else None,
        their_score=100
        * official_score(row.published[column] / 100 for column, scored in same.items() for row in scored)
        if same and len(same) == sum(map(bool, own.values()))
        else None,
        has_published=any(row.published for row in rows),
        deviations=differing,
        settings=settings(
            folders, manifests, part, {cell.section for cell in cells}, [score for score in scores if score]
        ),
        remarks=notes,
        arithmetic_bounds={} if found is None else _bounds(found.arithmetic),
        harmonic_bounds={} if found is None else _bounds(found.harmonic),
        score_bounds=None if found is None else _bounds({"": found.official}).get(""),
        overall={
            metric: statistics.fmean(every)
            for metric in RANKING
            if (every := [value for row in rows for (_, what), value in row.ours.items() if what == metric])
        },
        overall_bounds={} if found is None else _bounds(found.overall),
        their_overall={
            metric: statistics.fmean(row.published[column] for column in columns for row in own[column])
            for metric in RANKING
            if (columns := [column for column, scored in own.items() if column[1] == metric and scored])
            and all(column in same for column in columns)
        },
        verdict=summary(beside, odd=[name for names in odd.values() for name in names])
        if beside is not None and beside.cells
        else "",
        reproductions=beside if beside is not None and beside.cells else None,
        folders=tuple(folders),
        seed_scores=tuple(scores),
        over=None if sure is None else sure.over,
    )


def _beside(
    table: Table | None,
    definition: Definition,
    manifests: Sequence[Mapping[str, Any]],
    per_seed: Sequence[Sequence[CellMetrics]],
) -> Reproductions | None:
    """The values of the cells that all seeds have, held against the published ones."""
    if table is None or not per_seed[0]:
        return None
    trainings: list[dict[Value, float]] = [{} for _ in per_seed]
    units: dict[Value, str] = {}
    for own, seed in zip(trainings, per_seed, strict=True):
        for metrics in seed:
            cell = metrics.cell
            for metric in RANKING:
                domain, _ = definition.column(cell.domain, metric)
                value = Cell(cell.machine, cell.section, domain), metric
                own[value] = _value(metrics, metric)
                units[value] = unit_of(manifests[0]["machines"][cell.machine], cell.section)
    return hold(trainings, units, table, definition, deterministic=deterministic(manifests))


def _bounds(found: Mapping[Key, Estimate]) -> dict[Key, Bounds]:
    """The intervals of those that have one, percent."""
    return {
        key: (100 * one.low, 100 * one.high)
        for key, one in found.items()
        if one.low is not None and one.high is not None
    }


def _score(definition: Definition, cells: Mapping[Cell, CellMetrics], wanted: Sequence[Cell]) -> float | None:
    """The official score of one seed, percent."""
    found = [cells[cell] for cell in wanted if cell in cells]
    return 100 * summarise(definition, found).official_score if found else None


def _value(metrics: CellMetrics | None, metric: Metric) -> float:
    value = None if metrics is None else metrics.value(metric)
    assert value is not None  # _reason found none missing
    return value


def _reason(seeds: Sequence[CellMetrics | None], folders: Sequence[SeedFolder]) -> str | None:
    """Why a cell has no value, with the seed where only some of several lack it."""
    for metrics, folder in zip(seeds, folders, strict=True):
        if metrics is None or metrics.auc is None:
            reason = (metrics.reason if metrics else None) or "not run"
            return reason if len(folders) == 1 else f"seed {folder.seed}: {reason}"
    return None


def _published_row(table: Table | None, machine: str, section: str) -> dict[Column, float]:
    if table is None:
        return {}
    return {
        (domain, metric): value
        for (name, number, domain, metric), value in table.cells.items()
        if (name, number) == (machine, section)
    }
