"""Which results are of other code than there is now: comparing them would say nothing of the code.

A manifest names the files that its system ran (:mod:`asdbench.running.identity`). They are read again and not run: of
installed packages, and of a plug-in file in the current folder or below it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from asdbench.plugins.sources import digest_now
from asdbench.results.seed_folder import SeedFolder
from asdbench.running.identity import TRAINING, harness


def edited(folders: Sequence[SeedFolder]) -> list[str]:
    """What is not as it was when results were made, a line a system and seed: ``distance, seed 777: mine.py``.

    Results that do not say what they ran (of older versions), and files that are not found, are passed over.
    """
    found = []
    for folder in folders:
        beside = _folder_of(folder.asked)
        changed: set[str] = set()
        for entry in folder.manifest()["machines"].values():
            for ran in (entry["key"], entry["key"].get("embedding")):
                code = ran.get("code") if isinstance(ran, Mapping) else None
                for name, digest in code.items() if isinstance(code, Mapping) else ():
                    now = harness() if name == TRAINING else digest_now(name, beside)
                    if now not in (None, digest):
                        changed.add(name)
        if changed:
            found.append(f"{folder.system}, seed {folder.seed}: {', '.join(sorted(changed))}")
    return found


def _folder_of(asked: str) -> Path | None:
    """The folder of a plug-in file, where it is the current one or below: a manifest does not choose what is read."""
    found = re.match(r"(.*\.py):", asked)
    if not found or Path(found[1]).is_absolute() or ".." in Path(found[1]).parts:
        return None
    return Path(found[1]).parent.resolve()
