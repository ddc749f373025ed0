"""Division in notebooks of Python 2, where the quotient of whole numbers was a whole number.

Only what is seen to be whole numbers in the text is divided so: constants, lengths, shapes, and names that are bound
once, to such a value. What a function is given, or a table holds, is left to true division.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import libcst as cst

from cellwright.proof.repair.cells import is_cell_magic, parse, show_magics
from cellwright.proof.repair.patterns import code, parsed

_TRUE_DIVISION = re.compile(r"from\s+__future__\s+import\s[^\n]*\bdivision\b")
_WHOLE_CALLS = frozenset(("len", "int", "ord", "long"))
_RANGES = frozenset(("range", "xrange"))
_STAYS_WHOLE = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)


def floored(sources: Sequence[str]) -> list[str]:
    """The cells of a notebook, with whole numbers divided so; as they are where the notebook asks for true division."""
    if any(_TRUE_DIVISION.search(source) for source in sources):
        return list(sources)
    floorer = _Floorer(_whole_names(sources))
    return [source if is_cell_magic(source) else _floored(source, floorer) for source in sources]


def _floored(text: str, floorer: "_Floorer") -> str:
    module, magics = parsed(text)
    return text if module is None else show_magics(module.visit(floorer).code, magics)


def _whole_names(sources: Sequence[str]) -> set[str]:
    nodes = [node for source in sources for node in ast.walk(parse(source) or ast.Module([], []))]
    bound = Counter(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    found: set[str] = set()
    for node in nodes:
        found |= {name for name in _bound_whole(node, found) if bound[name] == 1}
    return found


def _bound_whole(node: ast.AST, names: set[str]) -> Iterator[str]:
    """Names that a statement binds to whole numbers."""
    if isinstance(node, ast.Assign) and _is_whole(node.value, names):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.target, ast.Name):
        called = node.iter.func if isinstance(node.iter, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in _RANGES:
            yield node.target.id


def _is_whole(node: ast.expr, names: set[str]) -> bool:
    match node:
        case ast.Constant(value=value):
            return type(value) is int
        case ast.Name(id=name):
            return name in names
        case ast.Call(func=ast.Name(id=name)):
            return name in _WHOLE_CALLS
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Constant()):
            return True
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _is_whole(operand, names)
        case ast.BinOp(left=left, op=operator, right=right):
            return isinstance(operator, _STAYS_WHOLE) and _is_whole(left, names) and _is_whole(right, names)
    return False


class _Floorer(cst.CSTTransformer):
    """Rewrites `/` between whole numbers."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BinaryOperation:
        operator = updated_node.operator
        if not isinstance(operator, cst.Divide):
            return updated_node
        text = ast.parse(f"({code(original_node)})", mode="eval").body
        if not _is_whole(text, self._names):
            return updated_node
        return updated_node.with_changes(
            operator=cst.FloorDivide(operator.whitespace_before, operator.whitespace_after)
        )
