"""Where jobs run: in this process, in processes beside it, on a Dask cluster, or on anybody's Executor.

All are ``concurrent.futures.Executor``; which one is used moves no score. A worker that dies takes its own call with it
and no other.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, cast

from asdbench.errors import DataError, UsageError
from asdbench.progress import keep_warnings

T = TypeVar("T")

Kind: TypeAlias = Literal["inline", "processes", "dask"]


@contextmanager
def executing(
    kind: Kind | None = None,
    workers: int = 1,
    *,
    scheduler: str | None = None,
    device: str = "cpu",
    shared: Path,
    seen: Path | None = None,
) -> Iterator[Executor]:
    """An executor, and its end.

    Parameters
    ----------
    kind : {"inline", "processes", "dask"} or None
        None: ``dask`` where there is a scheduler, ``processes`` for several workers, else ``inline``.
    workers : int
        Processes.
    scheduler : str or None
        Address of a Dask scheduler (``tcp://host:8786``).
    device : str
        On a cluster, ``cuda`` asks for a worker with a resource ``GPU`` for each call.
    shared : Path
        A folder that every worker must see: on a cluster, features go through it.
    seen : Path or None
        A file of the data, which every worker must see, too.

    Raises
    ------
    UsageError
        Where kind, workers and scheduler contradict one another, or Dask is not installed.
    DataError
        Where a cluster cannot be reached or used.
    """
    kind = kind or ("dask" if scheduler else "processes" if workers > 1 else "inline")
    if (kind == "dask") != bool(scheduler):
        raise UsageError(
            "--executor dask and --scheduler belong together",
            looked=f"executor {kind}, scheduler {scheduler or 'none'}",
            hint="--executor dask --scheduler tcp://HOST:8786",
        )
    if kind == "inline":
        yield InlineExecutor()
    elif kind == "processes":
        with ended(ProcessExecutor(workers)) as executor:
            yield executor
    else:
        with _cluster(cast(str, scheduler), device, shared, seen) as executor:
            yield executor


class InlineExecutor(Executor):
    """Runs each call at once, in this process: no start-up cost, easy to debug."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run now; the future is done already."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # as any executor: the caller meets it at .result()
            future.set_exception(error)
        return future


class ProcessExecutor(Executor):
    """Fresh processes, each of which takes one call at a time and is replaced when it dies.

    A ``ProcessPoolExecutor`` gives up all its calls when one of its processes dies, so there is one for each process.
    """

    def __init__(self, workers: int) -> None:
        self._idle: list[ProcessPoolExecutor | None] = [None] * workers  # None: to be made
        self._busy: set[ProcessPoolExecutor] = set()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run it in the first process that is free; ``running()`` is true from then on."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("this executor has been shut down")
            self._waiting.append((future, partial(fn, *args, **kwargs)))
        self._hand_out()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; what runs ends first, what waits is cancelled, with ``cancel_futures`` or without."""
        idle, busy = self._close()
        for process in (*idle, *busy):
            process.shutdown(wait=wait, cancel_futures=True)

    def terminate(self) -> None:
        """Cancel what waits and end what runs at once: a training may take hours, a plug-in's own thread for ever."""
        idle, busy = self._close()
        for process in (*idle, *busy):
            # A public way there is from Python 3.14 on only; and among all our children are others' as well.
            for child in list((process._processes or {}).values()):
                child.terminate()

    def _close(self) -> tuple[list[ProcessPoolExecutor], list[ProcessPoolExecutor]]:
        """Begin no more calls; gives the processes without and with one."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, deque()
            found = [process for process in self._idle if process], [*self._busy]
        for future, _ in waiting:
            future.cancel()
        return found

    def _hand_out(self) -> None:
        while True:
            with self._lock:
                if self._closed or not self._idle or not self._waiting:
                    return
                future, call = self._waiting.popleft()
                if not future.set_running_or_notify_cancel():
                    continue
                process, inner = _begun(self._idle.pop(), call)
                if process is not None:
                    self._busy.add(process)
            if inner.done():  # here, not by a callback: one that begins the next call, and so on, would nest
                self._settle(process, future, inner)
            else:
                inner.add_done_callback(partial(self._done, process, future))

    def _done(self, process: ProcessPoolExecutor | None, future: Future[Any], inner: Future[Any]) -> None:
        self._settle(process, future, inner)
        self._hand_out()

    def _settle(self, process: ProcessPoolExecutor | None, future: Future[Any], inner: Future[Any]) -> None:
        error = CancelledError() if inner.cancelled() else inner.exception()
        with self._lock:
            if process is not None:
                self._busy.discard(process)
            self._idle.append(None if isinstance(error, BrokenProcessPool) else process)
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(inner.result())


def _process() -> ProcessPoolExecutor:
    """A process, which is started by its first call."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_depend_on_parent)


def _begun(
    process: ProcessPoolExecutor | None, call: Callable[[], Any]
) -> tuple[ProcessPoolExecutor | None, Future[Any]]:
    """A call and the process it runs in: another one where there is none, or it has died while it had nothing to do."""
    try:
        if process is not None:
            with suppress(BrokenProcessPool):
                return process, process.submit(call)
        process = _process()
        return process, process.submit(call)
    except OSError as error:  # no memory for a process, too many of them, or of open files
        failed: Future[Any] = Future()
        failed.set_exception(BrokenProcessPool(f"no process can be started: {error.strerror}"))
        return process, failed


def _depend_on_parent() -> None:
    """Leave Ctrl-C to the parent, and end with it: one that was killed ends nobody, and its workers would stay.

    Warnings of whatever runs here would come between the lines of the parent's terminal.
    """
    if not sys.warnoptions:
        keep_warnings()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None  # this is a worker
    parent.join()
    os._exit(1)


@contextmanager
def ended(executor: ProcessExecutor) -> Iterator[Executor]:
    """Shut an executor down at the end, and what still runs with it: nobody waits for it any more."""
    try:
        yield executor
    finally:
        executor.terminate()
        executor.shutdown(wait=True)


@contextmanager
def _cluster(address: str, device: str, shared: Path, seen: Path | None) -> Iterator[Executor]:
    try:
        import distributed
    except ImportError as error:
        raise UsageError(
            "Dask is not installed", looked=str(error), hint="pip install 'asdbench[dask]', here and on the workers"
        ) from error
    try:
        connect: Any = distributed.Client
        client = connect(address, timeout=10)
    except (OSError, ValueError) as error:
        raise DataError(
            f"no Dask scheduler answers at {address}",
            looked=str(error).splitlines()[0],
            hint="start one with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`",
        ) from error
    try:
        _check_workers(client, shared, seen)
        resources = {"GPU": 1} if device.startswith("cuda") else None
        yield client.get_executor(pure=False, retries=0, resources=resources)
    finally:
        with suppress(OSError, TimeoutError):  # the scheduler may be gone
            client.close(timeout=5)


def _check_workers(client: Any, shared: Path, seen: Path | None) -> None:
    """Workers of one thread, with this version of asdbench, that see the shared folder."""
    from asdbench.version import __version__

    nthreads: dict[str, int] = client.nthreads()
    if not nthreads:
        raise DataError(
            "the Dask cluster has no workers",
            looked=client.scheduler.address,
            hint="dask worker ADDRESS --nthreads 1",
        )
    wide = [worker for worker, count in nthreads.items() if count != 1]
    if wide:
        raise DataError(
            "a Dask worker runs several calls at a time: their threads would fight, and torch's are one setting",
            looked=f"{wide[0]} has {nthreads[wide[0]]} threads",
            hint="start workers with --nthreads 1 (and --nworkers N for N of them)",
        )
    shared.mkdir(parents=True, exist_ok=True)
    token = shared / f".asdbench-seen-{uuid.uuid4().hex}"
    token.touch()
    try:
        paths = [str(path.absolute()) for path in (token, *([seen] if seen else []))]

        def about() -> tuple[str, list[bool]]:  # inside, so that it travels by value: they may have another asdbench
            import importlib.metadata
            import pathlib

            try:
                found = importlib.metadata.version("asdbench")
            except importlib.metadata.PackageNotFoundError:
                found = "none"
            return found, [pathlib.Path(path).exists() for path in paths]

        for worker, (found, sees) in client.run(about).items():
            if found != __version__:
                raise DataError(
                    "a Dask worker has another asdbench",
                    looked=f"{worker} has {found}, this is {__version__}",
                    hint="install the same version everywhere: scores are only comparable then",
                )
            if not all(sees):
                lacks = shared.absolute() if not sees[0] else seen
                raise DataError(
                    "a Dask worker does not see the " + ("data" if sees[0] else "cache folder"),
                    looked=f"{worker} has no {lacks}",
                    hint="data and cache must lie under the same paths everywhere: on a shared file system",
                )
    finally:
        token.unlink(missing_ok=True)
