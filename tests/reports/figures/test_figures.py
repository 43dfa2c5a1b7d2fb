"""What figures are made of: panels, captions, reasons, marks."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

from asdbench.errors import DataError, UsageError
from asdbench.metrics.roc import auc
from asdbench.reports import figures
from asdbench.reports.content import evidence
from asdbench.reports.content.evidence import View
from asdbench.reports.content.places import BUILT_IN
from asdbench.reports.figures import drawing, look
from asdbench.reports.figures.inline import Panels
from asdbench.reports.figures.roc import mean_curve
from asdbench.results.results_folder import seed_folder
from tests.reports.results import NASTY, write_results


def view_of(results: Path) -> View:
    (view,) = evidence.views(results)
    return view


@pytest.mark.parametrize("kind", figures.KINDS)
def test_every_caption_has_data_set_clips_seed_and_stamps(tmp_path: Path, kind: figures.Kind) -> None:
    figure = figures.make(kind, view_of(write_results(tmp_path)))
    assert "toy, development sections; n = 120 normal and 120 anomalous test clips; seed 777" in figure.caption
    assert figure.stamps == ("SYNTHETIC DATA", "UNTRAINED NETWORK", "REDUCED BUDGET: 10 of 300 epochs")


@pytest.mark.parametrize("kind", figures.KINDS)
def test_a_caption_of_a_selection_counts_what_is_drawn(tmp_path: Path, kind: figures.Kind) -> None:
    view = view_of(write_results(tmp_path)).only(("clvae",), ("fan",))
    assert "n = 40 normal and 40 anomalous test clips" in figures.make(kind, view).caption


def test_means_of_some_machines_have_no_intervals_of_all(tmp_path: Path) -> None:
    view = view_of(write_results(tmp_path, count=40))
    some, every = view.only(machines=("fan", "valve")), view.only(machines=view.machines)
    assert "Bars" in figures.make("shift", every).caption
    assert "Bars" not in figures.make("shift", some).caption
    assert not any(shown.table.arithmetic_bounds for shown in some.systems)


def test_long_stamps_are_broken_on_a_sheet(tmp_path: Path) -> None:
    figure = replace(
        figures.make("roc", view_of(write_results(tmp_path)).only(machines=("fan",))), stamps=("LOUD",) * 40
    )
    with drawing.settings():
        sheet = drawing.sheet(figure)
        (loud,) = [text for text in sheet.texts if "LOUD" in text.get_text()]
        assert loud.get_window_extent().width < sheet.bbox.width
        assert loud.get_window_extent().y0 > 0


def test_training_explains_what_is_drawn(tmp_path: Path) -> None:
    view = view_of(write_results(tmp_path))
    figure = figures.make("training", view)
    assert [name for name, _ in figure.legend] == ["clvae"]  # the only one that has curves
    assert "circle" in figure.caption
    view.systems[0].folders[0].write_epochs({})
    assert "circle" not in figures.make("training", view).caption


def test_epochs_are_whole(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    (panel, *_) = figures.make("training", view_of(write_results(tmp_path))).panels
    axes = Figure().subplots()
    panel.draw(axes)
    axes.set_xlim(1, 3)
    assert all(float(tick).is_integer() for tick in axes.get_xticks())


@pytest.mark.parametrize("kind", figures.KINDS)
@pytest.mark.parametrize("year", [2020, 2022, 2024])
def test_every_year_can_be_drawn(tmp_path: Path, kind: figures.Kind, year: int) -> None:
    results = write_results(tmp_path, machines=("fan",), sections=("00",), year=year)
    figure = figures.make(kind, view_of(results))
    if (kind, year) == ("shift", 2020):
        assert not figure.panels
        assert "no domains" in figure.empty[0]
    else:
        assert figure.panels
        assert "<svg" in Panels().svg(figure.panels[0])


@pytest.mark.parametrize("kind", ["training", "latent"])
def test_what_was_not_recorded_is_said(tmp_path: Path, kind: figures.Kind) -> None:
    figure = figures.make(kind, view_of(write_results(tmp_path, systems=("mvg",), recorded=False)))
    assert not figure.panels
    assert all(reason.startswith("mvg: ") for reason in figure.empty)
    with pytest.raises(DataError, match="nothing to draw"):
        drawing.save(figure, tmp_path / "x.svg")


def test_a_system_has_one_look_in_every_selection(tmp_path: Path) -> None:
    results = write_results(tmp_path, systems=("ae", "cvae", "mvg", "mvg@oracle"))
    view = view_of(results)
    looks = {shown.name: look.of(shown) for shown in view.systems}
    assert len({own.colour for own in looks.values()}) == 3
    assert looks["mvg"].colour == looks["mvg@oracle"].colour
    assert looks["mvg"].mark != looks["mvg@oracle"].mark
    assert {shown.name: look.of(shown) for shown in view.only(("mvg",)).systems}["mvg"] == looks["mvg"]
    assert [shown.name for shown in view.without_oracles().systems] == ["ae", "cvae", "mvg"]


def test_a_built_in_system_has_one_look_in_every_folder(tmp_path: Path) -> None:
    looks = []
    for number, systems in enumerate([("mvg",), ("another", "mvg"), (*BUILT_IN, "another", "zero")]):
        view = view_of(write_results(tmp_path / str(number), systems=systems))
        assert len({look.of(shown) for shown in view.systems}) == len(systems)
        assert [shown.name for shown in view.systems] == sorted(systems)
        looks += [look.of(shown) for shown in view.systems if shown.name == "mvg"]
    assert len(looks) == 3
    assert len(set(looks)) == 1


def test_the_built_in_systems_are_those_that_come_with_asdbench() -> None:
    found = entry_points(group="asdbench.systems")
    assert tuple(sorted({one.name for one in found if one.value.startswith("asdbench_systems.")})) == BUILT_IN


def test_looks_of_many_systems_differ(tmp_path: Path) -> None:
    looks = [look.of_place(place) for place in range(40)]
    assert len(set(looks)) == 40


def test_the_area_under_a_mean_curve_is_the_mean_auc(tmp_path: Path) -> None:
    view = view_of(write_results(tmp_path, systems=("mvg",), count=40))
    (shown,) = view.systems
    rates = mean_curve(shown, "fan", view)
    assert rates is not None
    mean = np.mean([auc(group.labels, group.scores) for group in shown.groups("fan")])
    assert float(np.trapezoid(rates[1], rates[0])) == pytest.approx(float(mean), abs=0.01)


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_a_figure_is_written_and_is_the_same_again(tmp_path: Path, suffix: str) -> None:
    figure = figures.make("roc", view_of(write_results(tmp_path / "r", machines=("fan",))))
    drawing.save(figure, tmp_path / f"a{suffix}")
    drawing.save(figure, tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_names_are_text_in_a_figure(tmp_path: Path) -> None:
    figure = figures.make("training", view_of(write_results(tmp_path, systems=(NASTY,))))
    svg = Panels().svg(figure.panels[0])
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg
    drawing.save(figure, tmp_path / "nasty.svg")
    assert "$\\alpha$" in (tmp_path / "nasty.svg").read_text(encoding="utf-8")


def test_panels_of_a_page_say_a_style_once(tmp_path: Path) -> None:
    panels = Panels()
    first, second = figures.make("roc", view_of(write_results(tmp_path))).panels[:2]
    svg, rules = panels.svg(first), panels.rules()
    assert "style=" not in svg
    said = set(re.findall(r' class="([^"]+)"', svg))
    assert said
    assert said == set(re.findall(r"^\.(\w+){", rules, flags=re.MULTILINE))
    panels.svg(second)
    assert panels.rules() == rules


def test_a_panel_has_the_inks_of_the_page(tmp_path: Path) -> None:
    panels = Panels()
    view = view_of(write_results(tmp_path, systems=("ae", "mvg", "plug"), sections=("00", "01", "02", "03")))
    drawn = [panels.svg(figures.make(kind, view).panels[0]) for kind in ("auc", "latent")]
    for colour, variable in drawing.VARIABLES.items():
        assert colour not in ("".join(drawn) + panels.rules()).lower()
        assert f"var({variable})" in panels.rules()


def test_pseudo_auc_has_a_panel_of_its_own_and_one_training_is_drawn_once(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("clvae", "clvae@pseudo"))
    for system in ("clvae", "clvae@pseudo"):
        folder = seed_folder(tmp_path, "toy", system, 777)
        folder.write_epochs({"fan": {1: {"auc": 0.6, "pseudo": 0.5}, 2: {"auc": 0.5, "pseudo": 0.9}}})
    view = view_of(tmp_path)
    assert [shown.name for shown in view.without_oracles().systems] == ["clvae", "clvae@pseudo"]
    assert len({look.of(shown).mark for shown in view.systems}) == 2
    assert len({look.of(shown).colour for shown in view.systems}) == 1
    figure = figures.make("training", view)
    titles = [panel.title for panel in figure.panels]
    for measure in ("AUC on the test clips", "pseudo-AUC on the training clips"):
        assert titles.count(f"clvae · {measure}") == 1
        assert f"clvae@pseudo · {measure}" not in titles
    assert "what `--selection pseudo` takes" in figure.caption


def test_epochs_that_only_the_oracles_run_recorded_are_shown(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("cvae",), full_epochs=10)
    shutil.copytree(tmp_path / "toy" / "cvae", tmp_path / "toy" / "cvae@oracle")
    manifest = tmp_path / "toy" / "cvae@oracle" / "seed-777" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"cvae"', '"cvae@oracle"'))
    (tmp_path / "toy" / "cvae" / "seed-777" / "epochs.csv").unlink()
    figure = figures.make("training", view_of(tmp_path).without_oracles())
    assert "cvae · AUC on the test clips" in [panel.title for panel in figure.panels]
    shutil.rmtree(tmp_path / "toy" / "cvae@oracle")
    alone = figures.make("training", view_of(tmp_path))
    assert "cvae · AUC on the test clips" not in [panel.title for panel in alone.panels]
    assert any("AUC per epoch was not recorded" in reason for reason in alone.empty)


def test_a_figure_says_which_system_has_no_values(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("ae",))
    write_results(tmp_path, systems=("mvg",), machines=("fan",))
    for kind in ("auc", "shift", "roc"):
        assert figures.make(kind, view_of(tmp_path)).empty == ("mvg: not run on ToyCar, valve.",)
    assert "fewer cells or seeds: mvg" in view_of(tmp_path).note


def test_a_choice_that_leaves_nothing_is_refused(tmp_path: Path) -> None:
    write_results(tmp_path, systems=("ae",))
    write_results(tmp_path, systems=("mvg",), machines=("fan",))
    with pytest.raises(UsageError, match="mvg was not run on valve"):
        view_of(tmp_path).only(systems=("mvg",), machines=("valve",))


def test_slopes_of_all_panels_are_on_one_scale(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    ends = set()
    for panel in figures.make("shift", view_of(write_results(tmp_path))).panels:
        axes = Figure().add_subplot()
        panel.draw(axes)
        ends.add(axes.get_ylim())
    assert len(ends) == 1


def test_colours_of_sections_are_no_systems() -> None:
    assert not {colour.lower() for colour in look.COLOURS} & {colour.lower() for colour in look.SECTION_COLOURS}


def test_a_histogram_has_a_key_to_all_that_is_drawn(tmp_path: Path) -> None:
    names = [name for name, _ in figures.make("histogram", view_of(write_results(tmp_path))).legend]
    assert names[:3] == ["normal clips", "anomalous clips, clvae", "anomalous clips, mvg"]
    assert "gamma" in names[3]
    assert names[4:] == ["decision threshold"]


def test_curves_are_told_apart_by_more_than_colour(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    figures.make("roc", view_of(write_results(tmp_path))).panels[0].draw(axes)
    marks = [line.get_marker() for line in axes.lines if np.size(line.get_xdata()) > 2]
    assert marks == [look.of_place(place).mark for place in (1, 4)]


def test_ids_of_two_figures_of_a_page_differ(tmp_path: Path) -> None:
    panel = figures.make("roc", view_of(write_results(tmp_path))).panels[0]
    panels = Panels()
    one, two = (set(re.findall(r' id="([^"]+)"', panels.svg(panel))) for _ in "ab")
    assert one
    assert not one & two


def test_another_ending_is_refused(tmp_path: Path) -> None:
    figure = figures.make("roc", view_of(write_results(tmp_path)))
    with pytest.raises(UsageError, match="this kind of picture cannot be written"):
        drawing.save(figure, tmp_path / "x.bmp")


def test_the_command_names_all_figures() -> None:
    from asdbench.cli.plot import KINDS

    assert KINDS == figures.KINDS


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_marks_of_a_cell_are_nearer_to_each_other_than_to_the_next_cells(tmp_path: Path, count: int) -> None:
    from matplotlib.figure import Figure as Sheet

    names = [*BUILT_IN, "one", "two", "three", "four"][:count]
    view = view_of(write_results(tmp_path, systems=names, machines=("fan",), count=2))
    (panel,) = figures.make("auc", view).panels
    with drawing.settings():
        axes = Sheet(figsize=(drawing.WIDTH, panel.height)).add_subplot()
        panel.draw(axes)
        dots = [line for line in axes.lines if line.get_marker() not in ("", "None")]
        places = np.sort(np.concatenate([np.asarray(dot.get_ydata(), dtype=float) for dot in dots]))
    assert len(places) == 4 * count  # sections 00 and 01, source and target
    cells = places.reshape(4, count)
    within = np.diff(cells, axis=1).max(initial=0.0)
    assert (cells[1:, 0] - cells[:-1, -1]).min() > 2 * within
    assert cells.mean(axis=1) == pytest.approx(range(4))  # where the labels stand
    inches = within * panel.height / 4
    assert count == 1 or inches > 0.07  # marks of 4.5 points do not hide each other
