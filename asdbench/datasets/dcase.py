"""DCASE 2021 Task 2 as the organizers lay it out, whole or in part.

Conventions
-----------
- ROOT holds ``dev_data/<machine>/{train,source_test,target_test}`` and, where it is there, the same under
  ``eval_data``. Any subset of machines, sections and domains will do, whatever the counts; any folder is a machine.
- Parts: ``dev_data`` is dev; ``eval_data/*/train`` is additional, ``eval_data/*/*_test`` is eval.
- A test clip's label is the one in its name; evaluation clips have none there and get the official ground truth's.
- Files that do not end in ``.wav`` are no clips, nor are the hidden ones that file managers leave (``._*``). Whatever
  else ends in ``.wav`` must fit the grammar: a clip that is silently left out changes the numbers.
- Machine folders and clips have names in UTF-8: they become text in results and reports.
- A root with the file that :func:`asdbench.datasets.toy.write` leaves there is stamped as synthetic data.
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
from typing import Literal

from asdbench.api import Clip, Part, Profile, Split, Waveform
from asdbench.datasets import grammar
from asdbench.datasets.digests import Digests
from asdbench.datasets.ground_truth import labels_2021
from asdbench.errors import DataError
from asdbench.registry import Spec

PARTS = ("dev_data", "eval_data")
SHOWN = 5
"""Offending files that an error lists."""
WRITTEN_OUT = "links that a copy wrote out as text are followed"
UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".download", ".aria2", ".tmp", ".temp")
"""Endings of files that a browser or a copying program has not finished."""
LINK_BYTES = 1024
"""A larger file is no link written out as text."""


@dataclass(frozen=True)
class SoundReader:
    """Reads the sound of a clip; a value, so that it can be sent to workers."""

    channel: int | None
    rate: int | None

    def __call__(self, clip: Clip) -> Waveform:
        """The clip's sound, as :func:`asdbench.audio.read` gives it, with its errors."""
        from asdbench import audio

        if clip.path is None:
            raise DataError(f"clip {clip.name} has no sound file", hint="open the data set again from its root")
        return audio.read(clip.path, channel=self.channel, rate=self.rate)


@dataclass
class DcaseDataset:
    """Clips in the official layout (see :class:`asdbench.api.Dataset`).

    Parameters
    ----------
    spec : str
    clips : sequence of Clip
        Sorted by (machine, name).
    reader : SoundReader
    remarks : tuple of str
        What a user should know of it: folders that hold no clip or unfinished copies, machines without test clips.
    digests : Digests
        Replace it to keep the files' hashes on disk.
    """

    spec: str
    clips: Sequence[Clip]
    reader: SoundReader
    remarks: tuple[str, ...] = ()
    digests: Digests = field(default_factory=Digests)
    name: str = "dcase2021"
    stamps: tuple[str, ...] = ()
    profile: Profile = "full"
    year: int = 2021
    features: None = None

    def digest(self, clip: Clip) -> str:
        """A sha256 (hex) of the file's bytes and of the channel, where one was chosen."""
        return self.digest_many([clip])[0]

    def digest_many(self, clips: Sequence[Clip]) -> list[str]:
        """The same for many clips, which is much faster than one by one."""
        paths = [clip.path for clip in clips if clip.path is not None]
        found = self.digests.of(paths)
        channel = self.reader.channel
        if channel is None:
            return [found[path] for path in paths]
        # Each channel is another sound: features kept under the file's own hash would be the other channel's.
        return [hashlib.sha256(f"{found[path]} channel {channel}".encode()).hexdigest() for path in paths]


class MisfitsError(DataError):
    """Sound files whose names do not fit: ``files`` are all of them, ``rest`` the data set without them, or None.

    Nobody may run on the rest, since a clip that is silently left out changes the numbers; it may be looked at.
    """

    files: tuple[str, ...] = ()
    rest: DcaseDataset | None = None


