"""Which expressions of a cell are its outputs: the value of its last line, and what it prints.

The same code runs on both sides: in the kernel it marks the values to record, outside it finds their source.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SHOWS = {"print", "display"}


@dataclass(frozen=True)
class Target:
    """One output expression: where it stands, and the node itself."""

    statement: int
    """Index of the top-level statement in its cell."""
    number: int
    """Index among the targets of that statement."""
    node: ast.expr
    decimals: int | None
    """Decimals that a format specification such as `.2f` asks for."""
    label: str
    """Constant text printed with the value, empty when there is none."""


def find_targets(module: ast.Module, quiet: bool = False) -> list[Target]:
    """The output expressions of a parsed cell, in order of evaluation.

    `quiet` says that the cell ends in a semicolon, so that its last value is not shown.
    """
    targets: list[Target] = []
    last = len(module.body) - 1
    for index, statement in enumerate(module.body):
        if not isinstance(statement, ast.Expr):
            continue
        shown = _shown(statement.value)
        if not shown and index == last and not quiet and not is_shown_by_call(statement.value):
            shown = [(statement.value, None, "")]
        for number, (node, decimals, label) in enumerate(shown):
            if not isinstance(node, (ast.Constant, ast.Lambda, ast.Starred, ast.Await)):
                targets.append(Target(index, number, node, decimals, label))
    return targets


def is_shown_by_call(node: ast.expr) -> bool:
    """Whether an expression is a call that shows its arguments, and gives nothing."""
    return _is_call_to(node, _SHOWS)


def _is_call_to(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _shown(node: ast.expr) -> list[tuple[ast.expr, int | None, str]]:
    """What a print or display call shows: expression, decimals, label."""
    if not (isinstance(node, ast.Call) and is_shown_by_call(node)):
        return []
    pieces = [piece for argument in node.args for piece in _pieces(argument)]
    label = " ".join(text.strip() for _, _, text in pieces if text.strip())
    return [(value, decimals, label) for value, decimals, _ in pieces if value is not None]


def _pieces(node: ast.expr) -> Iterator[tuple[ast.expr | None, int | None, str]]:
    """The parts of a printed expression: each a value, or constant text."""
    if isinstance(node, ast.Constant):
        yield None, None, str(node.value)
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield part.value, _decimals(part.format_spec), ""
            elif isinstance(part, ast.Constant):
                yield None, None, str(part.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        if isinstance(node.func.value, ast.Constant):
            yield None, None, ""
            yield from ((argument, None, "") for argument in node.args)
        else:
            yield node, None, ""
    elif isinstance(node, ast.Call) and _is_call_to(node, {"str"}) and len(node.args) == 1:
        yield node.args[0], None, ""
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)) and _is_text(node.left):
        yield from _pieces(node.left)
        operands = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        for operand in operands:
            yield from _pieces(operand)
    else:
        yield node, None, ""


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_text(node.left)
    return (isinstance(node, ast.Constant) and isinstance(node.value, str)) or _is_call_to(node, {"str"})


def _decimals(spec: ast.expr | None) -> int | None:
    """2 for the format specification `.2f`; None for any other."""
    if not isinstance(spec, ast.JoinedStr) or len(spec.values) != 1:
        return None
    constant = spec.values[0]
    text = constant.value if isinstance(constant, ast.Constant) else ""
    if isinstance(text, str) and text[-1:] == "f":
        digits = text[:-1].rpartition(".")[2]
        return int(digits) if digits.isdigit() else None
    return None


class Marker(ast.NodeTransformer):
    """Wraps every target of a cell in a call that records its value, and notes which statement is about to run."""

    def __init__(self, recorder: str, quiet: bool) -> None:
        self.recorder = recorder
        self.quiet = quiet

    def visit_Module(self, module: ast.Module) -> ast.Module:
        targets = {id(target.node): target for target in find_targets(module, self.quiet)}
        body: list[ast.stmt] = []
        for index, statement in enumerate(module.body):
            marked = _wrap(statement, targets, self.recorder)
            if not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
                body.append(_call_statement(self.recorder, "at", index, statement))
            body.append(marked)
        module.body = body
        return ast.fix_missing_locations(module)


def _wrap(statement: ast.stmt, targets: dict[int, Target], recorder: str) -> ast.stmt:
    class Wrap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            target = targets.get(id(node))
            if target is None:
                return self.generic_visit(node)
            place = [ast.Constant(target.statement), ast.Constant(target.number)]
            method = ast.Attribute(ast.Name(recorder, ast.Load()), "note", ast.Load())
            call = ast.Call(method, [*place, target.node], [])
            return ast.copy_location(call, target.node)

    wrapped: Any = Wrap().visit(statement)
    assert isinstance(wrapped, ast.stmt)
    return wrapped


def _call_statement(recorder: str, method: str, index: int, like: ast.stmt) -> ast.stmt:
    function = ast.Attribute(ast.Name(recorder, ast.Load()), method, ast.Load())
    return ast.copy_location(ast.Expr(ast.Call(function, [ast.Constant(index)], [])), like)
