"""Plants defects in good tasks, runs all gates over them, and counts what was caught by which."""

import asyncio
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.defects.plant import PLANTERS, Ground, Planted, plant
from cellwright.answers import AnswerError
from cellwright.core.types import Task
from cellwright.kernels import KernelSettings, Limits, LocalPool, Pool
from cellwright.kernels.isolation import Rung
from cellwright.pipeline.config import ProveConfig
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.prove import Prover
from cellwright.proof.gates import reason_of
from cellwright.proof.judge import Judge, Run
from cellwright.proof.oracles import answer_json, program_of

_TRIES = 40
_SPARE = 1.4
"""So many are planted for one that is wanted: some turn out to be right all the same."""
_SEED = 20261
GOOD = "good tasks"


@dataclass(frozen=True)
class Case:
    """One task that went through the gates."""

    defect: str
    """`GOOD` for one without."""
    question: str
    gate: str
    """The gate that it did not pass; empty for none."""
    reason: str


async def measure(
    good: Sequence[Task], tables: Path, store: Path, each: int, config: ProveConfig, rung: Rung | None = None
) -> list[Case]:
    """The good tasks themselves, and `each` planted ones of every defect. `store`: a folder for their tables."""
    planted = _planted(good, tables, store, each)
    async with LocalPool(2, rung=rung) as pool:
        found = await _recomputed(planted, store, pool)
        ready = [one for defect in PLANTERS for one in [f for f in found if f.defect == defect][:each]]
        cases = [(GOOD, task) for task in good] + [(one.defect, one.task) for one in ready]
        return await _judged(cases, Prover(pool, store, Limits(), config))


def _planted(good: Sequence[Task], tables: Path, store: Path, each: int) -> list[Planted]:
    store.mkdir(parents=True, exist_ok=True)
    for table in {table.stored_name for task in good for table in task.tables}:
        shutil.copyfile(tables / table, store / table)
    return [found for defect in PLANTERS for found in planted_of(defect, good, store, round(_SPARE * each))]


def planted_of(defect: str, good: Sequence[Task], store: Path, each: int) -> list[Planted]:
    """So many different tasks with a defect, or as many as can be had."""
    rng = random.Random(f"{_SEED} {defect}")
    found: dict[str, Planted] = {}
    for _ in range(_TRIES * each):
        if len(found) == each:
            break
        made = plant(defect, Ground(rng.choice(good), good, store, rng))
        if made is not None:
            found.setdefault(made.task.question + made.task.answer_json + str(made.task.oracle), made)
    return list(found.values())


async def _recomputed(planted: Sequence[Planted], store: Path, pool: Pool) -> list[Planted]:
    """Those that have their defect, with the answer that they shall have.

    One whose program fails is none, nor is one whose answer is right all the same.
    """

    async def one(found: Planted) -> Planted | None:
        if found.recomputes:
            answer = await _answer(found.task, store, pool)
            if answer is None:
                return None
            found = replace(found, task=replace(found.task, answer_json=answer))
        if found.control is not None and await _answer(found.control, store, pool) == found.task.answer_json:
            return None
        return found

    return [found for found in await asyncio.gather(*map(one, planted)) if found is not None]


async def _answer(task: Task, store: Path, pool: Pool) -> str | None:
    """What the task's program gives; None where that is no answer."""
    run = await _run(task, store, pool)
    try:
        return answer_json(run.value or {}, task.contract)
    except (AnswerError, ValueError, KeyError):
        return None


async def _run(task: Task, store: Path, pool: Pool) -> Run:
    async with pool.kernel(KernelSettings(table_paths(task.tables, store), 0, Limits())) as kernel:
        (run,) = await Judge(kernel, timeout_s=60, seed=1).run([program_of(task)])
    return run


async def _judged(cases: Sequence[tuple[str, Task]], prover: Prover) -> list[Case]:
    """Tasks over the same tables share their kernels."""
    groups: dict[tuple[str, ...], list[tuple[str, Task]]] = {}
    for defect, task in cases:
        groups.setdefault(tuple(sorted(table.sha256 + table.name for table in task.tables)), []).append((defect, task))

    async def one(group: Sequence[tuple[str, Task]]) -> list[Case]:
        judged = await prover.prove([task for _, task in group])
        told = [(j.failed.gate, reason_of(j.failed)) if j.failed is not None else ("", "") for j in judged]
        return [Case(defect, task.question, *seen) for (defect, task), seen in zip(group, told, strict=True)]

    return [case for found in await asyncio.gather(*map(one, groups.values())) for case in found]


def as_json(cases: Sequence[Case]) -> str:
    """One line for each case that went wrong: a defect that was not caught, a good task that was lost."""
    wrong = [case for case in cases if (case.defect == GOOD) == bool(case.gate)]
    return "\n".join(json.dumps(vars(case), ensure_ascii=False) for case in wrong)
