"""What a program of the built-in model asks of a table, read from its source: one of its families, or nothing."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

METHODS: Mapping[str, tuple[str, ...]] = {
    "mean": ("mean", "average"),
    "median": ("median",),
    "max": ("maximum", "highest", "largest"),
    "min": ("minimum", "lowest", "smallest"),
    "sum": ("sum", "total"),
    "std": ("standard deviation",),
    "nunique": ("number of distinct values",),
}
"""Method of pandas, and how people call it."""
SIDES: Mapping[str, tuple[str, ...]] = {"max": ("highest", "largest"), "min": ("lowest", "smallest")}
"""Which label comes first, and how people call it."""
SIGNS: Mapping[str, tuple[str, ...]] = {
    ">": ("greater than", "above", "over", "more than"),
    "<": ("less than", "below", "under"),
}
COUNT = "count"
"""Stands for a method where rows are counted."""
_SIGN_OF: Mapping[type[ast.cmpop], Literal["==", ">", "<"]] = {ast.Eq: "==", ast.Gt: ">", ast.Lt: "<"}


@dataclass(frozen=True)
class Condition:
    """Which rows."""

    column: str
    sign: Literal["==", ">", "<"]
    value: str | int | float


@dataclass(frozen=True)
class Asked:
    """A statistic of a column, of all rows or some; how many rows there are; or which label has the most or least."""

    method: str
    column: str = ""
    condition: Condition | None = None
    group: str = ""
    side: str = ""

    @property
    def columns(self) -> frozenset[str]:
        """All that it reads."""
        named = (self.column, self.group, self.condition.column if self.condition else "")
        return frozenset(name for name in named if name)


def read_program(code: str) -> Asked | None:
    """What a cell prints; None for whatever is none of the families."""
    try:
        *before, last = ast.parse(code).body
    except (SyntaxError, ValueError):
        return None
    if not all(_only_loads(statement) for statement in before):
        return None
    match last:
        case ast.Expr(ast.Call(ast.Name("print"), [ast.Call(ast.Name("round"), [shown, ast.Constant(2)], [])], [])):
            return _asked(shown)
        case ast.Expr(ast.Call(ast.Name("print"), [shown], [])):
            return _asked(shown)
    return None


def _only_loads(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import([ast.alias("pandas", "pd")]):
            return True
        case ast.Assign([ast.Name("df")], ast.Call(ast.Attribute(ast.Name("pd"), "read_csv"), [ast.Constant()], [])):
            return True
    return False


def _asked(shown: ast.expr) -> Asked | None:
    match shown:
        case ast.Call(ast.Attribute(ast.Compare() as compared, "sum"), [], []):
            condition = _condition(compared)
            return Asked(COUNT, condition=condition) if condition else None
        case ast.Call(ast.Attribute(inner, "idxmax" | "idxmin" as side), [], []):
            return _top(inner, side.removeprefix("idx"))
        case ast.Call(ast.Attribute(ast.Subscript(rows, ast.Constant(str(column))), method), [], []) if (
            method in METHODS
        ):
            return _of_rows(rows, method, column)
    return None


def _top(groups: ast.expr, side: str) -> Asked | None:
    match groups:
        case ast.Call(
            ast.Attribute(
                ast.Subscript(
                    ast.Call(ast.Attribute(ast.Name("df"), "groupby"), [ast.Constant(str(group))], []),
                    ast.Constant(str(column)),
                ),
                method,
            ),
            [],
            [],
        ) if method in METHODS:
            return Asked(method, column, group=group, side=side)
    return None


def _of_rows(rows: ast.expr, method: str, column: str) -> Asked | None:
    match rows:
        case ast.Name("df"):
            return Asked(method, column)
        case ast.Subscript(ast.Name("df"), ast.Compare() as compared):
            condition = _condition(compared)
            return Asked(method, column, condition) if condition else None
    return None


def _condition(compared: ast.Compare) -> Condition | None:
    match compared:
        case ast.Compare(ast.Subscript(ast.Name("df"), ast.Constant(str(column))), [sign], [ast.expr() as to]) if (
            type(sign) in _SIGN_OF
        ):
            try:
                value = ast.literal_eval(to)
            except ValueError:
                return None
            is_value = isinstance(value, str | int | float) and not isinstance(value, bool)
            return Condition(column, _SIGN_OF[type(sign)], value) if is_value else None
    return None
