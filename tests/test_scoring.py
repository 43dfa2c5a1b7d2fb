from __future__ import annotations

import numpy as np

from asdbench.components import Components
from asdbench.scoring import constant_components


def components(**values: list[float]) -> Components:
    count = len(next(iter(values.values())))
    identity = [("test", "fan", f"{n // 2:02d}", "source", f"{n}.wav") for n in range(count)]
    return Components(identity, {name: np.array(column, np.float32) for name, column in values.items()})


def test_a_component_that_varies_within_a_section_is_alive() -> None:
    assert constant_components(components(a=[1, 1, 1, 2]), ["a"]) == []


def test_a_component_that_varies_only_from_section_to_section_has_collapsed() -> None:
    made = components(a=[1, 1, 2, 2], b=[0, 0, 0, 0], c=[1, 2, 3, 4])
    assert constant_components(made, ["a", "b", "c"]) == ["a", "b"]


def test_rounding_is_not_variation_but_a_thousandth_is() -> None:
    assert constant_components(components(a=[1e6, 1e6 + 0.1, 5, 5]), ["a"]) == ["a"]
    assert constant_components(components(a=[1, 1.001, 5, 5]), ["a"]) == []


def test_a_component_that_is_not_there_or_has_one_clip_says_nothing() -> None:
    assert constant_components(components(a=[1.0]), ["a", "b"]) == []
    assert constant_components(components(a=[float("nan")] * 4), ["a"]) == []
