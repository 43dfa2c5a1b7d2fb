from __future__ import annotations

import csv
from pathlib import Path

import pytest

from asdbench.errors import UsageError
from asdbench.published import KEYS, Metric, Table, official_counts, recomputed_means, tables

REPORT = ("narita2021/table-3", "narita2021/table-4", "narita2021/table-5", "narita2021/table-6")
READMES = ("organizers/ae-readme", "organizers/mobilenetv2-readme")
SINGLE_RUN = (*REPORT[1:], "narita2021/mvg-notebook")
COLUMNS = [("source", "auc"), ("target", "auc"), ("source", "pauc"), ("target", "pauc")]


def arithmetic(table: Table, rows: tuple[tuple[str, str], ...] | None = None) -> list[float]:
    columns = recomputed_means(table, rows).columns
    return [columns[domain, metric].arithmetic for domain, metric in columns]


def test_each_table_is_whole() -> None:
    assert tuple(tables()) == KEYS
    assert [key for key, table in tables().items() if table.elided] == list(READMES)
    for key, table in tables().items():
        assert table.key == key
        assert len(table.cells) == 4 * len(table.rows)
        assert len(table.rows) == 21 - 3 * len(table.elided)
        printed = {*table.machines, *table.elided}
        assert printed == {"ToyCar", "ToyTrain", "fan", "gearbox", "pump", "slider", "valve"}
        assert table.title
        assert table.source
        assert table.note
        assert all(value == round(value, table.decimals) for value in table.cells.values())
        assert all(37 < value < 100 for value in table.cells.values())


def test_the_reports_tables_are_in_printed_order() -> None:
    for key in REPORT:
        assert tables()[key].machines == ("ToyCar", "ToyTrain", "fan", "gearbox", "pump", "slider", "valve")
        assert tables()[key].rows[:4] == (("ToyCar", "00"), ("ToyCar", "01"), ("ToyCar", "02"), ("ToyTrain", "00"))
        assert list(recomputed_means(tables()[key]).columns) == [
            ("source", "auc"),
            ("target", "auc"),
            ("source", "pauc"),
            ("target", "pauc"),
        ]


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("narita2021/table-3", [67.49, 59.23, 55.28, 51.99]),
        ("narita2021/table-4", [61.78, 58.69, 56.74, 55.75]),
        ("narita2021/table-5", [77.39, 71.45, 66.20, 63.68]),
        ("narita2021/table-6", [80.14, 73.47, 68.18, 65.40]),
    ],
)
def test_printed_means(key: str, printed: list[float]) -> None:
    means = tables()[key].printed_means
    assert [means[domain, metric] for domain, metric in means] == printed


@pytest.mark.parametrize(
    ("key", "target", "official"),
    [
        ("narita2021/table-3", [67.50, 59.23, 55.28, 51.99], 57.28),
        ("narita2021/table-4", [61.99, 60.18, 56.24, 55.56], 56.74),
        ("narita2021/table-5", [77.39, 71.45, 66.20, 63.68], 67.83),
        ("narita2021/table-6", [80.14, 73.47, 68.18, 65.40], 69.96),
    ],
)
def test_recomputed_means_are_the_targets(key: str, target: list[float], official: float) -> None:
    means = recomputed_means(tables()[key])
    assert [round(value, 2) for value in arithmetic(tables()[key])] == target
    assert round(means.official_score, 2) == official
    assert {column.count for column in means.columns.values()} == {21}
    assert {metric: mean.count for metric, mean in means.overall.items()} == {"auc": 42, "pauc": 42}


def test_the_printed_mean_of_table_4_leaves_out_its_first_two_rows() -> None:
    table = tables()["narita2021/table-4"]
    printed = list(table.printed_means.values())
    assert table.rows[:2] == (("ToyCar", "00"), ("ToyCar", "01"))
    assert [round(value, 2) for value in arithmetic(table, table.rows[2:])] == printed
    assert [round(value, 2) for value in arithmetic(table)] != printed
    assert "ToyCar 00 and 01" in table.note


