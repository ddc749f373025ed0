"""Runs gates over tasks that share a kernel: their trials together, a task no further than its first failure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cellwright.core.types import GateResult, Task
from cellwright.proof.gates.protocol import Gate, Subject, Trial, Tried, subject_of
from cellwright.proof.judge import Circumstances, Judge, Program, Run
from cellwright.proof.tables import Change, ReadHint, Survey, Variant

_BATCH = 6
"""Tasks whose changed tables exist at the same time."""


@dataclass(frozen=True)
class Judged:
    """A task and what gates saw of it, up to the first that it did not pass."""

    task: Task
    gates: tuple[GateResult, ...]

    @property
    def failed(self) -> GateResult | None:
        return next((gate for gate in self.gates if not gate.passed), None)


async def through_gates(tasks: Sequence[Task], judge: Judge, gates: Sequence[Gate], *, most_cells: int) -> list[Judged]:
    """Every task through every gate. Of tables of more than `most_cells` cells, a sample of the rows is changed.

    Raises KernelDied when the kernel is lost, and DatasetError for a task without a program.
    """
    subjects = [subject_of(task) for task in tasks]
    hints = _hints(subjects)
    survey = await judge.survey(hints) if hints else Survey()
    subjects = await _sampled([replace(subject, survey=survey) for subject in subjects], judge, hints, most_cells)
    done: list[Judged] = []
    for start in range(0, len(subjects), _BATCH):
        done += await _batch(subjects[start : start + _BATCH], judge, gates, hints)
    return done


def _hints(subjects: Sequence[Subject]) -> dict[str, ReadHint]:
    """How each table is read, by the first program that tells."""
    hints: dict[str, ReadHint] = {}
    for subject in subjects:
        for table in subject.task.tables:
            hint = subject.reading.hint(table.name)
            if not hints.get(table.name, ReadHint()).function:
                hints[table.name] = hint
    return hints


async def _sampled(
    subjects: Sequence[Subject], judge: Judge, hints: Mapping[str, ReadHint], most_cells: int
) -> list[Subject]:
    """The subjects, each with the answer that it gives on samples of its large tables, where it gives one."""
    facts = subjects[0].survey.tables if subjects else {}
    kept = {name: most_cells // max(1, len(table.columns)) for name, table in facts.items()}
    large = {name for name, table in facts.items() if table.rows > kept[name]}
    bases = [
        tuple(Change(table, "drop", keep=kept[table]) for table in subject.tables if table in large)
        for subject in subjects
    ]
    variants = sorted({Variant(base) for base in bases if base}, key=lambda variant: variant.name)
    if not variants:
        return list(subjects)
    await judge.make(variants, hints)
    at = [number for number, base in enumerate(bases) if base]
    programs = [replace(subjects[number].program, variant=Variant(bases[number]).name) for number in at]
    runs = dict(zip(at, await judge.run(programs), strict=True))
    await judge.forget(variants)
    return [
        replace(subject, base=bases[number], base_value=runs[number].value)
        if number in runs and runs[number].value is not None
        else subject
        for number, subject in enumerate(subjects)
    ]


async def _batch(
    subjects: Sequence[Subject], judge: Judge, gates: Sequence[Gate], hints: Mapping[str, ReadHint]
) -> list[Judged]:
    alive = list(range(len(subjects)))
    results: list[list[GateResult]] = [[] for _ in subjects]
    made: dict[str, Variant] = {}
    unmade: dict[str, str] = {}
    for gate in gates:
        trials = {number: list(gate.trials(subjects[number])) for number in alive}
        fresh = {t.variant.name: t.variant for found in trials.values() for t in found if t.variant is not None}
        fresh = {name: variant for name, variant in fresh.items() if name not in made}
        if fresh:
            unmade |= await judge.make(list(fresh.values()), hints)
            made |= fresh
        runs = await _runs([trial for found in trials.values() for trial in found], judge)
        for number, found in trials.items():
            tried = [Tried(trial, runs.pop(0)) for trial in found]
            results[number].append(gate.verdict(replace(subjects[number], unmade=unmade), tried))
        alive = [number for number in alive if results[number][-1].passed]
    if made:
        await judge.forget(list(made.values()))
    return [Judged(subject.task, tuple(seen)) for subject, seen in zip(subjects, results, strict=True)]


async def _runs(trials: Sequence[Trial], judge: Judge) -> list[Run]:
    """What came of each trial; the same program in the same circumstances is run once."""
    wanted: dict[Circumstances | None, dict[Program, None]] = {}
    for trial in trials:
        wanted.setdefault(trial.circumstances, {})[trial.program] = None
    done: dict[tuple[Circumstances | None, Program], Run] = {}
    for circumstances, programs in wanted.items():
        runs = await judge.run(list(programs), circumstances)
        done |= {(circumstances, program): run for program, run in zip(programs, runs, strict=True)}
    return [done[trial.circumstances, trial.program] for trial in trials]
