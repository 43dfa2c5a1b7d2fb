"""Whole folders: what the official programs let through and we do not, and what a partial score leaves out."""

from __future__ import annotations

import itertools
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asdbench.datasets.years import YEARS, Unit
from asdbench.errors import DataError
from asdbench.submissions.scoring import score_folder
from tests.submissions.conftest import MakeFolder, clip_names, read, write

FILE = "anomaly_score_fan_section_01_target_test.csv"
DECISIONS = "decision_result_fan_section_01_target_test.csv"
EVALUATION = "anomaly_score_gearbox_section_04_target_test.csv"
Damage = Callable[[Path], object]


def refusal(folder: Path, year: int = 2021, truth: Path | None = None) -> DataError:
    with pytest.raises(DataError) as caught:
        score_folder(folder, YEARS[year], truth)
    assert caught.value.exit_code == 4
    return caught.value


def edit(change: Callable[[list[str]], list[str]]) -> Damage:
    """Change the lines of a file."""

    def damage(path: Path) -> None:
        path.write_text("".join(f"{line}\n" for line in change(path.read_text().splitlines())))

    return damage


def value_of_line_5(text: str) -> Damage:
    return edit(lambda lines: [re.sub(",.*", f",{text}", line) if n == 5 else line for n, line in enumerate(lines, 1)])


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def broken_link_instead(path: Path) -> None:
    path.unlink()
    path.symlink_to("gone.csv")


def renamed(old: str, new: str) -> Damage:
    return lambda path: path.rename(path.with_name(re.sub(old, new, path.name)))


DAMAGES: dict[str, tuple[Damage, str]] = {
    "a clip that is not in the set": (
        edit(lambda lines: [line.replace("_0002.wav", "_9002.wav") for line in lines]),
        r"line \d+: .*_9002.wav is |the numbers leave out target normal 0002|_9002.wav is missing",
    ),
    "a clip of another section": (
        edit(lambda lines: [lines[0].replace("section_0", "section_1"), *lines[1:]]),
        r"line 1: section_1",
    ),
    "a clip missing": (edit(lambda lines: lines[:5] + lines[6:]), r"missing|leave out"),
    "a clip twice": (edit(lambda lines: [*lines, lines[3]]), r"line \d+: .* stands twice, first in line 4"),
    "a clip twice and another missing": (edit(lambda lines: [*lines[:-1], lines[0]]), "stands twice, first in line 1"),
    "NaN": (value_of_line_5("nan"), "line 5: nan is not finite"),
    "inf": (value_of_line_5("-inf"), "line 5: -inf is not finite"),
    "a header line": (edit(lambda lines: ["clip,score", *lines]), "line 1: a header line"),
    "text for a number": (value_of_line_5("high"), "line 5: high is no number"),
    "no number": (value_of_line_5(""), "line 5: no value"),
    "an empty file": (lambda path: path.write_text(""), ": empty"),
    "a binary file": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0"), "binary"),
    "a byte-order mark": (lambda path: path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes()), "line 1: .*mark"),
    "the file missing": (lambda path: path.unlink(), ": missing"),
    "a folder": (folder_instead, "a folder, not a file"),
    "a broken link": (broken_link_instead, "cannot be read"),
    "the name in capitals": (lambda path: path.rename(path.with_name(path.name.upper())), "upper and lower case count"),
    "another machine's name": (renamed("fan|gearbox", "Fan"), "unknown machine type Fan: there are ToyCar"),
    "a file for an unknown machine": (
        lambda path: shutil.copy(path, path.with_name("anomaly_score_toaster_section_04_source_test.csv")),
        "toaster_section_04_source_test.csv: unknown machine type toaster: there are ToyCar",
    ),
}


@pytest.mark.parametrize("decisions", [True, False])
@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_development_set_is_refused(make_folder: MakeFolder, what: str, decisions: bool) -> None:
    folder = make_folder(decisions=decisions, sections=("00", "01"))
    score_folder(folder, YEARS[2021])
    damage, reason = DAMAGES[what]
    damage(folder / FILE)
    error = refusal(folder)
    assert re.search(reason, error.looked), error.looked
    assert "--partial" in error.hint


@pytest.mark.shared
@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_evaluation_set_is_refused(evaluation: Path, what: str) -> None:
    damage, reason = DAMAGES[what]
    damage(evaluation / EVALUATION)
    error = refusal(evaluation)
    assert re.search(reason, error.looked), error.looked
    assert error.message.count("problem") == 1


