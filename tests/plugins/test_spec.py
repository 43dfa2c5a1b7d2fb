"""Specs: what is written comes back, and what is none is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import UsageError
from asdbench.plugins.spec import Spec, parse, split

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,8}", fullmatch=True)
plain = st.from_regex(r"[A-Za-z0-9_./+-]{1,8}", fullmatch=True)


def spec_texts(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.dictionaries(names, values, max_size=3)
    return st.builds(
        lambda name, items: name + ("[" + ",".join(f"{k}={v}" for k, v in items.items()) + "]" if items else ""),
        names,
        pairs,
    )


nested = st.recursive(plain, spec_texts, max_leaves=5)


@given(names, st.dictionaries(names, nested, max_size=4), st.none() | plain)
def test_specs_round_trip(name: str, parameters: dict[str, str], argument: str | None) -> None:
    spec = Spec(name, tuple(parameters.items()), argument)
    assert parse(str(spec)) == spec


@given(st.lists(spec_texts(nested), max_size=5))
def test_commas_inside_brackets_do_not_split(specs: list[str]) -> None:
    assert split(",".join(specs)) == specs


def test_a_spec_is_read_as_it_is_meant() -> None:
    spec = parse(" mvg[ embedding = resnet38[blocks=pre-add,fmax=8000] ] ")
    assert spec == Spec("mvg", (("embedding", "resnet38[blocks=pre-add,fmax=8000]"),))
    assert parse("dcase2021:/some/where") == Spec("dcase2021", (), "/some/where")
    assert parse("./mine.py:make[a=1]") == Spec("./mine.py:make", (("a", "1"),))
    assert str(parse("a[b=1]").with_parameters(c=2, b=3)) == "a[b=3,c=2]"


@pytest.mark.parametrize("text", ["", "[a=1]", "a[b=1", "a]b=1[", "a[b]", "a[=1]", "a[b=1]c", "a[b=1,b=2]"])
def test_what_is_no_spec(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_brackets_that_do_not_match() -> None:
    for text in ("a,b[c", "a],b"):
        with pytest.raises(UsageError, match="brackets"):
            split(text)
