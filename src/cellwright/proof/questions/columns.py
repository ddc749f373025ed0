"""Readings of what is done to one column: what is picked from it, its statistics, the counts of its values.

What is made of each of its values stands in `values.py`.
"""

import ast
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from cellwright.proof.questions import comparing, picking, series, statistics, texts, values, wording
from cellwright.proof.questions.symbols import (
    BINS,
    NEVER,
    Arguments,
    Column,
    Condition,
    Constant,
    Distinct,
    Evaluator,
    ExtremeRow,
    Items,
    Labelled,
    Method,
    Order,
    Quantity,
    Symbol,
    Unreadable,
)


def attribute(owner: Any, key: str, pandas_names: Collection[str]) -> Symbol:
    """An attribute of a column or of what came of one."""
    match owner:
        case Column() | Condition() if key == "size":
            return statistics.rows_count(owner.frame)
        case Column() | Condition() if key == "shape":
            return Items((statistics.rows_count(owner.frame),))
        case Column() if key == "index" and owner.frame.label is not None:
            return Column(owner.frame, wording.name(owner.frame.label), owner.frame.label)
        case Column() if key == "values":
            return replace(owner, form="array")
        case Column() if _is_dates(owner) and (found := texts.date_attribute(owner, key)) is not None:
            return found
        case Distinct() if key == "size":
            return statistics.distinct_count(owner.column)
        case Labelled() if key == "index":
            return Method(owner, "index")
        case _ if key in pandas_names:
            return Method(owner, key)
    raise Unreadable(f"attribute {key}")


def _is_dates(owner: Column) -> bool:
    """Whether parts of dates are its own attributes: of one date, and of row labels, but of no column."""
    return owner.form == "element" or (owner.name is not None and owner.name == owner.frame.label)


def subscript(owner: Column | Condition, node: ast.expr, reader: Evaluator, source: str = "") -> Symbol:
    """`column[condition]`: the column of the rows that meet it. `source`: of the column."""
    if isinstance(owner, Column) and owner.form == "element":
        return texts.item(owner, node, reader)
    if isinstance(node, ast.Slice):
        low = reader.constant(node.lower) if node.lower else 0
        high = reader.constant(node.upper) if node.upper else None
        if isinstance(owner, Column) and isinstance(low, int) and isinstance(high, int | None) and node.step is None:
            return replace(owner, frame=picking.take_rows(picking.counted(owner.frame, reader), low, high))
        raise Unreadable("range of a column")
    is_label = isinstance(owner, Column) and owner.name is not None and owner.name == owner.frame.label
    if isinstance(owner, Column) and (owner.form in ("array", "list") or is_label):
        return at_position(owner, node, reader)
    key = reader.evaluate(node)
    if (
        isinstance(key, ExtremeRow)
        and isinstance(owner, Column)
        and owner.name
        and picking.begins(key.frame, owner.frame)
    ):
        return picking.value_in_row(replace(key.frame, taken=key.words), owner.name)
    if isinstance(key, Condition) and isinstance(owner, Column) and _same_rows(key, owner):
        return replace(owner, frame=owner.frame.keep(key.words))
    if (
        isinstance(key, Constant)
        and isinstance(owner, Column)
        and owner.frame.label
        and not isinstance(key.value, list)
    ):
        # A label of several rows, or a month among days, gives a column.
        reader.require(reader.check(f"getattr(({source})[{key.value!r}], 'ndim', 0) == 0"))
        condition = f"{wording.name(owner.frame.label)} is {wording.value(key.value)}"
        words = f"the value of {owner.operand} in the row where {condition}"
        return Quantity(owner.frame, words, family="look-up")
    raise Unreadable("subscript of a column")


def _same_rows(condition: Condition, owner: Column) -> bool:
    first, second = condition.frame, owner.frame
    return (
        first.labels == second.labels
        and first.base == second.base
        and second.where[: len(first.where)] == first.where
        and not second.taken
    )


def head(column: Column, count: int, reader: Evaluator) -> Column:
    """The first values of a column."""
    if not isinstance(count, int) or count < 1:
        raise Unreadable("head of a computed length")
    words = "the first row" if count == 1 else f"the first {count} rows"
    base = picking.counted(column.frame.settled() if column.frame.taken else column.frame, reader)
    return replace(column, frame=replace(base, taken=words))


