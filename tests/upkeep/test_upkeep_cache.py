from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from asdbench.datasets.digests import Digests
from asdbench.embeddings.cache import FeatureCache
from asdbench.errors import DataError, UsageError
from asdbench.upkeep.cache import DATABASE, FEATURES, inventory, prune, verify

ONE, OTHER = {"embedding": "resnet38", "weights": "random"}, {"embedding": "logmel"}
OLD = 1_600_000_000
DIGESTS = [f"{number:064x}" for number in range(3)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A cache with three entries of one recipe, one of another, and a database."""
    root = tmp_path / "cache"
    for digest in DIGESTS:
        FeatureCache(root / FEATURES, ONE).save(digest, np.arange(8, dtype=np.float32))
    FeatureCache(root / FEATURES, OTHER).save(DIGESTS[0], np.arange(8, dtype=np.float32))
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"sound")
    os.utime(sound, (OLD, OLD))
    Digests(root / DATABASE).of([sound])
    return root


def folder(root: Path, recipe: dict[str, str]) -> Path:
    return FeatureCache(root / FEATURES, recipe).folder


def entry(root: Path, number: int) -> Path:
    return folder(root, ONE) / f"{DIGESTS[number]}.safetensors"


def everything(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_what_is_kept_is_told_by_recipe(root: Path) -> None:
    found = inventory(root)
    about = {recipe.id: (recipe.about, len(recipe.entries)) for recipe in found.recipes}
    assert about == {folder(root, ONE).name: (ONE, 3), folder(root, OTHER).name: (OTHER, 1)}
    assert found.facts == {"sha256": 1}
    assert found.foreign == ()
    assert found.size == sum(map(len, everything(root).values()))


def test_no_cache_is_an_empty_one(tmp_path: Path) -> None:
    found = inventory(tmp_path / "nowhere")
    assert (found.recipes, found.database, found.size, verify(found)) == ((), (), 0, {})
    assert prune(tmp_path / "nowhere", everything=True).files == 0
    assert not (tmp_path / "nowhere").exists()


def test_a_cache_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(DataError):
        inventory(tmp_path / "cache")


def test_an_intact_cache_is_intact_and_reading_it_changes_nothing(root: Path) -> None:
    before = everything(root)
    assert verify(inventory(root)) == {}
    assert everything(root) == before


def test_every_kind_of_damage_is_found_and_nothing_is_changed(root: Path) -> None:
    content = entry(root, 0).read_bytes()
    entry(root, 0).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    entry(root, 1).write_bytes(b"")
    left = folder(root, ONE) / f".asdbench-host-1-{'a' * 32}"
    left.write_bytes(b"half")
    os.utime(left, (OLD, OLD))
    busy = folder(root, ONE) / f".asdbench-host-2-{'b' * 32}"
    busy.write_bytes(b"a run is writing this")
    (folder(root, OTHER) / "recipe.json").write_text('{"embedding": "another"}')
    (root / DATABASE).write_bytes(b"no database at all" * 100)
    before = everything(root)
    damaged = verify(inventory(root))
    bad = {entry(root, 0), entry(root, 1), left, folder(root, OTHER) / "recipe.json", root / DATABASE}
    assert set(damaged) == bad
    assert all(damaged.values())
    assert everything(root) == before
    assert prune(root, damaged=True).files == len(bad)
    assert set(everything(root)) == set(before) - bad
    assert verify(inventory(root)) == {}


def test_pruning_by_recipe_takes_that_folder_alone(root: Path) -> None:
    before = everything(root)
    own = folder(root, ONE)
    done = prune(root, recipe=own.name[:6])
    assert done.files == 4
    assert done.size == sum(len(content) for path, content in before.items() if own in path.parents)
    assert not own.exists()
    assert everything(root) == {path: content for path, content in before.items() if own not in path.parents}


def test_pruning_by_age_takes_what_is_older(root: Path) -> None:
    for number, days in ((0, 31), (1, 29)):
        os.utime(entry(root, number), (time.time() - days * 86400,) * 2)
    assert prune(root, older_than=30).files == 1
    assert [entry(root, number).exists() for number in range(3)] == [False, True, True]
    assert prune(root, older_than=30, recipe=folder(root, OTHER).name).files == 0


def test_conditions_must_all_hold(root: Path) -> None:
    for number in (0, 1):
        entry(root, number).write_bytes(b"")
    os.utime(entry(root, 0), (OLD, OLD))
    os.utime(entry(root, 2), (OLD, OLD))
    assert prune(root, older_than=30, damaged=True).files == 1
    assert [entry(root, number).exists() for number in range(3)] == [False, True, True]


def test_all_leaves_only_what_is_not_ours(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f"{DIGESTS[0]}.safetensors").write_text("somebody's")
    foreign = [root / "thesis.txt", folder(root, ONE) / "notes.txt", root / FEATURES / "mine" / "a.safetensors"]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    (root / FEATURES / ("0" * 16)).symlink_to(outside)
    (folder(root, ONE) / f"{'c' * 64}.safetensors").symlink_to(outside / f"{DIGESTS[0]}.safetensors")
    named = {foreign[0], foreign[1], root / FEATURES / "mine", root / FEATURES / ("0" * 16)}
    assert set(inventory(root).foreign) == named | {folder(root, ONE) / f"{'c' * 64}.safetensors"}
    done = prune(root, everything=True)
    assert done.left == (folder(root, ONE),)
    assert [path for path in foreign if not path.exists()] == []
    assert (outside / f"{DIGESTS[0]}.safetensors").read_text() == "somebody's"
    assert inventory(root).size == 0
    assert not folder(root, OTHER).exists()


def test_a_dry_run_tells_the_same_and_removes_nothing(root: Path) -> None:
    before = everything(root)
    told = prune(root, everything=True, dry_run=True)
    assert everything(root) == before
    assert prune(root, everything=True) == told
    assert everything(root) == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "say what to remove"),
        ({"everything": True, "damaged": True}, "--all"),
        ({"recipe": "nowhere"}, "unknown recipe"),
        ({"recipe": ""}, "unknown recipe"),
    ],
)
def test_a_mistake_removes_nothing(root: Path, options: dict[str, object], words: str) -> None:
    before = everything(root)
    with pytest.raises(UsageError, match=words):
        prune(root, **options)  # type: ignore[arg-type]
    assert everything(root) == before


def test_an_id_must_be_the_only_one(root: Path) -> None:
    for number in range(40):
        FeatureCache(root / FEATURES, {"number": str(number)}).save(DIGESTS[0], np.zeros(1, dtype=np.float32))
    before = [recipe.id for recipe in inventory(root).recipes]
    first = [name[0] for name in before]
    with pytest.raises(UsageError, match="several recipes"):
        prune(root, recipe=max(first, key=first.count))
    assert [recipe.id for recipe in inventory(root).recipes] == before


def test_a_pruned_cache_fills_again(root: Path) -> None:
    prune(root, everything=True)
    cache = FeatureCache(root / FEATURES, ONE)
    cache.save(DIGESTS[0], np.ones(2, dtype=np.float32))
    assert cache.has(DIGESTS[0])
    assert inventory(root).recipes[0].about == ONE


def test_facts_are_counted_by_kind(root: Path) -> None:
    with sqlite3.connect(root / DATABASE) as database:
        database.execute("CREATE TABLE header (path)")
    assert inventory(root).facts == {"sha256": 1, "header": 0}
