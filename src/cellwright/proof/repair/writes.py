"""Writes through a part of a table: pandas loses them in silence, where they had once changed the table itself."""

import ast
from collections.abc import Iterable

from cellwright.proof.repair.cells import hide_magics, parse

_PLACES = frozenset(("loc", "iloc", "at", "iat"))


def may_lose_writes(sources: Iterable[str]) -> bool:
    """Whether a cell writes into a column that it takes out of a table in the same breath: `df['a'][0] = 1`,
    `df.a.fillna(0, inplace=True)`. Whether anything is lost is for execution to say."""
    return any(_is_lossy(node) for source in sources for node in ast.walk(_tree(source)))


def _tree(source: str) -> ast.AST:
    return parse(source) or parse(hide_magics(source)[0]) or ast.Module([], [])


def _is_lossy(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return any(_is_of_part(target) for target in node.targets)
    if isinstance(node, ast.AugAssign):
        return _is_of_part(node.target)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        # A dictionary is updated with the same word, mostly from another one.
        is_update = node.func.attr == "update" and [type(given) for given in node.args] not in ([], [ast.Dict])
        is_in_place = any(word.arg == "inplace" for word in node.keywords) or is_update
        return is_in_place and isinstance(node.func.value, (ast.Attribute, ast.Subscript))
    return False


def _is_of_part(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return any(_is_of_part(element) for element in target.elts)
    held = target.value if isinstance(target, ast.Subscript) else None
    if isinstance(held, ast.Attribute) and held.attr in _PLACES:
        held = held.value
    return isinstance(held, (ast.Attribute, ast.Subscript))
