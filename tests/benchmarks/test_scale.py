"""The trial of the whole benchmark runs, with a few clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import scale
from tests.benchmarks.peak import MEASURED


@MEASURED
def test_scale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scale.main(tmp_path / "trial", 100)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].endswith(" clips")
    assert sum(" MB" in line for line in printed) == len(scale.STAGES)
    assert set(scale.parts(tmp_path / "trial")) == {"mvg", f"clvae[epochs={scale.EPOCHS}]"}
