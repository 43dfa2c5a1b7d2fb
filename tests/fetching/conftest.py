"""A small tree shaped like DCASE 2021's archives, and a server for it."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator, Mapping

import pytest

from asdbench.progress import Transfers
from tests.fetching.server import Server

CLIP = 60_000


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of named contents, the same bytes each time."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)  # with a fixed date
    return memory.getvalue()


def clip(name: str) -> bytes:
    """Bytes that do not compress and depend on a name alone."""
    return random.Random(name).randbytes(CLIP)


def machine_files(machine: str, part: str) -> dict[str, bytes]:
    """The clips of a machine type and part, by their path under the machine's folder."""
    names = {
        "dev": [
            *(f"train/section_00_source_train_normal_{n:04d}_x.wav" for n in range(3)),
            *(f"{d}_test/section_00_{d}_test_{label}_0000.wav" for d in ("source", "target") for label in ("normal",)),
        ],
        "additional": [f"train/section_03_source_train_normal_{n:04d}_x.wav" for n in range(2)],
        "eval": [f"{d}_test/section_03_{d}_test_0000.wav" for d in ("source", "target")],
    }[part]
    return {name: clip(f"{machine} {name}") for name in names}


def archive_name(machine: str, part: str) -> str:
    """As the organizers named them in 2021."""
    stem = {"dev": "dev_data_{}", "additional": "eval_data_{}_train", "eval": "eval_data_{}_test"}[part]
    return f"{stem.format(machine)}.zip"


def tree(machines: tuple[str, ...] = ("fan", "pump")) -> dict[str, bytes]:
    """The archives of some machine types; their inner layouts differ, as in the wild."""
    prefixes = {"dev": "{}/", "additional": "eval_data/{}/", "eval": "{}/"}
    return {
        archive_name(machine, part): zipped(
            {prefix.format(machine) + path: content for path, content in machine_files(machine, part).items()}
        )
        for machine in machines
        for part, prefix in prefixes.items()
    }


@pytest.fixture
def server() -> Iterator[Server]:
    """It serves all parts of fan and pump."""
    with Server(tree()) as running:
        yield running


class Told(Transfers):
    """Remembers what a person would read, and what came."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.counted: dict[str, bool] = {}
        self.came = 0

    def say(self, text: str) -> None:
        self.lines.append(text)

    def begin(self, name: str, done: int, total: int | None, counted: bool = True) -> None:
        self.counted[name] = counted

    def advance(self, name: str, amount: int) -> None:
        self.came += amount if self.counted[name] else 0

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def told() -> Told:
    return Told()
