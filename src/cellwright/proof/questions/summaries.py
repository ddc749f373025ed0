"""Readings of what a table tells of every column, or of all its rows: statistics, correlations, counts."""

from collections.abc import Callable
from dataclasses import replace

from cellwright.proof.questions import columns, picking, statistics, wording
from cellwright.proof.questions.symbols import (
    Absence,
    Arguments,
    Column,
    Constant,
    Evaluator,
    Frame,
    Grid,
    Grouping,
    Labelled,
    Symbol,
    Unreadable,
)


def per_column(statistic: str) -> Callable[[Frame, Arguments, Evaluator], Symbol]:
    """A statistic of each column, or of what stands in each row."""

    def reading(frame: Frame, arguments: Arguments, _: Evaluator) -> Symbol:
        ddof = arguments.constant("ddof", None, 1)
        if not arguments.constant("skipna", None, True):
            raise Unreadable("statistic that is missing where a value is")
        arguments.ignore("numeric_only")
        if arguments.constant("axis", None, 0) not in (0, "index"):
            return _of_each_row(frame, statistic, ddof)
        return statistics.per_column(frame, statistic, ddof)

    return reading


def _of_each_row(frame: Frame, statistic: str, ddof: int) -> Column:
    if frame.selection is None or len(frame.selection) < 2:
        raise Unreadable(f"{statistic} of each row")
    listed = wording.listing([wording.name(name) for name in frame.selection])
    rows = replace(frame, selection=None)
    return Column(rows, f"the {statistics.statistic_words(statistic, ddof)} of {listed} in the row")


def missing(absent: bool) -> Callable[[Frame, Arguments, Evaluator], Symbol]:
    """Whether values are missing, or not."""

    def reading(frame: Frame, arguments: Arguments, _: Evaluator) -> Absence:
        return Absence(frame, absent)

    return reading


def describe(frame: Frame, arguments: Arguments, _: Evaluator) -> Grid:
    """The usual statistics of each column."""
    arguments.ignore("include", "percentiles", "exclude")
    return statistics.describe(frame)


def corr(frame: Frame, arguments: Arguments, _: Evaluator) -> Grid:
    """Correlations of pairs of columns."""
    arguments.ignore("numeric_only")
    method = arguments.constant("method", 0, "pearson")
    return statistics.correlations(frame, str(method))


def cov(frame: Frame, arguments: Arguments, _: Evaluator) -> Grid:
    """Covariances of pairs of columns."""
    arguments.ignore("numeric_only")
    return statistics.covariances(frame)


def corrwith(frame: Frame, arguments: Arguments, _: Evaluator) -> Labelled:
    """Correlations with another column."""
    other = arguments.take("other", 0)
    arguments.ignore("numeric_only")
    if not isinstance(other, Column) or arguments.constant("axis", 1, 0) not in (0, "index"):
        raise Unreadable("correlation with another table")
    return statistics.correlations_with(frame, other, str(arguments.constant("method", None, "pearson")))


def quantile(frame: Frame, arguments: Arguments, _: Evaluator) -> Labelled:
    """A quantile of each column."""
    arguments.ignore("numeric_only")
    fraction = arguments.constant("q", 0, 0.5)
    return statistics.per_column(frame, statistics.quantile_name(fraction), 1)


def agg(frame: Frame, arguments: Arguments, _: Evaluator) -> Grid | Labelled:
    """Statistics by their names: one of each column, chosen ones, or several."""
    how = arguments.take("func", 0)
    match how:
        case Constant(value=dict() as chosen) if chosen and all(isinstance(name, str) for name in chosen.values()):
            return statistics.chosen_per_column(frame, chosen)
        case Constant(value=str() as name):
            return statistics.per_column(frame, name)
        case Constant(value=list()):
            return statistics.several_per_column(frame)
    raise Unreadable("aggregation by a function")


def value_counts(frame: Frame, arguments: Arguments, reader: Evaluator) -> Labelled:
    """How many rows have each combination of values."""
    subset = arguments.take("subset", 0)
    names = picking.names_of(subset) if subset is not None else frame.selection
    if names is None or arguments.constant("normalize", 1, False):
        raise Unreadable("value_counts of whole rows")
    grouping = Grouping(frame, tuple(picking.column(frame, name) for name in names))
    counts = replace(statistics.rows_per_group(grouping), order=False, column="count")
    return columns.with_ties(counts, arguments, reader)
