"""Progress on stderr: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Column

from asdbench.progress import Progress


class TerminalProgress(Progress):
    """Shows a run's progress; use as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = self._console.is_terminal and not os.environ.get("CI")
        self._bars = Bars(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            # It takes what is left of the line: the bar must not change its length with every job.
            TextColumn(
                "{task.fields[last]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
            ),
            console=self._console,
            transient=True,
            disable=not self._live,
            expand=True,
        )
        self._task = self._bars.add_task("", visible=False, last="")
        self._title, self._done, self._total, self._told = "", 0, 0, 0.0

    def __enter__(self) -> TerminalProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """One line about the run."""
        if self._live:
            self._console.print(text, markup=False, soft_wrap=True)
        else:
            click.echo(text, err=True)

    def stage(self, title: str, total: int) -> None:
        """Begin a stage."""
        self._title, self._done, self._total, self._told = title, 0, total, time.monotonic()
        self._bars.remove_task(self._task)
        self._task = self._bars.add_task(title, total=total, last="")
        if not self._live:
            self.say(f"{title}: {total} to do")

    def advance(self, steps: int, text: str) -> None:
        """Count some steps; where there is no terminal, a line a job and a line every ten seconds of embedding."""
        self._done += steps
        self._bars.update(self._task, advance=steps, last=text)
        now = time.monotonic()
        if not self._live and (self._title == "training" or self._done == self._total or now - self._told > 10):
            self._told = now
            self.say(f"{self._title} {self._done}/{self._total}: {text}")
        sys.stderr.flush()
