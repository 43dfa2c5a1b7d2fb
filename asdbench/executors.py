"""Where jobs run: in this process, in processes beside it, on a Dask cluster, or on anybody's Executor.

All are ``concurrent.futures.Executor``; which one is used moves no score. A worker that dies takes its own call with it
and no other.
"""

from __future__ import annotations

import signal
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, cast

from asdbench.errors import DataError, UsageError

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
        self._idle = [_process() for _ in range(workers)]
        self._waiting: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = deque()
        self._busy: set[ProcessPoolExecutor] = set()
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run it in the first process that is free; ``running()`` is true from then on."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("this executor has been shut down")
            self._waiting.append((future, fn, args, kwargs))
        self._hand_out()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; what waits is cancelled or, without ``cancel_futures``, given up as well."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, deque()
            processes = [*self._idle, *self._busy]
        for future, *_ in waiting:
            future.cancel()
        for process in processes:
            process.shutdown(wait=wait, cancel_futures=True)

    def _hand_out(self) -> None:
        while True:
            with self._lock:
                if self._closed or not self._idle or not self._waiting:
                    return
                future, fn, args, kwargs = self._waiting.popleft()
                if not future.set_running_or_notify_cancel():
                    continue
                process = self._idle.pop()
                self._busy.add(process)
            inner = process.submit(fn, *args, **kwargs)
            inner.add_done_callback(partial(self._done, process, future))

    def _done(self, process: ProcessPoolExecutor, future: Future[Any], inner: Future[Any]) -> None:
        error = inner.exception()
        with self._lock:
            self._busy.discard(process)
            self._idle.append(_process() if isinstance(error, BrokenProcessPool) else process)
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(inner.result())
        self._hand_out()


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_leave_interrupt_to_parent)


def _leave_interrupt_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def ended(executor: Executor) -> Iterator[Executor]:
    """Shut an executor down at the end; Ctrl-C ends its processes at once: a training may take hours."""
    try:
        yield executor
    except KeyboardInterrupt:
        for child in active_children():
            child.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


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
    from asdbench import __version__

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
