r"""Tables as LaTeX (booktabs): a file that compiles as it is, and that a paper can take in with ``\input``.

The file is a document by itself when TeX reads it first. Within a document, which has said
``\begin{document}``, its preamble and its end are passed over; that document must load booktabs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

HEAD = r"""% A document by itself; to be \input in another one, which needs \usepackage{booktabs}.
\expandafter\ifx\csname @nodocument\endcsname\relax
  \let\asdbenchend\relax
\else
  \documentclass{article}
  \usepackage{booktabs}
  \IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}% quotes, ~ and ^ as they are
  \def\asdbenchend{\end{document}}
  \begin{document}
\fi"""
END = r"\asdbenchend"
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\symbol{34}",
    "–": r"\textendash{}",
    "…": r"\dots{}",
    "±": r"\ensuremath{\pm}",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    # At the start of a row these two would be an argument of the line break before it.
    **{character: f"{{{character}}}" for character in "[*"},
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
_LETTERS = re.compile("[ -~À-ÿ]")
_NO_LETTERS = set("ÐÞðþ")
"""Those of the letters that pdfTeX lacks in a document's usual fonts."""

_LONG_WORD = re.compile(r"\S{25,}")
_BEHIND = re.compile(r"[-_,=@/.\[\]](?=.)")
_BREAK = "\x00"  # no letter of a text: control characters have become spaces
NAME = 28
"""Letters from which on a first column is broken into lines."""

CROWDED = 7
"""More columns of numbers than that stand closer, in smaller letters."""

LONG = 1200
"""Notes of more letters than that are set smaller, so that they stay on the table's page."""

Group = tuple[str, Sequence[str]]
"""Columns of one kind: what stands above them ("" for nothing), and the head of each."""


def document(tables: Iterable[str]) -> str:
    """The tables as a file; ends in a line break.

    Parameters
    ----------
    tables : iterable of str
        Made by :func:`table`.
    """
    return "\n\n".join([HEAD, *tables, END]) + "\n"


def table(
    caption: str,
    names: Sequence[str],
    groups: Sequence[Group],
    rows: Sequence[Sequence[str] | None],
    notes: Sequence[str] = (),
    left: str = "",
) -> str:
    """A table with its caption.

    Parameters
    ----------
    caption : str
        Plain text, like all that follows.
    names : sequence of str
        Heads of the first columns, which are set to the left.
    groups : sequence of Group
        The other columns, which are set to the right.
    rows : sequence of sequence of str, or None
        None draws a rule.
    notes : sequence of str
        Plain text below the table, a paragraph each.
    left : str
        How the first columns are set, where it is not all to the left: ``rp{4cm}``.
    """
    count = sum(len(heads) for _, heads in groups)
    if not left and any(row is not None and len(row[0]) > NAME for row in rows):
        left = "p{3.6cm}" + "l" * (len(names) - 1)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{text(caption)}}}",
        r"\medskip",
        *([r"\footnotesize", r"\setlength{\tabcolsep}{2.5pt}"] if left or count > CROWDED else [r"\small"]),
        rf"\begin{{tabular}}{{{left or 'l' * len(names)}{'r' * count}}}",
        r"\toprule",
    ]
    if any(title for title, _ in groups):
        above, rules, place = [""] * len(names), [], len(names) + 1
        for title, heads in groups:
            above.append(rf"\multicolumn{{{len(heads)}}}{{c}}{{{text(title)}}}" if title else "& " * (len(heads) - 1))
            if title and len(heads) > 1:
                rules.append(rf"\cmidrule(lr){{{place}-{place + len(heads) - 1}}}")
            place += len(heads)
        lines += [_row(above), *(["".join(rules)] if rules else [])]
    lines += [_row(map(text, [*names, *(head for _, heads in groups for head in heads)])), r"\midrule"]
    lines += [r"\midrule" if row is None else _row(map(_cell, row)) for row in rows]
    below = []
    if notes:
        size = r"\scriptsize" if sum(map(len, notes)) > LONG else r"\footnotesize"
        said = [rf"{text(note)}\par" for note in notes]
        below = [
            r"\par\medskip",
            r"\begin{minipage}{\linewidth}",
            rf"{size}\raggedright",
            *said,
            r"\end{minipage}",
        ]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", *below, r"\end{table}"])


def text(value: str) -> str:
    """Text for LaTeX: nothing in it is a command; control characters are spaces, letters that pdfTeX lacks code points.

    Parameters
    ----------
    value : str
    """
    plain = re.sub(r"[\x00-\x1f\x7f-\xa0\u2028\u2029]+", " ", value)
    plain = _LONG_WORD.sub(lambda word: _BEHIND.sub(rf"\g<0>{_BREAK}", word[0]), plain)
    made = re.sub(r"([-'])(?=\1)", r"\1{}", "".join(map(_letter, plain)))  # two in a row would be another sign
    return made.replace(_BREAK, r"\allowbreak{}")


def _letter(character: str) -> str:
    if character == _BREAK:
        return character
    if character in _SPECIAL:
        return _SPECIAL[character]
    if _LETTERS.fullmatch(character) and character not in _NO_LETTERS:
        return character
    return f"U+{ord(character):04X}"


class Bold(str):
    """A cell in bold letters."""


def _cell(value: str) -> str:
    return rf"\textbf{{{text(value)}}}" if isinstance(value, Bold) else text(value)


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"
