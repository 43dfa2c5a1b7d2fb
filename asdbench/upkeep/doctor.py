"""What is ready on this machine, and what is missing: one check a subject. Nothing is downloaded, made or changed.

Conventions
-----------
- ``ok``: ready. ``missing``: ``asdbench run`` as configured will not work. ``hint``: it will, but something is worth
  knowing, or the real benchmark needs it.
- The reference versions are those of ``constraints.txt``: of the checkout that asdbench is installed from, else in the
  current folder. An installed wheel knows none, and says so.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import asdbench
from asdbench.api import Dataset
from asdbench.datasets import configured, open_dataset
from asdbench.errors import AsdbenchError
from asdbench.fetching.disk_space import free_bytes
from asdbench.files import nearest
from asdbench.plugins import registry
from asdbench.upkeep.cache import DATABASE, inventory
from asdbench.words import counted

if TYPE_CHECKING:
    from asdbench.embeddings import panns

State: TypeAlias = Literal["ok", "missing", "hint"]

TOY_BYTES = 200 * 10**6
"""Room that a toy run of all systems needs, with a margin: it leaves 47 MB."""
BENCHMARK_BYTES = 11 * 10**9
"""Features of all of DCASE 2021: 59,504 clips x 4 bytes x (3776 of ResNet38 + 313 x 128 of log-mel), and some more."""
Opened: TypeAlias = Callable[[], tuple[Dataset, str]]
"""Opens the configured data set, once."""
GROUPS: tuple[registry.Group, ...] = ("systems", "embeddings", "datasets")


@dataclass(frozen=True)
class Check:
    """What was found of one subject, and what to do where that is not all that one could wish for."""

    subject: str
    state: State
    text: str
    hint: str = ""


def diagnose(results: Path, cache: Path) -> Iterator[Check]:
    """Check one subject after the other.

    Parameters
    ----------
    results, cache : Path
        The folders that a run would use.
    """
    opened = functools.cache(open_dataset)
    checks: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("Python", _python),
        ("torch", _torch),
        ("sound", _sound),
        ("plug-ins", _plugins),
        ("data", lambda: _data(opened)),
        ("weights", lambda: _weights(opened)),
        ("cache", lambda: _cache(cache)),
        ("results", lambda: _folder("results", results)),
        ("disk", lambda: _disk({"results": results, "cache": cache})),
        ("versions", _versions),
    )
    for subject, check in checks:
        try:
            yield from check()
        except AsdbenchError as error:
            found = "; ".join(part for part in (error.message, error.looked) if part)
            yield Check(subject, "missing", found, error.hint)


def _python() -> Iterator[Check]:
    where = Path(asdbench.__file__).parent
    yield Check("Python", "ok", f"{platform.python_version()}; asdbench {asdbench.__version__} in {where}")


def _torch() -> Iterator[Check]:
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a shared library of it is not there
        yield Check("torch", "missing", f"cannot be imported: {error}", "install asdbench as the README says")
        return
    if torch.cuda.is_available():
        names = Counter(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
        found = ", ".join(f"{number} x {name}" for name, number in names.items())
        yield Check("torch", "ok", f"{torch.__version__}; CUDA {torch.version.cuda}: {found} (--device cuda)")
    else:
        yield Check("torch", "ok", f"{torch.__version__}; no CUDA device: runs on {os.cpu_count()} processors")


def _sound() -> Iterator[Check]:
    try:
        import soundfile
        import soxr
    except (ImportError, OSError) as error:
        yield Check("sound", "missing", f"cannot be imported: {error}", "install asdbench as the README says")
        return
    library = soundfile.__libsndfile_version__
    yield Check("sound", "ok", f"soundfile {soundfile.__version__} (libsndfile {library}), soxr {soxr.__version__}")


def _plugins() -> Iterator[Check]:
    for group in GROUPS:
        origins: dict[str, list[str]] = {}
        for name, entry in registry.entries(group).items():
            try:
                entry.load()
                if group == "systems":
                    registry.create(group, name)
            except Exception as error:  # it is somebody's code: whatever it raises is said, with its package
                hint = f"update or uninstall {entry.origin.partition(' ')[0]}; `asdbench -v systems` shows where"
                yield Check(group, "missing", f"{name} of {entry.origin}: {type(error).__name__}: {error}", hint)
            else:
                origins.setdefault(entry.origin, []).append(name)
        found = "; ".join(f"{', '.join(names)} ({origin})" for origin, names in origins.items())
        yield Check(group, "ok" if origins else "missing", found or "none", "" if origins else "install asdbench again")


def _data(opened: Opened) -> Iterator[Check]:
    data, chosen = opened()
    parts = Counter(clip.part for clip in data.clips)
    counts = ", ".join(f"{part} {parts[part]}" for part in ("dev", "additional", "eval") if parts[part])
    machines = len({clip.machine for clip in data.clips})
    real = data.profile == "full"
    stamps = "".join(f"; {stamp}" for stamp in data.stamps) if real else ""
    yield Check(
        "data",
        "ok" if real else "hint",
        f"{chosen}; {counted(len(data.clips), 'clip')} of {counted(machines, 'machine')}: {counts}{stamps}",
        "" if real else 'for the benchmark put data = "ROOT" into asdbench.toml, or set ASDBENCH_DATA',
    )


def _weights(opened: Opened) -> Iterator[Check]:
    from asdbench.embeddings import cnn14, panns, resnet38
    from asdbench.fetching import checkpoints

    given = configured("weights")
    if given == panns.RANDOM:
        yield Check("weights", "hint", "asdbench.toml says random: an untrained network", "every table will say so")
        return
    if given:
        found = panns.find(given, resnet38.PUBLISHED)
        assert found is not None  # it is a file
        yield _checkpoint(found, (resnet38.PUBLISHED, cnn14.PUBLISHED), "asdbench.toml")
        return
    folder = checkpoints.weights_folder()
    for published, name in ((resnet38.PUBLISHED, "resnet38"), (cnn14.PUBLISHED, "cnn14")):
        path = folder / published.name
        if path.is_file():
            there = panns.find(str(path), published)
            assert there is not None  # it is a file
            yield _checkpoint(there, (published,), f"give --weights {path}")
        elif name == "resnet38":
            yield Check(
                "weights",
                "missing" if _is_sound(opened) else "hint",
                f"{published.title}: not in asdbench.toml, not at {path}",
                f"asdbench fetch {name}; --weights random is a rehearsal; toy data needs none",
            )


def _is_sound(opened: Opened) -> bool:
    """Whether the configured data is real sound, which the systems need weights for."""
    try:
        data, _ = opened()
    except AsdbenchError:  # said under "data"
        return False
    return data.profile == "full" and data.features is None


def _checkpoint(found: panns.Checkpoint, published: tuple[panns.Published, ...], origin: str) -> Check:
    from rich.filesize import decimal

    title = next((one.title for one in published if one.md5 == found.md5), None)
    size = decimal(Path(found.path).stat().st_size)
    text = f"{found.path} ({origin}), {size}, sha256 {found.sha256}"
    if title:
        return Check("weights", "ok", f"{title} as published: {text}")
    names = " or ".join(one.title for one in published)
    return Check("weights", "hint", f"not {names} as published: {text}", "every table will say so; fetch it anew?")


def _cache(root: Path) -> Iterator[Check]:
    from rich.filesize import decimal

    found = inventory(root)
    entries = sum(len(recipe.entries) for recipe in found.recipes)
    size = decimal(found.size)
    features = f"features of {counted(entries, 'clip')} by {counted(len(found.recipes), 'recipe')}"
    kept = f"{size}: {features}, {DATABASE}" if found.size else "empty"
    yield from _folder("cache", root, f"; {kept}")


def _folder(subject: str, folder: Path, more: str = "") -> Iterator[Check]:
    there = nearest(folder)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        yield Check(subject, "ok", f"{folder.absolute()} can be written{more}")
    else:
        what = "is a file" if there.is_file() else "cannot be written"
        yield Check(subject, "missing", f"{there} {what}{more}", f"choose another folder: asdbench run --{subject} DIR")


def _disk(folders: dict[str, Path]) -> Iterator[Check]:
    from rich.filesize import decimal

    free = {name: free_bytes(folder) for name, folder in folders.items()}
    same = len({nearest(folder).stat().st_dev for folder in folders.values()}) == 1
    least = min(free.values())
    text = f"{decimal(least)} free" if same else ", ".join(f"{decimal(n)} free for {name}" for name, n in free.items())
    if least < TOY_BYTES:
        yield Check(
            "disk", "missing", text, f"a toy run takes {decimal(TOY_BYTES)}: asdbench cache prune, or --cache DIR"
        )
    elif free["cache"] < BENCHMARK_BYTES:
        yield Check("disk", "hint", text, f"features of all of DCASE 2021 take about {decimal(BENCHMARK_BYTES)}")
    else:
        yield Check("disk", "ok", text)


def _versions() -> Iterator[Check]:
    absent = sorted(name for name in _required() if _version(name) is None)
    if absent:
        hint = "install asdbench as the README says"
        yield Check("versions", "missing", f"not installed: {', '.join(absent)}", hint)
    checkout, here = Path(asdbench.__file__).parents[1] / "constraints.txt", Path("constraints.txt").absolute()
    path = next((path for path in (checkout, here) if path.is_file()), None)
    if path is None:
        yield Check("versions", "ok", "no constraints.txt in the current folder: nothing to compare with")
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pins = {match[1]: match[2] for line in lines if (match := re.match(r"([\w.-]+)==([^\s;]+)", line))}
    installed = {name: version for name in pins if (version := _version(name))}
    other = [f"{name} {found} ({pins[name]})" for name, found in installed.items() if not _alike(found, pins[name])]
    text = f"{len(installed) - len(other)} of {len(installed)} packages as in {path}"
    if other:
        hint = "expected scores were made with those in brackets: pip install -c constraints.txt ..."
        yield Check("versions", "hint", f"{text}; other: {', '.join(other)}", hint)
    else:
        yield Check("versions", "ok", text)


def _required() -> set[str]:
    """The packages that asdbench cannot do without."""
    wanted = importlib.metadata.requires("asdbench") or []
    return {match[0] for line in wanted if "extra ==" not in line and (match := re.match(r"[\w.-]+", line))}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _alike(found: str, pinned: str) -> bool:
    return found == pinned or found.partition("+")[0] == pinned  # torch 2.13.0+cpu is 2.13.0, built for the CPU
