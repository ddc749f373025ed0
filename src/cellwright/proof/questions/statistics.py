"""The words of statistics: of a column, of every column, of groups, of pairs of columns."""

from collections.abc import Sequence
from dataclasses import replace

from cellwright.proof.questions import wording
from cellwright.proof.questions.symbols import (
    Arguments,
    Column,
    Condition,
    Constant,
    Frame,
    Grid,
    Grouping,
    Labelled,
    Quantity,
    Unreadable,
)

_NAMES = {
    "mean": "mean",
    "median": "median",
    "sum": "sum",
    "min": "minimum",
    "max": "maximum",
    "std": "sample standard deviation",
    "var": "sample variance",
    "count": "number of non-missing values",
    "nunique": "number of distinct non-missing values",
    "first": "first value",
    "last": "last value",
}
_DESCRIBED = {"mean", "std", "min", "max", "count"}


def quantile_name(fraction: object) -> str:
    """The name under which `statistic_words` knows a quantile."""
    if not isinstance(fraction, (int, float)) or not 0 <= fraction <= 1:
        raise Unreadable("several quantiles")
    return f"{fraction:.6g}"


def statistic_words(statistic: str, ddof: int = 1) -> str:
    """ "mean" for mean, "25th percentile" for 0.25; raises Unreadable for a statistic without a name here."""
    if statistic in ("std", "var") and ddof != 1:
        if ddof != 0:
            raise Unreadable("argument ddof")
        return _NAMES[statistic].replace("sample", "population")
    if statistic in _NAMES:
        return _NAMES[statistic]
    try:
        percent = float(statistic) * 100
    except ValueError:
        raise Unreadable(f"statistic {statistic}") from None
    if percent == 50:
        return "median"
    number = f"{percent:g}"
    suffix = wording.ordinal(int(percent)) if percent == int(percent) else f"{number}th"
    return f"{suffix} percentile (linear interpolation)"


def of_column(column: Column, statistic: str, ddof: int = 1) -> Quantity:
    """One statistic of a column's values."""
    frame = column.frame
    words = f"the {statistic_words(statistic, ddof)} of {column.operand}{frame.over}"
    return Quantity(frame, words, family=statistic if statistic in _NAMES else "quantile")


def rows_count(frame: Frame) -> Quantity:
    """How many rows."""
    return Quantity(frame, f"the number of {frame.rows}", family="count")


def rows_share(condition: Condition) -> Quantity:
    """The share of rows that meet a condition."""
    base = condition.frame
    scope = f" among the {base.rows}" if base.where else ""
    return Quantity(base, f"the fraction (between 0 and 1) of rows where {condition.words}{scope}", family="share")


def _only(labels: Sequence[object]) -> object:
    if len(labels) != 1:
        raise Unreadable("label of several parts")
    return labels[0]


def per_column(frame: Frame, statistic: str, ddof: int = 1) -> Labelled:
    """One statistic of every column."""
    name = statistic_words(statistic, ddof)

    def at(labels: Sequence[object]) -> str:
        return f"the {name} of {wording.name(_only(labels))}{frame.over}"

    return Labelled(frame, at, f"{name}{frame.over}", "column", family="column-statistics")


def missing_per_column(frame: Frame, absent: bool, *, share: bool = False) -> Labelled:
    """How many values of every column are missing, or present."""
    kind = "missing" if absent else "non-missing"
    name = f"fraction (between 0 and 1) of {kind} values" if share else f"number of {kind} values"

    def at(labels: Sequence[object]) -> str:
        return f"the {name} of {wording.name(_only(labels))}{frame.over}"

    return Labelled(frame, at, f"{name}{frame.over}", "column", family="missing-values")


def describe(frame: Frame) -> Grid:
    """What describe() tells of every column."""

    def at(rows: Sequence[object], columns: Sequence[object]) -> str:
        return f"the {described(_only(rows))} of {wording.name(_only(columns))}{frame.over}"

    return Grid(frame, at, "describe")


def described(label: object) -> str:
    """The words of a row label of describe()."""
    text = str(label)
    if text in _DESCRIBED:
        return statistic_words(text)
    if text.endswith("%"):
        return statistic_words(f"{float(text[:-1]) / 100:.6g}")
    raise Unreadable(f"describe() row {text}")


def correlations(frame: Frame, method: str) -> Grid:
    """The correlation of every pair of columns."""
    if method not in ("pearson", "spearman", "kendall"):
        raise Unreadable("correlation by a function")

    def at(rows: Sequence[object], columns: Sequence[object]) -> str:
        first, second = _only(rows), _only(columns)
        if first == second:
            raise Unreadable("correlation of a column with itself")
        pair = wording.listing(sorted((wording.name(first), wording.name(second))))
        return f"the {method.capitalize()} correlation between {pair}{frame.over}"

    return Grid(frame, at, "correlation")


def correlation(first: Column, second: Column, method: str) -> Quantity:
    """The correlation of two columns of the same rows."""
    if first.frame != second.frame:
        raise Unreadable("correlation of columns of different rows")
    words = f"the {method.capitalize()} correlation between {first.words} and {second.words}{first.frame.over}"
    return Quantity(first.frame, words, family="correlation")


# --- groups ---------------------------------------------------------------------------------------


