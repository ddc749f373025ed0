"""Readings of what is done to groups; `labelled.py` has what is done to the quantities that come of them."""

import re
from collections.abc import Sequence
from dataclasses import replace

from cellwright.proof.questions import comparing, labelled, picking, series, statistics, wording
from cellwright.proof.questions.symbols import (
    Arguments,
    Column,
    Condition,
    Constant,
    Evaluator,
    Frame,
    Function,
    Grid,
    Grouping,
    Items,
    Labelled,
    Module,
    Quantity,
    Resampled,
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


def aggregate(grouping: Grouping, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    """The symbol of a method call on groups."""
    symbol = _aggregate(grouping, method, arguments, reader)
    arguments.done()
    if grouping.as_index or isinstance(symbol, (Frame, Column, Quantity)):
        return symbol
    if isinstance(symbol, Labelled):
        return replace(labelled.as_table(symbol, reader, symbol.column or method), index=())
    if isinstance(symbol, Grid) and symbol.table is not None:
        return replace(symbol.table, index=())
    raise Unreadable("groups as rows of a new table")


def _aggregate(grouping: Grouping, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    if method == "size":
        return statistics.rows_per_group(grouping)
    if method in _STATISTICS:
        ddof = arguments.constant("ddof", None, 1)
        if arguments.constant("numeric_only", None, False) and grouping.columns is not None and not grouping.single:
            # Columns of texts are left out, and only running tells which those are.
            left = reader.look(f"{arguments.receiver}.{method}(numeric_only=True).columns").value
            grouping = replace(grouping, columns=tuple(name for name in grouping.columns if name in left))
        arguments.ignore("numeric_only", "0")
        if method in ("min", "max") and grouping.single and arguments.receiver:
            comparing.in_their_order(f"({arguments.receiver}).obj", reader)
        return _one_statistic(_in_order(grouping, [method], reader), method, ddof)
    if method == "quantile":
        return _one_statistic(grouping, statistics.quantile_name(arguments.constant("q", 0, 0.5)), 1)
    if method in ("agg", "aggregate"):
        function = arguments.take("func", 0)
        if isinstance(function, Function) and grouping.single:
            return _applied(grouping, arguments, reader)
        return _agg(grouping, arguments, reader)
    if method == "describe" and grouping.columns is not None and grouping.single:
        return _describe_one(grouping)
    if method == "describe":
        return statistics.group_grid(grouping, None, "describe")
    if method == "value_counts" and grouping.single and grouping.columns:
        share = bool(arguments.constant("normalize", 0, False))
        return _counts_within(grouping, grouping.columns[0], share)
    if method == "apply":
        return _applied(grouping, arguments, reader)
    if method == "get_group":
        return _one_group(grouping, arguments)
    return _of_each_row(grouping, method, arguments, reader)


def _of_each_row(grouping: Grouping, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    """What is said of rows by their groups: a row whose group is missing is in none."""
    if method in _OF_EACH_ROW:
        reader.require(reader.check(f"bool(({arguments.receiver}).ngroup().ge(0).all())"))
    if method == "transform":
        return _transform(grouping, arguments)
    if method == "filter":
        return _some_groups(grouping, arguments, reader)
    if method in ("head", "tail", "cumcount"):
        return _rows_of_groups(grouping, method, arguments, reader)
    within = series.within_groups(grouping, method, arguments, reader)
    if within is None:
        raise Unreadable(f"method {method} of groups")
    return within


def resampled_call(resampled: Resampled, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    """A statistic of every period."""
    if method in ("ffill", "bfill", "shift", "diff", "pct_change", "cumsum", "cummax", "cummin", "rank"):
        raise Unreadable(f"method {method} of periods")
    if method in ("first", "last") or _FIRST_OR_LAST.search(arguments.source):  # pandas takes the rows by date
        reader.require(reader.check(f"bool({resampled.dates}.is_monotonic_increasing)"))
    grouping = Grouping(resampled.frame, (resampled.key,), resampled.columns, resampled.single)
    return aggregate(grouping, method, arguments, reader)


_FIRST_OR_LAST = re.compile(r"['\"](first|last)['\"]")


def _same_group(grouping: Grouping) -> str:
    return f"all rows with the same {wording.listing([key.words for key in grouping.keys])}"


def _transform(grouping: Grouping, arguments: Arguments) -> Column:
    """A statistic of its group, for every row."""
    how = arguments.take("func", 0)
    name = how.value if isinstance(how, Constant) else ""
    if isinstance(how, Module):
        name = statistics.function_name(how.path)
    if grouping.columns is None or not grouping.single or not isinstance(name, str) or not name:
        raise Unreadable("transform by a function")
    column = grouping.columns[0]
    frame = grouping.frame.settled()
    if name == "size":
        return Column(frame, f"the number of {_same_group(grouping).removeprefix('all ')}", None, False, column)
    words = f"the {statistics.statistic_words(name)} of {wording.name(column)} over {_same_group(grouping)}"
    return Column(frame, words, None, False, column)


_GROUP = "\x00"


def _applied(grouping: Grouping, arguments: Arguments, reader: Evaluator) -> Labelled:
    """A value that a function works out from the rows, or one column, of every group."""
    function = arguments.take("func", 0)
    arguments.ignore("include_groups")
    if not isinstance(function, Function):
        raise Unreadable("aggregation by a function")
    every = _value(function, grouping, grouping.frame, reader)
    one = _value(function, grouping, grouping.frame.keep(_GROUP), reader)
    if _GROUP not in one.words:
        raise Unreadable("aggregation by a function")

    def at(labels: Sequence[object]) -> str:
        return one.words.replace(_GROUP, " and ".join(statistics.group_condition(grouping.keys, labels)))

    is_one = one.words.count(_GROUP) == 1 and one.words.startswith(every.words)
    told = every.words if is_one else one.words.replace(f"rows where {_GROUP}", "rows of the group")
    told = told.replace(f" and {_GROUP}", " within the group")
    words = f"value of {told}" if told.startswith("(") else told.removeprefix("the ")
    return Labelled(grouping.frame, at, words, statistics.each(grouping), every.decimals)


def _value(function: Function, grouping: Grouping, frame: Frame, reader: Evaluator) -> Quantity:
    given: Symbol = frame
    if grouping.single and grouping.columns:
        given = picking.column(frame, grouping.columns[0])
    symbol = reader.apply(function, [given])
    if not isinstance(symbol, Quantity):
        raise Unreadable("aggregation by a function")
    return symbol


def _some_groups(grouping: Grouping, arguments: Arguments, reader: Evaluator) -> Frame:
    """The rows of the groups that meet a condition as a whole."""
    function = arguments.take("func", 0)
    if not isinstance(function, Function) or grouping.columns is not None:
        raise Unreadable("filter of groups by a library function")
    base = replace(grouping.frame.settled(), selection=None)
    condition = reader.apply(function, [base])
    if not isinstance(condition, Condition) or not condition.single or condition.frame.base != base.base:
        raise Unreadable("filter of groups by something else than a condition")
    same = wording.listing([key.words for key in grouping.keys])
    return grouping.frame.then(f"of each group of rows with the same {same}, keep all if {condition.words}, else none")


def _one_group(grouping: Grouping, arguments: Arguments) -> Frame | Column:
    label = arguments.constant("name", 0)
    labels = list(label) if isinstance(label, (tuple, list)) else [label]
    frame = statistics.in_group(grouping, labels)
    if grouping.single and grouping.columns:
        return picking.column(frame, grouping.columns[0])
    return replace(frame, selection=grouping.columns or frame.selection)


def _rows_of_groups(grouping: Grouping, method: str, arguments: Arguments, reader: Evaluator) -> Frame | Column:
    """The first or last rows of every group, or each row's place in its group."""
    if grouping.columns is not None and method != "cumcount":
        raise Unreadable(f"method {method} of groups")
    frame = series.in_order(Column(grouping.frame, ""), reader).frame
    if method == "cumcount":
        same = wording.listing([key.words for key in grouping.keys])
        return Column(frame, f"the number of earlier rows with the same {same}")
    count = arguments.constant("n", 0, 5)
    if not isinstance(count, int) or count < 1:
        raise Unreadable(f"{method} of a computed length")
    side = "first" if method == "head" else "last"
    rows = f"the {side} row" if count == 1 else f"the {side} {count} rows"
    return frame.then(f"keep only {rows} of each {grouping.each}")


_OF_EACH_ROW = frozenset(("transform", "filter", "head", "tail", "cumcount", "rank", *series.IN_ORDER))
_OF_PYTHON = frozenset(("builtins.sum", "builtins.min", "builtins.max"))


def _in_order(grouping: Grouping, names: Sequence[str], reader: Evaluator) -> Grouping:
    """Groups in which the first and the last row are told: those of a sort, or of the file."""
    if not {"first", "last"} & set(names):
        return grouping
    frame = series.in_order(Column(grouping.frame, ""), reader).frame
    return replace(grouping, frame=frame, keys=tuple(replace(key, frame=frame) for key in grouping.keys))


def _one_statistic(grouping: Grouping, method: str, ddof: int) -> Symbol:
    if grouping.columns is not None and grouping.single:
        return statistics.per_group(grouping, grouping.columns[0], method, ddof)
    if ddof != 1:
        raise Unreadable("argument ddof")
    return statistics.group_grid(grouping, None, method)


def _describe_one(grouping: Grouping) -> Grid:
    column = (grouping.columns or ("",))[0]

    def at(rows: Sequence[object], labels: Sequence[object]) -> str:
        over = statistics.in_group(grouping, rows).over
        return f"the {statistics.described(labels[0])} of {wording.name(column)}{over}"

    return Grid(grouping.frame, at, "describe", columns_are_names=False)


def _counts_within(grouping: Grouping, column: str, share: bool) -> Labelled:
    frame = grouping.frame
    inner = replace(grouping, keys=(*grouping.keys, picking.column(frame, column)), columns=None)
    counts = replace(statistics.rows_per_group(inner), column="count")
    if not share:
        return counts

    def at(labels: Sequence[object]) -> str:
        *outer, label = labels
        among = statistics.in_group(grouping, outer).keep(f"{wording.name(column)} is not missing")
        return (
            f"the fraction (between 0 and 1), among the {among.rows}, of those where {wording.name(column)} is "
            f"{wording.value(label)}"
        )

    return replace(counts, at=at, statistic="", each="", family="share", column="proportion", table=None)


def _agg(grouping: Grouping, arguments: Arguments, reader: Evaluator) -> Symbol:
    def plain(name: str) -> str:
        """The statistic: Python's own functions are pandas' where nothing is missing."""
        if name in _OF_PYTHON:
            groups = f"({arguments.receiver})"
            reader.require(reader.check(f"not bool({groups}.obj.isna().to_numpy().any())"))
        return name.removeprefix("builtins.") if name in _OF_PYTHON else name

    if arguments.named and not arguments.positional and not {"func"} & set(arguments.named):
        named = {key: _named(grouping, arguments, key) for key in arguments.named}
        told = {key: (column, plain(how)) for key, (column, how) in named.items()}
        grouping = _in_order(grouping, [how for _, how in told.values()], reader)
        return statistics.named_grid(grouping, told)
    how = arguments.take("func", 0)
    match how:
        case Constant(value=str() as method):
            return _one_statistic(_in_order(grouping, [method], reader), method, 1)
        case Module():
            return _one_statistic(grouping, plain(statistics.function_name(how.path)), 1)
        case Constant(value=dict() as chosen):
            columns = {str(key): [value] if isinstance(value, str) else list(value) for key, value in chosen.items()}
            columns = {key: [plain(str(name)) for name in names] for key, names in columns.items()}
            grouping = _in_order(grouping, [name for names in columns.values() for name in names], reader)
            return statistics.group_grid(grouping, columns, None)
        case Constant(value=list()) | Items():
            if grouping.single and grouping.columns:
                return _several(grouping, grouping.columns[0])
            return statistics.group_grid(grouping, None, None)
    raise Unreadable("aggregation by a function")


def _named(grouping: Grouping, arguments: Arguments, key: str) -> tuple[str, str]:
    """The column and statistic of a named aggregation."""
    match arguments.take(key):
        case Constant(value=(str() as column, str() as how)) | Constant(value=[str() as column, str() as how]):
            return column, how
        case Constant(value=str() as how) if grouping.single and grouping.columns:
            return grouping.columns[0], how
        case Items(symbols=(Constant(value=str() as column), Module() as function)):
            return column, statistics.function_name(function.path)
    raise Unreadable("aggregation by a function")


def _several(grouping: Grouping, column: str) -> Grid:
    def at(rows: Sequence[object], labels: Sequence[object]) -> str:
        name = statistics.statistic_words(str(labels[0]))
        return f"the {name} of {wording.name(column)}{statistics.in_group(grouping, rows).over}"

    return Grid(grouping.frame, at, "group-aggregate", columns_are_names=False)