@pytest.mark.parametrize("what", ["a clip missing", "a clip twice", "NaN", "text for a number", "an empty file"])
def test_a_damaged_decision_file_is_refused_and_a_partial_score_keeps_the_auc(
    make_folder: MakeFolder, what: str
) -> None:
    folder = make_folder()
    whole = score_folder(folder, YEARS[2021])
    DAMAGES[what][0](folder / DECISIONS)
    assert DECISIONS in refusal(folder).looked
    partial = score_folder(folder, YEARS[2021], partial=True)
    assert [cell.auc for cell in partial.cells] == [cell.auc for cell in whole.cells]
    assert [cell.f1 is None for cell in partial.cells] == [False, False, False, True]
    assert "f1" not in partial.summary.means


def test_decision_files_are_all_there_or_none(make_folder: MakeFolder) -> None:
    folder = make_folder()
    (folder / DECISIONS).unlink()
    assert f"{DECISIONS}: missing" in refusal(folder).looked
    for path in folder.glob("decision_result_*"):
        path.unlink()
    scored = score_folder(folder, YEARS[2021])
    assert not scored.decided
    assert {cell.precision for cell in scored.cells} == {None}


def test_a_decision_file_alone_is_no_cell(make_folder: MakeFolder) -> None:
    folder = make_folder(sections=("00",))
    shutil.copy(
        folder / "decision_result_fan_section_00_source_test.csv",
        folder / "decision_result_pump_section_00_source_test.csv",
    )
    assert "decision_result_pump" in refusal(folder).looked


def test_one_class_only_is_refused(make_folder: MakeFolder) -> None:
    folder = make_folder(decisions=False)
    write(folder / FILE, [row for row in read(folder / FILE) if "_normal_" in row[0]])
    assert "one class only: 4 clips, all normal" in refusal(folder).looked


@pytest.mark.parametrize("domain", ["source", "target"])
def test_from_2022_on_each_domain_must_have_normal_clips(make_folder: MakeFolder, domain: str) -> None:
    folder = make_folder(2022, decisions=False)
    path = folder / "anomaly_score_fan_section_01_test.csv"
    rows = read(path)
    write(path, [row for row in rows if f"_{domain}_test_normal_" not in row[0]])
    assert f"one class only in the {domain} domain" in refusal(folder, 2022).looked
    write(path, [row for row in rows if f"_{domain}_" not in row[0]])
    assert f"no clips of the {domain} domain" in refusal(folder, 2022).looked
    write(path, [row for row in rows if f"_{domain}_test_anomaly_" not in row[0]])
    cells = {(cell.section, cell.domain): cell for cell in score_folder(folder, YEARS[2022]).cells}
    assert cells["01", domain].n_anomaly == 0  # its AUC is against the other domain's anomalies


@pytest.mark.parametrize(
    ("year", "file"), [(2020, "fan_id_00"), (2022, "fan_section_00_test"), (2025, "fan_section_00_test")]
)
@pytest.mark.parametrize(
    "what", ["a clip twice", "NaN", "a header line", "an empty file", "a file for an unknown machine"]
)
def test_other_years_are_read_as_strictly(make_folder: MakeFolder, year: int, file: str, what: str) -> None:
    folder = make_folder(year, sections=("00",))
    score_folder(folder, YEARS[year])
    damage, reason = DAMAGES[what]
    path = folder / f"anomaly_score_{file}.csv"
    if "unknown" in what:
        path.rename(folder / f"anomaly_score_{file.replace('fan', 'toaster')}.csv")
        reason = "unknown machine type toaster"
    else:
        damage(path)
    error = refusal(folder, year)
    assert re.search(reason, error.looked), error.looked


def test_a_partial_score_leaves_out_what_is_damaged_and_says_so(make_folder: MakeFolder) -> None:
    folder = make_folder(machines=("fan", "pump"))
    whole = score_folder(folder, YEARS[2021])
    value_of_line_5("nan")(folder / FILE)
    shutil.copy(folder / FILE, folder / "anomaly_score_toaster_section_01_target_test.csv")
    partial = score_folder(folder, YEARS[2021], partial=True)
    kept = [cell for cell in whole.cells if (cell.machine, cell.section, cell.domain) != ("fan", "01", "target")]
    assert list(partial.cells) == kept
    assert {problem.file for problem in partial.left_out} == {
        FILE,
        "anomaly_score_toaster_section_01_target_test.csv",
    }


