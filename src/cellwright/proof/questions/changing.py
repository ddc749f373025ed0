"""Readings of what assignments change in a table: new columns, values in some rows, names."""

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from cellwright.proof.questions import joins, locating, picking, wording
from cellwright.proof.questions.symbols import (
    KEPT_KINDS,
    Column,
    Columns,
    Condition,
    Constant,
    Evaluator,
    Frame,
    Quantity,
    Symbol,
    Unreadable,
)


def add_column(frame: Frame, key: str, symbol: Symbol, reader: Evaluator) -> Frame:
    """The frame after `frame[key] = symbol`."""
    if isinstance(symbol, Column) and _is_in_told_order(symbol.frame, frame):
        frame = replace(symbol.frame, selection=frame.selection)
    if isinstance(symbol, (Column, Condition)) and not _of_all_rows(symbol.frame, frame):
        raise Unreadable("column from other rows")
    is_placed = isinstance(symbol, Column) and symbol.form in ("array", "list")
    if isinstance(symbol, (Column, Condition)) and not is_placed and _labels(symbol.frame) != _labels(frame):
        raise Unreadable("column with other row labels")
    if isinstance(symbol, Column) and symbol.words == wording.name(key):
        return frame  # of another type: nothing that a question speaks of has changed
    replaces = isinstance(symbol, Column) and wording.name(key) in symbol.words
    step = _setting(key, symbol, frame, reader, replaces)
    selection = frame.selection
    if selection is not None and key not in selection:
        selection = (*selection, key)
    kinds = tuple((name, kind) for name, kind in frame.kinds if name != key)
    if isinstance(symbol, Column) and symbol.kind in KEPT_KINDS:
        kinds += ((key, symbol.kind),)
    return frame.then(step, selection=selection, kinds=kinds)


def _is_in_told_order(column_frame: Frame, frame: Frame) -> bool:
    """Whether a column's rows are those of the table, whose order had to be told for it."""
    told = f"sort the rows by {frame.sequence.words}" if frame.sequence is not None else None
    steps = frame.settled().steps
    return told is not None and frame.order is None and column_frame.steps == (*steps, told)


def _labels(frame: Frame) -> tuple[tuple[str, ...], int]:
    return frame.index, frame.labels


def _of_all_rows(column_frame: Frame, frame: Frame) -> bool:
    """Whether a column has a value for every row, however conditions and sorting are told."""
    return column_frame.settled().base == frame.settled().base


_SCALED = re.compile(r"(`[^`]*`) \* (\d+(?:\.\d+)?)")


def _setting(key: str, symbol: Symbol, frame: Frame, reader: Evaluator, replaces: bool) -> str:
    """The command that gives a column its values."""
    target = wording.name(key)
    match symbol:
        case Column() if (change := _scaling(target, symbol.words)) is not None:
            return change
        case Column():
            words = symbol.words
        case Condition():
            words = f"whether {symbol.words} (True or False, counted as 1 and 0)"
        case Quantity():
            words = symbol.told if symbol.frame.base == frame.base else joins.aside(symbol, reader)
        case Constant() if not isinstance(symbol.value, (list, dict)):
            words = wording.value(symbol.value)
        case _:
            raise Unreadable("column computed in another way")
    return f"replace {target} by {words}" if replaces else f"set a column {target} to {words}"


def _scaling(target: str, words: str) -> str | None:
    """ "`price` * 1.1", set as `price`, is a rise by 10%."""
    found = _SCALED.fullmatch(words)
    if found is None or found[1] != target:
        return None
    percent = round((float(found[2]) - 1) * 100, 9)
    if not 0 < abs(percent) <= 100 or float(found[2]) == 0:
        return None
    verb = "raise" if percent > 0 else "lower"
    return f"{verb} every {target} by {abs(percent):g}% (multiply it by {found[2]})"


def set_rows(place: locating.Place, node: ast.expr, symbol: Symbol, reader: Evaluator) -> Frame:
    """The frame after `frame.loc[rows, key] = symbol`."""
    frame = place.frame
    if not isinstance(node, ast.Tuple) or len(node.elts) != 2 or frame.taken:
        raise Unreadable("assignment to some rows")
    rows, key = node.elts[0], reader.constant(node.elts[1])
    if not isinstance(key, str):
        raise Unreadable("assignment to some rows")
    condition = reader.evaluate(rows) if not isinstance(rows, ast.Slice) else Constant(None)
    if isinstance(condition, Constant) and isinstance(symbol, (Quantity, Constant)) and not frame.where:
        words = locating.rows_in_words(place, rows, reader)
        return frame.then(f"in {words}, {_setting(key, symbol, frame, reader, True)}")
    if not isinstance(condition, Condition) or condition.frame != frame:
        raise Unreadable("assignment to some rows")
    kept = frame.keep(condition.words)
    if isinstance(symbol, Column) and symbol.frame not in (frame, kept):
        raise Unreadable("column from other rows")
    if not isinstance(symbol, (Column, Quantity, Constant)):
        raise Unreadable("assignment to some rows")
    step = _setting(key, symbol, frame, reader, True)
    return frame.then(f"in the rows where {condition.words}, {step}")


def replace_columns(frame: Frame, key: object, symbol: Symbol, reader: Evaluator) -> Frame:
    """The frame after `frame[[…]] = frame[[…]].fillna(…)` and the like, where the same is done to each column."""
    names = picking.names_of(Constant(key))
    match symbol:
        case Columns(columns=found) if tuple(found) == names:
            if not all(_of_all_rows(column.frame, frame) for column in found.values()):
                raise Unreadable("column from other rows")
            for name, column in found.items():
                if column.words == wording.name(name):
                    continue
                frame = frame.then(_setting(name, column, frame, reader, True))
            return frame
        case Frame(steps=(*before, change)) if (
            symbol.selection == names and (symbol.tables, tuple(before)) == frame.settled().base and not symbol.where
        ):
            listed = wording.listing([wording.name(name) for name in names])
            return frame.then(change if f"value of {listed} by" in change else f"in {listed}, {change}")
    raise Unreadable("assignment to several columns")


def set_attribute(frame: Frame, key: str, symbol: Symbol) -> Frame:
    """The frame after `frame.columns = [...]`."""
    if key == "columns" and isinstance(symbol, Constant):
        if frame.index:
            raise Unreadable("names for columns beside row labels")
        frame = joins.with_selection(frame)
        names = wording.listing([wording.name(name) for name in picking.names_of(symbol)])
        return frame.then(f"name the columns, in order, {names}", selection=None)
    raise Unreadable(f"assignment to {key}")


def drop_columns(frame: Frame, names: Sequence[str]) -> Frame:
    """The frame without some columns."""
    selection = tuple(n for n in frame.selection if n not in names) if frame.selection is not None else None
    noun = "column" if len(names) == 1 else "columns"
    words = wording.listing([wording.name(name) for name in names])
    return frame.then(f"drop the {noun} {words}", selection=selection)
