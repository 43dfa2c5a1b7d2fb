"""The page as text: order, verdict, published values, years, size. What it looks like: ``test_html_browser``."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from asdbench.datasets.toy import toy
from asdbench.reports.content import evidence, ranking, reproduction
from asdbench.reports.content.mistakes import mistakes
from asdbench.reports.content.system_table import best
from asdbench.reports.content.wording import span
from asdbench.reports.page import html
from asdbench.results.results_folder import seed_folder
from asdbench.results.selection import STAMP
from tests.reports.content.test_tables import ALL, fill
from tests.reports.results import NASTY, write_results


def page_of(results: Path) -> str:
    return html.render(evidence.views(results))


def test_the_chapters_stand_in_order_and_nothing_is_loaded(tmp_path: Path) -> None:
    page = page_of(write_results(tmp_path))
    heads = [re.sub("<[^>]+>", "", head) for head in re.findall(r"<h2[^>]*>(.*?)</h2>", page)]
    assert heads == [
        "Systems side by side",
        "Tables",
        "AUC per machine and section",
        "Source and target: the domain shift",
        "ROC curves",
        "Score histograms",
        "Training curves",
        "Latent space",
        "The clips it got most wrong",
        "Timings",
        "How it was made",
    ]
    addresses = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
    assert all(address.startswith("data:") for address in addresses)
    assert "url(http" not in page


def test_a_reduced_budget_is_stamped_in_every_chapter(tmp_path: Path) -> None:
    fill(tmp_path, system="ae", epochs=3)
    fill(tmp_path, system="mvg")
    page = page_of(tmp_path)
    (banner,) = re.findall(r'<p class="loud".*?</p>', page, re.DOTALL)
    assert "<strong>REDUCED BUDGET</strong>" in banner
    assert html.MIND in banner
    assert "no result" not in banner
    chapters = page.split("<h2")
    for heading in ("Systems side by side", "Tables", "AUC per machine", "ROC curves", "The clips it got most wrong"):
        (chapter,) = [chapter for chapter in chapters if chapter.partition(">")[2].startswith(heading)]
        assert '<span class="stamp">REDUCED BUDGET: 3 of 300 epochs' in chapter


def test_stages_that_were_not_recorded_are_dashes(tmp_path: Path) -> None:
    fill(tmp_path)  # no seconds in its manifest
    page = page_of(tmp_path)
    assert '<td data-v="-1">–</td>' * 4 in page[page.index("<h2>Timings") :]
    page = page_of(write_results(tmp_path / "more"))
    assert '<td data-v="1.5">1.5</td>' in page[page.index("<h2>Timings") :]


def test_a_note_on_verdicts_speaks_of_the_words_in_the_cells(tmp_path: Path) -> None:
    fill(tmp_path, cells=ALL)
    page = page_of(tmp_path)
    assert reproduction.LEGEND not in page
    assert page.count("lower or higher, not reproduced: outside") == 1


def test_the_official_score_spans_the_columns(tmp_path: Path) -> None:
    fill(tmp_path)
    row = re.findall(r'<tr><th class="text" colspan="2">Official score</th>(.*?)</tr>', page_of(tmp_path))[0]
    assert re.findall(r"<td[^>]*>", row) == [re.match(r'<td class="across" colspan="4" data-v="[\d.]+">', row)[0]]  # type: ignore[index]  # it is there


def test_without_sound_the_reason_stands_once(tmp_path: Path) -> None:
    fill(tmp_path)
    page = page_of(tmp_path)
    chapter = page[page.index(">The clips it got most wrong") : page.index("<h2>Timings")]
    assert f"At most {html.MISTAKES} clips of each kind a system" in chapter
    assert "the worst of each kind with spectrogram and sound" in chapter
    assert chapter.count("No spectrogram, no sound: ") == 1
    assert "<figcaption>" not in chapter


def test_how_it_was_made_says_what_is_shared_once_and_what_is_not_with_its_system(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("./mine.py:distance", "mvg"), full_epochs=10, stamps=("synthetic data",))
    file = next((tmp_path / "toy").glob("*mine*/seed-777/manifest.json"))
    manifest = json.loads(file.read_text())
    del manifest["system"]["source"]  # a plug-in need not say where it is from
    file.write_text(json.dumps(manifest))
    page = page_of(tmp_path)
    made = page[page.rindex(">How it was made<") :]
    assert made.count("<dt>Command</dt>") == made.count("<dt>Data fingerprint</dt>") == 1
    assert made.count("<dt>Method</dt><dd>a test<br></dd>") == 1
    assert made.count("Synthetic sound, none of DCASE") == 1
    assert made.count("Data <code>toy</code>, system <code>mvg</code>") == 1


def test_the_verdict_names_the_best_and_how_sure_that_is(tmp_path: Path) -> None:
    (view,) = evidence.views(write_results(tmp_path, systems=("ae", "cvae", "mvg"), count=40))
    said, behind = ranking.verdict(view)
    (first,) = best([shown.table for shown in view.systems])
    assert said.startswith(f"On toy, development sections, {first.system} has the highest official score of 3 systems")
    assert "there is one training, from which nothing follows about the methods" in said
    assert not re.search(r"\b(better|worse|equivalent|undecided)\b", said)
    assert said.endswith("(no result: synthetic data, untrained network).")
    assert "95 % interval over clips" in behind
    assert page_of(tmp_path).count('<span class="badge best">highest</span>') == 1  # of numbers that are no result


def test_equal_scores_are_both_best(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("ae", "mvg"), stamps=(), full_epochs=10)
    shutil.copytree(tmp_path / "toy" / "mvg", tmp_path / "toy" / "twin")
    file = tmp_path / "toy" / "twin" / "seed-777" / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["system"] |= {"name": "twin", "spec": "twin"}
    file.write_text(json.dumps(manifest))
    (view,) = evidence.views(tmp_path)
    assert [one.system for one in best([shown.table for shown in view.systems])] == ["mvg", "twin"]
    said, _ = ranking.verdict(view)
    assert "mvg and twin have the same, highest official score of 3 systems" in said
    assert page_of(tmp_path).count('<span class="badge best">highest</span>') == 2


def test_the_banner_says_whether_all_or_some_numbers_are_no_result(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("ae",), stamps=("synthetic data",))
    assert html.NOTHING_IS in page_of(tmp_path)
    write_results(tmp_path, systems=("mvg",), stamps=())
    page = page_of(tmp_path)
    assert html.SOME_ARE_NONE in page
    assert "SYNTHETIC DATA (ae)" in page


def test_results_of_oracles_alone_say_so_and_claim_nothing(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("mvg@oracle",), stamps=(STAMP,), full_epochs=10)
    (view,) = evidence.views(tmp_path)
    said, _ = ranking.verdict(view)
    assert "no system has a score that can be compared: epochs were chosen on the test labels" in said
    page = page_of(tmp_path)
    assert "which counts" not in page
    assert "None is known" not in page
    assert "Epoch chosen on the test labels." in page


def test_of_several_trainings_the_first_sentence_is_a_verdict_on_methods(tmp_path: Path) -> None:
    """Systems have other seeds, and not equally many."""
    write_results(tmp_path, systems=("x", "x", "x", "mvg"), seeds=(1, 2, 3), full_epochs=10, stamps=(), count=40)
    shutil.rmtree(tmp_path / "toy" / "x")
    write_results(tmp_path, systems=("ae",), seeds=(4, 5), full_epochs=10, stamps=(), count=40)
    for file in (tmp_path / "toy").glob("*/seed-*/manifest.json"):  # each its own training
        manifest = json.loads(file.read_text())
        for entry in manifest["machines"].values():
            entry["key"]["model"] = file.parts[-3]
            entry["key"]["seed"] = manifest["seed"]
        file.write_text(json.dumps(manifest))
    (view,) = evidence.views(tmp_path)
    said, behind = ranking.verdict(view)
    assert "mvg has the highest official score of 2 systems" in said
    assert "this method is better than ae" in said
    assert "mvg is better than ae: its official score is" in behind
    assert "3 trainings of mvg, 2 trainings of ae" in behind or "2 trainings of ae, 3 trainings of mvg" in behind


def test_what_is_no_result_is_not_compared_with_results(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("ae", "cvae"), stamps=(), full_epochs=10)
    write_results(tmp_path / "other", systems=("x", "x", "mvg"), stamps=("untrained network",), full_epochs=10)
    shutil.move(tmp_path / "other" / "toy" / "mvg", tmp_path / "toy" / "mvg")
    (view,) = evidence.views(tmp_path)
    scores = {shown.name: shown.table.score or 0.0 for shown in view.systems}
    assert max(scores, key=lambda name: scores[name]) == "mvg"
    assert [one.system for one in best([shown.table for shown in view.systems])] == ["cvae"]
    said, _ = ranking.verdict(view)
    assert said.startswith("On toy, development sections, cvae has the highest official score of 2 systems")
    assert said.endswith("; not compared: mvg (untrained network).")


def test_an_oracle_or_a_system_of_fewer_cells_is_never_called_best(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("ae", "cvae"))
    write_results(tmp_path, systems=("x", "x", "x", "mvg@oracle"))
    shutil.rmtree(tmp_path / "toy" / "x")
    write_results(tmp_path, systems=("y", "y", "y", "y", "part"), machines=("fan",))
    (view,) = evidence.views(tmp_path)
    (first,) = best([shown.table for shown in view.systems])
    assert first.system in ("ae", "cvae")


def test_published_values_stand_beside_in_colour_and_in_words(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        fill(tmp_path, cells=ALL, seed=seed)
    page = page_of(tmp_path)
    assert "ours beside the published" in page
    tone = r"(lower|higher)"
    assert re.search(rf'<span class="small beside {tone}">[+-]\d+\.\d\d {tone}, not reproduced</span>', page)
    assert re.search(r'<span class="small beside ">[+-]\d+\.\d\d</span>', page)  # a cell too wide to judge
    assert re.search(r"beside the published values, clvae: \d of 7 machines reproduced, \d not", page)
    beside = page[page.index('<table class="reproduction">') :]
    rows = re.findall(r"<tr>(.*?)</tr>", beside[: beside.index("</table>")])
    assert len(rows) == 1 + 7 + 1
    assert [re.findall(r"<td[^>]*>(.*?)</td>", row)[0] for row in (rows[1], rows[-1])] == ["ToyCar", "All"]
    assert "No spectrogram, no sound: name the data set" in page


@pytest.mark.parametrize("year", [2020, 2023])
def test_every_year_has_a_page(tmp_path: Path, year: int) -> None:
    page = page_of(write_results(tmp_path, dataset=f"dcase{year}", spec=f"dcase{year}:ROOT", stamps=(), year=year))
    assert ("AUC source" in page) == (year > 2020)
    assert "no domains in the data of 2020" in page or year > 2020
    assert "SYNTHETIC" not in page


def test_names_are_text(tmp_path: Path) -> None:
    page = page_of(write_results(tmp_path, systems=(NASTY, "mvg"), dataset=NASTY))
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page


def test_results_without_a_recorded_history_have_a_page_that_says_so(tmp_path: Path) -> None:
    page = page_of(write_results(tmp_path, recorded=False))
    assert page.count("<strong>Empty.</strong>") == 2


def test_a_cell_without_a_value_does_not_stop_the_page(tmp_path: Path) -> None:
    fill(tmp_path, reasons={"00/target": "section 00 has no training clips", "00/source": "gone"})
    assert "no system has a score" in page_of(tmp_path)


@pytest.mark.parametrize(("year", "wanted"), [(2020, []), (2021, ["AUC", "pAUC"]), (2023, ["AUC"])])
def test_means_over_both_domains_stand_side_by_side_with_intervals(
    tmp_path: Path, year: int, wanted: list[str]
) -> None:
    results = write_results(tmp_path, systems=("mvg", "ae"), year=year, machines=("fan",), count=25)
    (view,) = evidence.views(results)
    page = page_of(results)
    head, *rows = re.findall(r"<tr.*?</tr>", page[page.index("Systems side by side") :], re.DOTALL)
    assert [name for name in ("AUC", "pAUC") if f"<th>Mean {name}</th>" in head] == wanted
    for shown, row in zip(view.systems, rows, strict=False):
        for name in wanted:
            values = [
                value for own in shown.table.rows for (_, what), value in own.ours.items() if what == name.lower()
            ]
            bounds = span(shown.table.overall_bounds[name.lower()])  # type: ignore[index]
            assert f'{np.mean(values):.2f}<span class="small">{bounds}</span>' in row


def test_a_page_is_the_same_again_and_no_id_stands_twice(tmp_path: Path) -> None:
    page = page_of(write_results(tmp_path))
    assert page_of(tmp_path) == page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)


def test_many_panels_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST_PANELS", 2)
    page = page_of(write_results(tmp_path))
    assert "4 more panels" in page
    assert "<code>asdbench plot histogram --machines …</code> draws them" in page


def test_sound_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "BOUND", 10)
    page = html.render(evidence.views(write_results(tmp_path, machines=("fan",))), toy())
    assert "<audio" not in page
    assert "the page holds as much as it should" in page


@pytest.mark.parametrize("year", [2021, 2024])
def test_mistakes_are_the_clips_on_the_wrong_side(tmp_path: Path, year: int) -> None:
    (view,) = evidence.views(write_results(tmp_path, systems=("mvg",), year=year))
    (shown,) = view.systems
    found = mistakes(view, shown, 5)
    assert [one.kind for one in found] == ["missed anomalies", "false alarms", "wrong order"]
    for kind in found:
        assert [one.wrong for one in kind.worst] == sorted((one.wrong for one in kind.worst), reverse=True)
        assert len(kind.worst) == min(kind.count, 5)
    missed, alarms, order = found
    assert {(one.label, one.decided) for one in missed.worst} == {("anomaly", "normal")}
    assert {(one.label, one.decided) for one in alarms.worst} <= {("normal", "anomaly")}
    assert {one.label == one.decided for one in order.worst} == {True}
    assert all(one.wrong > 0 for one in order.worst)
    for one in (one for kind in found for one in kind.worst):
        (group,) = [
            g for g in shown.groups(one.cell.machine) if one.clip in g.clips and g.file.section == one.cell.section
        ]
        own = group.scores[list(group.clips).index(one.clip)]
        if year == 2021:
            other = group.scores[group.labels == (one.label == "normal")]
            assert one.wrong == pytest.approx(((other >= own) if one.label == "anomaly" else (other <= own)).mean())
        assert f"_{one.label}_" in one.clip


def test_every_decision_that_is_wrong_is_counted_once(tmp_path: Path) -> None:
    (view,) = evidence.views(write_results(tmp_path, systems=("mvg",)))
    (shown,) = view.systems
    threshold = 5.34  # of every machine, in write_results
    groups = [group for machine in shown.machines for group in shown.groups(machine)]
    labels = np.concatenate([group.labels for group in groups])
    above = np.concatenate([group.scores for group in groups]) > threshold
    missed, alarms, order = mistakes(view, shown, 10**6)
    assert (missed.count, alarms.count) == ((labels == 1)[~above].sum(), (labels == 0)[above].sum())
    clips = [(one.cell, one.clip) for kind in (missed, alarms, order) for one in kind.worst]
    assert len(clips) == len(set(clips)) == missed.count + alarms.count + order.count


def test_where_nothing_is_wrong_nothing_stands_there(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("mvg",), machines=("fan",))
    folder = seed_folder(tmp_path, "toy", "mvg", 777)
    manifest = folder.manifest()
    for cell in folder.files.cells():
        clips, _ = folder.files.scores(cell)
        folder.files.write_scores(cell, clips, np.array([9.0 if "_anomaly_" in clip else 1.0 for clip in clips]))
        manifest["machines"]["fan"]["files"].update(folder.files.digests([cell]))
    folder.write_manifest({name: value for name, value in manifest.items() if name != "components"})
    (view,) = evidence.views(tmp_path)
    assert [(one.count, one.worst) for one in mistakes(view, view.systems[0], 5)] == [(0, ())] * 3
    chapter = page_of(tmp_path).partition(">The clips it got most wrong")[2].partition("<h2>Timings")[0]
    heads = re.findall("<h3>(.*?)</h3>", chapter)
    assert heads == ["Missed anomalies: none", "False alarms: none", "Wrong order: none"]
    assert "<table" not in chapter
    assert "No clip with a known label" not in chapter


def test_without_a_threshold_only_the_order_can_be_wrong(tmp_path: Path) -> None:
    fill(tmp_path)
    file = next(tmp_path.glob("*/*/seed-777/manifest.json"))
    manifest = json.loads(file.read_text())
    for entry in manifest["machines"].values():
        entry["thresholds"] = {}
    file.write_text(json.dumps(manifest))
    (view,) = evidence.views(tmp_path)
    missed, alarms, order = mistakes(view, view.systems[0], 3)
    assert (missed.count, alarms.count) == (0, 0)
    assert order.count > 3
    assert order.worst[0].wrong > 0.9
