"""What makes numbers over a data set doubtful although every clip can be read: training clips in the test, by content,
and clips that are there twice by their numbers.

Conventions
-----------
- A clip's number is the one in its name, within machine, part, section, domain, split and label as the name has them:
  no year gives it twice, and a second copy under other attributes would be scored as one clip more.
- Names outside the year's grammar (features folders may have any) have no number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from asdbench.api import Clip, Dataset
from asdbench.datasets import grammar
from asdbench.datasets.tree import some
from asdbench.words import counted

STAMP = "training clips in the test"
"""How the stamp of a table begins whose test holds copies of training clips."""
NAMED = 3
"""Clips of one content or number that are named, of training and of test."""


def same_content(clips: Sequence[Clip], digests: Sequence[str]) -> list[list[Clip]]:
    """Groups of two and more clips with equal content.

    Parameters
    ----------
    clips : sequence of Clip
    digests : sequence of str
        Of each clip (:func:`asdbench.datasets.digests_of`).
    """
    same: dict[str, list[Clip]] = {}
    for clip, digest in zip(clips, digests, strict=True):
        same.setdefault(digest, []).append(clip)
    return [group for group in same.values() if len(group) > 1]


def leaks(group: Sequence[Clip]) -> bool:
    """Whether a group of equal content holds training and test clips."""
    return {clip.split for clip in group} == {"train", "test"}


def stamp(leaked: Iterable[Sequence[Clip]], machine: str) -> str:
    """What every table of a machine must say of its test clips that are copies of training clips, or ""."""
    count = sum(clip.split == "test" and clip.machine == machine for group in leaked for clip in group)
    return f"{STAMP}: {count} of {machine}" if count else ""


def same_number(clips: Iterable[Clip], year: int) -> list[list[Clip]]:
    """Groups of two and more clips with one number."""
    found: dict[tuple[object, ...], list[Clip]] = {}
    for clip in clips:
        name = clip.name.removeprefix("train/")
        fields = grammar.read(name, "train" if clip.split == "train" else "", year)
        if fields is not None and fields.split == clip.split:
            place = (clip.machine, clip.part, fields.section, fields.domain, fields.split, fields.label)
            found.setdefault((*place, int(fields.number)), []).append(clip)
    return [group for group in found.values() if len(group) > 1]


def in_words(data: Dataset, machines: Collection[str], leaked: Iterable[Sequence[Clip]]) -> list[str]:
    """What a run must say of some machines' clips: copies of training clips in the test, numbers that occur twice."""
    copied = list(dict.fromkeys(map(named, leaked)))
    twice = list(map(named, same_number((clip for clip in data.clips if clip.machine in machines), data.year)))
    found = []
    if copied:
        found.append(f"{counted(len(copied), 'training clip')} also in the test, by content: {some(copied)}")
    if twice:
        words = counted(len(twice), "clip number occurs", "clip numbers occur")
        found.append(f"{words} twice, each copy counts as a clip of its own: {some(twice)}")
    return found


def named(group: Sequence[Clip]) -> str:
    """A group in a line: the first few clips, of training and of test where it is of both."""
    sides = [[clip for clip in group if clip.split == split] for split in ("train", "test")]
    kept = [clip for clip in group if any(clip in side[:NAMED] for side in sides)]
    more = f" and {len(group) - len(kept)} more" if len(group) > len(kept) else ""
    return " = ".join(f"{clip.machine} {clip.name}" for clip in kept) + more
