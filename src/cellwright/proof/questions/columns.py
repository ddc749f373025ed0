"""Readings of what is done to one column: conditions, changes of values, statistics, counts of values."""

import ast
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from cellwright.proof.questions import comparing, joins, picking, series, statistics, texts, wording
from cellwright.proof.questions.symbols import (
    Arguments,
    Check,
    Column,
    Condition,
    Constant,
    Distinct,
    Evaluator,
    ExtremeRow,
    Form,
    Frame,
    Function,
    Items,
    Labelled,
    Method,
    Module,
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


# --- conditions and changes of values ---------------------------------------------------------------


def missing(column: Column, absent: bool) -> Condition:
    """Whether the value is missing."""
    words = f"{column.subject} is missing", f"{column.subject} is not missing"
    return Condition(column.frame, words[not absent], opposite=words[absent])


_MOST_VALUES = 12


def _isin(column: Column, arguments: Arguments, reader: Evaluator) -> Condition:
    values = arguments.take("values", 0)
    match values:
        case Constant(value=list() | tuple() as items) if 0 < len(items) <= _MOST_VALUES:
            listed = wording.listing([wording.value(item) for item in items], "or")
            return Condition(column.frame, f"{column.subject} is {listed}")
        case Column() | Distinct():
            source = values.column if isinstance(values, Distinct) else values
            whole = source.whole
            # Told beside the main line, as its rows are others.
            side = joins.described(whole.frame.settled())
            name = reader.note("values", f"the values of {whole.operand} in {side}")
            return Condition(column.frame, f"{column.subject} is one of {name}")
    raise Unreadable("isin of computed values")


_BOUNDS = {
    "both": "both included",
    "neither": "both left out",
    "left": "the first included and the last left out",
    "right": "the first left out and the last included",
}


def _between(column: Column, arguments: Arguments, reader: Evaluator) -> Condition:
    low, high = arguments.take("left", 0), arguments.take("right", 1)
    inclusive = arguments.constant("inclusive", 2, "both")
    if inclusive not in _BOUNDS:
        raise Unreadable("argument inclusive of between()")
    for bound in (low, high):
        if isinstance(bound, Constant):
            comparing.require_order(arguments.receiver, bound.value, reader)
    bounds = [_scalar(bound, column, reader) for bound in (low, high)]
    return Condition(column.frame, f"{column.subject} is between {bounds[0]} and {bounds[1]}, {_BOUNDS[inclusive]}")


def _scalar(symbol: Symbol | None, column: Column, reader: Evaluator) -> str:
    """The words of one value that all rows share."""
    match symbol:
        case Constant(value=(int() | float() | str()) as plain):
            return wording.value(plain)
        case Quantity() if symbol.frame.base == column.frame.base:
            return symbol.operand
        case Quantity():
            return joins.aside(symbol, reader)
    raise Unreadable("computed argument")


def _fillna(column: Column, arguments: Arguments, reader: Evaluator) -> Column:
    value = arguments.take("value", 0)
    match value:
        case Constant(value=(int() | float() | str()) as plain):
            words = wording.value(plain)
        case Quantity() if value.frame.base == column.frame.base:
            words = value.told
        case Quantity():
            words = joins.aside(value, reader)
        case Column() if value.frame == column.frame:
            words = value.term
        case _:
            raise Unreadable("fillna with computed values")
    return column.computed(f"{column.term} with its missing values replaced by {words}", compound=True)


def _clip(column: Column, arguments: Arguments, reader: Evaluator) -> Column:
    low, high = arguments.take("lower", 0), arguments.take("upper", 1)
    clauses: list[str] = []
    if low is not None and low != Constant(None):
        words = _scalar(low, column, reader)
        clauses.append(f"values below {words} raised to {words}")
    if high is not None and high != Constant(None):
        words = _scalar(high, column, reader)
        clauses.append(f"values above {words} lowered to {words}")
    if not clauses:
        raise Unreadable("clip without bounds")
    return column.computed(f"{column.term} with {wording.listing(clauses)}", compound=True)


def _where(keeps: bool) -> Callable[[Column, Arguments, Evaluator], Column]:
    def reading(column: Column, arguments: Arguments, reader: Evaluator) -> Column:
        condition, other = arguments.take("cond", 0), arguments.take("other", 1)
        if not isinstance(condition, Condition) or condition.frame != column.frame:
            raise Unreadable("where of something else than a condition")
        if other is None:
            words = "missing"
        elif isinstance(other, Column) and other.frame == column.frame:
            words = other.term
        else:
            words = _scalar(other, column, reader)
        first, second = (column.term, words) if keeps else (words, column.term)
        return column.computed(f"{first} where {condition.words}, else {second}", compound=True)

    return reading


def _replace(column: Column, arguments: Arguments, _: Evaluator) -> Column:
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
        return of_each(column, mapping, reader)
    if isinstance(mapping, Constant) and isinstance(mapping.value, dict):
        return _mapped(column, list(mapping.value.items()), "with {}, and every other value missing")
    if isinstance(mapping, Module) and mapping.path in ("builtins.len", "builtins.str", "builtins.float"):
        return _by_builtin(column, mapping.path, arguments, reader)
    raise Unreadable("map by a function")


def of_each(column: Column, function: Function, reader: Evaluator) -> Symbol:
    """What a function makes of every value."""
    value = replace(column.computed(column.words, compound=column.compound, kind=column.kind), form="element")
    return as_series(reader.apply(function, [value]))


def as_series(symbol: Symbol) -> Symbol:
    """What a function returns for each value, as a column."""
    return replace(symbol, form="series") if isinstance(symbol, Column) else symbol


def _by_builtin(column: Column, path: str, arguments: Arguments, reader: Evaluator) -> Column:
    if path == "builtins.len" and column.kind == "parts":
        return texts.parts_count(column)
    if path == "builtins.len":
        return column.computed(f"the number of characters of {column.operand}")
    if path == "builtins.str":  # a missing value would become the text "nan"
        reader.require(reader.check(f"not ({arguments.receiver}).isna().any()"))
        return column.computed(f"{column.term} as text", compound=True)
    return column


def looked_up(column: Column, mapping: dict[object, object]) -> Column:
    """`mapping[value]` for each value: one that the mapping lacks is an error, so there is none."""
    return _mapped(column, list(mapping.items()), "with {}")


def _mapped(column: Column, changes: list[tuple[object, object]], form: str) -> Column:
    if not 0 < len(changes) <= 12:
        raise Unreadable("long mapping of values")
    listed = wording.listing([f"{wording.value(old)} replaced by {wording.value(new)}" for old, new in changes])
    return column.computed(f"{column.term} {form.format(listed)}", compound=True)


def _type_name(arguments: Arguments) -> object:
    kind = arguments.take("dtype", 0)
    return kind.value if isinstance(kind, Constant) else getattr(kind, "path", "").rpartition(".")[2]


def _astype(column: Column, arguments: Arguments, _: Evaluator) -> Column:
    name = _type_name(arguments)
    arguments.ignore("errors", "copy")
    if name in ("int", "int64", "int32", "Int64"):
        return column.computed(f"{column.term} as a whole number (fractions cut off)", compound=True)
    if name in ("float", "float64", "object"):  # as categories, values without a row may be counted too
        return column
    if name in ("str", "string"):
        return column.computed(f"{column.term} as text", compound=True)
    if name == "datetime64[ns]":
        return column.computed(column.words, compound=column.compound)
    raise Unreadable("change of a column's type")


def _round(column: Column, arguments: Arguments, _: Evaluator) -> Column:
    return rounded(column, arguments.constant("decimals", 0, 0))


def rounded(column: Column, decimals: int) -> Column:
    """Every value rounded as numpy does it."""
    to = "a whole number" if decimals == 0 else f"{decimals} decimal{'s' if decimals > 1 else ''}"
    return column.computed(f"{column.term} rounded to {to} (halves to the even neighbour)", compound=True)


def _apply(column: Column, arguments: Arguments, reader: Evaluator) -> Symbol:
    function = arguments.take("func", 0)
    if isinstance(function, Function):
        return of_each(column, function, reader)
    if isinstance(function, Module) and function.path in ("builtins.len", "builtins.str", "builtins.float"):
        return _by_builtin(column, function.path, arguments, reader)
    raise Unreadable("apply of a library function")


# --- statistics --------------------------------------------------------------------------------------


def nunique(column: Column) -> Quantity:
    """How many distinct values, missing ones not counted."""
    return statistics.of_column(column, "nunique")


def relabelled(frame: Frame) -> Frame:
    """Rows numbered anew: where some have gone, or have moved, what was worked out before has other labels."""
    is_changed = bool(frame.steps or frame.where or frame.order or frame.taken or frame.index)
    return replace(frame, index=(), labels=frame.labels + is_changed)


def _value_counts(column: Column, arguments: Arguments, reader: Evaluator) -> Labelled:
    share = bool(arguments.constant("normalize", 0, False))
    if not arguments.constant("dropna", None, True) or arguments.take("bins"):
        raise Unreadable("value_counts of bins or missing values")
    ascending = bool(arguments.constant("ascending", 2, False))
    sorts = bool(arguments.constant("sort", 1, True))
    in_order = quiet_check(reader, f"{comparing.TEXT_ORDER}({arguments.receiver})")
    counts = statistics.value_counts(column.whole, share=share, sorts=sorts, in_order=in_order)
    return counts if counts.order is None else with_ties(replace(counts, order=ascending), arguments, reader)


def with_ties(counts: Labelled, arguments: Arguments, reader: Evaluator) -> Labelled:
    """Counts that are sorted, with what must hold where one is taken by its place."""
    code = f"({arguments.receiver}).{arguments.call}({arguments.source})"
    side = "min" if counts.order else "max"
    ties = quiet_check(reader, f"not {code}.duplicated().any()")
    first = quiet_check(reader, f"(lambda s: int((s == s.{side}()).sum()) == 1)({code})")
    return replace(counts, ties=ties, ties_at_first=first)


def quiet_check(reader: Evaluator, expression: str) -> Check:
    """A check that is False where it cannot be made, so that only what depends on it is refused."""
    try:
        return reader.check(expression)
    except Unreadable:
        return Check((), "False")


def _sort_values(column: Column, arguments: Arguments, reader: Evaluator) -> Column:
    ascending = bool(arguments.constant("ascending", None, True))
    arguments.ignore("ignore_index", "kind")
    if column.name is None:
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


def _abs(column: Column, _: Arguments, __: Evaluator) -> Column:
    return column.computed(f"the absolute value of {column.operand}")


def _dropna(column: Column, _: Arguments, __: Evaluator) -> Column:
    return replace(column, frame=column.frame.keep(f"{column.words} is not missing"))


def _same(column: Column, _: Arguments, __: Evaluator) -> Column:
    return column


def _as(form: Form) -> Callable[[Column, Arguments, Evaluator], Column]:
    def reading(column: Column, _: Arguments, __: Evaluator) -> Column:
        return replace(column, form=form)

    return reading


def _reset_index(column: Column, arguments: Arguments, _: Evaluator) -> Symbol:
    if arguments.constant("drop", None, False):
        return replace(column, frame=relabelled(column.frame))
    if not column.frame.index or column.name is None:
        raise Unreadable("row numbers as a column")
    return replace(column.frame, selection=(*column.frame.index, column.name), index=())


def _drop_duplicates(column: Column, arguments: Arguments, _: Evaluator) -> Distinct:
    return Distinct(column)


def _sign(name: str) -> Callable[[Column, Arguments, Evaluator], Symbol]:
    def reading(column: Column, arguments: Arguments, reader: Evaluator) -> Symbol:
        other = arguments.take("other", 0)
        if other is None:
            raise Unreadable(f"method {name}")
        names: dict[str, Symbol] = {"left": column, "right": other}
        return reader.within(names, ast.parse(f"left {_OPERATORS[name]} right", mode="eval").body)

    return reading


_OPERATORS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "truediv": "/",
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
    "eq": "==",
    "ne": "!=",
}


