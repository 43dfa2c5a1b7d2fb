"""Progress on stderr: a bar and a line a running job in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from types import TracebackType

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Column

from asdbench.progress import Progress


class TerminalProgress(Progress):
    """Shows a run's progress; use as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        live = self._console.is_terminal and not os.environ.get("CI")
        self._bars = Bars(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._jobs = Bars(
            SpinnerColumn(),
            TimeElapsedColumn(table_column=Column(min_width=len("0:00:00"), no_wrap=True)),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=self._console,
        )
        shown = Live(Group(self._bars, self._jobs), console=self._console, transient=True)
        self._live = shown if live else None
        self._task: TaskID | None = None
        self._running: dict[str, TaskID] = {}
        self._title, self._done, self._total, self._found, self._failed, self._told = "", 0, 0, 0, 0, 0.0

    def __enter__(self) -> TerminalProgress:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """One line about the run."""
        if self._live:
            self._console.print(text, markup=False, soft_wrap=True)
        else:
            click.echo(text, err=True)

    def stage(self, title: str, total: int, found: int = 0) -> None:
        """Begin a stage."""
        self._title, self._done, self._total, self._found, self._failed = title, 0, total, found, 0
        self._told = time.monotonic()
        self.running(())
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._task = self._bars.add_task(title, total=total, counts=self._counts())
        if not self._live:
            self.say(f"{title}: {total} to do{self._counts(', ')}")

    def advance(self, steps: int, text: str, failed: bool = False) -> None:
        """Count some steps; where there is no terminal, a line a job and a line every ten seconds of embedding."""
        self._done += steps
        self._failed += failed
        if self._task is not None:
            self._bars.update(self._task, advance=steps, counts=self._counts())
        now = time.monotonic()
        if not self._live and (self._title == "training" or self._done == self._total or now - self._told > 10):
            self._told = now
            self.say(f"{self._title} {self._done}/{self._total}: {text}")
        sys.stderr.flush()

    def running(self, titles: Sequence[str]) -> None:
        """One line for each job that runs now, with the time since it was first seen."""
        for title in self._running.keys() - set(titles):
            self._jobs.remove_task(self._running.pop(title))
        for title in titles:
            if title not in self._running:
                self._running[title] = self._jobs.add_task(title, total=None)

    def _counts(self, before: str = "") -> str:
        words = [f"{count} {what}" for count, what in ((self._found, "reused"), (self._failed, "failed")) if count]
        return before + ", ".join(words) if words else ""
