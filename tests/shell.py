"""`asdbench` as a person calls it, in a folder and with a cache of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forking import forked

PROGRAM = "from asdbench.cli import main; main()"


class Shell:
    """Runs `asdbench` in a folder of its own, with a cache of its own.

    Commands that end by themselves are forked (:mod:`tests.forking`); what a test watches, stops or kills is a fresh
    process (:meth:`start`).
    """

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        self.folder = folder
        hidden = {"ASDBENCH_DATA", "CI", "FORCE_COLOR"}
        self.environment = {name: value for name, value in os.environ.items() if name not in hidden}
        self.environment["ASDBENCH_CACHE"] = str(cache or folder / "cache")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command."""
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *arguments: str, expect: int = 0, before: str = "") -> tuple[str, str]:
        """Standard output and error of a command; ``before`` is code that runs ahead of it in its process."""
        code, out, err = self.outcome(*arguments, before=before)
        assert code == expect, f"exit {code}\n{out}\n{err}"
        assert "Traceback" not in err
        return out, err

    def outcome(self, *arguments: str, before: str = "") -> tuple[int, str, str]:
        """Exit code, standard output and error of a command, whatever they are."""
        return forked(f"{before}\n{PROGRAM}", arguments, self.folder, self.environment)

    def on_terminal(self, *arguments: str, width: int) -> str:
        """What a terminal of a width shows of standard output."""
        pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, width))
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=self.folder,
            env={name: value for name, value in self.environment.items() if name != "COLUMNS"} | {"TERM": "dumb"},
            stdout=theirs,
            stderr=subprocess.PIPE,
        ) as process:
            os.close(theirs)
            read = b""
            with contextlib.suppress(OSError):  # how a terminal ends
                while piece := os.read(ours, 4096):
                    read += piece
        os.close(ours)
        assert process.returncode == 0
        return read.decode()
