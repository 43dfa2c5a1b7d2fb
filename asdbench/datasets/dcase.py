"""DCASE Task 2 as the organizers lay it out, whole or in part: ``dcase2020:ROOT`` to ``dcase2026:ROOT``
and ``dcase:ROOT``, which tells the year.

Conventions
-----------
- Where clips lie is said in :mod:`asdbench.datasets.tree`, what they are called in :mod:`asdbench.datasets.grammar`.
  Any subset of machines, sections and domains will do, whatever the counts; any folder is a machine. One that is
  another spelling of a machine of the year (``slide_rail``) gets the year's.
- Parts: ``dev_data`` is dev; of ``eval_data`` training clips are additional, test clips are eval. Where no folder says
  it, the section does (or the machine, since 2023), and a test clip without a label is an evaluation clip.
- A test clip's label is the one in its name; evaluation clips have none there and get the ground truth's, from 2022 on
  with their domain and attributes (:mod:`asdbench.datasets.evaluation_clips`). Without one, label None and domain "".
- Whatever ends like a clip must fit the grammar: a clip that is silently left out changes the numbers.
- In 2020 training and test clips have the same names: there training clips are called ``train/<name>``, so that a name
  stands for one clip of a machine.
- A root with the file that :func:`asdbench.datasets.toy.write` leaves there is stamped as synthetic data, 2026 as
  assumed.
- Links are followed, also those that a copy without links (git on some systems, archives) wrote out as text: the first
  clip of a folder tells.
- Opening the data set lists folders; no sound is decoded and no file's size asked for, except of those first clips.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from asdbench.api import Clip, Part, Profile, Waveform
from asdbench.datasets import attributes, grammar, tree
from asdbench.datasets import evaluation_clips as answers
from asdbench.datasets.digests import Digests
from asdbench.datasets.shipped_truth import shipped
from asdbench.datasets.year_detection import detect, fitting
from asdbench.datasets.years import YEARS, Year
from asdbench.errors import DataError
from asdbench.plugins.spec import Spec
from asdbench.words import counted

Rate: TypeAlias = Literal["16000", "any"]

WRITTEN_OUT = "links that a copy wrote out as text are followed"
BLOCK = 1000
"""Files whose hashes are asked for at once: what is looked up of many more would take more memory than their index."""
LINK_BYTES = 1024
"""A larger file is no link written out as text."""
CHANNELS = {2026: 0}
"""The channel that is taken where none is asked for, in a year of stereo recordings: the organizers' baseline's."""


@dataclass(frozen=True)
class SoundReader:
    """Reads the sound of a clip; a value, so that it can be sent to workers. ``dataset`` is its name, for advice."""

    channel: int | None
    rate: int | None
    dataset: str = "dcase2021"

    def __call__(self, clip: Clip) -> Waveform:
        """The clip's sound, as :func:`asdbench.audio.read` gives it, with its errors."""
        from asdbench import audio

        if clip.path is None:
            raise DataError(f"clip {clip.name} has no sound file", hint="open the data set again from its root")
        return audio.read(clip.path, channel=self.channel, rate=self.rate, dataset=self.dataset)


@dataclass
class DcaseDataset:
    """Clips in the official layout (see :class:`asdbench.api.Dataset`).

    Parameters
    ----------
    year : int
    spec : str
    clips : sequence of Clip
        Sorted by (machine, name).
    reader : SoundReader
    remarks : tuple of str
        What a user should know of it: folders that hold no clip or unfinished copies, machines without test clips.
    stamps : tuple of str
    root : Path
    truth : str
        Where the labels of the evaluation clips come from (:mod:`asdbench.datasets.evaluation_clips`).
    digests : Digests
        Replace it to keep the files' hashes on disk.
    """

    year: int
    spec: str
    clips: Sequence[Clip]
    reader: SoundReader
    remarks: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    root: Path = Path()
    truth: str = "none"
    digests: Digests = field(default_factory=Digests)
    profile: Profile = "full"
    features: None = None

    @property
    def name(self) -> str:
        """The results folder."""
        return f"dcase{self.year}"

    def answers(self) -> answers.Answers:
        """What is known of the evaluation clips, also of those that are not there; read again, not kept."""
        return answers.look(self.root, YEARS[self.year], self.truth)

    def digest(self, clip: Clip) -> str:
        """A sha256 (hex) of the file's bytes and of the channel, where one was chosen."""
        return self.digest_many([clip])[0]

    def digest_many(self, clips: Sequence[Clip]) -> list[str]:
        """The same for many clips, which is much faster than one by one."""
        paths = [clip.path for clip in clips if clip.path is not None]
        found: list[str] = []
        for start in range(0, len(paths), BLOCK):
            own = paths[start : start + BLOCK]
            known = self.digests.of(own)
            found += [known[path] for path in own]
        channel = self.reader.channel
        if channel is None:
            return found
        # Each channel is another sound: features kept under the file's own hash would be the other channel's.
        return [hashlib.sha256(f"{own} channel {channel}".encode()).hexdigest() for own in found]


