"""Brings tasks of another era to the modern one: the oracle as it is where it answers the same, else repaired.

A port is a guess until the gates have seen it: they come after this, in the environment that a task ends in.
"""

from collections.abc import Sequence
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


async def port(tasks: Sequence[Task], judge: Judge, mending: Mending | None) -> list[Ported]:
    """What became of each task, in order. Without `mending`, oracles are taken as they are.

    `judge` watches, in a modern kernel with the tables of all. Raises KernelDied, and DatasetError for a broken oracle.
    """
    runs = await judge.run([program_of(task) for task in tasks])
    ported: list[Ported] = []
    for task, run in zip(tasks, runs, strict=True):
        reason = _difference(task, run)
        if not reason:
            ported.append(_modern(task, run))
            continue
        mended = await _mended(task, judge, mending) if mending is not None else None
        ported.append(mended or _stays(task, run, reason))
    return ported


def _difference(task: Task, run: Run) -> str:
    """Why a run does not answer a task; empty where it does."""
    return reason_of(reexecution(task, [run], [_SEED]))


async def _mended(task: Task, judge: Judge, mending: Mending) -> Ported | None:
    """The task with a repaired oracle that gives its answer; None where there is none."""
    if task.oracle is None:
        return None
    cells = tuple(Cell("code", source) for source in task.oracle.cells)
    found = await mend(Notebook(task.id, task.provenance, cells), mending.kernels, mending.limits)
    if found.losses or not found.repairs:
        return None
    repaired = replace(task, oracle=replace(task.oracle, cells=tuple(cell.source for cell in found.notebook.cells)))
    try:
        (run,) = await judge.run([program_of(repaired)])
    except DatasetError:  # its last line is no expression any more
        return None
    return _modern(repaired, run, found.repairs) if not _difference(repaired, run) else None


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