_CHANGES: dict[str, Callable[[Column, Arguments, Evaluator], Symbol]] = {
    "isin": _isin,
    "between": _between,
    "fillna": _fillna,
    "clip": _clip,
    "where": _where(keeps=True),
    "mask": _where(keeps=False),
    "replace": _replace,
    "astype": _astype,
    "round": _round,
    "value_counts": _value_counts,
    "sort_values": _sort_values,
    "nlargest": _largest(ascending=False),
    "nsmallest": _largest(ascending=True),
    "mode": _mode,
    "abs": _abs,
    "dropna": _dropna,
    "copy": _same,
    "to_numpy": _as("array"),
    "tolist": _as("list"),
    "to_list": _as("list"),
    "reset_index": _reset_index,
    "drop_duplicates": _drop_duplicates,
    **{name: _sign(name) for name in _OPERATORS},
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
    if method in ("min", "max"):
        in_their_order(arguments.receiver, reader)
    if method in _STATISTICS:
        ddof = arguments.constant("ddof", None, 0 if column.form == "array" else 1)
        if column.form == "array":  # a missing one would make all of it missing
            reader.require(reader.check(f"not __import__('pandas').isna({arguments.receiver}).any()"))
        if not arguments.constant("skipna", None, True):
            raise Unreadable("statistic that is missing where a value is")
        arguments.ignore("axis", "numeric_only")
        return statistics.of_column(column, method, ddof)
    if method in _MISSING:
        return missing(column, _MISSING[method])
    if method in series.METHODS:
        return series.call(column, method, arguments, reader)
    return _special_call(column, method, arguments, reader)


def in_their_order(source: str, reader: Evaluator) -> None:
    """Ask for an extreme only where it is the one that a person would take."""
    try:
        reader.require(reader.check(f"{comparing.TEXT_ORDER}({source})"))
    except Unreadable:
        return  # inside a function, where extremes are those of numbers


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
            return _map(column, arguments, reader)
        case "apply":
            return _apply(column, arguments, reader)
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
        case "value_counts":
            words = f"whether {condition.words}"
            share = bool(arguments.constant("normalize", 0, False))
            return statistics.value_counts(Column(condition.frame, words, compound=True), share=share)
        case "astype":
            raise Unreadable("astype of a condition")
    raise Unreadable(f"method {method} of a condition")
