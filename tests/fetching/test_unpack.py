"""Archives that are not to be trusted."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from asdbench.fetching.unpack import ArchiveError, Member, inspect, unpack
from tests.fetching.conftest import zipped


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "given.zip"
    path.write_bytes(content)
    return path


def special(mode: int, name: str = "fan/train/a.wav", content: bytes = b"/etc/passwd") -> bytes:
    """An archive of one member with a Unix mode."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = mode << 16
        archive.writestr(info, content)
    return memory.getvalue()


def patched(archive: bytes, offset: int, format: str, value: int) -> bytes:
    """The central directory's first entry with one field changed."""
    at = archive.index(b"PK\x01\x02") + offset
    return archive[:at] + struct.pack(format, value) + archive[at + struct.calcsize(format) :]


def test_members_come_out_as_they_went_in(tmp_path: Path) -> None:
    files = {"fan/train/a.wav": b"a" * 1000, "fan/source_test/b.wav": b"", "fan/attributes_00.csv": "ä".encode()}
    path = saved(tmp_path, zipped(files, zipfile.ZIP_DEFLATED))
    members = inspect(path)
    unpack(path, [(member, tmp_path / "out" / member.path) for member in members])
    out = {
        p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in tmp_path.rglob("out/**/*") if p.is_file()
    }
    assert out == files


@pytest.mark.parametrize(
    "name",
    [
        "../a.wav",
        "fan/../../a.wav",
        "/fan/train/a.wav",
        "C:/a.wav",
        "fan\\..\\a.wav",
        "fan/tr\nain/a.wav",
        "..",
        "fan/..",
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="not to be trusted"):
        inspect(saved(tmp_path, zipped({"fan/train/a.wav": b"a", name: b"evil"})))


def test_a_name_with_a_null_byte_is_refused(tmp_path: Path) -> None:
    content = zipped({"fan/train/aX.wav": b"a"}).replace(b"aX.wav", b"a\0.wav")
    with pytest.raises(ArchiveError):
        inspect(saved(tmp_path, content))


@pytest.mark.parametrize(
    ("kind", "word"),
    [(stat.S_IFLNK, "link"), (stat.S_IFIFO, "special"), (stat.S_IFCHR, "special"), (stat.S_IFSOCK, "special")],
)
def test_links_and_special_files_are_refused(tmp_path: Path, kind: int, word: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        inspect(saved(tmp_path, special(kind | 0o777)))
    assert word in caught.value.looked
    assert "fan/train/a.wav" in caught.value.looked


def test_a_bomb_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    content = zipped({"fan/train/a.wav": bytes(30_000_000)}, zipfile.ZIP_DEFLATED)
    assert len(content) < 100_000
    with pytest.raises(ArchiveError, match="trusted") as caught:
        inspect(saved(tmp_path, content))
    assert "30,000,000" in caught.value.looked


def test_quiet_sound_is_no_bomb(tmp_path: Path) -> None:
    content = zipped({"fan/train/a.wav": bytes(range(100)) * 1000}, zipfile.ZIP_STORED)
    assert inspect(saved(tmp_path, content))[0].bytes == 100_000


def test_a_directory_that_lies_about_a_length_is_found_out_while_writing(tmp_path: Path) -> None:
    """The directory says 1,000 bytes, the stream holds 30 million: not more than 1,000 are ever written."""
    content = patched(zipped({"fan/train/a.wav": bytes(30_000_000)}, zipfile.ZIP_DEFLATED), 24, "<I", 1000)
    path = saved(tmp_path, content)
    members = inspect(path)
    assert members[0].bytes == 1000
    with pytest.raises(ArchiveError):
        unpack(path, [(members[0], tmp_path / "a.wav")])
    assert (tmp_path / "a.wav").stat().st_size <= 1000


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    """Two entries of the directory that point to the same bytes: how the worst bombs are made."""
    content = zipped({"fan/train/a.wav": b"a" * 5000, "fan/train/b.wav": b"a" * 5000})
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
    content = content[: second + 42] + struct.pack("<I", 0) + content[second + 46 :]
    with pytest.raises(ArchiveError) as caught:
        inspect(saved(tmp_path, content))
    assert "share bytes" in caught.value.looked


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    content = patched(zipped({"fan/train/a.wav": b"a"}), 8, "<H", 1)
    with pytest.raises(ArchiveError) as caught:
        inspect(saved(tmp_path, content))
    assert "encrypted" in caught.value.looked


def test_unknown_compression_is_named(tmp_path: Path) -> None:
    content = patched(zipped({"fan/train/a.wav": b"a"}), 10, "<H", 9)
    with pytest.raises(ArchiveError) as caught:
        inspect(saved(tmp_path, content))
    assert "method 9" in caught.value.looked


@pytest.mark.parametrize("other", ["fan/train/a.wav", "fan/train/A.wav"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_there_twice_are_refused(tmp_path: Path, other: str) -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("fan/train/a.wav", b"1")
        archive.writestr(other, b"2")
    with pytest.raises(ArchiveError) as caught:
        inspect(saved(tmp_path, memory.getvalue()))
    assert "twice" in caught.value.looked


def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as caught:
        inspect(saved(tmp_path, zipped({"fan/train": b"a", "fan/train/a.wav": b"a"})))
    assert "both" in caught.value.looked


def test_file_managers_litter_is_left_out(tmp_path: Path) -> None:
    files = {
        "fan/train/a.wav": b"a",
        "__MACOSX/fan/train/._a.wav": b"x",
        "fan/.DS_Store": b"x",
        "fan/train/._a.wav": b"x",
    }
    members = inspect(saved(tmp_path, zipped(files)))
    assert members == [Member(PurePosixPath("fan/train/a.wav"), 1, members[0].crc, 0)]


@pytest.mark.parametrize("cut", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_damaged(tmp_path: Path, cut: float) -> None:
    content = zipped({f"fan/train/{n}.wav": bytes([n]) * 500 for n in range(10)})
    with pytest.raises(ArchiveError, match="damaged"):
        inspect(saved(tmp_path, content[: int(len(content) * cut)]))


def test_an_empty_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="empty"):
        inspect(saved(tmp_path, zipped({})))