def test_a_partial_score_of_nothing_is_refused(make_folder: MakeFolder) -> None:
    folder = make_folder(sections=("00",))
    for path in folder.glob("anomaly_score_*"):
        path.write_text("")
    with pytest.raises(DataError, match=r"no score file in .* can be read"):
        score_folder(folder, YEARS[2021], partial=True)
    for path in folder.glob("anomaly_score_*"):
        write(path, [("section_00_source_test_normal_0000.wav", "1")])
    with pytest.raises(DataError, match=r"nothing in .* is complete"):
        score_folder(folder, YEARS[2021], partial=True)


def test_rows_are_matched_by_name(make_folder: MakeFolder) -> None:
    folder = make_folder()
    whole = score_folder(folder, YEARS[2021])
    shuffle = random.Random(5).shuffle
    for path in folder.iterdir():
        rows = read(path)
        shuffle(rows)
        write(path, rows)
    assert score_folder(folder, YEARS[2021]).cells == whole.cells


def test_the_same_folder_through_other_hands(make_folder: MakeFolder) -> None:
    folder = make_folder()
    whole = score_folder(folder, YEARS[2021])
    plain, quoted, linked, pathed = sorted(folder.glob("anomaly_score_*"))
    plain.write_bytes(plain.read_bytes().replace(b"\n", b"\r\n").rstrip())
    quoted.write_text("".join(f'"{clip}", "{value}"\n' for clip, value in read(quoted)))
    (folder / "deeper").mkdir()
    linked.rename(folder / "deeper" / "scores.csv")
    linked.symlink_to(folder / "deeper" / "scores.csv")
    write(pathed, [(f"test/{clip}", f"{float(value):.6e}") for clip, value in read(pathed)])
    scored = score_folder(folder, YEARS[2021])
    assert scored.cells == whole.cells
    assert scored.others == ("deeper",)


def test_what_is_absent_and_what_is_passed_over(make_folder: MakeFolder) -> None:
    folder = make_folder(machines=("valve", "fan"))
    (folder / "README.md").write_text("ours")
    (folder / "tflite_anomaly_score_fan_section_00_source_test.csv").write_text("not read")
    scored = score_folder(folder, YEARS[2021])
    assert scored.absent == ("ToyCar", "ToyTrain", "gearbox", "pump", "slider")
    assert scored.others == ("README.md", "tflite_anomaly_score_fan_section_00_source_test.csv")
    assert scored.machines == ("fan", "valve")


def test_own_data_says_that_it_is_not_the_official_set(make_folder: MakeFolder) -> None:
    assert "not the clips of the official" in score_folder(make_folder(), YEARS[2021]).remarks[0]
    both = make_folder(sections=("00", "03"), name="both")
    assert "each set by itself" in score_folder(both, YEARS[2021]).remarks[1]


def test_sections_of_another_year_are_named(make_folder: MakeFolder) -> None:
    folder = make_folder(2022)
    assert not any("has no" in remark for remark in score_folder(folder, YEARS[2022]).remarks)
    assert score_folder(folder, YEARS[2023]).remarks[0] == "DCASE 2023 has no fan 01."


@pytest.mark.parametrize(
    ("year", "words"), [(2020, "at the end of a file"), (2022, "at the end of a file"), (2023, "")]
)
def test_what_cannot_be_noticed_is_said(make_folder: MakeFolder, year: int, words: str) -> None:
    """The last clip is missing from score and decision file alike: the score is of fewer clips."""
    folder = make_folder(year, sections=("02",) if year == 2020 else ("00",))
    for path in folder.iterdir():
        write(path, read(path)[:-1])
    (remark,) = score_folder(folder, YEARS[year]).remarks
    assert " ".join(filter(None, ("missing", words, "cannot be noticed"))) in remark


@pytest.mark.shared
def test_an_official_set_whose_clips_are_known_has_no_such_remark(shared: Path) -> None:
    assert score_folder(shared / "real" / "scores_dcase2021_dev_baseline_ae", YEARS[2021]).remarks == ()


