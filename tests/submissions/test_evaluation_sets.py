"""Submissions of evaluation sets, scored by a ground truth, under either name of their clips."""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import scipy.stats
from sklearn.metrics import roc_auc_score

from asdbench.api import DOMAINS, Cell
from asdbench.datasets.ground_truth import read_truth
from asdbench.datasets.shipped_truth import shipped
from asdbench.datasets.years import YEARS, Unit
from asdbench.errors import DataError
from asdbench.submissions.scoring import score_folder
from tests.submissions.conftest import read, write

BANDSAW = Unit("bandsaw", "00")


@pytest.mark.shared
@pytest.mark.parametrize("year", [2020, 2021, 2023, 2024, 2025])  # the list of 2022 is wrong
@pytest.mark.parametrize("labelled", [False, True])
def test_an_evaluation_set_of_each_year_is_scored(shared: Path, tmp_path: Path, year: int, labelled: bool) -> None:
    path = shared / "reference" / "ground_truth" / f"eval_data_list_{year}.csv"
    truth = read_truth(path, YEARS[year])
    for unit, clips in truth.clips.items():
        named = {clip: name for name, clip in truth.labelled[unit].items()} if labelled else {}
        assert not labelled or named.keys() == clips.keys()
        rows = [(named.get(clip, clip), str(answer.label)) for clip, answer in clips.items()]
        write(tmp_path / YEARS[year].file_name("anomaly_score", unit), rows)
    scored = score_folder(tmp_path, YEARS[year], path)
    assert {cell.auc for cell in scored.cells} == {1.0}
    assert scored.summary.official_score == pytest.approx(1, abs=1e-12)
    assert len(scored.cells) == len(truth.clips) * (2 if year >= 2022 else 1)


@pytest.mark.parametrize("labelled", [False, True])
def test_a_submission_as_the_organizers_later_baseline_writes_it(
    evaluator: Path, tmp_path: Path, labelled: bool
) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    truth = read_truth(evaluator, YEARS[2023])
    clips = list(truth.labelled[BANDSAW]) if labelled else list(truth.clips[BANDSAW])
    name = "anomaly_score_DCASE2023T2bandsaw_section_00_test_seed13711_id(0_)_Eval.csv"
    write(folder / name, zip(clips, ["0.1", "0.5", "0.4", "0.9"], strict=True))
    cells = score_folder(folder, YEARS[2023], evaluator).cells
    assert [(cell.domain, cell.auc, cell.n_normal, cell.n_anomaly) for cell in cells] == [
        ("source", 1.0, 1, 1),
        ("target", 0.5, 1, 1),
    ]


def test_a_clip_under_both_its_names_stands_twice(evaluator: Path, tmp_path: Path) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    truth = read_truth(evaluator, YEARS[2023])
    clips = [*truth.clips[BANDSAW], next(iter(truth.labelled[BANDSAW]))]
    write(folder / "anomaly_score_bandsaw_section_00_test.csv", [(clip, "1") for clip in clips])
    with pytest.raises(
        DataError, match=r"section_00_0000\.wav stands twice, here as section_00_source_test_normal_0000"
    ):
        score_folder(folder, YEARS[2023], evaluator)


@pytest.fixture
def handed_in(shared: Path, tmp_path: Path) -> Callable[[int], Path]:
    """A function that unpacks a real submission of 2022."""

    def unpack(number: int) -> Path:
        archive = shared / "real" / "scores_dcase2022_eval_submissions" / f"submission_{number}.tar.xz"
        with tarfile.open(archive) as file:
            file.extractall(tmp_path / str(number), filter="data")
        return tmp_path / str(number)

    return unpack


@pytest.mark.shared
@pytest.mark.parametrize(("number", "score"), [(1, 0.66394619), (2, 0.66532029), (3, None), (4, None)])
def test_real_submissions_of_2022_get_the_evaluators_scores_without_a_list(
    handed_in: Callable[[int], Path], shared: Path, number: int, score: float | None
) -> None:
    folder = handed_in(number)
    scored = score_folder(folder, YEARS[2022])
    assert (scored.part, scored.origin, len(scored.cells)) == ("evaluation", "the ground truth of 2022", 42)
    assert scored.decided
    assert not scored.left_out
    assert scored.summary.official_score == pytest.approx(_by_scikit_learn(folder, shared), abs=1e-12)
    if score is not None:  # what the organizers' evaluator gives the others is not known
        assert scored.summary.official_score == pytest.approx(score, abs=1e-8)


