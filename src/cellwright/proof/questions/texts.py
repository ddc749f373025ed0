"""Readings of the accessors of columns: texts (`.str`) and dates (`.dt`)."""

import ast
from collections.abc import Callable
from dataclasses import replace

from cellwright.proof.questions import periods, wording
from cellwright.proof.questions.symbols import Arguments, Column, Condition, Evaluator, Symbol, Unreadable

_REGEX_SIGNS = set(".^$*+?{}[]\\|()")
_DATE_PARTS = {
    "year": "the year of {}",
    "month": "the month of {} (1 to 12)",
    "day": "the day of the month of {}",
    "hour": "the hour of {} (0 to 23)",
    "minute": "the minute of {}",
    "second": "the second of {}",
    "dayofweek": "the day of the week of {} (Monday is 0)",
    "day_of_week": "the day of the week of {} (Monday is 0)",
    "weekday": "the day of the week of {} (Monday is 0)",
    "dayofyear": "the day of the year of {} (1 to 366)",
    "date": "the date of {} without its time",
    "quarter": "the quarter of {} (1 to 4)",
    "days": "the number of days in {} (rounded down)",
    "days_in_month": "the number of days in the month of {}",
}
_DATE_CONDITIONS = {
    "is_month_end": "{} is the last day of a month",
    "is_month_start": "{} is the first day of a month",
    "is_quarter_end": "{} is the last day of a quarter",
    "is_year_end": "{} is the last day of a year",
    "is_leap_year": "{} is in a leap year",
}
_CHANGES = {
    "lower": "in lower case",
    "upper": "in upper case",
    "title": "with the first letter of each word capital and all others small",
    "capitalize": "with its first letter capital and all others small",
    "swapcase": "with upper and lower case swapped",
}
_STRIPS = {"strip": "at its ends", "lstrip": "at its start", "rstrip": "at its end"}
_KINDS = {
    "isdigit": "consists of digits only",
    "isnumeric": "consists of numeric characters only",
    "isalpha": "consists of letters only",
    "isalnum": "consists of letters and digits only",
    "isupper": "is in upper case",
    "islower": "is in lower case",
}


def date_attribute(column: Column, part: str) -> Symbol | None:
    """`column.dt.year` and the like; None for a method."""
    if part in _DATE_PARTS:
        return column.computed(_DATE_PARTS[part].format(column.operand))
    if part in _DATE_CONDITIONS:
        return Condition(column.frame, _DATE_CONDITIONS[part].format(column.subject))
    return None


def item(column: Column, node: ast.expr, reader: Evaluator) -> Column:
    """`column.str[0]` and `column.str[:3]`; of parts, one of them."""
    if isinstance(node, ast.Slice):
        low = reader.constant(node.lower) if node.lower else 0
        high = reader.constant(node.upper) if node.upper else None
        if node.step is not None or not isinstance(low, int) or not (high is None or isinstance(high, int)):
            raise Unreadable("subscript of a text")
        return _characters(column, low, high)
    key = reader.constant(node)
    if not isinstance(key, int) or key < -1:
        raise Unreadable("subscript of a text")
    return _one(column, key)


def _one(column: Column, key: int) -> Column:
    place = "last" if key == -1 else wording.ordinal(key + 1)
    if column.kind == "parts":
        parts = f"part of {column.words}" if column.name else f"of {column.words}"
        return column.computed(f"the {place} {parts}")
    return column.computed(f"the {place} character of {column.operand}")


def _some(count: int) -> str:
    return "character" if count == 1 else f"{count} characters"


def _characters(column: Column, low: int, high: int | None) -> Column:
    if column.kind == "parts":
        raise Unreadable("several parts of a text")
    match low, high:
        case 0, int() if high > 0:
            return column.computed(f"the first {_some(high)} of {column.operand}")
        case int(), None if low < 0:
            return column.computed(f"the last {_some(-low)} of {column.operand}")
        case int(), None if low > 0:
            return column.computed(f"{column.term} from its {wording.ordinal(low + 1)} character on", compound=True)
        case 0, int() if high < 0:
            last = "last character" if high == -1 else f"last {-high} characters"
            return column.computed(f"{column.term} without its {last}", compound=True)
        case int(), int() if 0 < low < high:
            words = f"the {wording.ordinal(low + 1)} to the {wording.ordinal(high)} character of {column.operand}"
            return column.computed(words)
    raise Unreadable("subscript of a text")


def call(column: Column, accessor: str, method: str, arguments: Arguments) -> Symbol:
    """`column.str.method(...)` and `column.dt.method(...)`."""
    symbol = _text(column, method, arguments) if accessor == "str" else _date(column, method, arguments)
    arguments.done()
    return symbol


def _date(column: Column, method: str, arguments: Arguments) -> Column:
    match method:
        case "day_name":
            return column.computed(f"the English name of the weekday of {column.operand}")
        case "month_name":
            return column.computed(f"the English name of the month of {column.operand}")
        case "to_period":
            key = periods.period_key(column, arguments.constant("freq", 0))
            return replace(key, kind="")
        case "strftime":
            form = arguments.constant("date_format", 0)
            return column.computed(f"{column.term} written as {form}", compound=True)
        case "total_seconds":
            return column.computed(f"the number of seconds in {column.operand}")
        case "normalize":
            return column.computed(f"the date of {column.operand} without its time")
    raise Unreadable(f"method {method} of dates")


def _text(column: Column, method: str, arguments: Arguments) -> Symbol:
    if column.kind == "parts":
        return _of_parts(column, method, arguments)
    if method in _CHANGES or method == "len":
        if method == "len":
            return column.computed(f"the number of characters of {column.operand}")
        return column.computed(f"{column.term} {_CHANGES[method]}", compound=True)
    if method in _KINDS:
        return Condition(column.frame, f"{column.subject} {_KINDS[method]}")
    reading = _METHODS.get(method)
    if reading is None:
        raise Unreadable(f"method {method} of texts")
    return reading(column, method, arguments)