@pytest.mark.shared
def test_development_and_evaluation_files_are_not_mixed(evaluation: Path, shared: Path) -> None:
    dev = shared / "real" / "scores_dcase2021_dev_baseline_ae"
    for path in dev.glob("*_fan_*"):
        shutil.copy(path, evaluation)
    error = refusal(evaluation)
    assert "never mixed" in error.message
    with pytest.raises(DataError, match="never mixed"):
        score_folder(evaluation, YEARS[2021], partial=True)


@pytest.fixture
def official(shared: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "official"
    shutil.copytree(shared / "real" / "scores_dcase2021_dev_baseline_ae", folder)
    return folder


@pytest.mark.shared
@pytest.mark.parametrize("gone", ["first", "last", "in the middle"])
def test_a_clip_of_the_official_development_set_is_missed_wherever_it_stood(official: Path, gone: str) -> None:
    number = {"first": 0, "last": 199, "in the middle": 77}[gone]
    for kind in ("anomaly_score", "decision_result"):
        path = official / f"{kind}_valve_section_02_source_test.csv"
        rows = read(path)
        name = rows.pop(number)[0]
        write(path, rows)
    error = refusal(official)
    assert f"anomaly_score_valve_section_02_source_test.csv: {name} is missing: 199 of 200 clips" in error.looked


@pytest.mark.shared
def test_a_section_of_the_official_development_set_is_missed_but_not_a_machine(official: Path) -> None:
    for path in official.glob("*_fan_*"):
        path.unlink()
    assert score_folder(official, YEARS[2021]).absent == ("fan",)
    for path in official.glob("*_pump_section_02_*"):
        path.unlink()
    assert refusal(official).looked.count("anomaly_score_pump_section_02_") == 2


@pytest.mark.shared
@pytest.mark.parametrize(
    ("year", "folder", "gone"),
    [
        (2020, "scores_dcase2020_toycar_mlperf_tiny", "ToyCar_id_04.csv"),
        (2022, "scores_dcase2022_dev_baseline_ae", "fan_section_02_test.csv"),
    ],
)
def test_a_section_of_other_years_is_missed(shared: Path, tmp_path: Path, year: int, folder: str, gone: str) -> None:
    for path in (shared / "real" / folder).glob("*_ToyCar_*" if year == 2020 else "*_fan_*"):
        if gone not in path.name:
            shutil.copy(path, tmp_path)
    assert f"anomaly_score_{gone}: missing" in refusal(tmp_path, year).looked
    assert len(score_folder(tmp_path, YEARS[year], partial=True).cells) == (3 if year == 2020 else 4)


@pytest.mark.shared
def test_all_scores_equal_is_chance(evaluation: Path) -> None:
    for path in evaluation.glob("anomaly_score_*"):
        write(path, [(clip, "0") for clip, _ in read(path)])
    scored = score_folder(evaluation, YEARS[2021])
    assert {(cell.auc, cell.pauc) for cell in scored.cells} == {(0.5, 0.5)}
    assert scored.summary.official_score == pytest.approx(0.5, abs=1e-12)


@pytest.mark.shared
def test_a_partial_evaluation_set(evaluation: Path) -> None:
    for path in evaluation.glob("*_valve_*"):
        path.unlink()
    assert (
        "anomaly_score_valve_section_<NN>_<source|target>_test.csv: missing: no file of valve, 6 expected"
        in refusal(evaluation).looked
    )
    scored = score_folder(evaluation, YEARS[2021], partial=True)
    assert len(scored.cells) == 36
    assert scored.absent == ("valve",)


def test_a_folder_that_is_not_there_or_holds_nothing(make_folder: MakeFolder, tmp_path: Path) -> None:
    assert "is not there" in refusal(tmp_path / "gone").message
    (tmp_path / "file").write_text("")
    assert "not a folder" in refusal(tmp_path / "file").message
    (tmp_path / "empty").mkdir()
    assert "an empty folder" in refusal(tmp_path / "empty").looked
    assert "--year 2021" in refusal(make_folder(), 2022).hint
    assert "--year 2020" in refusal(make_folder(2020, name="old"), 2021).hint


def test_a_folder_of_systems_names_one_of_them(make_folder: MakeFolder, tmp_path: Path) -> None:
    system = make_folder(name="system_1")
    (tmp_path / "other").mkdir()
    assert refusal(tmp_path).hint == f"a folder in it has some: {system}"


def test_names_without_labels_need_a_ground_truth(tmp_path: Path) -> None:
    write(tmp_path / "anomaly_score_bandsaw_section_00_test.csv", [("section_00_0000.wav", "1")])
    error = refusal(tmp_path, 2023)
    assert "carry no labels" in error.message
    assert "nttcslab/dcase2023_task2_evaluator" in error.hint


def test_a_unit_stands_in_one_file(make_folder: MakeFolder) -> None:
    folder = make_folder(2023, sections=("00",), decisions=False)
    shutil.copy(
        folder / "anomaly_score_fan_section_00_test.csv",
        folder / "anomaly_score_DCASE2023T2fan_section_00_test_seed13711_id(0_).csv",
    )
    assert "is of fan 00, too" in refusal(folder, 2023).looked


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scores=st.lists(st.integers(-3, 3), min_size=16, max_size=16), seed=st.integers(0, 99))
@pytest.mark.parametrize("year", [2020, 2021, 2022])
def test_any_scores_give_what_scikit_learn_gives(
    tmp_path_factory: pytest.TempPathFactory, year: int, scores: list[int], seed: int
) -> None:
    from sklearn.metrics import roc_auc_score

    folder = tmp_path_factory.mktemp("team")
    units = [Unit("fan", "00", domain) for domain in (("source", "target") if year == 2021 else ("",))]
    names = {unit: clip_names(YEARS[year], unit, 4) for unit in units}
    values = {unit: [s / 10 for s in scores[: len(clips)]] for unit, clips in names.items()}
    for unit, clips in names.items():
        rows = [(clip, repr(value)) for clip, value in zip(clips, values[unit], strict=True)]
        random.Random(seed).shuffle(rows)
        write(folder / YEARS[year].file_name("anomaly_score", unit), rows)
    expected = []
    for unit, clips in names.items():
        own = np.array(values[unit])
        anomaly = np.array(["anomaly" in clip for clip in clips])
        partial = roc_auc_score(anomaly, own, max_fpr=0.1)
        for domain in ("source", "target") if year == 2022 else ("_test_" if year == 2021 else "id",):
            against = anomaly | np.array([domain in clip for clip in clips])
            expected.append((roc_auc_score(anomaly[against], own[against]), partial))
    cells = score_folder(folder, YEARS[year]).cells
    assert [value for cell in cells for value in (cell.auc, cell.pauc)] == pytest.approx(
        [value for row in expected for value in row], abs=1e-12
    )


