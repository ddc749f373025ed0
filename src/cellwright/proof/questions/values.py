"""Readings of what is made of each value of a column: conditions, replacements, functions, signs by their names."""

import ast
from collections.abc import Callable
from dataclasses import replace

from cellwright.proof.questions import comparing, joins, texts, wording
from cellwright.proof.questions.symbols import (
    Arguments,
    Column,
    Condition,
    Constant,
    Distinct,
    Evaluator,
    Form,
    Function,
    Module,
    Quantity,
    Symbol,
    Unreadable,
)


def missing(column: Column, absent: bool) -> Condition:
    """Whether the value is missing."""
    words = f"{column.subject} is missing", f"{column.subject} is not missing"
    return Condition(column.frame, words[not absent], opposite=words[absent])


_MOST_VALUES = 12
_MOST_REPLACED = 30


def _isin(column: Column, arguments: Arguments, reader: Evaluator) -> Condition:
    values = arguments.take("values", 0)
    match values:
        case Constant(value=list() | tuple() as items) if 0 < len(items) <= _MOST_VALUES:
            listed = wording.listing([wording.value(item) for item in items], "or")
            return Condition(column.frame, f"{column.subject} is {listed}")
        case Column() | Distinct():
            source = values.column if isinstance(values, Distinct) else values
            # A missing value is one of some values, where one of these is missing: nobody expects that.
            gaps = f"__import__('pandas').isna(list({arguments.text('values', 0)})).any()"
            reader.require(reader.check(f"not (({arguments.receiver}).isna().any() and {gaps})"))
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


def map_values(column: Column, arguments: Arguments, reader: Evaluator) -> Symbol:
    """`column.map(…)`: by a dictionary, or by a function."""
    mapping = arguments.take("arg", 0) or arguments.take("func", 0)
    if isinstance(mapping, Constant) and isinstance(mapping.value, dict):
        return _mapped(column, list(mapping.value.items()), "with {}, and every other value missing")
    return _by_function(column, mapping, arguments, reader)


def apply(column: Column, arguments: Arguments, reader: Evaluator) -> Symbol:
    """`column.apply(function)`."""
    return _by_function(column, arguments.take("func", 0), arguments, reader)


def _by_function(column: Column, function: Symbol | None, arguments: Arguments, reader: Evaluator) -> Symbol:
    match function:
        case Function():
            return of_each(column, function, reader)
        case Module(path="builtins.len" | "builtins.str" | "builtins.float" as path):
            return _by_builtin(column, path, arguments, reader)
        case Module() if function.path.startswith("numpy."):
            made = reader.call(function, column, {}, arguments.receiver)
            if isinstance(made, Column):  # and no statistic, which of one value is that value
                return made
    raise Unreadable("library function of each value")


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
    if not 0 < len(changes) <= _MOST_REPLACED:
        raise Unreadable("long mapping of values")
    listed = wording.listing(
        [f"the value {wording.value(old)} replaced by {wording.value(new)}" for old, new in changes]
    )
    return column.computed(f"{column.term} {form.format(listed)}", compound=True)


def type_name(arguments: Arguments) -> object:
    kind = arguments.take("dtype", 0)
    return kind.value if isinstance(kind, Constant) else getattr(kind, "path", "").rpartition(".")[2]


def _astype(column: Column, arguments: Arguments, _: Evaluator) -> Column:
    name = type_name(arguments)
    arguments.ignore("errors", "copy")
    if name in ("int", "int64", "int32", "Int64"):
        return column.computed(f"{column.term} as a whole number (fractions cut off)", compound=True)
    if name in ("float", "float64"):
        return (
            column
            if column.words == wording.name(column.name or "")
            else column.computed(f"{column.term} as a number", compound=True)
        )
    if name == "object":  # as categories, values without a row may be counted too
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
    to = wording.places(decimals)
    return column.computed(f"{column.term} rounded to {to} (halves to the even neighbour)", compound=True)


def _abs(column: Column, _: Arguments, __: Evaluator) -> Column:
    return column.computed(f"the absolute value of {column.operand}")


def _dropna(column: Column, _: Arguments, __: Evaluator) -> Column:
    return replace(column, frame=column.frame.keep(missing(column, absent=False).words))


def _same(column: Column, _: Arguments, __: Evaluator) -> Column:
    return column


def _as(form: Form) -> Callable[[Column, Arguments, Evaluator], Column]:
    def reading(column: Column, _: Arguments, __: Evaluator) -> Column:
        return replace(column, form=form)

    return reading


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


METHODS: dict[str, Callable[[Column, Arguments, Evaluator], Symbol]] = {
    "isin": _isin,
    "between": _between,
    "fillna": _fillna,
    "clip": _clip,
    "where": _where(keeps=True),
    "mask": _where(keeps=False),
    "replace": _replace,
    "astype": _astype,
    "round": _round,
    "abs": _abs,
    "dropna": _dropna,
    "copy": _same,
    "to_numpy": _as("array"),
    "tolist": _as("list"),
    "to_list": _as("list"),
    **{name: _sign(name) for name in _OPERATORS},
}
