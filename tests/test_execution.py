from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from asdbench import execution
from asdbench.errors import AsdbenchError, WeightsError
from asdbench.execution import InlineExecutor, each, executing, threads_set


def fail_with_three_lines() -> None:
    raise WeightsError("message", "looked", "hint")


def end_the_process() -> None:
    os._exit(1)


def test_calls_give_the_same_results_inline_and_in_processes() -> None:
    calls = [(number, operator.mul, (number, number)) for number in range(6)]
    found = []
    for workers in (1, 2):
        with executing(workers) as executor:
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
def test_an_error_of_ours_keeps_its_three_parts_on_the_way_back(workers: int) -> None:
    with pytest.raises(WeightsError) as caught, executing(workers) as executor:
        list(each(executor, [("x", fail_with_three_lines, ())]))
    assert (caught.value.message, caught.value.looked, caught.value.hint) == ("message", "looked", "hint")
    assert caught.value.exit_code == 4


def test_a_worker_that_dies_is_an_error_with_a_hint() -> None:
    with pytest.raises(AsdbenchError, match="worker process died") as caught, executing(2) as executor:
        list(each(executor, [("x", end_the_process, ())]))
    assert "--workers 1" in caught.value.hint


def test_threads_are_set_within_and_put_back_after() -> None:
    import torch

    before = torch.get_num_threads()
    with threads_set(before + 1):
        assert torch.get_num_threads() == before + 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()
