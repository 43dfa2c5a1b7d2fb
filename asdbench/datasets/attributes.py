"""What the tail of a clip's name says of the machine's state: ``vel_21_loc_A``, ``strenght_1_ambient``, ``spd4_BckgA``.

Conventions
-----------
- :func:`parse` gives (key, value) pairs as the source spells them, misspellings and capitals included: that is what
  :class:`asdbench.api.Clip` holds. :func:`normalised` gives the same pairs under our keys; nothing is lost or guessed.
- Keys stand before their values, apart (``vel_21``, ``mic_pos_A``) or together (``vel300``, ``BckgA``, ``Spd28V``);
  the gearbox of 2021 has its values before their units (``25_mm``): the unit is the key.
- Words without a key (``ambient``, ``air_pump``, the toy car's ``A1`` of 2021) come with the key "".
- ``noAttribute`` (from 2024 on) says that nothing is said: no pairs.

Sources: train clips of 2021 as counted in a profile of MIMII DUE (36,433 names), the real clips of 2023, the labelled
names of the ground truth lists of 2022 to 2025.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

Pairs: TypeAlias = tuple[tuple[str, str], ...]

NOTHING = "noAttribute"

_APART = frozenset(
    re.findall(
        r"\S+",
        """
        ac bkg car f-n grind grindstone id len loc m-n mdl mic mic_pos n n-lv noise panel pat pattern plate pow res
        serial_no spd speed strength strenght v1pat v2pat vel vol volt wt
        """,
    )
)
_TOGETHER = re.compile(r"(vel|dis|accl|spd|weight|Bckg)(?=[\dA-Z.])(.+)")
_TOY_2021 = re.compile(r"([A-Z]\d+)(Spd)(\d+V?)(Mic)(\d+)")
_UNITS = frozenset(("g", "mm", "mV"))
_NUMBER = re.compile(r"-?\d+(\.\d+)?")

OURS: Mapping[str, str] = MappingProxyType(
    {
        "strenght": "strength",
        "Spd": "speed",
        "spd": "speed",
        "Mic": "mic",
        "Bckg": "background",
        "bkg": "background",
        "wt": "weight",
        "pat": "pattern",
    }
)
"""Our key for each key of the source's that is a misspelling or another spelling of the same; others stay."""


@lru_cache(maxsize=4096)  # most clips share their tail with others: parsed once, and kept once
def parse(tail: str) -> Pairs:
    """The pairs of a name's tail, in its order and spelling.

    Parameters
    ----------
    tail : str
        What follows the number and its underscore, without the ending; "" gives no pairs.
    """
    return tuple(_pairs(tail)) if tail and tail != NOTHING else ()


def normalised(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """The pairs under our keys (:data:`OURS`), with ``None`` written ``none``."""
    return tuple((OURS.get(key, key), "none" if value == "None" else value) for key, value in pairs)


def _pairs(tail: str) -> Iterator[tuple[str, str]]:
    words = tail.split("_")
    free: list[str] = []
    position = 0
    while position < len(words):
        taken, found = _at(words, position)
        if not found:
            free.append(words[position])
        elif free:
            yield "", "_".join(free)
            free = []
        yield from found
        position += taken
    if free:
        yield "", "_".join(free)


def _at(words: list[str], position: int) -> tuple[int, list[tuple[str, str]]]:
    """How many words the pairs take that start here, and the pairs; one word and none where no pair starts."""
    word, rest = words[position], words[position + 1 :]
    if rest and f"{word}_{rest[0]}" in _APART and len(rest) > 1:
        return 3, [(f"{word}_{rest[0]}", rest[1])]
    if rest and word in _APART:
        return 2, [(word, rest[0])]
    if rest and rest[0] in _UNITS and _NUMBER.fullmatch(word):
        return 2, [(rest[0], word)]
    if match := _TOY_2021.fullmatch(word):
        model, *others = match.groups()
        return 1, [("", model), (others[0], others[1]), (others[2], others[3])]
    if match := _TOGETHER.fullmatch(word):
        return 1, [(match[1], match[2])]
    return 1, []
