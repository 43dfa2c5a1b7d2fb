"""The code behind a plug-in: what is followed, what counts, what does not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from asdbench.plugins.sources import of_file, of_modules, parsed

CODE = "import math\ndef f(x):\n    return x * 2\n"


def files(folder: Path, content: dict[str, str]) -> Path:
    for name, text in content.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    "same",
    [
        "import math  # a comment\n\n\ndef f(x):\n    # another\n    return (x*2)\n",
        '"""Of the module."""\nimport math\ndef f(x):\n    """Of f."""\n    return x * 2\n',
    ],
)
def test_comments_docstrings_and_layout_do_not_count(same: str) -> None:
    assert parsed(same.encode()).digest == parsed(CODE.encode()).digest


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("2", "3"),
        CODE.replace("x * 2", "x + 2"),
        CODE.replace("x * 2", '"x"'),
        CODE.replace("2", "2.0"),
        CODE.replace("return", "'a string that is returned'; return"),
        "@cached\n" + CODE.removeprefix("import math\n"),
        "this is no Python",
    ],
)
def test_what_may_change_a_number_counts(other: str) -> None:
    expected = "a string" not in other  # where it stands it is a docstring
    assert (parsed(other.encode()).digest != parsed(CODE.encode()).digest) is expected


def test_a_file_reaches_what_lies_beside_it_and_no_more(tmp_path: Path) -> None:
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import unreached\nelse:\n    import reached\n"
    late = "def late():\n    from deep.inner import b\n    import importlib\n    importlib.import_module('named')\n"
    content = {
        "mine": f"import numpy, sklearn.svm\nfrom helper import a\n{late}",
        "helper": f"import mine, json\n{typed}",
        "deep/__init__": "",
        "deep/inner": "from . import sister\nfrom ..outside import x\n",
        **dict.fromkeys(["deep/sister", "named", "reached", "unreached", "other", "json"], ""),
    }
    files(tmp_path, content)
    found = of_file(tmp_path / "mine.py")
    assert set(found.modules) == {f"{name}.py" for name in set(content) - {"unreached", "other"}}
    assert set(found.versions) == {"numpy", "scikit-learn"}


def test_only_the_edited_file_has_another_digest(tmp_path: Path) -> None:
    files(tmp_path, {"mine": "import helper\n", "helper": CODE})
    before = of_file(tmp_path / "mine.py")
    files(tmp_path, {"helper": CODE + "# said\n"})
    commented = of_file(tmp_path / "mine.py")
    assert commented.modules == before.modules
    assert commented.state != before.state
    files(tmp_path, {"helper": CODE.replace("2", "3")})
    after = of_file(tmp_path / "mine.py")
    assert after.modules["mine.py"] == before.modules["mine.py"]
    assert after.modules["helper.py"] != before.modules["helper.py"]


def test_a_package_is_followed_within_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = {
        "plugged/systems": "from plugged import parts\nfrom plugged_beside import more\nimport numpy\n",
        "plugged/parts": "from .deeper import x\n",
        **dict.fromkeys(["plugged/__init__", "plugged/deeper", "plugged/unrelated", "plugged_beside"], ""),
    }
    files(tmp_path, content)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = of_modules("plugged.systems")
    # plugged_beside is of no distribution, so that no version would tell of it.
    assert set(found.modules) == {f"{name}.py" for name in set(content) - {"plugged/unrelated"}}
    assert "plugged" not in sys.modules  # read, not imported


def test_of_asdbench_counts_what_computes() -> None:
    systems = {"__init__", "_checks", "mvg"}
    assert set(of_modules("asdbench_systems.mvg").modules) == {f"asdbench_systems/{name}.py" for name in systems}
    clvae = set(of_modules("asdbench_systems.clvae").modules)
    assert {f"asdbench_systems/{name}.py" for name in ("_vae", "_networks", "_training", "_fitted")} < clvae
    assert not {f"asdbench_systems/{name}.py" for name in ("ae", "cvae", "mvg")} & clvae
    resnet38 = set(of_modules("asdbench.embeddings.resnet38").modules)
    assert {"asdbench/audio.py", "asdbench/embeddings/panns.py", "asdbench/embeddings/_resnet38_network.py"} < resnet38
    assert {name.partition("/")[2].split("/")[0] for name in resnet38} == {"audio.py", "embeddings"}


def test_what_is_looked_up_is_what_is_imported() -> None:
    for name in of_modules("asdbench.embeddings.resnet38").modules:
        module = importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        assert str(module.__file__).endswith(name)
