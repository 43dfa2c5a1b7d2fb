"""Where a root keeps the record of what was fetched into it, and which data sets that was."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = ".asdbench"
FILE = "downloads.json"


def fetched_names(root: Path) -> set[str]:
    """The data sets of which something was fetched into a root (``dcase2021``); none where the record is not readable.

    :class:`asdbench.fetching.records.Records` reads all of it, and says what is wrong with it.
    """
    try:
        found = json.loads((root / FOLDER / FILE).read_text(encoding="utf-8"))
        return {str(entry["name"]) for entry in found["downloads"].values()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return set()
