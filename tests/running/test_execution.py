from __future__ import annotations

import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from asdbench.errors import AsdbenchError, UsageError, WeightsError
from asdbench.running import execution, executors
from asdbench.running.execution import Lost, each, threads_set, uninterrupted
from asdbench.running.executors import InlineExecutor, executing


def fail_with_three_lines() -> None:
    raise WeightsError("message", "looked", "hint")


def end_the_process() -> None:
    os._exit(1)


def test_calls_give_the_same_results_inline_and_in_processes(tmp_path: Path) -> None:
    calls = [(number, operator.mul, (number, number)) for number in range(6)]
    found = []
    for workers in (1, 2):
        with executing(workers=workers, shared=tmp_path) as executor:
            found.append(dict(each(executor, calls)))
    assert found[0] == found[1] == {number: number * number for number in range(6)}


def test_inline_results_come_one_by_one() -> None:
    done: list[int] = []
    calls = [(number, done.append, (number,)) for number in range(3)]
    executor: Executor = InlineExecutor()
    seen = [len(done) for _ in each(executor, calls)]
    assert seen == [1, 2, 3]


class Lazy(Executor):
    """Finishes the oldest call when told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[int], int]] = []
        self.most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting.append((Future(), fn(*args)))
        self.most = max(self.most, len(self.waiting))
        if len(self.waiting) == execution.AHEAD:  # each() goes no further before one is done
            self.finish()
        return self.waiting[-1][0]

    def finish(self) -> None:
        future, value = self.waiting.pop(0)
        future.set_result(value)


def test_calls_are_made_no_faster_than_they_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "AHEAD", 3)
    lazy, made = Lazy(), []

    def calls() -> Iterator[tuple[int, Callable[..., int], tuple[int, int]]]:
        for number in range(10):
            made.append(number)
            yield number, operator.mul, (number, 2)

    for seen, (label, value) in enumerate(each(lazy, calls()), start=1):
        assert value == 2 * label
        assert len(made) <= seen + 2
        if len(made) == 10 and lazy.waiting:
            lazy.finish()
    assert seen == 10
    assert lazy.most == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_ours_keeps_its_three_parts_on_the_way_back(workers: int, tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught, executing(workers=workers, shared=tmp_path) as executor:
        list(each(executor, [("x", fail_with_three_lines, ())]))
    assert (caught.value.message, caught.value.looked, caught.value.hint) == ("message", "looked", "hint")
    assert caught.value.exit_code == 4


def sleep_for(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def test_a_worker_that_dies_takes_its_own_call_with_it_and_no_other(tmp_path: Path) -> None:
    calls: list[Any] = [("dies", end_the_process, ()), *((n, operator.mul, (n, n)) for n in range(5))]
    with executing("processes", 2, shared=tmp_path) as executor:
        found: dict[Any, Any] = dict(each(executor, calls))
    assert isinstance(found.pop("dies"), Lost)
    assert found == {n: n * n for n in range(5)}


def test_anybodys_pool_that_breaks_loses_its_calls_and_says_so() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        found = dict(each(executor, [(n, end_the_process, ()) for n in range(3)]))
    assert {type(one) for one in found.values()} == {Lost}


def test_a_worker_that_dies_between_two_calls_takes_none_with_it(tmp_path: Path) -> None:
    with executing("processes", 1, shared=tmp_path) as executor:
        worker = executor.submit(os.getpid).result()
        os.kill(worker, signal.SIGKILL)
        while _there(worker):  # until it is known to be dead
            time.sleep(0.02)
        assert executor.submit(operator.mul, 2, 3).result(timeout=60) == 6


def _there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_where_no_process_can_be_started_every_call_is_lost_and_none_waits_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: ProcessPoolExecutor, call: Callable[[], Any]) -> Future[Any]:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(ProcessPoolExecutor, "submit", refuse)
    with executing("processes", 2, shared=tmp_path) as executor:
        found = dict(each(executor, [(n, operator.mul, (n, n)) for n in range(1000)]))
    assert len(found) == 1000
    assert {type(one) for one in found.values()} == {Lost}


def test_where_a_replacement_cannot_be_made_no_call_waits_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> ProcessPoolExecutor:
        raise OSError(24, "Too many open files")

    with executing("processes", 1, shared=tmp_path) as executor:
        assert executor.submit(operator.mul, 2, 3).result(timeout=60) == 6
        monkeypatch.setattr(executors, "_process", refuse)
        futures = [executor.submit(end_the_process), executor.submit(operator.mul, 2, 3)]
        assert {type(future.exception(timeout=60)) for future in futures} == {BrokenProcessPool}
        monkeypatch.undo()
        assert executor.submit(operator.mul, 2, 3).result(timeout=60) == 6  # once there is room again


def leave_a_thread() -> None:
    threading.Thread(target=time.sleep, args=(120,)).start()


def test_a_worker_that_a_call_left_a_thread_in_is_not_waited_for(tmp_path: Path) -> None:
    started = time.monotonic()
    with executing("processes", 1, shared=tmp_path) as executor:
        executor.submit(leave_a_thread).result(timeout=60)
    assert time.monotonic() - started < 60


def test_workers_end_with_a_parent_that_is_killed() -> None:
    code = "import os, time; from asdbench.running.executors import ProcessExecutor\n"
    code += "if __name__ == '__main__':\n    executor = ProcessExecutor(2)\n    executor.submit(time.sleep, 120)\n"
    code += "    print(executor.submit(os.getpid).result(), flush=True)\n    time.sleep(120)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 60
    while _there(worker):
        assert time.monotonic() < deadline, "the worker outlives its parent"
        time.sleep(0.02)


def test_what_still_runs_at_the_end_is_ended_and_nothing_of_others(tmp_path: Path) -> None:
    other = get_context("spawn").Process(target=time.sleep, args=(120,))
    other.start()
    try:
        started = time.monotonic()
        with executing("processes", 2, shared=tmp_path) as executor:
            calls = [("ends", sleep_for, (0.0,)), ("runs", sleep_for, (120.0,)), ("waits", sleep_for, (120.0,))]
            for label, _ in each(executor, calls):
                assert label == "ends"
                break
        assert time.monotonic() - started < 60
        assert other.is_alive()
    finally:
        other.terminate()
        other.join()


def test_calls_that_wait_on_anybodys_executor_are_cancelled_where_nobody_reads_on() -> None:
    lazy = Lazy()
    found = each(lazy, [(n, operator.mul, (n, n)) for n in range(execution.AHEAD)])
    assert next(found) == (0, 0)
    found.close()  # type: ignore[attr-defined]  # as leaving the loop does
    assert len(lazy.waiting) == execution.AHEAD - 1
    assert all(future.cancelled() for future, _ in lazy.waiting)


def test_what_runs_now_is_told(tmp_path: Path) -> None:
    seen: list[list[int]] = []
    with executing("processes", 1, shared=tmp_path) as executor:
        list(each(executor, [(n, sleep_for, (0.7,)) for n in range(2)], seen.append))
    assert [0] in seen
    assert [1] in seen
    assert [0, 1] not in seen


def test_an_executor_that_gives_up_its_calls_is_an_error_with_a_way_out() -> None:
    class Gone(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.cancel()
            return future

    with pytest.raises(AsdbenchError, match="given up its calls") as caught:
        list(each(Gone(), [("x", operator.mul, (1, 1))]))
    assert "what is done is kept" in caught.value.hint


@pytest.mark.parametrize(("kind", "scheduler"), [("dask", None), ("processes", "tcp://127.0.0.1:1")])
def test_a_kind_and_a_scheduler_that_contradict_one_another(kind: Any, scheduler: str | None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="belong together"), executing(kind, 1, scheduler=scheduler, shared=tmp_path):
        pass


def write_while_interrupted(times: int, steps: list[str]) -> None:
    with uninterrupted():
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
        steps.append("written")


@pytest.mark.parametrize(("times", "written"), [(1, ["written"]), (2, [])])
def test_the_first_interrupt_waits_for_what_is_being_written_the_second_does_not(
    times: int, written: list[str]
) -> None:
    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        write_while_interrupted(times, steps)
    assert steps == written
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    steps: list[str] = []
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as nohup does
    try:
        write_while_interrupted(2, steps)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert steps == ["written"]


def test_threads_are_set_within_and_put_back_after() -> None:
    import torch

    before = torch.get_num_threads()
    with threads_set(before + 1):
        assert torch.get_num_threads() == before + 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()
