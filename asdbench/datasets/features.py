"""Features that somebody has computed already: a folder of ``index.csv``, ``features.npy`` and ``embedding.json``.

Conventions
-----------
- ``index.csv`` names the clips (see :mod:`asdbench.datasets.index`).
- ``features.npy``: float (clips, d), rows in the order of ``index.csv``. It is mapped, never loaded whole.
- ``embedding.json``, where it is there: how the features were made (recipe, weights: a sha256 or "random",
  data_fingerprint, stamps, year: the challenge year whose metrics apply, 2021 where it is not said). Its stamps travel
  with the features. Without a recipe and weights the origin is unstated.
- Whoever writes such a folder writes ``embedding.json`` last, and touches an older one's files only when all of the new
  are on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.api import Clip, Kind, Profile
from asdbench.datasets import index
from asdbench.errors import DataError
from asdbench.plugins.spec import Spec
from asdbench.precision import merged
from asdbench.words import counted

UNSTATED = "features of unstated origin"
UNTRAINED = "untrained network"
YEAR = 2021
"""Of features that do not say it."""
CHUNK = 1 << 25
"""Values looked at in one go when rows are checked: 128 MB of float32."""


@dataclass(frozen=True)
class VectorFile:
    """See :class:`asdbench.api.GivenFeatures`."""

    path: Path
    recipe: Mapping[str, Any]
    kind: Kind = "vector"


@dataclass
class FeaturesDataset:
    """Clips with given features (see :class:`asdbench.api.Dataset`).

    Parameters
    ----------
    name : str
        Base name of the folder.
    spec : str
    stamps : tuple of str
    clips : sequence of Clip
        Sorted by (machine, name); ``row`` is the row of ``features.npy``.
    features : VectorFile
    """

    name: str
    spec: str
    stamps: tuple[str, ...]
    clips: Sequence[Clip]
    features: VectorFile
    profile: Profile = "full"
    year: int = YEAR
    reader: None = None

    def digest(self, clip: Clip) -> str:
        """The sha256 (hex) of the clip's row with its type and length."""
        return self.digest_many([clip])[0]

    def digest_many(self, clips: Sequence[Clip]) -> list[str]:
        """The same for many clips: the file is opened once."""
        rows = _map(self.features.path)
        head = f"{rows.dtype.str} {rows.shape[1]} ".encode()
        return [hashlib.sha256(head + rows[clip.row].tobytes()).hexdigest() for clip in clips]


def features(folder: str) -> FeaturesDataset:
    """Features somebody already has.

    Parameters
    ----------
    folder : str
        Holds ``index.csv``, ``features.npy`` and perhaps ``embedding.json``.

    Raises
    ------
    DataError
        A file is missing or is not what it should be; names the line or the clip.
    """
    where = Path(os.path.abspath(Path(folder).expanduser()))  # noqa: PTH100 # drops ".." and the last slash, keeps links
    if not where.is_dir():
        raise DataError(
            f"there is no folder {folder}", looked=str(where), hint="give one that holds index.csv: features:DIR"
        )
    for file in ("index.csv", "features.npy"):
        if not (where / file).is_file():
            present = ", ".join(sorted(path.name for path in where.iterdir())[:8]) or "nothing"
            raise DataError(
                f"{where.name} has no {file}",
                looked=f"{where} holds {present}",
                hint="asdbench embed writes such folders; index.csv and features.npy are needed",
            )
    recipe, stamps = _read_origin(where / "embedding.json")
    year = recipe.get("year", YEAR)
    clips = index.read(where / "index.csv", year)
    _check_rows(where / "features.npy", clips)
    return FeaturesDataset(
        name=where.name,
        spec=str(Spec("features", (), folder)),
        stamps=stamps,
        clips=sorted(clips, key=lambda clip: (clip.machine, clip.name)),
        features=VectorFile(where / "features.npy", recipe),
        year=year,
    )


