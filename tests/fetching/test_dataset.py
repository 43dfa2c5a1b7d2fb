"""Data sets from a real server that fails: a clear message, a next step, nothing corrupt, success when it is over."""

from __future__ import annotations

import csv
import json
import shutil
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from asdbench.datasets.dcase import dcase, dcase2021, dcase2023, dcase2026
from asdbench.errors import ConflictError, DataError, UsageError
from asdbench.fetching import catalogue
from asdbench.fetching.catalogue import choose
from asdbench.fetching.dataset import Fetched, fetch_dataset
from asdbench.fetching.download import Wishes, obtain
from asdbench.fetching.http import BLOCK, REDIRECTIONS, Patience
from asdbench.fetching.records import locked
from tests.fetching.conftest import Told, archive_name, clip, machine_files, tree, zipped
from tests.fetching.server import Server

FAN = "dev_data_fan.zip"
QUICK = Patience(retries=2, timeout=1.0, wait=0.01)


def fetch(server: Server, root: Path, told: Told | None = None, **wishes: object) -> Fetched:
    """The development part of fan."""
    settings = {"origin": server.url, "patience": QUICK, **wishes}
    return fetch_dataset(
        "dcase2021",
        root,
        machines=["fan"],
        parts=["dev"],
        wishes=Wishes(**settings),  # type: ignore[arg-type]  # a test's keywords
        watcher=told,
    )


def sound(root: Path) -> dict[str, bytes]:
    """Everything under the root that is no record, by path."""
    files = [path for path in root.rglob("*") if path.is_file() and ".asdbench" not in path.parts]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def expected(machine: str = "fan", *parts: str) -> dict[str, bytes]:
    """What the root must hold of a machine type."""
    folders = {"dev": "dev_data", "additional": "eval_data", "eval": "eval_data"}
    return {
        f"{folders[part]}/{machine}/{path}": content
        for part in parts or ("dev",)
        for path, content in machine_files(machine, part).items()
    }


def record(root: Path) -> dict[str, dict[str, object]]:
    found = json.loads((root / ".asdbench" / "downloads.json").read_text())["downloads"]
    assert isinstance(found, dict)
    return found


def assert_nothing_half_made(root: Path) -> None:
    assert not (root / "dev_data").exists()
    assert not (root / ".asdbench" / "downloads.json").exists()
    assert not (root / ".asdbench" / "unpacking").exists()


def test_all_parts_of_several_machines_come_to_the_official_layout(server: Server, tmp_path: Path, told: Told) -> None:
    root = tmp_path / "root"
    done = fetch_dataset(
        "dcase2021", root, machines=["fan", "pump"], wishes=Wishes(server.url, patience=QUICK), watcher=told
    )
    parts = ("dev", "additional", "eval")
    assert sound(root) == expected("fan", *parts) | expected("pump", *parts)
    assert sorted(done.fetched) == sorted(server.files)
    assert done.bytes == sum(map(len, server.files.values())) == told.came
    assert not (root / "archives").exists()
    data = dcase2021(str(root))
    assert {clip.machine for clip in data.clips} == {"fan", "pump"}
    assert all(clip.label for clip in data.clips)  # 2021's evaluation labels are part of the package
    assert "labels of the 2021 evaluation clips are part of asdbench" in told.text


def test_machines_come_side_by_side(server: Server, tmp_path: Path) -> None:
    """Two are under way at once: each waits for the other at the server."""
    both, met = threading.Barrier(2, timeout=5), []

    class Meeting(Told):
        def begin(self, name: str, done: int, total: int | None, counted: bool = True) -> None:
            super().begin(name, done, total, counted)
            if counted:
                met.append(both.wait())

    wishes = Wishes(server.url, parallel=2, patience=QUICK)
    fetch_dataset("dcase2021", tmp_path, machines=["fan", "pump"], parts=["dev"], wishes=wishes, watcher=Meeting())
    assert sorted(met) == [0, 1]