def at_position(column: Column, node: ast.expr, reader: Evaluator) -> Symbol:
    """`column.iloc[0]`, `column.values[0]`: the value in one row."""
    if isinstance(node, ast.Slice):
        return subscript(column, node, reader)
    place = reader.constant(node)
    if not isinstance(place, int) or isinstance(place, bool) or place < -1:
        raise Unreadable("value by position")
    frame = column.frame.settled() if column.frame.taken else column.frame
    # Equal quantities of groups are one and the same here: whose they are does not show.
    if not (frame.unique and frame.order is not None and frame.order.keys == (column.name,)):
        frame = picking.counted(frame, reader)
    nth = "last" if place == -1 else ("first" if place == 0 else wording.ordinal(place + 1))
    rows = f"of the {frame.rows}" if frame.where and frame.order is None else "row"
    words = f"the value of {column.operand} in the {nth} {rows}"
    base = frame.settled() if frame.order is not None else frame
    return Quantity(base, words, family="look-up", text=True)


# --- statistics --------------------------------------------------------------------------------------


def _value_counts(column: Column, arguments: Arguments, reader: Evaluator) -> Labelled:
    share = bool(arguments.constant("normalize", 0, False))
    if not arguments.constant("dropna", None, True) or arguments.take("bins"):
        raise Unreadable("value_counts of bins or missing values")
    ascending = bool(arguments.constant("ascending", 2, False))
    sorts = bool(arguments.constant("sort", 1, True))
    in_order = comparing.quiet_check(reader, f"{comparing.TEXT_ORDER}({arguments.receiver})")
    if column.kind in BINS:  # one without rows is counted too
        in_order, source = NEVER, f"({arguments.receiver})"
        reader.require(reader.check(f"bool({source}.cat.categories.isin({source}.unique()).all())"))
    counts = statistics.value_counts(column.whole, share=share, sorts=sorts, in_order=in_order)
    return counts if counts.order is None else with_ties(replace(counts, order=ascending), arguments, reader)


def with_ties(counts: Labelled, arguments: Arguments, reader: Evaluator) -> Labelled:
    """Counts that are sorted, with what must hold where one is taken by its place."""
    code = f"({arguments.receiver}).{arguments.call}({arguments.source})"
    side = "min" if counts.order else "max"
    ties = comparing.quiet_check(reader, f"not {code}.duplicated().any()")
    first = comparing.quiet_check(reader, f"(lambda s: int((s == s.{side}()).sum()) == 1)({code})")
    return replace(counts, ties=ties, ties_at_first=first)


def _sort_values(column: Column, arguments: Arguments, reader: Evaluator) -> Column:
    ascending = bool(arguments.constant("ascending", None, True))
    arguments.ignore("ignore_index", "kind")
    if column.name is None or column.kind in BINS:
        raise Unreadable("sorting of a computed column")
    base = column.frame.settled() if column.frame.taken else column.frame
    reader.require(reader.check(f"{comparing.TEXT_ORDER}({arguments.receiver})"))
    # Equal values are one and the same here: which row they come from does not show.
    return replace(column, frame=replace(base, order=Order((column.name,), (ascending,))))


def _largest(ascending: bool) -> Callable[[Column, Arguments, Evaluator], Column]:
    def reading(column: Column, arguments: Arguments, reader: Evaluator) -> Column:
        count = arguments.constant("n", 0, 5)
        way: dict[str, Symbol] = {"ascending": Constant(ascending)}
        ordered = _sort_values(column, Arguments("nlargest", [], way, arguments.receiver), reader)
        return head(ordered, count, reader)

    return reading


def _extreme_label(column: Column, method: str, arguments: Arguments, reader: Evaluator) -> Quantity | ExtremeRow:
    side = "highest" if method == "idxmax" else "lowest"
    found = "max" if method == "idxmax" else "min"
    reader.require(reader.check(f"(lambda s: int((s == s.{found}()).sum()) == 1)({arguments.receiver})"))
    whole = column.whole
    if column.frame.label is None:
        reader.require(reader.check(f"({arguments.receiver}).index.is_unique"))
        return ExtremeRow(whole.frame.settled(), f"the row with the {side} {whole.operand.removeprefix('the ')}")
    most = f"{side} {whole.operand.removeprefix('the ')}"
    words = f"the {wording.name(column.frame.label)} of the row with the {most}{whole.frame.over}"
    return Quantity(whole.frame, words, family="extreme", text=True)


def _mode(column: Column, arguments: Arguments, reader: Evaluator) -> Method:
    reader.require(reader.check(f"len(({arguments.receiver}).mode()) == 1"))
    return Method(column.whole, "mode")


def most_frequent(column: Column) -> Quantity:
    """The one mode of a column."""
    words = f"the most frequent value of {column.operand}{column.frame.over}"
    return Quantity(column.frame, words, family="extreme", text=True)


def _reset_index(column: Column, arguments: Arguments, _: Evaluator) -> Symbol:
    if arguments.constant("drop", None, False):
        return replace(column, frame=picking.relabelled(column.frame))
    if not column.frame.index or column.name is None:
        raise Unreadable("row numbers as a column")
    return replace(column.frame, selection=(*column.frame.index, column.name), index=())


