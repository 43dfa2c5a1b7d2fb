"""Results to a submission: score and decision files, named and filled as the organizers' evaluator wants them.

Conventions
-----------
- One system, one seed, one part: development or evaluation clips, told apart as ``asdbench score`` does, by whether
  their names carry labels; names that the year does not know are of the part that the data set says. Where results
  hold both, the evaluation set is what is submitted.
- Clips by their base names, sorted; scores in the shortest form that reads back to the same bits.
- What is written has been read back and scored: a submission that ``asdbench score`` would refuse is not written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from asdbench.api import Cell
from asdbench.datasets.shipped_truth import shipped
from asdbench.datasets.years import KINDS, Unit, Year
from asdbench.errors import DataError, UsageError
from asdbench.files import write_text
from asdbench.plugins.registry import unknown
from asdbench.results.manifest import threshold_of
from asdbench.results.seed_folder import SeedFolder
from asdbench.results.system_names import of_system
from asdbench.submissions.reference import SHOWN
from asdbench.submissions.rows import Problem
from asdbench.submissions.scoring import score_folder
from asdbench.words import counted

Part: TypeAlias = Literal["dev", "eval"]
_PARTS: Mapping[Part, str] = {"dev": "development", "eval": "evaluation"}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    folder : SeedFolder
        The results it was made from.
    part : {"dev", "eval"}
    files : int
        Files written.
    remarks : tuple of str
        What is not in it, and what could not be checked.
    """

    folder: SeedFolder
    part: Part
    files: int
    remarks: tuple[str, ...]


def choose(results: Path, dataset: str | None = None, system: str | None = None, seed: int | None = None) -> SeedFolder:
    """The one folder of results that is meant.

    Parameters
    ----------
    results : Path
        A results folder, or one of the folders inside it: of a data set, a system, a seed.
    dataset, system : str or None
    seed : int or None

    Raises
    ------
    DataError
        Where there are no results.
    UsageError
        For a name that is not there, or where several remain.
    """
    patterns = ("manifest.json", "seed-*/manifest.json", "*/seed-*/manifest.json", "*/*/seed-*/manifest.json")
    root = results.absolute()  # the names of data set and system are those of the folders above
    paths = {path.parent for pattern in patterns for path in root.glob(pattern)}
    found = [SeedFolder(path) for path in sorted(paths) if path.name.removeprefix("seed-").isdecimal()]
    if not found:
        raise DataError(
            f"there are no results in {results}", looked=str(results.absolute()), hint="`asdbench run` makes them"
        )
    wanted: tuple[tuple[str, str, str | None], ...] = (
        ("data set", "dataset", dataset),
        ("system", "system", system),
        ("seed", "seed", None if seed is None else str(seed)),
    )
    if system is not None:
        system = next((folder.system for folder in of_system(found, system)), system)
        wanted = (wanted[0], ("system", "system", system), wanted[2])
    for what, attribute, value in wanted:
        names = sorted({str(getattr(folder, attribute)) for folder in found})
        if value is not None and value not in names:
            raise unknown(f"{what} in these results", value, names)
        found = [folder for folder in found if value in (None, str(getattr(folder, attribute)))]
    for what, attribute, _ in wanted:
        names = sorted({str(getattr(folder, attribute)) for folder in found})
        if len(names) > 1:
            raise UsageError(
                f"{results} holds several {what}s, and a submission is one of them",
                looked=", ".join(names),
                hint=f"choose one with --{attribute}",
            )
    return found[0]


def export(
    folder: SeedFolder,
    output: Path,
    year: Year,
    part: Part | None = None,
    *,
    partial: bool = False,
    replace: bool = False,
) -> Exported:
    """Write a submission.

    Parameters
    ----------
    folder : SeedFolder
        The results.
    output : Path
        Made where it is not there; must be empty.
    year : Year
        Whose file names and grouping apply. That of 2020 only for results of 2020, and no other for these.
    part : {"dev", "eval"} or None
        None: the evaluation set where there is one.
    partial : bool
        Write what there is, where cells, thresholds or clips are missing.
    replace : bool
        Remove the score and decision files that are in ``output``.

    Raises
    ------
    DataError
        Where a cell has no scores or no decisions, or the whole would not be accepted.
    UsageError
        Where ``output`` is not empty, or the part is not there.
    """
    if (year.year == 2020) != (folder.year == 2020):
        raise UsageError(
            f"results on data of {folder.year} are no submission of {year.year}",
            looked=f"{folder.path}, --year {year.year}",
            hint="leave --year out",
        )
    old = _check_output(output, replace)
    files = folder.files
    clips = {cell: files.scores(cell)[0] for cell in files.cells()}
    parts = {cell: _part(folder, year, cell, names) for cell, names in clips.items()}
    chosen: Part = part or ("eval" if "eval" in parts.values() else "dev")
    cells = [cell for cell in sorted(clips) if parts[cell] == chosen]
    problems = _problems(folder, cells, set(parts), year)
    if part is not None and not cells:
        raise UsageError(
            f"there are no cells of the {_PARTS[chosen]} set in {folder.path}",
            looked=f"{counted(len(parts), 'cell')} of the other part",
            hint="leave out --part",
        )
    if problems and not partial:
        raise DataError(
            f"{folder.system}, seed {folder.seed}, is no complete submission",
            looked="\n".join(problems[:SHOWN] + [f"and {len(problems) - SHOWN} more"] * (len(problems) > SHOWN)),
            hint="run it again for what is missing, or write what there is with --partial",
        )
    texts = _texts(folder, cells, year)
    remarks = [*problems, *_read_back(texts, year, chosen, partial)]
    if "eval" not in parts.values():
        remarks.append(
            f"no clips of the evaluation set: the organizers' evaluator, {year.evaluator}, scores that set only"
        )
    others = len(parts) - len(cells)
    if others:
        other: Part = "eval" if chosen == "dev" else "dev"
        remarks.append(
            f"left out: {counted(others, 'score file')} of the {_PARTS[other]} set; --part {other} writes them"
        )
    for path in old:
        path.unlink()
    for name, text in texts.items():
        write_text(output / name, text)
    return Exported(folder, chosen, len(texts), tuple(remarks))


