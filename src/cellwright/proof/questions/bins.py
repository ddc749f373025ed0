"""Readings of what sorts numbers into bins: pandas.cut and pandas.qcut."""

from dataclasses import replace
from itertools import pairwise

from cellwright.proof.questions import wording
from cellwright.proof.questions.symbols import Arguments, Column, Evaluator, Unreadable

_MOST_BINS = 10
_QUANTILES = {4: "quartile", 5: "quintile", 10: "decile"}


def cut(arguments: Arguments, _: Evaluator) -> Column:
    """Bins whose edges, or number, are given."""
    column, edges = _column(arguments.take("x", 0)), arguments.constant("bins", 1)
    right = bool(arguments.constant("right", 2, True))
    lowest = bool(arguments.constant("include_lowest", None, False))
    labels = _labels(arguments, 3)
    arguments.ignore("precision", "ordered")
    if isinstance(edges, int) and not isinstance(edges, bool):
        _check_count(edges, labels)
        ends = "including its upper end" if right else "including its lower end"
        words = (
            f"which of {edges} bins of equal width between the lowest and the highest {column.words} (each {ends}) "
            f"{column.operand} is in"
        )
        return _named(column, words, labels)
    if not isinstance(edges, (list, tuple)) or not all(isinstance(edge, (int, float)) for edge in edges):
        raise Unreadable("bins with computed edges")
    _check_count(len(edges) - 1, labels)
    listed = [_interval(a, b, right, lowest and n == 0) for n, (a, b) in enumerate(pairwise(edges))]
    if not isinstance(labels, list):
        number = ", counted from 0" if labels is False else ""
        words = f"the bin of {column.operand} among {wording.listing(listed)} (missing outside of all bins){number}"
        return column.computed(words, compound=True, kind="" if labels is False else "intervals")
    pairs = [f"{wording.value(label)} for {span}" for label, span in zip(labels, listed, strict=True)]
    return column.computed(
        f"the bin of {column.operand}: {wording.listing(pairs)}, else missing", compound=True, kind="bins"
    )


def qcut(arguments: Arguments, _: Evaluator) -> Column:
    """Bins that hold about the same number of rows."""
    column, count = _column(arguments.take("x", 0)), arguments.constant("q", 1)
    column = replace(column, frame=column.frame.settled())  # its edges are those of the rows that there are
    labels = _labels(arguments, 2)
    arguments.ignore("precision")
    if not isinstance(count, int) or arguments.constant("duplicates", None, "raise") != "raise":
        raise Unreadable("quantile bins of another kind")
    _check_count(count, labels)
    noun = _QUANTILES.get(count, f"{count}-quantile")
    words = (
        f"the {noun} bin of {column.operand} (edges are quantiles by linear interpolation over all rows; a value on an "
        "edge is in the lower bin)"
    )
    return _named(column, words, labels)


def _named(column: Column, words: str, labels: list[object] | bool | None) -> Column:
    if labels is False:
        words = f"the number, counted from 0 for the lowest, of {words}"
    elif isinstance(labels, list):
        words = f"{words}, called {wording.listing([wording.value(label) for label in labels])} from the lowest up"
    kind = "bins" if isinstance(labels, list) else "" if labels is False else "intervals"
    return column.computed(words, compound=True, kind=kind)


def _interval(low: float, high: float, right: bool, include: bool) -> str:
    if low == float("-inf"):
        return f"{'up to' if right else 'below'} {wording.value(high)}"
    if high == float("inf"):
        return f"{'above' if right and not include else 'from'} {wording.value(low)}"
    if right:
        start = "from" if include else "above"
        return f"{start} {wording.value(low)} up to and including {wording.value(high)}"
    return f"from {wording.value(low)} to below {wording.value(high)}"


def _labels(arguments: Arguments, place: int) -> list[object] | bool | None:
    labels = arguments.constant("labels", place)
    if labels is None or labels is False:
        return None if labels is None else False
    if isinstance(labels, (list, tuple)) and len(labels) <= _MOST_BINS:
        return list(labels)
    raise Unreadable("bins with computed labels")


def _check_count(count: int, labels: list[object] | bool | None) -> None:
    if not 2 <= count <= _MOST_BINS or (isinstance(labels, list) and len(labels) != count):
        raise Unreadable("bins of another number")


def _column(symbol: object) -> Column:
    if isinstance(symbol, Column):
        return symbol.whole
    raise Unreadable("bins of something else than a column")
