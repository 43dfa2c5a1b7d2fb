"""What the README shows must work as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asdbench.testing import check_system
from tests.conftest import MakeFeatures
from tests.runs import go
from tests.shell import Shell

ROOT = Path(__file__).parents[2]


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


def test_every_link_and_file_named_is_there(readme: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / target).exists(), target


def test_the_example_page_and_tables_are_of_equal_runs_and_of_this_program() -> None:
    tables = (ROOT / "reports" / "example" / "toy.md").read_text(encoding="utf-8")
    page = (ROOT / "reports" / "example" / "toy.html").read_text(encoding="utf-8")
    scores = re.findall(r"\*\*Official score: ([\d.]+)\*\*", tables)
    summaries = [re.sub("<[^>]+>", "", text) for text in re.findall(r"<summary>(.*?)</summary>", page)]
    shown = dict(re.findall(r"^(\S+) · .* official score ([\d.]+)", "\n".join(summaries), re.MULTILINE))
    assert scores == [score for system, score in shown.items() if not system.endswith("@oracle")]
    style = (ROOT / "asdbench" / "reports" / "page" / "page.css").read_text(encoding="utf-8")
    assert style.strip() in page, "made by another version: python -m tests.example"


def test_every_option_named_exists(readme: str) -> None:
    from click import Command, Group

    from asdbench.cli import COMMANDS, root

    known = {"--index-url", "--strict", "--benchmark-enable"}  # of pip, mypy and pytest
    known |= {"--nworkers", "--nthreads", "--resources", "--gres"}  # of Dask and Slurm
    for name in COMMANDS:
        command = root.get_command(None, name)  # type: ignore[arg-type]  # our lookup does not use the context
        assert isinstance(command, Command)
        for one in (command, *(command.commands.values() if isinstance(command, Group) else ())):
            known |= {option for parameter in one.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z][a-z-]+", readme)) <= known


def test_the_ci_example_is_a_job_whose_commands_guard_a_system(
    readme: str, shell: Shell, make_features: MakeFeatures
) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
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
