"""Slices the outputs of real notebooks, and what they are worth beside what a user would take instead.

`python -m benchmarks.slices CORPUS [--notebooks N] [--outputs N]`. CORPUS: a folder or zip of notebooks with their
tables. An output counts when all statements before it give it again in three kernels, under three seeds and hash seeds,
one of them on another day: the others have no right slice. Each method's program is run again in a kernel that the
search never saw, with a hash seed of its own.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.tables import table, write_section
from cellwright.core.types import Reject
from cellwright.kernels import KernelSettings, Limits, LocalPool
from cellwright.pipeline.config import RepairConfig
from cellwright.pipeline.execute import ExecutedNotebook, ExecuteStage, table_paths
from cellwright.pipeline.link import LinkStage
from cellwright.pipeline.read import read
from cellwright.pipeline.slice import outputs_to_slice
from cellwright.proof.bindings import free_names
from cellwright.proof.confirming import slice_all
from cellwright.proof.execution import ExecutionLimits
from cellwright.proof.judge import CHECKPOINTS, Circumstances, Judge, Program, preload_list
from cellwright.proof.slicing import Slice, Wanted, static_slice
from cellwright.proof.units import Unit
from cellwright.proof.values import identical, load

_TIMEOUT_S = 20.0
_CONDITIONS = ((0, Circumstances(1)), (1, Circumstances(2, days_ahead=300)), (22, Circumstances(3)))
_UNSEEN = (4_711, Circumstances(4))
OpenJudge = Callable[[int], AbstractAsyncContextManager[Judge]]


@dataclass(frozen=True)
class Outcome:
    """One method on one output."""

    method: str
    is_right: bool
    statements: int
    cells: int
    cpu_s: float
    trials: int = 1
    is_minimal: bool = False


def _program(units: Sequence[Unit], wanted: Wanted) -> Program:
    return Program(tuple(unit.source for unit in units), wanted.expression)


async def _right(programs: Sequence[Program], wanted: Sequence[Wanted], judge: Judge, at: Circumstances) -> list[bool]:
    runs = await judge.run(programs, at)
    return [run.value is not None and identical(run.value, w.expected) for run, w in zip(runs, wanted, strict=True)]


async def _reproducible(wanted: Sequence[Wanted], judges: OpenJudge) -> list[Wanted]:
    """The outputs that all statements before them give again, whatever chance has in store."""
    left = list(wanted)
    for hash_seed, at in _CONDITIONS:
        async with judges(hash_seed) as judge:
            good = await _right([_program(w.units, w) for w in left], left, judge, at)
        left = [w for w, is_right in zip(left, good, strict=True) if is_right]
    return left


async def _compared(wanted: Sequence[Wanted], judges: OpenJudge) -> list[Outcome]:
    """What each method makes of outputs that can be had."""
    outcomes: list[Outcome] = []
    statics = [static_slice(w.units, free_names(w.expression)) for w in wanted]
    for method, lists in (("whole prefix", [list(w.units) for w in wanted]), ("static slice, as it is", statics)):
        async with judges(_UNSEEN[0]) as judge:
            for units, w in zip(lists, wanted, strict=True):
                before = judge.cpu_s
                (good,) = await _right([_program(units, w)], [w], judge, _UNSEEN[1])
                outcomes.append(Outcome(method, good, len(units), len({u.cell for u in units}), judge.cpu_s - before))
    for method, asked in (
        ("by statement", list(wanted)),
        ("by whole cell", [replace(w, by="cell") for w in wanted]),
    ):
        found = await slice_all(asked, judges, until=time.monotonic() + 3600)
        slices = [(s, w) for s, w in zip(found, wanted, strict=True) if isinstance(s, Slice)]
        async with judges(_UNSEEN[0]) as judge:
            held = await _right([_program(s.units, w) for s, w in slices], [w for _, w in slices], judge, _UNSEEN[1])
        for (piece, _), is_right in zip(slices, held, strict=True):
            size = len(piece.units), len({unit.cell for unit in piece.units})
            outcomes.append(Outcome(method, is_right, *size, piece.cpu_s, piece.trials, piece.minimal))
        for missed in (s for s in found if not isinstance(s, Slice)):
            sys.stderr.write(f"  {method}: {missed.reason}: {missed.detail[:150]}\n")
    return outcomes


async def _notebook(executed: ExecutedNotebook, pool: LocalPool, store: Path, most: int) -> tuple[int, list[Outcome]]:
    preload = preload_list([cell.source for cell in executed.linked.notebook.code_cells])
    tables = table_paths(executed.linked.tables, store)

    @asynccontextmanager
    async def judges(hash_seed: int) -> AsyncIterator[Judge]:
        async with pool.kernel(KernelSettings(tables, hash_seed, Limits())) as kernel:
            checkpoints = 0 if hash_seed == _UNSEEN[0] else CHECKPOINTS
            yield Judge(kernel, timeout_s=_TIMEOUT_S, seed=604_171, preload=preload, checkpoints=checkpoints)

    outputs, _ = outputs_to_slice(executed, most)
    wanted = [Wanted(o.before, o.expression, load(o.shown.value_json)) for o in outputs]
    left = await _reproducible(wanted, judges)
    return len(wanted), await _compared(left, judges)


async def measure(corpus: Path, notebooks: int, outputs: int) -> tuple[list[str], int, list[Outcome]]:
    """Names of the notebooks, outputs looked at, and every outcome."""
    names: list[str] = []
    looked_at, outcomes = 0, list[Outcome]()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        with closing(LinkStage([corpus], store)) as linker:
            async with LocalPool(1) as pool:
                executing = ExecuteStage(pool, store, Limits(), ExecutionLimits(), RepairConfig())
                for notebook in read([corpus]):
                    if len(names) == notebooks:
                        break
                    linked = [] if isinstance(notebook, Reject) else await linker.run([notebook])
                    executed = [e for one in linked if not isinstance(one, Reject) for e in await executing.run([one])]
                    for record in executed:
                        if isinstance(record, Reject):
                            continue
                        count, found = await _notebook(record, pool, store, outputs)
                        if found:
                            names.append(record.linked.notebook.provenance.path)
                            looked_at += count
                            outcomes += found
                            sys.stderr.write(f"{names[-1]}: {count} outputs\n")
    return names, looked_at, outcomes


def _rows(outcomes: Sequence[Outcome]) -> list[list[str]]:
    rows = []
    methods = list(dict.fromkeys(outcome.method for outcome in outcomes))
    total = sum(outcome.method == methods[0] for outcome in outcomes)
    for method in methods:
        mine = [outcome for outcome in outcomes if outcome.method == method]
        searched = any(outcome.is_minimal for outcome in mine)
        rows.append(
            [
                method,
                f"{len(mine)} of {total}",
                str(sum(not outcome.is_right for outcome in mine)),
                f"{statistics.mean(outcome.cells for outcome in mine):.1f}",
                f"{statistics.mean(outcome.statements for outcome in mine):.1f}" if method != "by whole cell" else "",
                f"{sum(outcome.is_minimal for outcome in mine)}" if searched else "",
                f"{statistics.mean(outcome.trials for outcome in mine):.1f}",
                f"{statistics.mean(o.cpu_s for o in mine):.2f} s ({statistics.median(o.cpu_s for o in mine):.2f} s)",
            ]
        )
    return rows


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--notebooks", type=int, default=15, help="the first so many that give outputs")
    parser.add_argument("--outputs", type=int, default=20, help="outputs of each")
    parser.add_argument("--quick", action="store_true", help="writes nothing")
    arguments = parser.parse_args()
    names, looked_at, outcomes = await measure(arguments.corpus, arguments.notebooks, arguments.outputs)
    headings = ["method", "accepted", "of these wrong", "cells", "statements", "shown minimal", "programs tried"]
    possible = sum(outcome.method == outcomes[0].method for outcome in outcomes)
    body = (
        f"{looked_at} outputs of {len(names)} notebooks; {possible} that can be had again are the denominator. "
        "Processor time of all programs of an output: mean (median).\n\n"
        + table([*headings, "processor time an output"], _rows(outcomes))
    )
    sys.stdout.write(body + "\n")
    if not arguments.quick:
        write_section("Slices", "make bench-slices CORPUS=…", body)


if __name__ == "__main__":
    asyncio.run(main())
