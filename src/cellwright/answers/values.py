"""The Python values that an answer can be, their JSON, and whether one fits a contract.

A value here is plain: no numpy, no pandas, no NaN. What cannot be an answer is refused with `AnswerError`, never bent
into one.
"""

import datetime
import json
import math
from collections.abc import Iterable, Mapping, Sequence, Set, ValuesView
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from cellwright.core.errors import CellwrightError
from cellwright.core.types import AnswerKind, Contract

Scalar: TypeAlias = int | float | str | bool | datetime.date | None
"""None says that the question has no answer; a datetime is a date too."""
Value: TypeAlias = Scalar | Sequence["Value"] | Mapping[Scalar, "Value"] | Set[Scalar]
"""What functions accept. What they return holds tuples only: a mapping is a tuple of (key, value) pairs."""

MAX_ITEMS = 1_000
"""Items of the longest list, set or mapping that is an answer: nobody checks, or types, a longer one."""
MAX_DIGITS = 400
"""Digits of the longest number: above all floats (309), below the limit of int() (4300)."""

NUMERIC: frozenset[AnswerKind] = frozenset({"integer", "number", "percent", "money"})
TEXTUAL: frozenset[AnswerKind] = frozenset({"text", "category"})
CONTAINERS: frozenset[AnswerKind] = frozenset({"list", "set", "mapping"})

_DURATION = "a duration is not an answer: give a number of days or seconds"

Refusal: TypeAlias = Literal["kind", "hedged", "unit", "missing", "value", "unclear"]


class AnswerError(CellwrightError):
    """A value cannot be an answer, or not one under this contract."""


@dataclass(frozen=True)
class NotParsed:
    """A text, or a value, that is not one answer under its contract."""

    reason: str
    """A phrase for a person, for example "two different numbers"."""
    why: Refusal
    """`unclear` means that a person may well accept the text: it is left unscored. All others are wrong answers."""


def item_contract(contract: Contract) -> Contract:
    """The contract of a list's or set's items, or of a mapping's values."""
    kind = contract.item or "text"
    return replace(contract, kind=kind, item=None, key=None, alternatives=(), ties=None, in_sentence=False)


def key_contract(contract: Contract) -> Contract:
    """The contract of a mapping's keys, which have neither unit nor rounding."""
    return Contract(contract.key or "text", case_sensitive=contract.case_sensitive, locale=contract.locale)


def plain(value: object) -> Value:
    """The value without numpy or pandas types, which are known by their methods and never imported."""
    if value is None or isinstance(value, (bool, int, float, str, datetime.date)):
        return _plain_scalar(value)
    if isinstance(value, Decimal):
        return _plain_scalar(int(value) if _is_short_integer(value) else float(value))
    if isinstance(value, Fraction):
        return _plain_scalar(int(value) if value.denominator == 1 else _float(value))
    if isinstance(value, Mapping):
        return tuple((_plain_key(key), plain(item)) for key, item in _limited(value.items()))
    if isinstance(value, (list, tuple, range, Set, ValuesView)):
        return tuple(plain(item) for item in _limited(value))
    if isinstance(value, datetime.timedelta):
        raise AnswerError(_DURATION)
    if type(value).__name__ in ("Period", "Interval") and type(value).__module__.split(".")[0] == "pandas":
        return str(value)  # as tables show them: 2020-03, (0, 10]
    return _from_array(value)


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise AnswerError("the number is out of all range") from error


def _plain_scalar(value: Scalar) -> Scalar:
    if isinstance(value, bool) or value is None:
        return None if value is None else bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        if abs(value) >= 10**MAX_DIGITS:
            raise AnswerError("the integer is too long to be an answer")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise AnswerError(f"{float(value)} is not an answer")
        return float(value) + 0.0
    return _plain_date(value)


def _plain_date(value: datetime.date) -> datetime.date:
    """A date of the standard library from a subclass, such as a pandas Timestamp, whose NaT is not equal to itself."""
    if value != value:  # noqa: PLR0124
        raise AnswerError("NaT is not an answer")
    if not isinstance(value, datetime.datetime):
        return datetime.date(value.year, value.month, value.day)
    # A time of a zone is taken as the clock there shows it: that is what a table shows, and what answers give.
    day = (value.year, value.month, value.day)
    return datetime.datetime(*day, value.hour, value.minute, value.second, value.microsecond)


def _is_short_integer(value: Decimal) -> bool:
    return value.is_finite() and value.adjusted() < MAX_DIGITS and value == value.to_integral_value()


def _limited(items: Iterable[Any]) -> list[Any]:
    found = list(items)
    if len(found) > MAX_ITEMS:
        raise AnswerError(f"{len(found)} items are too many for an answer; the most is {MAX_ITEMS}")
    return found


def _plain_key(key: object) -> Scalar:
    found = plain(key)
    if isinstance(found, tuple):
        raise AnswerError("a mapping's key must be one value")
    assert found is None or isinstance(found, (bool, int, float, str, datetime.date))
    return found


def by_label(value: object) -> object:
    """A pandas Series as the mapping that it shows, where no label comes twice; any other value as it is."""
    convert, index = getattr(value, "to_dict", None), getattr(value, "index", None)
    is_series = convert is not None and getattr(value, "ndim", 0) == 1 and getattr(index, "is_unique", False)
    return convert() if is_series and convert else value


