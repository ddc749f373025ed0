"""Statements inside statements: what could be left out of a loop, a branch or a definition.

Of a block (`for`, `while`, `if`, `with`, `try`), any statement. Of a function or class, only what is run for its effect
alone, such as a print or a plot: the rest is what its author means by it. The text that stays is the author's own.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCKS = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class _Place:
    """Where a statement stands that might go."""

    body: list[ast.stmt]
    index: int
    leaves_pass: bool
    """Whether the body cannot be empty, and would be."""


def without_one(source: str) -> Iterator[str]:
    """The statement `source` without one of the statements inside it, the last first; empty when none could go."""
    (statement,) = ast.parse(source).body
    if isinstance(statement, (*_BLOCKS, *_DEFINITIONS)):
        for number in reversed(range(len(list(_places(statement, False))))):
            yield _without(source, statement, number)


def _places(statement: ast.AST, in_definition: bool) -> Iterator[_Place]:
    in_definition = in_definition or isinstance(statement, _DEFINITIONS)
    for name, value in ast.iter_fields(statement):
        may_be_empty = name == "orelse" or (name == "finalbody" and bool(getattr(statement, "handlers", None)))
        for index, node in enumerate(value if isinstance(value, list) else ()):
            if isinstance(node, ast.stmt):
                would_be_empty = len(value) == 1 and not may_be_empty
                if _is_effect(node) or not (in_definition or would_be_empty):
                    yield _Place(value, index, would_be_empty)
                yield from _places(node, in_definition)
            elif isinstance(node, (ast.ExceptHandler, ast.match_case)):
                yield from _places(node, in_definition)


def _is_effect(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await))


def _without(source: str, statement: ast.stmt, number: int) -> str:
    reduced = copy.deepcopy(statement)
    place = list(_places(reduced, False))[number]
    gone = place.body[place.index]
    place.body[place.index : place.index + 1] = [ast.Pass()] if place.leaves_pass else []
    first = min([gone.lineno, *(decorator.lineno for decorator in getattr(gone, "decorator_list", ()))])
    lines = source.splitlines()
    instead = [" " * gone.col_offset + "pass"] if place.leaves_pass else []
    text = "\n".join([*lines[: first - 1], *instead, *lines[gone.end_lineno or first :]])
    wanted = ast.Module([reduced], [])
    try:
        is_whole = ast.dump(ast.parse(text)) == ast.dump(wanted)
    except SyntaxError:  # it shares a line with others, or an `else:` is left alone
        is_whole = False
    return text if is_whole else ast.unparse(ast.fix_missing_locations(wanted))
