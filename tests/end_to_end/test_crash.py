"""Runs that are killed, disturbed or starved, and what the next run makes of what they left.

Every case ends with the files of an undisturbed run, byte for byte. ``--rounds N`` kills N runs instead of five.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.shell import Shell

TOY = "toy[train=4,train_target=1,test=2,seconds=0.5]"
RUN = ("run", "--dataset", TOY, "--machines", "fan,valve", "--epochs", "2", "--systems", "ae,mvg,clvae,clvae-ensemble")
TIMES = {"manifest.json"}  # holds seconds and the time of writing


class Disturbed(Shell):
    """A shell whose processes can be killed together with their workers."""

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "from asdbench.cli import main; main()", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def finish(self, *more: str) -> dict[str, bytes | None]:
        self(*RUN, *more)
        return self.left()

    def left(self) -> dict[str, bytes | None]:
        """Every file of results and cache; those with times in them by name alone."""
        paths = [path for top in ("results", "cache") for path in (self.folder / top).rglob("*") if path.is_file()]
        kept = {}
        for path in sorted(path for path in paths if path.suffix != ".log"):
            whole = path.name not in TIMES and not path.name.startswith("digests.sqlite")
            kept[str(path.relative_to(self.folder))] = path.read_bytes() if whole else None
        return kept


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes | None], float]:
    """The files of a run that nothing happens to, and how long it takes."""
    shell = Disturbed(tmp_path_factory.mktemp("undisturbed"))
    started = time.monotonic()
    assert shell.begin(*RUN, "--workers", "2").wait(timeout=300) == 0
    return shell.left(), time.monotonic() - started


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)  # its workers, too
    process.wait()


@pytest.mark.alone
def test_a_killed_run_started_again_ends_as_if_nothing_had_happened(
    undisturbed: tuple[dict[str, bytes | None], float], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    expected, seconds = undisturbed
    rounds = pytestconfig.getoption("--rounds")
    moments = random.Random(time.time_ns())
    reached = []
    for number in range(rounds):
        shell = Disturbed(tmp_path / str(number))
        shell.folder.mkdir()
        moment = seconds * (number + moments.random()) / rounds
        process = shell.begin(*RUN, "--workers", "2")
        time.sleep(moment)
        kill(process)
        left = shell.left()
        reached.append(len(left))
        found = shell.finish("--workers", "1" if number else "2")
        assert found.keys() == expected.keys(), f"killed after {moment:.2f} of {seconds:.2f} s"
        assert found == expected, f"killed after {moment:.2f} of {seconds:.2f} s"
        shutil.rmtree(shell.folder)
    assert len(set(reached)) > 1, f"every kill found {reached[0]} files: none of them hit the work"


def test_two_runs_at_the_same_time_on_the_same_results_and_cache(
    undisturbed: tuple[dict[str, bytes | None], float], tmp_path: Path
) -> None:
    shell = Disturbed(tmp_path)
    both = [shell.begin(*RUN, "--workers", "1") for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert shell.left() == undisturbed[0]


def test_a_full_disk_is_said_and_the_next_run_goes_on(
    undisturbed: tuple[dict[str, bytes | None], float], tmp_path: Path
) -> None:
    shell = Disturbed(tmp_path)
    # A limit on the size of files: the kernel then refuses the write in the middle of the cache's first large entry.
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, resource.RLIM_INFINITY))"
    _, err = shell(*RUN, "--workers", "1", expect=4, before=limit)
    assert "cannot be written (File too large)" in err
    assert shell.finish("--workers", "1") == undisturbed[0]


def obey_permissions() -> None:
    """Give up root's powers to write and to enter anywhere, for this process and what it becomes."""
    if os.geteuid() == 0:
        drop_from_bounding_set, override, read_and_search = 24, 1, 2
        for power in (override, read_and_search):
            if ctypes.CDLL(None).prctl(drop_from_bounding_set, power, 0, 0, 0):
                raise OSError("this root cannot give up its powers")


# Root may write anywhere, and this would find nothing refused; how to give that up differs from system to system.
@pytest.mark.skipif(sys.platform != "linux", reason="gives up root's powers by Linux's prctl")
@pytest.mark.parametrize(
    ("mode", "folder", "hint"),
    [(0o555, "cache", "--cache DIR"), (0o000, "cache", "name another place"), (0o000, "cache/a", "name another place")],
)
def test_a_cache_that_is_closed_is_said_and_the_next_run_goes_on(
    undisturbed: tuple[dict[str, bytes | None], float], tmp_path: Path, mode: int, folder: str, hint: str
) -> None:
    shell = Disturbed(tmp_path)
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(mode)
    command = [sys.executable, "-c", "from asdbench.cli import main; main()", *RUN]
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env={**shell.environment, "ASDBENCH_CACHE": str(tmp_path / folder)},
        preexec_fn=obey_permissions,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 4, ended.stderr
    assert "Permission denied" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert hint in ended.stderr
    cache.chmod(0o755)
    assert shell.finish("--workers", "1") == undisturbed[0]


def test_a_cache_that_cannot_be_written_is_said_and_the_next_run_goes_on(
    undisturbed: tuple[dict[str, bytes | None], float], tmp_path: Path
) -> None:
    shell = Disturbed(tmp_path)
    (tmp_path / "cache").write_text("a file where the folder should be")
    _, err = shell(*RUN, expect=4)
    assert "--cache DIR" in err
    (tmp_path / "cache").unlink()
    assert shell.finish("--workers", "1") == undisturbed[0]
