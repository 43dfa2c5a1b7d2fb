"""What the sound files say of themselves: readable, at the right rate, with the right channels, as long as the others.

Conventions
-----------
- By default only headers are read, and kept (see ``datasets.file_facts``) with the file's identity, and files whose
  header does not know their length or how loud they are; a deep check decodes every clip as a run would, and keeps
  nothing.
- The rate and the channels that must be there are those that the data set's own reader demands.
- A clip is of the wrong length where nine in ten clips of its machine share a length and it has another.
  No year's length is written down here: machines differ.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from asdbench import audio
from asdbench.api import Clip, Dataset
from asdbench.datasets.file_facts import THREADS, KeptFacts
from asdbench.errors import ClipError
from asdbench.progress import Progress
from asdbench.upkeep.validation.findings import Finding

SHARED_BY = 0.9
SLICE = 2000
"""Clips between two signs of life."""
Groups: TypeAlias = Sequence[tuple[str, audio.Header, Sequence[Clip]]]
"""Machine, header, the clips of that machine with that header."""


@dataclass(frozen=True)
class Headers:
    """What the headers say.

    Parameters
    ----------
    findings : tuple of Finding
    readable : tuple of Clip
    fit : tuple of Clip
        Those among them with a rate and channels that the data set's reader takes.
    formats : Counter of str
        In words, how many clips have which rate, channels and length.
    """

    findings: tuple[Finding, ...]
    readable: tuple[Clip, ...]
    fit: tuple[Clip, ...]
    formats: Counter[str]


def check_headers(data: Dataset, database: Path | None, progress: Progress) -> Headers:
    """Look at every clip's header."""
    clips = [clip for clip in data.clips if clip.path is not None]
    kept = KeptFacts(database, "heading", _header)
    readable: list[Clip] = []
    bad: list[tuple[Clip, ClipError]] = []
    alike: dict[tuple[str, str], list[Clip]] = {}  # among many thousand clips few headers differ
    peaks: list[tuple[Clip, tuple[float, ...]]] = []
    progress.stage("headers", len(clips))
    for start in range(0, len(clips), SLICE):
        own = clips[start : start + SLICE]
        facts, errors = kept.look(clip.path for clip in own if clip.path)
        for clip in own:
            if clip.path in facts:
                readable.append(clip)
                said = _parsed(facts[clip.path])
                alike.setdefault((clip.machine, _text(said)), []).append(clip)
                if said.peaks:
                    peaks.append((clip, said.peaks))
            elif clip.path in errors:
                bad.append((clip, errors[clip.path]))
        progress.advance(len(own), "clips")
    groups = [(machine, _parsed(text), group) for (machine, text), group in alike.items()]
    unfit, refused = _rates_and_channels(data, groups)
    loud = _too_loud(data, peaks)
    findings = [_unreadable(bad), *unfit, _integers(loud), *_lengths(groups)]
    formats: Counter[str] = Counter()
    for _, header, group in groups:
        several = "s" if header.channels > 1 else ""
        formats[f"{header.rate} Hz, {header.channels} channel{several}, {header.seconds:.3f} s"] += len(group)
    return Headers(
        tuple(finding for finding in findings if finding.items),
        tuple(readable),
        tuple(clip for clip in readable if clip.path not in refused and clip not in loud),
        formats,
    )


def check_deep(data: Dataset, clips: Sequence[Clip], progress: Progress) -> list[Finding]:
    """Decode clips as a run would: cut, silent and broken ones come to light."""
    reader = data.reader
    if reader is None:
        return []

    def tried(clip: Clip) -> tuple[Clip, ClipError] | None:
        try:
            reader(clip)
        except ClipError as error:
            return clip, error
        return None

    bad: list[tuple[Clip, ClipError]] = []
    progress.stage("decoding", len(clips))
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(clips), SLICE):
            own = clips[start : start + SLICE]
            bad += [result for result in pool.map(tried, own) if result]
            progress.advance(len(own), "clips")
    found = _unreadable(bad)
    return [found] if found.items else []


def shown(clip: Clip) -> str:
    """A clip in a list of findings."""
    return f"{clip.machine} {clip.name}"


