"""Which epoch is chosen: by development cells alone, each machine its own; what the choice is worth on other clips."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from asdbench.api import DOMAINS, Clip, Label, Part, System
from asdbench.metrics.challenge import DEFINITIONS
from asdbench.metrics.roc import auc, pauc
from asdbench.results.components import Components, Row
from asdbench.results.selection import CHOICES, LAST, choices, folder_name, parted
from asdbench.running import selection
from asdbench.running.blinding import Outcome
from asdbench.running.selection import both_ways, choose, measure

Y2021 = DEFINITIONS[2021]


@dataclass(frozen=True)
class Nothing:
    embedding: str = "resnet38"
    scope: str = "machine"


SYSTEM: System[Any] = System("s", "S", Nothing(), {"a": 2.0})  # type: ignore[arg-type]  # it is not trained here


def clips_of(machine: str, count: int, part: Part = "dev", sections: Sequence[str] = ("00", "01")) -> list[Clip]:
    """``count`` normal and as many anomalous test clips of each cell."""
    labels: tuple[Label, ...] = ("normal", "anomaly")
    return [
        Clip(f"section_{section}_{domain}_test_{label}_{n:04d}.wav", machine, section, domain, "test", part, label)
        for section, domain, label, n in itertools.product(sections, DOMAINS, labels, range(count))
    ]


def scored(clips: Sequence[Clip], shift: Mapping[tuple[str, str], float], seed: int) -> Components:
    """Scores of these clips, anomalies higher by ``shift`` of (machine, part); and training rows that are nonsense."""
    draws = np.random.default_rng(seed)
    values = [
        draws.standard_normal() + (shift[clip.machine, clip.part] if clip.label == "anomaly" else 0) for clip in clips
    ]
    identity = [Row("test", clip.machine, clip.section, clip.domain, clip.name, clip.machine) for clip in clips]
    training = [
        Row("train", machine, "00", "source", name, machine) for machine, name in {(c.machine, c.name) for c in clips}
    ]
    every = np.array([*values, *draws.standard_normal(len(training))], np.float32)
    return Components([*identity, *training], {"a": every})


def areas(components: Components, clips: Sequence[Clip], metric: Any) -> dict[str, float]:
    """By hand: cell -> AUC or pAUC."""
    score = {
        row[1:5]: value
        for row, value in zip(components.identity, components.values["a"], strict=True)
        if row[0] == "test"
    }
    cells: dict[str, list[Clip]] = {}
    for clip in clips:
        cells.setdefault(f"{clip.section}/{clip.domain}", []).append(clip)
    return {
        cell: metric(
            np.array([int(clip.label == "anomaly") for clip in own]),
            np.array([score[clip.machine, clip.section, clip.domain, clip.name] for clip in own], np.float64),
        )
        for cell, own in cells.items()
    }


def test_each_machine_has_its_own_best_epoch_by_its_development_cells_alone() -> None:
    clips = [*clips_of("fan", 30), *clips_of("fan", 30, "eval", ("03",)), *clips_of("pump", 30)]
    best = {"fan": 2, "pump": 3}
    outcome = Outcome(Components([], {}))
    for epoch in (1, 2, 3, 4):
        shift = {(machine, "dev"): 2.0 if best[machine] == epoch else 0.5 for machine in best}
        outcome.epochs[epoch] = scored(clips, {**shift, ("fan", "eval"): 9.0 if epoch == 4 else -9.0}, seed=epoch)
    measured = measure(outcome, SYSTEM, ["fan", "pump"], clips, Y2021)
    for machine, (epoch, components) in itertools.product(best, outcome.epochs.items()):
        own = [clip for clip in clips if clip.machine == machine and clip.part == "dev"]
        for by, metric in (("auc", auc), ("pauc", pauc)):
            by_hand = statistics.harmonic_mean(areas(components, own, metric).values())
            assert measured[machine][epoch][by] == pytest.approx(by_hand, rel=1e-12)
    chosen, epochs = choose(outcome, measured, "auc", ["fan", "pump"], clips, Y2021)
    assert epochs == best
    for machine, epoch in best.items():
        kept, want = chosen.components.where(machine=machine), outcome.epochs[epoch].where(machine=machine)
        assert list(kept.identity) == list(want.identity)  # its evaluation and training clips are of that epoch, too
        assert np.array_equal(kept.values["a"], want.values["a"])


def test_auc_and_pauc_choose_for_themselves() -> None:
    clips = clips_of("fan", 4, sections=("00",))
    labels = np.array([clip.label == "anomaly" for clip in clips])
    # Epoch 1: a normal clip lies above all anomalies; epoch 2: an anomaly lies below all normal clips.
    steady, split = np.array([0, 1, 2, 9, 3, 4, 5, 6]), np.array([1, 2, 3, 4, 0, 7, 8, 9])
    outcome = Outcome(Components([], {}))
    for epoch, own in ((1, steady), (2, split)):
        identity = [Row("test", clip.machine, clip.section, clip.domain, clip.name, clip.machine) for clip in clips]
        outcome.epochs[epoch] = Components(identity, {"a": np.tile(own, 2).astype(np.float32)})
    assert labels.tolist() == 2 * [*[False] * 4, *[True] * 4]
    measured = measure(outcome, SYSTEM, ["fan"], clips, Y2021)
    assert measured["fan"][1]["auc"] == measured["fan"][2]["auc"] == 0.75
    assert measured["fan"][2]["pauc"] > measured["fan"][1]["pauc"]
    assert choose(outcome, measured, "auc", ["fan"], clips, Y2021)[1] == {"fan": 1}  # the first among equals
    assert choose(outcome, measured, "pauc", ["fan"], clips, Y2021)[1] == {"fan": 2}


def test_labels_of_evaluation_clips_alone_choose_nothing() -> None:
    clips = clips_of("fan", 5, "eval", ("03",))
    outcome = Outcome(Components([], {}), epochs={1: scored(clips, {("fan", "eval"): 1.0}, 1)})
    assert measure(outcome, SYSTEM, ["fan"], clips, Y2021) == {}
    chosen, epochs = choose(outcome, {}, "auc", ["fan"], clips, Y2021)
    assert (epochs, set(chosen.failed.values())) == ({}, {"no labelled development cell to choose by"})
    assert both_ways(outcome, SYSTEM, "auc", "fan", clips, Y2021) == []


@pytest.mark.parametrize("by", ["auc", "pauc"])
def test_chosen_on_one_half_and_measured_on_the_other(by: Any) -> None:
    clips = [*clips_of("fan", 21), *clips_of("fan", 20, "eval", ("03",))]
    shifts = {("fan", "dev"): 0.5, ("fan", "eval"): 5.0}
    outcome = Outcome(Components([], {}), epochs={epoch: scored(clips, shifts, epoch) for epoch in range(1, 9)})
    ways = both_ways(outcome, SYSTEM, by, "fan", clips, Y2021)
    halves = halves_of(clips)
    metric = {"auc": auc, "pauc": pauc}[by]
    for way, (chosen_on, measured_on) in zip(ways, (halves, halves[::-1]), strict=True):
        merits = {
            epoch: statistics.harmonic_mean(max(area, 1e-16) for area in areas(components, chosen_on, metric).values())
            for epoch, components in outcome.epochs.items()
        }
        assert way["epoch"] == max(merits, key=lambda epoch: merits[epoch])
        for side, epoch in (("chosen", way["epoch"]), ("last", 8)):
            for name, one in (("auc", auc), ("pauc", pauc)):
                by_hand = areas(outcome.epochs[epoch], measured_on, one)
                assert {cell: sides[side][name] for cell, sides in way["cells"].items()} == pytest.approx(by_hand)


def halves_of(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Development clips in two halves that have as many normal and anomalous clips of each cell, but for one."""
    (first, second), (again, once_more) = selection._halves(selection._development(clips, "fan"))
    assert (first, second) == (once_more, again)
    assert not first.keys() & second.keys()
    assert {*first, *second} == {clip.name for clip in clips if clip.part == "dev"}
    assert abs(len(first) - len(second)) <= 1
    for half in (first, second):
        for cell, label in {(clip.cell, clip.label) for clip in half.values()}:
            assert sum((clip.cell, clip.label) == (cell, label) for clip in half.values()) in (10, 11)
    return [list(first.values()), list(second.values())]