def _from_array(value: object) -> Value:
    """From numpy's and pandas's scalars, arrays, Series and Index."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind == "m":
        raise AnswerError(_DURATION)
    if getattr(value, "ndim", 0) > 1:
        raise AnswerError(
            f"a {type(value).__name__} has rows and columns: take one of them, or one value, as the answer"
        )
    # The item() of nanoseconds is an int; that of microseconds is a datetime.
    source: Any = value.astype("datetime64[us]") if kind == "M" and hasattr(value, "astype") else value
    convert = getattr(source, "tolist", None) or getattr(source, "item", None)
    if convert is None:
        raise AnswerError(f"a {type(value).__name__} is not an answer")
    found = convert()
    if found is None:
        raise AnswerError("a missing value is not an answer")
    if type(found) is type(value) or isinstance(found, complex):
        raise AnswerError(f"a {type(value).__name__} is not an answer")
    return plain(found)


# --- fitting a contract ------------------------------------------------------------------------


def conform(value: object, contract: Contract) -> Value | NotParsed:
    """The value in the form its contract asks for, unrounded: a tuple for a list, a float for a number …"""
    try:
        return _conform(plain(by_label(value) if contract.kind == "mapping" else value), contract)
    except (AnswerError, RecursionError) as error:
        return NotParsed(str(error) or "the value is nested too deeply", "kind")


def _conform(value: Value, contract: Contract) -> Value:
    if value is None:
        return None
    if contract.kind == "mapping":
        return _conform_pairs(value, contract)
    if contract.kind in CONTAINERS:
        single = item_contract(contract)
        items = tuple(_conform_scalar(item, single) for item in _tuple(value))
        return tuple(dict.fromkeys(items)) if contract.kind == "set" else items
    return _conform_scalar(value, contract)


def _tuple(value: Value) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        raise AnswerError(f"{value!r} is one value where several were asked for")
    return value


def _conform_pairs(value: Value, contract: Contract) -> Value:
    pairs: dict[Scalar, Scalar] = {}
    keys, items = key_contract(contract), item_contract(contract)
    for pair in _tuple(value):
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise AnswerError("a mapping is made of pairs of a key and a value")
        key = _conform_scalar(pair[0], keys)
        if key in pairs:
            raise AnswerError(f"the key {key!r} comes twice")
        pairs[key] = _conform_scalar(pair[1], items)
    return tuple(pairs.items())


def _conform_scalar(value: Value, contract: Contract) -> Scalar:
    if value is None:
        return None
    fitted: Scalar = None
    if contract.kind in TEXTUAL:
        fitted = str(value) if isinstance(value, (str, int, float, datetime.date)) else None
    elif contract.kind == "boolean":
        fitted = bool(value) if isinstance(value, (bool, int, float)) and value in (0, 1) else None
    elif contract.kind == "date":
        fitted = value if isinstance(value, datetime.date) else None
    elif contract.kind in NUMERIC and isinstance(value, (int, float)) and not isinstance(value, bool):
        fitted = _conform_number(value, contract)
    if fitted is None:
        raise AnswerError(f"{str(value)[:80]!r} is no answer of the kind {contract.kind}")
    return fitted


def _conform_number(value: int | float, contract: Contract) -> int | float | None:
    if contract.kind == "integer":
        return int(value) if value == int(value) else None
    try:
        return float(value) + 0.0
    except OverflowError:
        return None


# --- JSON --------------------------------------------------------------------------------------


def to_json(value: object) -> str:
    """The value as JSON: a mapping is a list of [key, value] pairs, a date an ISO text."""
    found = plain(value)
    text = json.dumps(found, ensure_ascii=False, default=_iso)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can be stored
        return json.dumps(found, default=_iso)
    return text


def _iso(value: datetime.date) -> str:
    return value.isoformat()


def from_json(text: str, contract: Contract) -> Value:
    """The value that `to_json` wrote; `AnswerError` for a text that is not JSON or not an answer under the contract."""
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"not JSON of an answer: {error}") from error
    fitted = conform(_with_dates(plain(loaded), contract), contract)
    if isinstance(fitted, NotParsed):
        raise AnswerError(fitted.reason)
    return fitted


def _with_dates(value: Value, contract: Contract) -> Value:
    """ISO texts turned back into dates wherever the contract says date."""
    if contract.kind == "date" and isinstance(value, str):
        return _date_of(value)
    if contract.kind in {"list", "set"} and isinstance(value, tuple):
        return tuple(_with_dates(item, item_contract(contract)) for item in value)
    if contract.kind == "mapping" and isinstance(value, tuple):
        sides = (key_contract(contract), item_contract(contract))
        return tuple(_with_dates_pair(pair, sides) for pair in value)
    return value


def _with_dates_pair(pair: Value, sides: tuple[Contract, Contract]) -> Value:
    if not isinstance(pair, tuple):
        return pair
    return tuple(_with_dates(part, side) for part, side in zip(pair, sides, strict=False))


def _date_of(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text) if len(text) == 10 else datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise AnswerError(f"{text[:40]!r} is not an ISO date") from error
