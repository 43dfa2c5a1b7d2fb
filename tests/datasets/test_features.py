from __future__ import annotations

import csv
import json
import pickle
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.api import Clip
from asdbench.datasets import fingerprint, index
from asdbench.datasets.features import FeaturesDataset, features, write
from asdbench.errors import DataError

HEAD = "clip,machine,section,domain,split,label"
ROWS = (
    "pump/b.wav,pump,00,source,train,normal",
    "a.wav,pump,00,source,test,anomaly",
    "a.wav,fan,id_02,target,test,",
    "c.wav,fan,id_02,source,train,",
)


def folder(
    tmp_path: Path, rows: Sequence[str] = ROWS, head: str = HEAD, array: Any = None, origin: object = None
) -> Path:
    made = tmp_path / "given"
    made.mkdir(exist_ok=True)
    (made / "index.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    np.save(
        made / "features.npy", np.arange(len(rows) * 3, dtype=np.float32).reshape(-1, 3) if array is None else array
    )
    if origin is not None:
        (made / "embedding.json").write_text(json.dumps(origin))
    return made


def error(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        features(str(path))
    assert caught.value.looked
    assert caught.value.hint
    return caught.value


def test_clips_are_sorted_and_keep_their_rows(tmp_path: Path) -> None:
    data = features(str(folder(tmp_path)))
    assert [(clip.machine, clip.name, clip.row) for clip in data.clips] == [
        ("fan", "a.wav", 2),
        ("fan", "c.wav", 3),
        ("pump", "a.wav", 1),
        ("pump", "pump/b.wav", 0),
    ]
    assert [clip.label for clip in data.clips] == [None, None, "anomaly", "normal"]
    assert [clip.section for clip in data.clips] == ["id_02", "id_02", "00", "00"]
    assert {clip.part for clip in data.clips} == {"dev"}
    assert (data.name, data.profile, data.reader) == ("given", "full", None)
    assert (data.features.kind, data.features.path.name) == ("vector", "features.npy")


def test_the_part_may_be_given_and_other_columns_are_ignored(tmp_path: Path) -> None:
    rows = ["note,eval,a,fan,03,source,test,normal", "x,additional,b,fan,03,source,train,"]
    data = features(str(folder(tmp_path, rows, "remark,part,clip,machine,section,domain,split,label")))
    assert [clip.part for clip in data.clips] == ["eval", "additional"]


def test_a_spreadsheets_csv_is_read(tmp_path: Path) -> None:
    made = folder(tmp_path)
    text = "\ufeff" + (made / "index.csv").read_text().replace(",", ", ").replace("\n", "\r\n") + "\r\n"
    (made / "index.csv").write_bytes(text.encode())
    assert [clip.section for clip in features(str(made)).clips] == ["id_02", "id_02", "00", "00"]


@pytest.mark.parametrize("text", ["{}", "{}/", "{}/../given/.", "../{name}", "."])
def test_the_name_is_the_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    made = folder(tmp_path)
    monkeypatch.chdir(made)
    assert features(text.format(made, name=made.name)).name == "given"


def test_features_of_unstated_origin_are_stamped(tmp_path: Path) -> None:
    assert features(str(folder(tmp_path))).stamps == ("features of unstated origin",)


@pytest.mark.parametrize(
    ("origin", "stamps"),
    [
        ({"recipe": {"name": "x"}, "weights": "ab" * 32, "data_fingerprint": "f", "stamps": []}, ()),
        ({"recipe": {"name": "x"}, "weights": "ab" * 32, "stamps": ["synthetic data"]}, ("synthetic data",)),
        ({"recipe": {"name": "x"}, "weights": "random"}, ("untrained network",)),
        (
            {"recipe": {"name": "x"}, "weights": "random", "stamps": ["untrained network", "synthetic data"]},
            ("untrained network", "synthetic data"),
        ),
        ({}, ("features of unstated origin",)),
        ({"recipe": {"name": "x"}, "stamps": ["mine"]}, ("mine", "features of unstated origin")),
    ],
)
def test_stamps_travel_with_the_features(tmp_path: Path, origin: dict[str, Any], stamps: tuple[str, ...]) -> None:
    data = features(str(folder(tmp_path, origin=origin)))
    assert data.stamps == stamps
    assert data.features.recipe == origin


def test_digests_follow_a_row_its_type_and_nothing_else(tmp_path: Path) -> None:
    def digests(data: FeaturesDataset) -> dict[tuple[str, str], str]:
        return {(clip.machine, clip.name): data.digest(clip) for clip in data.clips}

    array = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    first = digests(features(str(folder(tmp_path, array=array))))
    assert len(set(first.values())) == 4
    assert digests(features(str(folder(tmp_path, ROWS[::-1], array=array[::-1])))) == first
    assert digests(features(str(folder(tmp_path, array=np.asfortranarray(array))))) == first
    array[2, 4] += 1
    second = digests(features(str(folder(tmp_path, array=array))))
    assert {key for key in first if first[key] != second[key]} == {("fan", "a.wav")}
    assert not set(digests(features(str(folder(tmp_path, array=array.astype(np.float64))))).values()) & set(
        second.values()
    )


def test_many_digests_are_the_single_ones(tmp_path: Path) -> None:
    data = features(str(folder(tmp_path)))
    assert data.digest_many(data.clips) == [data.digest(clip) for clip in data.clips]


def test_missing_folder_and_files(tmp_path: Path) -> None:
    assert "no folder" in error(tmp_path / "nowhere").message
    made = folder(tmp_path)
    (made / "features.npy").rename(made / "feature.npy")
    caught = error(made)
    assert "no features.npy" in caught.message
    assert "feature.npy" in caught.looked
    (made / "index.csv").unlink()
    assert "no index.csv" in error(made).message


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("x,fan,00,Source,test,", "line 6: domain is 'Source'"),
        ("x,fan,00,,test,", "line 6: domain is ''"),
        ("x,fan,00,source,valid,", "line 6: split is 'valid'"),
        ("x,fan,00,source,test,abnormal", "line 6: label is 'abnormal'"),
        ("x,fan,00,source,test,1", "line 6: label is '1'"),
        ("a.wav,fan,00,source,test,", "line 6: fan clip a.wav stands in line 4 too"),
        (",fan,00,source,test,", "line 6: clip ''"),
        ("x,,00,source,test,", "line 6: machine ''"),
        ("x,fan,,source,test,", "line 6: section ''"),
        ("x,../fan,00,source,test,", "line 6: machine '../fan'"),
        ("x,fan/1,00,source,test,", "line 6: machine 'fan/1'"),
        ("x,fan\\1,00,source,test,", "line 6: machine"),
        ("x,fan,..,source,test,", "line 6: section '..'"),
        ("x,fan,0\x070,source,test,", "line 6: section"),
        ('"x\ny",fan,00,source,test,', "line 7: clip"),
        ("x,fan,00,source,train,anomaly", "line 6: training clip x is an anomaly"),
        ("x,fan,00,source,test", "line 6: 5 values under 6 columns"),
        ("x,fan,00,source,test,normal,1", "line 6: 7 values under 6 columns"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: str, message: str) -> None:
    caught = error(folder(tmp_path, [*ROWS, row]))
    assert message in caught.message
    assert "index.csv" in caught.looked


def test_the_same_clip_name_on_two_machines_is_fine(tmp_path: Path) -> None:
    assert len(features(str(folder(tmp_path))).clips) == 4


def test_missing_columns_are_named(tmp_path: Path) -> None:
    caught = error(folder(tmp_path, ["a,fan,00,train"], "clip,machine,section,split"))
    assert "domain, label" in caught.message


@pytest.mark.parametrize("content", [b"", b"clip,machine,section,domain,split,label\n", b"\xff\xfe\x00c\x00l", b"\n\n"])
def test_an_index_without_clips(tmp_path: Path, content: bytes) -> None:
    made = folder(tmp_path)
    (made / "index.csv").write_bytes(content)
    assert "index.csv" in error(made).message


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 5), np.float32), "3 x 5, but index.csv names 4 clips"),
        (np.zeros((4, 0), np.float32), "4 x 0"),
        (np.zeros(4, np.float32), "(4,)"),
        (np.zeros((4, 2, 2), np.float32), "(4, 2, 2)"),
        (np.zeros((4, 5), np.int16), "int16"),
        (np.zeros((4, 5), np.complex64), "complex64"),
        (np.array([["a"]] * 4), "<U1"),
    ],
)
def test_arrays_that_do_not_belong(tmp_path: Path, array: np.ndarray[Any, Any], message: str) -> None:
    caught = error(folder(tmp_path, array=array))
    assert message in caught.message
    assert "features.npy" in caught.looked


