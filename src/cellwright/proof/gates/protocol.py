"""What a gate is: it asks for runs of a task's program under other conditions, and says what it saw.

A gate runs nothing itself. `trials` names the runs that it wants, of any number of programs; whoever has a kernel runs
those of many tasks at once; `verdict` reads what came of them.
"""

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from cellwright.answers import compare, from_json
from cellwright.core.types import GateResult, Task
from cellwright.proof.gates.reading import Reading, called, read_oracle
from cellwright.proof.judge import Circumstances, Program, Run
from cellwright.proof.oracles import program_of
from cellwright.proof.tables import Change, Survey, Variant
from cellwright.proof.values import Snapshot, python_value

Outcome = Literal["same", "moved", "fails"]
_SHOWN_CHARS = 200


class Trial(NamedTuple):
    """One run that a gate wants."""

    label: str
    """What is other than in the task, for the evidence."""
    program: Program
    variant: Variant | None = None
    """The changed tables that the program reads."""
    circumstances: Circumstances | None = None
    """Seed and day of the run; None for those of the kernel's judge."""


class Tried(NamedTuple):
    """A trial and what came of it."""

    trial: Trial
    run: Run


@dataclass(frozen=True)
class Subject:
    """A task as gates see it."""

    task: Task
    program: Program
    reading: Reading
    survey: Survey = field(default_factory=Survey)
    """What its tables hold; empty for gates that run before the tables were looked at."""
    base: tuple[Change, ...] = ()
    """What is done to large tables before any other change: only some of their rows stay."""
    base_value: Snapshot | None = None
    """The answer on those; None where the tables are taken whole."""
    unmade: Mapping[str, str] = field(default_factory=dict)
    """Names of variants that could not be made, and why."""

    def changed(self, label: str, *changes: Change) -> Trial:
        """The program on changed tables."""
        variant = Variant((*self.base, *changes))
        return Trial(label, Program(self.program.units, self.program.expression, variant.name), variant)

    def outcome(self, run: Run, *, on_changed_tables: bool = False) -> Outcome:
        """Whether a run gave the answer, under the task's contract."""
        if run.value is None:
            return "fails"
        contract = self.task.contract
        try:
            found = python_value(run.value)
            if on_changed_tables and self.base_value is not None:
                expected: object = python_value(self.base_value)
            else:
                expected = from_json(self.task.answer_json, contract)
            return "same" if compare(expected, found, contract).verdict == "correct" else "moved"
        except ValueError:
            return "moved"

    @property
    def tables(self) -> list[str]:
        """The names of its tables that can be changed."""
        return self.survey.changeable([table.name for table in self.task.tables])


class Gate(Protocol):
    """One question about a task that must be answered well before it may enter the data."""

    name: str

    def trials(self, subject: Subject) -> Sequence[Trial]:
        """The runs that it needs; none for a gate that reads the task alone."""
        ...

    def verdict(self, subject: Subject, tried: Sequence[Tried]) -> GateResult:
        """What it makes of them. The evidence of a result that is not passed has a "reason": short, countable words."""
        ...


def subject_of(task: Task) -> Subject:
    """A task with its program and what the program's text tells. Raises DatasetError for a broken oracle."""
    program = program_of(task)
    return Subject(task, program, read_oracle(program))


def result(gate: str, reason: str, **seen: object) -> GateResult:
    """The result of a gate: passed when there is no reason against it."""
    told = {**({"reason": reason} if reason else {}), **seen}
    return GateResult(gate, not reason, json.dumps(told, ensure_ascii=False, default=str))


def reason_of(gate: GateResult) -> str:
    """The countable reason of a result that is not passed."""
    told = json.loads(gate.evidence_json)
    return str(told.get("reason", "")) if isinstance(told, dict) else ""


def shown(run: Run) -> str:
    """What a run gave, for the evidence."""
    if run.value is None:
        return f"{run.error}: {run.text}"[:_SHOWN_CHARS]
    return json.dumps(run.value.get("v", run.value), ensure_ascii=False, default=str)[:_SHOWN_CHARS]


_JOINING = ("merge", "join", "map", "set_index", "isin", "replace")
_BY_SHARED_NAMES = ("merge", "join")


def join_keys(subject: Subject) -> tuple[str, ...]:
    """Columns by which the tables may be joined: named where tables are joined, or of one name where none is named.

    Tables that only stand below or beside each other have columns of one name too, and those are no keys.
    """
    if len(subject.task.tables) < 2:
        return ()
    calls = [n for n in subject.reading.nodes() if isinstance(n, ast.Call) and called(n) in _JOINING]
    named = {
        part.value
        for call in calls
        for part in ast.walk(call)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }
    if not any(called(call) in _BY_SHARED_NAMES and not _names_keys(call) for call in calls):
        return tuple(sorted(named))
    several = [subject.survey.tables[table].names for table in subject.tables]
    shared = {name for n, names in enumerate(several) for other in several[n + 1 :] for name in names & other}
    return tuple(sorted(named | shared))


def _names_keys(call: ast.Call) -> bool:
    return any(keyword.arg in ("on", "left_on", "right_on") for keyword in call.keywords)
