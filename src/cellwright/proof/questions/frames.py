"""Readings of what makes a table of a table (cleaning, columns, joining, grouping), and the list of all methods."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from cellwright.proof.questions import (
    changing,
    columns,
    comparing,
    joins,
    ordering,
    picking,
    querying,
    reshaping,
    series,
    summaries,
    values,
    wording,
)
from cellwright.proof.questions.symbols import (
    BINS,
    NEVER,
    Arguments,
    Column,
    Columns,
    Condition,
    Constant,
    Evaluator,
    Frame,
    Function,
    Grouping,
    Items,
    Labelled,
    Method,
    Module,
    Quantity,
    Symbol,
    Unreadable,
)

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def _without_rows(frame: Frame, gone: Symbol, arguments: Arguments, reader: Evaluator) -> Frame:
    """`frame.drop(frame[condition].index)`: the rows that do not meet it."""
    if not isinstance(gone, Frame) or not picking.same_rows(frame, gone) or gone.taken or frame.index:
        raise Unreadable("drop of rows by label")
    more = gone.where[len(frame.where) :]
    if not more:
        raise Unreadable("drop of rows by label")
    reader.require(reader.check(f"({arguments.receiver}).index.is_unique"))
    return frame.then(f"drop the rows where {wording.conditions(more)}")


def _drop(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    labels = arguments.take("columns")
    if labels is None:
        axis = arguments.constant("axis", 1, 0)
        labels = arguments.take("labels", 0)
        labels = labels or arguments.take("index")
        if isinstance(labels, Method) and labels.name == "index" and axis in (0, "index"):
            return _without_rows(frame, labels.receiver, arguments, reader)
        if axis not in (1, "columns") or labels is None:
            raise Unreadable("drop of rows by label")
    arguments.ignore("errors")
    return changing.drop_columns(frame, picking.names_of(labels))


def _rename(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    names = arguments.take("columns")
    arguments.ignore("index", "copy", "errors")
    if names is None and isinstance(arguments.take("mapper", 0), Constant):
        if arguments.constant("axis", None, 0) not in (1, "columns"):
            raise Unreadable("rename of row labels")
        names = arguments.take("mapper", 0)
    if not isinstance(names, Constant) or not isinstance(names.value, dict):
        raise Unreadable("rename by a function")
    pairs = [f"{wording.name(old)} to {wording.name(new)}" for old, new in names.value.items()]
    selection = tuple(names.value.get(n, n) for n in frame.selection) if frame.selection is not None else None
    unique = tuple(names.value.get(name, name) for name in frame.unique)
    kinds = tuple((names.value.get(name, name), kind) for name, kind in frame.kinds)
    step = f"rename the column {wording.listing(pairs)}"
    return frame.then(step, selection=selection, unique=unique, kinds=kinds)


def _but_index(frame: Frame) -> str:
    """A column that became the row labels is none of "all columns"."""
    listed = wording.listing([wording.name(name) for name in frame.index])
    return f" but {listed}" if listed else ""


def _dropna(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    if arguments.constant("axis", 0, 0) not in (0, "index", "rows"):
        raise Unreadable("dropna of columns")
    how = arguments.constant("how", None, "any")
    subset = arguments.take("subset")
    if how not in ("any", "all"):
        raise Unreadable("argument how of dropna()")
    names = picking.names_of(subset) if subset is not None else frame.selection
    if names is None:
        where = "any column" if how == "any" else "every column"
        return frame.then(f"drop the rows that have a missing value in {where}{_but_index(frame)}")
    words = wording.listing([wording.name(name) for name in names], "or" if how == "any" else "and")
    verb = "are all missing" if how == "all" and len(names) > 1 else "is missing"
    return frame.then(f"drop the rows in which {words} {verb}")


def _drop_duplicates(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    subset = arguments.take("subset", 0)
    keep = arguments.constant("keep", None, "first")
    is_numbered_anew = arguments.constant("ignore_index", None, False)
    names = picking.names_of(subset) if subset is not None else frame.selection
    if keep not in ("first", "last"):
        raise Unreadable("argument keep of drop_duplicates()")
    all_columns = f"all columns{_but_index(frame)}"
    same = all_columns if names is None else wording.listing([wording.name(name) for name in names])
    if names is not None:  # which of them stays shows
        frame = picking.counted(frame, reader)
    left = frame.then(f"of rows that are equal in {same}, keep only the {keep}")
    return picking.relabelled(left) if is_numbered_anew else left


def _fillna(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    value = arguments.take("value", 0)
    if isinstance(value, Constant) and isinstance(value.value, dict):
        pairs = [f"of {wording.name(key)} by {wording.value(new)}" for key, new in value.value.items()]
        return frame.then(f"replace missing values {wording.listing(pairs)}")
    if isinstance(value, Labelled) and value.family == "column-statistics" and value.each == "column":
        if replace(value.frame, selection=None) != replace(frame.settled() if frame.taken else frame, selection=None):
            raise Unreadable("fillna with computed values")
        name, picked = value.statistic.removesuffix(value.frame.over), value.frame.selection
        if name not in ("mean", "median") or value.decimals is not None or value.taken:
            raise Unreadable("fillna with computed values")
        which = " or ".join(wording.name(one) for one in picked) if picked else "a column of numbers"
        return frame.then(f"replace every missing value in {which} by the {name} of its column")
    if isinstance(value, Constant) and not isinstance(value.value, list):
        return frame.then(f"replace every missing value by {wording.value(value.value)}")
    raise Unreadable("fillna with computed values")


def _set_index(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    keys = picking.names_of(arguments.take("keys", 0) or Constant(None))
    if not arguments.constant("drop", None, True) or frame.index:
        raise Unreadable("set_index beside other row labels")
    if frame.selection is not None:
        frame = replace(frame, selection=tuple(name for name in frame.selection if name not in keys))
    return replace(frame, index=keys)


def _reset_index(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    drop = arguments.constant("drop", None, False)
    if not drop and not frame.index:
        raise Unreadable("row numbers as a column")
    if drop and frame.index:
        return picking.relabelled(changing.drop_columns(frame, frame.index))
    if frame.selection is not None:
        frame = replace(frame, selection=(*frame.index, *frame.selection))
    return picking.relabelled(frame)


def _unchanged(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    arguments.ignore("deep", "copy")
    return frame


def _assign(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    for key in list(arguments.named):
        symbol = arguments.take(key)
        if isinstance(symbol, Function):
            symbol = reader.apply(symbol, [frame])
        if symbol is not None:
            frame = changing.add_column(frame, key, symbol, reader)
    return frame


def _select_dtypes(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    """Columns by their kind, which running tells: they are named."""
    arguments.ignore(*arguments.texts)
    names = reader.look(f"({arguments.receiver}).select_dtypes({arguments.source}).columns")
    return picking.select(frame, picking.names_of(names))


def _filter(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    """Columns by what their names are like."""
    if arguments.constant("axis", 3, 1) not in (1, "columns"):
        raise Unreadable("filter of row labels")
    arguments.ignore(*arguments.texts)
    names = reader.look(f"({arguments.receiver}).filter({arguments.source}).columns")
    return picking.select(frame, picking.names_of(names))


def _astype(frame: Frame, arguments: Arguments, reader: Evaluator) -> Symbol:
    kinds = arguments.take("dtype", 0)
    arguments.ignore("errors", "copy")
    if isinstance(kinds, Constant) and isinstance(kinds.value, dict):
        for name, kind in kinds.value.items():
            changed = columns.call(picking.column(frame, str(name)), "astype", _given("astype", Constant(kind)), reader)
            frame = changing.add_column(frame, str(name), changed, reader)
        return frame
    if kinds is None:
        raise Unreadable("change of a table's types")
    return _alike(
        frame,
        arguments.receiver,
        reader,
        lambda column: columns.call(column, "astype", _given("astype", kinds), reader),
    )


def _given(call: str, *positional: Symbol) -> Arguments:
    return Arguments(call, list(positional), {})


def _alike(frame: Frame, receiver: str, reader: Evaluator, change: Callable[[Column], Symbol]) -> Symbol:
    """The same done to each of some columns: columns again, or one quantity for each."""
    names = frame.selection or picking.names_of(reader.look(f"({receiver}).columns"))
    found = {name: change(picking.column(frame, name)) for name in names}
    changed = {name: symbol for name, symbol in found.items() if isinstance(symbol, Column)}
    if len(changed) == len(found):
        return Columns(changed)
    quantities = {name: symbol for name, symbol in found.items() if isinstance(symbol, Quantity)}
    if len(quantities) < len(found):
        raise Unreadable("apply to whole columns")

    def at(labels: Sequence[object]) -> str:
        if len(labels) != 1 or labels[0] not in quantities:
            raise Unreadable("label that is no column")
        return quantities[str(labels[0])].words

    return Labelled(frame, at, "", "", family="aggregate")


def _merge(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    right = joins.table_of(arguments.take("right", 0))
    sides = joins.Sides(frame, right, arguments.receiver, arguments.text("right", 0))
    return joins.merge(sides, arguments, reader, 1)


def _join(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
    right = joins.table_of(arguments.take("other", 0))
    sides = joins.Sides(frame, right, arguments.receiver, arguments.text("other", 0))
    return joins.join(sides, arguments, reader)


def _groupby(frame: Frame, arguments: Arguments, reader: Evaluator) -> Grouping:
    frame = frame.settled() if frame.taken else frame
    by = arguments.take("by", 0)
    if by is None and arguments.constant("level", None) in (0, *frame.index) and frame.label:
        by = Constant(frame.label)
    keys = by.symbols if isinstance(by, Items) else (by,)
    as_index = arguments.constant("as_index", None, True)
    if not arguments.constant("dropna", None, True):
        raise Unreadable("groups of missing keys")
    arguments.ignore("group_keys")
    has_unobserved = not arguments.constant("observed", None, True)
    sorts = bool(arguments.constant("sort", None, True))
    by_columns: list[Column] = []
    for key in keys:
        if isinstance(key, Column) and picking.same_rows(key.frame, frame):
            by_columns.append(key)
        elif isinstance(key, Constant):
            by_columns.extend(picking.column(frame, name) for name in picking.names_of(key))
        else:
            raise Unreadable("groups by something else than columns")
    has_bins = any(key.kind in BINS for key in by_columns)
    if has_bins and has_unobserved:
        raise Unreadable("groups for bins without rows")
    picked = None
    if frame.selection is not None:
        names = {key.name for key in by_columns}
        picked = tuple(name for name in frame.selection if name not in names)
    named = [key.name for key in by_columns if key.name is not None and key.name not in frame.index]
    table = f"({arguments.receiver})"
    ordered = f"all({comparing.TEXT_ORDER}({table}[key]) for key in {named!r})"
    in_order = comparing.quiet_check(reader, ordered) if named else None
    in_order = NEVER if has_bins else in_order
    return Grouping(frame, tuple(by_columns), picked, False, bool(as_index), sorts, in_order)


def _duplicated(frame: Frame, arguments: Arguments, reader: Evaluator) -> Condition:
    subset = arguments.take("subset", 0)
    keep = arguments.constant("keep", None, "first")
    names = picking.names_of(subset) if subset is not None else frame.selection
    all_columns = f"all columns{_but_index(frame)}"
    same = all_columns if names is None else wording.listing([wording.name(name) for name in names])
    match keep:
        case "first":
            words = f"the row equals an earlier row in {same}"
        case "last":
            words = f"the row equals a later row in {same}"
        case _:
            words = f"the row equals another row in {same}"
            return Condition(frame, words)
    return Condition(picking.counted(frame, reader).settled(), words)


def _apply(frame: Frame, arguments: Arguments, reader: Evaluator) -> Symbol:
    function = arguments.take("func", 0)
    if arguments.constant("axis", 1, 0) not in (1, "columns"):
        return _applied(frame, function, arguments, reader)
    if not isinstance(function, Function):
        raise Unreadable("apply of a library function to rows")
    return values.as_series(reader.apply(function, [Method(frame, "each row")]))


def _applied(frame: Frame, function: Symbol | None, arguments: Arguments, reader: Evaluator) -> Symbol:
    """A function of each whole column."""
    if isinstance(function, Function):
        return _alike(frame, arguments.receiver, reader, lambda column: reader.apply(function, [column]))
    if isinstance(function, Module):
        more = {key: symbol for key, symbol in arguments.named.items() if key not in ("func", "axis")}
        arguments.ignore(*more)
        table = f"({arguments.receiver})"
        return _alike(
            frame,
            arguments.receiver,
            reader,
            lambda column: reader.call(function, column, more, f"{table}[{column.name!r}]"),
        )
    raise Unreadable("apply to whole columns")


def _pipe(frame: Frame, arguments: Arguments, reader: Evaluator) -> Symbol:
    function = arguments.take("func", 0)
    if not isinstance(function, Function) or arguments.named or len(arguments.positional) != 1:
        raise Unreadable("pipe through a library function")
    return reader.apply(function, [frame])


def _explode(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    names = picking.names_of(arguments.take("column", 0) or Constant(None))
    if len(names) != 1:
        raise Unreadable("several lists in rows of their own")
    arguments.ignore("ignore_index")
    rows = frame.then(f"give every part of the list in {wording.name(names[0])} a row of its own")
    kinds = tuple((name, kind) for name, kind in frame.kinds if name != names[0])
    return replace(rows, kinds=kinds, labels=frame.labels + 1)


def _replace(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    old, new = arguments.take("to_replace", 0), arguments.take("value", 1)
    match old, new:
        case Constant(value=str() as before), Constant(value=None):
            return frame.then(f"make every value {wording.value(before)} missing, in whatever column")
        case Constant(value=(str() | int() | float()) as before), Constant(value=(str() | int() | float()) as after):
            return frame.then(
                f"replace every value {wording.value(before)} by {wording.value(after)}, in whatever column"
            )
    raise Unreadable("replace in a whole table")


Reading = Callable[[Frame, Arguments, Evaluator], Symbol]
_STATISTICS = ("mean", "median", "sum", "min", "max", "std", "var", "count", "nunique")

_METHODS: dict[str, Reading] = {
    "drop": _drop,
    "rename": _rename,
    "dropna": _dropna,
    "drop_duplicates": _drop_duplicates,
    "fillna": _fillna,
    "sort_values": ordering.sort_values,
    "head": ordering.head,
    "tail": ordering.tail,
    "sample": ordering.sample,
    "sort_index": ordering.sort_index,
    "nlargest": ordering.largest(ascending=False),
    "nsmallest": ordering.largest(ascending=True),
    "set_index": _set_index,
    "reset_index": _reset_index,
    "copy": _unchanged,
    "query": querying.query,
    "assign": _assign,
    "astype": _astype,
    "select_dtypes": _select_dtypes,
    "filter": _filter,
    "merge": _merge,
    "join": _join,
    "agg": summaries.agg,
    "aggregate": summaries.agg,
    "apply": _apply,
    "pipe": _pipe,
    "value_counts": summaries.value_counts,
    "explode": _explode,
    "replace": _replace,
    "melt": reshaping.melt,
    "pivot": reshaping.pivot,
    "resample": series.resample,
    "rolling": series.of_table,
    "groupby": _groupby,
    "duplicated": _duplicated,
    "describe": summaries.describe,
    "corr": summaries.corr,
    "cov": summaries.cov,
    "corrwith": summaries.corrwith,
    **series.EVERY_COLUMN,
    "quantile": summaries.quantile,
    "pivot_table": reshaping.pivot_table,
    "isnull": summaries.missing(absent=True),
    "isna": summaries.missing(absent=True),
    "notnull": summaries.missing(absent=False),
    "notna": summaries.missing(absent=False),
    **{
        name: summaries.per_column(name)
        for name in ("mean", "median", "sum", "min", "max", "std", "var", "count", "nunique")
    },
}


def call(frame: Frame, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    """The symbol of `frame.method(arguments)`."""
    reading = _METHODS.get(method)
    if reading is None:
        raise Unreadable(f"method {method}")
    symbol = reading(frame, arguments, reader)
    arguments.done()
    return symbol
