"""Brings tasks of another era to the modern one: the oracle as it is where it answers the same, else repaired.

A port is a guess until the gates have seen it: they come after this, in the environment that a task ends in.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from cellwright.core.errors import DatasetError
from cellwright.core.types import MODERN, Cell, Notebook, Proof, Task
from cellwright.proof.difficulty import level
from cellwright.proof.execution import ExecutionLimits
from cellwright.proof.gates import reason_of, reexecution, result
from cellwright.proof.hints import ladder
from cellwright.proof.judge import Judge, Run
from cellwright.proof.oracles import program_of
from cellwright.proof.repair import Kernels, Repair, mend

GATE = "era"
_SEED = 31
_ERROR_CHARS = 200
OpenJudge = Callable[[], AbstractAsyncContextManager[Judge]]
"""A judge that watches, in a fresh modern kernel with the tables of all tasks."""


@dataclass(frozen=True)
class Mending:
    """How an oracle is mended that does not answer as it is."""

    kernels: Kernels
    """Fresh kernels of the modern environment, with the tables."""
    limits: ExecutionLimits


@dataclass(frozen=True)
class Ported:
    """What became of a task."""

    task: Task
    """Of the modern era, or as it was; with a gate that tells what was seen."""
    reason: str
    """Why it could not become modern, in short, countable words; empty where it did."""


@dataclass(frozen=True)
class _Candidate:
    """A task with a repaired oracle that nobody has run from its first line."""

    task: Task
    repairs: tuple[Repair, ...]


async def port(tasks: Sequence[Task], judges: OpenJudge, mending: Mending | None) -> list[Ported]:
    """What became of each task, in order. Without `mending`, oracles are taken as they are.

    One kernel at a time is open. Raises KernelDied, and DatasetError for a broken oracle.
    """
    async with judges() as judge:
        runs = await judge.run([program_of(task) for task in tasks])
    ported: list[Ported] = []
    for task, run in zip(tasks, runs, strict=True):
        reason = _difference(task, run)
        ported.append(_stays(task, run, reason) if reason else _modern(task, run))
    differing = [number for number, found in enumerate(ported) if found.reason]
    if mending is None or not differing:
        return ported
    mended = [(number, found) for number in differing if (found := await _mended(tasks[number], mending)) is not None]
    if mended:
        async with judges() as judge:
            runs = await judge.run([program_of(candidate.task) for _, candidate in mended])
        for (number, candidate), run in zip(mended, runs, strict=True):
            if not _difference(candidate.task, run):
                ported[number] = _modern(candidate.task, run, candidate.repairs)
    return ported


def _difference(task: Task, run: Run) -> str:
    """Why a run does not answer a task; empty where it does."""
    return reason_of(reexecution(task, [run], [_SEED]))


async def _mended(task: Task, mending: Mending) -> _Candidate | None:
    """The task with its oracle repaired; None where nothing can be repaired, or not without a loss."""
    if task.oracle is None:
        return None
    cells = tuple(Cell("code", source) for source in task.oracle.cells)
    found = await mend(Notebook(task.id, task.provenance, cells), mending.kernels, mending.limits)
    if found.losses or not found.repairs:
        return None
    repaired = replace(task, oracle=replace(task.oracle, cells=tuple(cell.source for cell in found.notebook.cells)))
    try:
        program_of(repaired)
    except DatasetError:  # its last line is no expression any more
        return None
    return _Candidate(repaired, found.repairs)


def _modern(task: Task, run: Run, repairs: Sequence[Repair] = ()) -> Ported:
    """The task as one of the modern era: what was told of its program is told of the one that it has now."""
    assert task.oracle is not None
    changes = [f"{repair.rule}: {repair.before} → {repair.after}" for repair in repairs]
    seen = result(GATE, "", **{"the notebook ran in": task.era, "the same answer in": MODERN, "repairs": changes})
    modern = replace(
        task,
        era=MODERN,
        operations=run.operations,
        level=level(run.operations, len(task.tables)),
        hints=ladder(task.question, task.answer_json, task.oracle, run),
        proof=Proof((*task.proof.gates, seen)),
    )
    return Ported(modern, "")


def _stays(task: Task, run: Run, reason: str) -> Ported:
    error = f"{run.error}: {run.text}"[:_ERROR_CHARS] if run.value is None else ""
    told = f"{reason} ({error})" if error else reason
    seen = result(GATE, "", **{"the notebook ran in": task.era, f"in {MODERN}": told})
    return Ported(replace(task, proof=Proof((*task.proof.gates, seen))), reason)