def test_what_float32_cannot_hold_is_refused_with_that_reason(tmp_path: Path) -> None:
    draws = np.random.default_rng(0).standard_normal((4, 5))
    far = error(folder(tmp_path, array=draws + np.array([0, 0, 1e9, 0, 0])))
    assert "float32 cannot tell the clips of fan id_02 apart: column 3 of 5 goes from 999999997.67" in far.message
    assert "would be 1000000000.0 throughout" in far.message
    assert "subtract a constant" in far.hint
    huge = error(folder(tmp_path, array=draws * [1, 1, 1e300, 1, 1]))
    assert "float64 values beyond float32 (3.4e+38) in 4 of 4 clips" in huge.message
    nothing = error(folder(tmp_path, array=draws * [1, 1, np.nan, 1, 1]))
    assert "NaN or infinite values in 4 of 4 clips" in nothing.message


def test_what_float32_holds_well_enough_is_taken(tmp_path: Path) -> None:
    draws = np.random.default_rng(0).standard_normal((4, 5))
    made = features(str(folder(tmp_path, array=draws * 1e30 + 1e33)))
    assert len(made.clips) == 4
    draws[:, 1] = 0.3 + 1e-16 * np.arange(4)  # nothing but rounding
    assert len(set(draws[:, 1])) > 1
    assert len(features(str(folder(tmp_path, array=draws))).clips) == 4
    assert len(features(str(folder(tmp_path, array=(draws + 1e9).astype(np.float32)))).clips) == 4  # not our cast


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    made = folder(tmp_path)
    np.save(made / "features.npy", np.array([[Trap()]] * 4), allow_pickle=True)
    assert "features.npy" in error(made).message
    (made / "features.npy").write_bytes(pickle.dumps(Trap()))
    assert "features.npy" in error(made).message
    assert not (tmp_path / "sprung").exists()