def _drop_duplicates(column: Column, arguments: Arguments, _: Evaluator) -> Distinct:
    return Distinct(column)


_CHANGES: dict[str, Callable[[Column, Arguments, Evaluator], Symbol]] = {
    **values.METHODS,
    "value_counts": _value_counts,
    "sort_values": _sort_values,
    "nlargest": _largest(ascending=False),
    "nsmallest": _largest(ascending=True),
    "mode": _mode,
    "reset_index": _reset_index,
    "drop_duplicates": _drop_duplicates,
}
_STATISTICS = ("mean", "median", "sum", "min", "max", "std", "var", "count", "nunique", "skew", "kurt", "sem")
_MISSING = {"isnull": True, "isna": True, "notnull": False, "notna": False}


def call(owner: Column | Condition | Distinct, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    """The symbol of a method call on a column, a condition or distinct values."""
    match owner:
        case Condition():
            symbol = _condition_call(owner, method, arguments)
        case Distinct():
            raise Unreadable(f"{method} of distinct values")
        case Column():
            symbol = _column_call(owner, method, arguments, reader)
    arguments.done()
    return symbol


def _column_call(column: Column, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    if method in ("min", "max") and column.kind in BINS:
        raise Unreadable("order of bins")
    if method in ("min", "max"):
        comparing.in_their_order(arguments.receiver, reader)
    if method in _STATISTICS:
        ddof = arguments.constant("ddof", None, 0 if column.form == "array" else 1)
        if column.form == "array":  # a missing one would make all of it missing
            reader.require(reader.check(f"not __import__('pandas').isna({arguments.receiver}).any()"))
        if not arguments.constant("skipna", None, True):
            raise Unreadable("statistic that is missing where a value is")
        arguments.ignore("axis", "numeric_only")
        return statistics.of_column(column, method, ddof)
    if method in _MISSING:
        return values.missing(column, _MISSING[method])
    if method in series.METHODS:
        return series.call(column, method, arguments, reader)
    return _special_call(column, method, arguments, reader)


def _special_call(column: Column, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    match method:
        case "unique":
            return Distinct(column.whole)
        case "quantile":
            return statistics.of_column(column, statistics.quantile_name(arguments.constant("q", 0, 0.5)))
        case "describe":
            return _describe(column.whole)
        case "idxmax" | "idxmin":
            return _extreme_label(column, method, arguments, reader)
        case "corr":
            other = arguments.take("other", 0)
            if isinstance(other, Column):
                return statistics.correlation(column, other, str(arguments.constant("method", 1, "pearson")))
        case "cov":
            other = arguments.take("other", 0)
            if isinstance(other, Column) and arguments.constant("ddof", None, 1) == 1:
                return statistics.covariance(column, other)
        case "agg" | "aggregate":
            named = arguments.constant("func", 0)
            if isinstance(named, str):
                return _column_call(column, named, Arguments(named, [], {}, arguments.receiver), reader)
        case "map":
            return values.map_values(column, arguments, reader)
        case "apply":
            return values.apply(column, arguments, reader)
        case "head":
            return head(column, arguments.constant("n", 0, 5), reader)
        case "duplicated":
            ordered = series.in_order(column, reader)
            return Condition(ordered.frame, f"the row has the same {column.words} as an earlier row")
        case "upper" | "lower" | "strip" | "title" | "capitalize" | "startswith" | "endswith" | "split" | "replace" if (
            column.form == "element"
        ):
            return texts.call(column, "str", method, arguments)
    reading = _CHANGES.get(method)
    if reading is None:
        raise Unreadable(f"method {method}")
    return reading(column, arguments, reader)


def _describe(column: Column) -> Labelled:
    def at(labels: Any) -> str:
        return f"the {statistics.described(labels[0])} of {column.operand}{column.frame.over}"

    return Labelled(column.frame, at, "", "", family="describe")


def _condition_call(condition: Condition, method: str, arguments: Arguments) -> Symbol:
    arguments.ignore("axis")
    match method:
        case "sum":
            return statistics.rows_count(condition.frame.keep(condition.words))
        case "mean":
            return statistics.rows_share(condition)
        case "any":
            return Quantity(condition.frame, f"there is a row where {condition.words}", family="boolean")
        case "all":
            return Quantity(
                condition.frame, f"in every one of the {condition.frame.rows}, {condition.words}", family="boolean"
            )
        case "astype" if values.type_name(arguments) in ("int", "int64", "int32", "float"):
            return Column(condition.frame, f"1 where {condition.words}, else 0", compound=True)
        case "value_counts":
            words = f"whether {condition.words}"
            share = bool(arguments.constant("normalize", 0, False))
            return statistics.value_counts(Column(condition.frame, words, compound=True), share=share)
        case "astype":
            raise Unreadable("astype of a condition")
    raise Unreadable(f"method {method} of a condition")
