"""A real HTTP server on loopback, with ranges and validators, that can be made to fail."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar
from urllib.parse import unquote


@dataclass
class Request:
    """What was asked, and how much was sent."""

    method: str
    name: str
    range: str | None
    sent: int = 0


@dataclass
class Server:
    """Serves ``files`` by name; ``faults[name]`` are spent one a GET, ``always[name]`` stays.

    Faults: a status (404, 503); ``cut`` (half, then the connection breaks); ``wrong`` (other bytes of the same length);
    ``short`` (half, announced as if it were all); ``slow`` (in pieces with pauses); ``silent`` (half, then nothing);
    ``no-ranges`` (always all of it); ``no-length`` (neither length nor ranges nor HEAD); ``endless`` (as ``no-length``,
    and zeros behind the content); ``encoded`` (gzip, whatever was asked for); ``moved`` (a redirection with an endless
    body to the file with ``moved-`` before its name); ``around`` (a redirection to itself).
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: defaultdict[str, deque[str | int]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, str | int] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    pause: float = 0.05
    retry_after: str | None = None
    released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Server:
        handler = type("Handler", (_Handler,), {"owner": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/"

    def asked(self, name: str, method: str = "GET") -> list[Request]:
        return [request for request in self.requests if request.name == name and request.method == method]


class _Handler(BaseHTTPRequestHandler):
    owner: ClassVar[Server]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        name = unquote(self.path.lstrip("/"))
        request = Request(self.command, name, self.headers.get("Range"))
        self.owner.requests.append(request)
        waiting = self.owner.faults[name]
        fault = self.owner.always.get(name) or (waiting.popleft() if body and waiting else None)
        content = self.owner.files.get(name)
        if isinstance(fault, int) or content is None:
            self._refuse(fault if isinstance(fault, int) else 404)
            return
        if fault in ("moved", "around"):
            self.send_response(302)
            self.send_header("Location", f"moved-{name}" if fault == "moved" else name)
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            self._send(b"", "endless" if body else None, request)
            return
        if fault in ("no-length", "endless") and not body:
            self._refuse(405)
            return
        if fault == "short":
            content = content[: len(content) // 2]
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        if fault == "wrong":
            content = bytes(byte ^ 255 for byte in content)
        if fault == "encoded":
            content = gzip.compress(content)
        whole = ("no-ranges", "no-length", "endless")
        start = self._start(tag, len(content)) if fault not in whole else 0
        if start is not None and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        rest = content[start or 0 :]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if fault == "encoded":
            self.send_header("Content-Encoding", "gzip")
        if fault in ("no-length", "endless"):
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(rest)))
            self.send_header("ETag", tag)
        self.end_headers()
        if body:
            self._send(rest, fault, request)

    def _start(self, tag: str, length: int) -> int:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not wanted or self.headers.get("If-Range", tag) != tag:
            return 0
        return int(wanted[1])

    def _send(self, rest: bytes, fault: str | int | None, request: Request) -> None:
        owner, pieces = self.owner, [rest]
        if fault in ("cut", "silent"):
            pieces = [rest[: len(rest) // 2]]
        if fault == "slow":
            size = 1 << 15
            pieces = [rest[at : at + size] for at in range(0, len(rest), size)]
        try:
            for piece in pieces:
                self.wfile.write(piece)
                request.sent += len(piece)
                if fault == "slow":
                    time.sleep(owner.pause)
            while fault == "endless":
                request.sent += self.wfile.write(bytes(1 << 16))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client went away
            return
        if fault == "silent":
            owner.released.wait()
        if fault in ("cut", "silent"):
            self.close_connection = True

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        if self.owner.retry_after is not None:
            self.send_header("Retry-After", self.owner.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()
