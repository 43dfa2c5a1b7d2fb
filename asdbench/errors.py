"""One tree of errors: what went wrong, where we looked, what to do about it.

Every error that a user can meet is an :class:`AsdbenchError`; the command line prints its three parts on
three lines and leaves with its exit code. Exit codes: 0 fine, 1 some cells failed, 2 usage, 3 regression
found, 4 data or weights missing or nothing measured, 130 interrupted.
"""

from __future__ import annotations

from typing import ClassVar


class AsdbenchError(Exception):
    """An error with a message, the place looked at and a hint.

    Parameters
    ----------
    message : str
        What went wrong, in one line.
    looked : str
        Where we looked or what was found: a path, a value, a list of choices.
    hint : str
        What to do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, looked: str = "", hint: str = "") -> None:
        super().__init__(message, looked, hint)  # all three in args, so that errors survive pickling
        self.message = message
        self.looked = looked
        self.hint = hint

    def __str__(self) -> str:
        return "; ".join(part for part in (self.message, self.looked, self.hint) if part)


class UsageError(AsdbenchError):
    """A wrong name, parameter or combination of options."""

    exit_code = 2


class ConflictError(UsageError):
    """A result folder holds a run with other parameters."""


class DataError(AsdbenchError):
    """A data set, folder or file that is missing, incomplete or not what it should be."""

    exit_code = 4


class ClipError(DataError):
    """One sound file that cannot be used; the rest of the run goes on."""


class WeightsError(DataError):
    """Network weights that are missing, damaged or of another network."""


class FitError(AsdbenchError):
    """A model that cannot be trained on what it was given (too few clips, not finite, ...)."""
