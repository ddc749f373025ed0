"""Programs with one thing less: what of a composed program could go, to see whether it has a say in the answer.

A question with a step or a condition that changes nothing is longer than what it asks, and its level says too much.
"""

import ast
from collections.abc import Iterator, Sequence

from cellwright.proof.judge import Program


def lesser_programs(units: Sequence[str], expression: str) -> list[Program]:
    """The program without one of its steps, and with one of two conditions in place of both, each once."""
    steps = [place for place, unit in enumerate(units) if not unit.startswith(("import ", "from ")) and _is_step(unit)]
    found = [Program((*units[:place], *units[place + 1 :]), expression) for place in steps]
    for place in steps:
        found += [Program((*units[:place], one, *units[place + 1 :]), expression) for one in _with_one(units[place])]
    found += [Program(tuple(units), one) for one in _with_one(expression)]
    return list(dict.fromkeys(found))


def _is_step(unit: str) -> bool:
    """Whether a statement does more than load a table."""
    return not any(
        isinstance(node, ast.Attribute) and node.attr.startswith("read_") for node in ast.walk(ast.parse(unit))
    )


def _with_one(source: str) -> Iterator[str]:
    """A statement or expression with one side of an `&` in the place of both."""
    count = sum(_is_both(node) for node in ast.walk(ast.parse(source)))
    for number in range(count):
        for side in ("left", "right"):
            yield ast.unparse(_OneSide(number, side).visit(ast.parse(source)))


def _is_both(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd)


class _OneSide(ast.NodeTransformer):
    def __init__(self, number: int, side: str) -> None:
        self._left, self._side = number, side

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if _is_both(node):
            self._left -= 1
            if self._left == -1:
                kept: ast.AST = getattr(node, self._side)
                return kept
        return self.generic_visit(node)