def dcase2021(
    root: str,
    *,
    channel: int | None = None,
    rate: Literal["16000", "any"] = "16000",
    labels: Literal["2021", "names"] = "2021",
) -> DcaseDataset:
    """The data set of DCASE 2021 Task 2, or anything laid out like it.

    Parameters
    ----------
    root : str
        The folder that holds ``dev_data``, ``eval_data`` or both.
    channel : int or None
        Which channel of recordings with several; None: they must have one.
    rate : {"16000", "any"}
        The sample rate, in Hz, that every clip must have.
    labels : {"2021", "names"}
        Where the labels of evaluation clips without one in their names come from: the official ground truth of 2021,
        or nowhere (for data of one's own under the official names).

    Raises
    ------
    DataError
        No such folder, not the layout, no clips, a clip that is there twice, names that are not UTF-8.
    MisfitsError
        ``.wav`` files outside the grammar.
    """
    folder = Path(root).expanduser()
    _check_root(folder)
    remarks: list[str] = []
    misfits: list[str] = []
    clips = list(_index(Path(os.path.abspath(folder)), labels == "2021", remarks, misfits))  # noqa: PTH100 # drops "..", keeps links
    if not clips:
        raise _misfits(misfits) if misfits else _nothing(folder, remarks)
    clips.sort(key=lambda clip: (clip.machine, clip.name))
    untested = sorted({clip.machine for clip in clips} - {clip.machine for clip in clips if clip.split == "test"})
    if untested:
        remarks.append(f"{', '.join(untested)} {'has' if len(untested) == 1 else 'have'} no test clips")
    for one, other in itertools.pairwise(clips):
        if (one.machine, one.name) == (other.machine, other.name):
            raise DataError(
                f"two clips of {one.machine} are called {one.name}",
                looked=f"{one.path} and {other.path}",
                hint="a name stands for one clip of a machine type: remove one of the two",
            )
    given = {"channel": channel, "rate": rate, "labels": labels}
    defaults = {"channel": None, "rate": "16000", "labels": "2021"}
    parameters = tuple((key, str(value)) for key, value in given.items() if value != defaults[key])
    made = DcaseDataset(
        spec=str(Spec("dcase2021", parameters, root)),
        clips=clips,
        reader=SoundReader(channel, None if rate == "any" else int(rate)),
        remarks=tuple(remarks),
        stamps=(grammar.SYNTHETIC,) if (folder / grammar.MARKER).is_file() else (),
    )
    if misfits:
        raise _misfits(misfits, made)
    return made


def _index(root: Path, ground_truth: bool, remarks: list[str], misfits: list[str]) -> Iterator[Clip]:
    undecodable: list[str] = []
    for part in PARTS:
        for machine in _folders(root / part):
            present = [name for name in grammar.FOLDERS if (machine / name).is_dir()]
            if not _is_utf8(machine.name) and present:
                undecodable.append(_shown(f"{part}/{machine.name}"))
                continue
            if not present:
                remarks.append(f"{part}/{_shown(machine.name)} holds none of {', '.join(grammar.FOLDERS)}")
            for name in present:
                clips = list(_clips(machine / name, part, ground_truth, misfits, undecodable, remarks))
                if not clips:
                    remarks.append(f"{part}/{machine.name}/{name} holds no .wav file")
                elif clips[0].path and _written_link(clips[0].path):
                    if WRITTEN_OUT not in remarks:
                        remarks.append(WRITTEN_OUT)
                    clips = [
                        replace(clip, path=clip.path and (_written_link(clip.path) or clip.path)) for clip in clips
                    ]
                yield from clips
    if undecodable:
        raise DataError(
            f"{len(undecodable)} name{'s are' if len(undecodable) > 1 else ' is'} not UTF-8",
            looked=_some(undecodable),
            hint="rename them, say with convmv: results and reports are UTF-8",
        )


def _misfits(files: Sequence[str], rest: DcaseDataset | None = None) -> MisfitsError:
    folder = files[0].split("/")[2]
    error = MisfitsError(
        f"{len(files)} .wav files do not fit the names of the 2021 data set",
        looked=_some(files),
        hint=f"{folder} expects {grammar.EXAMPLES[folder]}: rename them, or move them away",
    )
    error.files, error.rest = tuple(files), rest
    return error


def _some(texts: Sequence[str]) -> str:
    return "; ".join(texts[:SHOWN]) + (f"; and {len(texts) - SHOWN} more" if len(texts) > SHOWN else "")


