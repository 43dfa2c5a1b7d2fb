from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asdbench.embeddings import panns
from asdbench.errors import WeightsError

PUBLISHED = panns.Published("ResNet38", "ResNet38_mAP=0.434.pth", "bf12f36aaabac4e0855e22d3c3239c1b")
STATE = {"model": {"a": torch.arange(50000.0)}}


def read(path: Path) -> dict[str, torch.Tensor]:
    checkpoint = panns.find(str(path), PUBLISHED)
    assert checkpoint is not None
    return panns.read(checkpoint)


def refused(path: Path) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        read(path)
    assert path.name in caught.value.message
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.looked
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("zipped", [True, False])
def test_both_formats_of_torch_are_read(tmp_path: Path, zipped: bool) -> None:
    torch.save(STATE, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    assert torch.equal(read(tmp_path / "a.pth")["a"], STATE["model"]["a"])


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99])
def test_cut_short(tmp_path: Path, zipped: bool, part: float) -> None:
    torch.save(STATE, tmp_path / "whole", _use_new_zipfile_serialization=zipped)
    content = (tmp_path / "whole").read_bytes()
    (tmp_path / "a.pth").write_bytes(content[: int(len(content) * part)])
    assert "damaged" in refused(tmp_path / "a.pth").message


def test_a_changed_byte(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
    content = bytearray((tmp_path / "a.pth").read_bytes())
    content[largest.header_offset + 1000 + largest.file_size // 2] ^= 1
    (tmp_path / "a.pth").write_bytes(content)
    assert "checksum" in refused(tmp_path / "a.pth").message


@pytest.mark.parametrize("content", [b"<html>not found</html>", bytes(1000), b"RIFF" + bytes(range(200)), b"\x80\x04"])
def test_not_a_checkpoint(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    assert "damaged or no checkpoint" in refused(tmp_path / "a.pth").message


class Code:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("how", ["zip", "legacy", "pickle", "pickle 2"])
def test_code_is_not_executed(tmp_path: Path, how: str) -> None:
    content = {"model": {"a": Code(tmp_path / "executed")}}
    if how.startswith("pickle"):
        (tmp_path / "a.pth").write_bytes(pickle.dumps(content, protocol=2 if how == "pickle 2" else 4))
    else:
        torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=how == "zip")
    error = refused(tmp_path / "a.pth")
    assert "executed" in error.message
    assert not (tmp_path / "executed").exists()
    # Read unsafely, it does run: without this the file could be harmless and the test empty. The file is our own.
    torch.load(tmp_path / "a.pth", weights_only=False) if how in ("zip", "legacy") else pickle.loads(
        (tmp_path / "a.pth").read_bytes()
    )
    assert (tmp_path / "executed").exists()  # so it would have been


def beside_a_model() -> dict[str, Any]:
    """What PANNs' training program stores (pytorch/main.py and the samplers of utils/data_generator.py)."""
    return {
        "iteration": np.int64(600000),
        "sampler": {
            "indexes_per_class": [np.arange(5), np.array([], dtype=np.int32)],
            "pointers_of_classes": [np.int64(3), np.float32(0.5), np.bool_(True)],
            "queue": [{np.int64(1): "class"}],
            "names": np.array(["a", None, {"b": 1}], dtype=object),
            "dtypes": [np.dtype("float32"), np.dtype([("x", "<f4"), ("y", "S3")])],
            "strings": np.array(["Y1.wav", "Y22.wav"]),
            "order": np.asfortranarray(np.ones((3, 4))),
        },
    }


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("core", ["numpy._core", "numpy.core"])
def test_numpy_beside_the_tensors_is_passed_over(tmp_path: Path, zipped: bool, core: str) -> None:
    """numpy 1, which wrote the published files, has other names for its functions than numpy 2."""
    there = np.array([0]).__reduce__()[0].__module__.encode()
    torch.save({**STATE, **beside_a_model()}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    if there != f"{core}.multiarray".encode():
        renamed(tmp_path / "a.pth", b"c" + there + b"\n", f"c{core}.multiarray\n".encode())
    allowed = set(torch.serialization.get_safe_globals())
    found = read(tmp_path / "a.pth")
    assert list(found) == ["a"]
    assert torch.equal(found["a"], STATE["model"]["a"])
    assert set(torch.serialization.get_safe_globals()) == allowed  # nothing of numpy's stays so


def renamed(path: Path, old: bytes, new: bytes) -> None:
    """Other names in a checkpoint's pickle, as another version would have written them."""
    if not zipfile.is_zipfile(path):
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new))
        return
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    (pickled,) = (name for name in entries if name.endswith("/data.pkl"))
    assert old in entries[pickled]
    entries[pickled] = entries[pickled].replace(old, new)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("where", ["beside", "in an array", "as a state"])
def test_code_beside_numpy_is_not_executed(tmp_path: Path, zipped: bool, where: str) -> None:
    code = Code(tmp_path / "executed")
    sampler = {
        "beside": [np.arange(3), code],
        "in an array": np.array([code, 1], dtype=object),
        "as a state": np.random.RandomState(0),  # the generator is neither array nor scalar
    }[where]
    torch.save({**STATE, "sampler": sampler}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    error = refused(tmp_path / "a.pth")
    assert "holds more than tensors" in error.message
    assert "executed" in error.message
    assert "torch.save({'model': state_dict}, FILE)" in error.hint
    assert not (tmp_path / "executed").exists()


def test_arrays_are_no_tensors_of_a_model(tmp_path: Path) -> None:
    torch.save({"model": {"a": np.arange(3.0)}}, tmp_path / "a.pth")
    assert "'model'" in refused(tmp_path / "a.pth").message


def test_a_prefix_that_every_name_has_is_taken_off(tmp_path: Path) -> None:
    tensor = torch.zeros(3)
    torch.save({"model": {"module.a": tensor, "module.module.b": tensor}}, tmp_path / "a.pth")
    assert list(read(tmp_path / "a.pth")) == ["a", "module.b"]
    torch.save({"model": {"module.a": tensor, "b": tensor}}, tmp_path / "b.pth")
    assert list(read(tmp_path / "b.pth")) == ["module.a", "b"]


@pytest.mark.parametrize("content", [{"a": torch.zeros(3)}, {"model": torch.zeros(3)}, {"model": {"a": 1}}, [1, 2], {}])
def test_tensors_stand_under_model(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "a.pth")
    assert "'model'" in refused(tmp_path / "a.pth").message


def test_a_replaced_file_is_hashed_again(tmp_path: Path) -> None:
    first, second = (
        (tmp_path / "a.pth").write_bytes(content) and panns.find(str(tmp_path / "a.pth"), PUBLISHED)
        for content in (b"one", b"three")
    )
    assert first != second


def test_untrained_tensors_are_seeded_by_their_names() -> None:
    shapes = {
        "x.weight": (32, 16, 3, 3),
        "y.weight": (32, 16, 3, 3),
        "z.running_var": (4,),
        "z.num_batches_tracked": (),
    }
    state = panns.untrained(shapes)
    assert {name: tuple(values.shape) for name, values in state.items()} == shapes
    assert torch.equal(panns.untrained({"y.weight": shapes["y.weight"]})["y.weight"], state["y.weight"])
    assert not torch.equal(state["x.weight"], state["y.weight"])
    assert np.isclose(float(state["x.weight"].var()), 2 / (16 * 9), rtol=0.1)
    assert torch.equal(state["z.running_var"], torch.ones(4))


@pytest.mark.parametrize("content", [b"hello there", b"just some text\nmore\n", b"elf", b"This is text"])
def test_text_is_refused_without_numbers_that_mean_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.pth").write_bytes(content)
    message = refused(tmp_path / "text.pth").message
    assert message == "text.pth is damaged or no checkpoint (nothing in it was executed)"


SHAPES = {"x.weight": (3, 3), "x.running_var": (3,), "x.num_batches_tracked": ()}


def checked(path: Path, **changes: torch.Tensor) -> None:
    state = {name: torch.ones(shape) for name, shape in SHAPES.items()} | changes
    torch.save({"model": state}, path)
    checkpoint = panns.find(str(path), PUBLISHED)
    assert checkpoint is not None
    panns.check(checkpoint, panns.read(checkpoint), SHAPES, {})


QUANTISED = "ignore:torch.quantize_per_tensor:UserWarning"


@pytest.mark.filterwarnings(QUANTISED, "ignore:TypedStorage:UserWarning")
@pytest.mark.parametrize(
    ("tensor", "make", "words"),
    [
        ("x.weight", lambda: torch.ones(3, 3, dtype=torch.bool), "bool"),
        ("x.weight", lambda: torch.ones(3, 3, dtype=torch.int64), "int64"),
        ("x.weight", lambda: torch.ones(3, 3, dtype=torch.complex64), "complex64"),
        ("x.weight", lambda: torch.ones(3, 3).to(torch.float8_e4m3fn), "float8_e4m3fn"),
        ("x.weight", lambda: torch.eye(3).to_sparse(), "sparse float32"),
        ("x.weight", lambda: torch.quantize_per_tensor(torch.ones(3, 3), 0.1, 0, torch.quint8), "quantised quint8"),
        ("x.running_var", lambda: torch.ones(3, dtype=torch.int32), "int32"),
        ("x.num_batches_tracked", lambda: torch.tensor(True), "bool"),
        ("x.num_batches_tracked", lambda: torch.tensor(1j), "complex64"),
    ],
)
def test_tensors_are_floating_point(tmp_path: Path, tensor: str, make: Callable[[], torch.Tensor], words: str) -> None:
    with pytest.raises(WeightsError) as caught:
        checked(tmp_path / "a.pth", **{tensor: make()})
    assert f"a.pth: {tensor} is of type {words}, not floating-point" in caught.value.message
    assert caught.value.looked == str(tmp_path / "a.pth")


def test_a_negative_variance_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"a\.pth holds a negative variance, in x\.running_var"):
        checked(tmp_path / "a.pth", **{"x.running_var": torch.tensor([1.0, -1e-3, 1.0])})
    checked(tmp_path / "a.pth", **{"x.running_var": torch.zeros(3), "x.weight": -torch.ones(3, 3)})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_usual_floating_type_will_do(tmp_path: Path, dtype: torch.dtype) -> None:
    counted = torch.tensor(7, dtype=torch.int32)
    checked(tmp_path / "a.pth", **{"x.weight": torch.ones(3, 3).to(dtype), "x.num_batches_tracked": counted})
    with pytest.raises(WeightsError, match="not finite"):
        checked(tmp_path / "a.pth", **{"x.weight": torch.full((3, 3), torch.nan).to(dtype)})
