"""Slices of many outputs of one notebook, each confirmed in kernels other than the one that it was found in.

Python's hash seed decides in what order a set hands out texts, and a process where objects lie in memory: neither can
be changed within a kernel. So each slice is run again in two kernels with other hash seeds, which have run nothing but
slices. What fails there is searched for anew in that kernel, where what the first one made look idle does not.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from cellwright.proof.judge import Circumstances, Judge, Program
from cellwright.proof.slicing import CHANCE, VALUE_DIFFERS, Effort, NoSlice, Slice, Wanted, find_slices
from cellwright.proof.values import identical

HASH_SEEDS = (0, 1, 22)
"""The first is the one under which notebooks are executed; a proof's runs use the others too, so kernels are warm."""
OpenJudge = Callable[[int], AbstractAsyncContextManager[Judge]]
"""A judge in a fresh kernel with this hash seed."""
_ELSEWHERE = NoSlice(CHANCE, "the value is another one in a kernel with another hash seed")


async def slice_all(
    wanted: Sequence[Wanted], judges: OpenJudge, *, until: float, effort: Effort | None = None
) -> list[Slice | NoSlice]:
    """What became of each output, in order. `until`: when to stop searching, on the monotonic clock. One kernel at a
    time is open. Raises KernelDied when one is lost."""
    outcome: dict[int, Slice | NoSlice] = {}
    pending = list(range(len(wanted)))
    for here in HASH_SEEDS:
        if not pending:
            break
        async with judges(here) as judge:
            some = [wanted[number] for number in pending]
            for number, found in zip(pending, await find_slices(some, judge, effort, until=until), strict=True):
                is_other = isinstance(found, NoSlice) and found.reason == VALUE_DIFFERS and here != HASH_SEEDS[0]
                outcome[number] = _ELSEWHERE if is_other else found
        slices = [number for number in pending if isinstance(outcome[number], Slice)]
        pending = []
        for other in HASH_SEEDS:
            if other != here and slices:
                async with judges(other) as judge:
                    pending += await _unconfirmed(wanted, outcome, slices, judge, other)
                slices = [number for number in slices if number not in pending]
    outcome.update(dict.fromkeys(pending, _ELSEWHERE))
    return [outcome[number] for number in range(len(wanted))]


async def _unconfirmed(
    wanted: Sequence[Wanted],
    outcome: dict[int, Slice | NoSlice],
    slices: Sequence[int],
    judge: Judge,
    hash_seed: int,
) -> list[int]:
    """Those of the slices that give another value in this kernel. What the runs cost is added to the outcome."""
    found = [(number, outcome[number]) for number in slices]
    asked = [(number, piece) for number, piece in found if isinstance(piece, Slice)]
    programs = [Program(tuple(u.source for u in piece.units), wanted[number].expression) for number, piece in asked]
    runs = await judge.run(programs, Circumstances(seed=80_000 + hash_seed))
    wrong: list[int] = []
    for (number, piece), run in zip(asked, runs, strict=True):
        outcome[number] = replace(piece, cpu_s=round(piece.cpu_s + run.cpu_s, 3))
        if run.exact is None or not identical(run.exact, wanted[number].expected):
            wrong.append(number)
    return wrong
