"""Numbers with their nouns, alone and where a person reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import asdbench
from asdbench.words import counted


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((0, "clip"), "0 clips"),
        ((1, "clip"), "1 clip"),
        ((2, "clip"), "2 clips"),
        ((1, "entry", "entries"), "1 entry"),
        ((2, "entry", "entries"), "2 entries"),
    ],
)
def test_one_and_many(given: tuple[int, str], words: str) -> None:
    assert counted(*given) == words


def test_no_message_puts_an_s_to_a_noun_by_itself() -> None:
    sources = {path.name: path.read_text() for path in Path(asdbench.__file__).parent.rglob("*.py")}
    own = [name for name, text in sources.items() if re.search(r"\{len\([^{}]*\)\} \w+\{'s'", text)]
    assert own == []
