"""Who is told how a run goes on: the command line's bars, and a log file."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from asdbench.errors import DataError


class Progress:
    """Told of lines, stages and steps; this one keeps silent, the command line's shows them."""

    def say(self, text: str) -> None:
        """One line about the run."""

    def stage(self, title: str, total: int, found: int = 0) -> None:
        """A stage of so many steps begins; ``found`` more are done already."""

    def advance(self, steps: int, text: str, failed: bool = False) -> None:
        """Some steps are done."""

    def running(self, titles: Sequence[str]) -> None:
        """What runs now."""


class Transfers:
    """Told of files on their way, from any thread; this one keeps silent, the command line's shows them."""

    def say(self, text: str) -> None:
        """One line that a person should read."""

    def expect(self, total: int | None) -> None:
        """All files together have so many bytes, of which those on disk count as done; None: unknown."""

    def begin(self, name: str, done: int, total: int | None, counted: bool = True) -> None:
        """A file is on its way (again): so many bytes of it are there, of so many. Not counted: it unpacks."""

    def advance(self, name: str, amount: int) -> None:
        """So many bytes more of it are there."""

    def end(self, name: str) -> None:
        """No more of it will come: it is complete, or given up."""


class Logged(Progress):
    """Passes everything on, and writes it down with the time."""

    def __init__(self, to: Progress, log: logging.Logger) -> None:
        self._to, self._log, self._last = to, log, ""

    def say(self, text: str) -> None:
        """One line about the run."""
        self._log.info(text)
        self._to.say(text)

    def stage(self, title: str, total: int, found: int = 0) -> None:
        """A stage begins."""
        self._log.info("%s: %d to do, %d found finished", title, total, found)
        self._to.stage(title, total, found)

    def advance(self, steps: int, text: str, failed: bool = False) -> None:
        """Some steps are done."""
        self._log.log(logging.ERROR if failed else logging.INFO, text)
        self._to.advance(steps, text, failed)

    def running(self, titles: Sequence[str]) -> None:
        """What runs now."""
        self._to.running(titles)


WARNINGS = logging.getLogger("py.warnings")
"""Where Python's warnings go once :func:`keep_warnings` was called."""


def keep_warnings() -> None:
    """Keep Python's warnings (numpy's among them) off the terminal; while a log file is written they go there."""
    logging.captureWarnings(True)
    WARNINGS.propagate = False
    WARNINGS.addHandler(logging.NullHandler())


@contextmanager
def logged(progress: Progress, path: Path, command: str) -> Iterator[Logged]:
    """Within it, what ``progress`` is told stands in the log file ``path``, too; how it ended is its last line.

    Raises
    ------
    DataError
        Where the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise DataError(
            "the log file cannot be written",
            looked=f"{path}: {error.strerror}",
            hint="choose another --results DIR",
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.Logger(path.name)
    log.addHandler(handler)
    WARNINGS.addHandler(handler)
    log.info("%s", command)
    started = time.monotonic()
    try:
        yield Logged(progress, log)
    except BaseException as error:
        log.exception("ended by %s", type(error).__name__)
        raise
    else:
        log.info("finished after %.1f s", time.monotonic() - started)
    finally:
        WARNINGS.removeHandler(handler)
        handler.close()


def log_path(results: Path, dataset: str) -> Path:
    """A new name for a log file of a run: ``RESULTS/logs/<dataset>-<time>-<process>.log``."""
    return results / "logs" / f"{dataset}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
