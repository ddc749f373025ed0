"""A task's oracle as a program to run."""

import ast

from cellwright.core.errors import DatasetError
from cellwright.core.types import Task
from cellwright.proof.judge import Program


def program_of(task: Task) -> Program:
    """The oracle's cells as units, its last expression as what is wanted. Raises DatasetError for a broken oracle."""
    if task.oracle is None or not task.oracle.cells:
        raise DatasetError(f"task {task.id} has no oracle")
    *cells, last = task.oracle.cells
    body = ast.parse(last).body
    if not body or not isinstance(body[-1], ast.Expr):
        raise DatasetError(f"the oracle of task {task.id} does not end in an expression")
    lead = [ast.unparse(statement) for statement in body[:-1]]
    return Program((*cells, *lead), ast.unparse(body[-1].value))