def test_epochs_that_differ_by_chance_gain_nothing_on_the_other_half() -> None:
    clips = clips_of("fan", 25)
    seen, unseen = [], []
    for run in range(40):
        epochs = {epoch: scored(clips, {("fan", "dev"): 1.0}, 100 * run + epoch) for epoch in range(20)}
        outcome = Outcome(Components([], {}), epochs=epochs)
        measured = measure(outcome, SYSTEM, ["fan"], clips, Y2021)["fan"]
        seen.append(max(own["auc"] for own in measured.values()) - measured[19]["auc"])
        for way in both_ways(outcome, SYSTEM, "auc", "fan", clips, Y2021):
            unseen += [sides["chosen"]["auc"] - sides["last"]["auc"] for sides in way["cells"].values()]
    assert np.mean(seen) > 0.03
    assert abs(np.mean(unseen)) < 0.015


def test_a_half_without_anomalies_of_a_cell_states_nothing() -> None:
    clips = clips_of("fan", 1)
    outcome = Outcome(Components([], {}), epochs={1: scored(clips, {("fan", "dev"): 1.0}, 1)})
    assert measure(outcome, SYSTEM, ["fan"], clips, Y2021)["fan"][1].keys() == {"auc", "pauc"}
    assert both_ways(outcome, SYSTEM, "auc", "fan", clips, Y2021) == []


