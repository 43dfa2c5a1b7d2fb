"""A plug-in file and what lies beside it."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest

from asdbench.errors import UsageError
from asdbench.plugins import registry


def make(folder: Path, value: str, late: str = "1") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.py").write_text(
        "from dataclasses import dataclass\nimport helper\nfrom helper import VALUE as imported\n"
        "def factory(k: int = 0):\n    from package.inner import LATE\n    import package.inner\n"
        "    return helper.VALUE, imported, LATE, package.inner.LATE, k\n"
    )
    (folder / "helper.py").write_text(f"import random\nVALUE = {value}\n")
    (folder / "random.py").write_text("hides = 'nothing of anybody else'\n")
    (folder / "package").mkdir(exist_ok=True)
    (folder / "package" / "__init__.py").write_text("")
    (folder / "package" / "inner.py").write_text("from . import far\nLATE = far.LATE\n")
    (folder / "package" / "far.py").write_text(f"LATE = {late}\n")
    return f"{folder / 'mine.py'}:factory"


def test_it_imports_what_lies_beside_it_also_later(tmp_path: Path) -> None:
    one, two = make(tmp_path / "one", "'a'"), make(tmp_path / "two", "'b'", "2")
    assert registry.create("systems", one) == ("a", "a", 1, 1, 0)
    assert registry.create("systems", two) == ("b", "b", 2, 2, 0)
    assert registry.create("systems", f"{one}[k=5]") == ("a", "a", 1, 1, 5)
    assert not {"helper", "package", "mine"} & set(sys.modules)
    assert hasattr(random, "Random")
    assert sys.modules["random"] is random


@pytest.mark.parametrize("edited", ["helper.py", "package/far.py"])
def test_a_neighbour_that_changes_is_loaded_anew(tmp_path: Path, edited: str) -> None:
    spec = make(tmp_path, "1")
    before = registry.create("systems", spec)
    path = tmp_path / edited
    path.write_text(path.read_text().replace("= 1", "= 7"))  # within the same second, and of the same size
    after: tuple[Any, ...] = registry.create("systems", spec)
    assert before == (1, 1, 1, 1, 0)
    assert after == ((7, 7, 1, 1, 0) if edited == "helper.py" else (1, 1, 7, 7, 0))
    assert registry.factory("systems", spec) is registry.factory("systems", spec)


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(UsageError, match=r"mine.py cannot be loaded: ModuleNotFoundError: .*nowhere_to_be_found"):
        registry.create("systems", f"{tmp_path / 'mine.py'}:factory")


def test_ordinary_parameters_are_parameters(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def typed(k: int = 1, *, scale: float = 1.0):\n    return k, scale\n"
        "def untyped(k=1, share=0.5, flag=False, name='x', maybe=None):\n    return k, share, flag, name, maybe\n"
        "def unresolved(k: 'Nowhere' = 2):\n    return k\n"
    )
    path = tmp_path / "mine.py"
    assert registry.create("systems", f"{path}:typed[k=3,scale=2]") == (3, 2.0)
    made = registry.create("systems", f"{path}:untyped[k=3,share=1,flag=true,name=7,maybe=y]")
    assert made == (3, 1.0, True, "7", "y")
    assert registry.create("systems", f"{path}:unresolved[k=4]") == 4
    with pytest.raises(UsageError) as caught:
        registry.create("systems", f"{path}:typed[j=3]")
    assert caught.value.looked == "there are: k, scale"


def test_a_data_sets_argument_is_no_parameter_of_its(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def data(root, channel=0):\n    return root, channel\n")
    spec = f"{tmp_path / 'mine.py'}:data"
    assert registry.create("datasets", f"{spec}[channel=2]", "there") == ("there", 2)
    with pytest.raises(UsageError, match="parameter 'root'"):
        registry.create("datasets", f"{spec}[root=x]", "there")
