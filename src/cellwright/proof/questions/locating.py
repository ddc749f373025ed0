"""Readings of `frame.loc[…]`, `frame.iloc[…]`, `frame.at[…]`: rows by position, label or condition, and columns."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from cellwright.proof.questions import picking, wording
from cellwright.proof.questions.symbols import (
    Column,
    Condition,
    Constant,
    Evaluator,
    ExtremeRow,
    Frame,
    Method,
    Symbol,
    Unreadable,
    Unseen,
)

_MOST_ROWS = 12
_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_PART_OF_A_DATE = re.compile(r"\d{4}(?:-\d{1,2})?")


@dataclass(frozen=True)
class Place:
    """Where a program looks into a table."""

    frame: Frame
    source: str
    """The table's own source, for what must be run to know it."""
    by_label: bool
    """Whether rows and columns are named, and not counted."""


def locate(place: Place, node: ast.expr, reader: Evaluator) -> Symbol:
    """What stands there: rows, a column or columns of rows, or one value."""
    rows, picked = _halves(node)
    kept = _rows(place, rows, reader)
    names = _columns(place, picked, reader) if picked is not None else None
    single = isinstance(kept, Method)
    frame = kept.receiver if isinstance(kept, Method) else kept
    if names is None:
        return kept
    if not isinstance(frame, Frame):
        raise Unreadable("rows by label")
    if isinstance(names, tuple):
        if single:
            raise Unreadable("several values of one row")
        return picking.select(frame, names)
    return picking.value_in_row(frame, names) if single else picking.column(frame, names)


def rows_in_words(place: Place, node: ast.expr, reader: Evaluator) -> str:
    """Rows that are picked by their place, as a noun phrase: "the 2nd to the 4th row"."""
    kept = _rows(replace(place, frame=replace(place.frame, taken=None)), node, reader)
    frame = kept.receiver if isinstance(kept, Method) else kept
    if not isinstance(frame, Frame) or frame.taken is None:
        raise Unreadable("assignment to some rows")
    return frame.taken


def _halves(node: ast.expr) -> tuple[ast.expr, ast.expr | None]:
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        return node.elts[0], node.elts[1]
    return node, None


