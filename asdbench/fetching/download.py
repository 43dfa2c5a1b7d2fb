"""One file from where it is: its official address, a mirror or a folder; with the right checksum or not at all."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from urllib.parse import quote

from asdbench.errors import DataError, UsageError
from asdbench.fetching import MIRROR
from asdbench.fetching.catalogue import Source
from asdbench.fetching.http import Patience, Transfer
from asdbench.progress import Transfers


class ChecksumError(DataError):
    """A file that is not the expected one."""


@dataclass(frozen=True)
class Wishes:
    """How to fetch.

    Parameters
    ----------
    origin : str or None
        A folder with the files, or an address below which they lie; None: the official addresses.
    parallel : int
        Archives side by side.
    keep_archives, replace : bool
        Whether archives stay in ``ROOT/archives``; whether files that differ are replaced.
    patience : Patience
    """

    origin: str | None = None
    parallel: int = 3
    keep_archives: bool = False
    replace: bool = False
    patience: Patience = field(default_factory=Patience)

    @property
    def folder(self) -> Path | None:
        """The folder to take files from, where it is one.

        Raises
        ------
        UsageError
            Where it is neither an address nor there.
        """
        if self.origin is None or self.origin.startswith(("http://", "https://")):
            return None
        folder = Path(self.origin).expanduser()
        if not self.origin or not folder.is_dir():  # "" is no folder, though Path takes it for the current one
            raise UsageError(
                f"{self.origin!r} is no folder and no address",
                looked=f"{folder.absolute()} is {'a file' if folder.exists() else 'not there'}",
                hint=f"give a folder that holds the archives, or https://..., with --from or {MIRROR}",
            )
        return folder

    def url(self, source: Source) -> str | None:
        """The address of a file."""
        return source.url if self.origin is None else f"{self.origin.rstrip('/')}/{quote(source.file)}"


def obtain(source: Source, folder: Path, checksum: str | None, wishes: Wishes, watcher: Transfers, stop: Event) -> Path:
    """A file with that checksum: downloaded to ``folder``, or where it lies in the folder that was named.

    Raises
    ------
    DataError
        Where it is not to be had, or its checksum differs.
    """
    if wishes.folder is None:
        url = wishes.url(source)
        if url is None:
            raise DataError(f"no address of {source.file} is known", looked="the catalogue", hint=f"see {source.page}")
        return _download(url, folder / source.file, checksum, source, wishes.patience, watcher, stop)
    import pooch

    path = wishes.folder / source.file
    if not path.is_file():
        raise DataError(
            f"{source.file} is not there", looked=str(path.absolute()), hint=f"put it there; its place is {source.page}"
        )
    if checksum:
        algorithm, expected = checksum.split(":")
        if (found := pooch.file_hash(str(path), algorithm)) != expected:
            raise ChecksumError(
                f"{source.file} is not the file that it should be: its checksum differs",
                looked=f"{path}\nexpected {algorithm} {expected}\nfound    {algorithm} {found}",
                hint=f"that copy is damaged or another: compare with {source.page}",
            )
    return path


def _download(
    url: str, target: Path, checksum: str | None, source: Source, patience: Patience, watcher: Transfers, stop: Event
) -> Path:
    """Bring a file to ``target``, unless it is there with that checksum (None: whatever it is)."""
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)  # what it says at INFO, we say ourselves
    part = target.with_name(f"{target.name}.part")
    for anew in (False, True):
        transfer = Transfer(part, source.bytes, source.most, source.page, url != source.url, watcher, stop, patience)
        try:
            pooch.retrieve(url, checksum, fname=target.name, path=target.parent, downloader=transfer)
        except ValueError as error:  # pooch's word for another checksum
            if checksum is None:
                raise
            algorithm, expected = checksum.split(":")
            found = pooch.file_hash(str(part), algorithm) if part.exists() else "another one"
            transfer.forget()
            if transfer.resumed and not anew:
                watcher.say(f"{target.name}: what was left of an earlier download did not fit: from the start")
                continue
            raise ChecksumError(
                f"{target.name} is not the file that it should be: its checksum differs; it was removed",
                looked=f"{url}\nexpected {algorithm} {expected}\nfound    {algorithm} {found}",
                hint=f"run the same command again; if it stays so, the copy there is another: see {source.page}",
            ) from error
        finally:
            watcher.end(target.name)
        transfer.forget()
        break
    return target