class MisfitsError(DataError):
    """Clips whose names do not fit: ``files`` are all of them, ``rest`` the data set without them, or None.

    Nobody may run on the rest, since a clip that is silently left out changes the numbers; it may be looked at.
    """

    files: tuple[str, ...] = ()
    rest: DcaseDataset | None = None


class Open(Protocol):
    """What opens a data set of a year."""

    def __call__(
        self, root: str, *, channel: int | None = None, rate: Rate = "16000", truth: str = "auto"
    ) -> DcaseDataset:
        """Open it."""


def dcase(root: str, *, channel: int | None = None, rate: Rate = "16000", truth: str = "auto") -> DcaseDataset:
    """The data set of DCASE Task 2 of the year that what lies there is of.

    Parameters
    ----------
    root : str
        The folder that holds ``dev_data``, ``eval_data`` or both.
    channel : int or None
        Which channel of recordings with several; None: they must have one (2026: the first).
    rate : {"16000", "any"}
        The sample rate, in Hz, that every clip must have.
    truth : str
        The ground truth of the evaluation clips: a list or folder; ``none``; or ``auto``: what lies in the root, else,
        for 2021 and 2022, the official labels that are part of this package.

    Raises
    ------
    DataError
        No such folder, not the layout, no clips, a clip that is there twice, names that are not UTF-8, a ground truth
        that cannot be read; or the year cannot be told.
    MisfitsError
        Clips outside the grammar.
    """
    found = tree.scan(Path(root).expanduser(), "dcase")
    year, words = detect(found)
    found.remarks.insert(0, f"the year was told by what is there ({words})")
    return _open(found, year, root, channel, rate, truth)


def _of(year: Year) -> Open:
    def open_year(root: str, *, channel: int | None = None, rate: Rate = "16000", truth: str = "auto") -> DcaseDataset:
        return _open(tree.scan(Path(root).expanduser(), f"dcase{year.year}"), year, root, channel, rate, truth)

    open_year.__name__ = open_year.__qualname__ = f"dcase{year.year}"
    open_year.__doc__ = (dcase.__doc__ or "").replace(
        "of the year that what lies there is of", f"{year.year}, or anything laid out like it"
    )
    return open_year


dcase2020, dcase2021, dcase2022, dcase2023, dcase2024, dcase2025, dcase2026 = map(_of, YEARS.values())


def _open(found: tree.Tree, year: Year, root: str, channel: int | None, rate: Rate, truth: str) -> DcaseDataset:
    remarks = found.remarks
    known = answers.look(found.root, year, truth)
    misfits: list[tuple[tree.Folder, str]] = []
    clips = list(_clips(found, year, known, misfits))
    clips.sort(key=lambda clip: (clip.machine, clip.name))
    for one, other in itertools.pairwise(clips):
        if (one.machine, one.name) == (other.machine, other.name):
            raise DataError(
                f"two clips of {one.machine} are called {one.name}",
                looked=f"{one.path} and {other.path}",
                hint="a name stands for one clip of a machine type: remove one of the two",
            )
    remarks += _odd_folders(found, year)
    untested = sorted({clip.machine for clip in clips} - {clip.machine for clip in clips if clip.split == "test"})
    if untested:
        remarks.append(f"{', '.join(untested)} {'has' if len(untested) == 1 else 'have'} no test clips")
    unlabelled = sum(clip.split == "test" and clip.label is None for clip in clips)
    if unlabelled and truth != "none" and shipped(year) is None:
        remarks.append(
            f"{counted(unlabelled, 'test clip has no label', 'test clips have no label')}: "
            + (
                f"{known.origin} does not name them"
                if known.origin
                else f"put {answers.lists(year)[0]} into ROOT/{answers.FOLDER} (from {year.evaluator})"
            )
        )
    taken = CHANNELS.get(year.year) if channel is None else channel
    if taken != channel:
        remarks.append(f"channel {taken} of each recording is taken, as by the organizers' baseline")
    given = {"channel": taken, "rate": rate, "truth": truth}
    defaults = {"channel": None, "rate": "16000", "truth": "auto"}
    parameters = tuple((key, str(value)) for key, value in given.items() if value != defaults[key])
    synthetic = (found.root / grammar.MARKER).is_file()
    made = DcaseDataset(
        year=year.year,
        spec=str(Spec(f"dcase{year.year}", parameters, root)),
        clips=clips,
        reader=SoundReader(taken, None if rate == "any" else int(rate), f"dcase{year.year}"),
        remarks=tuple(remarks),
        stamps=tuple(filter(None, (grammar.SYNTHETIC if synthetic else "", year.assumed))),
        root=found.root,
        truth=truth,
    )
    if misfits:
        raise _misfits(misfits, found, year, made if clips else None)
    return made


