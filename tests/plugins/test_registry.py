"""Entry points, files of one's own, and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from asdbench.errors import UsageError
from asdbench.plugins import registry
from asdbench.plugins.spec import parse

# ----------------------------------------------------------------------------------------------------- entry points


def test_the_built_in_systems_are_entry_points_like_any_others() -> None:
    entries = registry.entries("systems")
    assert {"ae", "cvae", "clvae", "clvae-ensemble", "mvg"} <= set(entries)
    assert entries["ae"].origin.startswith("asdbench ")


@pytest.mark.parametrize(
    ("asked", "meant"), [("clave", "clvae"), ("CLVAE", "clvae"), ("clvae_ensemble", "clvae-ensemble")]
)
def test_a_near_miss_is_answered_with_what_was_meant(asked: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        registry.create("systems", asked)
    assert f"did you mean {meant!r}?" in caught.value.hint


def test_an_unknown_name_is_answered_with_what_there_is() -> None:
    with pytest.raises(UsageError) as caught:
        registry.create("systems", "xyzzy")
    assert "clvae" in caught.value.looked
    assert "did you mean" not in caught.value.hint


def test_an_unknown_parameter_is_answered_with_what_was_meant() -> None:
    with pytest.raises(UsageError) as caught:
        registry.create("systems", "clvae[centre_on=mu]")
    assert "did you mean 'center_on'?" in caught.value.hint


def test_a_factory_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def make(*, depth: int = 2):\n    return depth\n")
    assert registry.create("systems", f"{path}:make") == 2
    assert registry.create("systems", f"{path}:make[depth=5]") == 5
    with pytest.raises(UsageError, match="unknown function of") as caught:
        registry.create("systems", f"{path}:mak")
    assert "there are: make" in caught.value.looked
    assert "did you mean 'make'?" in caught.value.hint
    with pytest.raises(UsageError, match="which function of it makes the system") as caught:
        registry.create("systems", str(path))
    assert caught.value.hint == f"say {path}:make"
    with pytest.raises(UsageError, match="depth=deep does not fit") as caught:
        registry.create("systems", f"{path}:make[depth=deep]")
    assert "depth takes int: a whole number" in caught.value.looked
    with pytest.raises(UsageError, match="no such file"):
        registry.create("systems", f"{tmp_path}/gone.py:make")


# ------------------------------------------------------------------------------------------------------- parameters


def typed(
    *,
    count: int = 1,
    share: float | Literal["auto"] = 0.5,
    mode: Literal["a", "b"] = "a",
    flag: bool = False,
    where: Path | None = None,
    text: str = "",
) -> dict[str, Any]:
    """Values as converted.

    Parameters
    ----------
    count, share : int
        Two at once.
    mode : str
        Over
        two lines.
    """
    return {"count": count, "share": share, "mode": mode, "flag": flag, "where": where, "text": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("count=3", 3),
        ("share=1e-3", 1e-3),
        ("share=auto", "auto"),
        ("mode=b", "b"),
        ("flag=true", True),
        ("flag=False", False),
        ("where=/x/y", Path("/x/y")),
        ("where=None", None),
        ("text=a=b", "a=b"),
    ],
)
def test_values_become_what_the_factory_declares(text: str, value: object) -> None:
    found = registry.convert(parse(f"typed[{text}]"), typed)[text.partition("=")[0]]
    assert found == value
    assert type(found) is type(value) or isinstance(found, Path)


@pytest.mark.parametrize("text", ["count=1.5", "count=x", "share=much", "mode=c", "flag=yes"])
def test_a_value_that_does_not_fit_is_answered_with_what_does(text: str) -> None:
    name = text.partition("=")[0]
    with pytest.raises(UsageError, match=f"{name}=") as caught:
        registry.convert(parse(f"typed[{text}]"), typed)
    assert registry.describe(registry.parameters(typed)[name].annotation) in caught.value.looked


def test_types_are_described_for_people() -> None:
    shown = {name: registry.describe(p.annotation) for name, p in registry.parameters(typed).items()}
    assert shown["share"] == "float|auto"
    assert shown["mode"] == "a|b"
    assert shown["where"] == "Path|None"


def test_documentation_is_read_from_the_docstring() -> None:
    said = registry.documentation(typed)
    assert said["count"] == said["share"] == "Two at once."
    assert said["mode"] == "Over two lines."


@dataclass(frozen=True)
class Parent:
    """A model.

    Parameters
    ----------
    size : int
        From the parent.
    rate : float
        To be overridden.
    """

    size: int = 1
    rate: float = 0.5


@dataclass(frozen=True)
class Child(Parent):
    """A model of its own.

    Parameters
    ----------
    rate : float
        From the child.
    mode : {"x", "y"}
        Its own.
    """

    mode: Literal["x", "y"] = "x"


@registry.takes(Child)
def child(*, scale: float = 2.0, **parameters: Any) -> tuple[float, Child]:
    """Make one.

    Parameters
    ----------
    scale : float
        The factory's.
    """
    return scale, Child(**parameters)


def test_a_models_fields_are_its_factorys_parameters() -> None:
    declared = registry.parameters(child)
    assert {name: p.default for name, p in declared.items()} == {"scale": 2.0, "size": 1, "rate": 0.5, "mode": "x"}
    made = child(**registry.convert(parse("child[mode=y,size=4,scale=3]"), child))
    assert made == (3.0, Child(size=4, mode="y"))
    assert registry.documentation(child) == {
        "size": "From the parent.",
        "rate": "From the child.",
        "mode": "Its own.",
        "scale": "The factory's.",
    }


def test_a_plugin_file_may_postpone_its_annotations(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom typing import Any\n"
        "from asdbench.api import System\n"
        "@dataclass(frozen=True)\nclass Model:\n    power: int = 1\n    embedding: str = 'resnet38'\n"
        "    scope: str = 'machine'\n    def fit(self, train: Any, ctx: Any) -> Any: ...\n"
        "def make(*, power: int = 1) -> System[Any]:\n    return System('late', 'Late', Model(power), {'x': 1.0})\n"
    )
    assert registry.create("systems", f"{tmp_path / 'late.py'}:make[power=3]").model.power == 3
