"""Who is told how a run goes on."""

from __future__ import annotations


class Progress:
    """Told of lines, stages and steps; this one keeps silent, the command line's shows them."""

    def say(self, text: str) -> None:
        """One line about the run."""

    def stage(self, title: str, total: int) -> None:
        """A stage of so many steps begins."""

    def advance(self, steps: int, text: str) -> None:
        """Some steps are done."""


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
