"""A run's time grows linearly with clips, machines and seeds, or less."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.conftest import note
from tests.benchmarks.growth import SIZES, SMALL, draw, measure, steepness


def test_growth(full: bool, tmp_path: Path) -> None:
    found = measure(SIZES) if full else measure(SMALL, rounds=1)
    assert {what: tuple(times) for what, times in found.items()} == dict(SIZES if full else SMALL)
    draw(found, tmp_path / "growth.svg")
    if full:
        for what, times in found.items():
            shown = ", ".join(f"{size} in {took:.2g} s" for size, took in times.items())
            note(f"growth with {what} ({shown}): exponent", steepness(times), "", 1.1)
