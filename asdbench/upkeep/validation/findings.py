"""What a check of a data set found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One kind of thing found.

    Parameters
    ----------
    title : str
        What is found, such as ``missing clips``.
    items : tuple of str
        Where: a line each.
    wrong : bool
        Whether the data set is not as it should be; otherwise it is a note.
    hint : str
        What to do about it.
    """

    title: str
    items: tuple[str, ...]
    wrong: bool = True
    hint: str = ""
