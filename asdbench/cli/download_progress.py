"""Progress of downloads on stderr: a bar a file with speed and time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from types import TracebackType

import click
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from asdbench.progress import Transfers

EVERY = 10.0
"""Seconds between two lines of a file, where there is no terminal."""


@dataclass
class _File:
    done: int
    total: int | None
    first: int
    since: float
    told: float
    bar: TaskID | None
    counted: bool


class TerminalTransfers(Transfers):
    """Shows files on their way, from any thread; use as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = self._console.is_terminal and not os.environ.get("CI")
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._live,
            expand=True,
        )
        self._files: dict[str, _File] = {}
        self._all: TaskID | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> TerminalTransfers:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """One line that a person should read."""
        if self._live:
            self._console.print(text, markup=False, soft_wrap=True)
        else:
            click.echo(text, err=True)

    def expect(self, total: int | None) -> None:
        """A bar for all files together."""
        if self._live:
            self._all = self._bars.add_task("all", total=total)

    def begin(self, name: str, done: int, total: int | None, counted: bool = True) -> None:
        """A file is on its way, from ``done`` on."""
        now = time.monotonic()
        with self._lock:
            old = self._files.pop(name, None)
            if old and old.bar is not None:
                self._bars.remove_task(old.bar)
            self._together(done - (old.done if old else 0) if counted else 0)
            bar = self._bars.add_task(name, total=total, completed=done) if self._live else None
            self._files[name] = _File(done, total, done, now, now, bar, counted)
        if not self._live:
            going_on = f", going on at {decimal(done)}" if done else ""
            self.say(f"{name}: {decimal(total) if total else 'size unknown'}{going_on}")

    def advance(self, name: str, amount: int) -> None:
        """So many bytes more."""
        with self._lock:
            file = self._files.get(name)
            if file is None:
                return
            file.done += amount
            if file.bar is not None:
                self._bars.update(file.bar, advance=amount)
            self._together(amount if file.counted else 0)
            now = time.monotonic()
            if self._live or now - file.told < EVERY:
                return
            file.told = now
            line = _line(name, file, now)
        self.say(line)

    def end(self, name: str) -> None:
        """No more of it will come."""
        with self._lock:
            file = self._files.pop(name, None)
            if file and file.bar is not None:
                self._bars.remove_task(file.bar)

    def _together(self, amount: int) -> None:
        if self._all is not None:
            self._bars.update(self._all, advance=amount)


def _line(name: str, file: _File, now: float) -> str:
    speed = (file.done - file.first) / max(now - file.since, 1e-3)
    line = f"{name}: {decimal(file.done)}"
    if file.total:
        left = int((file.total - file.done) / max(speed, 1.0))
        line += f" of {decimal(file.total)}, {100 * file.done // file.total} %"
        return f"{line}, {decimal(int(speed))}/s, {left // 60}:{left % 60:02d} left"
    return f"{line}, {decimal(int(speed))}/s"
