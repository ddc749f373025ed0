"""A task's oracle and its premises as programs to run, and the answer that it gives."""

import ast
from collections.abc import Sequence
from dataclasses import replace

from cellwright.answers import from_json, round_value, to_json
from cellwright.core.errors import DatasetError
from cellwright.core.types import Contract, Task
from cellwright.proof.judge import Program, Run
from cellwright.proof.values import Snapshot, python_value


def program_of(task: Task) -> Program:
    """The oracle's cells as units, its last expression as what is wanted. Raises DatasetError for a broken oracle."""
    if task.oracle is None or not task.oracle.cells:
        raise DatasetError(f"task {task.id} has no oracle")
    program = as_program(task.oracle.cells)
    if program is None:
        raise DatasetError(f"the oracle of task {task.id} does not end in an expression")
    return program


def as_program(cells: Sequence[str]) -> Program | None:
    """Cells as units, the last expression of the last one as what is wanted; None where it does not end in one."""
    *units, last = cells
    body = ast.parse(last).body
    if not body or not isinstance(body[-1], ast.Expr):
        return None
    lead = [ast.unparse(statement) for statement in body[:-1]]
    return Program((*units, *lead), ast.unparse(body[-1].value))


def premises_of(task: Task) -> list[Program]:
    """What must hold of a task's tables, as programs that are then true (`holds`)."""
    return [Program(premise.setup, premise.expression) for premise in task.oracle.premises] if task.oracle else []


def holds(run: Run) -> bool:
    """Whether a premise's program came out true."""
    return run.value == {"t": "bool", "v": True}


def answer_json(value: Snapshot, contract: Contract) -> str:
    """What a program gave, as a task's answer. Raises AnswerError or ValueError for what is none under the contract."""
    answer = to_json(round_value(_fitted(python_value(value), contract), contract))
    from_json(answer, contract)
    return answer


def _fitted(value: object, contract: Contract) -> object:
    """Whole numbers where the contract wants them: 1999.0, which a missing value made of 1999, is 1999."""
    if isinstance(value, dict):
        key, item = (replace(contract, kind=kind or "text") for kind in (contract.key, contract.item))
        return {_fitted(label, key): _fitted(number, item) for label, number in value.items()}
    if isinstance(value, tuple):
        return tuple(_fitted(item, replace(contract, kind=contract.item or "text")) for item in value)
    return int(value) if contract.kind == "integer" and isinstance(value, float) and value.is_integer() else value
