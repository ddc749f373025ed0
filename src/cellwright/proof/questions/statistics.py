"""The words of statistics: of a column, of every column, of groups, of pairs of columns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cellwright.proof.questions import periods, wording
from cellwright.proof.questions.symbols import (
    KEPT_KINDS,
    Check,
    Column,
    Condition,
    Frame,
    Grid,
    Grouping,
    Labelled,
    Order,
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
    "first": "first non-missing value",
    "last": "last non-missing value",
    "skew": "sample skewness (bias corrected)",
    "kurt": "sample excess kurtosis (bias corrected)",
    "sem": "standard error of the mean",
    "prod": "product",
}
_OF_THEIR_OWN = frozenset(
    ("numpy.std", "numpy.var", "numpy.median", "builtins.sum", "builtins.min", "builtins.max", "builtins.len")
)
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
    column = column.whole
    frame = column.frame
    words = f"the {statistic_words(statistic, ddof)} of {column.operand}{frame.over}"
    return Quantity(frame, words, family=statistic if statistic in _NAMES else "quantile")


def distinct_count(column: Column) -> Quantity:
    """How many distinct values, where a missing one counts as one more, as in what unique() gives."""
    words = f"the number of distinct values of {column.operand}{column.frame.over}"
    return Quantity(column.frame, f"{words} (a missing value, if there is any, counts as one more)", family="nunique")


def function_name(path: str) -> str:
    """The statistic that a function is, where pandas lets it work on groups; its whole path where it does so as Python
    or numpy would, or as one version does and another does not."""
    return path if path in _OF_THEIR_OWN else path.rpartition(".")[2]


def rows_count(frame: Frame) -> Quantity:
    """How many rows."""
    frame = frame.settled() if frame.taken else frame
    return Quantity(frame, f"the number of {frame.rows}", family="count")


def rows_share(condition: Condition) -> Quantity:
    """The share of rows that meet a condition."""
    base = condition.frame
    if base.taken:
        raise Unreadable("share of the first rows")
    scope = f" among the {base.rows}" if base.where else ""
    return Quantity(base, f"the fraction (between 0 and 1) of rows where {condition.words}{scope}", family="share")


def _only(labels: Sequence[object]) -> object:
    if len(labels) != 1:
        raise Unreadable("label of several parts")
    return labels[0]


def per_column(frame: Frame, statistic: str, ddof: int = 1) -> Labelled:
    """One statistic of every column."""
    name = statistic_words(statistic, ddof)
    frame = frame.settled() if frame.taken else frame

    def at(labels: Sequence[object]) -> str:
        return f"the {name} of {wording.name(_only(labels))}{frame.over}"

    return Labelled(frame, at, f"{name}{frame.over}", "column", family="column-statistics")


def chosen_per_column(frame: Frame, chosen: Mapping[str, str]) -> Labelled:
    """One statistic of each of some columns, not the same of all."""
    frame = frame.settled() if frame.taken else frame
    names = {column: statistic_words(statistic) for column, statistic in chosen.items()}

    def at(labels: Sequence[object]) -> str:
        column = str(_only(labels))
        return f"the {names[column]} of {wording.name(column)}{frame.over}"

    return Labelled(frame, at, "", "", family="column-statistics")


def several_per_column(frame: Frame) -> Grid:
    """Several statistics of every column."""
    frame = frame.settled() if frame.taken else frame

    def at(rows: Sequence[object], columns: Sequence[object]) -> str:
        return f"the {statistic_words(str(_only(rows)))} of {wording.name(_only(columns))}{frame.over}"

    return Grid(frame, at, "column-statistics")


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
    words = f"the {method.capitalize()} correlation between {first.term} and {second.term}{first.frame.over}"
    return Quantity(first.frame, words, family="correlation")


def correlations_with(frame: Frame, other: Column, method: str) -> Labelled:
    """The correlation of every column with one."""
    frame = frame.settled() if frame.taken else frame
    if replace(other.frame, selection=None) != replace(frame, selection=None):
        raise Unreadable("correlation of columns of different rows")

    def at(labels: Sequence[object]) -> str:
        if _only(labels) == other.name:
            raise Unreadable("correlation of a column with itself")
        return correlation(Column(other.frame, wording.name(_only(labels))), other, method).words

    words = f"{method.capitalize()} correlation with {other.words}{frame.over}"
    # Which column has the highest says itself what it is, where the other is one of them or made of one.
    is_apart = frame.selection is not None and not any(wording.name(name) in other.words for name in frame.selection)
    return Labelled(frame, at, words, "column" if is_apart else "", family="correlation")


def covariances(frame: Frame) -> Grid:
    """The covariance of every pair of columns."""

    def at(rows: Sequence[object], columns: Sequence[object]) -> str:
        first, second = _only(rows), _only(columns)
        if first == second:
            raise Unreadable("covariance of a column with itself")
        return covariance(*(Column(frame, name) for name in sorted((wording.name(first), wording.name(second))))).words

    return Grid(frame, at, "correlation")


def covariance(first: Column, second: Column) -> Quantity:
    """The covariance of two columns of the same rows."""
    if first.frame != second.frame:
        raise Unreadable("covariance of columns of different rows")
    words = f"the sample covariance between {first.term} and {second.term}{first.frame.over}"
    return Quantity(first.frame, words, family="correlation")


# --- groups ---------------------------------------------------------------------------------------


def group_condition(keys: Sequence[Column], labels: Sequence[object]) -> list[str]:
    """The conditions that say which group: "`sex` is "male""."""
    if len(keys) != len(labels):
        raise Unreadable("label of other parts than the keys")
    if any(key.kind == "intervals" for key in keys):
        raise Unreadable("bins without names as labels")
    return [f"{key.subject} is {periods.label_words(key, label)}" for key, label in zip(keys, labels, strict=True)]


def in_group(grouping: Grouping, labels: Sequence[object]) -> Frame:
    """The rows of one group."""
    frame = grouping.frame
    for condition in group_condition(grouping.keys, labels):
        frame = frame.keep(condition)
    return frame


def each(grouping: Grouping) -> str:
    """What a label of a group is, and how it is written where that could be asked."""
    if any(key.kind == "intervals" for key in grouping.keys):
        return ""  # how a bin is written is pandas' own affair
    notes = [periods.labelled_by(key) for key in grouping.keys if key.kind.startswith("period ")]
    named = [f" (named by {note})" for note in notes if note]
    return grouping.each + "".join(named)


def group_table(grouping: Grouping, columns: Mapping[str, str]) -> Frame:
    """The table of groups: their keys as row labels, and columns whose contents are given in words."""
    names: list[str] = []
    meanings: list[str] = []
    for key in grouping.keys:
        name = key.name or key.pandas_name
        if name is None:
            raise Unreadable("groups by a nameless key as a table")
        names.append(name)
        if key.name is None:
            meanings.append(f"{wording.name(name)} is {periods.labelled_by(key) or key.words}")
    if len({*names, *columns}) < len(names) + len(columns):
        raise Unreadable("groups with two columns of one name")
    meanings += [f"{wording.name(name)} is {words}" for name, words in columns.items()]
    step = f"make a new table with one row for each {grouping.each}, in which {wording.listing(meanings)}"
    base = grouping.frame.settled()
    order = Order(tuple(names), (True,) * len(names), grouping.in_order) if grouping.sorts else None
    return Frame(
        base.tables,
        (*base.steps, step),
        index=tuple(names),
        sequence=order,
        shuffled=not grouping.sorts,
        kinds=tuple((name, key.kind) for name, key in zip(names, grouping.keys, strict=True) if key.kind in KEPT_KINDS),
        unique=tuple(names),
    )


def per_group(grouping: Grouping, column: str, statistic: str, ddof: int = 1) -> Labelled:
    """One statistic of one column for every group."""
    name = statistic_words(statistic, ddof)

    def at(labels: Sequence[object]) -> str:
        return f"the {name} of {wording.name(column)}{in_group(grouping, labels).over}"

    def table(called: str) -> Frame:
        return group_table(grouping, {called: f"the {name} of {wording.name(column)}"})

    words = f"{name} of {wording.name(column)}{grouping.frame.over}"
    pair = (grouping, f"the {name} of {wording.name(column)}")
    in_order = grouping.in_order
    return Labelled(grouping.frame, at, words, each(grouping), column=column, table=table, pair=pair, in_order=in_order)


def rows_per_group(grouping: Grouping) -> Labelled:
    """The number of rows of every group."""

    def at(labels: Sequence[object]) -> str:
        return rows_count(in_group(grouping, labels)).words

    def table(called: str) -> Frame:
        return group_table(grouping, {called: "the number of rows"})

    words = f"number of {grouping.frame.rows}"
    pair = (grouping, "the number of rows")
    in_order, family = grouping.in_order, "value-counts"
    return Labelled(grouping.frame, at, words, each(grouping), family=family, table=table, pair=pair, in_order=in_order)


def paired_table(first: tuple[Grouping, str], second: tuple[Grouping, str]) -> Frame:
    """The table of two quantities of the same groups, called "first value" and "second value".

    The rows of each may be filtered in a way of its own, and a group that one of them lacks has a missing value.
    """
    (left, left_words), (right, right_words) = first, second
    same_keys = [key.words for key in left.keys] == [key.words for key in right.keys]
    if left.frame.base != right.frame.base or not same_keys:
        raise Unreadable("arithmetic of different groups")
    whole = replace(left, frame=replace(left.frame, where=()))
    contents = {
        name: f"{words}{frame.over}" + (" (missing where there are no such rows)" if frame.where else "")
        for name, words, frame in (
            ("first value", left_words, left.frame),
            ("second value", right_words, right.frame),
        )
    }
    return group_table(whole, contents)


def value_counts(column: Column, *, share: bool, sorts: bool = True, in_order: Check | None = None) -> Labelled:
    """The number, or share, of rows with each value of a column, the most frequent first where it `sorts`."""
    base = column.frame
    grouping = Grouping(base, (column,), sorts=sorts, in_order=in_order)
    frequent = tuple(f"the {side} frequent value of {column.operand}{base.over}" for side in ("most", "least"))
    order = False if sorts else None
    counts = replace(rows_per_group(grouping), order=order, superlatives=(frequent[0], frequent[1]), column="count")
    if not share:
        return counts
    present = base.keep(f"{column.words} is not missing")
    noun = f"fraction (between 0 and 1) of the {present.rows} that have this value"

    def at(labels: Sequence[object]) -> str:
        (condition,) = group_condition((column,), labels)
        return f"the fraction (between 0 and 1), among the {present.rows}, of those where {condition}"

    def table(called: str) -> Frame:
        words = f"the fraction (between 0 and 1) of the {present.rows} that have this value"
        return group_table(replace(grouping, frame=base), {called: words})

    return replace(counts, at=at, statistic=noun, family="share", column="proportion", table=table, pair=None)


def group_grid(grouping: Grouping, columns: dict[str, list[str]] | None, statistic: str | None) -> Grid:
    """Several statistics of every group: by column, or by column and statistic."""

    def name_of(labels: Sequence[object]) -> str:
        if len(labels) == 2:
            name = described(labels[1]) if statistic == "describe" else statistic_words(str(labels[1]))
            return f"{name} of {wording.name(labels[0])}"
        column = str(_only(labels))
        if statistic is not None:
            return f"{statistic_words(statistic)} of {wording.name(column)}"
        chosen = (columns or {}).get(column, [])
        if len(chosen) != 1:
            raise Unreadable("column of unknown statistic")
        return f"{statistic_words(chosen[0])} of {wording.name(column)}"

    def at(rows: Sequence[object], labels: Sequence[object]) -> str:
        return f"the {name_of(labels)}{in_group(grouping, rows).over}"

    def of(label: object) -> str:
        parts = label if isinstance(label, tuple) else (label,)
        return f"{name_of(parts)}{grouping.frame.over}"

    told = list(columns) if columns is not None else list(grouping.columns or ())
    table = None
    if told and statistic != "describe" and all(len(c) == 1 for c in (columns or {}).values()):
        table = _table_or_none(grouping, {name: f"the {name_of([name])}" for name in told})
    return Grid(grouping.frame, at, "group-aggregate", each=each(grouping), statistic=of, table=table)


def _table_or_none(grouping: Grouping, columns: Mapping[str, str]) -> Frame | None:
    try:
        return group_table(grouping, columns)
    except Unreadable:
        return None


def named_grid(grouping: Grouping, chosen: Mapping[str, tuple[str, str]]) -> Grid:
    """Named statistics of every group: name to column and statistic."""
    words = {
        name: "number of rows" if how == "size" else f"{statistic_words(how)} of {wording.name(column)}"
        for name, (column, how) in chosen.items()
    }

    def at(rows: Sequence[object], labels: Sequence[object]) -> str:
        name = str(_only(labels))
        over = in_group(grouping, rows)
        return rows_count(over).words if words[name] == "number of rows" else f"the {words[name]}{over.over}"

    def of(label: object) -> str:
        found = words[str(label)]
        return f"number of {grouping.frame.rows}" if found == "number of rows" else f"{found}{grouping.frame.over}"

    table = _table_or_none(grouping, {name: f"the {noun}" for name, noun in words.items()})
    return Grid(grouping.frame, at, "group-aggregate", each=each(grouping), statistic=of, table=table)


def crosstab(rows: Column, columns: Column, normalize: object) -> Grid:
    """The number of rows for every pair of values of two columns."""
    if rows.frame != columns.frame:
        raise Unreadable("crosstab of columns of different rows")
    frame = rows.frame

    def at(row: Sequence[object], column: Sequence[object]) -> str:
        both = group_condition((rows, columns), [*row, *column])
        if not normalize:
            return rows_count(frame.keep(both[0]).keep(both[1])).words
        if normalize in (True, "all"):
            present = frame.keep(f"{rows.words} is not missing").keep(f"{columns.words} is not missing")
            return f"the fraction (between 0 and 1), among the {present.rows}, of those where {' and '.join(both)}"
        if normalize not in ("index", "columns"):
            raise Unreadable("argument normalize of crosstab()")
        given, asked = (both[0], both[1]) if normalize == "index" else (both[1], both[0])
        among = frame.keep(given).keep(f"{(columns if normalize == 'index' else rows).words} is not missing")
        return f"the fraction (between 0 and 1), among the {among.rows}, of those where {asked}"

    pair = f"{rows.words} and {columns.words}" if not normalize else ""
    return Grid(frame, at, "crosstab", columns_are_names=False, pair=pair)