def _header(key: bytes) -> str:
    said = audio.header(Path(os.fsdecode(key)))
    return " ".join([_text(said), *(f"{peak:.6g}" for peak in said.peaks)])


def _text(said: audio.Header) -> str:
    return f"{said.rate} {said.channels} {said.samples}"


def _parsed(text: str) -> audio.Header:
    rate, channels, samples, *peaks = text.split()
    return audio.Header(int(rate), int(channels), int(samples), tuple(map(float, peaks)))


def _too_loud(data: Dataset, peaks: Sequence[tuple[Clip, tuple[float, ...]]]) -> dict[Clip, float]:
    """The clips whose channel that is read reaches what no sound does."""
    taken: int = getattr(data.reader, "channel", 0) or 0
    return {clip: own[taken] for clip, own in peaks if taken < len(own) and own[taken] > audio.LOUDEST}


def _integers(loud: Mapping[Clip, float]) -> Finding:
    scales = sorted({audio.full_scale(peak) for peak in loud.values()})
    return Finding(
        f"floating-point clips that hold integers: they reach more than {audio.LOUDEST:g}, and sound is in [-1, 1]",
        tuple(f"{shown(clip)}: reaches {peak:.0f}" for clip, peak in loud.items()),
        hint=f"divide by {' or '.join(map(str, scales))}",
    )


def _unreadable(bad: Sequence[tuple[Clip, ClipError]]) -> Finding:
    return Finding(
        "clips that a run cannot use",
        tuple(f"{clip.machine} {error.message}" for clip, error in bad),
        hint="copy or download these files again",
    )


def _rates_and_channels(data: Dataset, groups: Groups) -> tuple[list[Finding], set[Path | None]]:
    """Findings, and the files that the data set's reader refuses for their rate or channels."""
    demanded: int | None = getattr(data.reader, "rate", None)
    taken: int | None = getattr(data.reader, "channel", 0)
    rates: Counter[int] = Counter()
    for _, header, group in groups:
        rates[header.rate] += len(group)
    wanted = demanded or (rates.most_common(1)[0][0] if rates else 0)
    other = [(clip, header) for _, header, own in groups if header.rate != wanted for clip in own]
    several = [(clip, header) for _, header, own in groups if taken is None and header.channels > 1 for clip in own]
    lacking = [(clip, header) for _, header, own in groups if not 0 <= (taken or 0) < header.channels for clip in own]
    findings = [
        Finding(
            f"clips that are not sampled at {wanted} Hz",
            tuple(f"{shown(clip)}: {header.rate} Hz" for clip, header in other),
            wrong=demanded is not None,
            hint="[rate=any] behind the data set's name takes clips of any rate" if demanded else "",
        ),
        Finding(
            "clips of several channels",
            tuple(f"{shown(clip)}: {header.channels}" for clip, header in several),
            hint="[channel=0] behind the data set's name takes the first one",
        ),
        Finding(
            f"clips that have no channel {taken}, counted from 0",
            tuple(f"{shown(clip)}: {header.channels}" for clip, header in lacking),
            hint="choose another [channel=...]",
        ),
    ]
    return findings, {clip.path for clip, _ in [*(other if demanded else ()), *several, *lacking]}


def _lengths(groups: Groups) -> list[Finding]:
    machines: dict[str, dict[float, list[Clip]]] = {}
    for machine, header, group in groups:
        machines.setdefault(machine, {}).setdefault(header.seconds, []).extend(group)
    odd: list[str] = []
    mixed: list[str] = []
    for machine, lengths in machines.items():
        usual = max(lengths, key=lambda length: len(lengths[length]))
        if len(lengths[usual]) >= SHARED_BY * sum(map(len, lengths.values())):
            odd += [
                f"{shown(clip)}: {length:.3f} s, others {usual:.3f} s"
                for length, group in lengths.items()
                if length != usual
                for clip in group
            ]
        else:
            mixed.append(f"{machine}: {min(lengths):.3f} to {max(lengths):.3f} s")
    return [
        Finding("clips of another length than their machine's", tuple(odd), hint="copy or download these files again"),
        Finding("machines whose clips differ in length", tuple(mixed), wrong=False),
    ]