def test_from_2022_on_a_pauc_counts_once_a_section() -> None:
    clips = clips_of("fan", 20)
    components = scored(clips, {("fan", "dev"): 1.0}, 1)
    told = Components([row._replace(domain="") for row in components.identity], components.values)  # no domains
    measured = measure(Outcome(components, epochs={1: told}), SYSTEM, ["fan"], clips, DEFINITIONS[2022])["fan"][1]
    by_section = [[clip for clip in clips if clip.section == section] for section in ("00", "01")]
    score = {
        row[4]: value
        for row, value in zip(components.identity, components.values["a"], strict=True)
        if row[0] == "test"
    }
    by_hand = [
        pauc(np.array([int(c.label == "anomaly") for c in own]), np.array([score[c.name] for c in own], np.float64))
        for own in by_section
    ]
    assert measured["pauc"] == pytest.approx(statistics.harmonic_mean(by_hand), rel=1e-12)


def test_pseudo_auc_is_over_training_clips_of_each_section_and_needs_no_label() -> None:
    draws = np.random.default_rng(1)
    train = [
        Row("train", "fan", section, "source", f"{section}_{n}.wav", "fan")
        for section in ("00", "03")
        for n in range(30)
    ]
    test = [Row("test", "fan", "00", "source", "x.wav", "fan")]
    outcome = Outcome(Components([], {}))
    shifts = {1: 0.5, 2: 2.0, 3: 1.0, 4: 9.0}
    for epoch, shift in shifts.items():
        level = np.array([100.0 if row.section == "03" else 0.0 for row in train])  # sections are not of one level
        made = {"a": np.array([*(draws.standard_normal(60) + level), -500], np.float32)}
        outcome.epochs[epoch] = Components([*train, *test], made)
        odd = (draws.standard_normal(60) + level + shift).astype(np.float32)
        if epoch == 4:
            odd[0] = np.nan
        outcome.pseudo[epoch] = Components([row._replace(split="pseudo") for row in train], {"a": odd})
    clips = [Clip("x.wav", "fan", "00", "source", "test", "dev", None)]
    measured = measure(outcome, SYSTEM, ["fan"], clips, Y2021)
    assert {epoch: set(known) for epoch, known in measured["fan"].items()} == {
        1: {"pseudo"},
        2: {"pseudo"},
        3: {"pseudo"},
    }
    for epoch, known in measured["fan"].items():
        normal, odd = outcome.epochs[epoch].values["a"][:60], outcome.pseudo[epoch].values["a"]
        by_hand = [np.mean(odd[None, own] > normal[own, None]) for own in (slice(0, 30), slice(30, 60))]
        assert known["pseudo"] == pytest.approx(statistics.harmonic_mean(map(float, by_hand)), rel=1e-9)
    chosen, epochs = choose(outcome, measured, "pseudo", ["fan"], clips, Y2021)
    assert epochs == {"fan": 2}
    assert {row[0] for row in chosen.components.identity} == {"train", "test"}
    outcome.pseudo.clear()
    refused, _ = choose(outcome, measure(outcome, SYSTEM, ["fan"], clips, Y2021), "pseudo", ["fan"], clips, Y2021)
    assert set(refused.failed.values()) == {"no epoch gives a score to every training clip and pseudo-anomaly"}


def test_names_of_folders_go_both_ways() -> None:
    folders = ["clvae", "clvae@pseudo", "clvae@oracle", "clvae@oracle-pauc"]
    assert [folder_name("clvae", choice) for choice in CHOICES] == folders
    for choice in CHOICES:
        assert parted(folder_name("a[b=c@oracle]", choice)) == ("a[b=c@oracle]", choice)
    assert parted("@oracle-pauc-not") == ("@oracle-pauc-not", LAST)
    assert [choice.name for choice in choices("both")] == ["last", "oracle"]
    assert choices("all") == CHOICES
