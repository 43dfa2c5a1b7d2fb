"""Runs on a Dask cluster: a scheduler and workers as processes of their own, on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asdbench.errors import AsdbenchError, DataError
from asdbench.running.run import run
from tests.conftest import MakeFeatures
from tests.runs import files, plugin

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'asdbench[dask]'")


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, list[subprocess.Popen[bytes]]()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        self.scheduler = self._start("scheduler", "--host", self.address, "--no-dashboard")

    def worker(self, *more: str, code: str = "", cwd: Path | None = None) -> subprocess.Popen[bytes]:
        options = ("--nthreads", "1", "--no-dashboard", "--no-nanny", *more)
        return self._start("worker", self.address, *options, code=code, cwd=cwd)

    def _start(self, *arguments: str, code: str = "", cwd: Path | None = None) -> subprocess.Popen[bytes]:
        text = f"import sys; sys.argv[0] = 'dask'\n{code}\nfrom dask.__main__ import main; main()"
        log = (self.folder / f"dask-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-c", text, *arguments], cwd=cwd or self.folder, stdout=log, stderr=log
        )
        self.processes.append(process)
        return process

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        connect: Any = Client
        with connect(self.address, timeout=60) as client:
            if workers:
                client.wait_for_workers(workers, timeout=60)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.end()


def go(features: Path, results: Path, systems: str, cluster: Cluster, **more: Any) -> Any:
    settings = {"epochs": 1, "executor": "dask", "scheduler": cluster.address, "cache": results.parent / "cache"}
    return run(f"features:{features}", systems, results=results, **{**settings, **more})


def test_scores_on_a_cluster_are_those_of_this_process(
    cluster: Cluster, make_features: MakeFeatures, tmp_path: Path
) -> None:
    for _ in range(2):
        cluster.worker()
    cluster.wait_for(2)
    features = make_features()
    summary = go(features, tmp_path / "a" / "r", "cvae,mvg", cluster)
    assert (summary.trained, summary.failed) == (4, [])
    run(f"features:{features}", "cvae,mvg", epochs=1, results=tmp_path / "b" / "r", cache=tmp_path / "b" / "c")
    assert files(tmp_path / "a" / "r") == files(tmp_path / "b" / "r")


def test_sound_is_embedded_on_the_cluster(cluster: Cluster, tmp_path: Path) -> None:
    from asdbench.datasets.toy import toy, write

    write(tmp_path / "data", toy(train=3, train_target=1, test=2, seconds=0.3))
    cluster.worker()
    cluster.wait_for(1)
    settings: dict[str, Any] = {"machines": ["fan"], "epochs": 1}
    spec = f"dcase2021:{tmp_path / 'data'}"
    run(spec, "ae", results=tmp_path / "a", cache=tmp_path / "c", scheduler=cluster.address, **settings)
    run(spec, "ae", results=tmp_path / "b", cache=tmp_path / "d", **settings)
    assert files(tmp_path / "a") == files(tmp_path / "b")


HELD = (
    "import os, pathlib, time; seen = pathlib.Path({seen!r}); (seen / str(time.time_ns())).touch(); "
    "[time.sleep(0.02) for _ in iter(lambda: len(os.listdir(seen)) < {first} or seen.with_name('go').exists(), True)]"
)
"""What a job does: it says that it has begun and, from the ``first`` job that has, waits until it may go on."""


def afterwards(happened: Callable[[], bool], act: Callable[[], object]) -> threading.Thread:
    """Do something as soon as something else has happened, beside the test."""

    def wait() -> None:
        while not happened():
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.alone
def test_a_worker_killed_in_the_middle_costs_at_most_its_own_job(
    cluster: Cluster, make_features: MakeFeatures, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    doomed, _ = cluster.worker(), cluster.worker()
    cluster.wait_for(2)
    mine = plugin(tmp_path, body=HELD.format(seen=str(seen), first=1))
    features, results = make_features(machines=["fan", "pump", "valve", "gearbox"]), tmp_path / "r"

    def strike() -> None:
        doomed.kill()
        (tmp_path / "go").touch()

    killer = afterwards(lambda: len(list(seen.iterdir())) >= 2, strike)  # each worker has a job
    summary = go(features, results, mine, cluster)
    killer.join()
    assert doomed.wait() == -signal.SIGKILL
    lost = {cell.machine for _, _, cell, _ in summary.failed}
    assert len(lost) <= 1  # none where the scheduler gives it to the other worker
    assert all("worker process died" in reason for _, _, _, reason in summary.failed)
    again = go(features, results, mine, cluster)
    assert (again.trained, again.failed) == (len(lost), [])


@pytest.mark.alone
def test_a_scheduler_that_is_killed_ends_the_run_and_what_is_done_is_kept(
    cluster: Cluster, make_features: MakeFeatures, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    cluster.worker()
    cluster.wait_for(1)
    mine = plugin(tmp_path, body=HELD.format(seen=str(seen), first=2))
    features, results = make_features(machines=["fan", "pump", "valve"]), tmp_path / "r"

    def strike() -> None:
        os.kill(cluster.scheduler.pid, signal.SIGKILL)
        (tmp_path / "go").touch()

    killer = afterwards(lambda: len(list(seen.iterdir())) >= 2 and any(results.rglob("manifest.json")), strike)
    with pytest.raises(AsdbenchError, match="given up its calls") as caught:
        go(features, results, mine, cluster)
    killer.join()
    assert "what is done is kept" in caught.value.hint
    alone = run(f"features:{features}", mine, epochs=1, results=results, cache=tmp_path / "cache")
    assert alone.failed == []
    assert alone.reused >= 1


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((), "import importlib.metadata as m; true = m.version; "
         "m.version = lambda name: '0.0.1' if name == 'asdbench' else true(name)", "has another asdbench"),
        (("--nthreads", "2"), "", "several calls at a time"),
        (
            (),
            "import pathlib; true = pathlib.Path.exists\n"
            "pathlib.Path.exists = lambda p: '.asdbench-seen' not in p.name and true(p)",
            "does not see the cache folder",
        ),
        (
            (),
            "import pathlib; true = pathlib.Path.exists\n"
            "pathlib.Path.exists = lambda p: not p.name.endswith('.wav') and true(p)",
            "does not see the data",
        ),
    ],
    ids=["version", "threads", "cache", "data"],
)  # fmt: skip
def test_a_worker_that_cannot_do_the_work_is_refused(
    cluster: Cluster, tmp_path: Path, options: tuple[str, ...], code: str, words: str
) -> None:
    from asdbench.datasets.toy import toy, write

    write(tmp_path / "data", toy(train=3, train_target=1, test=2, seconds=0.3))
    cluster.worker(*options, code=code)
    cluster.wait_for(1)
    with pytest.raises(DataError, match=words) as caught:
        run(
            f"dcase2021:{tmp_path / 'data'}",
            "ae",
            epochs=1,
            machines=["fan"],
            results=tmp_path / "r",
            cache=tmp_path / "c",
            scheduler=cluster.address,
        )
    assert "tcp://127.0.0.1" in caught.value.looked
    assert caught.value.hint
    assert not [path for path in (tmp_path / "c").rglob("*") if ".asdbench-seen" in path.name]


def test_no_scheduler_and_no_workers_are_said(cluster: Cluster, make_features: MakeFeatures, tmp_path: Path) -> None:
    cluster.wait_for(0)
    with pytest.raises(DataError, match="no workers"):
        go(make_features(), tmp_path / "r", "mvg", cluster)
    os.kill(cluster.scheduler.pid, signal.SIGKILL)
    cluster.scheduler.wait()
    with pytest.raises(DataError, match="no Dask scheduler answers"):
        go(make_features("again"), tmp_path / "r", "mvg", cluster)
