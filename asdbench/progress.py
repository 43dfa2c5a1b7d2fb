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
