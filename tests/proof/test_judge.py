"""Judging programs in forks: what one does is not seen by another, with and without checkpoints."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.judge import Circumstances, Judge, Program, Run

Runs = Callable[..., list[Run]]
"""Of programs, of the circumstances where they are not the judge's own, and of limits."""
SLOW = "import time; time.sleep(0.1)"


@pytest.fixture(params=[0, 2], ids=["no checkpoints", "checkpoints"])
def run(request: pytest.FixtureRequest) -> Iterator[Runs]:
    with asyncio.Runner() as runner:
        pool = LocalPool(1, rung="trusted")
        context = pool.kernel(KernelSettings())
        kernel = runner.run(context.__aenter__())
        judge = Judge(kernel, timeout_s=3, seed=5, checkpoints=request.param)
        try:
            yield lambda programs, at=None, **limits: runner.run(judge.run(programs, at, **limits))
        finally:
            runner.run(context.__aexit__(None, None, None))
            runner.run(pool.close())


def value(run: Run) -> Any:
    assert run.value is not None, run
    return run.value["v"]


def test_programs_do_not_see_each_other(run: Runs) -> None:
    """Variables, files and random numbers of a program are gone when the next one runs."""
    units = (SLOW, "import os, random", "open('kept', 'w').close()", "seen = []")
    dirty = Program((*units, "seen.append(1)", "open('more', 'w').close()"), "(len(seen), random.random())")
    clean = Program(units, "(len(seen), sorted(os.listdir()), random.random())")
    first, *_, last = run([clean, dirty, clean, dirty, clean])
    assert first.value == last.value
    assert value(last)[1]["v"] == [{"t": "str", "v": "data"}, {"t": "str", "v": "kept"}]


def test_failures_name_their_statement(run: Runs) -> None:
    """An exception, an endless program and one that ends its process are results, with their place."""
    units = (SLOW, "a = 1")
    for _ in range(3):
        good, bad, wrong, endless, gone = run(
            [
                Program(units, "a"),
                Program((*units, "a / 0"), "a"),
                Program(units, "b"),
                Program((*units, "while True: pass"), "a"),
                Program((*units, "import os; os._exit(0)"), "a"),
            ]
        )
        assert value(good) == 1
        assert (bad.error, bad.unit) == ("ZeroDivisionError", 2)
        assert (wrong.error, wrong.unit) == ("NameError", 2)
        assert endless.error == "Timeout"
        assert gone.error == "Died"


def test_random_numbers_depend_on_the_seed_only(run: Runs) -> None:
    """The same program gives the same random numbers each time, from its first line or from a checkpoint."""
    program = Program(("import random", SLOW, "x = random.random()"), "(x, random.random())")
    runs = run([program] * 4)
    assert len({str(found.value) for found in runs}) == 1


def test_only_draws_are_told(run: Runs) -> None:
    """From a checkpoint too, a program that draws nothing says so, and one that draws after a seed says the same."""
    begin = (SLOW, "import random", "random.seed(3)")
    idle, draws = run([Program((SLOW, "x = 1"), "x")] * 4), run([Program(begin, "random.random()")] * 4)
    assert {found.drawn for found in idle} == {""}
    assert len({found.drawn for found in draws}) == 1
    assert draws[0].drawn


def test_the_clock_is_where_a_run_wants_it(run: Runs) -> None:
    """Whatever ran before it, under whichever clock."""
    program = Program(
        ("import datetime", SLOW, "began = datetime.date.today()"), "(datetime.date.today() - began).days"
    )
    today = Program(("import datetime", SLOW), "datetime.date.today().toordinal()")
    moved = Circumstances(5, days_ahead=400)
    assert [value(found) for found in run([program] * 3, moved)] == [0] * 3
    later, now = ([value(found) for found in run([today] * 3, at)] for at in (moved, Circumstances(5)))
    assert {day - other for day, other in zip(later, now, strict=True)} <= {400, 401}


def test_asking_the_time_is_told(run: Runs) -> None:
    """Also where a beginning asked it that programs have in common; and of no other program."""
    asks, moved = Program((SLOW, "import time; began = time.time()"), "began > 0"), Circumstances(5, days_ahead=3)
    assert [found.asked_time for found in run([asks] * 4, moved)] == [True] * 4
    assert [found.asked_time for found in run([Program((SLOW, "x = 1"), "x")] * 4, moved)] == [False] * 4
    later = run([Program((SLOW, "x = 1"), "__import__('time').time() > 0"), Program((SLOW, "x = 1"), "x")] * 2, moved)
    assert [found.asked_time for found in later] == [True, False] * 2


@pytest.mark.parametrize("run", [2], ids=["checkpoints"], indirect=True)
@pytest.mark.parametrize("at", [None, Circumstances(5, days_ahead=400)], ids=["today", "another day"])
def test_what_several_programs_begin_with_is_run_once(run: Runs, at: Circumstances | None) -> None:
    """Once more than needed: that it is slow is seen by running it."""
    begin = ("import os", f"{SLOW}; began = os.getpid()")
    places = [value(found) for found in run([Program(begin, f"began + 0 * {n}") for n in range(5)], at)]
    assert len(set(places)) == 2
    assert len(set(places[1:])) == 1
    assert value(run([Program(begin, "began")], Circumstances(6, days_ahead=1))[0]) not in places


def test_outcomes_come_in_the_order_of_the_programs(run: Runs) -> None:
    """Also where those that begin alike are run one after the other."""
    programs = [Program((SLOW, f"a = {n % 3}"), f"({n}, a)") for n in range(9)]
    assert [[part["v"] for part in value(found)] for found in run(programs)] == [[n, n % 3] for n in range(9)]


def test_swallowed_interrupts_do_not_stop_the_clock(run: Runs) -> None:
    """A program that catches everything is ended at its time limit."""
    program = Program(("while True:\n    try:\n        pass\n    except BaseException:\n        pass",), "1")
    assert run([program])[0].error == "Timeout"


def test_what_is_written_elsewhere_is_gone_for_the_next(run: Runs) -> None:
    """Also where no text names the whole path, and where the program fails after it."""
    path = "import os; path = os.path.join('/tmp', 'cellwright' + '-judge')"
    write = "file = open(path, 'w')"
    programs = [Program((path, SLOW, write), "os.path.exists(path)"), Program((path, SLOW, write, "1 / 0"), "0")]
    runs = run([*programs * 3, Program((path,), "os.path.exists(path)")])
    assert [value(found) for found in runs if not found.error] == [True, True, True, False]


def test_a_program_that_waits_for_ever_is_ended_early(run: Runs) -> None:
    """One that is at work is not, nor one that waits where nobody minds."""
    programs = [
        Program(("import queue",), "queue.Queue().get()"),
        Program(("import time", "end = time.monotonic() + 1"), "any(iter(lambda: time.monotonic() > end, True))"),
        Program(("import time", "time.sleep(1)"), "5"),
    ]
    waits, works, _ = run(programs, idle_s=0.4)
    assert (waits.error, works.error) == ("Timeout", "")
    assert waits.wall_s < 2
    assert not run(programs[2:])[0].error


def test_the_time_is_asked_for_where_the_clock_is_moved(run: Runs) -> None:
    """A run tells it, and of no other clock."""
    moved = Circumstances(5, days_ahead=1)
    asks, asks_not = Program(("import time",), "time.asctime()"), Program(("import time",), "time.monotonic()")
    assert [found.asked_time for found in run([asks, asks_not], moved)] == [True, False]