def test_the_clips_behind_the_cells_are_there(make_folder: MakeFolder) -> None:
    scored = score_folder(make_folder(), YEARS[2021])
    assert [group.file for group in scored.groups] == [cell.cell for cell in scored.cells]
    assert all(
        len(g.labels) == len(g.scores) == c.n_normal + c.n_anomaly
        for g, c in zip(scored.groups, scored.cells, strict=True)
    )


def with_names(folder: Path, change: Callable[[str], str]) -> None:
    for path in folder.glob("*.csv"):
        write(path, [(change(clip), value) for clip, value in read(path)])


@pytest.mark.parametrize("year", [2020, 2021, 2023])
def test_a_windows_path_is_understood_as_a_posix_one_is(make_folder: MakeFolder, year: int) -> None:
    folder = make_folder(year, sections=("00",))
    before = score_folder(folder, YEARS[year])
    with_names(folder, "C:\\data\\fan\\test\\{}".format)
    assert score_folder(folder, YEARS[year]).cells == before.cells


@pytest.mark.parametrize("year", [2020, 2021, 2022, 2023])
@pytest.mark.parametrize(
    "change", [lambda clip: clip.removesuffix(".wav"), lambda clip: clip.replace(".wav", ".flac"), lambda clip: "a"]
)
def test_names_that_the_year_does_not_know_are_named_with_their_line(
    make_folder: MakeFolder, year: int, change: Callable[[str], str]
) -> None:
    folder = make_folder(year, sections=("00",))
    name = sorted(path.name for path in folder.glob("anomaly_score*"))[0]
    numbered = itertools.count() if change("b.wav") == "a" else itertools.repeat("")
    with_names(folder, lambda clip: f"{change(clip)}{next(numbered)}")
    error = refusal(folder, year)
    assert f"are not those of {year}" in error.message
    assert error.looked.startswith(f"{name}, line 1: ")
    assert repr(read(folder / name)[0][0]) in error.looked
    assert "evaluation" not in str(error)
    assert "ground" not in str(error)
    assert ".wav" in error.hint
