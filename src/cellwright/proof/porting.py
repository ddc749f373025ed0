"""Brings tasks of another era to the modern one: the oracle as it is where it answers the same, else repaired.

What a question takes for granted comes along: each premise must hold in the modern era, as it is or repaired. A port is
a guess until the gates have seen it: they come after this, in the environment that a task ends in.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from cellwright.core.types import MODERN, Cell, Notebook, Premise, Proof, Task
from cellwright.proof.difficulty import level
from cellwright.proof.execution import ExecutionLimits
from cellwright.proof.gates import reason_of, reexecution, result
from cellwright.proof.hints import ladder
from cellwright.proof.judge import Judge, Program, Run
from cellwright.proof.oracles import as_program, holds, premises_of, program_of
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
    """A task, with what was repaired of its oracle and premises."""

    task: Task
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class _Trial:
    """What came of a candidate in the modern environment."""

    candidate: _Candidate
    run: Run
    premises: tuple[Run, ...]

    @property
    def difference(self) -> str:
        """Why the run does not answer the task; empty where it does."""
        return reason_of(reexecution(self.candidate.task, [self.run], [_SEED]))

    @property
    def reason(self) -> str:
        """Why the task cannot be modern as it is here; empty where it can."""
        if self.difference or all(map(holds, self.premises)):
            return self.difference
        is_told = all(run.value is not None for run in self.premises)
        return f"what its question takes for granted {'does not hold' if is_told else 'cannot be checked'}"

    @property
    def failed(self) -> Run | None:
        """The first run that failed."""
        return next((run for run in (self.run, *self.premises) if run.value is None), None)


async def port(tasks: Sequence[Task], judges: OpenJudge, mending: Mending | None) -> list[Ported]:
    """What became of each task, in order. Without `mending`, oracles and premises are taken as they are.

    One kernel at a time is open. Raises KernelDied, and DatasetError for a broken oracle.
    """
    trials = await _tried([_Candidate(task) for task in tasks], judges)
    ported = [_modern(trial) if not trial.reason else _stays(trial.candidate.task, trial) for trial in trials]
    differing = [number for number, trial in enumerate(trials) if trial.reason]
    if mending is None or not differing:
        return ported
    mended = [(number, found) for number in differing if (found := await _mended(trials[number], mending)) is not None]
    again = await _tried([candidate for _, candidate in mended], judges)
    for (number, _), trial in zip(mended, again, strict=True):
        if not trial.reason:
            ported[number] = _modern(trial)
        elif not trial.difference:
            ported[number] = _stays(tasks[number], trial)
    return ported


async def _tried(candidates: Sequence[_Candidate], judges: OpenJudge) -> list[_Trial]:
    if not candidates:
        return []
    programs = [(program_of(candidate.task), *premises_of(candidate.task)) for candidate in candidates]
    async with judges() as judge:
        runs = iter(await judge.run([program for group in programs for program in group]))
    return [
        _Trial(candidate, next(runs), tuple(islice(runs, len(group) - 1)))
        for candidate, group in zip(candidates, programs, strict=True)
    ]


async def _mended(trial: _Trial, mending: Mending) -> _Candidate | None:
    """The task with its oracle repaired, where that does not answer, and its premises; None where nothing can be
    repaired, or the oracle not without a loss.

    A premise is about the same table as the oracle: where that is repaired, it is too, even if it holds as it is.
    """
    oracle = trial.candidate.task.oracle
    if oracle is None:
        return None
    repairs: list[Repair] = []
    if trial.difference:
        found = await _repaired(oracle.cells, trial.candidate.task, mending)
        if found is None:
            return None
        oracle = replace(oracle, cells=found.cells)
        repairs += found.repairs
    premises: list[Premise] = []
    for premise, run in zip(oracle.premises, trial.premises, strict=True):
        cells = (*premise.setup, premise.expression)
        found = None
        if trial.difference or not holds(run):
            found = await _repaired(cells, trial.candidate.task, mending)
        premises.append(premise if found is None else Premise(found.program.units, str(found.program.expression)))
        repairs += found.repairs if found is not None else ()
    changed = replace(trial.candidate.task, oracle=replace(oracle, premises=tuple(premises)))
    return _Candidate(changed, tuple(repairs)) if repairs else None


class _Repaired(NamedTuple):
    cells: tuple[str, ...]
    program: Program
    repairs: tuple[Repair, ...]


async def _repaired(cells: Sequence[str], task: Task, mending: Mending) -> _Repaired | None:
    """Cells that end in an expression, repaired; None where nothing can be repaired, or not without a loss."""
    notebook = Notebook(task.id, task.provenance, tuple(Cell("code", source) for source in cells))
    found = await mend(notebook, mending.kernels, mending.limits)
    if found.losses or not found.repairs:
        return None
    sources = tuple(cell.source for cell in found.notebook.cells)
    program = as_program(sources)
    return _Repaired(sources, program, found.repairs) if program is not None else None


def _modern(trial: _Trial) -> Ported:
    """The task as one of the modern era: what was told of its program is told of the one that it has now."""
    task, run = trial.candidate.task, trial.run
    assert task.oracle is not None
    # A premise often begins as the oracle does: what is repaired alike is told once.
    changes = dict.fromkeys(f"{made.rule}: {made.before} → {made.after}" for made in trial.candidate.repairs)
    seen = result(GATE, "", **{"the notebook ran in": task.era, "the same answer in": MODERN, "repairs": list(changes)})
    modern = replace(
        task,
        era=MODERN,
        operations=run.operations,
        level=level(run.operations, len(task.tables)),
        hints=ladder(task.question, task.answer_json, task.oracle, run),
        proof=Proof((*task.proof.gates, seen)),
    )
    return Ported(modern, "")


def _stays(task: Task, trial: _Trial) -> Ported:
    error = f"{trial.failed.error}: {trial.failed.text}"[:_ERROR_CHARS] if trial.failed is not None else ""
    told = f"{trial.reason} ({error})" if error else trial.reason
    seen = result(GATE, "", **{"the notebook ran in": task.era, f"in {MODERN}": told})
    return Ported(replace(task, proof=Proof((*task.proof.gates, seen))), trial.reason)
