"""Tasks for the tests of gates, and their way through them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cellwright.answers import state
from cellwright.core.hashing import sha256_file
from cellwright.core.types import Contract, Oracle, Provenance, Table, Task
from cellwright.kernels import KernelSettings, Limits, LocalPool
from cellwright.pipeline.config import ProveConfig
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.prove import Prover, seeds
from cellwright.proof.gates import Gate, Judged, reason_of, reexecution, through_gates
from cellwright.proof.judge import Judge
from cellwright.proof.oracles import program_of

_TIMEOUT_S = 20.0


def stored(store: Path, name: str, content: str | bytes) -> Table:
    """A table with this content, put into the store."""
    path = store / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = Table(sha256_file(path), name, path.stat().st_size)
    path.rename(store / table.stored_name)
    return table


def asked_task(name: str, question: str, contract: Contract, program: str, answer: object, *tables: Table) -> Task:
    """A task with this id, whose question has the words of its contract added."""
    oracle = Oracle((program,), ("",), (0,))
    origin = Provenance("tests", "shop.ipynb", "0" * 64)
    told = state(question, contract)
    return Task(name, told, contract, json.dumps(answer), tables, 1, "test", origin, "nb", 0, oracle)


def proved(store: Path, tasks: Sequence[Task]) -> Mapping[str, Judged]:
    """What became of each task, by its id: executed twice and sent through all gates, as a build does."""

    async def job() -> list[Judged]:
        config = ProveConfig(runs=2, program_timeout_s=_TIMEOUT_S)
        async with LocalPool(1, rung="trusted", preload=("pandas",)) as pool:
            return await Prover(pool, store, Limits(), config).prove(tasks)

    return {found.task.id: found for found in asyncio.run(job())}


def judged_by(gates: Sequence[Gate], store: Path, tasks: Sequence[Task]) -> Mapping[str, Judged]:
    """What became of each task, by its id: executed once and sent through these gates, all in one kernel."""

    async def job() -> list[Judged]:
        tables = [table for task in tasks for table in task.tables]
        seed, hash_seed = seeds(1)[0]
        settings = KernelSettings(table_paths(tables, store), hash_seed)
        async with LocalPool(1, rung="trusted", preload=("pandas",)) as pool, pool.kernel(settings) as kernel:
            judge = Judge(kernel, timeout_s=_TIMEOUT_S, seed=seed)
            programs = list(dict.fromkeys(program_of(task) for task in tasks))
            runs = dict(zip(programs, await judge.run(programs), strict=True))
            rest = await through_gates(tasks, judge, gates, most_cells=ProveConfig().most_cells)
        first = [reexecution(task, [runs[program_of(task)]], [seed]) for task in tasks]
        return [Judged(found.task, (once, *found.gates)) for once, found in zip(first, rest, strict=True)]

    return {found.task.id: found for found in asyncio.run(job())}


def stopped(judged: Judged) -> str:
    """The gate that a task did not pass, and why; empty for one that passed all."""
    failed = judged.failed
    return "" if failed is None else f"{failed.gate}: {reason_of(failed)}"
