from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.api import Floats
from asdbench.embeddings.cache import FeatureCache, recipe_on
from asdbench.errors import DataError, UsageError

RECIPE = {"embedding": "resnet38", "parameters": {"blocks": "basic", "fmax": 14000}, "weights": "random"}
DIGEST = "ab" * 32

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
recipes = st.dictionaries(st.text(), json_values, max_size=5)


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "cache", RECIPE)


def some(shape: tuple[int, ...] = (3776,)) -> Floats:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("shape", [(3776,), (313, 128), (1,), (0, 128)])
def test_what_was_saved_is_loaded(cache: FeatureCache, shape: tuple[int, ...]) -> None:
    assert not cache.has(DIGEST)
    cache.save(DIGEST, some(shape))
    assert cache.has(DIGEST)
    assert not cache.has("cd" * 32)
    np.testing.assert_array_equal(cache.load(DIGEST), some(shape))
    assert cache.load(DIGEST).dtype == np.float32


def test_views_are_saved_as_they_look(cache: FeatureCache) -> None:
    cache.save(DIGEST, some((20, 30)).T[::2])
    np.testing.assert_array_equal(cache.load(DIGEST), some((20, 30)).T[::2])


def test_the_folder_tells_its_recipe(cache: FeatureCache, tmp_path: Path) -> None:
    cache.save(DIGEST, some())
    assert cache.folder.parent == tmp_path / "cache"
    assert json.loads((cache.folder / "recipe.json").read_text()) == RECIPE
    assert sorted(path.name for path in cache.folder.iterdir()) == [f"{DIGEST}.safetensors", "recipe.json"]


def test_the_key_never_changes(tmp_path: Path) -> None:
    assert FeatureCache(tmp_path, RECIPE).folder.name == "d1d7fc2bf7a5f2ff"


@given(recipe=recipes)
def test_the_order_of_keys_does_not_matter(recipe: dict[str, Any]) -> None:
    root = Path("somewhere")
    assert FeatureCache(root, reordered(recipe)).folder == FeatureCache(root, recipe).folder
    assert FeatureCache(root, json.loads(json.dumps(recipe))).folder == FeatureCache(root, recipe).folder


@given(one=recipes, other=recipes)
def test_different_recipes_have_different_folders(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (FeatureCache(Path("x"), one).folder == FeatureCache(Path("x"), other).folder) == same


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, np.float32(1), Path("x"), {1: 2, "a": 3}])
def test_a_recipe_must_be_json(tmp_path: Path, value: Any) -> None:
    with pytest.raises(UsageError, match="JSON"):
        FeatureCache(tmp_path, {"value": value})


def test_it_travels_to_other_processes(cache: FeatureCache) -> None:
    cache.save(DIGEST, some())
    # Worker processes are sent it so; what is pickled is our own, a moment ago.
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(cache)).load(DIGEST), some())


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "changed", "zeros", "other"])
def test_a_damaged_entry_is_removed_and_can_be_made_again(cache: FeatureCache, damage: str) -> None:
    from safetensors.numpy import save

    cache.save(DIGEST, some())
    entry = cache.folder / f"{DIGEST}.safetensors"
    content = entry.read_bytes()
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    entry.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "empty": b"",
            "garbage": b"not safetensors" * 100,
            "changed": bytes(changed),
            "zeros": bytes(len(content)),
            "other": save({"x": some()}),
        }[damage]
    )
    with pytest.raises(DataError, match="damaged") as caught:
        cache.load(DIGEST)
    assert str(entry) in caught.value.looked
    assert "again" in caught.value.hint
    assert not cache.has(DIGEST)
    cache.save(DIGEST, some())
    np.testing.assert_array_equal(cache.load(DIGEST), some())


def test_loading_what_is_not_there(cache: FeatureCache) -> None:
    with pytest.raises(DataError, match="not in the feature cache"):
        cache.load(DIGEST)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = FeatureCache(tmp_path / "file" / "cache", RECIPE)
    assert not cache.has(DIGEST)
    with pytest.raises(DataError, match="cannot be written") as caught:
        cache.save(DIGEST, some())
    assert "--cache DIR" in caught.value.hint


def test_a_failed_write_leaves_nothing_and_keeps_the_old_entry(
    cache: FeatureCache, disk_full: Callable[[], AbstractContextManager[None]]
) -> None:
    cache.save(DIGEST, some())
    with disk_full(), pytest.raises(DataError, match="No space left"):
        cache.save(DIGEST, some() + 1)
    assert sorted(path.name for path in cache.folder.iterdir()) == [f"{DIGEST}.safetensors", "recipe.json"]
    np.testing.assert_array_equal(cache.load(DIGEST), some())


@pytest.mark.slow
def test_two_processes_write_the_same_entry(tmp_path: Path) -> None:
    code = """
import sys, pathlib, numpy as np
from asdbench.embeddings.cache import FeatureCache, recipe_on
cache = FeatureCache(pathlib.Path(sys.argv[1]), {"a": 1})
for _ in range(200):
    cache.save("00", np.full(50000, float(sys.argv[2]), dtype=np.float32))
"""
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), value]) for value in ("1", "2")]
    cache, seen = FeatureCache(tmp_path, {"a": 1}), set()
    while any(writer.poll() is None for writer in writers):
        if cache.has("00"):
            values = cache.load("00")
            assert (values == values[0]).all()
            seen.add(float(values[0]))
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen
    assert seen <= {1.0, 2.0}
    assert sorted(path.name for path in cache.folder.iterdir()) == ["00.safetensors", "recipe.json"]


def test_features_of_a_gpu_are_kept_apart_from_the_cpus(tmp_path: Path) -> None:
    recipe = {"name": "any"}
    cpu, gpu, other = (FeatureCache(tmp_path, recipe_on(recipe, device)) for device in ("cpu", "cuda", "cuda:1"))
    assert cpu.folder == FeatureCache(tmp_path, recipe).folder
    assert gpu.folder == other.folder != cpu.folder
