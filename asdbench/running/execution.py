"""Running calls on an executor, and the device and threads of one call.

Threads are set per call and never follow from the number of workers: a job's threads belong to its identity.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

from asdbench.errors import AsdbenchError, DataError

T = TypeVar("T")
K = TypeVar("K")

AHEAD = 256  # calls submitted and not done: enough to keep as many workers busy


def check_device(device: str) -> None:
    """Make sure that torch can use a device.

    Raises
    ------
    DataError
        Where it cannot.
    """
    import torch

    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise DataError(
            f"device {device!r} cannot be used", looked=str(error).splitlines()[0], hint="use --device cpu"
        ) from error


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


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Within it the first Ctrl-C waits until its end, the second does not. (Signals reach the main thread only.)"""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def wait_once(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            signal.signal(number, before)
            signal.raise_signal(number)
        asked = True

    before = signal.signal(signal.SIGINT, wait_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        signal.raise_signal(signal.SIGINT)  # to whoever handles it, or has it ignored (nohup)


@dataclass(frozen=True)
class Lost:
    """What comes back instead of a result where the worker died."""

    reason: str


def each(
    executor: Executor,
    calls: Iterable[tuple[K, Callable[..., T], tuple[Any, ...]]],
    watch: Callable[[list[K]], None] | None = None,
) -> Iterator[tuple[K, T | Lost]]:
    """Submit (label, function, arguments) calls and yield (label, result) as they are done, inline ones one by one.

    No more than ``AHEAD`` calls wait at a time, and ``calls`` is read no faster: where it makes them one by one,
    memory does not grow with their number. ``watch`` is told the labels of the calls that run, twice a second. Where
    nobody goes on reading, the calls that wait are cancelled.

    Raises
    ------
    AsdbenchError
        What a call raised, or where the executor has given up its calls (a scheduler that is gone).
    """
    pending: dict[Future[T], K] = {}
    try:
        for label, function, arguments in calls:
            if watch and not pending:
                watch([label])
            try:
                future = executor.submit(function, *arguments)
            except BrokenExecutor as error:  # anybody's pool that does not mend itself
                yield label, Lost(_died(error))
                continue
            if future.done():
                yield label, _result(future)
            else:
                pending[future] = label
            while len(pending) >= AHEAD:
                yield from _finished(pending, watch)
        while pending:
            yield from _finished(pending, watch)
    finally:
        for future in pending:
            future.cancel()


def _finished(pending: dict[Future[T], K], watch: Callable[[list[K]], None] | None) -> Iterator[tuple[K, T | Lost]]:
    done: set[Future[T]] = set()
    while not done:
        done = wait(pending, timeout=0.5 if watch else None, return_when=FIRST_COMPLETED).done
        if watch:
            watch([label for future, label in pending.items() if future.running()])
    for future in done:
        yield pending.pop(future), _result(future)


def _result(future: Future[Any]) -> Any:  # the call's result, or Lost
    try:
        return future.result()
    except BrokenExecutor as error:
        return Lost(_died(error))
    except CancelledError as error:
        raise AsdbenchError(
            "the executor has given up its calls",
            looked="the scheduler or the connection to it is gone",
            hint="run the same command again once it is back; what is done is kept",
        ) from error
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # Dask's, which is not always installed
            return Lost(_died(error))
        raise


def _died(error: Exception) -> str:
    return f"its worker process died, most often because memory ran out ({type(error).__name__})"


def default_workers(threads: int) -> int:
    """As many as fill the processors this process may use."""
    return max(1, len(os.sched_getaffinity(0)) // threads) if hasattr(os, "sched_getaffinity") else 1
