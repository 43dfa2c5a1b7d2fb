from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from asdbench.api import Cell
from asdbench.errors import DataError
from asdbench.judging.methods import compare_all
from asdbench.judging.samples import Sample, checked, from_table, scored
from asdbench.metrics.challenge import DEFINITIONS, Definition, Group

from .trainings import made

MIDDLE, LATE = DEFINITIONS[2021], DEFINITIONS[2023]


def tidy(*samples: Sample) -> pd.DataFrame:
    """The samples as a table, rows shuffled."""
    rows = [
        {
            "system": sample.name,
            "unit": one.unit,
            "fit": fit,
            "clip": clip,
            "label": int(label),
            "score": score,
            "machine": one.file.machine,
            "section": one.file.section,
            "domain": one.domains[place] if one.domains else one.file.domain,
            "training": one.trainings[row] if one.trainings else f"{sample.name} {one.unit} {fit}",
        }
        for sample in samples
        for one in sample.files
        for row, fit in enumerate(one.fits)
        for place, (clip, label, score) in enumerate(zip(one.clips, one.labels, one.scores[row], strict=True))
    ]
    table = pd.DataFrame(rows)
    return pd.concat([table.iloc[:1], table.iloc[1:].sample(frac=1, random_state=0)], ignore_index=True)


@pytest.mark.parametrize("definition", [MIDDLE, LATE])
def test_a_table_says_what_arrays_say(definition: Definition) -> None:
    late = definition is LATE
    samples = [
        made(name, seed, 3, domains=("source", "target") if late else ("source",), together=late)
        for name, seed in (("a", 1), ("b", 2))
    ]
    read = sorted(from_table(tidy(*samples), definition), key=lambda one: one.name)
    assert compare_all(read, definition) == compare_all(samples, definition)


def test_labels_may_be_words_and_cells_may_be_one_column() -> None:
    table = tidy(made("a", 1, machines=("fan",)), made("b", 2, machines=("fan",)))
    words = table.assign(
        label=np.where(table["label"] == 1, "anomaly", "normal"), cell=table["section"] + " " + table["domain"]
    )
    found = from_table(words[["system", "fit", "clip", "label", "score", "cell"]])
    assert [one.file for one in found[0].files] == [Cell("", "00 source", ""), Cell("", "01 source", "")]
    one, two = (compare_all(from_table(own), MIDDLE)[0].methods for own in (words, table))
    assert one is not None
    assert two is not None
    assert one["auc"].difference == pytest.approx(two["auc"].difference)


def test_seeds_of_the_same_name_are_not_shared_unless_the_table_says_so() -> None:
    a = made("a", 1, 3, keys=True)
    b = Sample("b", a.files)
    table = tidy(a, b)
    assert compare_all(from_table(table), MIDDLE)[0].paired
    assert not compare_all(from_table(table.drop(columns="training")), MIDDLE)[0].paired


def test_a_column_that_lacks_is_named() -> None:
    with pytest.raises(DataError, match="lacks the column score"):
        from_table(tidy(made("a", 1)).drop(columns="score"))


def test_from_2022_on_a_cell_alone_does_not_do() -> None:
    table = tidy(made("a", 1)).assign(cell="x").drop(columns=["section", "domain"])
    with pytest.raises(DataError, match="domain and section"):
        from_table(table, LATE)


def test_fits_that_scored_other_clips() -> None:
    table = tidy(made("a", 1))
    with pytest.raises(DataError, match="its fits have not scored the same clips"):
        from_table(table.drop(index=5))


def test_a_label_that_is_none() -> None:
    with pytest.raises(DataError, match="a label is none of 0, 1, normal and anomaly"):
        from_table(tidy(made("a", 1)).assign(label="strange"))


def test_a_unit_whose_files_have_other_fits() -> None:
    one, two, *rest = made("a", 1).files
    with pytest.raises(DataError, match="the fits of fan are not the same"):
        checked(Sample("a", (one, two.of([0, 1]), *rest)))


def test_a_file_that_is_there_twice() -> None:
    one, *rest = made("a", 1).files
    with pytest.raises(DataError, match="fan 00 source is there twice"):
        checked(Sample("a", (one, one, *rest)))


def test_scores_that_are_not_finite() -> None:
    sample = made("a", 1)
    sample.files[0].scores[0, 0] = np.nan
    with pytest.raises(DataError, match="1 scores are not finite"):
        checked(sample)


def test_one_class_only() -> None:
    sample = made("a", 1)
    sample.files[0].labels[:] = 0
    with pytest.raises(DataError, match="clips of both classes"):
        checked(sample)


def test_groups_of_several_seeds_are_a_file() -> None:
    one = made("a", 1, 2).files[0]
    groups = {
        seed: Group(one.file, one.labels, row, None, (), one.clips) for seed, row in zip("34", one.scores, strict=True)
    }
    found = scored(groups, "fan", {"3": "x", "4": "y"})
    assert found.fits == ("3", "4")
    assert found.trainings == ("x", "y")
    assert np.array_equal(found.scores, one.scores)
    other = Group(one.file, one.labels, one.scores[0], None, (), one.clips[::-1])
    with pytest.raises(DataError, match="seed 5 has not scored the clips of the others"):
        scored({**groups, "5": other}, "fan")
