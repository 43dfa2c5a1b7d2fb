from __future__ import annotations

from collections import Counter
from dataclasses import replace

from asdbench.reports.text.validation import SHOWN, render
from asdbench.upkeep.validation import Finding, Validation
from asdbench.upkeep.validation.counts import Count, Counts, Place

FAN = Place("fan", "00", "dev", "source", "train"), Place("fan", "00", "dev", "source", "test")


def validation(counts: Counts, official: Counts | None = None, *findings: Finding) -> Validation:
    clips = sum(count.total for count in counts.values())
    formats = Counter({"16000 Hz, 1 channel, 10.000 s": clips})
    return Validation("dcase2021:ROOT", 2021, clips, counts, official or {}, formats, findings, ())


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.startswith(("fan", "pump"))]


def test_what_is_there_stands_beside_what_should_be_only_where_they_differ() -> None:
    official = {
        FAN[0]: Count(1000),
        FAN[1]: Count(100, 100),
        Place("pump", "00", "dev", "source", "train"): Count(1000),
    }
    text = render(validation({FAN[0]: Count(1000), FAN[1]: Count(100, 99)}, official))
    assert rows(text) == [["fan", "00", "dev", "1000", "100+99", "of", "100+100"]]
    assert "nothing wrong was found" in text  # findings decide, not the table


def test_a_section_that_a_part_lacks_has_a_row() -> None:
    official = {FAN[0]: Count(1000), Place("fan", "01", "dev", "source", "train"): Count(1000)}
    text = render(validation({FAN[0]: Count(1000)}, official))
    assert rows(text)[1] == ["fan", "01", "dev", "0", "of", "1000"]


def test_labels_that_are_not_known_and_years_without_domains() -> None:
    test = Place("fan", "id_00", "eval", "", "test")
    text = render(validation({test: Count(unknown=150), Place("fan", "id_00", "dev", "", "train"): Count(90)}))
    assert rows(text) == [["fan", "id_00", "dev+eval", "90", "150?"]]
    assert "?: label not known" in text
    assert render(validation({test: Count(3, 4, 5)})).count("3+4 5?") == 1


def test_long_findings_are_cut_unless_all_is_wanted() -> None:
    items = tuple(f"clip {number}" for number in range(SHOWN + 3))
    found = validation({FAN[0]: Count(1)}, None, Finding("odd clips", items, hint="look"), Finding("a note", (), False))
    text = render(found)
    assert f"wrong: odd clips ({SHOWN + 3})" in text
    assert "  and 3 more (--all lists them)" in text
    assert f"clip {SHOWN}" not in text
    assert "note: a note\n" in text
    assert text.endswith("WRONG: 1 of the above\n")
    assert all(item in render(found, everything=True) for item in items)


def test_stamps_stand_above_the_counts() -> None:
    found = replace(validation({FAN[0]: Count(1)}), stamps=("the 2026 layout is assumed",))
    assert render(found).splitlines()[:2] == ["dcase2021:ROOT (DCASE 2021): 1 clip", "note: the 2026 layout is assumed"]


def test_control_characters_in_names_do_not_reach_the_terminal() -> None:
    text = render(validation({FAN[0]: Count(1)}, None, Finding("odd", ("fan a\x1b[2Jb.wav",))))
    assert "\x1b" not in text
