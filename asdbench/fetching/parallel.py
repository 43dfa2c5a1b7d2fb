"""Several files side by side."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from asdbench.errors import AsdbenchError
from asdbench.fetching.catalogue import Source
from asdbench.fetching.disk_space import DiskFullError, refused
from asdbench.fetching.http import StoppedError

GRACE = 3.0
"""Seconds that threads have to tidy up once they shall stop."""


def side_by_side(
    todo: Sequence[Source], fetch: Callable[[Source], None], threads: int, stop: threading.Event, folder: Path
) -> None:
    """Call ``fetch`` for each source, several at a time; raise what went wrong once the others are through.

    Parameters
    ----------
    todo : sequence of Source
    fetch : callable
    threads : int
    stop : Event
        Set where the disk is full or somebody interrupts; ``fetch`` heeds it.
    folder : Path
        Where it all goes, for messages.
    """
    waiting: queue.SimpleQueue[Source] = queue.SimpleQueue()
    for source in todo:
        waiting.put(source)
    failed: dict[str, BaseException] = {}

    def serve() -> None:
        while not stop.is_set():
            try:
                source = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                fetch(source)
            except StoppedError:
                return
            except OSError as error:
                failed[source.file] = refused(error, folder)
            except BaseException as error:  # a thread's errors are raised by the caller, below
                failed[source.file] = error
            if isinstance(failed.get(source.file), DiskFullError):
                stop.set()

    # Daemons: a thread that waits for a silent server must not keep a person waiting who pressed Ctrl-C.
    crew = [threading.Thread(target=serve, daemon=True) for _ in range(min(threads, len(todo)))]
    for thread in crew:
        thread.start()
    try:
        for thread in crew:
            while thread.is_alive():
                thread.join(0.1)
    except BaseException:
        stop.set()
        for thread in crew:
            thread.join(GRACE / len(crew))
        raise
    if failed:
        raise _together(failed, len(todo))


def _together(failed: dict[str, BaseException], count: int) -> BaseException:
    """One error for all that went wrong."""
    errors = list(failed.values())
    first = next((error for error in errors if isinstance(error, DiskFullError)), errors[0])
    unforeseen = next((error for error in errors if not isinstance(error, AsdbenchError)), None)
    if unforeseen is not None or len(errors) == 1 or not isinstance(first, AsdbenchError):
        return unforeseen or first
    if all(isinstance(error, AsdbenchError) and error.message == first.message for error in errors):
        return type(first)(first.message, f"{first.looked} and {len(errors) - 1} more", first.hint)
    lines = [f"{error.message}: {error.looked}" for error in errors if isinstance(error, AsdbenchError)]
    kind: Callable[[str, str, str], AsdbenchError] = type(first)
    return kind(f"{len(errors)} of {count} files could not be fetched", "\n".join(lines), first.hint)