@pytest.mark.parametrize("key", [*SINGLE_RUN, *READMES])
def test_single_run_paucs_lie_on_the_grid_of_100_and_100_clips(key: str) -> None:
    """Without ties K of the 100 x 10 pairs are in order: pAUC = 50 + (K - 50) / 19 percent."""
    table, counts = tables()[key], official_counts()
    tested = 0
    for (machine, section, domain, metric), percent in table.cells.items():
        clips = [counts[machine, section, domain, "test", label] for label in ("normal", "anomaly")]
        if metric == "pauc" and clips == [100, 100]:
            k = round(50 + 19 * (percent - 50))
            assert 0 <= k <= 1000
            assert abs(percent - (50 + (k - 50) / 19)) <= 0.5 * 10**-table.decimals + 1e-9, (machine, section, domain)
            tested += 1
    assert tested == (33 if key not in READMES else 12)


def test_each_table_says_of_how_many_trainings_it_is_and_how_the_epoch_was_chosen() -> None:
    assert {key: table.trainings for key, table in tables().items()} == {
        **dict.fromkeys(SINGLE_RUN, 1),
        **dict.fromkeys(READMES, 1),
        "narita2021/table-3": None,
    }
    for key, table in tables().items():
        assert table.selection
        suspected = "labelled test clips" in table.selection
        assert suspected == (key in REPORT[1:])
        assert not suspected or ("unknown" in table.selection and "not a fact" in table.selection)


def test_the_organizers_mean_over_trials_lies_off_the_grid() -> None:
    cells = tables()["narita2021/table-3"].cells
    off = [
        percent
        for (*_, metric), percent in cells.items()
        if metric == "pauc" and abs(percent - (50 + (round(50 + 19 * (percent - 50)) - 50) / 19)) > 0.00501
    ]
    assert len(off) == 37


def test_means_over_some_rows() -> None:
    table = tables()["narita2021/table-6"]
    rows = [("fan", "00"), ("fan", "01")]
    means = recomputed_means(table, rows)
    assert means.rows == tuple(rows)
    values = [table.cells[machine, section, "source", "auc"] for machine, section in rows]
    assert means.columns["source", "auc"].arithmetic == pytest.approx(sum(values) / 2)
    assert means.columns["source", "auc"].harmonic == pytest.approx(2 / (1 / values[0] + 1 / values[1]))
    with pytest.raises(UsageError, match="no row fan 03"):
        recomputed_means(table, [("fan", "03")])
    with pytest.raises(UsageError, match="no rows"):
        recomputed_means(table, [])


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'narita2021/table-"):
        tables()["narita2021/table-9"]
    assert "narita2021/table-9" not in tables()
    assert tables().get("narita2021/table-9") is None


def test_official_counts_add_up_to_the_data_set() -> None:
    counts = official_counts()

    def total(split: str, sections: tuple[str, ...]) -> int:
        return sum(n for (_, section, _, s, _), n in counts.items() if s == split and section in sections)

    assert total("train", ("00", "01", "02")) == 21_080
    assert total("train", ("03", "04", "05")) == 21_168
    assert total("test", ("00", "01", "02")) == 8_621
    assert total("test", ("03", "04", "05")) == 8_635
    assert counts["gearbox", "00", "source", "test", "normal"] == 195
    assert counts["ToyCar", "00", "target", "train", "anomaly"] == 0


