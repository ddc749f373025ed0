"""Readings of what depends on the order of the rows or on time: earlier rows, running and rolling values, periods."""

from collections.abc import Callable
from dataclasses import replace

from cellwright.proof.questions import picking, statistics, wording
from cellwright.proof.questions.periods import period_key
from cellwright.proof.questions.symbols import (
    Arguments,
    Column,
    Constant,
    Evaluator,
    Frame,
    Grouping,
    Resampled,
    Rolling,
    Symbol,
    Unreadable,
)

# --- earlier rows ---------------------------------------------------------------------------------------


def in_order(column: Column, reader: Evaluator) -> Column:
    """The column with the order of its rows told as a step; Unreadable where that order is nobody's."""
    return replace(column, frame=_ordered(column.frame, reader))


def _ordered(frame: Frame, reader: Evaluator) -> Frame:
    return picking.counted(frame, reader).settled()


def _among(keys: tuple[Column, ...]) -> str:
    listed = wording.listing([key.words for key in keys])
    return f" with the same {listed}" if keys else ""


def _rows_away(periods: object, keys: tuple[Column, ...]) -> str:
    """ "the previous row", "the row 2 rows later", within a group where there is one."""
    if not isinstance(periods, int) or isinstance(periods, bool) or periods == 0:
        raise Unreadable("rows a computed number away")
    side = "before" if periods > 0 else "after"
    if abs(periods) == 1:
        return f"the {'previous' if periods > 0 else 'next'} row{_among(keys)}"
    among = f", counting only rows{_among(keys)}" if keys else ""
    return f"the row {abs(periods)} rows {side}{among}"


def _shift(column: Column, keys: tuple[Column, ...], arguments: Arguments) -> Column:
    place = _rows_away(arguments.constant("periods", 0, 1), keys)
    return column.computed(f"the value of {column.operand} in {place}")


def _diff(column: Column, keys: tuple[Column, ...], arguments: Arguments) -> Column:
    place = _rows_away(arguments.constant("periods", 0, 1), keys)
    return column.computed(f"the difference of {column.operand} to its value in {place}")


def _pct_change(column: Column, keys: tuple[Column, ...], arguments: Arguments) -> Column:
    place = _rows_away(arguments.constant("periods", 0, 1), keys)
    _without_filling(arguments)
    return column.computed(f"the relative change of {column.operand} since {place} (0.1 for a rise by 10%)")


_MISSING_STAYS = "missing where its own value is missing"


def _skipping_missing(arguments: Arguments) -> None:
    if not arguments.constant("skipna", None, True):
        raise Unreadable("running values that stop at a missing one")


def _without_filling(arguments: Arguments) -> None:
    if arguments.constant("fill_method", None) is not None:
        raise Unreadable("argument fill_method of pct_change()")


def _checked(method: str, arguments: Arguments, reader: Evaluator) -> None:
    """What must hold, or pandas means something else by the method than its words say."""
    receiver = f"({arguments.receiver})"
    if method == "diff":  # of truths: whether they differ
        kinds = f"getattr({receiver}.dtypes, 'values', [{receiver}.dtypes])"
        reader.require(reader.check(f"not any(str(kind) in ('bool', 'boolean') for kind in {kinds})"))
    if method == "pct_change" and "fill_method" not in arguments.named:  # older versions fill gaps of themselves
        reader.require(reader.check(f"not bool({receiver}.isna().to_numpy().any())"))


def _running(noun: str) -> Callable[[Column, tuple[Column, ...], Arguments], Column]:
    def reading(column: Column, keys: tuple[Column, ...], arguments: Arguments) -> Column:
        _skipping_missing(arguments)
        rows = f"the rows{_among(keys)} up to and with this row" if keys else "the rows up to and with this row"
        return column.computed(f"the {noun} of {column.operand} over {rows} ({_MISSING_STAYS})")

    return reading


