"""Readings of what turns rows into columns and back: melt, pivot, pivot tables, unstack."""

from collections.abc import Sequence
from dataclasses import replace

from cellwright.proof.questions import picking, statistics, wording
from cellwright.proof.questions.symbols import (
    Arguments,
    Column,
    Constant,
    Evaluator,
    Frame,
    Grid,
    Grouping,
    Labelled,
    Module,
    Unreadable,
)


def _names(symbol: object) -> tuple[str, ...]:
    if isinstance(symbol, Column) and symbol.name is not None:
        return (symbol.name,)
    value = symbol.value if isinstance(symbol, Constant) else None
    names = [value] if isinstance(value, str) else value
    if isinstance(names, (list, tuple)) and names and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise Unreadable("reshaping of computed columns")


def melt(frame: Frame, arguments: Arguments, _: Evaluator) -> Frame:
    """One row per row and column: the column's name beside its value."""
    kept, molten = arguments.take("id_vars", 0), arguments.take("value_vars", 1)
    variable = arguments.constant("var_name", 2) or "variable"
    value = arguments.constant("value_name", 3, "value")
    arguments.ignore("ignore_index")
    if kept is None and molten is None and frame.selection is None:
        raise Unreadable("melting of a whole table")
    ids = _names(kept) if kept is not None else ()
    values = _names(molten) if molten is not None else frame.selection
    if values is not None:
        columns = f"the columns {wording.listing([wording.name(name) for name in values if name not in ids])}"
    else:
        columns = f"every column but {wording.listing([wording.name(name) for name in (*ids, *frame.index)])}"
    beside = f"beside {wording.listing([wording.name(name) for name in ids])}, " if ids else ""
    step = (
        f"bring {columns} into long form: one row for each row and each of these columns, with {beside}the name of "
        f"the column in {wording.name(variable)} and its value in {wording.name(value)}"
    )
    return frame.then(step, selection=None, index=(), shuffled=True, sequence=None)


def pivot(frame: Frame, arguments: Arguments, _: Evaluator) -> Grid:
    """Wide form without a statistic: each pair of labels stands in one row at the most, or pandas refuses."""
    named = [_names(arguments.take(key)) for key in ("index", "columns", "values")]
    if any(len(names) != 1 for names in named):
        raise Unreadable("pivot of several columns")
    (row,), (column,), (value,) = named
    return _wide(frame, (row,), column, value, None)


def pivot_table(frame: Frame, arguments: Arguments, reader: Evaluator) -> Grid | Labelled:
    """One statistic of one column by the values of others."""
    values, index, columns = (arguments.take(key, n) for n, key in enumerate(("values", "index", "columns")))
    statistic = arguments.take("aggfunc", 3)
    name = statistic.value if isinstance(statistic, Constant) else "mean"
    if isinstance(statistic, Module):
        name = statistics.function_name(statistic.path)
    fill = arguments.constant("fill_value", None)
    if not isinstance(name, str) or arguments.constant("margins", None, False):
        raise Unreadable("pivot table of several statistics")
    arguments.ignore("observed", "margins", "dropna", "sort")
    statistics.statistic_words(name)
    rows = _names(index)
    if name in ("first", "last"):
        frame = picking.counted(frame, reader).settled()
    if columns is None:
        # A group of which all values are missing has no row.
        whole = f"({arguments.receiver}).groupby({list(rows)!r}).ngroups"
        reader.require(reader.check(f"len(({arguments.receiver}).pivot_table({arguments.source})) == {whole}"))
        return _by_rows(frame, rows, _names(values) if values is not None else None, name)
    (column,), (value,) = _single(columns), _single(values)
    return _wide(frame, rows, column, value, name, fill)


def _single(symbol: object) -> tuple[str]:
    names = _names(symbol)
    if len(names) != 1:
        raise Unreadable("pivot table of several columns")
    return (names[0],)


def _by_rows(frame: Frame, rows: tuple[str, ...], values: tuple[str, ...] | None, statistic: str) -> Grid:
    keys = tuple(Column(frame, wording.name(row), row) for row in rows)
    grouping = Grouping(frame, keys, values)
    return replace(statistics.group_grid(grouping, None, statistic), family="pivot")


def _wide(
    frame: Frame, rows: tuple[str, ...], column: str, value: str, statistic: str | None, fill: object = None
) -> Grid:
    by_row = tuple(Column(frame, wording.name(row), row) for row in rows)
    across = Column(frame, wording.name(column), column)
    noun = f"the {statistics.statistic_words(statistic)}" if statistic else "the value"

    def at(row: Sequence[object], labels: Sequence[object]) -> str:
        label = labels[-1]
        if fill is not None and statistic not in ("sum", "count"):
            raise Unreadable("value that stands for no rows")
        over = statistics.in_group(Grouping(frame, (*by_row, across)), [*row, label]).over
        return f"{noun} of {wording.name(value)}{over}"

    def of(label: object) -> str:
        rows_with = frame.keep(f"{wording.name(column)} is {wording.value(label)}").rows
        return f"{noun.removeprefix('the ')} of {wording.name(value)} over the {rows_with}"

    each = Grouping(frame, by_row).each
    listed = wording.listing([wording.name(row) for row in rows])
    filled = f", and {wording.value(fill)} where there are none" if fill is not None else ""
    step = (
        f"make a new table with one row for each {each} and one column for each value of {wording.name(column)}, "
        f"which holds {noun} of {wording.name(value)} over the rows that have both{filled}; {listed} labels the rows"
    )
    table = frame.then(step, selection=None, index=rows, sequence=None, shuffled=False)
    return Grid(frame, at, "pivot", columns_are_names=False, each=each, statistic=of, table=table)


def unstack(labelled: Labelled, arguments: Arguments) -> Grid:
    """The last of two keys of groups as columns."""
    fill = arguments.constant("fill_value", None)
    level = arguments.constant("level", 0, -1)
    arguments.done()
    if level not in (-1, 1) or fill not in (None, 0):
        raise Unreadable("unstack of another level")

    def at(row: Sequence[object], column: Sequence[object]) -> str:
        words = labelled.at([*row, *column])
        if fill is not None and not words.startswith(("the number of ", "the sum of ")):
            raise Unreadable("value that stands for no rows")
        return words

    return Grid(labelled.frame, at, "pivot", labelled.decimals, columns_are_names=False)
