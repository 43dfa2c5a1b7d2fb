"""One archive of a data set, from its place to the layout of the root and into the record."""

from __future__ import annotations

import datetime
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from asdbench.errors import ConflictError, DataError
from asdbench.fetching import layout as placing
from asdbench.fetching.catalogue import Source
from asdbench.fetching.disk_space import check_room
from asdbench.fetching.download import ChecksumError, Wishes, obtain
from asdbench.fetching.http import StoppedError
from asdbench.fetching.records import Entry, Records
from asdbench.fetching.unpack import ArchiveError, Member, inspect, unpack
from asdbench.progress import Transfers

ARCHIVES = "archives"
"""The folder under the root where archives arrive and, if wanted, stay."""
UNPACKING = "unpacking"
UNPUBLISHED = "no checksum is published"


@dataclass
class Arrivals:
    """Brings archives to a root, from any thread.

    Parameters
    ----------
    records, wishes, watcher, stop
        Where to, how, who is told, and what ends it early.
    came : dict of str to int
        Files that came, with their sizes.
    unpublished : list of str
        Those among them whose checksum is published nowhere, and is now recorded.
    """

    records: Records
    wishes: Wishes
    watcher: Transfers
    stop: Event = field(default_factory=Event)
    came: dict[str, int] = field(default_factory=dict)
    unpublished: list[str] = field(default_factory=list)
    _placing: Lock = field(default_factory=Lock, init=False)

    def __call__(self, source: Source) -> None:
        """One file: obtain, verify, unpack, place, record.

        Raises
        ------
        DataError
            Where it could not be had, is not what it should be, or there is no space.
        ConflictError
            Where files that differ are there.
        StoppedError
            Where ``stop`` was set.
        OSError
            Where the system does not write.
        """
        import pooch

        root = self.records.root
        before = self.records.get(source)
        expected = source.checksum or (f"sha256:{before.sha256}" if before else None)
        try:
            archive = obtain(source, root / ARCHIVES, expected, self.wishes, self.watcher, self.stop)
        except ChecksumError as error:
            if before is None or source.checksum:
                raise
            raise self._remembered(error, before) from error
        ours = self.wishes.folder is None
        sha256, size = pooch.file_hash(str(archive), "sha256"), archive.stat().st_size
        try:
            contents = self._keep(source, archive)
        except ArchiveError:
            if ours:
                archive.unlink()
            raise
        against = f"published {source.checksum.partition(':')[0]}" if source.checksum else UNPUBLISHED
        entry = Entry(
            file=source.file,
            name=source.name,
            part=source.part,
            machine=source.machine,
            origin=str(self.wishes.url(source)) if ours else str(archive.absolute()),
            bytes=size,
            md5=source.md5,
            sha256=sha256,
            checked=against,
            fetched=datetime.date.today().isoformat(),
            files=len(contents),
        )
        self.records.put(entry, contents)
        for left in (root / ARCHIVES).glob(f"{source.file}.part*"):
            left.unlink()  # of an address that was given up for a folder
        if ours and not self.wishes.keep_archives:
            archive.unlink()
        self.came[source.file] = size
        if source.checksum:
            held = f"verified ({against})"
        elif before:
            held = f"sha256 {sha256[:12]}... as recorded on {before.fetched}"
        else:
            held = f"sha256 {sha256[:12]}... recorded"
            self.unpublished.append(source.file)
        files = "1 file" if len(contents) == 1 else f"{len(contents):,} files"
        self.watcher.say(f"{source.file}: {files} in {source.folder}; {held}")

    def _remembered(self, error: ChecksumError, before: Entry) -> ChecksumError:
        return ChecksumError(
            error.message,
            f"{error.looked}\nthe expected one is of {before.fetched}, when it first came (from {before.origin}); "
            "nobody publishes one",
            f"try again; if the file was replaced there for good, remove its entry from {self.records.path}",
        )

    def _keep(self, source: Source, archive: Path) -> list[tuple[str, int, int]]:
        """Put a file's content in its place; (path, bytes, crc32) of what it is."""
        scratch = self.records.folder / UNPACKING / source.file
        try:
            if source.part == "truth":
                return self._keep_truth(source, archive, scratch)
            members = inspect(archive)
            placed, outside = placing.lay_out(source.file, members)
            check_room(
                self.records.root,
                sum(member.bytes for member, _ in placed),
                f"to unpack {archive.name}",
                "free some space, then run the same command again: the archive is kept",
            )
            self._unpack(archive, [(member, scratch / path) for member, path in placed])
            if outside:
                self.watcher.say(f"{source.file}: left out, not of the machine: {', '.join(outside[:3])}")
            with self._placing:  # two archives of one machine have one folder
                target = self.records.root / source.folder
                renamed = dict(placing.place(scratch, target, source.file, self.wishes.replace))
            for old, new in renamed.items():
                self.watcher.say(f"{source.folder}/{old} is of another archive: {source.file}'s is kept as {new}")
            return [
                (f"{source.folder}/{renamed.get(Path(path), path)}", member.bytes, member.crc)
                for member, path in placed
            ]
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _keep_truth(self, source: Source, path: Path, scratch: Path) -> list[tuple[str, int, int]]:
        """Labels, a list or the evaluator's folders: read before they are believed."""
        from asdbench.datasets.ground_truth import read_truth
        from asdbench.datasets.years import YEARS

        if path.suffix == ".zip":
            kept = placing.truth(source.file, inspect(path))
            self._unpack(path, [(member, scratch / place) for member, place in kept])
            found = [(f"{source.folder}/{place}", member.bytes, member.crc) for member, place in kept]
        else:
            content = path.read_bytes()
            scratch.mkdir(parents=True)
            (scratch / source.file).write_bytes(content)
            found = [(f"{source.folder}/{source.file}", len(content), zlib.crc32(content))]
        try:
            read_truth(
                scratch if path.suffix == ".zip" else scratch / source.file,
                YEARS[int(source.name.removeprefix("dcase"))],
            )
        except DataError as error:
            raise ArchiveError(
                f"{source.file} holds no labels that can be believed: {error.message}",
                looked=error.looked,
                hint="run the same command again to get it anew; if it stays so, try another source with --from",
            ) from error
        target = self.records.root / source.folder
        if not self.wishes.replace and (different := placing.differing(scratch, target)):
            raise ConflictError(
                f"another {different[0]} is there already",
                looked=str(target / different[0]),
                hint="move it away, or give --replace to have the fetched one; nothing was changed",
            )
        placing.place(scratch, target, source.file, replace=True)
        return found

    def _unpack(self, archive: Path, targets: Sequence[tuple[Member, Path]]) -> None:
        shown = f"{archive.name} unpacking"

        def advance(amount: int) -> None:
            if self.stop.is_set():
                raise StoppedError(f"{shown} was stopped")
            self.watcher.advance(shown, amount)

        self.watcher.begin(shown, 0, sum(member.bytes for member, _ in targets), counted=False)
        try:
            unpack(archive, targets, advance)
        finally:
            self.watcher.end(shown)