def parts_count(column: Column) -> Column:
    """How many parts each text was split into."""
    parts = f"parts of {column.words}" if column.name else column.words.removeprefix("the ")
    return column.computed(f"the number of {parts}")


def _of_parts(column: Column, method: str, arguments: Arguments) -> Column:
    if method == "len":
        return parts_count(column)
    if method == "get":
        place = arguments.constant("i", 0)
        if isinstance(place, int) and place >= -1:
            return _one(column, place)
    raise Unreadable(f"method {method} of parts")


def _strip(column: Column, method: str, arguments: Arguments) -> Column:
    signs = arguments.constant("to_strip", 0)
    what = "whitespace" if signs is None else f"any of the characters {wording.value(signs)}"
    return column.computed(f"{column.term} without {what} {_STRIPS[method]}", compound=True)


def _contains(column: Column, method: str, arguments: Arguments) -> Condition:
    pattern = str(arguments.constant("pat", 0))
    case = bool(arguments.constant("case", 1, True))
    regex = bool(arguments.constant("regex", None, True)) and bool(_REGEX_SIGNS & set(pattern))
    _missing_is_false(arguments)
    if method == "contains":
        told = f"matches the regular expression {wording.value(pattern)} somewhere"
        how = told if regex else f"contains {wording.value(pattern)}"
    else:
        where = "from its start" if method == "match" else "as a whole"
        how = f"matches the regular expression {wording.value(pattern)} {where}"
    letters = "" if case else ", ignoring case"
    return Condition(column.frame, f"{column.subject} {how}{letters}")


def _missing_is_false(arguments: Arguments) -> None:
    if arguments.constant("na", None, False):
        raise Unreadable("missing texts that count as found")


def _side(column: Column, method: str, arguments: Arguments) -> Condition:
    side = "starts" if method == "startswith" else "ends"
    _missing_is_false(arguments)
    ends = arguments.constant("pat", 0)
    listed = wording.listing(
        [wording.value(end) for end in (ends if isinstance(ends, (list, tuple)) else [ends])], "or"
    )
    return Condition(column.frame, f"{column.subject} {side} with {listed}")


def _replace(column: Column, method: str, arguments: Arguments) -> Column:
    old, new = arguments.constant("pat", 0), arguments.constant("repl", 1)
    regex = arguments.constant("regex", None, False)
    if not isinstance(old, str) or not isinstance(new, str):
        raise Unreadable("replace by a function")
    what = f"match of the regular expression {wording.value(old)}" if regex else wording.value(old)
    change = f"every {what} in it taken out" if new == "" else f"every {what} in it replaced by {wording.value(new)}"
    return column.computed(f"{column.term} with {change}", compound=True)


def _split(column: Column, method: str, arguments: Arguments) -> Column:
    sign = arguments.constant("pat", 0)
    most = arguments.constant("n", 1, -1)
    regex = arguments.constant("regex", None, None)
    # pandas takes longer ones for regular expressions, unless told otherwise; a text of its own never does.
    if column.form == "series" and method == "split" and regex is None and isinstance(sign, str) and len(sign) > 1:
        regex = bool(_REGEX_SIGNS & set(sign))
    if arguments.constant("expand", None, False) or regex:
        raise Unreadable("texts split into columns")
    at = "at whitespace" if sign is None else f"at each {wording.value(sign)}"
    if most not in (-1, 0):
        side = "last" if method == "rsplit" else "first"
        at = f"at the {side} {wording.value(sign)}" if most == 1 and sign is not None else ""
    elif method == "rsplit":
        method = "split"
    if not at:
        raise Unreadable("texts split a few times")
    return column.computed(f"the parts of {column.term} split {at}", kind="parts")


def _extract(column: Column, method: str, arguments: Arguments) -> Column:
    pattern = arguments.constant("pat", 0)
    if arguments.constant("expand", None, True) or not isinstance(pattern, str):
        raise Unreadable("texts extracted into a table")
    words = f"what the group of the regular expression {wording.value(pattern)} matches first in {column.operand}"
    return column.computed(words, compound=True)


def _count(column: Column, method: str, arguments: Arguments) -> Column:
    pattern = str(arguments.constant("pat", 0))
    regex = bool(_REGEX_SIGNS & set(pattern))
    what = (
        f"matches of the regular expression {wording.value(pattern)}"
        if regex
        else f"times that {wording.value(pattern)} occurs"
    )
    return column.computed(f"the number of {what} in {column.operand}")


def _slice(column: Column, method: str, arguments: Arguments) -> Column:
    return _characters(column, arguments.constant("start", 0, 0) or 0, arguments.constant("stop", 1))


def _get(column: Column, method: str, arguments: Arguments) -> Column:
    place = arguments.constant("i", 0)
    if not isinstance(place, int) or place < -1:
        raise Unreadable("subscript of a text")
    return _one(column, place)


def _zfill(column: Column, method: str, arguments: Arguments) -> Column:
    width = arguments.constant("width", 0)
    return column.computed(f"{column.term} filled with zeros on the left to {width} characters", compound=True)


_METHODS: dict[str, Callable[[Column, str, Arguments], Symbol]] = {
    **dict.fromkeys(_STRIPS, _strip),
    **dict.fromkeys(("contains", "match", "fullmatch"), _contains),
    **dict.fromkeys(("startswith", "endswith"), _side),
    **dict.fromkeys(("split", "rsplit"), _split),
    "replace": _replace,
    "extract": _extract,
    "count": _count,
    "slice": _slice,
    "get": _get,
    "zfill": _zfill,
}
