from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from asdbench.errors import DataError
from asdbench.files import sweep, write_text, write_whole
from tests.conftest import DiskFull


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.csv"
    write_text(path, "old\n")
    write_text(path, "new\n")
    assert path.read_text() == "new\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path, disk_full: DiskFull) -> None:
    path = tmp_path / "a.csv"
    write_text(path, "old\n")
    with disk_full(), pytest.raises(DataError, match="No space left"):
        write_text(path, "new\n")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from asdbench.files import write_whole
write_whole(Path(sys.argv[1]) / "a.csv", b"half")
"""
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -9
    (left,) = tmp_path.iterdir()
    running = left.with_name(left.name.replace(f"-{left.name.split('-')[-2]}-", f"-{os.getpid()}-"))
    elsewhere = left.with_name(left.name.replace(".asdbench-", ".asdbench-another_"))
    for other in (running, elsewhere, tmp_path / ".hidden"):
        other.write_bytes(b"")
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {running, elsewhere, tmp_path / ".hidden"}
    sweep(tmp_path / "nowhere")


def test_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"\x00\xff\r\n")
    assert (tmp_path / "a").read_bytes() == b"\x00\xff\r\n"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="what a process is doing is read from /proc: Linux")
@pytest.mark.slow
def test_what_a_process_left_is_swept_that_nobody_has_asked_for_yet(tmp_path: Path) -> None:
    name = ".asdbench-" + re.sub(r"[^\w.]", "_", platform.node())[:40]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        left = tmp_path / f"{name}-{process.pid}-{'0' * 32}"
        left.touch()
        sweep(tmp_path)
        assert left.exists()  # it is at work
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and still has its number
        os.kill(process.pid, 0)
        sweep(tmp_path)
        assert not left.exists()
