"""Numbers with their nouns, for what a person reads."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """``1 clip``, ``2 clips``; ``many`` where that is not ``one`` with an s (``2 entries``, ``2 clips have none``)."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def listed(names: Sequence[str], joint: str = "and") -> str:
    """``a, b and c``; one name as it is."""
    *first, last = names
    return f"{', '.join(first)} {joint} {last}" if first else last