def test_a_file_cut_short_or_of_another_kind(tmp_path: Path) -> None:
    made = folder(tmp_path)
    whole = (made / "features.npy").read_bytes()
    for content in (whole[:-8], whole[:20], b"", b"1.0,2.0\n"):
        (made / "features.npy").write_bytes(content)
        assert "features.npy" in error(made).message
    with (made / "features.npy").open("wb") as file:
        np.savez(file, a=np.zeros((4, 3)))
    assert "several arrays" in error(made).message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_features_that_are_not_finite_name_their_clips(tmp_path: Path, value: float) -> None:
    array = np.zeros((4, 3))
    array[2, 1] = array[0, 0] = value
    caught = error(folder(tmp_path, array=array))
    assert "2 of 4 clips" in caught.message
    assert "pump pump/b.wav, fan a.wav" in caught.looked
    assert "features.npy" in caught.looked


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"stamps": "synthetic"}', '{"stamps": [1]}', '{"weights": null}', '{"recipe": "x"}']
)
def test_a_damaged_statement_of_origin(tmp_path: Path, text: str) -> None:
    made = folder(tmp_path)
    (made / "embedding.json").write_text(text)
    assert "embedding.json" in error(made).message


def clips() -> list[Clip]:
    return [
        Clip('z,"quoted".wav', "fan", "00", "target", "test", "eval", "anomaly", Path("/data/z.wav")),
        Clip("a.wav", "fan", "00", "source", "train", "additional", "normal", Path("/data/a.wav")),
        Clip("section_03_source_test_0000.wav", "ToyCar", "03", "source", "test", "eval", None, Path("/data/b.wav")),
    ]


def test_the_year_of_the_clips_travels_with_their_features(tmp_path: Path) -> None:
    clips = [Clip("normal_id_00_00000000.wav", "fan", "00", "", "test", "dev", "normal")]
    write(tmp_path, clips, np.ones((1, 2)), recipe={"name": "x"}, weights="none", fingerprint="f", year=2020)
    data = features(str(tmp_path))
    assert (data.year, data.clips[0].domain) == (2020, "")
    origin = (tmp_path / "embedding.json").read_text()
    for year in ("2019", '"2020"', "null"):
        (tmp_path / "embedding.json").write_text(origin.replace('"year": 2020', f'"year": {year}'))
        assert "year is" in error(tmp_path).message
    (tmp_path / "embedding.json").write_text(origin.replace(',\n  "year": 2020', ""))
    assert "domain is ''" in error(tmp_path).message


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    array = np.random.default_rng(1).standard_normal((3, 7)).astype(np.float32)
    where = tmp_path / "new" / "embedded"
    write(
        where, clips(), array, recipe={"name": "resnet38"}, weights="random", fingerprint="f", stamps=["synthetic data"]
    )
    data = features(str(where))
    fields = ("name", "machine", "section", "domain", "split", "part", "label")
    assert [[getattr(clip, field) for field in fields] for clip in data.clips] == [
        [getattr(clip, field) for field in fields] for clip in sorted(clips(), key=lambda c: (c.machine, c.name))
    ]
    stored = np.load(data.features.path)
    for clip in data.clips:
        original = [other.name for other in clips()].index(clip.name)
        np.testing.assert_array_equal(stored[clip.row], array[original])
    assert data.stamps == ("synthetic data", "untrained network")
    assert data.features.recipe["recipe"] == {"name": "resnet38"}
    assert data.features.recipe["data_fingerprint"] == "f"
    assert sorted(path.name for path in where.iterdir()) == ["embedding.json", "features.npy", "index.csv"]
    assert list(csv.reader((where / "index.csv").open(newline="")))[1][0] == 'z,"quoted".wav'


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("what", [OSError(28, "No space left on device"), OSError("800 requested and 96 written")])
@pytest.mark.parametrize("where", ["features.npy", "index.csv", "embedding.json"])
def test_a_full_disk_leaves_an_older_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, what: OSError
) -> None:
    array = np.zeros((3, 2), np.float32)
    write(tmp_path / "f", clips(), array, recipe={"a": 1}, weights="w", fingerprint="f")
    before = contents(tmp_path / "f")

    def full(*arguments: Any, **_: object) -> None:
        target = arguments[0] if isinstance(arguments[0], Path) else arguments[0].name
        assert where in str(target)
        Path(target).write_bytes(b"as much as there was room for")
        raise what

    place, name = {
        "features.npy": (np.lib.format, "write_array_header_1_0"),
        "index.csv": (index, "write"),
        "embedding.json": (Path, "write_text"),
    }[where]
    with monkeypatch.context() as patch:
        patch.setattr(place, name, full)
        with pytest.raises(DataError) as caught:
            write(tmp_path / "f", clips(), array + 1, recipe={"a": 2}, weights="w", fingerprint="f")
    assert (what.strerror or str(what)) in caught.value.message
    assert contents(tmp_path / "f") == before
    assert features(str(tmp_path / "f")).features.recipe["recipe"] == {"a": 1}


