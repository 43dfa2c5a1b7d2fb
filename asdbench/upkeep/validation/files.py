"""Files and their content: copies of a clip, and what lies in the data set's folder besides its clips."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from asdbench.api import Clip, Dataset
from asdbench.datasets import digests_of
from asdbench.datasets.doubts import leaks, named, same_content, same_number
from asdbench.datasets.tree import MACOS, SUPPLEMENTAL, UNFINISHED
from asdbench.plugins.spec import parse
from asdbench.progress import Progress
from asdbench.upkeep.validation.findings import Finding
from asdbench.upkeep.validation.sounds import SLICE

PASSED_OVER = (MACOS, SUPPLEMENTAL)
"""What macOS leaves, and sound that is neither training nor test data; a remark of the data set tells of the latter."""


def check_copies(data: Dataset, clips: Sequence[Clip], progress: Progress) -> list[Finding]:
    """Clips with equal content: training clips that also stand in the test, and other duplicates.

    The hashes are those that a run needs: where the data set keeps them, the run that follows finds them.
    """
    digests: list[str] = []
    progress.stage("hashing", len(clips))
    for start in range(0, len(clips), SLICE):
        own = clips[start : start + SLICE]
        digests += digests_of(data, own)
        progress.advance(len(own), "clips")
    groups = same_content(clips, digests)
    again = "get these files again" if any(clip.path for clip in clips) else "see how their features were made"
    findings = [
        Finding(
            "training clips that also stand in the test, by content",
            tuple(named(group) for group in groups if leaks(group)),
            hint=f"no score of their cells can be trusted: {again}",
        ),
        Finding(
            "clips that are there twice, by content",
            tuple(named(group) for group in groups if not leaks(group)),
            hint=again,
        ),
    ]
    return [finding for finding in findings if finding.items]


def check_numbers(data: Dataset) -> list[Finding]:
    """Clips that share a number within section, domain, split and label: a second copy under another name."""
    twice = tuple(map(named, same_number(data.clips, data.year)))
    finding = Finding("clip numbers that occur twice", twice, hint="each counts as a clip of its own: remove the copy")
    return [finding] if twice else []


def check_leftovers(data: Dataset, known: Sequence[str] = ()) -> list[Finding]:
    """Empty folders, unfinished copies and sound files that are no clips of the data set, but for those known already.

    ``known`` are paths below the data set's root.
    """
    root = _root(data)
    if root is None:
        return []
    clips = {os.fspath(clip.path) for clip in data.clips if clip.path}
    empty: list[str] = []
    unfinished: list[str] = []
    sounds: set[str] = set()
    for folder, names in _walk(root):
        if not names:
            empty.append(os.path.relpath(folder, root))
        for name in names:
            lower = name.lower()
            if lower.endswith((".wav", ".flac")):
                sounds.add(f"{folder}{os.sep}{name}")
            elif lower.endswith(UNFINISHED):
                unfinished.append(os.path.relpath(f"{folder}{os.sep}{name}", root))
    # Links that a copy wrote out as text: such a clip's path is where its link leads.
    elsewhere = {clip.name for clip in data.clips} if clips - sounds else set()
    strange = {os.path.relpath(path, root) for path in sounds - clips if Path(path).name not in elsewhere} - set(known)
    remarks: Sequence[str] = getattr(data, "remarks", ())
    named = [*empty, *(os.path.dirname(path) for path in unfinished)]  # noqa: PTH120 # these are texts
    others = [remark for remark in remarks if not any(remark.startswith(f"{folder} ") for folder in named)]
    findings = [
        Finding("empty folders", tuple(sorted(empty)), hint="finish copying or unpacking, or remove them"),
        Finding("unfinished copies", tuple(sorted(unfinished)), hint="finish copying, then remove them"),
        Finding("sound files that are no clips of the data set", tuple(sorted(strange)), wrong=False),
        Finding("remarks", tuple(others), wrong=False),
    ]
    return [finding for finding in findings if finding.items]


def _root(data: Dataset) -> Path | None:
    """The folder of a data set of files."""
    argument = parse(data.spec).argument
    if not argument or not any(clip.path for clip in data.clips):
        return None
    root = Path(os.path.abspath(Path(argument).expanduser()))  # noqa: PTH100 # as clips have it: links kept
    return root if root.is_dir() else None


def _walk(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Folders below ``root`` and the names in them; hidden ones, and what file managers leave, are passed over."""
    seen: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        status = os.stat(folder)  # noqa: PTH116 # text, not a Path for each of many thousand files
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()  # a link that leads back up
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in PASSED_OVER)
        yield folder, [*folders, *(name for name in files if not name.startswith("."))]
