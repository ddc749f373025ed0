"""A notebook run again: what counts as the same, and which cells an answer depends on."""

import asyncio
from collections.abc import Sequence

import pytest

from cellwright.core.types import CellResult, Output
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.notebooks.recorded import RecordedCell
from cellwright.proof.replay import difference, needed_cells, replay


def printed(text: str) -> Output:
    return Output("stream", name="stdout", text=text)


def result(text: str, media: str = "text/plain") -> Output:
    return Output("result", data={media: text})


SAME = [
    ([printed("a\n"), printed("b\n")], [printed("a\nb\n")]),
    ([result("<X at 0x7f0012345678>")], [result("<X at 0x7faaaaaaaaaa>")]),
    ([printed("Wall time: 3 ms\n1")], [printed("Wall time: 4 ms\n1")]),
    ([result("QUFB\nQUFB", "image/png")], [result("QUFBQUFB", "image/png")]),
    ([Output("error", name="E", text="x", traceback=("line 1",))], [Output("error", name="E", text="x")]),
    ([], [Output("stream", name="stderr", text="x.py:1: FutureWarning: old")]),
]
DIFFERENT = [
    ([printed("1")], [printed("2")], "stdout differs"),
    ([printed("1")], [], "stdout is gone"),
    ([], [result("1")], "the result is new"),
    ([result("QUFB", "image/png")], [result("QUFC", "image/png")], "a figure differs"),
    ([Output("error", name="E", text="x")], [Output("error", name="F", text="x")], "the error differs"),
]


@pytest.mark.parametrize(("then", "now"), SAME)
def test_what_is_chance_does_not_count(then: list[Output], now: list[Output]) -> None:
    """Addresses, timings, how streams were cut, tracebacks, warnings."""
    assert difference(then, now) == ""


@pytest.mark.parametrize(("then", "now", "words"), DIFFERENT)
def test_what_differs_is_named(then: list[Output], now: list[Output], words: str) -> None:
    """The first thing, in a few words."""
    assert difference(then, now) == words


async def _run(sources: Sequence[str]) -> list[CellResult]:
    async with LocalPool(1, rung="trusted", preload=()) as pool, pool.kernel(KernelSettings()) as kernel:
        return [await kernel.execute(source) for source in sources]


def recorded(*sources: str) -> list[RecordedCell]:
    """A notebook that has just been run."""
    return [RecordedCell(s, r.outputs) for s, r in zip(sources, asyncio.run(_run(sources)), strict=True)]


def needed(*sources: str) -> list[int]:
    """The cells that the last one depends on."""
    cells = recorded(*sources)

    async def job() -> list[int]:
        async with LocalPool(1, rung="trusted", preload=()) as pool:

            async def gives_it(numbers: Sequence[int]) -> bool:
                async with pool.kernel(KernelSettings()) as kernel:
                    outputs = [(n, (await kernel.execute(cells[n].source)).outputs) for n in numbers]
                    return not any(difference(cells[n].outputs, now) for n, now in outputs)

            return await needed_cells(cells, len(cells) - 1, gives_it)

    return asyncio.run(job())


NEEDED = {
    "names": (["a = 1", "b = 2", "c = a + 1", "print(c)"], [0, 2, 3]),
    "what was changed in place": (["a = [1]", "b = a", "b.append(2)", "x = 5", "print(a)"], [0, 1, 2, 4]),
    "a file": (["open('f', 'w').write('1')", "x = 1", "print(open('f').read())"], [0, 2]),
    "nothing": (["a = 1", "print(5)"], [1]),
    "state that no name shows": (["import random", "random.seed(1)", "a = 3", "print(random.random())"], [0, 1, 3]),
    "a cell that is no Python": (["%%javascript\nx", "a = 1", "print(a)"], [1, 2]),
}


@pytest.mark.parametrize("kind", NEEDED)
def test_cells_that_an_answer_depends_on(kind: str) -> None:
    """Found by trying: what can be left out is left out, and nothing else."""
    sources, expected = NEEDED[kind]
    assert needed(*sources) == expected


def test_answers_are_looked_for_in_what_cells_show() -> None:
    """Shown again, not shown again, shown by no cell, and none at all."""
    cells = recorded("print(41 + 1)", "print('x')")
    altered = [cells[0], RecordedCell("print('y')", cells[1].outputs)]

    async def job() -> list[tuple[str, int | None]]:
        async with LocalPool(1, rung="trusted", preload=()) as pool, pool.kernel(KernelSettings()) as kernel:
            answers = [("42", 2), ("x", 2), ("7", 2), (None, 2)]
            found = await replay(altered, answers, kernel, cell_s=10)
            assert [cell.verdict for cell in found.cells] == ["same", "differs"]
            return [(answer.verdict, answer.shown_by) for answer in found.answers]

    assert asyncio.run(job()) == [("same", 0), ("differs", 1), ("not shown", None), ("no answer", None)]
