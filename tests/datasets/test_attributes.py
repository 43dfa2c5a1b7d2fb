from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.datasets import attributes, grammar
from asdbench.datasets.ground_truth import read_truth
from asdbench.datasets.years import YEARS


@pytest.mark.parametrize(
    ("tail", "pairs"),
    [
        ("", ()),
        ("noAttribute", ()),
        ("vel_21_loc_A", (("vel", "21"), ("loc", "A"))),
        ("m-n_W", (("m-n", "W"),)),
        ("volt_1.5_wt_150", (("volt", "1.5"), ("wt", "150"))),
        ("car_C2_spd_31V_mic_1", (("car", "C2"), ("spd", "31V"), ("mic", "1"))),
        ("v1pat_05_v2pat_05", (("v1pat", "05"), ("v2pat", "05"))),
        ("pat_01_panel_bs-c", (("pat", "01"), ("panel", "bs-c"))),
        ("weight35_BckgE", (("weight", "35"), ("Bckg", "E"))),
        (
            "mic_imp34dt05_mic_pos_A_grind_100_bkg_A",
            (("mic", "imp34dt05"), ("mic_pos", "A"), ("grind", "100"), ("bkg", "A")),
        ),
        # 2021, with the source's own slips
        ("strenght_1_big_ambient", (("strenght", "1"), ("", "big_ambient"))),
        ("strength_2_temp_min", (("strength", "2"), ("", "temp_min"))),
        ("25_g_2_mm_2000_mV_None", (("g", "25"), ("mm", "2"), ("mV", "2000"), ("", "None"))),
        ("serial_no_020_viscous_liquid", (("serial_no", "020"), ("", "viscous_liquid"))),
        ("vel300_dis30_accl0.03", (("vel", "300"), ("dis", "30"), ("accl", "0.03"))),
        ("glassfiber_none", (("", "glassfiber_none"),)),
        ("pattern_00_no_pump", (("pattern", "00"), ("", "no_pump"))),
        ("A1Spd28VMic1", (("", "A1"), ("Spd", "28V"), ("Mic", "1"))),
        # not the source's: kept as it is
        ("x", (("", "x"),)),
        ("vel", (("", "vel"),)),
        ("_", (("", "_"),)),
    ],
)
def test_tails_are_read_as_the_source_spells_them(tail: str, pairs: attributes.Pairs) -> None:
    assert attributes.parse(tail) == pairs


def test_our_keys_stand_apart_from_the_sources() -> None:
    theirs = attributes.parse("strenght_1_ambient")
    assert attributes.normalised(theirs) == (("strength", "1"), ("", "ambient"))
    assert theirs[0][0] == "strenght"
    assert attributes.normalised(attributes.parse("25_g_2_mm_2000_mV_None"))[-1] == ("", "none")
    assert attributes.normalised(attributes.parse("spd40_BckgA")) == (("speed", "40"), ("background", "A"))


@pytest.mark.shared
@pytest.mark.parametrize("year", range(2023, 2026))
def test_every_word_of_the_ground_truth_lists_has_its_key(shared: Path, year: int) -> None:
    truth = read_truth(shared / "reference" / "ground_truth" / f"eval_data_list_{year}.csv", YEARS[year])
    tails = set()
    for names in truth.labelled.values():
        for name in names:
            fields = grammar.read(name, "", year)
            assert fields is not None
            tails.add(fields.attributes)
    assert tails
    for tail in tails - {attributes.NOTHING}:
        pairs = attributes.parse(tail)
        assert all(key for key, _ in pairs), tail
        assert "".join(key + value for key, value in pairs) == "".join(tail.split("_")).replace("micpos", "mic_pos")
