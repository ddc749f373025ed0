"""Searching for a slice, and what it is told by the kernel; `slices/` has the notebooks made to mislead it."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import pytest

from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.bindings import free_names
from cellwright.proof.judge import Circumstances, Judge, Program, Run
from cellwright.proof.slicing import (
    CHANCE,
    NO_TIME,
    Effort,
    NoSlice,
    Slice,
    Wanted,
    find_slice,
    find_slices,
    static_slice,
)
from cellwright.proof.units import Unit, parse_cells
from cellwright.proof.values import Snapshot, load


@dataclass(frozen=True)
class Bench:
    """One kernel and its judge, kept for all tests of this file: each program runs in a fork of its own."""

    runner: asyncio.Runner
    judge: Judge

    def find(self, units: list[Unit], expression: str, expected: Snapshot) -> Slice | NoSlice:
        """The slice of any expression."""
        return self.runner.run(find_slice(Wanted(tuple(units), expression, expected), self.judge))


def _units(cells: list[str]) -> list[Unit]:
    return [unit for cell in parse_cells(cells) if cell is not None for unit in cell.units]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        pool = runner.run(_pool())
        context = pool.kernel(KernelSettings())
        kernel = runner.run(context.__aenter__())
        try:
            yield Bench(runner, Judge(kernel, timeout_s=10, seed=1))
        finally:
            runner.run(context.__aexit__(None, None, None))
            runner.run(pool.close())


async def _pool() -> LocalPool:
    return LocalPool(1, rung="trusted", preload=("numpy",))


def test_random_value_has_no_slice(bench: Bench) -> None:
    """A value that differs from run to run is refused, with the reason."""
    units = _units(["import os"])
    found = bench.find(units, "os.getpid()", {"t": "int", "v": -1})
    assert isinstance(found, NoSlice)
    assert found.reason == "value differs when run again"


def test_failing_expression_has_no_slice(bench: Bench) -> None:
    """An expression that raises is refused with the exception's name."""
    found = bench.find(_units(["x = 0"]), "1 / x", {"t": "int", "v": 1})
    assert isinstance(found, NoSlice)
    assert "ZeroDivisionError" in found.detail


def test_endless_program_is_ended_and_others_go_on(bench: Bench) -> None:
    """A program that never ends costs its time limit, and nothing else."""
    programs = [Program(("while True: pass",), "1"), Program((), "2")]
    quick = Judge(bench.judge._kernel, timeout_s=1, seed=1)
    first, second = bench.runner.run(quick.run(programs))
    assert (first.error, second.value) == ("Timeout", {"t": "int", "v": 2})


def test_program_that_ends_its_process_is_told(bench: Bench) -> None:
    """os._exit in a program is that program's end, not the kernel's."""
    first, second = bench.runner.run(bench.judge.run([Program(("import os", "os._exit(1)"), "1"), Program((), "3")]))
    assert (first.error, second.value) == ("Died", {"t": "int", "v": 3})


def test_programs_do_not_see_each_other(bench: Bench) -> None:
    """Names and files of one program are gone in the next."""
    write = Program(("x = 1", "open('left.txt', 'w').write('x')"), "x")
    look = Program(("import os",), "('x' in globals(), os.path.exists('left.txt'))")
    _, second = bench.runner.run(bench.judge.run([write, look]))
    assert second.value is not None
    assert json.dumps(second.value).count("false") == 2


def test_huge_output_of_a_program_is_thrown_away(bench: Bench) -> None:
    """A program that prints without end still gives its value."""
    (run,) = bench.runner.run(bench.judge.run([Program(("for i in range(200000): print('x' * 100)",), "5")]))
    assert run.value == {"t": "int", "v": 5}


def test_free_names_are_those_of_bodies_too() -> None:
    """A function's body is used; its parameters are not."""
    assert free_names("f = lambda a: a + k + g") == {"k", "g"}


def test_static_slice_follows_reassignment() -> None:
    """A binding ends the need for what was bound before."""
    units = _units(["a = 1", "a = 2", "b = a"])
    assert [unit.source for unit in static_slice(units, frozenset({"b"}))] == ["a = 2", "b = a"]


def test_snapshots_survive_json() -> None:
    """A snapshot's text loads to what was stored."""
    assert load('{"t": "float", "v": 1.5}') == {"t": "float", "v": 1.5}


def test_long_notebook_is_searched_by_halves(bench: Bench) -> None:
    """Three statements that no name leads to are found among 200 in far fewer trials."""
    lines = [f"x{n} = {n}" for n in range(200)]
    hidden = {30: "import sys", 90: "sys.modules['seen'] = [1]", 150: "sys.modules['seen'].append(2)"}
    for place, source in hidden.items():
        lines[place] = source
    expression = "len(__import__('sys').modules['seen'])"
    found = bench.find(_units(lines), expression, {"t": "int", "v": 2})
    assert isinstance(found, Slice), found
    assert [unit.source for unit in found.units] == list(hidden.values())
    assert found.minimal
    assert found.trials < 60


def test_spent_effort_is_told(bench: Bench) -> None:
    """A slice that was found within the trials allowed, and not shown to be the shortest, is not called minimal."""
    wanted = Wanted(
        tuple(_units(["a = [1]", "b = a.copy()", "b.sort()", "b.reverse()"])), "len(b)", {"t": "int", "v": 1}
    )
    found = bench.runner.run(find_slice(wanted, bench.judge, Effort(trials=2)))
    assert isinstance(found, Slice), found
    assert not found.minimal