def write(
    folder: Path,
    clips: Sequence[Clip],
    vectors: Iterable[NDArray[np.floating[Any]]],
    *,
    recipe: Mapping[str, Any],
    weights: str,
    fingerprint: str,
    stamps: Sequence[str] = (),
    year: int = YEAR,
) -> None:
    """Write a folder that :func:`features` reads. A write that fails leaves an older folder as it was.

    Parameters
    ----------
    folder : Path
        Made where it is missing; the three files are replaced where they are there.
    clips : sequence of Clip
    vectors : iterable of array (d,)
        In the order of ``clips``; an array (clips, d) is one. They are written one by one, never held together.
    recipe : mapping
        How the features were made (JSON values).
    weights : str
        The sha256 of the network's weights, "random" where it is untrained, "none" where there is no network.
    fingerprint : str
        The data set's fingerprint (:func:`asdbench.datasets.fingerprint`).
    stamps : sequence of str
        What every table made from it must say.
    year : int
        The challenge year of the clips.

    Raises
    ------
    DataError
        Where there are more or fewer vectors than clips, they are not float vectors of one length and type, or the disk
        refuses.
    """
    origin: dict[str, Any] = {
        "recipe": dict(recipe),
        "weights": weights,
        "data_fingerprint": fingerprint,
        "stamps": list(stamps),
    }
    origin |= {"year": year} if year != YEAR else {}
    text = json.dumps(origin, indent=2) + "\n"
    partial = {name: folder / f"{name}.partial" for name in ("features.npy", "index.csv", "embedding.json")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _save(partial["features.npy"], vectors, len(clips))
        index.write(partial["index.csv"], clips)
        partial["embedding.json"].write_text(text, encoding="utf-8")
        # From here on nothing needs room. Until the last rename the folder lacks a file, and is not taken for whole.
        for old in ("embedding.json", "index.csv"):
            (folder / old).unlink(missing_ok=True)
        for name, path in partial.items():
            path.replace(folder / name)
    except BaseException as error:
        for path in partial.values():
            with suppress(OSError):
                path.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise DataError(  # numpy's own error on a full disk has no strerror
            f"cannot write features: {error.strerror or str(error) or type(error).__name__}",
            looked=str(folder),
            hint="make room, or choose another --output",
        ) from error


def _save(path: Path, vectors: Iterable[NDArray[np.floating[Any]]], count: int) -> None:
    """The file that ``np.save`` would write of all vectors."""
    written, first = 0, None
    with path.open("wb") as file:
        for vector in vectors:
            if first is None:
                first = vector
                described = np.lib.format.dtype_to_descr(vector.dtype)
                header = {"descr": described, "fortran_order": False, "shape": (count, *vector.shape)}
                np.lib.format.write_array_header_1_0(file, header)
            alike = (vector.shape, vector.dtype) == (first.shape, first.dtype)
            if vector.ndim != 1 or not np.issubdtype(vector.dtype, np.floating) or not alike:
                raise _unlike(path, f"one of shape {vector.shape} and type {vector.dtype}")
            file.write(vector.tobytes())
            written += 1
    if first is None or written != count:
        raise _unlike(path, f"{written} for {counted(count, 'clip')}")


def _unlike(path: Path, found: str) -> DataError:
    return DataError(
        f"features that do not belong to the clips: {found}",
        looked=str(path.parent),
        hint="give one float vector a clip, all of one length and type",
    )


def _map(path: Path) -> NDArray[np.floating[Any]]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:  # object arrays and what is no .npy file at all: ValueError
        raise DataError(
            f"{path.name} cannot be used: {str(error).splitlines()[0]}",
            looked=str(path),
            hint="write it with numpy.save",
        ) from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or not np.issubdtype(array.dtype, np.floating):
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "an archive of several arrays"
        raise DataError(f"{path.name} is {found}", looked=str(path), hint="it must be float (clips, d): one row a clip")
    return array


def _check_rows(path: Path, clips: Sequence[Clip]) -> None:
    rows = _map(path)
    if len(rows) != len(clips) or rows.shape[1] == 0:
        raise DataError(
            f"{path.name} is {rows.shape[0]} x {rows.shape[1]}, but index.csv names {counted(len(clips), 'clip')}",
            looked=str(path),
            hint="features.npy has one row for each line of index.csv, in the same order",
        )
    step = max(1, CHUNK // rows.shape[1])
    bad: list[int] = []
    beyond: list[int] = []
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        finite = np.isfinite(part).all(axis=1)
        bad += [start + int(offset) for offset in np.flatnonzero(~finite)]
        with np.errstate(over="ignore"):  # becomes infinite, which is what we look for
            narrow = np.isfinite(part.astype(np.float32, copy=False)).all(axis=1)
        beyond += [start + int(offset) for offset in np.flatnonzero(finite & ~narrow)]
    if bad:
        raise DataError(
            f"{path.name}: NaN or infinite values in {len(bad)} of {len(clips)} clips",
            looked=f"{path}: {_names(clips, bad)}",
            hint="compute these clips again, or leave them out of both files",
        )
    if beyond:
        raise DataError(
            f"{path.name}: {rows.dtype} values beyond float32 ({np.finfo(np.float32).max:.2g}) in {len(beyond)} of"
            f" {len(clips)} clips",
            looked=f"{path}: {_names(clips, beyond)}",
            hint="models are given float32: scale these features and write the file again",
        )
    if rows.dtype.itemsize > np.dtype(np.float32).itemsize:
        _check_resolution(path, rows, clips, step)


def _check_resolution(path: Path, rows: NDArray[np.floating[Any]], clips: Sequence[Clip], step: int) -> None:
    """Refuse a column that varies over the clips of a machine's section, and not as float32."""
    groups = {pair: number for number, pair in enumerate(sorted({(clip.machine, clip.section) for clip in clips}))}
    codes = np.array([groups[clip.machine, clip.section] for clip in clips])
    low = np.full((len(groups), rows.shape[1]), np.inf, rows.dtype)
    high = -low
    for start in range(0, len(rows), step):
        part, own = rows[start : start + step], codes[start : start + step]
        for code in np.unique(own):
            low[code] = np.minimum(low[code], part[own == code].min(axis=0))
            high[code] = np.maximum(high[code], part[own == code].max(axis=0))
    for (machine, section), number in groups.items():
        reason = merged(low[number], high[number], np.dtype(np.float32))
        if reason:
            raise DataError(
                f"{path.name}: float32 cannot tell the clips of {' '.join(filter(None, (machine, section)))} apart:"
                f" {reason}",
                looked=f"{path}, {rows.dtype}",
                hint="models are given float32: subtract a constant from such a column (its mean over the training"
                " clips), and write the file again",
            )


def _names(clips: Sequence[Clip], rows: Sequence[int]) -> str:
    """The first three."""
    named = ", ".join(f"{clips[row].machine} {clips[row].name}" for row in rows[:3])
    return named + (", ..." if len(rows) > 3 else "")


def _read_origin(path: Path) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Recipe and stamps."""
    if not path.is_file():
        return {"origin": "unstated"}, (UNSTATED,)
    try:
        origin = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(
            f"{path.name} is not JSON: {error}", looked=str(path), hint="write it again, or remove it"
        ) from error
    expected = {"recipe": dict, "weights": str, "data_fingerprint": str, "stamps": list}
    if not isinstance(origin, dict):
        raise DataError(f"{path.name} is no JSON object", looked=str(path), hint=f"its keys are {', '.join(expected)}")
    if origin.get("year", YEAR) not in range(2020, 2027):
        raise DataError(
            f"{path.name}: year is {origin['year']!r}", looked=str(path), hint="a challenge year is 2020 to 2026"
        )
    wrong = [key for key, kind in expected.items() if not isinstance(origin.get(key, kind()), kind)]
    stamps = origin.get("stamps", [])
    if wrong or not all(isinstance(stamp, str) for stamp in stamps):
        raise DataError(
            f"{path.name}: {', '.join(wrong) or 'stamps'} is not what it should be",
            looked=str(path),
            hint="recipe is an object, weights and data_fingerprint are text, stamps a list of text",
        )
    if not origin.get("recipe") or not origin.get("weights"):
        stamps = [*stamps, UNSTATED]
    if origin.get("weights") == "random":
        stamps = [*stamps, UNTRAINED]
    return origin, tuple(dict.fromkeys(stamps))