@pytest.mark.shared
def test_values_are_those_of_the_reference_tables(shared: Path) -> None:
    expected: dict[tuple[str, ...], float] = {}
    with (shared / "reference" / "narita2021_tables.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            section = row["section"].replace("all", "")
            machine = row["machine"].replace("MEAN_as_printed", "MEAN")
            key = f"narita2021/table-{row['table']}"
            expected[key, machine, section, row["domain"], row["metric"].lower()] = float(row["value_percent"])
    with (shared / "reference" / "narita2021_mvg_dev.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            place = row["machine"], row["section"], row["domain"], row["metric"].lower()
            expected["narita2021/mvg-notebook", *place] = float(row["value_percent"])
    with (shared / "reference" / "dcase2021_baselines_dev.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["run_kind"] == "single_run_README_example" and (
                row["section"].isdigit() or (row["machine"], row["section"]) == ("ALL", "all_arithmetic_mean")
            ):
                key = "organizers/" + {"AE_official": "ae-readme"}.get(row["system"], "mobilenetv2-readme")
                unit = (row["machine"], row["section"]) if row["section"].isdigit() else ("MEAN", "")
                expected[key, *unit, row["domain"], row["metric"].lower()] = float(row["value_percent"])
    shipped = {(key, *cell): value for key, table in tables().items() for cell, value in table.cells.items()}
    for key, table in tables().items():
        shipped |= {(key, "MEAN", "", *column): value for column, value in table.printed_means.items()}
    assert shipped == expected


@pytest.mark.shared
def test_the_readme_runs_means_are_those_of_the_reference(shared: Path) -> None:
    compared = 0
    with (shared / "reference" / "dcase2021_baselines_dev.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["run_kind"] != "single_run_README_example" or row["section"].isdigit():
                continue
            table = tables()["organizers/" + {"AE_official": "ae-readme"}.get(row["system"], "mobilenetv2-readme")]
            metric: Metric = "auc" if row["metric"] == "AUC" else "pauc"
            which = row["section"].split("_")[1]
            if row["machine"] == "ALL":  # as printed: over machine types that the README elides, too
                printed = table.printed_means if which == "arithmetic" else table.printed_harmonic
                assert printed["both", metric] == float(row["value_percent"])
            else:
                rows = [place for place in table.rows if place[0] == row["machine"]]
                mean = getattr(recomputed_means(table, rows).overall[metric], which)
                assert mean == pytest.approx(float(row["value_percent"]), abs=0.0001)
            compared += 1
    assert compared == 24


@pytest.mark.shared
def test_recomputed_means_are_those_of_the_reference(shared: Path) -> None:
    compared = 0
    with (shared / "reference" / "narita2021_derived.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            table = tables()[f"narita2021/table-{row['table']}"]
            rows = [key for key in table.rows if row["machine"] in ("ALL", key[0])]
            means, (kind, _, *rest) = recomputed_means(table, rows), row["statistic"].split("_")
            if rest[0] == "21":
                mean = means.columns[rest[2], "auc" if rest[1] == "AUC" else "pauc"]
                value = mean.harmonic if kind == "harmonic" else mean.arithmetic
            elif len(rest) > 1:  # ..._mean_AUC_and_pAUC...
                value = means.official_score
            else:
                mean = means.overall["auc" if rest[0] == "AUC" else "pauc"]
                value = mean.harmonic if kind == "harmonic" else mean.arithmetic
            decimals = len(row["value_percent"].partition(".")[2])
            assert value == pytest.approx(float(row["value_percent"]), abs=0.5001 * 10**-decimals), row
            compared += 1
    assert compared == 136


@pytest.mark.shared
def test_counts_are_those_of_the_reference(shared: Path) -> None:
    expected = {}
    with (shared / "reference" / "dcase2021_counts.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            for label in ("normal", "anomaly"):
                place = row["machine"], row["section"], row["domain"], row["split"], label
                expected[place] = int(row[f"n_{label}"])
    assert official_counts() == expected


@pytest.mark.shared
def test_a_real_run_and_the_ground_truth_have_the_official_counts(shared: Path) -> None:
    found: dict[tuple[str, ...], int] = {}
    for path in (shared / "real" / "scores_dcase2021_dev_baseline_ae").glob("anomaly_score_*.csv"):
        _, _, machine, _, section, domain, _ = path.stem.split("_")
        names = [line.partition(",")[0] for line in path.read_text().splitlines()]
        for label in ("normal", "anomaly"):
            found[machine, section, domain, "test", label] = sum(f"_{label}_" in name for name in names)
    for path in (shared / "conformance" / "dcase2021_evaluator" / "ground_truth_data").glob("*.csv"):
        _, _, machine, _, section, domain, _ = path.stem.split("_")
        labels = [line.rpartition(",")[2] for line in path.read_text().splitlines()]
        found[machine, section, domain, "test", "normal"] = labels.count("0")
        found[machine, section, domain, "test", "anomaly"] = labels.count("1")
    assert found == {key: count for key, count in official_counts().items() if key[3] == "test"}
