"""What the README and the other documents show must work as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asdbench.testing import check_system
from tests.conftest import MakeFeatures
from tests.runs import go
from tests.shell import Shell

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=[path.name for path in DOCUMENTS])


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_systems_example_is_a_system_and_runs(readme: str, make_features: MakeFeatures, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "mine.py").write_text(code)
    spec = f"{tmp_path}/mine.py:distance"
    check_system(spec, random=False)
    summary = go(make_features(shift=50.0), tmp_path / "results", spec)
    assert summary.failed == []
    assert len(summary.folders[0].files.cells()) == 8


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@each_document
def test_every_link_and_file_named_is_there(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_every_document_is_named_in_the_readme(readme: str) -> None:
    assert [path.name for path in DOCUMENTS[1:] if f"](docs/{path.name})" not in readme] == []


def test_the_readme_is_read_in_a_few_minutes_at_any_width(readme: str) -> None:
    lines = readme.splitlines()
    assert len(lines) <= 170
    assert [line for line in lines if len(line) > 120 and not line.startswith(("|", "[<img"))] == []


def test_the_example_page_and_tables_are_of_equal_runs_and_of_this_program() -> None:
    tables = (ROOT / "reports" / "example" / "toy.md").read_text(encoding="utf-8")
    page = (ROOT / "reports" / "example" / "toy.html").read_text(encoding="utf-8")
    scores = re.findall(r"\*\*Official score: ([\d.]+)\*\*", tables)
    summaries = [re.sub("<[^>]+>", "", text) for text in re.findall(r"<summary>(.*?)</summary>", page)]
    shown = dict(re.findall(r"^(\S+) · .* official score ([\d.]+)", "\n".join(summaries), re.MULTILINE))
    assert scores == [score for system, score in shown.items() if not system.endswith("@oracle")]
    style = (ROOT / "asdbench" / "reports" / "page" / "page.css").read_text(encoding="utf-8")
    assert style.strip() in page, "made by another version: python -m tests.example"


@each_document
def test_every_option_named_exists(document: Path) -> None:
    from click import Command, Group

    from asdbench.cli import COMMANDS, root

    known = {"--help", "--index-url", "--strict"}  # of all commands, pip and mypy
    known |= {"--benchmark-enable", "--pdb", "--rounds"}  # of pytest
    known |= {"--sets"}  # of tests/benchmarks/verdicts.py
    known |= {"--nworkers", "--nthreads", "--resources", "--gres"}  # of Dask and Slurm
    for name in COMMANDS:
        command = root.get_command(None, name)  # type: ignore[arg-type]  # our lookup does not use the context
        assert isinstance(command, Command)
        for one in (command, *(command.commands.values() if isinstance(command, Group) else ())):
            known |= {option for parameter in one.params for option in parameter.opts}
    named = re.findall(r"(?<![\w-])--[a-z][a-z-]+", document.read_text(encoding="utf-8"))
    assert set(named) <= known, set(named) - known


def test_the_ci_example_is_a_job_whose_commands_guard_a_system(
    readme: str, shell: Shell, make_features: MakeFeatures
) -> None:
    guide = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    commands = [line.partition("#")[0].split() for line in re.findall(r"- run: (.*)", text)]
    run_it, check_it = (words[1:] for words in commands if words[0] == "asdbench")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (shell.folder / "mine.py").write_text(code)
    make_features("features", shift=50.0)
    shell(*run_it)
    shell(*check_it, "--update")
    shell(*check_it)
    (shell.folder / "mine.py").write_text(code.replace("axis=1)}", "axis=1) * 1.01}"))
    shell(*run_it, "--replace")
    shell(*check_it, expect=3)
