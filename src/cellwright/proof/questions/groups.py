"""Readings of what is done to groups, and to the labelled quantities and grids that come of them."""

import ast
from collections.abc import Sequence
from dataclasses import replace

from cellwright.proof.questions import statistics, wording
from cellwright.proof.questions.symbols import (
    Absence,
    Arguments,
    Column,
    Constant,
    Evaluator,
    Frame,
    Grid,
    Grouping,
    Items,
    Labelled,
    Module,
    Quantity,
    Symbol,
    Unreadable,
)

_STATISTICS = ("mean", "median", "sum", "min", "max", "std", "var", "count", "nunique", "first", "last")


def pick(grouping: Grouping, key: object) -> Grouping:
    """`groups[column]`."""
    if isinstance(key, str):
        return replace(grouping, columns=(key,), single=True)
    if isinstance(key, list) and all(isinstance(name, str) for name in key):
        return replace(grouping, columns=tuple(key), single=False)
    raise Unreadable("columns known only at run time")


def aggregate(grouping: Grouping, method: str, arguments: Arguments) -> Symbol:
    """The symbol of a method call on groups."""
    symbol = _aggregate(grouping, method, arguments)
    arguments.done()
    if not grouping.as_index:
        raise Unreadable("groups as rows of a new table")
    return symbol


def _aggregate(grouping: Grouping, method: str, arguments: Arguments) -> Symbol:
    if method == "size":
        return statistics.rows_per_group(grouping)
    if method in _STATISTICS:
        ddof = arguments.constant("ddof", None, 1)
        arguments.ignore("numeric_only", "0")
        return _one_statistic(grouping, method, ddof)
    if method == "quantile":
        return _one_statistic(grouping, statistics.quantile_name(arguments.constant("q", 0, 0.5)), 1)
    if method in ("agg", "aggregate"):
        return _agg(grouping, arguments)
    if method == "describe" and grouping.columns is not None and grouping.single:
        return _describe_one(grouping)
    if method == "describe":
        return statistics.group_grid(grouping, None, "describe")
    if method == "value_counts" and grouping.single and grouping.columns:
        share = bool(arguments.constant("normalize", 0, False))
        return _counts_within(grouping, grouping.columns[0], share)
    raise Unreadable(f"method {method} of groups")


def _one_statistic(grouping: Grouping, method: str, ddof: int) -> Symbol:
    if grouping.columns is not None and grouping.single:
        return statistics.per_group(grouping, grouping.columns[0], method, ddof)
    return statistics.group_grid(grouping, None, method)


def _describe_one(grouping: Grouping) -> Grid:
    column = (grouping.columns or ("",))[0]

    def at(rows: Sequence[object], labels: Sequence[object]) -> str:
        over = statistics.in_group(grouping, rows).over
        return f"the {statistics.described(labels[0])} of {wording.name(column)}{over}"

    return Grid(grouping.frame, at, "describe", columns_are_names=False)


def _counts_within(grouping: Grouping, column: str, share: bool) -> Labelled:
    if share:
        raise Unreadable("shares within groups")
    frame = grouping.frame
    inner = replace(grouping, keys=(*grouping.keys, _column(frame, column)))
    return statistics.rows_per_group(inner)


def _column(frame: Frame, name: str) -> Column:
    return Column(frame, wording.name(name), name)


def _agg(grouping: Grouping, arguments: Arguments) -> Symbol:
    if arguments.named and not arguments.positional and not {"func"} & set(arguments.named):
        raise Unreadable("named aggregations")
    how = arguments.take("func", 0)
    match how:
        case Constant(value=str() as method):
            return _one_statistic(grouping, method, 1)
        case Module():
            return _one_statistic(grouping, how.path.rpartition(".")[2], 1)
        case Constant(value=dict() as chosen):
            columns = {str(key): [value] if isinstance(value, str) else list(value) for key, value in chosen.items()}
            return statistics.group_grid(grouping, columns, None)
        case Constant(value=list()) | Items():
            if grouping.single and grouping.columns:
                return _several(grouping, grouping.columns[0])
            return statistics.group_grid(grouping, None, None)
    raise Unreadable("aggregation by a function")


def _several(grouping: Grouping, column: str) -> Grid:
    def at(rows: Sequence[object], labels: Sequence[object]) -> str:
        name = statistics.statistic_words(str(labels[0]))
        return f"the {name} of {wording.name(column)}{statistics.in_group(grouping, rows).over}"

    return Grid(grouping.frame, at, "group-aggregate", columns_are_names=False)


