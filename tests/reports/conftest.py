"""What tests of reports share."""

from __future__ import annotations

import shutil
import subprocess

import pytest


@pytest.fixture
def pdflatex() -> str:
    """Where pdfLaTeX with booktabs is."""
    found = shutil.which("pdflatex")
    if found is None:
        pytest.skip("there is no pdflatex: nothing is compiled")
    style = subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, text=True, check=False)
    if not style.stdout.strip():
        pytest.skip("this TeX has no booktabs: nothing is compiled")
    return found
