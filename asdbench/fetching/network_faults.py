"""Faults of the network that may be gone at the next attempt, in a few words."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from requests import RequestException

STATUSES = (408, 425, 429, 500, 502, 503, 504)
"""What a server says of a fault that may pass."""


class TransientError(Exception):
    """A fault that may be gone at the next attempt; ``wait`` is what the server asks for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class UnknownHostError(TransientError):
    """The name of a host leads nowhere: mistyped, or this machine is not on the network."""


def transient(error: RequestException, url: str) -> TransientError:
    """The fault of a request: the innermost reason."""
    import requests

    if (reason := _unresolved(error)) is not None:
        proxy = isinstance(error, requests.exceptions.ProxyError)
        host = "the proxy of this machine" if proxy else f"the host {urlsplit(url).hostname}"
        return UnknownHostError(f"{host} is unknown ({reason})")
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error):
        return TransientError("the server is silent")
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "IncompleteRead" in str(error):
        return TransientError("the connection was cut")
    words = "connection refused" if "Connection refused" in str(error) else type(error).__name__
    return TransientError(f"no connection ({words})")


def _unresolved(error: BaseException) -> str | None:
    """What the system says of a name that leads nowhere, or None where something else is wrong."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return str(cause.strerror).lower()
        cause = cause.__cause__ or cause.__context__
    return None