def _rank(column: Column, keys: tuple[Column, ...], arguments: Arguments) -> Column:
    method = arguments.constant("method", None, "average")
    ties = {
        "average": "equal values get the mean of their ranks",
        "min": "equal values get the lowest of their ranks",
        "max": "equal values get the highest of their ranks",
        "dense": "equal values get the same rank and no rank is left out",
    }.get(method)
    if ties is None or arguments.constant("pct", None, False):
        raise Unreadable(f"rank by {method}")
    way = (
        "from the lowest value (rank 1) up"
        if arguments.constant("ascending", None, True)
        else "from the highest value (rank 1) down"
    )
    among = f" among the rows{_among(keys)}" if keys else ""
    return column.computed(f"the rank of {column.operand}{among}, {way}, where {ties}", compound=True)


def _filled(way: str) -> Callable[[Column, tuple[Column, ...], Arguments], Column]:
    def reading(column: Column, keys: tuple[Column, ...], arguments: Arguments) -> Column:
        if arguments.constant("limit", None) is not None:
            raise Unreadable("argument limit of a filling")
        rows = f"the nearest {way} row{_among(keys)} that has one"
        words = f"{column.term} with each missing value replaced by that of {rows}"
        return column.computed(words, compound=True)

    return reading


_ORDERED: dict[str, Callable[[Column, tuple[Column, ...], Arguments], Column]] = {
    "shift": _shift,
    "diff": _diff,
    "pct_change": _pct_change,
    "cumsum": _running("running total"),
    "cummax": _running("running maximum"),
    "cummin": _running("running minimum"),
    "ffill": _filled("earlier"),
    "bfill": _filled("later"),
}
_EVERY_VALUE = {
    "shift": "the value that its column has in {place}",
    "diff": "its difference to the value that its column has in {place}",
    "pct_change": "its relative change since {place} (0.1 for a rise by 10%)",
    "cumsum": f"the running total of its column up to and with this row ({_MISSING_STAYS})",
    "cummax": f"the running maximum of its column up to and with this row ({_MISSING_STAYS})",
    "cummin": f"the running minimum of its column up to and with this row ({_MISSING_STAYS})",
}


def of_every_column(method: str) -> Callable[[Frame, Arguments, Evaluator], Frame]:
    """`frame.diff()` and the like: the same for every value, told as a step."""

    def reading(frame: Frame, arguments: Arguments, reader: Evaluator) -> Frame:
        if arguments.constant("axis", None, 0) not in (0, "index"):
            raise Unreadable(f"{method} along the columns")
        _checked(method, arguments, reader)
        _without_filling(arguments)
        words = _EVERY_VALUE[method]
        if "{place}" in words:
            words = words.format(place=_rows_away(arguments.constant("periods", 0, 1), ()))
        _skipping_missing(arguments)
        return replace_every_value(_ordered(frame, reader), words)

    return reading


def replace_every_value(frame: Frame, words: str) -> Frame:
    """The table with each value replaced by what is made of it."""
    chosen = frame.selection
    among = f" of {wording.listing([wording.name(name) for name in chosen])}" if chosen is not None else ""
    listed = wording.listing([wording.name(name) for name in frame.index])
    labels = f" but those of {listed}" if frame.index and chosen is None else ""
    return frame.then(f"replace every value{among}{labels} by {words}")


IN_ORDER = frozenset(_ORDERED)
EVERY_COLUMN = {method: of_every_column(method) for method in _EVERY_VALUE}
METHODS = frozenset((*_ORDERED, "rank", "rolling", "expanding", "resample"))


def call(column: Column, method: str, arguments: Arguments, reader: Evaluator) -> Symbol:
    """The symbol of one of METHODS on a column."""
    match method:
        case "rank":
            return _rank(replace(column, frame=column.frame.settled()), (), arguments)
        case "rolling":
            return _rolling(in_order(column, reader), arguments)
        case "expanding":
            return Rolling(in_order(column, reader), "this row and all rows before it")
        case "resample":
            return _resampled(column.frame, arguments, reader, (column.name or "",))
    if arguments.receiver:
        _checked(method, arguments, reader)
    return _ORDERED[method](in_order(column, reader), (), arguments)


