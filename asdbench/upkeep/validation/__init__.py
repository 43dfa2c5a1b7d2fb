"""Whether a data set is what it should be: ``asdbench datasets validate``.

``counts`` compares with the official counts, ``sounds`` looks at headers or decodes, ``files`` finds copies and
leftovers. All of them work on any :class:`asdbench.api.Dataset`; what does not apply to it (files of given features) is
left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asdbench.api import Clip, Dataset
from asdbench.datasets.dcase import MisfitsError
from asdbench.progress import Progress
from asdbench.upkeep.validation.counts import Counts, compare, count, official
from asdbench.upkeep.validation.files import check_copies, check_leftovers, check_numbers
from asdbench.upkeep.validation.findings import Finding
from asdbench.upkeep.validation.sounds import check_deep, check_headers

__all__ = ["Finding", "Validation", "validate"]


@dataclass(frozen=True)
class Validation:
    """What is there and what is found.

    Parameters
    ----------
    spec : str
    year : int
    clips : int
    counts, official : mapping of Place to Count
        What there is and what there should be; the latter empty where that is not known.
    formats : Counter of str
        Rates, channels and lengths, in words.
    findings : tuple of Finding
    unchecked : tuple of str
        What was not looked at.
    stamps : tuple of str
        What must be said wherever the data set is shown.
    """

    spec: str
    year: int
    clips: int
    counts: Counts
    official: Counts
    formats: Counter[str]
    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...]
    stamps: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether anything is not as it should be."""
        return any(finding.wrong for finding in self.findings)


def validate(
    data: Dataset,
    *,
    misfits: MisfitsError | None = None,
    deep: bool = False,
    quick: bool = False,
    complete: bool = False,
    database: Path | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Check a data set.

    Parameters
    ----------
    data : Dataset
    misfits : MisfitsError or None
        What opening it said of files that do not fit; ``data`` is then the rest.
    deep : bool
        Decode every clip instead of reading headers alone.
    quick : bool
        Do not hash: copies stay unknown.
    complete : bool
        A machine or part that is absent as a whole is wrong.
    database : Path or None
        Where headers are kept (``digests.sqlite`` in the cache).
    progress : Progress or None

    Returns
    -------
    Validation
    """
    told = progress or Progress()
    expected = official(data)
    counts = count(data.clips)
    findings = compare(data, counts, expected, complete)
    if misfits:
        findings.insert(
            0, Finding("names that do not fit: a run refuses the data set", misfits.files, hint=misfits.hint)
        )
    findings += check_numbers(data)
    formats: Counter[str] = Counter()
    unchecked: list[str] = []
    readable: Sequence[Clip] = data.clips
    if any(clip.path for clip in data.clips):
        headers = check_headers(data, database, told)
        findings += headers.findings
        formats = headers.formats
        if deep:
            findings += check_deep(data, headers.fit, told)
        else:
            unchecked.append("the sound itself (--deep decodes it)")
        readable = headers.readable
        findings += check_leftovers(data, misfits.files if misfits else ())
    if quick:
        unchecked.append("copies (--quick hashes nothing)")
    else:
        findings += check_copies(data, readable, told)
    return Validation(
        spec=data.spec,
        year=data.year,
        clips=len(data.clips),
        counts=counts,
        official=expected,
        formats=formats,
        findings=tuple(sorted(findings, key=lambda finding: not finding.wrong)),
        unchecked=tuple(unchecked),
        stamps=tuple(data.stamps),
    )
