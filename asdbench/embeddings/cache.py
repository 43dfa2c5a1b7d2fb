"""Features on disk, computed once: one safetensors file a clip, found by content.

An entry is ``ROOT / sha256(recipe)[:16] / sha256(audio).safetensors``: what went in says where it is, never a file's
name, its date or the run that asked. Each recipe's folder holds a ``recipe.json``, for people. Writing is atomic (a
temporary file beside the entry, then a rename), so that several processes may fill one cache, and an interrupted run
leaves complete entries only. Each entry carries a CRC-32 of its values; safetensors itself checks its header only.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.api import Floats
from asdbench.errors import DataError, UsageError
from asdbench.files import write_whole

ABOUT, ENDING = "recipe.json", ".safetensors"


def recipe_on(recipe: Mapping[str, Any], device: str) -> dict[str, Any]:
    """The recipe of features computed on a device: those of a GPU differ from the CPU's by rounding."""
    kind = device.partition(":")[0]
    return dict(recipe) if kind == "cpu" else {**recipe, "device": kind}


def recipe_id(recipe: Mapping[str, Any]) -> str:
    """The name of a recipe's folder; UsageError where the recipe holds something that JSON cannot."""
    return hashlib.sha256(_canonical(recipe).encode()).hexdigest()[:16]


def read_entry(path: Path) -> Floats:
    """The features in an entry, its checksum compared; OSError where it cannot be read, ValueError where damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(path.read_bytes())
        features = np.asarray(tensors["features"], dtype=np.float32)
        checksum = int(tensors["crc32"][0])
    except (SafetensorError, LookupError) as error:
        raise ValueError(f"no entry of the cache: {error}") from error
    if checksum != zlib.crc32(features.tobytes()):
        raise ValueError("its checksum does not agree")
    return features


class FeatureCache:
    """The entries made by one recipe. Picklable.

    Parameters
    ----------
    root : Path
        The cache's folder; made where it does not exist, when the first entry is written.
    recipe : mapping of JSON values
        Everything that the features depend on besides the audio; the order of its keys does not matter.

    Attributes
    ----------
    folder : Path
        Where the entries of this recipe are.

    Raises
    ------
    UsageError
        Where the recipe holds something that JSON cannot.
    """

    def __init__(self, root: Path, recipe: Mapping[str, Any]) -> None:
        self._recipe = _canonical(recipe)
        self.folder = Path(root) / recipe_id(recipe)

    def has(self, digest: str) -> bool:
        """Is there an entry for the clip with this content (sha256, hex)?"""
        return self._entry(digest).is_file()

    def load(self, digest: str) -> Floats:
        """The features of a clip.

        Raises
        ------
        DataError
            Where there is no entry, or it is damaged; it is then removed, so that the next run computes it again.
        """
        entry = self._entry(digest)
        try:
            return read_entry(entry)
        except FileNotFoundError as error:
            raise DataError("not in the feature cache", looked=str(entry), hint="run the same command again") from error
        except OSError as error:
            raise DataError(
                f"the feature cache cannot be read ({error.strerror})",
                looked=str(entry),
                hint="choose another folder with --cache DIR",
            ) from error
        except ValueError as error:
            entry.unlink(missing_ok=True)
            raise DataError(
                "a damaged entry of the feature cache was removed",
                looked=str(entry),
                hint="run the same command again: it will be computed anew",
            ) from error

    def save(self, digest: str, features: Floats) -> None:
        """Keep the features of a clip; an entry that is there already is replaced.

        Raises
        ------
        DataError
            Where the folder cannot be written.
        """
        from safetensors.numpy import save

        values = np.ascontiguousarray(features, dtype=np.float32)
        checksum = np.array([zlib.crc32(values.tobytes())], dtype=np.uint32)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (about := self.folder / ABOUT).is_file():
                write_whole(about, json.dumps(json.loads(self._recipe), indent=2).encode() + b"\n")
            write_whole(self._entry(digest), save({"features": values, "crc32": checksum}))
        except OSError as error:
            raise DataError(
                f"the feature cache cannot be written ({error.strerror})",
                looked=str(self.folder),
                hint="choose another folder with --cache DIR",
            ) from error

    def _entry(self, digest: str) -> Path:
        return self.folder / f"{digest}{ENDING}"


def _canonical(recipe: Mapping[str, Any]) -> str:
    try:
        return json.dumps(recipe, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"an embedding's recipe must hold JSON values: {error}",
            looked=repr(recipe),
            hint="use strings, numbers, lists and mappings with string keys",
        ) from error