def _odd_folders(found: tree.Tree, year: Year) -> Iterator[str]:
    """What was taken for granted of folders that are not where or what the organizers have them."""
    if flat := sorted({folder.machine for folder in found.folders if not folder.name}):
        taken = "their clips are taken as test clips" if year.year == 2020 else "their names tell which clips are which"
        yield f"no folders train and test in {', '.join(flat)}: {taken}"
    bare = {folder.machine for folder in found.folders if folder.part is None}
    if strange := sorted(machine for machine in bare if year.machine(machine) not in year.machines):
        yield f"not in dev_data or eval_data, and no machine of {year.year}: {', '.join(strange)}"


def _clips(
    found: tree.Tree, year: Year, known: answers.Answers, misfits: list[tuple[tree.Folder, str]]
) -> Iterator[Clip]:
    for folder in found.folders:
        clips = list(_of_folder(folder, year, known, misfits))
        if clips and clips[0].path and _written_link(clips[0].path):
            if WRITTEN_OUT not in found.remarks:
                found.remarks.append(WRITTEN_OUT)
            clips = [replace(clip, path=clip.path and (_written_link(clip.path) or clip.path)) for clip in clips]
        if (machine := year.machine(folder.machine)) != folder.machine:
            remark = f"{folder.machine} is called {machine}, as in {year.year}"
            found.remarks += [] if remark in found.remarks else [remark]
        yield from clips


def _misfits(
    misfits: list[tuple[tree.Folder, str]], found: tree.Tree, year: Year, rest: DcaseDataset | None
) -> MisfitsError:
    others = [str(other) for other in fitting(found)]
    files = tuple(sorted(f"{folder.shown}/{name}" for folder, name in misfits))
    error = MisfitsError(
        f"{counted(len(misfits), 'clip does', 'clips do')} not fit the names of the {year.year} data set",
        looked=tree.some(files),
        hint=f"they fit {', '.join(others)}: dcase{others[0] if len(others) == 1 else ''}:{found.root}"
        if others
        else f"{misfits[0][0].name or 'a machine'} expects {grammar.expected(misfits[0][0].name, year.year)}: "
        "rename them, or move them away",
    )
    error.files, error.rest = files, rest
    return error


def _of_folder(
    folder: tree.Folder, year: Year, known: answers.Answers, misfits: list[tuple[tree.Folder, str]]
) -> Iterator[Clip]:
    machine = year.machine(folder.machine)
    for name, file in folder.clips():
        fields = grammar.read(name, folder.name, year.year)
        if fields is None:
            misfits.append((folder, file))  # reported together once the index is through
            continue
        part = _part(folder, year, machine, fields)
        answer = known.of(machine, name) if part == "eval" and fields.label is None else None
        pairs = attributes.parse(fields.attributes)
        yield Clip(
            name=f"train/{name}" if year.year == 2020 and fields.split == "train" else name,
            machine=machine,
            section=fields.section,
            domain=fields.domain or (answer.domain if answer else ""),
            split=fields.split,
            part=part,
            label=fields.label or (answer.label if answer else None),
            path=folder.path / file,
            attributes=pairs or (answer.attributes if answer else ()),
        )


def _part(folder: tree.Folder, year: Year, machine: str, fields: grammar.Fields) -> Part:
    side = folder.part
    if side is None:
        developed = fields.section in year.dev.get(machine, ())
        evaluated = fields.section in year.eval.get(machine, ()) or fields.label is None
        side = "eval" if evaluated and not developed else "dev"
    if side == "dev":
        return "dev"
    return "additional" if fields.split == "train" else "eval"


def _written_link(path: Path) -> Path | None:
    """Where a link leads that was copied as a small text file, as git does on systems without links."""
    try:
        if path.stat().st_size > LINK_BYTES:
            return None
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None  # whoever reads the clip says what is wrong with it
    target = Path(os.path.normpath(path.parent / text))
    return target if "\0" not in text and text.lower().endswith((".wav", ".flac")) and target.is_file() else None
