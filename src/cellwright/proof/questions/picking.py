"""Readings of what is picked from a table: columns, the rows that meet a condition, rows by position or by label."""

import ast
from dataclasses import replace

from cellwright.proof.questions import wording
from cellwright.proof.questions.symbols import (
    Column,
    Condition,
    Constant,
    Evaluator,
    Frame,
    Method,
    Quantity,
    Shape,
    Symbol,
    Unreadable,
)


def column(frame: Frame, key: str) -> Column:
    """One column by its name."""
    return Column(frame, wording.name(key), key)


def attribute(frame: Frame, key: str) -> Symbol | None:
    """An attribute of a table that is neither a column nor a method."""
    match key:
        case "shape":
            return Shape(frame)
        case "size":
            return Quantity(frame, f"the number of cells (rows times columns) in the {frame.rows}", family="shape")
        case "index" if frame.label is not None:
            return Column(frame, wording.name(frame.label), frame.label)
        case "columns" | "dtypes" | "values" | "T" | "index":
            raise Unreadable(f"attribute {key}")
    return None


def names_of(symbol: Symbol) -> tuple[str, ...]:
    """Column names of a constant: one name or a list of them."""
    if isinstance(symbol, Constant):
        if isinstance(symbol.value, str):
            return (symbol.value,)
        if isinstance(symbol.value, (list, tuple)) and all(isinstance(item, str) for item in symbol.value):
            return tuple(symbol.value)
    raise Unreadable("column names known only at run time")


def subscript(frame: Frame, node: ast.expr, reader: Evaluator) -> Symbol:
    """`frame[...]`: a column, several columns, the rows that meet a condition, or rows by position."""
    if isinstance(node, ast.Slice):
        return _row_range(frame, node, reader)
    key = reader.evaluate(node)
    match key:
        case Constant(value=str() as name):
            return column(frame, name)
        case Constant(value=list()):
            return select(frame, names_of(key))
        case Condition():
            return filtered(frame, key)
    raise Unreadable("subscript of a table")


def select(frame: Frame, names: tuple[str, ...]) -> Frame:
    """Some columns of all rows."""
    return replace(frame, selection=names)


def filtered(frame: Frame, condition: Condition) -> Frame:
    """The rows that meet a condition; the condition must be of the same rows."""
    if condition.frame != frame and condition.frame == frame.settled():
        return replace(condition.frame, selection=frame.selection).keep(condition.words)
    if not same_rows(condition.frame, frame):
        raise Unreadable("condition on other rows")
    return frame.keep(condition.words)


def same_rows(first: Frame, second: Frame) -> bool:
    """Whether conditions on the first can be asked of the second's rows: the second may be filtered further."""
    if first.taken or second.taken:
        return first.base == second.base and first.taken == second.taken and first.where == second.where
    return first.base == second.base and second.where[: len(first.where)] == first.where


def _row_range(frame: Frame, node: ast.Slice, reader: Evaluator) -> Frame:
    low = reader.constant(node.lower) if node.lower else 0
    high = reader.constant(node.upper) if node.upper else None
    if node.step is not None or not isinstance(low, int) or low < 0 or not (high is None or isinstance(high, int)):
        raise Unreadable("range of row labels")
    if frame.index and (low or high is None):
        raise Unreadable("range of row labels")
    return take_rows(frame, low, high)


def take_rows(frame: Frame, low: int, high: int | None) -> Frame:
    """Rows by position, counted from zero, the upper end left out."""
    if high is not None and high < 0:
        raise Unreadable("rows counted from the end")
    if low == 0 and high is not None:
        words = "the first row" if high == 1 else f"the first {high} rows"
    elif high is None:
        words = f"the rows from the {wording.ordinal(low + 1)} to the last"
    else:
        words = f"the {wording.ordinal(low + 1)} to the {wording.ordinal(high)} row"
    base = frame.settled() if frame.taken else frame
    return replace(base, taken=words)


def by_position(frame: Frame, node: ast.expr, reader: Evaluator) -> Symbol:
    """`frame.iloc[...]`: rows by their position."""
    if isinstance(node, ast.Slice):
        low = reader.constant(node.lower) if node.lower else 0
        high = reader.constant(node.upper) if node.upper else None
        if node.step is None and isinstance(low, int) and low >= 0 and (high is None or isinstance(high, int)):
            return take_rows(frame, low, high)
        raise Unreadable("rows by position")
    place = reader.constant(node)
    if not isinstance(place, int) or isinstance(place, bool) or place < -1:
        raise Unreadable("rows by position")
    base = frame.settled() if frame.taken else frame
    if base.order is not None:
        reader.require(base.order.check)
    words = "the last row" if place == -1 else f"the {_nth(place)} row"
    return Method(replace(base, taken=words), "row")


def _nth(place: int) -> str:
    return "first" if place == 0 else wording.ordinal(place + 1)


def cell(frame: Frame, key: str) -> Column:
    """`row[key]` in a function that is applied to each row."""
    return Column(frame, wording.name(key), None, False, key)


def value_in_row(frame: Frame, key: str) -> Quantity:
    """One column's value in the one row that was taken."""
    base = replace(frame, taken=None).settled()
    words = f"the value of {wording.name(key)} in {frame.taken}"
    return Quantity(base, words, family="look-up", text=True)


def locate(frame: Frame, node: ast.expr, accessor: str, reader: Evaluator) -> Symbol:
    """`frame.loc[rows, columns]`, where the rows are a condition, a label of a named index, or all."""
    rows, picked = (node.elts[0], node.elts[1]) if isinstance(node, ast.Tuple) and len(node.elts) == 2 else (node, None)
    if isinstance(rows, ast.Slice):
        if rows.lower or rows.upper:
            raise Unreadable("range of row labels")
        kept: Frame = frame
    else:
        kept = _rows_at(frame, reader.evaluate(rows))
    if picked is None:
        return kept
    if isinstance(picked, ast.Slice):
        raise Unreadable("range of columns")
    key = reader.evaluate(picked)
    if isinstance(key, Constant) and isinstance(key.value, str):
        found = column(kept, key.value)
        single = isinstance(reader.evaluate(rows), Constant) if not isinstance(rows, ast.Slice) else False
        return _value_at(found) if single else found
    return select(kept, names_of(key))


def _value_at(found: Column) -> Quantity:
    condition = wording.conditions(found.frame.where)
    return Quantity(found.frame, f"the value of {found.words} in the row where {condition}", family="look-up")


def _rows_at(frame: Frame, key: Symbol) -> Frame:
    match key:
        case Condition():
            return filtered(frame, key)
        case Constant(value=(str() | int()) as label) if frame.label is not None:
            return frame.keep(f"{wording.name(frame.label)} is {wording.value(label)}")
        case Constant(value=list() as labels) if frame.label is not None and labels:
            names = wording.listing([wording.value(label) for label in labels], "or")
            return frame.keep(f"{wording.name(frame.label)} is {names}")
    raise Unreadable("rows by label")
