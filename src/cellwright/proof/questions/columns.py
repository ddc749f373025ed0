"""Readings of what is done to one column: conditions, text and dates, statistics, counts of values."""

import ast
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from cellwright.proof.questions import statistics, wording
from cellwright.proof.questions.symbols import (
    Arguments,
    Column,
    Condition,
    Constant,
    Distinct,
    Evaluator,
    Function,
    Labelled,
    Method,
    Order,
    Quantity,
    Symbol,
    Unreadable,
)

_REGEX_SIGNS = set(".^$*+?{}[]\\|()")
DATE_PARTS = {
    "year": "the year of {}",
    "month": "the month of {} (1 to 12)",
    "day": "the day of the month of {}",
    "hour": "the hour of {} (0 to 23)",
    "minute": "the minute of {}",
    "dayofweek": "the day of the week of {} (Monday is 0)",
    "weekday": "the day of the week of {} (Monday is 0)",
    "date": "the date of {} without its time",
    "quarter": "the quarter of {}",
}
_TEXT_CHANGES = {
    "lower": "{} in lower case",
    "upper": "{} in upper case",
    "strip": "{} without spaces at its ends",
    "title": "{} with the first letter of each word capital",
    "capitalize": "{} with only its first letter capital",
    "len": "the number of characters of {}",
}


def attribute(owner: Any, key: str, pandas_names: Collection[str]) -> Symbol:
    """An attribute of a column or of what came of one."""
    match owner:
        case Column() | Condition() if key in ("shape", "size"):
            return statistics.rows_count(owner.frame)
        case Column() if key == "values":
            return owner
        case Column() if key in DATE_PARTS and owner.name is None:
            return date_part(owner, key)
        case Distinct() if key == "size":
            return nunique(owner.column)
        case Labelled() if key == "index":
            return Method(owner, "index")
        case _ if key in pandas_names:
            return Method(owner, key)
    raise Unreadable(f"attribute {key}")


def date_part(column: Column, part: str) -> Column:
    """The year, month, … of a column of dates."""
    return Column(column.frame, DATE_PARTS[part].format(column.operand))


def subscript(owner: Column | Condition, node: ast.expr, reader: Evaluator) -> Symbol:
    """`column[condition]`: the column of the rows that meet it."""
    if isinstance(node, ast.Slice):
        low = reader.constant(node.lower) if node.lower else 0
        high = reader.constant(node.upper) if node.upper else None
        if isinstance(owner, Column) and low == 0 and isinstance(high, int) and high > 0 and node.step is None:
            return head(owner, high)
        raise Unreadable("range of a column")
    key = reader.evaluate(node)
    if isinstance(key, Condition) and isinstance(owner, Column) and _same_rows(key, owner):
        return replace(owner, frame=owner.frame.keep(key.words))
    if (
        isinstance(key, Constant)
        and isinstance(owner, Column)
        and owner.frame.index
        and not isinstance(key.value, list)
    ):
        condition = f"{wording.name(owner.frame.index)} is {wording.value(key.value)}"
        words = f"the value of {owner.words} in the row where {condition}"
        return Quantity(owner.frame, words, family="look-up")
    raise Unreadable("subscript of a column")


def _same_rows(condition: Condition, owner: Column) -> bool:
    first, second = condition.frame, owner.frame
    return first.base == second.base and second.where[: len(first.where)] == first.where and not second.taken


def head(column: Column, count: int) -> Column:
    """The first values of a column."""
    words = "the first row" if count == 1 else f"the first {count} rows"
    base = column.frame.settled() if column.frame.taken else column.frame
    return replace(column, frame=replace(base, taken=words))


def text_item(column: Column, key: object) -> Column:
    """`column.str[0]`."""
    if isinstance(key, int) and key >= 0:
        return Column(column.frame, f"the {wording.ordinal(key + 1)} character of {column.operand}")
    raise Unreadable("subscript of a text")


# --- conditions and changes of values ---------------------------------------------------------------


def missing(column: Column, absent: bool) -> Condition:
    """Whether the value is missing."""
    return Condition(column.frame, f"{column.words} is {'missing' if absent else 'not missing'}")


def _isin(column: Column, arguments: Arguments) -> Condition:
    values = arguments.take("values", 0)
    if isinstance(values, Constant) and isinstance(values.value, list) and 0 < len(values.value) <= 12:
        listed = wording.listing([wording.value(item) for item in values.value], "or")
        return Condition(column.frame, f"{column.words} is {listed}")
    raise Unreadable("isin of computed values")


def _between(column: Column, arguments: Arguments) -> Condition:
    low, high = arguments.constant("left", 0), arguments.constant("right", 1)
    inclusive = arguments.constant("inclusive", 2, "both")
    if inclusive != "both":
        raise Unreadable("argument inclusive of between()")
    return Condition(
        column.frame, f"{column.words} is between {wording.value(low)} and {wording.value(high)}, both included"
    )


