"""Readings of what is picked from a table by its names: columns, the rows that meet a condition, the first rows."""

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
    return Column(frame, wording.name(key), key, kind=dict(frame.kinds).get(key, ""))


def attribute(frame: Frame, key: str) -> Symbol | None:
    """An attribute of a table that is neither a column nor a method."""
    match key:
        case "shape":
            return Shape(frame)
        case "size":
            words = f"the number of cells (rows times columns{frame.among}) in the {frame.rows}"
            return Quantity(frame, words, family="shape")
        case "index" if frame.label is not None:
            return Column(frame, wording.name(frame.label), frame.label)
        case "index":
            return Method(frame, "index")
        case "columns" | "dtypes" | "values" | "T":
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
    if first.labels != second.labels:
        return False
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
    return take_rows(counted(frame, reader), low, high)


def counted(frame: Frame, reader: Evaluator) -> Frame:
    """The same rows, to be counted: in an order that is told, and has no ties."""
    if frame.order is not None:
        reader.require(frame.order.check)
        return frame
    if frame.sequence is None:
        if frame.shuffled:
            raise Unreadable("order of the rows of a join")
        return frame
    reader.require(frame.sequence.check)
    if any(step.endswith(f"sort the rows by {frame.sequence.words}") for step in frame.steps):
        return frame
    # That of a table of groups, which nobody has told: its keys, from the lowest on.
    settled = frame.settled()
    return settled.then(f"sort the rows by {frame.sequence.words}", unique=settled.unique)


def relabelled(frame: Frame) -> Frame:
    """Rows numbered anew: where some have gone, or have moved, what was worked out before has other labels."""
    is_changed = bool(frame.steps or frame.where or frame.order or frame.taken or frame.index)
    return replace(frame, index=(), labels=frame.labels + is_changed)


def begins(frame: Frame, table: Frame) -> bool:
    """Whether rows are all or some of a table's, with its labels."""
    whole = table.settled()
    more = frame.steps[len(whole.steps) :]
    same = frame.labels == table.labels and frame.tables == table.tables and not table.index
    kept = all(step.startswith("keep only the rows where ") for step in more)
    return same and frame.steps[: len(whole.steps)] == whole.steps and kept


def take_rows(frame: Frame, low: int, high: int | None) -> Frame:
    """Rows by position, counted from zero, the upper end left out."""
    return _taken(frame, rows_between(low, high))


def _taken(frame: Frame, words: str) -> Frame:
    base = frame.settled() if frame.taken else frame
    return replace(base, taken=words)


def rows_between(low: int, high: int | None) -> str:
    """Rows by position in words: counted from zero, the upper end left out, a negative end counted from the last."""
    match low, high:
        case int(), None if low < 0:
            return "the last row" if low == -1 else f"the last {-low} rows"
        case 0, int() if high > 0:
            return "the first row" if high == 1 else f"the first {high} rows"
        case 0, int() if high < 0:
            return "all rows but the last" if high == -1 else f"all rows but the last {-high}"
        case int(), None:
            return f"the rows from the {wording.ordinal(low + 1)} to the last"
        case int(), int() if 0 <= low < high:
            return f"the {wording.ordinal(low + 1)} to the {wording.ordinal(high)} row"
    raise Unreadable("rows counted from the end")


def nth(place: int) -> str:
    """A position, counted from zero: "first", "2nd"."""
    return "first" if place == 0 else wording.ordinal(place + 1)


def cell(frame: Frame, key: str) -> Column:
    """`row[key]` in a function that is applied to each row."""
    return Column(frame, wording.name(key), None, False, key, form="element")


def value_in_row(frame: Frame, key: str) -> Quantity:
    """One column's value in the one row that was taken, or that meets the conditions."""
    if frame.taken is None:
        return _value_at(column(frame, key))
    base = replace(frame, taken=None).settled()
    words = f"the value of {wording.name(key)} in {frame.taken}"
    return Quantity(base, words, family="look-up", text=True)


def _value_at(found: Column) -> Quantity:
    condition = wording.conditions(found.frame.where)
    return Quantity(found.frame, f"the value of {found.words} in the row where {condition}", family="look-up")