def group_condition(keys: Sequence[Column], labels: Sequence[object]) -> list[str]:
    """The conditions that say which group: "`sex` is "male""."""
    if len(keys) != len(labels):
        raise Unreadable("label of other parts than the keys")
    return [f"{key.words} is {wording.value(label)}" for key, label in zip(keys, labels, strict=True)]


def in_group(grouping: Grouping, labels: Sequence[object]) -> Frame:
    """The rows of one group."""
    frame = grouping.frame
    for condition in group_condition(grouping.keys, labels):
        frame = frame.keep(condition)
    return frame


def per_group(grouping: Grouping, column: str, statistic: str, ddof: int = 1) -> Labelled:
    """One statistic of one column for every group."""
    name = statistic_words(statistic, ddof)

    def at(labels: Sequence[object]) -> str:
        return f"the {name} of {wording.name(column)}{in_group(grouping, labels).over}"

    words = f"{name} of {wording.name(column)}{grouping.frame.over}"
    return Labelled(grouping.frame, at, words, grouping.each)


def rows_per_group(grouping: Grouping) -> Labelled:
    """The number of rows of every group."""

    def at(labels: Sequence[object]) -> str:
        return rows_count(in_group(grouping, labels)).words

    words = f"number of {grouping.frame.rows}"
    return Labelled(grouping.frame, at, words, grouping.each, family="value-counts")


def value_counts(column: Column, *, share: bool) -> Labelled:
    """The number, or share, of rows with each value of a column, the most frequent first."""
    base = column.frame
    grouping = Grouping(base, (column,))
    frequent = tuple(
        f"which value of {column.operand} is the {side} frequent{base.over}?" for side in ("most", "least")
    )
    counts = replace(rows_per_group(grouping), order=False, superlatives=(frequent[0], frequent[1]))
    if not share:
        return counts
    present = base.keep(f"{column.words} is not missing")
    noun = f"fraction (between 0 and 1) of the {present.rows} that have this value"

    def at(labels: Sequence[object]) -> str:
        (condition,) = group_condition((column,), labels)
        return f"the fraction (between 0 and 1), among the {present.rows}, of those where {condition}"

    return replace(counts, at=at, statistic=noun, family="share")


def group_grid(grouping: Grouping, columns: dict[str, list[str]] | None, statistic: str | None) -> Grid:
    """Several statistics of every group: by column, or by column and statistic."""

    def at(rows: Sequence[object], labels: Sequence[object]) -> str:
        over = in_group(grouping, rows).over
        if len(labels) == 2:
            name = described(labels[1]) if statistic == "describe" else statistic_words(str(labels[1]))
            return f"the {name} of {wording.name(labels[0])}{over}"
        column = str(_only(labels))
        if statistic is not None:
            return f"the {statistic_words(statistic)} of {wording.name(column)}{over}"
        chosen = (columns or {}).get(column, [])
        if len(chosen) != 1:
            raise Unreadable("column of unknown statistic")
        return f"the {statistic_words(chosen[0])} of {wording.name(column)}{over}"

    return Grid(grouping.frame, at, "group-aggregate")


def crosstab(rows: Column, columns: Column, normalize: object) -> Grid:
    """The number of rows for every pair of values of two columns."""
    if rows.frame != columns.frame:
        raise Unreadable("crosstab of columns of different rows")
    frame = rows.frame

    def at(row: Sequence[object], column: Sequence[object]) -> str:
        both = group_condition((rows, columns), [*row, *column])
        if not normalize:
            return rows_count(frame.keep(both[0]).keep(both[1])).words
        if normalize not in ("index", "columns"):
            raise Unreadable("crosstab as shares of all")
        given, asked = (both[0], both[1]) if normalize == "index" else (both[1], both[0])
        among = frame.keep(given).keep(f"{(columns if normalize == 'index' else rows).words} is not missing")
        return f"the fraction (between 0 and 1), among the {among.rows}, of those where {asked}"

    return Grid(frame, at, "crosstab", columns_are_names=False)


def pivot(frame: Frame, arguments: Arguments) -> Grid:
    """The readings of pivot_table: one statistic of one column by the values of two others."""
    names: dict[str, str] = {}
    for position, key in enumerate(("values", "index", "columns")):
        found = arguments.take(key, position)
        if isinstance(found, Constant) and isinstance(found.value, list) and len(found.value) == 1:
            found = Constant(found.value[0])
        if not isinstance(found, Constant) or not isinstance(found.value, str):
            raise Unreadable("pivot table of several columns")
        names[key] = found.value
    statistic = arguments.constant("aggfunc", 3, "mean")
    if not isinstance(statistic, str) or arguments.constant("margins", None, False):
        raise Unreadable("pivot table of several statistics")
    arguments.ignore("observed", "margins")
    rows = Column(frame, wording.name(names["index"]), names["index"])
    columns = Column(frame, wording.name(names["columns"]), names["columns"])

    def at(row: Sequence[object], column: Sequence[object]) -> str:
        label = _only(column[-1:])
        over = in_group(Grouping(frame, (rows, columns)), [*row, label]).over
        return f"the {statistic_words(statistic)} of {wording.name(names['values'])}{over}"

    return Grid(frame, at, "pivot", columns_are_names=False)