# --- labelled quantities and grids -------------------------------------------------------------------


def locate(owner: Labelled | Grid, node: ast.expr, reader: Evaluator) -> Symbol:
    """`labelled[label]`, `labelled[:n]`, `grid[column]`, `grid.loc[row, column]`."""
    if isinstance(node, ast.Slice):
        if isinstance(owner, Labelled) and not node.lower and not node.step:
            return replace(owner, taken=True)
        raise Unreadable("range of labels")
    if isinstance(owner, Labelled):
        label = reader.constant(node)
        if isinstance(label, list):
            raise Unreadable("several labels")
        return Quantity(owner.frame, owner.at([label]), owner.decimals, owner.family, owner.text)
    return _in_grid(owner, node, reader)


def _in_grid(grid: Grid, node: ast.expr, reader: Evaluator) -> Symbol:
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        row, column = (reader.constant(element) for element in node.elts)
        return Quantity(grid.frame, grid.at([row], [column]), grid.decimals, grid.family)
    label = reader.constant(node)
    if isinstance(label, list):
        return grid
    if not isinstance(label, str):
        raise Unreadable("subscript of a grid")

    def at(labels: Sequence[object]) -> str:
        return grid.at(labels, [label])

    return Labelled(grid.frame, at, "", "", grid.decimals, grid.family)


def call(owner: Labelled | Grid, method: str, arguments: Arguments) -> Symbol:
    """The symbol of a method call on labelled quantities or a grid."""
    symbol = _labelled(owner, method, arguments) if isinstance(owner, Labelled) else _grid(owner, method, arguments)
    arguments.done()
    return symbol


def _labelled(owner: Labelled, method: str, arguments: Arguments) -> Symbol:
    match method:
        case "round":
            return replace(owner, decimals=arguments.constant("decimals", 0, 0))
        case "sort_values":
            return replace(owner, order=bool(arguments.constant("ascending", None, True)))
        case "sort_index":
            arguments.ignore("ascending")
            return replace(owner, order=None)
        case "head" | "tail":
            arguments.ignore("n", "0")
            return replace(owner, taken=True)
        case "nlargest" | "nsmallest":
            arguments.ignore("n", "0")
            return replace(owner, taken=True, order=method == "nsmallest")
        case "idxmax" | "idxmin" if owner.each and not owner.taken:
            side = "highest" if method == "idxmax" else "lowest"
            words = f"the {owner.each} with the {side} {owner.statistic}"
            return Quantity(owner.frame, words, family="extreme", text=True)
        case "max" | "min" if owner.each and not owner.taken:
            side = "highest" if method == "max" else "lowest"
            each = owner.each if owner.each == "column" else f"value of {owner.each}"
            return Quantity(owner.frame, f"the {side} {owner.statistic} of any {each}", owner.decimals, "extreme")
        case "sum" if owner.family == "missing-values" and not owner.taken:
            words = owner.statistic.replace("number of", "number of all", 1)
            if owner.frame.index:
                raise Unreadable("missing values beside row labels")
            return Quantity(owner.frame, f"the {words}, in all columns together", family="missing-values")
        case "copy" | "to_dict":
            return owner
    raise Unreadable(f"method {method} of labelled values")


def _grid(owner: Grid, method: str, arguments: Arguments) -> Symbol:
    match method:
        case "round":
            decimals = arguments.take("decimals", 0)
            if decimals is None or (isinstance(decimals, Constant) and isinstance(decimals.value, int)):
                return replace(owner, decimals=decimals.value if isinstance(decimals, Constant) else 0)
        case "transpose":
            return _transposed(owner)
        case "head" | "tail" | "sort_values" | "sort_index" | "fillna":
            arguments.ignore("n", "0", "by", "ascending", "value")
            if method != "fillna":
                return owner
    raise Unreadable(f"method {method} of a grid")


def _transposed(grid: Grid) -> Grid:
    return replace(grid, at=lambda rows, columns: grid.at(columns, rows), columns_are_names=False)


def transpose(grid: Grid) -> Grid:
    """`grid.T`."""
    return _transposed(grid)


def absence_call(owner: Absence, method: str, arguments: Arguments) -> Symbol:
    """`frame.isnull().sum()` and its kin."""
    arguments.ignore("axis")
    if arguments.constant("axis", 0, 0) not in (0, "index"):
        raise Unreadable("missing values of each row")
    arguments.done()
    if method in ("sum", "mean"):
        return statistics.missing_per_column(owner.frame, owner.absent, share=method == "mean")
    raise Unreadable(f"method {method} of missing values")
