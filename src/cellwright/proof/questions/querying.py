"""Readings of the texts in which `DataFrame.query` writes its conditions."""

import ast
import re

from cellwright.proof.questions import picking
from cellwright.proof.questions.symbols import Arguments, Condition, Evaluator, Frame, Unreadable

_LOCAL = re.compile(r"@([A-Za-z_]\w*)")


def query(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    """The rows for which a text is true."""
    text = arguments.constant("expr", 0)
    arguments.ignore("engine")
    plain = _LOCAL.sub(r"__local_\1", str(text).strip())
    try:
        node = ast.parse(plain, mode="eval").body
    except SyntaxError:
        raise Unreadable("query with quoted names") from None
    if any(isinstance(part, ast.Name) and part.id in ("index", *frame.index) for part in ast.walk(node)):
        raise Unreadable("query of row labels")
    condition = reader.evaluate(_Columns(arguments.receiver).visit(_bitwise(node)))
    if not isinstance(condition, Condition):
        raise Unreadable("query that is no condition")
    return picking.filtered(frame, condition)


class _AndOr(ast.NodeTransformer):
    """`and`, `or`, `not` of a query, as the signs that mean the same between columns."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        sign = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        left = node.values[0]
        for right in node.values[1:]:
            left = ast.BinOp(left, sign, right)
        return left

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return ast.UnaryOp(ast.Invert(), node.operand) if isinstance(node.op, ast.Not) else node


class _Columns(ast.NodeTransformer):
    """The names of a query as what they stand for: a column of the table, or a name of the program."""

    def __init__(self, table: str) -> None:
        self._table = table

    def visit_Name(self, node: ast.Name) -> ast.AST:
        local = node.id.removeprefix("__local_")
        if local != node.id:
            return ast.Name(local, ast.Load())
        return ast.Subscript(ast.parse(self._table, mode="eval").body, ast.Constant(node.id), ast.Load())


def _bitwise(node: ast.expr) -> ast.expr:
    changed: ast.expr = _AndOr().visit(node)
    return changed