def within_groups(grouping: Grouping, method: str, arguments: Arguments, reader: Evaluator) -> Column | None:
    """The same of a column within each group; None for a method that is none of these."""
    if grouping.columns is None or not grouping.single:
        return None
    name = grouping.columns[0]
    column = Column(grouping.frame, wording.name(name), name)
    if method == "rank":
        return _rank(replace(column, frame=column.frame.settled()), grouping.keys, arguments)
    if method in _ORDERED:
        return _ORDERED[method](in_order(column, reader), grouping.keys, arguments)
    return None


# --- rolling ----------------------------------------------------------------------------------------------


def of_table(frame: Frame, arguments: Arguments, reader: Evaluator) -> Symbol:
    """`frame.rolling(n)`."""
    raise Unreadable("rolling values of every column")


def _rolling(column: Column, arguments: Arguments) -> Rolling:
    window = arguments.constant("window", 0)
    if not isinstance(window, int) or isinstance(window, bool) or window < 2 or arguments.constant("center", 2, False):
        raise Unreadable("rolling window of another kind")
    least = arguments.constant("min_periods", 1, window)
    rows = "the row before it" if window == 2 else f"the {window - 1} rows before it"
    if least == window:
        rule = f"missing unless all {window} values are there"
    elif least == 1:
        rule = "over as many of them as there are"
    else:
        rule = f"missing unless at least {least} values are there"
    return Rolling(column, f"this row and {rows} ({rule})")


def rolling_call(rolling: Rolling, method: str, arguments: Arguments) -> Column:
    """A statistic of a rolling window."""
    if method not in ("mean", "sum", "min", "max", "median", "std", "var"):
        raise Unreadable(f"method {method} of a rolling window")
    name = statistics.statistic_words(method, arguments.constant("ddof", None, 1))
    arguments.done()
    column = rolling.column
    return column.computed(f"the {name} of {column.operand} over {rolling.span}")


# --- periods ----------------------------------------------------------------------------------------------


def resample(frame: Frame, arguments: Arguments, reader: Evaluator) -> Resampled:
    """`frame.resample(rule)`: by the row labels, or by the column that is named."""
    return _resampled(frame, arguments, reader, None)


def _resampled(frame: Frame, arguments: Arguments, reader: Evaluator, picked: tuple[str, ...] | None) -> Resampled:
    rule, on = arguments.constant("rule", 0), arguments.constant("on", None)
    name = on if isinstance(on, str) else frame.label
    if name is None or picked == ("",):
        raise Unreadable("resampling without a column of dates")
    frame = frame.settled() if frame.taken else frame
    given = {key: f"{key}={symbol.value!r}" for key, symbol in arguments.named.items() if isinstance(symbol, Constant)}
    call = ", ".join([repr(rule), *(text for key, text in given.items() if key != "rule")])
    # A period without rows would be a row of zeros or of missing values: there is none.
    reader.require(reader.check(f"bool(({arguments.receiver}).resample({call}).size().gt(0).all())"))
    key = period_key(Column(frame, wording.name(name), name), rule)
    dates = f"({arguments.receiver})" + (f"[{on!r}]" if isinstance(on, str) else ".index")
    return Resampled(frame, key, picked, picked is not None, dates)


def pick(resampled: Resampled, key: object) -> Resampled:
    """`resampled[column]`."""
    if isinstance(key, str):
        return replace(resampled, columns=(key,), single=True)
    if isinstance(key, list) and all(isinstance(name, str) for name in key):
        return replace(resampled, columns=tuple(key), single=False)
    raise Unreadable("columns known only at run time")