def _by_scikit_learn(folder: Path, shared: Path) -> float:
    """The official score of 2022 by the evaluator's own labels."""
    answers: dict[str, list[tuple[str, int, int]]] = {}
    with (shared / "reference" / "ground_truth" / "evaluator_2022.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            unit = f"{row['machine']}_section_{row['clip'].split('_')[1]}"
            answers.setdefault(unit, []).append((row["clip"], int(row["anomaly"]), int(row["target_domain"])))
    values = []
    for unit, clips in answers.items():
        scores = {clip: float(score) for clip, score in read(folder / f"anomaly_score_{unit}.csv")}
        labels, given = [label for _, label, _ in clips], [scores[clip] for clip, _, _ in clips]
        values.append(roc_auc_score(labels, given, max_fpr=0.1))
        for domain in (0, 1):
            kept = [number for number, (_, label, own) in enumerate(clips) if label or own == domain]
            values.append(roc_auc_score([labels[number] for number in kept], [given[number] for number in kept]))
    return float(scipy.stats.hmean(values))


@pytest.mark.shared
@pytest.mark.parametrize("number", [1, 2])
def test_each_cell_of_them_is_the_evaluators(handed_in: Callable[[int], Path], shared: Path, number: int) -> None:
    table = shared / "reference" / "published" / "heu_hit_2022_eval_submissions_rescored.csv"
    rows = list(csv.reader(line for line in table.read_text().splitlines() if not line.startswith("#")))[1:]
    evaluated = {
        Cell(machine, section, domain): (float(auc), float(pauc))
        for name, machine, section, domain, auc, pauc in rows
        if name.endswith(f"_{number}") and domain in DOMAINS
    }
    assert len(evaluated) == 42
    for cell in score_folder(handed_in(number), YEARS[2022]).cells:
        assert (cell.auc, cell.pauc) == pytest.approx(evaluated[cell.cell], abs=1e-12)


@pytest.mark.parametrize("tested", [False, True])
def test_both_forms_of_the_names_of_2022_are_read(tmp_path: Path, tested: bool) -> None:
    truth = shipped(YEARS[2022])
    assert truth is not None
    for unit, clips in truth.clips.items():
        named = {clip: name for name, clip in truth.labelled[unit].items()}
        rows = [(named[clip] if tested else clip, str(answer.label)) for clip, answer in clips.items()]
        name = YEARS[2022].file_name("anomaly_score", unit)
        write(tmp_path / (name if tested else name.replace("_test.csv", ".csv")), rows)
    assert {cell.auc for cell in score_folder(tmp_path, YEARS[2022]).cells} == {1.0}


@pytest.mark.parametrize("kind", ["anomaly_score", "decision_result"])
def test_both_forms_of_one_file_are_ambiguous(evaluator: Path, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    clips = read_truth(evaluator, YEARS[2023]).clips[BANDSAW]
    for name, value in {"anomaly_score_bandsaw_section_00": "0.5", "decision_result_bandsaw_section_00": "1"}.items():
        write(folder / f"{name}.csv", [(clip, value) for clip in clips])
    assert len(score_folder(folder, YEARS[2023], evaluator).cells) == 2
    write(folder / f"{kind}_bandsaw_section_00_test.csv", [(clip, "1") for clip in clips])
    with pytest.raises(DataError, match="1 problem") as caught:
        score_folder(folder, YEARS[2023], evaluator)
    assert "ambiguous" in caught.value.looked
    assert f"{kind}_bandsaw_section_00.csv is of bandsaw 00, too" in caught.value.looked
    if kind == "decision_result":
        scored = score_folder(folder, YEARS[2023], evaluator, partial=True)
        assert not scored.decided
        assert "ambiguous" in str(scored.left_out[0])
    else:
        with pytest.raises(DataError, match="ambiguous"):
            score_folder(folder, YEARS[2023], evaluator, partial=True)
