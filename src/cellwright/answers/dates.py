"""Dates as people write them. Figures that could be a day or a month are refused, unless the locale tells them apart.

The usual forms are read here, at once; what is left goes to dateutil, which knows more forms and is too generous alone:
it takes "5" for a day of this month, and a Monday for a Tuesday.
"""

import datetime
import re
import warnings
from itertools import product

from dateutil import parser as dateparser

from cellwright.answers.clean import normal, without_latex
from cellwright.answers.locales import day_first
from cellwright.answers.values import NotParsed
from cellwright.core.types import Contract

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = re.compile(
    r"\(?\b(mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday|s|rs|r)?\b\)?\.?,?\s*", re.IGNORECASE
)
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_TIME = (
    r"(?:[T,]?\s*(?:at\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]00:?00)?)?"
)
_FORMS = tuple(
    re.compile(form + _TIME, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
        r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})",
        r"(?P<year>\d{4})\.(?P<month>\d{1,2})\.(?P<day>\d{1,2})\.?",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<year>\d{4})\s?[年년]\s?(?P<month>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일]",
        rf"(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s-]*(?:of\s+)?(?P<name>{_MONTH})\.?,?[\s-]*"
        r"(?P<year>\d{4})",
        rf"(?P<name>{_MONTH})\.?[\s-]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,\s*|[\s-]+)(?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}}),?[\s-]*(?P<name>{_MONTH})\.?[\s-]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?",
    )
)
_FIGURES = re.compile(
    r"(?P<one>\d{1,2})(?P<sign>[./-])(?P<two>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2})" + _TIME, re.IGNORECASE
)
_HEDGE = re.compile(
    r"\b(about|around|circa|or|between|maybe|probably|possibly|not|before|after|early|late|mid|to|and|until|since)\b|[~≈?]",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_DEFAULTS = (datetime.datetime(2000, 1, 1), datetime.datetime(1999, 2, 2))
_MAX_CHARS = 60
_WEEK = re.compile(r"\d{4}-?W\d{2}-?\d")
_HOLDS_DATE = re.compile(r"\d{4}.*\d|\d.*\d{4}", re.DOTALL)
_NO_DAY = NotParsed("there is no such day or time", "kind")
_UNCLEAR = NotParsed("it could be several dates: write YYYY-MM-DD", "unclear")


def parse_date(text: str, contract: Contract, *, usual: bool = False) -> datetime.date | NotParsed:
    """A day, or a time where one is written; a midnight is a day, as in `infer`. `usual`: quick forms only."""
    if len(text) > 2 * _MAX_CHARS:
        return NotParsed("the text is too long to be a date", "kind")
    written = normal(without_latex(text)).removesuffix(".").strip()
    if _WEEK.fullmatch(written):
        return _day_of_week(written)
    if _HEDGE.search(written):
        return NotParsed("it hedges instead of giving one date", "hedged")
    if len(set(_SEVERAL.findall(written))) > 1:
        return NotParsed("it holds several dates", "hedged")
    found = _usual(_WEEKDAY.sub("", written, count=1).strip(" ,"), contract)
    if found is None:
        found = NotParsed("it is not a date of a usual form", "unclear") if usual else _unusual(written)
    if isinstance(found, NotParsed):
        unread = found.why == "kind" and found is not _NO_DAY and _HOLDS_DATE.search(written)
        return NotParsed("it is not a date alone, or one of another language", "unclear") if unread else found
    named = _WEEKDAY.search(written)
    if named and _DAYS[found.weekday()] != named[1].casefold():
        return NotParsed("the day of the week is not that of the date", "unclear")
    return found.date() if found.time() == datetime.time() else found


def _usual(written: str, contract: Contract) -> datetime.datetime | NotParsed | None:
    """The date of a usual form; None for another form."""
    for form in _FORMS:
        if match := form.fullmatch(written):
            name = match.groupdict().get("name")
            month = _MONTHS[name.casefold()] if name else int(match["month"])
            return _moment(match, int(match["year"]), month, int(match["day"])) or _NO_DAY
    match = _FIGURES.fullmatch(written)
    return _figures(match, contract) if match else None


def _day_of_week(written: str) -> datetime.date | NotParsed:
    """The day of ISO's 2020-W10-3."""
    try:
        return datetime.date.fromisoformat(written)
    except ValueError:
        return _NO_DAY


def _figures(match: re.Match[str], contract: Contract) -> datetime.datetime | NotParsed:
    one, two, year = int(match["one"]), int(match["two"]), int(match["year"])
    first = day_first(contract.locale)
    if len(match["year"]) == 2:
        if first is None:
            return _UNCLEAR
        year += 2000 if year < 69 else 1900  # as POSIX's strptime reads %y
    readings = {_moment(match, year, month, day) for day, month in ((one, two), (two, one))}
    possible = readings - {None}
    if first is not None and (chosen := _moment(match, year, *((two, one) if first else (one, two)))):
        return chosen
    if not possible:
        return _NO_DAY
    found = possible.pop()
    return _UNCLEAR if possible or found is None else found


def _moment(match: re.Match[str], year: int, month: int, day: int) -> datetime.datetime | None:
    """The moment that the parts stand for; None when there is none."""
    hour = int(match["hour"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    try:
        return datetime.datetime(year, month, day, hour, int(match["minute"] or 0), int(match["second"] or 0))
    except ValueError:
        return None


def _unusual(written: str) -> datetime.datetime | NotParsed:
    """What dateutil reads, where it reads the same whatever it has to assume."""
    if len(written) > _MAX_CHARS or not any(character.isdigit() for character in written):
        return NotParsed("it is not a date", "kind")
    readings: set[datetime.datetime] = set()
    for default, first, year in product(_DEFAULTS, (False, True), (False, True)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = dateparser.parse(written, default=default, dayfirst=first, yearfirst=year)
            zone = found.utcoffset()
        except (ValueError, OverflowError, TypeError, AttributeError, ArithmeticError, RecursionError):
            return NotParsed("it is not a date", "kind")
        if zone:
            return NotParsed("it is a time of another zone than UTC", "unclear")
        readings.add(found.replace(tzinfo=None))
    return readings.pop() if len(readings) == 1 and re.search(r"\d{4}", written) else _UNCLEAR
