"""Checkpoints: the right file or none."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from asdbench.errors import ConflictError, DataError, UsageError
from asdbench.fetching import catalogue
from asdbench.fetching.checkpoints import fetch_checkpoint, weights_folder
from asdbench.fetching.download import Wishes
from asdbench.fetching.http import Patience
from tests.fetching.conftest import Told
from tests.fetching.server import Server

NAME = "ResNet38_mAP=0.434.pth"
CONTENT = bytes(range(256)) * 1000
QUICK = Patience(retries=1, timeout=1.0, wait=0.01)


@pytest.fixture
def genuine(server: Server, monkeypatch: pytest.MonkeyPatch) -> Wishes:
    """The server has a file that the catalogue calls the published one: the real one's bytes cannot be had here."""
    server.files[NAME] = CONTENT
    md5 = hashlib.md5(CONTENT).hexdigest()
    changed = tuple(
        dataclasses.replace(source, md5=md5) if source.file == NAME else source for source in catalogue.sources()
    )
    monkeypatch.setattr(catalogue, "sources", lambda: changed)
    return Wishes(server.url, patience=QUICK)


def test_it_comes_verified_to_the_users_data_folder_and_stays(
    genuine: Wishes, server: Server, told: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    path = fetch_checkpoint("resnet38", wishes=genuine, watcher=told)
    assert path == weights_folder() / NAME
    assert path.read_bytes() == CONTENT
    assert "verified (published md5)" in told.text
    server.requests.clear()
    assert fetch_checkpoint("resnet38", wishes=genuine, watcher=told) == path
    assert server.requests == []


def test_a_cut_connection_goes_on(genuine: Wishes, server: Server, tmp_path: Path) -> None:
    server.faults[NAME].append("cut")
    assert fetch_checkpoint("resnet38", tmp_path, genuine).read_bytes() == CONTENT
    assert server.asked(NAME)[1].range is not None


def test_an_old_half_that_does_not_fit_is_thrown_away(
    genuine: Wishes, server: Server, tmp_path: Path, told: Told
) -> None:
    server.always[NAME] = "cut"
    with pytest.raises(DataError):
        fetch_checkpoint("resnet38", tmp_path, genuine)
    part = tmp_path / f"{NAME}.part"
    part.write_bytes(bytes(part.stat().st_size))  # the disk lost it
    server.always.clear()
    assert fetch_checkpoint("resnet38", tmp_path, genuine, told).read_bytes() == CONTENT
    assert "did not fit" in told.text
    assert not part.exists()


def test_from_a_folder_it_is_verified_and_copied(genuine: Wishes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(CONTENT)
    path = fetch_checkpoint("resnet38", tmp_path / "to", Wishes(str(tmp_path)))
    assert path.read_bytes() == CONTENT == (tmp_path / NAME).read_bytes()


def test_another_file_than_the_published_one_is_refused(server: Server, tmp_path: Path) -> None:
    server.files[NAME] = b"something else"
    with pytest.raises(DataError, match="checksum differs") as caught:
        fetch_checkpoint("resnet38", tmp_path, Wishes(server.url, patience=QUICK))
    assert "bf12f36aaabac4e0855e22d3c3239c1b" in caught.value.looked
    assert hashlib.md5(b"something else").hexdigest() in caught.value.looked
    assert not list(tmp_path.glob("ResNet38*"))


def test_another_length_is_refused_before_the_download(server: Server, tmp_path: Path) -> None:
    server.files["Cnn14_mAP=0.431.pth"] = bytes(2_000_000)
    with pytest.raises(DataError, match="another length"):
        fetch_checkpoint("cnn14", tmp_path, Wishes(server.url, patience=QUICK))
    assert not list(tmp_path.glob("Cnn14*"))


def test_another_file_of_that_name_is_not_overwritten(genuine: Wishes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"mine")
    with pytest.raises(ConflictError, match="another"):
        fetch_checkpoint("resnet38", tmp_path, genuine)
    assert (tmp_path / NAME).read_bytes() == b"mine"
    replacing = dataclasses.replace(genuine, replace=True)
    assert fetch_checkpoint("resnet38", tmp_path, replacing).read_bytes() == CONTENT


def test_a_data_set_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        fetch_checkpoint("dcase2021", tmp_path)
