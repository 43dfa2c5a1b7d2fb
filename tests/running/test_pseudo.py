"""Pseudo-anomalies: made of training clips alone, reproducible, of vectors and of frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asdbench.api import Batch
from asdbench.running.pseudo import COUNT, pseudo_anomalies
from asdbench.testing import random_batch


def test_mixtures_of_the_section_and_clips_of_another_section_of_the_machine_stand_in_turn() -> None:
    told = np.arange(60 * 40, dtype=np.float32).reshape(60, 40)  # no value twice
    train = replace(random_batch(60, machines=2, seed=1), features=told)
    made, rows = pseudo_anomalies(train, 5)
    assert rows.tolist() == list(range(60))
    for codes in ("machine", "section", "domain"):
        assert np.array_equal(getattr(made, codes), getattr(train, codes)[rows])
    assert made.n_sections == train.n_sections
    for number, (features, row) in enumerate(zip(made.features, rows, strict=True)):
        donors = [int(np.flatnonzero(told[:, place] == value)[0]) for place, value in enumerate(features)]
        assert {train.machine[donor] for donor in donors} == {train.machine[row]}
        if number % 2:
            assert len(set(donors)) == 1
            assert train.section[donors[0]] != train.section[row]
        else:
            assert len(set(donors)) > 5  # each feature has a donor of its own
            assert {train.section[donor] for donor in donors} == {train.section[row]}


def test_the_seed_alone_decides_and_training_clips_stay_as_they_are() -> None:
    train = random_batch(30, seed=1)  # read-only: writing to it would raise
    one, again, other = (pseudo_anomalies(train, seed)[0].features for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_bands_of_frames_are_whole_whatever_the_clips_lengths() -> None:
    train = random_batch(30, kind="frames", sections=1, seed=1)
    made, rows = pseudo_anomalies(train, 1)
    for features, row in zip(made.features, rows.tolist(), strict=True):
        assert features.shape == train.features[row].shape
        for band in range(features.shape[1]):
            assert any(
                np.array_equal(features[:, band], np.resize(own[:, band], len(features))) for own in train.features
            )
        assert not np.array_equal(features, train.features[row])


def test_many_clips_give_a_part_of_them_and_one_clip_of_a_section_is_its_own_mixture() -> None:
    many = random_batch(3 * COUNT, width=4, seed=1)
    made, rows = pseudo_anomalies(many, 1)
    assert len(made) == len(set(rows.tolist())) == COUNT
    assert {0, 1, 2} == set(made.section.tolist())
    train = random_batch(7, sections=1, seed=1)
    alone = replace(train, section=np.array([0, 0, 0, 0, 0, 0, 1]), n_sections=2)
    assert np.array_equal(pseudo_anomalies(alone, 1)[0].features[6], np.asarray(train.features)[6])


@pytest.mark.parametrize("kind", ["vector", "frames"])
def test_one_clip_is_enough(kind: Any) -> None:
    train = random_batch(1, kind=kind, sections=1)
    made, _ = pseudo_anomalies(train, 1)
    assert isinstance(made, Batch)
    assert np.array_equal(made.features[0], train.features[0])
