from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asdbench.datasets import digests as module
from asdbench.datasets.digests import Digests
from asdbench.errors import ClipError

OLD = 1_600_000_000


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "data"
    folder.mkdir()
    made = [folder / f"{number}.wav" for number in range(3)]
    for path in made:
        path.write_bytes(path.name.encode() * 1000)
        os.utime(path, (OLD, OLD))
    return made


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose content was read."""
    names: list[str] = []
    original = module._sha256

    def counted(key: bytes) -> str:
        names.append(Path(os.fsdecode(key)).name)
        return original(key)

    monkeypatch.setattr(module, "_sha256", counted)
    return names


def truth(paths: list[Path]) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_hashes_are_those_of_the_content(files: list[Path]) -> None:
    assert Digests().of(files) == truth(files)
    assert Digests().of([]) == {}


def test_an_unchanged_file_is_read_once_for_all_processes(files: list[Path], tmp_path: Path, read: list[str]) -> None:
    database = tmp_path / "cache" / "digests.sqlite"
    Digests(database).of(files)
    assert sorted(read) == ["0.wav", "1.wav", "2.wav"]
    again = Digests(database)
    assert again.of(files) == truth(files)
    assert again.of(files) == truth(files)
    assert len(read) == 3


def test_without_a_database_the_process_remembers(files: list[Path], read: list[str]) -> None:
    digests = Digests()
    digests.of(files)
    digests.of(files[:1])
    assert len(read) == 3


def test_a_changed_file_is_read_again(files: list[Path], tmp_path: Path, read: list[str]) -> None:
    database = tmp_path / "digests.sqlite"
    digests = Digests(database)
    digests.of(files)
    files[1].write_bytes(b"another sound of another length")
    assert digests.of(files) == truth(files)
    assert Digests(database).of(files) == truth(files)
    assert read[3:] == ["1.wav", "1.wav"]  # not kept by the first: it has changed only just now


def test_swapped_files_of_equal_size_and_time_are_noticed(files: list[Path], tmp_path: Path) -> None:
    database = tmp_path / "digests.sqlite"
    Digests(database).of(files)
    files[0].rename(tmp_path / "aside")
    files[1].rename(files[0])
    (tmp_path / "aside").rename(files[1])
    assert Digests(database).of(files) == truth(files)


def test_a_file_changed_within_the_clocks_granularity_is_noticed(files: list[Path], tmp_path: Path) -> None:
    database = tmp_path / "digests.sqlite"
    now = time.time_ns()
    os.utime(files[0], ns=(now, now))
    Digests(database).of(files)
    with files[0].open("r+b") as file:
        file.write(b"changed")
    os.utime(files[0], ns=(now, now))
    assert Digests(database).of(files) == truth(files)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_damaged_database_costs_time_only(files: list[Path], tmp_path: Path, content: bytes) -> None:
    database = tmp_path / "digests.sqlite"
    database.write_bytes(content)
    assert Digests(database).of(files) == truth(files)


def test_a_cache_that_cannot_be_written_costs_time_only(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    assert Digests(tmp_path / "file" / "digests.sqlite").of(files) == truth(files)


def test_more_files_than_one_query_takes(tmp_path: Path, read: list[str]) -> None:
    paths = [tmp_path / f"{number}.wav" for number in range(1203)]
    for path in paths:
        path.write_bytes(path.name.encode())
        os.utime(path, (OLD, OLD))
    database = tmp_path / "digests.sqlite"
    assert Digests(database).of(paths) == Digests(database).of(paths) == truth(paths)
    assert len(read) == 1203


@pytest.mark.slow
def test_several_processes_share_a_database(files: list[Path], tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from asdbench.datasets.digests import Digests\n"
        "paths = [Path(name) for name in sys.argv[2:]]\n"
        "for _ in range(30): print(*Digests(Path(sys.argv[1])).of(paths).values())\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "digests.sqlite"), *map(str, files)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    expected = " ".join(truth(files).values())
    for process in running:
        assert set(process.communicate()[0].splitlines()) == {expected}
        assert process.returncode == 0


def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"na\xefve.wav")
    path.write_bytes(b"sound")
    os.utime(path, (OLD, OLD))
    assert Digests(tmp_path / "digests.sqlite").of([path]) == truth([path])


def test_a_missing_file_is_named(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "broken.wav").symlink_to(tmp_path / "nowhere.wav")
    with pytest.raises(ClipError) as caught:
        Digests().of([*files, tmp_path / "broken.wav"])
    assert "broken.wav" in caught.value.message
    assert str(tmp_path) in caught.value.looked
