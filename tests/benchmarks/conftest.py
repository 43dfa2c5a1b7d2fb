"""What the benchmarks share: races against the plain way, and the table of figures.

``python -m pytest tests/benchmarks --benchmark-enable`` measures at full size and prints the table; without the option
each case runs once, small, and only what is computed counts, not how long it takes.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from asdbench.running.execution import threads_set

ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """A line of the table; ``limit`` None where the issue of speed sets none."""

    case: str
    ours: str
    against: str = ""
    ratio: float | None = None
    limit: str = ""
    reached: bool | None = None


FIGURES: list[Figure] = []


def note(case: str, value: float, unit: str, limit: float | None = None) -> None:
    """Put a value into the table, and whether it keeps to its limit."""
    reached = None if limit is None else value <= limit
    FIGURES.append(
        Figure(case, f"{value:.3g} {unit}", limit="" if limit is None else f"{limit:g} {unit}", reached=reached)
    )


@dataclass(frozen=True)
class Race:
    """Runs the project's way and others in turn, so that a busy machine slows all of them alike."""

    benchmark: BenchmarkFixture

    @property
    def full(self) -> bool:
        """Whether times count: then the sizes are those of the issue."""
        return not self.benchmark.disabled

    def __call__(
        self,
        case: str,
        ours: Callable[[], float],
        others: Mapping[str, tuple[Callable[[], float], float | None]],
        threads: int = 1,
        rounds: int = ROUNDS,
    ) -> dict[str, float]:
        """Ratios of our seconds to the others', medians over rounds.

        Parameters
        ----------
        case : str
        ours : callable
            Runs once and returns the seconds that count.
        others : mapping of str to (callable, limit of the ratio or None)
            In words what it is compared with.
        threads : int
            Of all of them.
        rounds : int
        """
        times: dict[str, list[float]] = {name: [] for name in ("", *others)}

        def run_others() -> None:
            for name, (other, _) in others.items():
                times[name].append(other())

        def run_ours() -> None:
            times[""].append(ours())

        with threads_set(threads):
            if self.full:
                ours()  # warm: code and memory are there
            self.benchmark.pedantic(run_ours, setup=run_others, rounds=rounds)  # type: ignore[no-untyped-call]
        ratios = {}
        for name, (_, limit) in others.items():
            ratio = statistics.median(a / b for a, b in zip(times[""], times[name], strict=True))
            seconds = [f"{statistics.median(times[key]):.3g} s" for key in ("", name)]
            reached = None if limit is None else ratio <= limit
            if self.full:
                shown = "" if limit is None else f"{limit:g}"
                FIGURES.append(Figure(case, seconds[0], f"{name}: {seconds[1]}", ratio, shown, reached))
            ratios[name] = self.benchmark.extra_info[name] = ratio
        self.benchmark.extra_info["seconds"] = statistics.median(times[""])
        return ratios

    @property
    def seconds(self) -> float:
        """Ours, after the race: the median."""
        return float(self.benchmark.extra_info["seconds"])


@pytest.fixture
def race(benchmark: BenchmarkFixture) -> Race:
    return Race(benchmark)


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the sizes are those of the issue."""
    return bool(request.config.getoption("benchmark_enable"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("figures: medians; the ratio is ours to the other's")
        for line in _table():
            terminalreporter.write_line(line)


def _table() -> Iterator[str]:
    rows = [("case", "ours", "against", "ratio", "limit", "reached")]
    for one in FIGURES:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        reached = {None: "", True: "yes", False: "NO"}[one.reached]
        rows.append((one.case, one.ours, one.against, ratio, one.limit, reached))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