def _fillna(column: Column, arguments: Arguments) -> Column:
    value = arguments.take("value", 0)
    match value:
        case Constant(value=(int() | float() | str()) as plain):
            words = wording.value(plain)
        case Quantity() if value.frame.base == column.frame.base:
            words = value.words
        case _:
            raise Unreadable("fillna with computed values")
    return replace(column, words=f"{column.words} with its missing values replaced by {words}", compound=True)


def _replace(column: Column, arguments: Arguments) -> Column:
    old, new = arguments.take("to_replace", 0), arguments.take("value", 1)
    match old, new:
        case Constant(value=dict() as pairs), None:
            changes = list(pairs.items())
        case Constant(value=list() as olds), Constant(value=list() as news) if len(olds) == len(news):
            changes = list(zip(olds, news, strict=True))
        case Constant(value=list() as olds), Constant(value=one):
            changes = [(item, one) for item in olds]
        case Constant(value=item), Constant(value=one):
            changes = [(item, one)]
        case _:
            raise Unreadable("replace by computed values")
    return _mapped(column, changes, "with {}")


def _map(column: Column, arguments: Arguments, reader: Evaluator) -> Symbol:
    mapping = arguments.take("arg", 0) or arguments.take("func", 0)
    if isinstance(mapping, Function):
        return reader.apply(mapping, [replace(column, name=None)])
    if isinstance(mapping, Constant) and isinstance(mapping.value, dict):
        return _mapped(column, list(mapping.value.items()), "with {}, and every other value missing")
    raise Unreadable("map by a function")


def looked_up(column: Column, mapping: dict[object, object]) -> Column:
    """`mapping[value]` for each value: one that the mapping lacks is an error, so there is none."""
    return _mapped(column, list(mapping.items()), "with {}")


def _mapped(column: Column, changes: list[tuple[object, object]], form: str) -> Column:
    if not 0 < len(changes) <= 12:
        raise Unreadable("long mapping of values")
    listed = wording.listing([f"{wording.value(old)} replaced by {wording.value(new)}" for old, new in changes])
    return replace(column, words=f"{column.words} {form.format(listed)}", compound=True)


def _type_name(arguments: Arguments) -> object:
    kind = arguments.take("dtype", 0)
    return kind.value if isinstance(kind, Constant) else getattr(kind, "path", "").rpartition(".")[2]


def _astype(column: Column, arguments: Arguments) -> Column:
    name = _type_name(arguments)
    if name in ("int", "int64", "int32"):
        return replace(column, words=f"{column.words} as a whole number (fractions cut off)", compound=True)
    if name in ("float", "float64", "category", "object"):
        return column
    if name == "datetime64[ns]":
        return replace(column, name=None)
    raise Unreadable("change of a column's type")


def _round(column: Column, arguments: Arguments) -> Column:
    decimals = arguments.constant("decimals", 0, 0)
    return replace(column, words=f"{column.words} rounded to {decimals} decimals", compound=True)


def _apply(column: Column, arguments: Arguments, reader: Evaluator) -> Symbol:
    function = arguments.take("func", 0)
    if isinstance(function, Function):
        return reader.apply(function, [replace(column, name=None)])
    raise Unreadable("apply of a library function")


# --- statistics --------------------------------------------------------------------------------------


def nunique(column: Column) -> Quantity:
    """How many distinct values, missing ones not counted."""
    return statistics.of_column(column, "nunique")


def _value_counts(column: Column, arguments: Arguments) -> Labelled:
    share = bool(arguments.constant("normalize", 0, False))
    if not arguments.constant("dropna", None, True) or arguments.take("bins"):
        raise Unreadable("value_counts of bins or missing values")
    ascending = bool(arguments.constant("ascending", 2, False))
    arguments.ignore("sort", "1")
    return replace(statistics.value_counts(column, share=share), order=ascending)


def _sort_values(column: Column, arguments: Arguments) -> Column:
    ascending = bool(arguments.constant("ascending", None, True))
    if column.name is None:
        raise Unreadable("sorting of a computed column")
    base = column.frame.settled() if column.frame.taken else column.frame
    return replace(column, frame=replace(base, order=Order((column.name,), (ascending,))))


def _largest(ascending: bool) -> Callable[[Column, Arguments], Column]:
    def reading(column: Column, arguments: Arguments) -> Column:
        count = arguments.constant("n", 0, 5)
        ordered = _sort_values(column, Arguments("nlargest", [], {"ascending": Constant(ascending)}))
        return head(ordered, count)

    return reading


def _extreme_label(column: Column, method: str) -> Quantity:
    if column.frame.index is None:
        raise Unreadable("row number as an answer")
    side = "highest" if method == "idxmax" else "lowest"
    words = f"the {wording.name(column.frame.index)} of the row with the {side} {column.words}{column.frame.over}"
    return Quantity(column.frame, words, family="extreme", text=True)


