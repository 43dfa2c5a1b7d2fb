"""The executors that run jobs: this process, worker processes, or anybody's ``concurrent.futures.Executor``.

Threads are set per call and never follow from the number of workers: a job's threads belong to its identity.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from asdbench.errors import AsdbenchError

T = TypeVar("T")
K = TypeVar("K")

AHEAD = 256  # calls submitted and not done: enough to keep as many workers busy


@contextmanager
def threads_set(count: int) -> Iterator[None]:
    """Within it, torch and BLAS use ``count`` threads and deterministic algorithms; afterwards what was set before."""
    os.environ.setdefault(
        "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
    )  # CUDA matrix products repeat only with a fixed workspace
    import scipy.linalg  # noqa: F401 # its BLAS must be there to be limited
    import torch
    from threadpoolctl import threadpool_limits

    before, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(count)
    torch.use_deterministic_algorithms(True)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(deterministic)


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


@contextmanager
def executing(workers: int) -> Iterator[Executor]:
    """An executor of so many workers. One: this process. More: fresh processes, ended at once by Ctrl-C.

    Raises
    ------
    AsdbenchError
        Where a worker process dies.
    """
    if workers <= 1:
        yield InlineExecutor()
        return
    executor = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_interrupt_to_parent)
    try:
        yield executor
    except BrokenProcessPool as error:
        raise AsdbenchError(
            "a worker process died",
            looked="most often the machine ran out of memory",
            hint="run the same command again with --workers 1; what is done is kept",
        ) from error
    except KeyboardInterrupt:
        for child in active_children():
            child.terminate()  # a training may take hours; what is finished has been written
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def each(executor: Executor, calls: Iterable[tuple[K, Callable[..., T], tuple[Any, ...]]]) -> Iterator[tuple[K, T]]:
    """Submit (label, function, arguments) calls and yield (label, result) as they are done, inline ones one by one.

    No more than ``AHEAD`` calls wait at a time, and ``calls`` is read no faster: where it makes them one by one,
    memory does not grow with their number.
    """
    pending: dict[Future[T], K] = {}
    for label, function, arguments in calls:
        future = executor.submit(function, *arguments)
        if future.done():
            yield label, future.result()
        else:
            pending[future] = label
        while len(pending) >= AHEAD:
            yield from _finished(pending)
    while pending:
        yield from _finished(pending)


def _finished(pending: dict[Future[T], K]) -> Iterator[tuple[K, T]]:
    for future in wait(pending, return_when=FIRST_COMPLETED).done:
        yield pending.pop(future), future.result()


def _leave_interrupt_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def default_workers(threads: int) -> int:
    """As many as fill the processors this process may use."""
    return max(1, len(os.sched_getaffinity(0)) // threads) if hasattr(os, "sched_getaffinity") else 1
