"""Readings of what is done to groups, and to the labelled quantities and grids that come of them."""

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from cellwright.proof.questions import columns, frames, picking, reshaping, series, statistics, wording
from cellwright.proof.questions.symbols import (
    Absence,
    Arguments,
    Check,
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
    Labels,
    Module,
    Order,
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
        return replace(as_table(symbol, reader, symbol.column or method), index=())
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
            columns.in_their_order(f"({arguments.receiver}).obj", reader)
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
    if method == "transform":
        return _transform(grouping, arguments)
    if method == "apply":
        return _applied(grouping, arguments, reader)
    if method == "filter":
        return _some_groups(grouping, arguments, reader)
    if method == "get_group":
        return _one_group(grouping, arguments)
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
        given = _column(frame, grouping.columns[0])
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
        return _column(frame, grouping.columns[0])
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
    inner = replace(grouping, keys=(*grouping.keys, _column(frame, column)), columns=None)
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


def _column(frame: Frame, name: str) -> Column:
    return Column(frame, wording.name(name), name)


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


# --- labelled quantities and grids -------------------------------------------------------------------


def as_table(labelled: Labelled, reader: Evaluator, name: str = "") -> Frame:
    """The table of labels and quantities, sorted and cut as they are."""
    called = name or labelled.column or "count"
    if labelled.table is None or (labelled.taken and labelled.first is None):
        raise Unreadable("labelled values as a table")
    frame = labelled.table(called)
    if labelled.order is not None:
        frame = replace(frame, order=Order((called,), (labelled.order,), labelled.ties))
    if labelled.first is not None:
        frame = picking.take_rows(frame if frame.order else picking.counted(frame, reader), 0, labelled.first)
    return frame


def as_column(labelled: Labelled, reader: Evaluator) -> Column:
    """The quantities as a column of their table."""
    reader.require(labelled.cut)
    called = labelled.column or "count"
    column = Column(as_table(labelled, reader), wording.name(called), called)
    return column if labelled.decimals is None else columns.rounded(column, labelled.decimals)


def labels(labelled: Labelled) -> Labels:
    """`labelled.index.tolist()`."""
    return Labels(labelled)


def first_label(labelled: Labelled, place: object, reader: Evaluator) -> Quantity:
    """`labelled.index[0]` of sorted quantities: the label that has the most, or least."""
    if place != 0 or labelled.order is None or not labelled.each or not labelled.statistic:
        raise Unreadable("label by position")
    reader.require(labelled.ties_at_first)
    side = "lowest" if labelled.order else "highest"
    words = f"the {labelled.kind} with the {side} {labelled.statistic}"
    return Quantity(labelled.frame, words, family="extreme", text=True)


def locate(owner: Labelled | Grid, node: ast.expr, reader: Evaluator, source: str) -> Symbol:
    """`labelled[label]`, `labelled[:n]`, `labelled[condition]`, `grid[column]`, `grid.loc[row, column]`."""
    if isinstance(node, ast.Slice):
        return _range(owner, node, reader, source)
    if isinstance(owner, Grid):
        return _in_grid(owner, node, reader)
    key = reader.evaluate(node)
    if isinstance(key, Condition):
        column = as_column(owner, reader)
        if not picking.same_rows(key.frame, column.frame):
            raise Unreadable("condition on other rows")
        return replace(column, frame=column.frame.keep(key.words))
    if not isinstance(key, Constant) or isinstance(key.value, list):
        raise Unreadable("several labels" if isinstance(key, Constant) else "value known only at run time")
    parts = list(key.value) if isinstance(key.value, tuple) else [key.value]
    return Quantity(owner.frame, owner.at(parts), owner.decimals, owner.family, owner.text)


def _range(owner: Labelled | Grid, node: ast.Slice, reader: Evaluator, source: str) -> Symbol:
    is_by_label = source.endswith((".loc", ".at"))
    if not isinstance(owner, Labelled) or node.lower or node.step or node.upper is None or is_by_label:
        raise Unreadable("range of labels")
    return _arranged(owner, "head", Arguments("head", [reader.evaluate(node.upper)], {}, source), reader)


def _in_grid(grid: Grid, node: ast.expr, reader: Evaluator) -> Symbol:
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        row, column = (reader.constant(element) for element in node.elts)
        return Quantity(grid.frame, grid.at(_parts(row), _parts(column)), grid.decimals, grid.family)
    key = reader.evaluate(node)
    if isinstance(key, Condition) and grid.table is not None:
        return picking.filtered(grid.table, key)
    if not isinstance(key, Constant):
        raise Unreadable("value known only at run time")
    label = key.value
    if isinstance(label, list):
        if grid.table is None or not all(isinstance(name, str) for name in label):
            return grid
        return replace(grid, table=picking.select(grid.table, tuple(label)))
    if not isinstance(label, str):
        raise Unreadable("subscript of a grid")
    return column_of(grid, label)


def _parts(label: object) -> list[object]:
    return list(label) if isinstance(label, tuple) else [label]


def column_of(grid: Grid, label: str) -> Labelled | Column:
    """`grid[label]`. Of rows that were taken, such as the first five, what is told is told of these."""
    if grid.table is not None and grid.table.taken:
        return _column(grid.table, label)

    def at(labels: Sequence[object]) -> str:
        return grid.at(labels, [label])

    def table(called: str) -> Frame:
        if grid.table is None or called != label:
            raise Unreadable("labelled values as a table")
        return grid.table

    statistic = ""
    if grid.statistic is not None:
        try:
            statistic = grid.statistic(label)
        except Unreadable:
            statistic = ""
    each = grid.each if statistic else ""
    return Labelled(grid.frame, at, statistic, each, grid.decimals, grid.family, column=label, table=table)


def call(owner: Labelled | Grid, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    """The symbol of a method call on labelled quantities or a grid."""
    if isinstance(owner, Labelled):
        symbol = _labelled(owner, method, arguments, reader)
    else:
        symbol = _grid(owner, method, arguments, reader)
    arguments.done()
    return symbol


def _labelled(owner: Labelled, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    match method:
        case "round":
            return replace(owner, decimals=arguments.constant("decimals", 0, 0))
        case "sort_values" | "sort_index" | "head" | "tail" | "nlargest" | "nsmallest":
            return _arranged(owner, method, arguments, reader)
        case "idxmax" | "idxmin" if owner.each and owner.statistic and not owner.taken:
            side, found = ("highest", "max") if method == "idxmax" else ("lowest", "min")
            reader.require(reader.check(_single(arguments.receiver, found)))
            words = f"the {owner.kind} with the {side} {owner.statistic}"
            return Quantity(owner.frame, words, family="extreme", text=True)
        case "max" | "min" if owner.each and owner.statistic and not owner.taken:
            side = "highest" if method == "max" else "lowest"
            each = owner.kind if owner.each == "column" else f"value of {owner.each}"
            each = owner.each if owner.each.startswith("combination") else each
            return Quantity(owner.frame, f"the {side} {owner.statistic} of any {each}", owner.decimals, "extreme")
        case "sum" if owner.family == "missing-values" and not owner.taken and owner.statistic.startswith("number"):
            words = owner.statistic.replace("number of", "number of all", 1)
            if owner.frame.index:
                raise Unreadable("missing values beside row labels")
            picked = owner.frame.among.removeprefix(" among ")
            scope = f"the columns {picked}" if picked else "all columns"
            return Quantity(owner.frame, f"the {words}, in {scope} together", family="missing-values")
        case "copy" | "to_dict":
            return owner
        case "reset_index" | "to_frame" | "rename":
            return _retold(owner, method, arguments, reader)
        case "unstack":
            return reshaping.unstack(owner, arguments)
        case "get" if len(arguments.positional) == 1:
            label = arguments.constant("key", 0)
            return Quantity(owner.frame, owner.at(_parts(label)), owner.decimals, owner.family, owner.text)
        case "tolist" | "to_list" | "items" | "describe":
            raise Unreadable(f"method {method} of labelled values")
    if owner.table is None:
        raise Unreadable(f"method {method} of labelled values")
    return columns.call(as_column(owner, reader), method, arguments, reader)


def _single(code: str, found: str) -> str:
    return f"(lambda s: int((s == s.{found}()).sum()) == 1)({code})"


def _arranged(owner: Labelled, method: str, arguments: Arguments, reader: Evaluator) -> Labelled:
    """Sorted or cut quantities."""
    code = f"({arguments.receiver})"
    order: bool | None
    match method:
        case "sort_values":
            order = bool(arguments.constant("ascending", None, True))
            arguments.ignore("kind")
            ties = columns.quiet_check(reader, f"not {code}.duplicated().any()")
            first = columns.quiet_check(reader, _single(code, "min" if order else "max"))
            return replace(owner, order=order, ties=ties, ties_at_first=first)
        case "sort_index":
            return _by_label(owner, bool(arguments.constant("ascending", None, True)))
        case "tail":
            arguments.ignore("n", "0")
            return replace(owner, taken=True, order=None)
        case "head":
            count = arguments.constant("n", 0, 5)
            order, longer = owner.order, f"{code}.head({count + 1})"
        case _:
            count = arguments.constant("n", 0, 5)
            order, longer = method == "nsmallest", f"{code}.{method}({count + 1})"
    if owner.taken or not isinstance(count, int) or count < 1:
        raise Unreadable("labelled values cut twice")
    cut: Check | None = None
    within: Check | None = None
    if order is not None:
        within = columns.quiet_check(reader, f"not {longer}.duplicated().any()")
        cut = columns.quiet_check(reader, f"(lambda s: len(s) <= {count} or bool(s.iloc[-1] != s.iloc[-2]))({longer})")
    return replace(owner, taken=True, first=count, order=order, cut=cut, ties=within)


def _by_label(owner: Labelled, ascending: bool) -> Labelled:
    """Quantities in the order of their labels."""

    def table(called: str) -> Frame:
        if owner.table is None:
            raise Unreadable("labelled values as a table")
        rows = owner.table(called)
        check = rows.sequence.check if rows.sequence is not None else owner.in_order
        return replace(rows, sequence=Order(rows.index, (ascending,) * len(rows.index), check), shuffled=False)

    return replace(owner, order=None, table=table)


def _retold(owner: Labelled, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    """The same under another name, or as a table."""
    if method == "rename":
        name = arguments.take("index", 0) or arguments.take("name")
        if not isinstance(name, Constant) or not isinstance(name.value, str):
            raise Unreadable("rename of labels")
        return replace(owner, column=name.value)
    reader.require(owner.cut)
    if method == "to_frame":
        return as_table(owner, reader, arguments.constant("name", 0) or "")
    if arguments.constant("drop", None, False):
        raise Unreadable("labelled values without their labels")
    called = arguments.constant("name", None) or owner.column
    if not called:
        raise Unreadable("column without a name")
    return replace(as_table(owner, reader, called), index=())


_KEEPS_CELLS = ("head", "tail", "sort_values", "sort_index")


def _grid(owner: Grid, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    match method:
        case "round":
            decimals = arguments.take("decimals", 0)
            if decimals is None or (isinstance(decimals, Constant) and isinstance(decimals.value, int)):
                return replace(owner, decimals=decimals.value if isinstance(decimals, Constant) else 0)
        case "transpose":
            return transpose(owner)
        case "copy":
            return owner
        case "reindex" if isinstance(named := arguments.take("index", 0), Constant) and isinstance(named.value, list):
            # Some rows, in another order: of these alone can be told which is the highest, and so of none.
            return replace(owner, table=None, each="", statistic=None)
        case "head" | "tail" | "sort_values" | "sort_index":
            table = _arranged_table(owner, method, arguments, reader)
            arguments.ignore("n", "0", "by", "ascending", "kind", "ignore_index")
            if table is None and method in ("head", "tail"):  # of some rows none is the highest of all
                return replace(owner, table=None, each="", statistic=None)
            return replace(owner, table=table)
    if owner.table is None:
        raise Unreadable(f"method {method} of a grid")
    return frames.call(owner.table, method, arguments, reader)


def _arranged_table(owner: Grid, method: str, arguments: Arguments, reader: Evaluator) -> Frame | None:
    if owner.table is None:
        return None
    try:
        found = frames.call(owner.table, method, arguments, reader)
    except Unreadable:
        return None
    return found if isinstance(found, Frame) else None


def transpose(grid: Grid) -> Grid:
    """`grid.T`."""
    return replace(
        grid,
        at=lambda rows, columns: grid.at(columns, rows),
        columns_are_names=False,
        table=None,
        each="",
        statistic=None,
    )


def absence_call(owner: Absence, method: str, arguments: Arguments) -> Symbol:
    """`frame.isnull().sum()` and its kin."""
    if arguments.constant("axis", 0, 0) not in (0, "index"):
        arguments.done()
        return _in_each_row(owner, method)
    arguments.done()
    if method in ("sum", "mean"):
        return statistics.missing_per_column(owner.frame, owner.absent, share=method == "mean")
    raise Unreadable(f"method {method} of missing values")


def _in_each_row(owner: Absence, method: str) -> Condition:
    """Whether a row has missing values, or lacks none."""
    frame = replace(owner.frame, selection=None)
    of = owner.frame.among.replace(" among ", " of ", 1)
    some, none = f"a value in any column{of} is missing", f"no value in any column{of} is missing"
    match method, owner.absent:
        case "any", True:
            return Condition(frame, some, opposite=none)
        case "all", False:
            return Condition(frame, none, opposite=some)
    raise Unreadable("missing values of each row")