def test_two_archives_of_one_machine_come_to_its_folder_at_the_same_time(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are unpacked before either is moved; a slow file system gives the other time to come in between."""
    rename = Path.replace

    def slowly(self: Path, target: Path) -> Path:
        time.sleep(0.05)
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", slowly)
    both = threading.Barrier(2, timeout=5)

    class Meeting(Told):
        def end(self, name: str) -> None:
            if name.endswith("unpacking"):
                both.wait()

    wishes, parts = Wishes(server.url, parallel=2, patience=QUICK), ["additional", "eval"]
    fetch_dataset("dcase2021", tmp_path, machines=["fan"], parts=parts, wishes=wishes, watcher=Meeting())
    assert sound(tmp_path) == expected("fan", *parts)


def test_what_is_there_and_verified_is_not_downloaded_again(server: Server, tmp_path: Path, told: Told) -> None:
    fetch(server, tmp_path)
    server.requests.clear()
    done = fetch(server, tmp_path, told)
    assert server.requests == []
    assert (done.fetched, done.there) == ((), (FAN,))


def test_a_file_that_is_gone_is_fetched_again(server: Server, tmp_path: Path, told: Told) -> None:
    fetch(server, tmp_path)
    gone = tmp_path / "dev_data/fan/train/section_00_source_train_normal_0001_x.wav"
    gone.unlink()
    fetch(server, tmp_path, told)
    assert sound(tmp_path) == expected()
    assert gone.name in told.text


def test_an_unpublished_checksum_is_recorded_and_compared_from_then_on(
    server: Server, tmp_path: Path, told: Told
) -> None:
    import hashlib

    fetch(server, tmp_path, told)
    first = hashlib.sha256(server.files[FAN]).hexdigest()
    assert record(tmp_path)[FAN]["sha256"] == first
    assert "1 checksum is published nowhere: recorded" in told.text
    assert first[:12] in told.text
    shutil.rmtree(tmp_path / "dev_data")
    server.files[FAN] = tree(("pump",))["dev_data_pump.zip"]
    with pytest.raises(DataError) as caught:
        fetch(server, tmp_path)
    second = hashlib.sha256(server.files[FAN]).hexdigest()
    assert first in caught.value.looked
    assert second in caught.value.looked
    assert "downloads.json" in caught.value.hint
    assert sound(tmp_path) == {}
    server.files = tree()
    fetch(server, tmp_path, told)
    assert sound(tmp_path) == expected()
    assert "as recorded on" in told.text


def test_a_published_checksum_that_differs_stops_with_expected_and_found(server: Server, tmp_path: Path) -> None:
    import hashlib

    server.files["dev_data_ToyCar.zip"] = server.files[FAN]  # 2020 has published checksums
    with pytest.raises(DataError) as caught:
        fetch_dataset(
            "dcase2020", tmp_path, machines=["ToyCar"], parts=["dev"], wishes=Wishes(server.url, patience=QUICK)
        )
    assert "4dec75ca8d9f666aa9e4c1894a740501" in caught.value.looked
    assert hashlib.md5(server.files[FAN]).hexdigest() in caught.value.looked
    assert caught.value.hint
    assert sound(tmp_path) == {}


def test_a_cut_connection_goes_on_where_it_stopped(server: Server, tmp_path: Path, told: Told) -> None:
    server.faults[FAN].append("cut")
    fetch(server, tmp_path, told)
    first, second = server.asked(FAN)
    size = len(server.files[FAN])
    assert first.range is None
    assert second.range is not None
    assert 0 < second.sent < size
    assert told.came < size + (1 << 16)  # what came before the cut is not asked for again, but for one block
    assert sound(tmp_path) == expected()


def test_a_server_that_stays_broken_is_given_up_and_the_next_run_goes_on(
    server: Server, tmp_path: Path, told: Told
) -> None:
    server.always[FAN] = "cut"
    with pytest.raises(DataError, match="cut") as caught:
        fetch(server, tmp_path, told)
    assert "run the same command again" in caught.value.hint
    kept = (tmp_path / "archives" / f"{FAN}.part").stat().st_size
    assert 0 < kept < len(server.files[FAN])
    assert_nothing_half_made(tmp_path)
    server.always.clear()
    server.requests.clear()
    fetch(server, tmp_path, told)
    assert [request.range for request in server.asked(FAN)] == [f"bytes={kept}-"]
    assert sound(tmp_path) == expected()


def test_503_is_tried_again_and_retry_after_is_heeded(server: Server, tmp_path: Path, told: Told) -> None:
    server.faults[FAN].extend([503, 503])
    server.retry_after = "0"
    fetch(server, tmp_path, told)
    assert len(server.asked(FAN)) == 3
    assert told.text.count("says 503") == 2
    assert "next attempt in 0.0 s" in told.text
    assert sound(tmp_path) == expected()


def test_503_for_good_is_an_error_after_the_retries(server: Server, tmp_path: Path) -> None:
    server.always[FAN] = 503
    with pytest.raises(DataError, match="503"):
        fetch(server, tmp_path)
    assert len(server.asked(FAN)) == 1 + QUICK.retries
    assert_nothing_half_made(tmp_path)


def test_404_is_an_error_at_once_and_names_where_to_look(server: Server, tmp_path: Path) -> None:
    server.always[FAN] = 404
    with pytest.raises(DataError, match="404") as caught:
        fetch(server, tmp_path)
    assert len(server.asked(FAN)) == 1
    assert "leave --from (or ASDBENCH_MIRROR) out" in caught.value.hint
    assert "zenodo.org/records/4562016" in caught.value.hint
    assert_nothing_half_made(tmp_path)


def test_404_at_the_official_place_offers_to_use_a_copy(server: Server, tmp_path: Path, told: Told) -> None:
    source = replace(choose("dcase2021", ["fan"], ["dev"])[0], url=f"{server.url}moved.zip")
    with pytest.raises(DataError, match="404") as caught:
        obtain(source, tmp_path, None, Wishes(patience=QUICK), told, threading.Event())
    assert f"whether it has moved: {source.page}; or use a copy of it: --from FOLDER" in caught.value.hint


def unknown_host(*arguments: object, **keywords: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_a_host_that_is_not_known_is_given_up_soon_and_told_once(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def unknown(host: str, *arguments: object, **keywords: object) -> None:
        asked.append(host)
        unknown_host()

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    wishes = Wishes("http://mirror.invalid/dcase", patience=Patience(retries=8, wait=0.01))
    with pytest.raises(DataError, match=r"the host mirror\.invalid is unknown \(name or service not known\)") as caught:
        fetch_dataset("dcase2021", tmp_path / "root", parts=["dev"], wishes=wishes, watcher=told)
    assert caught.value.looked.endswith("and 6 more")
    assert "--from" in caught.value.hint
    assert len(asked) == 7 * (1 + 2)  # a machine's length, the first attempt and another one
    assert not (tmp_path / "root").exists()


def test_a_host_that_answered_before_is_waited_for_when_the_network_is_gone(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = socket.getaddrinfo
    failing = iter([False, False, True, True, True, False])  # the length, half of the file, thrice nothing, the rest
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *given, **more: (unknown_host if next(failing) else known)(*given, **more)
    )
    server.faults[FAN].append("cut")
    fetch(server, tmp_path, patience=Patience(retries=4, timeout=1.0, wait=0.01))
    assert sound(tmp_path) == expected()


def test_one_lost_file_does_not_keep_the_others(server: Server, tmp_path: Path) -> None:
    server.always[FAN] = 404
    with pytest.raises(DataError, match=FAN):
        fetch_dataset(
            "dcase2021", tmp_path, machines=["fan", "pump"], parts=["dev"], wishes=Wishes(server.url, patience=QUICK)
        )
    assert sound(tmp_path) == expected("pump")


def test_several_lost_files_are_all_named(server: Server, tmp_path: Path) -> None:
    server.always.update({FAN: 404, "dev_data_pump.zip": 403})
    with pytest.raises(DataError, match="2 of 2 files") as caught:
        fetch_dataset(
            "dcase2021", tmp_path, machines=["fan", "pump"], parts=["dev"], wishes=Wishes(server.url, patience=QUICK)
        )
    assert "404" in caught.value.looked
    assert "403" in caught.value.looked


def test_a_silent_server_is_noticed_and_asked_again(server: Server, tmp_path: Path, told: Told) -> None:
    server.faults[FAN].append("silent")
    fetch(server, tmp_path, told, patience=Patience(retries=1, timeout=0.3, wait=0.01))
    assert "silent" in told.text
    assert sound(tmp_path) == expected()


def test_a_slow_server_is_waited_for(server: Server, tmp_path: Path, told: Told) -> None:
    server.faults[FAN].append("slow")
    fetch(server, tmp_path, told)
    assert len(server.asked(FAN)) == 1
    assert sound(tmp_path) == expected()


def test_a_server_without_ranges_is_begun_anew(server: Server, tmp_path: Path, told: Told) -> None:
    server.faults[FAN].extend(["cut", "no-ranges"])
    fetch(server, tmp_path, told)
    assert "from the start" in told.text
    assert server.asked(FAN)[1].sent == len(server.files[FAN])
    assert sound(tmp_path) == expected()


def test_a_server_without_length_is_no_obstacle(server: Server, tmp_path: Path) -> None:
    server.always[FAN] = "no-length"
    fetch(server, tmp_path)
    assert sound(tmp_path) == expected()


@pytest.mark.parametrize("known", [True, False])
def test_a_server_that_never_ends_is_left_at_the_size_that_is_known_or_possible(
    server: Server, tmp_path: Path, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's server filled disks: 6.4 GB came of a list of labels."""
    server.always[FAN] = "endless"
    (source,) = choose("dcase2021", ["fan"], ["dev"])
    size = len(server.files[FAN])
    monkeypatch.setattr(catalogue, "LARGEST", 2 * size)
    source = replace(source, bytes=size if known else None)
    words = "it has another length" if known else "larger than such a file can be"
    most = size if known else 2 * size
    written: list[int] = []
    monkeypatch.setattr(Told, "advance", lambda self, name, amount: written.append(amount))
    with pytest.raises(DataError, match=words) as caught:
        obtain(source, tmp_path, None, Wishes(server.url, patience=QUICK), Told(), threading.Event())
    assert f"more than {most:,} bytes" in caught.value.looked
    assert most - BLOCK < sum(written) <= most
    assert not list(tmp_path.iterdir())
    assert len(server.asked(FAN)) == 1  # it is no fault that may pass


def test_a_length_that_no_such_file_has_is_refused_before_it_comes(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "LARGEST", 1000)
    with pytest.raises(DataError, match="larger than such a file can be"):
        fetch(server, tmp_path)
    assert sound(tmp_path) == {}


def test_files_of_no_known_size_have_a_bound() -> None:
    for source in catalogue.sources():
        assert source.most == (source.bytes or (16 * 10**6 if source.part == "truth" else 8 * 10**9))


@pytest.mark.parametrize("fault", ["encoded", "moved"])
def test_what_unpacks_on_the_way_is_refused_and_the_body_of_a_redirection_is_not_read(
    server: Server, tmp_path: Path, fault: str
) -> None:
    server.always[FAN] = fault
    server.files[f"moved-{FAN}"] = server.files[FAN]
    if fault == "moved":
        fetch(server, tmp_path)
        assert sound(tmp_path) == expected()
    else:
        server.files[FAN] = bytes(1 << 24)  # a thousandth of that on the wire
        with pytest.raises(DataError, match=r"the server sends it encoded \(gzip\)"):
            fetch(server, tmp_path)
        assert sound(tmp_path) == {}
    assert len(server.asked(FAN)) == 1


def test_redirections_that_lead_nowhere_are_given_up(server: Server, tmp_path: Path) -> None:
    server.always[FAN] = "around"
    with pytest.raises(DataError, match="could not be downloaded"):
        fetch(server, tmp_path)
    assert len(server.asked(FAN)) == REDIRECTIONS * (QUICK.retries + 1)


def test_a_file_that_changed_on_the_server_is_not_mixed_with_its_old_half(
    server: Server, tmp_path: Path, told: Told
) -> None:
    server.always[FAN] = "cut"
    with pytest.raises(DataError):
        fetch(server, tmp_path)
    server.always.clear()
    new = {f"fan/{path}": content[::-1] for path, content in machine_files("fan", "dev").items()}
    server.files[FAN] = zipped(new)  # as long as the old one
    fetch(server, tmp_path, told)
    assert sound(tmp_path) == {f"dev_data/{path}": content for path, content in new.items()}


def test_a_half_of_another_address_is_not_continued(server: Server, tmp_path: Path, told: Told) -> None:
    server.always[FAN] = "cut"
    with pytest.raises(DataError):
        fetch(server, tmp_path)
    with Server(tree()) as mirror:
        fetch(mirror, tmp_path, told)
        assert [request.range for request in mirror.asked(FAN)] == [None]
    assert "another address" in told.text
    assert sound(tmp_path) == expected()


def test_wrong_bytes_are_refused_and_removed(server: Server, tmp_path: Path) -> None:
    server.faults[FAN].append("wrong")
    with pytest.raises(DataError, match="no zip archive") as caught:
        fetch(server, tmp_path)
    assert "run the same command again" in caught.value.hint
    assert_nothing_half_made(tmp_path)
    assert sound(tmp_path) == {}
    fetch(server, tmp_path)
    assert sound(tmp_path) == expected()


def test_a_page_instead_of_an_archive_is_shown(server: Server, tmp_path: Path) -> None:
    server.files[FAN] = b"<!DOCTYPE html><html>please log in</html>"
    with pytest.raises(DataError) as caught:
        fetch(server, tmp_path)
    assert "<!DOCTYPE html>" in caught.value.looked
    assert sound(tmp_path) == {}


def test_half_a_file_announced_as_whole_is_refused(server: Server, tmp_path: Path) -> None:
    server.faults[FAN].append("short")
    with pytest.raises(DataError, match="damaged"):
        fetch(server, tmp_path)
    assert_nothing_half_made(tmp_path)
    fetch(server, tmp_path)
    assert sound(tmp_path) == expected()


def test_bytes_damaged_inside_an_archive_are_noticed_by_its_own_checksums(server: Server, tmp_path: Path) -> None:
    whole = bytearray(server.files[FAN])
    whole[len(whole) // 2] ^= 255
    server.files[FAN] = bytes(whole)
    with pytest.raises(DataError, match="damaged") as caught:
        fetch(server, tmp_path)
    assert "CRC" in caught.value.looked
    assert_nothing_half_made(tmp_path)


def test_an_archive_that_leads_out_of_the_root_writes_nothing(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "a" / "root"
    server.files[FAN] = zipped({"fan/train/a.wav": b"a", "../../../evil.txt": b"evil"})
    with pytest.raises(DataError, match="not to be trusted"):
        fetch(server, root)
    assert_nothing_half_made(root)
    assert not list(tmp_path.rglob("evil*"))
    server.files = tree()
    fetch(server, root)
    assert sound(root) == expected()


def test_a_folder_of_archives_needs_no_network_and_is_left_as_it_is(server: Server, tmp_path: Path, told: Told) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    for name, content in server.files.items():
        (copies / name).write_bytes(content)
    fetch_dataset("dcase2021", tmp_path / "root", machines=["fan"], wishes=Wishes(str(copies)), watcher=told)
    assert sound(tmp_path / "root") == expected("fan", "dev", "additional", "eval")
    assert {path.name: path.read_bytes() for path in copies.iterdir()} == server.files
    assert server.requests == []


def test_a_folder_that_lacks_files_says_which(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    with pytest.raises(DataError, match="lacks 1 of 1") as caught:
        fetch_dataset("dcase2021", tmp_path / "a/r", machines=["fan"], parts=["dev"], wishes=Wishes(str(copies)))
    assert FAN in caught.value.looked
    assert list(tmp_path.iterdir()) == [copies]


def test_a_fetch_that_brings_nothing_leaves_nothing(server: Server, tmp_path: Path) -> None:
    """Neither the root and the folders above it, nor a lock in a root that was there; what is begun stays."""
    server.always[FAN] = 404
    (tmp_path / "there").mkdir()
    for root in (tmp_path / "a" / "b", tmp_path / "there"):
        with pytest.raises(DataError, match="404"):
            fetch(server, root)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]
    server.always[FAN] = "cut"
    with pytest.raises(DataError, match="cut"):
        fetch(server, tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "archives" / f"{FAN}.part").is_file()


def test_a_root_that_somebody_removes_meanwhile_is_no_error_of_its_own(tmp_path: Path) -> None:
    with locked(tmp_path / "root"):
        shutil.rmtree(tmp_path / "root")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_leaves_no_root_behind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder and no address"):
        fetch_dataset("dcase2021", tmp_path / "root", wishes=Wishes(str(tmp_path / "typo")))
    assert not (tmp_path / "root").exists()


def test_archives_can_be_kept_and_serve_again(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, keep_archives=True)
    assert (tmp_path / "archives" / FAN).read_bytes() == server.files[FAN]
    shutil.rmtree(tmp_path / "dev_data")
    server.requests.clear()
    fetch(server, tmp_path, keep_archives=True)
    assert server.asked(FAN) == []
    assert (tmp_path / "dev_data/fan/train").is_dir()


def test_files_that_differ_are_not_overwritten_unless_asked(server: Server, tmp_path: Path) -> None:
    mine = tmp_path / "dev_data/fan/train/section_00_source_train_normal_0001_x.wav"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    with pytest.raises(ConflictError) as caught:
        fetch(server, tmp_path)
    assert str(mine) in caught.value.looked
    assert "--replace" in caught.value.hint
    assert {name: content for name, content in sound(tmp_path).items() if name.startswith("dev")} == {
        "dev_data/fan/train/section_00_source_train_normal_0001_x.wav": b"mine"
    }
    server.requests.clear()
    fetch(server, tmp_path, replace=True)
    assert server.asked(FAN) == []  # the verified archive was kept for this
    assert sound(tmp_path) == expected()


def test_sound_that_somebody_unpacked_by_hand_is_compared_and_adopted(
    server: Server, tmp_path: Path, told: Told
) -> None:
    for name, content in expected().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    fetch(server, tmp_path, told)
    assert "compare it file by file" in told.text
    assert FAN in record(tmp_path)
    assert sound(tmp_path) == expected()


def test_two_archives_with_other_notes_of_one_name_keep_both(server: Server, tmp_path: Path, told: Told) -> None:
    for part, note in (("additional", b"train notes"), ("eval", b"test notes")):
        files = {f"fan/{path}": content for path, content in machine_files("fan", part).items()}
        server.files[archive_name("fan", part)] = zipped(files | {"fan/attributes_03.csv": note})
    wishes = Wishes(server.url, parallel=1, patience=QUICK)
    for _ in range(2):
        done = fetch_dataset(
            "dcase2021", tmp_path, machines=["fan"], parts=["additional", "eval"], wishes=wishes, watcher=told
        )
    assert len(done.there) == 2
    notes = {path.name: path.read_bytes() for path in (tmp_path / "eval_data/fan").glob("*.csv")}
    assert notes == {"attributes_03.csv": b"train notes", "attributes_03.eval_data_fan_test.csv": b"test notes"}


def test_each_data_set_has_a_root_of_its_own(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path)
    with pytest.raises(ConflictError, match="holds dcase2021 already"):
        fetch_dataset("dcase2022", tmp_path, machines=["fan"], parts=["dev"], wishes=Wishes(server.url))


def test_what_a_killed_process_left_is_tidied_up(server: Server, tmp_path: Path) -> None:
    left = tmp_path / ".asdbench/unpacking" / FAN / "train"
    left.mkdir(parents=True)
    (left / "half.wav").write_bytes(b"half")
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives/tmpabc").write_bytes(b"pooch's")
    fetch(server, tmp_path)
    assert sound(tmp_path) == expected()
    assert not (tmp_path / ".asdbench/unpacking").exists()


def test_the_record_lists_every_file_with_size_and_crc(server: Server, tmp_path: Path) -> None:
    import zlib

    fetch(server, tmp_path)
    with (tmp_path / ".asdbench" / f"{FAN}.csv").open() as file:
        rows = {row["path"]: (int(row["bytes"]), int(row["crc32"], 16)) for row in csv.DictReader(file)}
    assert rows == {name: (len(content), zlib.crc32(content)) for name, content in expected().items()}


@pytest.mark.parametrize("damage", ["{", '{"format": 99, "downloads": {}}', '{"format": 1, "downloads": {"a": {}}}'])
def test_a_damaged_record_is_named(server: Server, tmp_path: Path, damage: str) -> None:
    (tmp_path / ".asdbench").mkdir()
    (tmp_path / ".asdbench/downloads.json").write_text(damage)
    with pytest.raises(DataError, match="record") as caught:
        fetch(server, tmp_path)
    assert "downloads.json" in caught.value.looked


def test_what_is_no_list_of_labels_is_not_kept(server: Server, tmp_path: Path) -> None:
    server.files["eval_data_list_2020.csv"] = b"<!DOCTYPE html>\n<html>\n"
    with pytest.raises(DataError, match="no labels that can be believed"):
        fetch_dataset("dcase2020", tmp_path, parts=["truth"], wishes=Wishes(server.url, patience=QUICK))
    assert sound(tmp_path) == {}


def test_another_length_than_is_known_is_refused_before_it_is_downloaded(server: Server, tmp_path: Path) -> None:
    server.files["eval_data_list_2023.csv"] = bytes(3_000_000)
    with pytest.raises(DataError, match="another length") as caught:
        fetch_dataset("dcase2023", tmp_path, parts=["truth"], wishes=Wishes(server.url, patience=QUICK))
    assert "expected 107,791 bytes" in caught.value.looked
    assert "found    3,000,000 bytes" in caught.value.looked
    assert sound(tmp_path) == {}


@pytest.mark.shared
def test_the_organizers_lists_are_taken(server: Server, tmp_path: Path, shared: Path) -> None:
    for year in (2020, 2021, 2023, 2024, 2025):
        name = f"eval_data_list_{year}.csv"
        server.files[name] = (shared / "reference/ground_truth" / name).read_bytes()
        fetch_dataset(f"dcase{year}", tmp_path / str(year), parts=["truth"], wishes=Wishes(server.url, patience=QUICK))
        assert sound(tmp_path / str(year)) == {f"ground_truth/{name}": server.files[name]}


def evaluators(folder: Path) -> bytes:
    """An evaluator's repository as GitHub packs it."""
    top = "dcase2023_task2_evaluator-c850537"
    files = {f"{top}/README.md": b"read me", f"{top}/tools/plot.py": b"print()"}
    paths = sorted(path for path in folder.rglob("*.csv"))
    return zipped(files | {f"{top}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths})


def test_labels_come_from_the_evaluators_repository(
    server: Server, evaluator: Path, tmp_path: Path, told: Told
) -> None:
    root, wishes = tmp_path / "root", Wishes(server.url, patience=QUICK)
    server.files["dcase2023_task2_evaluator.zip"] = evaluators(evaluator)
    server.files["eval_data_list_2023.csv"] = b"a copy that nobody asks for"
    done = fetch_dataset("dcase2023", root, parts=["truth"], wishes=wishes)
    assert done.fetched == ("dcase2023_task2_evaluator.zip",)
    assert sound(root) == {
        f"ground_truth/{path.relative_to(evaluator).as_posix()}": path.read_bytes() for path in evaluator.rglob("*.csv")
    }
    again = fetch_dataset("dcase2023", root, parts=["truth"], wishes=wishes, watcher=told)
    assert (again.fetched, again.there) == ((), ("dcase2023_task2_evaluator.zip",))
    (root / "eval_data/bandsaw/test").mkdir(parents=True)
    (root / "eval_data/bandsaw/test/section_00_0002.wav").touch()
    (root / "ground_truth/eval_data_list_2023.csv").write_text(
        "bandsaw\nsection_00_0002.wav,section_00_target_test_normal_0002.wav\n"
    )
    (only,) = dcase2023(str(root)).clips
    assert (only.label, only.domain) == ("anomaly", "source")  # the evaluator's word counts, not the copy's


@pytest.mark.shared
def test_a_copy_of_the_labels_is_taken_where_the_evaluator_cannot_be_had(
    server: Server, tmp_path: Path, told: Told, shared: Path
) -> None:
    listing = (shared / "reference/ground_truth/eval_data_list_2023.csv").read_bytes()
    server.files["eval_data_list_2023.csv"] = listing
    wishes = Wishes(server.url, patience=QUICK)
    for damaged in (None, b"<!DOCTYPE html>", zipped({"dcase2023_task2_evaluator-main/README.md": b"moved"})):
        if damaged is not None:
            server.files["dcase2023_task2_evaluator.zip"] = damaged
        root = tmp_path / str(len(damaged or b""))
        done = fetch_dataset("dcase2023", root, parts=["truth"], wishes=wishes, watcher=told)
        assert done.fetched == ("eval_data_list_2023.csv",)
        assert sound(root) == {"ground_truth/eval_data_list_2023.csv": listing}
        assert "eval_data_list_2023.csv is taken instead" in told.text
        assert fetch_dataset("dcase2023", root, parts=["truth"], wishes=wishes).fetched == ()


def test_labels_of_the_package_are_not_fetched_unasked(server: Server, tmp_path: Path, told: Told) -> None:
    for year in (2021, 2022):
        server.files["dcase2022_evaluator.zip"] = b"not asked for"
        with pytest.raises(DataError):
            fetch_dataset(f"dcase{year}", tmp_path / str(year), wishes=Wishes(server.url, patience=QUICK), watcher=told)
        assert f"the labels of the {year} evaluation clips are part of asdbench" in told.text


def test_a_folder_without_labels_is_told_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no labels of 2023") as caught:
        fetch_dataset("dcase2023", tmp_path / "root", parts=["truth"], wishes=Wishes(str(tmp_path / "empty")))
    assert "no dcase2023_task2_evaluator.zip and no eval_data_list_2023.csv" in caught.value.looked
    assert "nttcslab/dcase2023_task2_evaluator" in caught.value.hint


def test_supplemental_sound_comes_with_its_machine(server: Server, tmp_path: Path) -> None:
    for part, files in {"train": ("train", "supplemental"), "test": ("test",)}.items():
        names = {
            "train": "section_00_source_train_normal_0000_noAttribute.wav",
            "supplemental": "section_00_0000_noise.wav",
            "test": "section_00_0000.wav",
        }
        server.files[f"eval_data_Sander_{part}.zip"] = zipped({f"Sander/{f}/{names[f]}": clip(f) for f in files})
    fetch_dataset(
        "dcase2026",
        tmp_path,
        machines=["Sander"],
        parts=["additional", "eval"],
        wishes=Wishes(server.url, patience=QUICK),
    )
    assert set(sound(tmp_path)) == {
        "eval_data/Sander/train/section_00_source_train_normal_0000_noAttribute.wav",
        "eval_data/Sander/supplemental/section_00_0000_noise.wav",
        "eval_data/Sander/test/section_00_0000.wav",
    }
    data = dcase2026(str(tmp_path))
    assert sorted((c.part, c.split) for c in data.clips) == [("additional", "train"), ("eval", "test")]
    assert any("supplemental sound is left out (Sander)" in remark for remark in data.remarks)


def test_labels_from_a_folder(tmp_path: Path) -> None:
    listing = b"fan\nid_01_00000000.wav,normal_id_01_00000098.wav,0\nid_01_00000001.wav,anomaly_id_01_00000064.wav,1\n"
    (tmp_path / "eval_data_list_2020.csv").write_bytes(listing)
    fetch_dataset("dcase2020", tmp_path / "root", parts=["truth"], wishes=Wishes(str(tmp_path)))
    assert sound(tmp_path / "root") == {"ground_truth/eval_data_list_2020.csv": listing}


def test_what_was_fetched_tells_the_year_where_names_do_not(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "data"
    wishes = Wishes(server.url, patience=QUICK)
    fetch_dataset("dcase2021", root, machines=["fan"], parts=["additional"], wishes=wishes)
    data = dcase(str(root))
    assert data.year == 2021
    assert "the record of what was fetched says 2021; by its clips it could be of 2022, too" in data.remarks[0]
    shutil.rmtree(root / ".asdbench")
    with pytest.raises(DataError, match="2021 and 2022 fit alike"):
        dcase(str(root))
