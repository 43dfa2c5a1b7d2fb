"""`datasets`, `cache` and `doctor` as a person meets them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asdbench.datasets.toy import toy, write
from tests.shell import Shell


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic sounds in the official layout: no counts are expected of them."""
    root = tmp_path_factory.mktemp("upkeep") / "data"
    write(root, toy(train=2, train_target=1, test=1, seconds=0.2))
    return root


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_datasets_are_listed_with_how_to_write_them(shell: Shell) -> None:
    out, _ = shell("datasets")
    assert "dcase2021[channel=None,rate=16000,truth=auto]:ROOT" in out
    assert "features:FOLDER" in out
    assert "Synthetic sounds" in out


def test_a_path_a_spec_and_the_configured_data_set_are_checked_alike(shell: Shell, root: Path) -> None:
    told, _ = shell("datasets", "validate", str(root))
    assert "nothing wrong was found" in told
    assert "the year was told by what is there (2021" in told
    out, err = shell("datasets", "validate", f"dcase2021:{root}")
    assert "nothing wrong was found" in out
    assert "hashing" in err
    (shell.folder / "asdbench.toml").write_text(f'data = "{root}"')
    assert shell("datasets", "validate")[0] == out
    assert "not checked" in out
    assert "not checked" not in shell("datasets", "validate", "--deep")[0]


def test_what_is_wrong_is_listed_and_leaves_with_4(shell: Shell, root: Path) -> None:
    (root / "SYNTHETIC.txt").rename(shell.folder / "SYNTHETIC.txt")
    try:
        out, _ = shell("datasets", "validate", str(root), expect=4)
        assert "wrong: missing clips" in out
        assert "2 of 1000" in out
        assert "more (--all lists them)" in out
        everything, _ = shell("datasets", "validate", str(root), "--all", expect=4)
        assert "valve 02 target train normal: 1 of 3; not there: 0001 to 0002" in everything
        assert "wrong: absent" in shell("datasets", "validate", str(root), "--complete", expect=4)[0]
    finally:
        (shell.folder / "SYNTHETIC.txt").rename(root / "SYNTHETIC.txt")


def test_a_name_outside_the_grammar_hides_nothing_else(shell: Shell, root: Path) -> None:
    folder = root / "dev_data" / "fan" / "train"
    strange = folder / "mine.wav"
    strange.write_bytes(next(folder.iterdir()).read_bytes())
    empty = folder / "section_00_source_train_normal_9999.wav"
    empty.touch()
    try:
        assert f"datasets validate dcase2021:{root}` lists" in shell("datasets", "validate", str(root), expect=4)[1]
        out, _ = shell("datasets", "validate", f"dcase2021:{root}", expect=4)
        assert "names that do not fit" in out
        assert "dev_data/fan/train/mine.wav" in out
        assert "empty file" in out
    finally:
        strange.unlink()
        empty.unlink()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["datasets", "validate", "nowhere"], 4, "there is no data set at nowhere"),
        (["datasets", "validate", "dcase2021:nowhere"], 4, "nowhere"),
        (["datasets", "validate", "features:nowhere"], 4, "nowhere"),
        (["datasets", "validate", "dcase1999:data"], 2, "unknown dataset 'dcase1999'"),
        (["datasets", "validate", "dcase2021[rate=8000]:data"], 2, "rate=8000 does not fit"),
        (["cache", "prune"], 2, "--older-than DAYS"),
        (["cache", "prune", "--recipe", "0"], 2, "unknown recipe"),
    ],
)
def test_a_mistake_is_answered_in_three_lines(shell: Shell, arguments: list[str], code: int, words: str) -> None:
    out, err = shell(*arguments, expect=code)
    assert out == ""
    assert words in err
    assert "to do:" in err


def test_the_cache_is_told_verified_and_pruned(shell: Shell) -> None:
    assert "nothing is kept" in shell("cache", "info")[0]
    small = "toy[train=3,train_target=1,test=1,seconds=0.3]"
    shell("run", "--dataset", small, "--systems", "mvg", "--machines", "fan", "--workers", "1")
    entries = sorted((shell.folder / "cache").rglob("*.safetensors"))
    info, _ = shell("cache", "info")
    assert re.search(rf"resnet38 +random +{len(entries)} ", info)
    assert "blocks=basic" in info
    assert "no damaged files" in shell("cache", "verify")[0]
    entries[0].write_bytes(b"damaged")
    out, _ = shell("cache", "verify", expect=4)
    assert str(entries[0]) in out
    assert "prune --damaged" in out
    assert "would remove 1 file," in shell("cache", "prune", "--damaged", "--dry-run")[0]
    assert "removed 1 file," in shell("cache", "prune", "--damaged")[0]
    assert not entries[0].exists()
    (shell.folder / "cache" / "mine.txt").write_text("mine")
    out, _ = shell("cache", "prune", "--all")
    assert f"removed {len(entries)} files" in out  # one recipe.json more, one entry less
    assert "not ours, left alone" in shell("cache", "info")[1]
    assert [path.name for path in (shell.folder / "cache").rglob("*") if path.is_file()] == ["mine.txt"]


def test_doctor_says_one_line_a_subject_and_leaves_with_4_where_a_run_cannot_work(shell: Shell) -> None:
    out, _ = shell("doctor")
    lines = out.splitlines()
    subjects = "Python torch sound systems embeddings datasets data weights cache results disk versions"
    assert [line.split()[1] for line in lines] == subjects.split()
    assert {line.split()[0] for line in lines} <= {"ok", "hint"}
    (shell.folder / "asdbench.toml").write_text('data = "gone"')
    out, _ = shell("doctor", expect=4)
    assert any(line.split()[:2] == ["missing", "data"] for line in out.splitlines())
    assert sorted(path.name for path in shell.folder.iterdir()) == ["asdbench.toml"]
