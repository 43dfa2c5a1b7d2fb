"""The peak of a process's resident memory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")
# Other systems tell a process's peak otherwise, or its parent's with it: a figure that is not this one would mislead.
MEASURED = pytest.mark.skipif(not STATUS.is_file(), reason=f"peak memory is read from {STATUS}: Linux")


def megabytes() -> float:
    """So far, of this process: VmHWM. (getrusage's ru_maxrss will not do: a child begins with its parent's.)"""
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
    assert found
    return int(found[1]) / 2**10
