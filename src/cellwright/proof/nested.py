"""Statements inside statements: what could be left out of a loop, a branch or a definition.

Of a block (`for`, `while`, `if`, `with`, `try`), any statement. Of a function or class, only what is run for its effect
alone, such as a print or a plot, and what binds names that nothing in it reads: the rest is what its author means by
it. The text that stays is the author's own.
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
        for number in reversed(range(len(list(_places(statement, _read_in(statement)))))):
            yield _without(source, statement, number)


def _read_in(statement: ast.AST) -> frozenset[str]:
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return frozenset(node.id for node in names)


def _places(statement: ast.AST, read: frozenset[str], in_definition: bool = False) -> Iterator[_Place]:
    """`read`: the names that anything in the outermost statement reads."""
    in_definition = in_definition or isinstance(statement, _DEFINITIONS)
    for name, value in ast.iter_fields(statement):
        may_be_empty = name == "orelse" or (name == "finalbody" and bool(getattr(statement, "handlers", None)))
        for index, node in enumerate(value if isinstance(value, list) else ()):
            if isinstance(node, ast.stmt):
                would_be_empty = len(value) == 1 and not may_be_empty
                is_idle = in_definition and not isinstance(statement, ast.ClassDef) and _is_idle(node, read)
                may_go = not would_be_empty or _is_branch_of_several(statement, node)
                if _is_effect(node) or (may_go and (is_idle or not in_definition)):
                    yield _Place(value, index, would_be_empty)
                yield from _places(node, read, in_definition)
            elif isinstance(node, (ast.ExceptHandler, ast.match_case)):
                yield from _places(node, read, in_definition)


def _is_branch_of_several(statement: ast.AST, node: ast.stmt) -> bool:
    """Whether what is left of a statement without its branch that is `node` alone still tells something: the others."""
    has_others = isinstance(statement, ast.match_case) or (isinstance(statement, ast.If) and bool(statement.orelse))
    return has_others and not isinstance(node, ast.Pass)


def _is_effect(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await))


def _is_idle(node: ast.stmt, read: frozenset[str]) -> bool:
    """Whether it binds names, and none that is read."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    names = [name for target in targets for name in ast.walk(target) if isinstance(name, ast.expr)]
    ids = {name.id for name in names if isinstance(name, ast.Name)}
    is_plain = all(isinstance(name, (ast.Name, ast.Tuple, ast.List)) for name in names)
    return bool(ids) and is_plain and not ids & read


def _without(source: str, statement: ast.stmt, number: int) -> str:
    reduced = copy.deepcopy(statement)
    place = list(_places(reduced, _read_in(reduced)))[number]
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
