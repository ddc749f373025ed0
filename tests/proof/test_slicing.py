"""Slices found by running candidates: aliases, in-place changes and other things that no syntax tree shows."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.judge import Judge, Program
from cellwright.proof.slicing import NoSlice, Slice, find_slice, static_slice
from cellwright.proof.units import Unit, free_names, parse_cells
from cellwright.proof.values import load


@dataclass(frozen=True)
class Bench:
    """One kernel and its judge, kept for all tests of this file: each program runs in a fork of its own."""

    runner: asyncio.Runner
    judge: Judge

    def slice(self, cells: list[str]) -> Slice | NoSlice:
        """The slice of the last expression of the last cell."""
        *lead, expression = cells
        units = _units(lead)
        (full,) = self.runner.run(self.judge.run([Program(tuple(u.source for u in units), expression)]))
        assert full.value is not None, full
        return self.runner.run(find_slice(units, expression, full.value, self.judge))


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
    return LocalPool(1, rung="trusted")


NEEDED = {
    "plain": (["a = 1", "b = 2", "c = a + 1", "c * 2"], ["a = 1", "c = a + 1"]),
    "alias": (["a = [1]", "b = a", "b.append(2)", "z = 3", "len(a)"], ["a = [1]", "b = a", "b.append(2)"]),
    "helper": (
        ["def grow(x):\n    x.append(1)", "a = []", "u = 5", "grow(a)", "len(a)"],
        ["def grow(x):\n    x.append(1)", "a = []", "grow(a)"],
    ),
    "global": (
        ["n = 0", "def bump():\n    global n\n    n += 1", "bump()", "m = 4", "n"],
        ["n = 0", "def bump():\n    global n\n    n += 1", "bump()"],
    ),
    "late closure": (["k = 1", "f = lambda x: x + k", "k = 10", "q = 2", "f(1)"], ["f = lambda x: x + k", "k = 10"]),
    "globals()": (["globals()['a'] = 4", "b = 1", "a + 0"], ["globals()['a'] = 4"]),
    "setattr": (
        ["class T: pass", "t = T()", "setattr(t, 'v', 3)", "w = 1", "t.v"],
        ["class T: pass", "t = T()", "setattr(t, 'v', 3)"],
    ),
    "iterator": (
        ["i = iter([1, 2, 3])", "first = next(i)", "z = 0", "next(i)"],
        ["i = iter([1, 2, 3])", "first = next(i)"],
    ),
    "nested alias": (
        ["d = {'x': []}", "y = d['x']", "y.append(1)", "e = {}", "d"],
        ["d = {'x': []}", "y = d['x']", "y.append(1)"],
    ),
    "array view": (
        ["import numpy as np", "a = np.zeros(4)", "v = a[:2]", "v[:] = 1", "b = 1", "a.sum()"],
        ["import numpy as np", "a = np.zeros(4)", "v = a[:2]", "v[:] = 1"],
    ),
    "file": (
        ["f = open('t.txt', 'w')", "f.write('abc')", "f.close()", "x = 1", "open('t.txt').read()"],
        ["f = open('t.txt', 'w')", "f.write('abc')", "f.close()"],
    ),
    "star import": (["from math import *", "x = 4", "y = 1", "sqrt(x)"], ["from math import *", "x = 4"]),
    "registry": (
        [
            "R = {}",
            "def reg(f):\n    R[f.__name__] = f\n    return f",
            "@reg\ndef g():\n    return 7",
            "h = 1",
            "R['g']()",
        ],
        ["R = {}", "def reg(f):\n    R[f.__name__] = f\n    return f", "@reg\ndef g():\n    return 7"],
    ),
    "loop": (["t = 0", "for i in range(3):\n    t += i", "s = 9", "t"], ["t = 0", "for i in range(3):\n    t += i"]),
    "cleaning that does not matter goes": (["a = [3, 1, 2]", "a.sort()", "max(a)"], ["a = [3, 1, 2]"]),
}


@pytest.mark.parametrize("name", NEEDED)
def test_slice_is_what_the_value_needs(bench: Bench, name: str) -> None:
    """The slice has every statement that the value needs, and no other."""
    cells, needed = NEEDED[name]
    found = bench.slice(cells)
    assert isinstance(found, Slice), found
    assert [unit.source for unit in found.units] == needed
    assert found.minimal


def test_random_value_has_no_slice(bench: Bench) -> None:
    """A value that differs from run to run is refused, with the reason."""
    units = _units(["import os"])
    found = bench.runner.run(find_slice(units, "os.getpid()", {"t": "int", "v": -1}, bench.judge))
    assert isinstance(found, NoSlice)
    assert found.reason == "value differs when run again"


def test_failing_expression_has_no_slice(bench: Bench) -> None:
    """An expression that raises is refused with the exception's name."""
    found = bench.runner.run(find_slice(_units(["x = 0"]), "1 / x", {"t": "int", "v": 1}, bench.judge))
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


def test_free_names_tell_bodies_from_what_runs_at_once() -> None:
    """A function's body is used, but not needed at once; its parameters are neither."""
    anywhere, at_once = free_names("f = lambda a: a + k + g")
    assert anywhere == {"k", "g"}
    assert at_once == set()


def test_static_slice_follows_reassignment() -> None:
    """A binding ends the need for what was bound before."""
    units = _units(["a = 1", "a = 2", "b = a"])
    assert [unit.source for unit in static_slice(units, frozenset({"b"}))] == ["a = 2", "b = a"]


def test_snapshots_survive_json() -> None:
    """A snapshot's text loads to what was stored."""
    assert load('{"t": "float", "v": 1.5}') == {"t": "float", "v": 1.5}
