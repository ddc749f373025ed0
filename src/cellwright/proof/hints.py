"""The information ladder of a task: columns needed, method in words, program without literals, program.

Each rung tells more than the one below and does not give away the next: no code stands in the first two, no literal in
the third, and the answer in none of them that the question does not hold already.
"""

import ast
import json
import re
from collections.abc import Sequence

from cellwright.core.types import Oracle
from cellwright.proof.difficulty import OPERATIONS
from cellwright.proof.judge import Run

_NO_COLUMN = "No column is needed by its name: the question is about the table as a whole."


def ladder(question: str, answer_json: str, oracle: Oracle, run: Run) -> tuple[str, ...]:
    """The four rungs, least first, from an oracle and a watched run of it."""
    secrets = [text for text in _texts(json.loads(answer_json)) if not _holds(question, text)]
    open_columns = [column for column in run.columns if column not in secrets]
    steps = [comment for comment in oracle.comments[:-1] if not any(_holds(comment, text) for text in secrets)]
    return (
        _columns(open_columns),
        _method(steps, run.operations),
        "\n\n".join(masked(cell) for cell in oracle.cells),
        "\n\n".join(oracle.cells),
    )


def _texts(value: object) -> list[str]:
    """The texts of an answer; numbers are left out: "3" stands in many a sentence by chance."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []


def _holds(sentence: str, text: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", sentence, re.IGNORECASE))


def _columns(columns: Sequence[str]) -> str:
    if not columns:
        return _NO_COLUMN
    return f"Columns needed: {', '.join(f'`{column}`' for column in columns)}."


def _method(steps: Sequence[str], operations: Sequence[str]) -> str:
    """The steps that lead to the question, then all that is done, in order."""
    numbered = [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    done = dict.fromkeys(OPERATIONS[name].words for name in operations if name in OPERATIONS)
    lines = [*numbered, f"In all, in order: {'; '.join(done)}."] if done else numbered
    return "\n".join(lines)


def masked(source: str) -> str:
    """A program with `...` in the place of every literal. Comments go too: they may tell one."""
    module = ast.parse(source)
    return ast.unparse(ast.fix_missing_locations(_Mask().visit(module)))


class _Mask(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(...)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        return ast.Constant(...)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """`-1` is one literal to a reader."""
        self.generic_visit(node)
        return node.operand if isinstance(node.operand, ast.Constant) else node

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.pattern:
        return ast.MatchAs()

    def visit_MatchSingleton(self, node: ast.MatchSingleton) -> ast.pattern:
        return ast.MatchAs()
