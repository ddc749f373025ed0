"""How hard a task is, from what its oracle does."""

import ast
from collections.abc import Sequence

_LOADS = ("read_csv", "read_excel", "read_table", "read_json", "read_parquet", "read_pickle")
_HEAVY = {"merge": 2, "groupby": 1, "pivot_table": 1, "crosstab": 1, "concat": 1, "resample": 1}
_THRESHOLDS = (2, 4, 7, 10)


def level(cells: Sequence[str]) -> int:
    """1 to 5: by the number of operations on data, joins and groups counting more, loading not at all."""
    weight = 0
    for cell in cells:
        for node in ast.walk(ast.parse(cell)):
            weight += _weight(node)
    return 1 + sum(weight >= threshold for threshold in _THRESHOLDS)


def _weight(node: ast.AST) -> int:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return 0 if name in _LOADS else 1 + _HEAVY.get(name, 0)
    return 1 if isinstance(node, (ast.Compare, ast.BinOp)) else 0
