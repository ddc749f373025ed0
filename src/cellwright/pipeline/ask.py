"""Stage 6: questions from templates, each with its contract and the answer that its program gives."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cellwright.answers import AnswerError, infer, round_value, state, to_json
from cellwright.core.hashing import short_id
from cellwright.core.types import Contract, Oracle, Premise, Reject, Task
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.pipeline.config import AskConfig
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.slice import SlicedOutput
from cellwright.proof.difficulty import level
from cellwright.proof.hints import ladder
from cellwright.proof.judge import CHECKPOINTS, Judge, Program, Run, preload_list
from cellwright.proof.questions import (
    IMPORTS,
    PERCENTAGE,
    PREPARES,
    Check,
    Look,
    Proposal,
    Seen,
    Told,
    Unreadable,
    Unseen,
    narrate,
    propose,
    read_slice,
)
from cellwright.proof.slicing import NoSlice, Wanted, find_slice
from cellwright.proof.units import parse_cell
from cellwright.proof.values import Snapshot, load, plain, python_value

NAME = "ask"
_SEED = 7
_LONGEST_ANSWER = 400
_SPARE = 2
_MOST_LOOKS = 8
_CHANGES_COLUMNS = re.compile(
    r"\w+(\[['\"][^\]]*\]|\.\w+) *=[^=]|.*\.(insert|drop|rename|sort_values|set_index)\(", re.DOTALL
)
_LABEL_FAMILIES = {"extreme", "distinct"}
_TRIVIAL_FAMILIES = {"look-up"}


@dataclass(frozen=True)
class Asked:
    """A proposal with the output that it is about."""

    output: SlicedOutput
    proposal: Proposal
    comments: tuple[str, ...]
    guards: tuple[Check, ...] = ()
    """What was seen to hold before anything was asked."""

    @property
    def units(self) -> tuple[str, ...]:
        return _sources(self.output)


class AskStage:
    """Asks about the outputs of one notebook and lets a kernel answer."""

    def __init__(self, pool: Pool, store: Path, limits: Limits, config: AskConfig, timeout_s: float) -> None:
        self._pool, self._store, self._limits, self._config, self._timeout_s = pool, store, limits, config, timeout_s

    async def run(self, group: Sequence[SlicedOutput]) -> Sequence[Task | Reject]:
        """The tasks of one notebook; an output that gives none is rejected, with its first reason."""
        tables = {table.name: table for output in group for table in output.tables}
        paths = table_paths(list(tables.values()), self._store)
        settings = KernelSettings(paths, 0, self._limits, era=group[0].era)
        async with self._pool.kernel(settings) as kernel:
            preload = preload_list([statement.source for output in group for statement in output.statements])
            judge = Judge(
                kernel,
                timeout_s=self._timeout_s,
                seed=_SEED,
                preload=preload,
                checkpoints=CHECKPOINTS,
                watch=True,
            )
            seen = await _looked([(_sources(output), output.expression) for output in group], judge)
            candidates, outcome = self._candidates(group, seen)
            found = await answered(candidates, judge)
            kept, rejects = self._chosen(found)
            outcome += rejects
            for asked, run in kept:
                outcome.append(task_of(*await _reduced(asked, run, judge)))
        return outcome

    def _candidates(self, group: Sequence[SlicedOutput], seen_names: Seen) -> tuple[list[Asked], list[Task | Reject]]:
        """What could be asked about each output: some more than is wanted, as some turn out to have no one answer."""
        outcome: list[Task | Reject] = []
        candidates: list[Asked] = []
        seen: set[str] = set()
        for output in group:
            try:
                asked = _ask(output, self._config.questions_per_output + _SPARE, seen_names)
            except Unreadable as unreadable:
                outcome.append(_unasked(output, unreadable.reason))
                continue
            fresh = [a for a in asked if a.proposal.question not in seen]
            seen.update(a.proposal.question for a in fresh[: self._config.questions_per_output])
            if not fresh:
                outcome.append(_unasked(output, "asked before in this notebook"))
            candidates += fresh
        return candidates, outcome

    def _chosen(
        self, answered: Sequence[tuple[Asked, Run, Task | Reject]]
    ) -> tuple[list[tuple[Asked, Run]], list[Reject]]:
        """The questions to keep, outputs taking turns, and a reject for each output that gives none."""
        good: dict[str, list[tuple[Asked, Run]]] = {}
        reasons: dict[str, Reject] = {}
        seen: set[str] = set()
        for asked, run, task in answered:
            mine = good.setdefault(asked.output.id, [])
            if isinstance(task, Reject):
                reasons.setdefault(asked.output.id, task)
            elif asked.proposal.question not in seen and len(mine) < self._config.questions_per_output:
                seen.add(asked.proposal.question)
                mine.append((asked, run))
        rejects = [reasons[output] for output, mine in good.items() if not mine and output in reasons]
        turns = [mine[n] for n in range(self._config.questions_per_output) for mine in good.values() if n < len(mine)]
        kept = turns[: self._config.questions_per_notebook]
        rejects += [_reject(asked, "more questions than one notebook may give") for asked, _ in turns[len(kept) :]]
        return kept, rejects


def _sources(output: SlicedOutput) -> tuple[str, ...]:
    return tuple(statement.source for statement in output.statements)


async def _looked(programs: Sequence[tuple[Sequence[str], str]], judge: Judge) -> Seen:
    """The column names that programs pick by their place or kind: each is run up to there, until all can be read."""
    seen: dict[Look, tuple[str, ...] | None] = {}
    for _ in range(_MOST_LOOKS):
        wanted = list(dict.fromkeys(look for program in programs if (look := _unseen(program, seen)) is not None))
        if not wanted:
            break
        runs = await judge.run([Program(look.setup, look.expression) for look in wanted])
        seen.update({look: _names(run) for look, run in zip(wanted, runs, strict=True)})
    return seen


def _unseen(program: tuple[Sequence[str], str], seen: Seen) -> Look | None:
    try:
        read_slice(*program, seen)
    except Unseen as unseen:
        return unseen.look
    except Unreadable:
        pass
    return None


def _names(run: Run) -> tuple[str, ...] | None:
    try:
        value = python_value(run.value) if run.value is not None else None
    except ValueError:
        return None
    if not isinstance(value, (list, tuple)):
        return None
    return tuple(value) if all(isinstance(name, str) for name in value) else None


def _ask(output: SlicedOutput, most: int, seen: Seen) -> list[Asked]:
    units = _sources(output)
    reading = read_slice(units, output.expression, seen)
    proposals = propose(reading, plain(load(output.value_json)), output.expression, most)
    comments = tuple(narrate(units, seen))
    return [Asked(output, replace(proposal, decimals=_decimals(proposal, output)), comments) for proposal in proposals]


Answered = tuple[Asked, Run, Task | Reject]
"""A candidate, the run of its program, and the task that it makes or why it makes none."""


async def answered(candidates: Sequence[Asked], judge: Judge) -> list[Answered]:
    """Each candidate with the run of its program, and the task that it makes or why it makes none."""
    programs = [Program(a.units, a.proposal.expression) for a in candidates]
    checks = [(n, program) for n, a in enumerate(candidates) for program in _checks(a)]
    distinct = list(dict.fromkeys(program for _, program in checks))
    runs = await judge.run([*programs, *distinct])
    holds = {
        program: run.value == {"t": "bool", "v": True}
        for program, run in zip(distinct, runs[len(candidates) :], strict=True)
    }
    ambiguous = {n for n, program in checks if not holds[program]}
    return [
        (a, run, task_of(a, run) if n not in ambiguous else _reject(a, "more than one right answer"))
        for n, (a, run) in enumerate(zip(candidates, runs, strict=False))
    ]


def _checks(asked: Asked) -> list[Program]:
    """The programs that must give True, or the question has more than one right answer."""
    proposal = asked.proposal
    programs = [Program(check.setup, check.expression) for check in proposal.checks]
    if proposal.unique_check is not None:
        programs.append(Program(asked.units, proposal.unique_check))
    return programs


async def _reduced(asked: Asked, run: Run, judge: Judge) -> tuple[Asked, Run]:
    """Without statements that the output needed and this question about it does not, such as a new column.

    With the run of what is left: what it did to tables is less. Where what is left says less than the question, the
    question says no more than that; where it cannot be told so, all statements stay.
    """
    statements = asked.output.statements
    cells = [parse_cell(statement.cell, statement.source) for statement in statements]
    parsed = [unit for cell in cells if cell is not None for unit in cell.units]
    units = [replace(unit, statement=number) for number, unit in enumerate(parsed)]
    changed = any(_CHANGES_COLUMNS.match(statement.source) for statement in statements)
    if run.value is None or run.exact is None or not changed or len(units) != len(statements):
        return asked, run
    found = await find_slice(Wanted(tuple(units), asked.proposal.expression, run.exact), judge)
    if isinstance(found, NoSlice) or len(found.units) == len(units):
        return asked, run
    kept = tuple(replace(statements[unit.statement], source=unit.source) for unit in found.units)
    less = replace(asked, output=replace(asked.output, statements=kept))
    again = await _told_again(asked, less, run.value, judge)
    if again is None:
        return asked, run
    told, comments = again
    less = replace(less, proposal=replace(asked.proposal, told=told), comments=comments)
    (anew,) = await judge.run([Program(less.units, less.proposal.expression)])
    return less, anew


async def _told_again(asked: Asked, less: Asked, value: Snapshot, judge: Judge) -> tuple[Told, tuple[str, ...]] | None:
    """The question with the steps of a shorter program, and what each of its statements does; None where the two
    programs cannot be set beside each other."""
    expression = asked.proposal.expression
    seen = await _looked([(asked.units, expression), (less.units, expression)], judge)
    try:
        whole, short = (
            propose(read_slice(units, expression, seen), value, expression, 1)[0].told
            for units in (asked.units, less.units)
        )
        comments = tuple(narrate(less.units, seen))
    except Unreadable:
        return None
    told = asked.proposal.told
    if (whole.steps, whole.notes, whole.tables) != (told.steps, told.notes, told.tables) or whole.ask != short.ask:
        return None
    return replace(told, steps=short.steps, notes=short.notes, tables=short.tables, rules=short.rules), comments


def _decimals(proposal: Proposal, output: SlicedOutput) -> int | None:
    whole_value = proposal.expression == f"({output.expression})"
    return proposal.decimals if proposal.decimals is not None or not whole_value else output.decimals


def _unasked(output: SlicedOutput, reason: str) -> Reject:
    detail = "; ".join([*(s.source for s in output.statements), output.expression])
    return Reject.of(NAME, output.id, f"no template: {reason}", detail[:1000], output.provenance)


def _reject(asked: Asked, reason: str, detail: str = "") -> Reject:
    return Reject.of(NAME, asked.output.id, reason, detail or asked.proposal.question, asked.output.provenance)


def contract_for(proposal: Proposal, value: object) -> Contract:
    """The contract of an answer: what its value suggests, with what the question already fixes."""
    contract = infer(value)
    if proposal.decimals == 0 and contract.kind == "integer":
        return replace(contract, kind="number", decimals=0)  # rounded to a whole number, which the question must say
    if proposal.decimals is not None and contract.decimals is not None:
        contract = replace(contract, decimals=max(0, min(proposal.decimals, 6)))
    if proposal.any_order and contract.kind == "list":
        contract = replace(contract, ordered=False)
    if contract.kind == "number" and proposal.told.ask.noun.startswith(PERCENTAGE):
        contract = replace(contract, kind="percent")
    return contract


def task_of(asked: Asked, run: Run) -> Task | Reject:
    if run.value is None:
        return _reject(asked, "question's own program fails", f"{asked.proposal.expression}: {run.error}: {run.text}")
    value, problem = _answer(run.value)
    if problem:
        return _reject(asked, problem, asked.proposal.question)
    if asked.proposal.family in _LABEL_FAMILIES:
        value = _whole_labels(value)
    try:
        contract = contract_for(asked.proposal, value)
    except AnswerError as error:
        return _reject(asked, "value cannot be an answer", str(error))
    answer = to_json(round_value(value, contract))
    if len(answer) > _LONGEST_ANSWER:
        return _reject(asked, "answer too long", answer)
    output, proposal = asked.output, asked.proposal
    plainest = state(proposal.question, contract)
    task_id = short_id(output.id, plainest)
    leading, others = proposal.told.led_by(task_id)
    oracle = oracle_of(asked)
    return Task(
        id=task_id,
        question=state(leading, contract),
        phrasings=tuple(state(form, contract) for form in others),
        contract=contract,
        answer_json=answer,
        tables=output.tables,
        level=level(run.operations, len(output.tables)),
        family=proposal.family,
        provenance=output.provenance,
        notebook_id=output.notebook_id,
        cell=output.cell,
        oracle=oracle,
        trivial=proposal.family in _TRIVIAL_FAMILIES,
        operations=run.operations,
        hints=ladder(plainest, answer, oracle, run),
        era=output.era,
    )


def _whole_labels(value: object) -> object:
    """Labels as the table shows them: a year that a missing value turned into 1999.0 is 1999."""
    parts = value if isinstance(value, tuple) else (value,)
    if not all(part.is_integer() for part in parts if isinstance(part, float)):
        return value
    whole = tuple(int(part) if isinstance(part, float) else part for part in parts)
    return whole if isinstance(value, tuple) else whole[0]


def _answer(snapshot: Snapshot) -> tuple[object, str]:
    """The plain value of a snapshot, or why it is no answer."""
    try:
        value = python_value(snapshot)
    except ValueError:
        return None, "answer is no plain value"
    match value:
        case dict():
            parts = [part for pair in value.items() for part in pair]
        case tuple():
            parts = list(value)
        case _:
            parts = [value]
    if not parts:
        return None, "empty answer"
    if any(part is None or part in (float("inf"), float("-inf"), "") for part in parts):
        return None, "answer has a missing value"
    return value, ""


def oracle_of(asked: Asked) -> Oracle:
    """The statements as cells: what comes from one cell of the notebook stays together, the answer stands last.

    Imports go with the cell that they serve.
    """
    cells: list[list[str]] = []
    comments: list[list[str]] = []
    origins: list[int] = []
    for statement, comment in zip(asked.output.statements, asked.comments, strict=True):
        only_imports = bool(comments) and set(comments[-1]) == {IMPORTS}
        if not origins or (origins[-1] != statement.cell and not only_imports):
            cells.append([])
            comments.append([])
            origins.append(statement.cell)
        origins[-1] = statement.cell
        cells[-1].append(statement.source)
        if comment not in comments[-1]:
            comments[-1].append(comment)
    cells.append([asked.proposal.expression])
    comments.append([f"Now the question itself: {_core(asked.proposal)}"])
    origins.append(asked.output.cell)
    guards = [Program(guard.setup, guard.expression) for guard in asked.guards]
    premises = tuple(Premise(p.units, str(p.expression)) for p in dict.fromkeys([*_checks(asked), *guards]))
    return Oracle(tuple("\n".join(c) for c in cells), tuple(map(_telling, comments)), tuple(origins), premises)


def _telling(comments: Sequence[str]) -> str:
    """The comments of a cell as one, without those that say nothing beside the others."""
    said = [comment for comment in comments if comment not in (IMPORTS, PREPARES)]
    return " ".join(said or comments)


def _core(proposal: Proposal) -> str:
    """What is asked, without the table and the steps that lead to it."""
    return proposal.told.ask.question
