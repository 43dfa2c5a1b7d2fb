"""What reads the output wants no more: exit code 141, as if the signal had ended it, and not a word."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asdbench.cli import COMMANDS
from tests.shell import Shell

HELP = [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)]
PLAIN = [line.split() for line in ("systems", "systems show clvae", "datasets", "published", "cache info")]


@pytest.mark.parametrize("streams", [(1,), (1, 2)], ids=["stdout", "both"])
@pytest.mark.parametrize("arguments", [*HELP, *PLAIN], ids=" ".join)
def test_a_closed_pipe_is_141(tmp_path: Path, arguments: list[str], streams: tuple[int, ...]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)  # nobody reads
    process = subprocess.run(
        [sys.executable, "-c", "from asdbench.cli import main; main()", *arguments],
        env=Shell(tmp_path).environment,
        cwd=tmp_path,
        stdout=theirs,
        stderr=theirs if 2 in streams else subprocess.PIPE,
        check=False,
        timeout=120,
    )
    os.close(theirs)
    assert process.returncode == 141
    assert not process.stderr


def test_an_error_that_nobody_reads_is_141_too(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    order = [sys.executable, "-c", "from asdbench.cli import main; main()", "systems", "show", "nowhere"]
    process = subprocess.run(order, cwd=tmp_path, stdout=theirs, stderr=theirs, check=False, timeout=120)
    os.close(theirs)
    assert process.returncode == 141