def test_an_interruption_leaves_an_older_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.zeros((3, 2), np.float32)
    write(tmp_path / "f", clips(), array, recipe={"a": 1}, weights="w", fingerprint="f")
    before = contents(tmp_path / "f")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(index, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "f", clips(), array + 1, recipe={"a": 2}, weights="w", fingerprint="f")
    assert contents(tmp_path / "f") == before


def test_a_rewrite_broken_off_among_its_renames_is_not_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = np.zeros((3, 2), np.float32)
    write(tmp_path / "f", clips(), array, recipe={"a": 1}, weights="w", fingerprint="f")
    replace = Path.replace

    def refused(path: Path, target: Path) -> Path:
        if path.name == "index.csv.partial":
            raise PermissionError(13, "Permission denied")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(DataError, match="Permission denied"):
        write(tmp_path / "f", clips(), array + 1, recipe={"a": 2}, weights="w", fingerprint="f")
    assert set(contents(tmp_path / "f")) == {"features.npy"}
    with pytest.raises(DataError):
        features(str(tmp_path / "f"))


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((2, 2), np.float32),
        np.zeros((4, 2), np.float32),
        np.zeros((3, 2), np.int64),
        np.zeros((3, 2, 2), np.float32),
        [np.zeros(2), np.zeros(3), np.zeros(2)],
        [np.zeros(2), np.zeros(2, np.float32), np.zeros(2)],
        [],
    ],
)
def test_vectors_must_belong_to_clips_when_written(tmp_path: Path, vectors: Any) -> None:
    write(tmp_path / "f", clips(), np.ones((3, 2)), recipe={}, weights="w", fingerprint="f")
    before = contents(tmp_path / "f")
    with pytest.raises(DataError, match="do not belong to the clips"):
        write(tmp_path / "f", clips(), vectors, recipe={}, weights="w", fingerprint="f")
    assert contents(tmp_path / "f") == before


def test_vectors_are_written_one_by_one_as_numpy_would_write_all(tmp_path: Path) -> None:
    many = [replace(clips()[0], name=f"{number}.wav") for number in range(20)]
    array = np.random.default_rng(1).standard_normal((len(many), 7)).astype(np.float32)
    gone: list[int] = []

    def made() -> Iterator[Any]:
        for number, row in enumerate(array):
            vector = row.copy()
            weakref.finalize(vector, gone.append, number)
            yield vector
            assert number - len(gone) < 3  # the first, to compare with, this one and the one before

    write(tmp_path / "f", many, made(), recipe={}, weights="w", fingerprint="f")
    np.save(tmp_path / "all.npy", array)
    assert (tmp_path / "f" / "features.npy").read_bytes() == (tmp_path / "all.npy").read_bytes()


@pytest.mark.shared
def test_real_features_are_opened(shared: Path) -> None:
    where = shared / "real" / "features_dcase2020_modspec"
    data = features(str(where))
    assert (data.name, len(data.clips)) == ("features_dcase2020_modspec", 9644)
    assert sum(clip.split == "train" for clip in data.clips) == 6479
    assert {clip.label for clip in data.clips if clip.split == "test"} == {"normal", "anomaly"}
    assert len({(clip.machine, clip.section) for clip in data.clips}) == 8
    assert data.stamps == ("features of unstated origin",)
    assert len(fingerprint(data, data.clips)) == 64