def _part(folder: SeedFolder, year: Year, cell: Cell, clips: Sequence[str]) -> Part:
    """The part that a score file is of."""
    names = [_base(clip) for clip in clips]
    if any(year.parse_clip(name) for name in names):
        return "dev"
    if any(year.unit(cell.machine, name) for name in names):
        return "eval"
    truth = folder.truth()
    recorded = {known.part for clip in clips if (known := truth.get((cell.machine, clip)))}
    return "eval" if recorded == {"eval"} else "dev"


def _check_output(output: Path, replace: bool) -> list[Path]:
    """The files in the output folder that are to be replaced."""
    if not output.is_dir():
        if output.exists():
            raise UsageError(f"{output} is a file", looked=str(output.absolute()), hint="name a folder with --output")
        return []
    there = sorted(output.iterdir())
    ours = [path for path in there if path.name.startswith(KINDS) and path.suffix == ".csv"]
    if there and (len(ours) < len(there) or not replace):
        raise UsageError(
            f"{output} is not empty: files of another run would get into the submission",
            looked=", ".join(path.name for path in there[:3]) + (" …" if len(there) > 3 else ""),
            hint="name another folder, or replace the score files there with --replace"
            if len(ours) == len(there)
            else "name another folder",
        )
    return ours


def _problems(folder: SeedFolder, cells: list[Cell], known: set[Cell], year: Year) -> list[str]:
    """Cells without scores (of either part: nobody knows which) and machines without decisions."""
    found, files = [], folder.files
    for machine, entry in folder.manifest().get("machines", {}).items():
        for name, reason in entry["cells"].items():
            cell = Cell(machine, *name.rsplit("/", 1))
            if reason is not None:
                found.append(f"{cell} has no scores: {reason}")
            elif files.year.definition.file(cell) not in known:
                found.append(f"{cell} has no scores: its score file is gone")
        own = [cell for cell in cells if cell.machine == machine]
        undecided = [cell for cell in own if files.decisions(cell) is None]
        if undecided and year.definition.decisions:
            reasons = [threshold_of(entry, cell.section).get("reason") for cell in undecided]
            why = next(filter(None, reasons), "its decision file is gone")
            some = machine if len(undecided) == len(own) else ", ".join(map(str, undecided))
            found.append(f"{some} has no decisions: {why}")
    return found


def _texts(folder: SeedFolder, cells: list[Cell], year: Year) -> dict[str, str]:
    """File name to content."""
    rows: dict[str, dict[str, str]] = {}
    files, truth = folder.files, folder.truth()
    for cell in cells:
        clips, scores = files.scores(cell)
        columns: list[tuple[str, Mapping[str, str]]] = [
            ("anomaly_score", {clip: repr(float(score)) for clip, score in zip(clips, scores, strict=True)})
        ]
        decisions = files.decisions(cell)
        if decisions is not None and year.definition.decisions:
            columns.append(("decision_result", {clip: str(value) for clip, value in decisions.items()}))
        for kind, column in columns:
            for clip, value in column.items():
                known = truth.get((cell.machine, clip))
                unit = Unit(*astuple(year.definition.file(cell if known is None else known.cell)))
                own = rows.setdefault(year.file_name(kind, unit), {})
                if _base(clip) in own:
                    raise DataError(
                        f"two clips of {unit} have the same base name",
                        looked=f"{folder.path}: {clip}",
                        hint="a submission names clips without their folders: rename one of them",
                    )
                own[_base(clip)] = value
    return {
        name: "".join(f"{_field(clip)},{value}\n" for clip, value in sorted(own.items())) for name, own in rows.items()
    }


def _base(clip: str) -> str:
    return clip.replace("\\", "/").rpartition("/")[2]


def _field(clip: str) -> str:
    if any(character in clip for character in ',"\r\n'):
        raise DataError(
            f"the clip name {clip!r} cannot stand in a submission",
            looked="it holds a comma, a quotation mark or a line break",
            hint="rename the clip",
        )
    return clip


def _read_back(texts: Mapping[str, str], year: Year, part: Part, partial: bool) -> list[str]:
    """Score what is to be written; what is not complete in it, in words."""
    if part == "eval" and shipped(year) is None:
        return [f"not checked against the clips of the evaluation set: {year.evaluator} has them"]
    with tempfile.TemporaryDirectory() as name:
        for file, text in texts.items():
            (Path(name) / file).write_text(text, encoding="utf-8", newline="")
        try:
            scored = score_folder(Path(name), year, partial=partial)
        except DataError as error:
            if partial:
                return [f"asdbench score will refuse it: {error.looked}"]
            raise DataError(
                f"this is no submission that would be accepted as one of DCASE {year.year}",
                looked=error.looked.replace(name, "it"),
                hint="run what is missing, or write what there is with --partial",
            ) from error
    left: list[Problem] = list(scored.left_out)
    return [*map(str, left[:SHOWN]), *([f"and {len(left) - SHOWN} more"] if len(left) > SHOWN else [])]
