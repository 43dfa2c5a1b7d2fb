"""What all tests share."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from asdbench.api import Clip, Label
from asdbench.datasets.features import write
from tests.trees import write_tree

SHARED = "ASDBENCH_SHARED"
_skipped: list[str] = []

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side; what wants more threads sets them itself


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data that cannot be part of the project (ASDBENCH_SHARED)."""
    where = os.environ.get(SHARED)
    if not where:
        pytest.skip(f"{SHARED} is not set: the reference data lies outside the project")
    folder = Path(where).resolve()
    if not folder.is_dir():
        pytest.skip(f"{SHARED}={where} is no folder: the reference data lies outside the project")
    return folder


@pytest.fixture(autouse=True)
def _at_home_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings or fills the cache of the person who runs it."""
    for name in ("ASDBENCH_DATA", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASDBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _quick_tests_start_no_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a quick test starts no process: mark this one `slow` (docs/development.md)")

    if request.node.get_closest_marker("quick"):
        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
        monkeypatch.setattr(BaseProcess, "start", refuse)


MakeTree = Callable[..., Path]


@pytest.fixture
def make_tree(tmp_path: Path) -> MakeTree:
    """A function that writes a small data set of a year and gives its root (see ``tests/trees.py``)."""

    def make(year: int, name: str = "", **options: object) -> Path:
        root = tmp_path / (name or f"tree{len(list(tmp_path.iterdir()))}")
        options = {"scale": 0.01, **options}
        write_tree(root, year, **options)  # type: ignore[arg-type]  # as write_tree's
        return root

    return make


MakeFeatures = Callable[..., Path]


@pytest.fixture
def make_features(tmp_path: Path) -> MakeFeatures:
    """A function that writes a small ``features:`` folder: anomalies lie off the normal clips."""

    def make(
        name: str = "small",
        *,
        machines: Sequence[str] = ("fan", "pump"),
        sections: Sequence[str] = ("00", "01"),
        domains: Sequence[str] = ("source", "target"),
        train: int = 6,
        test: int = 4,
        width: int = 8,
        shift: float = 3.0,
        seed: int = 0,
        stamps: Sequence[str] = (),
        labelled: bool = True,
        keep: Callable[[Clip], bool] = lambda clip: True,
    ) -> Path:
        clips = []
        for machine in machines:
            for section in sections:
                for domain in domains:
                    stem = f"section_{section}_{domain}"
                    for n in range(train):
                        clip_name = f"{stem}_train_normal_{n:04d}_x.wav"
                        clips.append(Clip(clip_name, machine, section, domain, "train", "dev", "normal"))
                    labels: tuple[Label, ...] = ("normal", "anomaly")
                    for label in labels:
                        for n in range(test):
                            known = label if labelled else None
                            clips.append(
                                Clip(f"{stem}_test_{label}_{n:04d}.wav", machine, section, domain, "test", "dev", known)
                            )
        clips = [clip for clip in clips if keep(clip)]
        draws = np.random.default_rng(seed).standard_normal((len(clips), width)).astype(np.float32)
        draws += shift * np.array([["_anomaly_" in clip.name] for clip in clips], dtype=np.float32)
        folder = tmp_path / name
        write(folder, clips, draws, recipe={"made": "for a test"}, weights="none", fingerprint="0", stamps=stamps)
        return folder

    return make


@pytest.fixture
def evaluator(tmp_path: Path) -> Path:
    """The evaluator's folder of 2023, with one machine: labels 0 0 1 1, domains source target source target."""
    root = tmp_path / "evaluator"
    names = [f"section_00_{n:04d}.wav" for n in range(4)]
    tables = {
        "ground_truth_data": ["0", "0", "1", "1"],
        "ground_truth_domain": ["0", "1", "0", "1"],
        "ground_truth_attributes": [
            f"section_00_{domain}_test_{label}_{n:04d}_vel_{n}"
            for n, (domain, label) in enumerate(
                [("source", "normal"), ("target", "normal"), ("source", "anomaly"), ("target", "anomaly")]
            )
        ],
    }
    for folder, column in tables.items():
        (root / folder).mkdir(parents=True)
        lines = [f"{name},{value}\n" for name, value in zip(names, column, strict=True)]
        (root / folder / "ground_truth_bandsaw_section_00_test.csv").write_text("".join(lines))
    return root


DiskFull = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def disk_full() -> DiskFull:
    """A function within whose context only the first bytes of a file are written."""

    def cut(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:2])
        raise OSError(28, "No space left on device")

    @contextmanager
    def full() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "write_bytes", cut)
            yield

    return full


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and "shared" in report.keywords:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test of the reference data that is skipped although the data is there is a failure."""
    if _skipped and Path(os.environ.get(SHARED) or "/nowhere").is_dir():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped and Path(os.environ.get(SHARED) or "/nowhere").is_dir():
        for name in _skipped:
            terminalreporter.write_line(f"skipped although {SHARED} is there: {name}", red=True)


def pytest_configure() -> None:
    # A shell without job control starts background jobs with Ctrl-C ignored, and children inherit it: the commands that
    # tests interrupt would not hear it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many workers as processors for the whole suite; none for a part of it, and none where times count."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.getoption("benchmark_enable"):
        return 0
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return processors if processors > 1 else 0


SLOW = ("end_to_end", "benchmarks", "running", "systems")
LONG = ("end_to_end", "running", "systems", "embeddings")  # begun first, so that all workers end at about the same time


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by package, and mark each test ``slow`` or ``quick`` where it does not say so itself."""

    def package(item: pytest.Item) -> str:
        return item.path.relative_to(Path(__file__).parent).parts[0]

    for item in items:
        if not item.get_closest_marker("slow") and not item.get_closest_marker("quick"):
            item.add_marker("slow" if package(item) in SLOW else "quick")
    items.sort(key=lambda item: LONG.index(package(item)) if package(item) in LONG else len(LONG))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Nothing runs beside a test that is marked ``alone``: others hold a lock together, it holds it by itself."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    import fcntl

    with Path(__file__).open() as lock, Path(__file__).with_name("__init__.py").open() as queue:
        fcntl.flock(queue, fcntl.LOCK_EX)  # who waits for the lock is next, even while others hold it together
        fcntl.flock(lock, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        fcntl.flock(queue, fcntl.LOCK_UN)
        return (yield)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=5, help="How many runs test_crash.py kills.")
