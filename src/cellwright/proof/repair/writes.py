"""Writes through a part of a table: pandas loses them in silence, where they had once changed the table itself."""

import ast
from collections.abc import Iterable, Iterator

from cellwright.proof.repair.cells import hide_magics, parse

_PLACES = frozenset(("loc", "iloc", "at", "iat"))
_TELL_ROWS = frozenset(
    ("isin", "isna", "isnull", "notna", "notnull", "between", "contains", "startswith", "endswith", "duplicated")
)


def may_lose_writes(sources: Iterable[str]) -> bool:
    """Whether a cell writes into a column that it takes out of a table in the same breath: `df['a'][0] = 1`,
    `df.a.fillna(0, inplace=True)`. Whether anything is lost is for execution to say."""
    return any(isinstance(part, (ast.Attribute, ast.Subscript)) for source in sources for part in _parts(source))


def writes_into_copies(source: str) -> str:
    """An expression of Python that tells whether all parts that a statement writes into are copies, which never were
    the table itself in any version: `df[df.a > 1]['a'] = 0`, `df[['a', 'b']].fillna(0, inplace=True)`.

    It evaluates names and attributes only.
    """
    parts = [part for part in _parts(source) if not isinstance(part, ast.Name)]
    return " and ".join(f"({' or '.join(_tells_copy(part)) or 'False'})" for part in parts) or "False"


def _parts(source: str) -> Iterator[ast.expr]:
    """What statements write into: of `x[0] = 1`, `x.loc[0] += 1` and `x.fillna(0, inplace=True)` it is `x`."""
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _parts_of(target)
        elif isinstance(node, ast.AugAssign):
            yield from _parts_of(node.target)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # A dictionary is updated with the same word, mostly from another one.
            is_update = node.func.attr == "update" and [type(given) for given in node.args] not in ([], [ast.Dict])
            if is_update or any(word.arg == "inplace" for word in node.keywords):
                yield node.func.value


def _tree(source: str) -> ast.AST:
    return parse(source) or parse(hide_magics(source)[0]) or ast.Module([], [])


def _parts_of(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _parts_of(element)
    elif isinstance(target, ast.Subscript):
        held = target.value
        yield held.value if isinstance(held, ast.Attribute) and held.attr in _PLACES else held


def _tells_copy(part: ast.expr) -> Iterator[str]:
    """Expressions of which one is true where a part of a table is a copy: chosen by a mask or a list, or computed."""
    while isinstance(part, (ast.Attribute, ast.Subscript)):
        if isinstance(part, ast.Subscript):
            is_place = isinstance(part.value, ast.Attribute) and part.value.attr in _PLACES
            several = part.slice.elts if is_place and isinstance(part.slice, ast.Tuple) else [part.slice]
            yield from (told for index in several if (told := _tells_several(index)))
        part = part.value
    if isinstance(part, ast.Call):
        yield "True"


def _tells_several(index: ast.expr) -> str:
    match index:
        case ast.List() | ast.ListComp() | ast.Compare() | ast.UnaryOp(op=ast.Invert()):
            return "True"
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.BitXor()):
            return "True"
        case ast.Call(func=ast.Attribute(attr=name)) if name in _TELL_ROWS:
            return "True"
        case ast.Name() | ast.Attribute():
            text = ast.unparse(index)
            return f"(hasattr({text}, '__len__') and not isinstance({text}, (str, tuple)))"
    return ""
