"""One file over HTTP: goes on where it stopped, tries again, and is believed only as announced.

Conventions
-----------
- What has come stands in ``<file>.part`` until the file is complete, with ``<file>.part.json`` beside it: the address,
  the total length and the validator (ETag or Last-Modified) under which the server may go on (RFC 9110, 13.1.5 and 14).
- Transient faults (no connection, silence, a cut, 408, 425, 429, 5xx) are tried again, each time after twice the wait;
  any megabyte that comes starts the count anew. What the server says for good (404, ...) is an error at once.
- No more is written than the size that is known or announced, or the most that such a file may have where neither is.
  An encoded answer (Content-Encoding) is refused: what it unpacks to has no announced length. Redirections are followed
  here, since requests reads what comes with one into memory, however long.
- A host whose name leads nowhere is asked for once more, unless it has answered before: then the network is gone.
- pooch holds the checksum and puts the complete file in its place; its own downloader begins anew each time.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from asdbench.errors import AsdbenchError, DataError, UsageError
from asdbench.fetching import MIRROR
from asdbench.fetching.network_faults import STATUSES, TransientError, UnknownHostError, transient
from asdbench.progress import Transfers
from asdbench.version import __version__
from asdbench.words import counted

if TYPE_CHECKING:
    from requests import Response

BLOCK = 1 << 15
LONGEST_WAIT = 60.0
REDIRECTIONS = 10


class StoppedError(AsdbenchError):
    """Somebody asked to stop: what has come is kept."""


@dataclass(frozen=True)
class Patience:
    """How much a transfer bears.

    Parameters
    ----------
    retries : int
        Attempts after the first, without progress in between.
    timeout : float
        Seconds of silence that count as a cut.
    wait : float
        Seconds before the first of them; each further wait is twice as long, up to a minute.
    """

    retries: int = 8
    timeout: float = 30.0
    wait: float = 0.5


def length(url: str, timeout: float = 30.0) -> int | None:
    """How many bytes a file has, as its server says without sending it; None where it does not."""
    import requests

    try:
        with requests.head(url, headers=_headers(), allow_redirects=True, timeout=timeout) as response:
            announced = response.headers.get("Content-Length", "") if response.status_code == 200 else ""
    except requests.RequestException:
        return None  # the download itself will say what is wrong
    return int(announced) if announced.isdecimal() else None


@dataclass
class Transfer:
    """A file on its way into ``part``; pooch calls it to have the complete one where pooch wants it.

    Parameters
    ----------
    part : Path
        ``<file>.part``.
    size : int or None
        The file's length in bytes, where known.
    most : int
        Bytes that it cannot exceed.
    page : str
        Its official place, for messages.
    mirror : bool
        Whether it comes from somewhere else.
    watcher, stop, patience
        Who is told, what ends it early, and how much it bears.

    Attributes
    ----------
    resumed : bool
        Whether something of an earlier attempt is part of it.
    answered : bool
        Whether a server has answered.
    """

    part: Path
    size: int | None
    most: int
    page: str
    mirror: bool
    watcher: Transfers
    stop: Event
    patience: Patience
    resumed: bool = field(default=False, init=False)
    answered: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.part.name.removesuffix(".part")

    @property
    def note(self) -> Path:
        """What is known of the part."""
        return self.part.with_name(f"{self.part.name}.json")

    @property
    def _else(self) -> str:
        """Where else it is to be had, in words."""
        if self.mirror:
            return f"leave --from (or {MIRROR}) out to have it from its official place, {self.page}"
        return "use a copy of it: --from FOLDER or an address"

    def __call__(self, url: str, output_file: str, pooch: object, check_only: bool = False) -> None:
        """Bring the whole file.

        Raises
        ------
        DataError
            Where the server refuses, encodes, or announces or sends another length than is known or possible.
        StoppedError
            Where ``stop`` was set.
        OSError
            Where the system does not write.
        """
        self._complete(url)
        wanted = Path(output_file)
        wanted.unlink()
        try:
            os.link(self.part, wanted)  # a second name: if we are killed while pooch reads it, nothing is lost
        except OSError:  # file systems without links
            self.part.replace(wanted)

    def forget(self) -> None:
        """Remove what has come."""
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def _there(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _complete(self, url: str) -> None:
        failures = 0
        while True:
            before = self._there()
            try:
                return self._attempt(url)
            except TransientError as fault:
                failures = 1 if self._there() >= before + (1 << 20) else failures + 1
                nowhere = isinstance(fault, UnknownHostError) and not self.answered
                if nowhere and failures > min(1, self.patience.retries):
                    raise DataError(
                        str(fault),
                        looked=url,
                        hint="see whether the name is right and this machine is online, then run the same command "
                        f"again; or {self._else}",
                    ) from fault
                if failures > self.patience.retries:
                    raise DataError(
                        f"{self.name} could not be downloaded: {fault}",
                        looked=f"{url}, {counted(failures, 'time')}; {self._there():,} bytes are there and kept",
                        hint=f"run the same command again: it goes on there; or {self._else}",
                    ) from fault
                wait = min(LONGEST_WAIT, self.patience.wait * 2 ** (failures - 1)) if fault.wait is None else fault.wait
                self.watcher.say(f"{self.name}: {fault}; next attempt in {wait:.1f} s")
                if self.stop.wait(wait):
                    raise StoppedError(f"{self.name} was stopped") from None

    def _attempt(self, url: str) -> None:
        import requests

        start, headers = self._resume_from(url)
        try:
            with _answer(url, {**_headers(), **headers}, self.patience.timeout) as response:
                self.answered = True
                if response.status_code == 416 and start and _whole(response) == start:
                    return  # it was complete; only its end was not seen
                if response.status_code == 416 and start:
                    self.forget()
                    raise TransientError("the file there is shorter than what has come", 0.0)
                self._check_status(response, url)
                self._receive(response, url, start)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise UsageError(
                f"{url} is no address", looked=str(error), hint="give http://... or https://..."
            ) from error
        except requests.exceptions.SSLError as error:
            raise DataError(
                f"the server of {self.name} has no certificate that is trusted here",
                looked=f"{url}: {transient(error, url)}",
                hint=f"see the clock and the proxy of this machine (REQUESTS_CA_BUNDLE); or {self._else}",
            ) from error
        except requests.RequestException as error:
            raise transient(error, url) from error

    def _resume_from(self, url: str) -> tuple[int, dict[str, str]]:
        """Where to go on, and the headers that ask for it; from 0 where what has come is of another file."""
        start = self._there()
        note = self._noted()
        if not start or note.get("url") != url:
            if start:
                self.watcher.say(f"{self.name}: what has come is from another address: from the start")
            self.forget()
            return 0, {}
        self.resumed = True
        condition = {"If-Range": str(note["validator"])} if note.get("validator") else {}
        return start, {"Range": f"bytes={start}-", **condition}

    def _noted(self) -> dict[str, Any]:
        try:
            found = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _check_status(self, response: Response, url: str) -> None:
        status, reason = response.status_code, response.reason or "no reason given"
        if status in (200, 206):
            return
        if status in STATUSES:
            asked = response.headers.get("Retry-After", "")
            raise TransientError(
                f"the server says {status} ({reason})",
                min(float(asked), LONGEST_WAIT) if asked.isdecimal() else None,
            )
        moved = (
            "whether the files lie right below that address" if self.mirror else f"whether it has moved: {self.page}"
        )
        raise DataError(
            f"{self.name} is not to be had: the server says {status} ({reason})",
            looked=url,
            hint=f"look {moved}; or {self._else}",
        )

    def _receive(self, response: Response, url: str, start: int) -> None:
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise DataError(
                f"{self.name} is not to be had: the server sends it encoded ({encoding[:40]}), which was not asked for",
                looked=url,
                hint=self._else,
            )
        announced = response.headers.get("Content-Length", "")
        if response.status_code == 206:
            begins = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
            whole = self._noted().get("total")
            if not begins or int(begins[1]) != start or whole not in (None, start + int(announced or 0)):
                self.forget()
                raise TransientError("the server sent another piece than was asked for: from the start", 0.0)
        elif start:
            self.watcher.say(f"{self.name}: the server cannot go on within this file: from the start")
            start, self.resumed = 0, False
        total = start + int(announced) if announced.isdecimal() else self.size
        if total is not None and (total > self.most or self.size not in (None, total)):
            raise self._other_length(url, f"{total:,} bytes")
        note = {"url": url, "total": total, "validator": _validator(response.headers)}
        self.note.write_text(json.dumps(note), encoding="utf-8")
        self.watcher.begin(self.name, start, total)
        most, here = self.most if total is None else total, start
        with self.part.open("ab" if start else "wb", buffering=0) as file:
            for block in response.iter_content(BLOCK):
                here += len(block)
                if here > most:
                    raise self._other_length(url, f"more than {most:,} bytes")
                file.write(block)
                self.watcher.advance(self.name, len(block))
                if self.stop.is_set():
                    raise StoppedError(f"{self.name} was stopped")
        # urllib3 notices this by itself from version 2 on.
        if total is not None and (here := self._there()) != total:
            raise TransientError(f"the connection was cut at {here:,} of {total:,} bytes")

    def _other_length(self, url: str, found: str) -> DataError:
        """The error for an answer of another length than the file can have; what has come is removed."""
        self.forget()
        if self.size is None:
            return DataError(
                f"{self.name} is larger than such a file can be",
                looked=f"{url}\nat most  {self.most:,} bytes\nfound    {found}",
                hint=f"compare with {self.page}; if it is right, fetch it by hand and give its folder: --from FOLDER",
            )
        return DataError(
            f"{self.name} is not the file that it should be: it has another length",
            looked=f"{url}\nexpected {self.size:,} bytes\nfound    {found}",
            hint=f"the copy there is damaged or another: compare with {self.page}",
        )


@contextmanager
def _answer(url: str, headers: Mapping[str, str], timeout: float) -> Iterator[Response]:
    """What a server answers, redirections followed; nothing of any body is read."""
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, resp: Response) -> str | None:
            return None  # else requests reads the whole body of a redirection before it follows

    with Session() as session:
        for _ in range(REDIRECTIONS):
            with session.get(url, headers=headers, stream=True, timeout=timeout) as response:
                if not response.is_redirect:
                    yield response
                    return
                url = urljoin(url, response.headers["Location"])
    raise requests.TooManyRedirects(f"more than {REDIRECTIONS} redirections")


def _headers() -> dict[str, str]:
    return {"Accept-Encoding": "identity", "User-Agent": f"asdbench/{__version__}"}


def _validator(headers: Mapping[str, str]) -> str | None:
    """What a server takes in If-Range: a strong ETag, else the date of the last change."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _whole(response: Response) -> int | None:
    found = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None
