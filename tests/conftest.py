"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data that cannot be part of the project (ASDBENCH_SHARED)."""
    where = os.environ.get("ASDBENCH_SHARED")
    if not where:
        pytest.skip("ASDBENCH_SHARED is not set: the reference data lies outside the project")
    folder = Path(where).resolve()
    if not folder.is_dir():
        pytest.skip(f"ASDBENCH_SHARED={where} is no folder: the reference data lies outside the project")
    return folder
