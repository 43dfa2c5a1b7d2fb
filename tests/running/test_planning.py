from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.api import Batch, Clip, FitContext, Scope, System
from asdbench.errors import DataError
from asdbench.plugins.sources import Sources
from asdbench.running.planning import derive_seed, differences, job_key, key_hash, presentation_order, units

pytestmark = pytest.mark.quick


@dataclass(frozen=True)
class Nothing:
    width: int = 3
    weights: str | None = None
    embedding: str = "resnet38"
    scope: Scope = "machine"

    def fit(self, train: Batch, ctx: FitContext) -> Any:
        raise NotImplementedError


def clip(name: str, machine: str, section: str, split: str, part: str = "dev", label: str | None = "normal") -> Clip:
    return Clip(name, machine, section, "source", split, part, label)  # type: ignore[arg-type]  # plain text in tests


CLIPS = [
    clip("b", "fan", "00", "train"),
    clip("a", "fan", "00", "train"),
    clip("c", "fan", "03", "train", "additional"),
    clip("d", "fan", "00", "test"),
    clip("e", "fan", "03", "test", "eval", None),
    clip("f", "pump", "00", "train"),
    clip("g", "pump", "00", "test", "dev", "anomaly"),
]


def shape(scope: Scope, machines: list[str]) -> dict[str, tuple[str, str]]:
    fits = [fit for unit in units(CLIPS, scope, machines) for fit in unit.fits]
    return {fit.label: ("".join(c.name for c in fit.train), "".join(c.name for c in fit.test)) for fit in fits}


def test_each_scope_forms_its_fits_from_clips_sorted_by_name() -> None:
    assert shape("machine", ["fan"]) == {"fan": ("abc", "de")}
    assert shape("machine-part", ["fan", "pump"]) == {
        "fan/dev": ("ab", "d"),
        "fan/eval": ("c", "e"),
        "pump/dev": ("f", "g"),
    }
    assert shape("section", ["fan"]) == {"fan/00": ("ab", "d"), "fan/03": ("c", "e")}


def test_scope_all_is_one_fit_whatever_machines_are_scored() -> None:
    assert shape("all", ["fan"]) == shape("all", ["fan", "pump"]) == {"all": ("abcf", "deg")}


def test_training_clips_labelled_anomaly_are_refused() -> None:
    with pytest.raises(DataError, match="1 training clip is labelled anomaly"):
        units([*CLIPS, clip("x", "fan", "00", "train", "dev", "anomaly")], "machine", ["fan"])


def test_the_seed_of_a_fit_depends_on_run_seed_label_and_family_but_not_on_parameters() -> None:
    seed = derive_seed(777, "fan", Nothing())
    assert seed == derive_seed(777, "fan", Nothing(width=9))
    assert len({seed, derive_seed(778, "fan", Nothing()), derive_seed(777, "pump", Nothing())}) == 3


@given(st.integers(0, 2**31), st.text(max_size=20), st.integers(0, 50))
def test_the_test_order_is_a_repeatable_permutation(seed: int, label: str, count: int) -> None:
    order = presentation_order(seed, label, count)
    assert sorted(order.tolist()) == list(range(count))
    assert order.tolist() == presentation_order(seed, label, count).tolist()


def test_the_test_order_is_not_the_name_order() -> None:
    assert presentation_order(777, "fan", 40).tolist() != list(range(40))


def key(model: Nothing, **changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "seed": 777,
        "features": {"recipe": 1},
        "fingerprint": "f",
        "threads": 1,
        "device": "cpu",
        "origin": "here 1",
        "code": Sources({"mine.py": "a"}, {}),
    }
    return job_key(System("n", "t", model, {"x": 1.0}), units(CLIPS, "machine", ["fan"])[0], **{**settings, **changes})


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"features": {}},
        {"fingerprint": "g"},
        {"threads": 2},
        {"device": "cuda"},
        {"code": Sources({"mine.py": "b"}, {})},
        {"code": Sources({"mine.py": "a"}, {"scikit-learn": "1"})},
    ],
)
def test_everything_that_moves_components_moves_the_key(change: dict[str, Any]) -> None:
    assert key_hash(key(Nothing())) != key_hash(key(Nothing(), **change))
    assert len(differences(key(Nothing()), key(Nothing(), **change))) == 1


def test_the_difference_of_two_keys_names_the_parameter() -> None:
    assert differences(key(Nothing(width=3)), key(Nothing(width=4))) == ["width: 3 there, 4 now"]


def test_long_values_are_shortened_where_they_differ() -> None:
    one, other = (f"mine.py sha256 {digit * 64}" for digit in "ab")
    assert differences({"origin": one}, {"origin": other}) == [
        "origin: mine.py sha2…aaaaaaaa… there, mine.py sha2…bbbbbbbb… now"
    ]


def test_a_weights_file_counts_by_content_not_by_place(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "w.npz").write_bytes(b"same")
    one, two = (key(Nothing(weights=str(tmp_path / folder / "w.npz"))) for folder in ("one", "two"))
    assert one == two
    (tmp_path / "two" / "w.npz").write_bytes(b"other")
    assert key(Nothing(weights=str(tmp_path / "two" / "w.npz"))) != one


def test_a_missing_weights_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        key(Nothing(weights=str(tmp_path / "gone.npz")))


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_a_key_hash_does_not_depend_on_order_and_survives_json(values: dict[str, Any]) -> None:
    turned = dict(reversed(values.items()))
    assert key_hash(values) == key_hash(turned) == key_hash(json.loads(json.dumps(values)))
