"""A number in a page's table: with its interval, and how it stands to the published one, in words and colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from asdbench.judging.reproduced import Outcome
from asdbench.reports.content.reproduction import LIMITS
from asdbench.reports.content.wording import NOT_THERE, Bounds, percent, span

WORDS: Mapping[Outcome, str] = {"reproduced": "reproduced", "not reproduced": "not reproduced", "cannot be told": ""}
LEGEND = (
    "Differences: reproduced: the published value lies where one more training of ours would in 95 of 100 cases; lower"
    f" or higher, not reproduced: outside. No word: {LIMITS}"
)


@dataclass(frozen=True)
class Value:
    """A number in a table: as shown, its interval, how it stands to the published one; ``sort`` orders."""

    shown: str
    sort: float
    interval: str = ""
    published: str = ""
    difference: str = ""
    verdict: str = ""
    tone: str = ""


def number(value: float | None, bounds: Bounds | None = None) -> Value:
    """A value with its interval, or a dash where it has none."""
    own = plain(value)
    return own if value is None else replace(own, interval=span(bounds))


def plain(value: float | None) -> Value:
    """A value that no interval is asked of."""
    return Value(percent(value), -1.0 if value is None else value)


def beside(value: float | None, bounds: Bounds | None, published: float | None, judged: Outcome | None) -> Value:
    """A value with its interval, the published one, the difference, and what it means in a word."""
    own = number(value, bounds)
    if published is None:
        return own
    if value is None:
        return Value(NOT_THERE, -1.0, "", f"{published:.2f}")
    difference = value - published
    word = WORDS[judged] if judged else ""
    tone = "" if judged != "not reproduced" else "higher" if difference > 0 else "lower"
    if tone:
        word = f"{tone}, {word}"
    return Value(own.shown, own.sort, own.interval, f"{published:.2f}", f"{difference:+.2f}", word, tone)