def test_loop_that_lost_its_end_costs_little(bench: Bench) -> None:
    """A candidate that runs for ever is given up long before the time limit of a program."""
    before = bench.judge.cpu_s
    found = bench.find(_units(["n = 0", "while n < 3:\n    n += 1"]), "n", {"t": "int", "v": 3})
    assert isinstance(found, Slice), found
    assert bench.judge.cpu_s - before < 6


def test_outputs_of_a_notebook_are_asked_for_luck_together(bench: Bench) -> None:
    """Of three that draw without a seed two hold what any draw gives; the third is what most draws give, and goes."""
    draws, coin = "drawn = [random.random() for _ in range(9)]", "coin = random.random() < 0.7"
    units = tuple(_units(["import random", draws, coin]))
    (usual,) = bench.runner.run(bench.judge.run([Program(("import random", coin), "coin")]))
    assert usual.exact is not None
    wanted = [
        Wanted(units, "len(drawn)", {"t": "int", "v": 9}),
        Wanted(units, "coin", usual.exact),
        Wanted(units, "coin in (True, False)", {"t": "bool", "v": True}),
    ]
    first, middle, last = bench.runner.run(find_slices(wanted, bench.judge))
    assert isinstance(first, Slice), first
    assert [unit.source for unit in first.units] == ["import random", draws]
    assert isinstance(middle, NoSlice)
    assert middle.reason == CHANCE
    assert isinstance(last, Slice), last
    assert bench.runner.run(find_slices(wanted, bench.judge, until=0.0)) == [NO_TIME] * 3


def test_a_search_begins_where_others_of_the_notebook_ended(bench: Bench) -> None:
    """Hidden statements are not searched for again, nor idle ones left out one by one; what is needed comes back."""
    hidden, idle = ["box = [x]", "box[0].append(7)"], [f"z.append({n})" for n in range(40)]
    units = tuple(_units(["x = []", *hidden, "z = []", *idle]))
    expressions = ["(len(x), type(z).__name__)", "(len(x), z.__class__.__name__)", "(len(x), len(z))"]
    runs = bench.runner.run(bench.judge.run([Program(tuple(u.source for u in units), text) for text in expressions]))
    wanted = [Wanted(units, text, run.exact) for text, run in zip(expressions, runs, strict=True) if run.exact]
    first, second, third = bench.runner.run(find_slices(wanted, bench.judge))
    assert isinstance(first, Slice), first
    assert isinstance(second, Slice), second
    assert isinstance(third, Slice), third
    assert [unit.source for unit in first.units] == ["x = []", *hidden, "z = []"]
    assert second.units == first.units
    assert (first.guess, second.guess) == ("prefix", "learned")
    assert 2 * second.trials < first.trials
    assert second.minimal
    assert len(third.units) == len(units)
    assert third.minimal


def test_what_is_found_is_settled_while_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where runs on other days and under other seeds would no longer fit, no further search is begun."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    class Slow:
        """Runs take 10 seconds each; all draw, under each seed other numbers."""

        async def run(
            self, programs: Sequence[Program], at: Circumstances | None = None, **limits: float | None
        ) -> list[Run]:
            clock[0] += 10.0 * len(programs)
            found = {"t": "int", "v": 1}
            drawn = f"{at.seed if at else 0}"
            return [Run(found, "", "", 0, 10.0, 10.0, drawn, exact=found) for _ in programs]

    units = tuple(_units(["import random"]))
    wanted = [Wanted(units, f"random.random() < {n}", {"t": "int", "v": 1}) for n in range(2, 12)]
    # A search of one statement takes 1 run, to settle what it found 13.
    found = asyncio.run(find_slices(wanted, cast(Judge, Slow()), until=500.0))
    assert [isinstance(one, Slice) for one in found] == [True] * 3 + [False] * 7
    assert found[3:] == [NO_TIME] * 7


def test_time_may_run_out_between_any_two_looks_at_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no time left is told as such, whenever that is."""
    clock = [0.0]

    def ticking() -> float:
        clock[0] += 1.0
        return clock[0]

    class Quick:
        """Every program gives the value."""

        async def run(
            self, programs: Sequence[Program], at: Circumstances | None = None, **limits: float | None
        ) -> list[Run]:
            return [Run({"t": "int", "v": 1}, "", "", 0, 0.1, exact={"t": "int", "v": 1}) for _ in programs]

    wanted = [Wanted((), f"{n}", {"t": "int", "v": 1}) for n in range(3)]
    for until in range(40):
        with asyncio.Runner() as runner, monkeypatch.context() as patch:
            clock[0] = 0.0
            patch.setattr(time, "monotonic", ticking)
            found = runner.run(find_slices(wanted, cast(Judge, Quick()), until=float(until)))
        assert all(isinstance(one, Slice) or one == NO_TIME for one in found)


def test_value_that_cannot_be_compared_has_no_slice(bench: Bench) -> None:
    """Of an object that shows nothing of its content, no statement can be said to matter."""
    found = bench.find(_units(["a = [object()]"]), "a", {"t": "list", "v": [{"t": "other", "type": "object"}]})
    assert isinstance(found, NoSlice)
    assert found.reason == "value cannot be compared"