def _mode(column: Column, arguments: Arguments) -> Quantity:
    raise Unreadable("mode")


_CHANGES: dict[str, Callable[[Column, Arguments], Symbol]] = {
    "isin": _isin,
    "between": _between,
    "fillna": _fillna,
    "replace": _replace,
    "astype": _astype,
    "round": _round,
    "value_counts": _value_counts,
    "sort_values": _sort_values,
    "nlargest": _largest(ascending=False),
    "nsmallest": _largest(ascending=True),
    "mode": _mode,
    "abs": lambda column, _: replace(column, words=f"the absolute value of {column.operand}", compound=False),
    "dropna": lambda column, _: replace(column, frame=column.frame.keep(f"{column.words} is not missing")),
    "copy": lambda column, _: column,
    "to_numpy": lambda column, _: column,
    "tolist": lambda column, _: column,
    "to_list": lambda column, _: column,
}
_STATISTICS = ("mean", "median", "sum", "min", "max", "std", "var", "count", "nunique")
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
    if method in _STATISTICS:
        ddof = arguments.constant("ddof", None, 1)
        arguments.ignore("skipna", "axis")
        return statistics.of_column(column, method, ddof)
    if method in _MISSING:
        return missing(column, _MISSING[method])
    match method:
        case "unique":
            return Distinct(column)
        case "quantile":
            return statistics.of_column(column, statistics.quantile_name(arguments.constant("q", 0, 0.5)))
        case "describe":
            return _describe(column)
        case "idxmax" | "idxmin":
            return _extreme_label(column, method)
        case "corr":
            other = arguments.take("other", 0)
            if isinstance(other, Column):
                return statistics.correlation(column, other, str(arguments.constant("method", 1, "pearson")))
        case "map":
            return _map(column, arguments, reader)
        case "apply":
            return _apply(column, arguments, reader)
        case "head":
            return head(column, arguments.constant("n", 0, 5))
        case "duplicated":
            return Condition(column.frame, f"the row has the same {column.words} as an earlier row")
        case "upper" | "lower" | "strip" | "title" | "capitalize" if column.name is None:
            return accessor_call(column, "str", method, arguments)
    reading = _CHANGES.get(method)
    if reading is None:
        raise Unreadable(f"method {method}")
    return reading(column, arguments)


def _describe(column: Column) -> Labelled:
    def at(labels: Any) -> str:
        return f"the {statistics.described(labels[0])} of {column.words}{column.frame.over}"

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
        case "astype" if _type_name(arguments) in ("int", "int64", "int32", "float"):
            return Column(condition.frame, f"1 where {condition.words}, else 0", compound=True)
        case "value_counts" | "astype":
            raise Unreadable(f"{method} of a condition")
    raise Unreadable(f"method {method} of a condition")


def accessor_call(column: Column, accessor: str, method: str, arguments: Arguments) -> Symbol:
    """`column.str.method(...)` and `column.dt.method(...)`."""
    symbol = _text_call(column, method, arguments) if accessor == "str" else _date_call(column, method, arguments)
    arguments.done()
    return symbol


def _date_call(column: Column, method: str, arguments: Arguments) -> Column:
    if method == "day_name":
        return Column(column.frame, f"the English name of the weekday of {column.operand}")
    if method == "month_name":
        return Column(column.frame, f"the English name of the month of {column.operand}")
    raise Unreadable(f"method {method} of dates")


def _text_call(column: Column, method: str, arguments: Arguments) -> Symbol:
    if method in _TEXT_CHANGES:
        return Column(column.frame, _TEXT_CHANGES[method].format(column.operand))
    match method:
        case "contains":
            return _contains(column, arguments)
        case "startswith" | "endswith":
            side = "starts" if method == "startswith" else "ends"
            arguments.ignore("na")
            return Condition(column.frame, f"{column.words} {side} with {wording.value(arguments.constant('pat', 0))}")
        case "replace":
            old, new = arguments.constant("pat", 0), arguments.constant("repl", 1)
            if arguments.constant("regex", None, False):
                raise Unreadable("replace by a regular expression")
            words = f"{column.words} with every {wording.value(old)} replaced by {wording.value(new)}"
            return Column(column.frame, words, compound=True)
    raise Unreadable(f"method {method} of texts")


def _contains(column: Column, arguments: Arguments) -> Condition:
    pattern = str(arguments.constant("pat", 0))
    case = bool(arguments.constant("case", 1, True))
    regex = bool(arguments.constant("regex", None, True)) and bool(_REGEX_SIGNS & set(pattern))
    arguments.ignore("na")
    how = f"matches the regular expression {pattern!r} somewhere" if regex else f"contains {wording.value(pattern)}"
    letters = "" if case else ", ignoring case"
    return Condition(column.frame, f"{column.words} {how}{letters}")
