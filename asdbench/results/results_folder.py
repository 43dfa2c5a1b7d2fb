"""A results folder, ``RESULTS/<dataset>/<system>/seed-<n>/``: which seed folders it has, and where one belongs."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from asdbench.errors import DataError, UsageError
from asdbench.files import SAFE, as_file_name
from asdbench.plugins.registry import unknown
from asdbench.results.seed_folder import SeedFolder


def seed_folder(results: Path, dataset: str, system: str, seed: int) -> SeedFolder:
    """The folder of a data set, system and seed. Characters that cannot stand in a file name are percent-encoded.

    Parameters
    ----------
    system : str
        The folder's name (:mod:`asdbench.results.system_names`).
    """
    return SeedFolder(_below(_below(results, dataset), system) / f"seed-{seed}")


def _below(folder: Path, name: str) -> Path:
    before = folder / quote(name, safe=SAFE)  # as it was called when it could be hidden
    return before if name.strip(".") and before.is_dir() else folder / as_file_name(name)


def seed_folders(results: Path, dataset: str | None = None) -> list[SeedFolder]:
    """All folders with a manifest, sorted by data set, system and seed.

    Raises
    ------
    DataError
        Where ``results`` is no folder.
    """
    if not results.is_dir():
        raise DataError(
            f"no results at {results}",
            looked=str(results.absolute()),
            hint="`asdbench run` makes them; or name another folder",
        )
    paths = [path.parent for path in results.glob("*/*/seed-*/manifest.json")]
    found = [SeedFolder(path) for path in paths if path.name.removeprefix("seed-").isdecimal()]
    wanted = [folder for folder in found if dataset is None or folder.dataset == dataset]
    return sorted(wanted, key=lambda folder: (folder.dataset, folder.system, folder.seed))


def results_in(results: Path, dataset: str | None = None) -> list[SeedFolder]:
    """The same for somebody who wants to see them: at least one.

    Raises
    ------
    DataError
        Where ``results`` is no folder or holds no results.
    UsageError
        For a data set that it has no results of, or where it is a folder inside a results folder.
    """
    found = seed_folders(results)
    names = sorted({folder.dataset for folder in found})
    if dataset is not None and found and dataset not in names:
        raise unknown("data set in these results", dataset, names)
    if found:
        return [folder for folder in found if dataset in (None, folder.dataset)]
    depths = ("manifest.json", "seed-*/manifest.json", "*/seed-*/manifest.json")
    inside = next((path for pattern in depths for path in results.absolute().glob(pattern)), None)
    if inside and inside.parent.name.startswith("seed-"):
        above = SeedFolder(inside.parent)
        raise UsageError(
            f"{results} lies in a results folder and is none itself",
            looked=f"it holds results of {above.dataset}",
            hint=f"name the folder above: {above.path.parents[2]} --dataset {above.dataset}",
        )
    raise DataError(
        f"there are no results in {results}", looked=str(results.absolute()), hint="`asdbench run` makes them"
    )
