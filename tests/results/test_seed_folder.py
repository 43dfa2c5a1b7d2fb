from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.files import write_text
from asdbench.results.components import Components, Row, join
from asdbench.results.results_folder import seed_folder, seed_folders
from asdbench.results.seed_folder import SeedFolder

FAN = Cell("fan", "00", "source")


def rows(count: int, machine: str = "fan") -> list[Row]:
    return [Row("test", machine, "00", "source", f"clip_{number}.wav", machine) for number in range(count)]


@given(
    hnp.arrays(np.float32, 5, elements=st.floats(width=32, allow_nan=False)),
    hnp.arrays(np.float64, 5, elements=st.floats(allow_nan=False)),
)
def test_components_come_back_to_the_same_bits_in_their_own_type(narrow: np.ndarray, wide: np.ndarray) -> None:
    import tempfile

    values = {"a": narrow, "b": wide, "c": -narrow, "d:float64": narrow, "d:float32": wide}
    with tempfile.TemporaryDirectory() as place:
        folder = SeedFolder(Path(place))
        folder.write_components(Components(rows(5), values))
        back = folder.components()
    assert list(back.identity) == rows(5)
    assert list(back.values) == list(values)
    for name, column in values.items():
        assert (back.values[name].dtype, back.values[name].tobytes()) == (column.dtype, column.tobytes())


def test_a_column_says_its_type_where_it_is_not_float32(tmp_path: Path) -> None:
    folder = SeedFolder(tmp_path)
    folder.write_components(Components(rows(1), {"kld": np.array([0.1], np.float32), "rest": np.array([0.1])}))
    assert (tmp_path / "components.csv").read_text().splitlines() == [
        "split,machine,section,domain,clip,fit,kld,rest:float64",
        "test,fan,00,source,clip_0.wav,fan,0.1,0.1",
    ]


def test_scores_come_back_to_the_same_bits(tmp_path: Path) -> None:
    folder = SeedFolder(tmp_path)
    scores = np.array([0.1, 1e-300, 12345.678901234567])
    folder.files.write_scores(FAN, ["a", "b", "c,d"], scores)
    clips, back = folder.files.scores(FAN)
    assert clips == ["a", "b", "c,d"]
    assert back.tobytes() == scores.tobytes()
    assert folder.files.cells() == [FAN]
    assert (tmp_path / "anomaly_score_fan_section_00_source_test.csv").read_text().startswith("a,0.1\n")


def test_joining_fills_what_a_part_lacks_with_nan() -> None:
    one = Components(rows(1), {"a": np.array([1], np.float32)})
    two = Components(rows(1, "pump"), {"b": np.array([2], np.float32)})
    both = join([one, two])
    assert math.isnan(both.values["a"][1])
    assert math.isnan(both.values["b"][0])
    assert [row[1] for row in both.without(["fan"]).identity] == ["pump"]
    assert join([]).identity == []


def test_a_folder_without_manifest_is_nothing_yet(tmp_path: Path) -> None:
    folder = seed_folder(tmp_path, "toy", "mvg", 777)
    folder.write_components(Components(rows(1), {"a": np.zeros(1, np.float32)}))
    assert folder.manifest() == {}
    assert seed_folders(tmp_path) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 99, "machines": {}}', '{"format": 2}', "\xff"])
def test_a_damaged_or_foreign_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError) as caught:
        SeedFolder(tmp_path).manifest()
    assert str(tmp_path) in caught.value.looked
    assert caught.value.hint


def test_a_damaged_score_file_is_named_with_its_line(tmp_path: Path) -> None:
    folder = SeedFolder(tmp_path)
    folder.files.write_scores(FAN, ["a"], np.array([1.0]))
    path = tmp_path / "anomaly_score_fan_section_00_source_test.csv"
    path.write_text("a,1.0\nb;2.0\n")
    with pytest.raises(DataError, match="line 2"):
        folder.files.scores(FAN)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.json"
    write_text(path, "old")

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(DataError, match="No space left on device"):
        write_text(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nan_never_enters_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        SeedFolder(tmp_path).write_manifest({"machines": {"fan": math.nan}})
    SeedFolder(tmp_path).write_manifest({"machines": {}})
    assert json.loads((tmp_path / "manifest.json").read_text())["format"] == 2
