"""Readings of what is done to labelled quantities and grids: of groups, columns, describe()."""

import ast
from collections.abc import Sequence
from dataclasses import replace

from cellwright.proof.questions import columns, comparing, frames, picking, reshaping, statistics, values, wording
from cellwright.proof.questions.symbols import (
    Absence,
    Arguments,
    Check,
    Column,
    Condition,
    Constant,
    Evaluator,
    Frame,
    Grid,
    Labelled,
    Labels,
    Order,
    Quantity,
    Symbol,
    Unreadable,
)


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
    return column if labelled.decimals is None else values.rounded(column, labelled.decimals)


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
        return picking.column(grid.table, label)

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
            ties = comparing.quiet_check(reader, f"not {code}.duplicated().any()")
            first = comparing.quiet_check(reader, _single(code, "min" if order else "max"))
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
        within = comparing.quiet_check(reader, f"not {longer}.duplicated().any()")
        cut = comparing.quiet_check(
            reader, f"(lambda s: len(s) <= {count} or bool(s.iloc[-1] != s.iloc[-2]))({longer})"
        )
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