def _is_everything(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and not (node.lower or node.upper or node.step)


# --- columns --------------------------------------------------------------------------------------


def _columns(place: Place, node: ast.expr, reader: Evaluator) -> str | tuple[str, ...] | None:
    """One name, several, or None for all. Those that are counted or lie between two are looked up by running."""
    if _is_everything(node):
        return None
    if isinstance(node, ast.Slice):
        return _looked_up(place, node, reader)
    try:
        key = reader.evaluate(node)
    except Unseen:
        raise
    except Unreadable:
        return _looked_up(place, node, reader)
    if place.by_label and isinstance(key, Constant) and isinstance(key.value, str):
        return key.value
    if place.by_label and isinstance(key, Constant) and isinstance(key.value, list):
        return picking.names_of(key)
    if isinstance(key, Constant) and isinstance(key.value, int) and not isinstance(key.value, bool):
        (name,) = picking.names_of(reader.look(f"[{place.source}.columns[{ast.unparse(node)}]]"))
        return name
    return _looked_up(place, node, reader)


def _looked_up(place: Place, node: ast.expr, reader: Evaluator) -> tuple[str, ...]:
    accessor = "loc" if place.by_label else "iloc"
    # A slice has a source only inside of a subscript.
    picked = ast.Subscript(ast.Name(accessor), ast.Tuple([ast.Slice(), node]))
    return picking.names_of(reader.look(f"{place.source}.{ast.unparse(picked)}.columns"))


# --- rows -----------------------------------------------------------------------------------------


def _rows(place: Place, node: ast.expr, reader: Evaluator) -> Frame | Method:
    """The rows; a `Method` named "row" where it is one row and not a table of rows."""
    if _is_everything(node):
        return place.frame
    if isinstance(node, ast.Slice):
        return _range(place, node, reader)
    key = reader.evaluate(node)
    match key:
        case Condition() if place.by_label:
            return picking.filtered(place.frame, key)
        case ExtremeRow() if place.by_label and picking.begins(key.frame, place.frame):
            return Method(replace(key.frame, taken=key.words), "row")
        case Constant(value=list() as items) if 0 < len(items) <= _MOST_ROWS:
            return _listed(place, items, reader)
        case Constant(value=(int() | str()) as item) if not isinstance(item, bool):
            return _one(place, item, reader)
    raise Unreadable("rows by label" if place.by_label else "rows by position")


def _by_number(place: Place, reader: Evaluator) -> bool:
    """Whether rows are counted: by position, or by labels that are the positions, which is asked of the table."""
    if not place.by_label:
        return True
    if place.frame.index:
        return False
    reader.require(reader.check(f"list(({place.source}).index) == list(range(len({place.source})))"))
    return True


def _taken(frame: Frame, words: str, reader: Evaluator) -> Frame:
    base = picking.counted(frame.settled() if frame.taken else frame, reader)
    return replace(base, taken=words)


def _one(place: Place, item: object, reader: Evaluator) -> Frame | Method:
    unnamed = place.by_label and isinstance(item, str) and not place.frame.index
    if not unnamed and _by_number(place, reader):
        if not isinstance(item, int) or item < (0 if place.by_label else -1):
            raise Unreadable("rows by position")
        words = "the last row" if item == -1 else f"the {picking.nth(item)} row"
        return Method(_taken(place.frame, words, reader), "row")
    # A label of several rows, or a month among days, picks a table.
    reader.require(reader.check(f"({place.source}).loc[{item!r}].ndim == 1"))
    if unnamed:
        return Method(_taken(place.frame, f"the row labelled {wording.value(item)}", reader), "row")
    return Method(place.frame.keep(f"{_label(place.frame)} is {wording.value(item)}"), "row")


def _listed(place: Place, items: list[object], reader: Evaluator) -> Frame:
    if _by_number(place, reader):
        if not all(isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in items):
            raise Unreadable("rows by position")
        places = [int(str(item)) for item in items]
        if len(places) > 1 and places == list(range(places[0], places[-1] + 1)):
            return _taken(place.frame, picking.rows_between(places[0], places[-1] + 1), reader)
        ordinals = [wording.ordinal(number + 1) for number in places]
        words = f"the {wording.listing(ordinals)} row{'s' if len(ordinals) > 1 else ''}"
        return _taken(place.frame, words, reader)
    names = wording.listing([wording.value(item) for item in items], "or")
    return place.frame.keep(f"{_label(place.frame)} is {names}")


def _label(frame: Frame) -> str:
    if frame.label is None:
        raise Unreadable("rows by label")
    return wording.name(frame.label)


def _range(place: Place, node: ast.Slice, reader: Evaluator) -> Frame:
    low = reader.constant(node.lower) if node.lower else None
    high = reader.constant(node.upper) if node.upper else None
    if node.step is not None:
        return _every(place, low, high, reader.constant(node.step), reader)
    if not _by_number(place, reader):
        return _between_labels(place, low, high, reader)
    if not _is_whole(low) or not _is_whole(high):
        raise Unreadable("range of row labels" if place.by_label else "rows by position")
    if place.by_label:
        # Both ends of a range of labels are in it.
        if any(isinstance(end, int) and end < 0 for end in (low, high)):
            raise Unreadable("range of row labels")
        high = high + 1 if isinstance(high, int) else None
    first, end = (low if isinstance(low, int) else 0), (high if isinstance(high, int) else None)
    return _taken(place.frame, picking.rows_between(first, end), reader)


def _is_whole(end: object) -> bool:
    return end is None or (isinstance(end, int) and not isinstance(end, bool))


def _every(place: Place, low: object, high: object, step: object, reader: Evaluator) -> Frame:
    """`frame.iloc[::2]`."""
    if place.by_label or high is not None or not isinstance(step, int) or step < 2 or not isinstance(low, int | None):
        raise Unreadable("rows by position")
    start = wording.ordinal((low or 0) + 1)
    words = f"every {wording.ordinal(step)} row, beginning with the {'first' if start == '1st' else start}"
    return _taken(place.frame, words, reader)


def _between_labels(place: Place, low: object, high: object, reader: Evaluator) -> Frame:
    """Rows whose label lies in a range, where the labels are sorted."""
    label = _label(place.frame)
    index = f"({place.source}).index"
    reader.require(reader.check(f"bool({index}.is_monotonic_increasing)"))
    if any(isinstance(end, str) and _PART_OF_A_DATE.fullmatch(end) for end in (low, high)):
        reader.require(reader.check(f"type({index}).__name__ == 'DatetimeIndex'"))
    clauses: list[str] = []
    ends: list[tuple[object, Callable[[object], str], str]] = [(low, _start, "at least"), (high, _end, "at most")]
    for end, words, sign in ends:
        if end is None:
            continue
        if not isinstance(end, (int, float, str)):
            raise Unreadable("range of row labels")
        if isinstance(end, str) and _DAY.fullmatch(end) and sign == "at most":
            # The last day is in it to its end where labels are dates, and not where they are texts.
            day = f"__import__('pandas').Timestamp({end!r})"
            dates = f"__import__('pandas').to_datetime({index})"
            next_day = f"{day} + __import__('pandas').Timedelta(days=1)"
            reader.require(reader.check(f"not (({dates} > {day}) & ({dates} < {next_day})).any()"))
        clauses.append(f"{label} is {sign} {words(end)}")
    return place.frame.keep(wording.listing(clauses))


def _start(end: object) -> str:
    return f"the start of {end}" if isinstance(end, str) and _PART_OF_A_DATE.fullmatch(end) else wording.value(end)


def _end(end: object) -> str:
    """A month or a year as the upper end of a range is in it to its last day."""
    return f"the end of {end}" if isinstance(end, str) and _PART_OF_A_DATE.fullmatch(end) else wording.value(end)


def column_in_rows(place: Place, column: Column, node: ast.expr, reader: Evaluator) -> Column:
    """`frame['a'].loc[2:5]`: a column of rows that are picked by their place."""
    kept = _rows(place, node, reader)
    if isinstance(kept, Method):
        raise Unreadable("subscript of a column")
    return replace(column, frame=kept)
