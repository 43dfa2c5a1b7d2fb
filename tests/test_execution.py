from __future__ import annotations

import operator
import os
from concurrent.futures import Executor

import pytest

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
