"""What a check of a data set found, for people: a table of clips, then what is wrong, then notes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from asdbench.upkeep.validation import Finding, Validation
from asdbench.upkeep.validation.counts import Count, Counts, Place
from asdbench.words import counted

SHOWN = 5
"""Lines of a finding, unless all are asked for."""


def render(found: Validation, everything: bool = False, width: int | None = None) -> str:
    """The check as text.

    Parameters
    ----------
    found : Validation
    everything : bool
        All lines of all findings.
    width : int or None
        Of a terminal: what is longer goes on below, but for the table; None where nothing is to be broken.
    """
    lines = [f"{found.spec} (DCASE {found.year}): {counted(found.clips, 'clip')}"]
    lines += [f"note: {stamp}" for stamp in found.stamps]
    above, lines = lines, _legend(found)
    lines += [f"{counted(number, 'clip')}: {words}" for words, number in found.formats.most_common(SHOWN)]
    if len(found.formats) > SHOWN:
        lines.append(f"and {counted(len(found.formats) - SHOWN, 'more combination')} of rate, channels and length")
    for finding in found.findings:
        lines += ["", *_finding(finding, everything)]
    lines.append("")
    if found.unchecked:
        lines.append(f"not checked: {'; '.join(found.unchecked)}")
    wrong = sum(finding.wrong for finding in found.findings)
    lines.append(f"WRONG: {wrong} of the above" if wrong else "nothing wrong was found")
    parts = [*wrapped(above, width), "", _table(found), "", *wrapped(lines, width)]
    return "\n".join(parts) + "\n"


def wrapped(lines: Iterable[str], width: int | None) -> list[str]:
    """Lines of at most that width, where one is given; what does not fit stands below, indented."""
    if width is None:
        return list(lines)
    found = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        found += textwrap.wrap(
            line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return found


def _finding(finding: Finding, everything: bool) -> list[str]:
    word = "wrong" if finding.wrong else "note"
    most = len(finding.items) if everything else SHOWN
    lines = [f"{word}: {finding.title}" + (f" ({len(finding.items)})" if finding.items else "")]
    lines += [f"  {item if item.isprintable() else repr(item)}" for item in finding.items[:most]]
    if len(finding.items) > most:
        lines.append(f"  and {len(finding.items) - most} more (--all lists them)")
    if finding.hint:
        lines.append(f"  to do: {finding.hint}")
    return lines


def _table(found: Validation) -> str:
    """A row a section, a column a split and domain; parts that are absent as a whole have no row."""
    from tabulate import tabulate

    there = {(place.machine, place.part) for place in found.counts}
    places = {*found.counts, *(place for place in found.official if (place.machine, place.part) in there)}
    columns = sorted({(place.split, place.domain) for place in places}, key=lambda c: (c[0] == "test", c[1]))
    rows: dict[tuple[str, str], set[Place]] = {}
    for place in sorted(places):
        rows.setdefault((place.machine, place.section), set()).add(place)
    body = [
        [
            f"{machine} {section}",
            "+".join(sorted({place.part for place in own}, key=["dev", "additional", "eval"].index)),
            *(_cell([place for place in own if (place.split, place.domain) == column], found) for column in columns),
        ]
        for (machine, section), own in rows.items()
    ]
    head = ["section", "part", *(f"{split}\n{domain}".rstrip() for split, domain in columns)]
    return tabulate(body, head, "plain", disable_numparse=True, colalign=["left"] * 2 + ["right"] * len(columns))


def _cell(places: Sequence[Place], found: Validation) -> str:
    if not places:
        return ""
    have, should = _sum(places, found.counts), _sum(places, found.official)
    split = places[0].split
    known = any(place in found.official for place in places)
    if not known or have.agrees(should):
        return _words(have, split)
    return f"{_words(have, split)} of {_words(should, split)}"


def _sum(places: Sequence[Place], counts: Counts) -> Count:
    own = [counts.get(place, Count()) for place in places]
    return Count(sum(c.normal for c in own), sum(c.anomaly for c in own), sum(c.unknown for c in own))


def _words(count: Count, split: str) -> str:
    if not count.total or (split == "train" and not count.anomaly and not count.unknown):
        return str(count.normal)
    labelled = f"{count.normal}+{count.anomaly}" if count.normal or count.anomaly or not count.unknown else ""
    unknown = f"{count.unknown}?" if count.unknown else ""
    return " ".join(part for part in (labelled, unknown) if part)


def _legend(found: Validation) -> list[str]:
    words = ["test: normal+anomaly"]
    if any(count.unknown for count in found.counts.values()):
        words.append("?: label not known")
    return ["; ".join(words) + "."]
