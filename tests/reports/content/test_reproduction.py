"""What is reproduced, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asdbench.judging.reproductions import hold
from asdbench.metrics.challenge import DEFINITIONS
from asdbench.published import tables
from asdbench.reports.content.reproduction import HEADS, rows, short, summary
from tests.judging.test_reproductions import UNITS, held, ours, table

SPREADS = {"fan": 0.01, "pump": 0.002}


def test_the_line_counts_machines_and_says_what_chance_gives_and_how_the_epoch_was_chosen() -> None:
    line = summary(held(SPREADS, table(1.5)))
    assert line.startswith(
        "of 2 machines (official score; 3 trainings of ours) 1 reproduced, 1 not (pump); by chance alone 0.1 would be"
        " missed; the official score over all is reproduced (60.00 here, 61.50 published, one more training "
    )
    assert (
        "; mean difference -1.5 points over 8 values. The published values are of 1 training; their epoch: unk" in line
    )
    assert "a strong suspicion, not a fact" in line
    assert short(held(SPREADS, table(1.5))) == "1 of 2 machines reproduced, 1 not"
    wide = held({"fan": 0.03, "pump": 0.03}, table())
    assert "0 reproduced, 2 cannot be told (fan, pump); by chance" in summary(wide)
    assert short(wide) == "0 of 2 machines reproduced, 2 cannot be told"


def test_one_training_and_a_deterministic_system_have_lines_of_their_own() -> None:
    single = hold(ours(SPREADS, 1), UNITS, table(trainings=None), DEFINITIONS[2021])
    assert summary(single).startswith(
        "one training of ours: cannot be told; mean difference +0.0 points over 8 values. "
    )
    assert "are of an unknown number of trainings (held as one); their epoch" in summary(single)
    assert rows(single) == []
    assert short(single) == "cannot be told of one training"
    equal = held({"fan": 0, "pump": 0}, table(), deterministic=True)
    assert summary(equal).startswith(
        "of 2 machines (official score; deterministic: equal to rounding or not) 2 reproduced; the official score"
    )
    assert "by chance" not in summary(equal)


def test_other_clips_and_what_is_not_published_are_said() -> None:
    found = held(SPREADS, table(leave_out=(next(iter(UNITS))[0],)))
    line = summary(found, odd=["fan 00 target"])
    assert "over 6 values; 2 not published; 2 of the 6 of other clips. " in line
    none = held(SPREADS, replace(tables()["narita2021/table-5"], cells={}))
    assert summary(none) == "none of 8 values is published"


def test_a_row_a_machine_and_one_of_all() -> None:
    found = {row[0]: dict(zip(HEADS, row, strict=True)) for row in rows(held(SPREADS, table(1.5)))}
    assert list(found) == ["fan", "pump", "All"]
    assert found["fan"]["one more training"] == "55.0 to 65.0"
    assert [found[name]["verdict"] for name in ("fan", "pump")] == ["reproduced", "not reproduced"]
    assert found["pump"]["mean pAUC, difference"] == "-1.50 ✗"
    assert float(found["All"]["difference"]) == pytest.approx(-1.5)
