"""`asdbench fetch` and `run --fetch` as a person meets them: killed, interrupted, on a full disk, told what to type."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
import time
import wave
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.fetching.conftest import archive_name, machine_files, tree, zipped
from tests.fetching.server import Server
from tests.shell import Shell

FAN = archive_name("fan", "dev")
DEV = {f"dev_data/fan/{path}": content for path, content in machine_files("fan", "dev").items()}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(tree(("fan",))) as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    shell.environment.pop("ASDBENCH_MIRROR", None)
    shell.environment["XDG_DATA_HOME"] = str(tmp_path / "data")
    shell.environment["NO_PROXY"] = "127.0.0.1"
    return shell


def order(server: Server, to: str | Path = "root") -> list[str]:
    return [
        *("fetch", "dcase2021", "--machines", "fan", "--parts", "dev"),
        *("--to", str(to), "--from", server.url, "--retries", "1"),
    ]


def sound(root: Path) -> dict[str, bytes]:
    files = [path for path in (root / "dev_data").rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def come(shell: Shell) -> int:
    part = shell.folder / "root" / "archives" / f"{FAN}.part"
    return part.stat().st_size if part.exists() else 0


def test_it_says_what_came_where_and_what_to_type_next(shell: Shell, server: Server) -> None:
    out, err = shell(*order(server))
    assert out == "root\n"
    assert sound(shell.folder / "root") == DEV
    assert "next:    asdbench run --dataset dcase2021:root" in err
    assert "1 fetched" in err
    out, err = shell(*order(server))
    assert "0 fetched (0 bytes), 1 there already" in err


def test_without_training_clips_the_next_thing_is_to_fetch_them(shell: Shell, server: Server) -> None:
    given = ("fetch", "dcase2021", "--to", "root", "--machines", "fan", "--from", server.url, "--parts")
    _, err = shell(*given, "eval")
    assert "next:    asdbench fetch dcase2021 --to root --machines fan (training clips)" in err
    assert "asdbench run" not in err
    _, err = shell(*given, "additional")
    assert "next:    asdbench run --dataset dcase2021:root" in err


def test_a_tilde_that_the_shell_left_is_the_home_folder(shell: Shell, server: Server) -> None:
    shell.environment["HOME"] = str(shell.folder / "home")
    shell(*order(server, "~/root"))
    assert (shell.folder / "home" / "root" / "dev_data" / "fan").is_dir()
    assert not (shell.folder / "~").exists()


def test_killed_in_the_middle_it_goes_on_where_it_stopped(shell: Shell, server: Server) -> None:
    server.faults[FAN].append("slow")
    process = shell.start(*order(server))
    until(lambda: come(shell) > 100_000)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = come(shell)
    assert not (shell.folder / "root" / "dev_data").exists()
    _, err = shell(*order(server))
    assert server.asked(FAN)[-1].range == f"bytes={kept}-"
    assert "going on at" in err
    assert sound(shell.folder / "root") == DEV


@pytest.mark.parametrize("fault", ["slow", "silent"])
def test_ctrl_c_stops_at_once_keeps_what_came_and_says_how_to_go_on(shell: Shell, server: Server, fault: str) -> None:
    server.faults[FAN].append(fault)
    process = shell.start(*order(server))
    until(lambda: come(shell) > 100_000)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - started < 10  # not the 30 s of silence that count as a fault
    assert process.returncode == 130
    assert "run the same command again to go on" in err
    assert "Traceback" not in err
    assert come(shell) > 100_000
    shell(*order(server))
    assert server.asked(FAN)[-1].range is not None
    assert sound(shell.folder / "root") == DEV


def test_a_second_fetch_into_the_same_folder_waits_for_nobody(shell: Shell, server: Server) -> None:
    server.faults[FAN].append("silent")
    process = shell.start(*order(server))
    until(lambda: come(shell) > 0)
    _, err = shell(*order(server), expect=2)
    assert "another fetch works in this folder" in err
    process.kill()
    process.communicate()


def test_a_write_that_fails_for_want_of_space_keeps_what_came(shell: Shell, server: Server) -> None:
    """A limit on file sizes: the system itself refuses the write, as a full disk or a quota does. No other is begun."""
    limit, two = 150_000, [*order(server), "--machines", "pump", "--parallel", "1"]
    process = subprocess.run(
        [sys.executable, "-c", "from asdbench.cli import main; main()", *two],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        check=False,
    )
    assert process.returncode == 4, process.stderr
    assert "the disk is full" in process.stderr
    assert "free some space, then run the same command again" in process.stderr
    assert "Traceback" not in process.stderr
    assert come(shell) == limit
    assert server.asked(archive_name("pump", "dev")) == []
    shell(*order(server))
    assert server.asked(FAN)[-1].range == f"bytes={limit}-"
    assert sound(shell.folder / "root") == DEV


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_too_small_is_told_before_anything_is_downloaded(
    shell: Shell, server: Server, small_disk: Path
) -> None:
    server.files[FAN] = zipped({f"fan/train/{n}.wav": os.urandom(100_000) for n in range(12)})
    _, err = shell(*order(server, small_disk), expect=4)
    assert "not enough space" in err
    assert "1.0 MB are free" in err
    assert server.asked(FAN) == []


def test_a_disk_that_fills_while_downloading_is_told_and_the_next_run_goes_on(
    shell: Shell, server: Server, small_disk: Path
) -> None:
    (small_disk / "ballast").write_bytes(bytes(900_000))
    server.always[FAN] = "no-length"  # so that nothing can be foreseen
    _, err = shell(*order(server, small_disk), expect=4)
    assert "the disk is full" in err
    assert not (small_disk / "dev_data").exists()
    (small_disk / "ballast").unlink()
    server.always.clear()
    shell(*order(server, small_disk))
    assert sound(small_disk) == DEV


def test_an_archive_that_does_not_fit_unpacked_is_kept_for_the_next_run(
    shell: Shell, server: Server, small_disk: Path
) -> None:
    """450 kB in 200 kB: with 500 kB taken there is room for the archive, but not for both."""
    files = {f"fan/train/{n}.wav": bytes([n]) * 25_000 + os.urandom(20_000) for n in range(10)}
    server.files[FAN] = zipped(files, zipfile.ZIP_DEFLATED)
    (small_disk / "ballast").write_bytes(bytes(500_000))
    _, err = shell(*order(server, small_disk), expect=4)
    assert "not enough space to unpack" in err
    assert (small_disk / "archives" / FAN).read_bytes() == server.files[FAN]
    assert not (small_disk / "dev_data").exists()
    (small_disk / "ballast").unlink()
    server.requests.clear()
    shell(*order(server, small_disk))
    assert server.asked(FAN) == []
    assert sound(small_disk) == {f"dev_data/{path}": content for path, content in files.items()}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fetch", "dcase21", "--to", "r"], ["unknown data set or checkpoint", "dcase2021"]),
        (["fetch", "dcase2021"], ["--to ROOT is missing", "--to data/dcase2021"]),
        (["fetch", "dcase2021", "--to", "r", "--parts", "test"], ["unknown part", "eval"]),
        (["fetch", "resnet38", "--parts", "dev"], ["has no machines and no parts"]),
        (["fetch", "dcase2021", "--to", "r", "--from", "no/such"], ["no folder and no address"]),
        (["fetch", "dcase2021", "--to", ""], ["--to", "is empty"]),
        (["fetch", "dcase2021", "--to", "r", "--from", ""], ["'' is no folder and no address"]),
        (["run", "--fetch"], ["--fetch needs to know", "dcase2021"]),
        (["run", "--fetch", "--dataset", "toy"], ["--fetch needs to know"]),
    ],
)
def test_careless_commands_are_told_what_to_type(shell: Shell, arguments: list[str], words: list[str]) -> None:
    _, err = shell(*arguments, expect=2)
    for word in words:
        assert word in err
    assert not (shell.folder / "r").exists()


def recording(seed: int) -> bytes:
    """A second of noise, 16 kHz, 16 bit."""
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        noise = np.random.default_rng(seed).normal(0, 1000, 16000).astype("<i2")
        file.writeframes(noise.tobytes())
    return memory.getvalue()


def test_run_downloads_nothing_unless_asked_and_with_fetch_what_is_missing(shell: Shell, server: Server) -> None:
    for part in ("dev", "additional", "eval"):
        paths = [
            *machine_files("fan", part),
            *(f"{d}_test/section_00_{d}_test_anomaly_0000.wav" for d in ("source", "target") if part == "dev"),
        ]
        server.files[archive_name("fan", part)] = zipped({f"fan/{p}": recording(n) for n, p in enumerate(paths)})
    shell.environment["ASDBENCH_MIRROR"] = server.url
    run = ["run", "--dataset", "dcase2021:root", "--machines", "fan", "--systems", "ae", "--epochs", "1"]
    shell(*run, expect=4)
    assert server.requests == []
    out, _ = shell(*run, "--sections", "00", "--fetch")
    assert "`ae` on dcase2021" in out
    assert len(server.asked(FAN)) == 1
