"""The words of periods of time: months, quarters, weeks, as keys of groups and as labels."""

import datetime
from dataclasses import replace
from typing import NamedTuple

from cellwright.proof.questions import wording
from cellwright.proof.questions.symbols import Column, Unreadable


class _Period(NamedTuple):
    noun: str
    label: str
    """How pandas labels it: by its first or its last day, or by its start."""
    form: str
    """strftime of a label, as a person would name the period."""


_WEEKDAYS = {
    "MON": "Monday",
    "TUE": "Tuesday",
    "WED": "Wednesday",
    "THU": "Thursday",
    "FRI": "Friday",
    "SAT": "Saturday",
    "SUN": "Sunday",
}
_PERIODS = {
    **dict.fromkeys(("D", "d"), _Period("day", "", "%Y-%m-%d")),
    **dict.fromkeys(("h", "H"), _Period("hour", "its start", "%Y-%m-%d %H:00")),
    **dict.fromkeys(("M", "ME"), _Period("calendar month", "its last day", "%Y-%m")),
    "MS": _Period("calendar month", "its first day", "%Y-%m"),
    **dict.fromkeys(("Q", "QE", "Q-DEC", "QE-DEC"), _Period("calendar quarter", "its last day", "quarter")),
    **dict.fromkeys(("QS", "QS-JAN"), _Period("calendar quarter", "its first day", "quarter")),
    **dict.fromkeys(("Y", "YE", "A", "A-DEC", "YE-DEC", "Y-DEC"), _Period("calendar year", "its last day", "%Y")),
    **dict.fromkeys(("YS", "AS", "YS-JAN", "AS-JAN"), _Period("calendar year", "its first day", "%Y")),
}


def _period(code: object) -> _Period:
    if code == "W":
        code = "W-SUN"
    if isinstance(code, str) and code.startswith("W-") and code[2:] in _WEEKDAYS:
        return _Period(f"week that ends on a {_WEEKDAYS[code[2:]]}", "its last day", "the week up to %Y-%m-%d")
    found = _PERIODS.get(code) if isinstance(code, str) else None
    if found is None:
        raise Unreadable(f"period {code}")
    return found


def period_key(column: Column, code: object) -> Column:
    """The period of a date, as a key of groups."""
    period = _period(code)
    return replace(column.computed(f"the {period.noun} of {column.operand}"), kind=f"period {code}")


def label_words(key: Column, label: object) -> str:
    """The label of a group: periods by their usual names."""
    if not key.kind.startswith("period "):
        return wording.value(label)
    if isinstance(label, str):
        label = _moment(label)
    if not isinstance(label, datetime.date):
        raise Unreadable("period by something else than a date")
    form = _period(key.kind.removeprefix("period ")).form
    if form == "quarter":
        return f"{label.year}-Q{(label.month + 2) // 3}"
    return label.strftime(form)


def _moment(text: str) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable("period by something else than a date") from None


def labelled_by(key: Column) -> str:
    """What stands in a table for the period, where that could be asked; empty for other keys."""
    if not key.kind.startswith("period "):
        return ""
    label = _period(key.kind.removeprefix("period ")).label
    return f"the date of {label}" if label.endswith("day") else label