def _is_utf8(name: str) -> bool:
    """Whether a name is text; Python stands lone surrogates for the bytes that are not."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def _shown(name: str) -> str:
    """The name with backslashes for bytes that are not UTF-8, so that it can be printed and written."""
    return name if _is_utf8(name) else os.fsencode(name).decode("utf-8", "backslashreplace")


def _folders(part: Path) -> list[Path]:
    if not part.is_dir():
        return []
    found = [entry.name for entry in _listing(part) if entry.is_dir()]
    return [part / name for name in sorted(found) if name != "__MACOSX"]


def _listing(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(
            f"cannot list {folder.name}: {error.strerror}", looked=str(folder), hint="see who may read it: ls -ld"
        ) from error


def _clips(
    folder: Path, part: str, ground_truth: bool, misfits: list[str], undecodable: list[str], remarks: list[str]
) -> Iterator[Clip]:
    machine = folder.parent.name
    known = labels_2021() if ground_truth and part == "eval_data" else {}
    names = [entry.name for entry in _listing(folder)]
    unfinished = sum(name.lower().endswith(UNFINISHED) for name in names)
    if unfinished:
        copies = "an unfinished copy" if unfinished == 1 else f"{unfinished} unfinished copies"
        remarks.append(f"{part}/{machine}/{folder.name} holds {copies} (.part, .tmp or the like)")
    for name in names:
        if not name.lower().endswith(".wav"):
            continue
        if not _is_utf8(name):
            undecodable.append(_shown(f"{part}/{machine}/{folder.name}/{name}"))
            continue
        try:
            fields = grammar.parse(name, folder.name)
        except DataError:
            misfits.append(f"{part}/{machine}/{folder.name}/{name}")  # reported together once the index is through
            continue
        yield Clip(
            name=name,
            machine=machine,
            section=fields.section,
            domain=fields.domain,
            split=fields.split,
            part=_part(part, fields.split),
            label=fields.label or known.get((machine, name)),
            path=folder / name,
        )


def _written_link(path: Path) -> Path | None:
    """Where a link leads that was copied as a small text file, as git does on systems without links."""
    try:
        if path.stat().st_size > LINK_BYTES:
            return None
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None  # whoever reads the clip says what is wrong with it
    target = Path(os.path.normpath(path.parent / text))
    return target if "\0" not in text and text.lower().endswith(".wav") and target.is_file() else None


def _part(part: str, split: Split) -> Part:
    if part == "dev_data":
        return "dev"
    return "additional" if split == "train" else "eval"


def _check_root(root: Path) -> None:
    if not root.is_dir():
        raise DataError(
            f"there is no data set at {root}",
            looked=f"{root.absolute()} is {'a file' if root.exists() else 'not there'}",
            hint="give the folder that holds dev_data: dcase2021:ROOT",
        )
    if any((root / part).is_dir() for part in PARTS):
        return
    found = sorted(entry.name for entry in _listing(root) if _is_utf8(entry.name))
    for near in (*root.absolute().parents[:3], *(root / name for name in found)):
        if any((near / part).is_dir() for part in PARTS):
            hint = f"did you mean dcase2021:{near}"
            break
    else:
        hint = "the official layout is ROOT/dev_data/<machine>/train, source_test, target_test"
        if any((root / name / folder).is_dir() for name in found for folder in grammar.FOLDERS):
            hint = f"its machine folders belong into a folder dev_data (or eval_data): {root / 'dev_data'}"
        packed = [name for name in found if name.lower().endswith((".zip", ".7z", ".tar", ".gz"))]
        if (root / "index.csv").is_file():
            hint = f"a folder of given features is features:{root}"
        if packed:
            hint = f"still packed: unpack {packed[0]} and its like into {root / 'dev_data'}"
    listing = ", ".join(found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
    raise DataError(
        f"{root} holds neither dev_data nor eval_data",
        looked=f"there is: {listing or 'nothing, it is empty'}",
        hint=hint,
    )


def _nothing(root: Path, remarks: Sequence[str]) -> DataError:
    for part in PARTS:
        packed = sorted(path.name for path in (root / part).glob("*.[zZ][iI][pP]"))
        if packed:
            return DataError(
                f"the data set at {root} is still packed",
                looked=f"{root / part} holds {', '.join(packed[:SHOWN])}",
                hint=f"unpack them there: unzip {packed[0]}",
            )
    return DataError(
        f"the data set at {root} has no clips",
        looked="; ".join(remarks[:SHOWN]) or "the folders dev_data and eval_data are empty",
        hint="finish copying or unpacking it; the official layout is ROOT/dev_data/<machine>/train/*.wav",
    )
