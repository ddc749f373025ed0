"""What must hold so that values come in the order that a person would give them: texts, and dates beside texts."""

import re

from cellwright.proof.questions.symbols import NEVER, Check, Evaluator, Unreadable

TEXT_ORDER = (
    "(lambda s: str(getattr(s, 'dtype', '')) not in ('object', 'str', 'string') or (lambda u: "
    "sorted(u) == sorted(u, key=str.casefold) and (all(__import__('re').match(r'\\d{4}-\\d\\d-\\d\\d', x) for x in u) "
    "or sum(bool(__import__('re').match(r'[-+$€£(\\s]*\\d', x)) for x in u) * 2 < len(u)))"
    "([str(x) for x in s.dropna().unique()]))"
)
"""Python: whether a column's values are in the order that a person would give them, where they are texts: numbers and
dates that are kept as texts are not, nor are words in capitals and small letters."""
_WHOLE_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d.*")
_OF_DIGITS = re.compile(r"[-+$€£(\s]*\d.*", re.DOTALL)
_NO_DATES = "not str(({0}).dtype).startswith('datetime')"
# "At most 2020-03-15" has that day in it to a person, and its first moment to pandas.
_DAY_IS_A_MOMENT = (
    f"({_NO_DATES} or (lambda s, day: not ((s.dt.normalize() == day) & (s != day)).any())"
    "({0}, __import__('pandas').Timestamp({1!r})))"
)


def require_order(source: str, value: object, reader: Evaluator, *, is_equality: bool = False) -> None:
    """A column is compared with a constant: where that is a text, as dates are, or as texts that have an order.

    Raises Unreadable for a text that is a part of a date, or a date in a form that is read in two ways.
    """
    if not isinstance(value, str):
        return
    if _WHOLE_DAY.fullmatch(value):
        reader.require(reader.check(_DAY_IS_A_MOMENT.format(source, value)))
    elif _OF_DIGITS.fullmatch(value) and not _MOMENT.fullmatch(value):
        if not is_equality:
            raise Unreadable("order of numbers or dates that are kept as texts")
        reader.require(reader.check(_NO_DATES.format(source)))
        return
    if not is_equality:
        reader.require(reader.check(f"{TEXT_ORDER}({source})"))


def quiet_check(reader: Evaluator, expression: str) -> Check:
    """A check that is False where it cannot be made, so that only what depends on it is refused."""
    try:
        return reader.check(expression)
    except Unreadable:
        return NEVER


def in_their_order(source: str, reader: Evaluator) -> None:
    """Ask for an extreme only where it is the one that a person would take."""
    try:
        reader.require(reader.check(f"{TEXT_ORDER}({source})"))
    except Unreadable:
        return  # inside a function, where extremes are those of numbers
