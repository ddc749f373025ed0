"""What a person or a model wrote, as a value under its contract.

Total: any text gives a value or a `NotParsed` with a reason. Nothing is guessed: a text that could mean two values is
refused.
"""

import ast
import csv
import datetime
import io
import json
import re
import warnings
from collections.abc import Mapping, Sequence, Set
from typing import Any

from dateutil import parser as dateparser

from cellwright.answers.clean import normal, unquoted, unwrapped
from cellwright.answers.numbers import parse_number
from cellwright.answers.values import (
    CONTAINERS,
    NUMERIC,
    TEXTUAL,
    AnswerError,
    NotParsed,
    Scalar,
    Value,
    conform,
    item_contract,
    key_contract,
)
from cellwright.core.types import Contract

MAX_CHARS = 1_000_000
"""Longer texts are refused unread."""
_MAX_SCALAR_CHARS = 20_000
_MAX_LITERAL_CHARS = 200_000
_NOT_APPLICABLE = {"not applicable", "n/a", "not applicable."}
_TRUE, _FALSE = {"yes", "true", "1", "y"}, {"no", "false", "0", "n"}
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,4}[.)])\s+")
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
_DEFAULTS = (datetime.datetime(2000, 1, 1), datetime.datetime(1999, 2, 2))
_COMMA = re.compile(r",(?=\s)|;|\n")


def parse(text: str, contract: Contract) -> Value | NotParsed:
    """The value of a text. Lists come as tuples, mappings as tuples of pairs, `Not Applicable` as None."""
    if len(text) > MAX_CHARS:
        return NotParsed("the text is too long to be an answer", "kind")
    cleaned = unwrapped(text)
    if not cleaned.strip():
        return NotParsed("the answer is empty", "missing")
    if normal(cleaned).casefold() in _NOT_APPLICABLE:
        return None
    if contract.kind in CONTAINERS:
        return _parse_container(cleaned, contract)
    return _parse_scalar(cleaned, contract)


def _parse_scalar(text: str, contract: Contract) -> Scalar | NotParsed:
    if contract.kind in TEXTUAL:
        return _parse_text(text)
    if len(text) > _MAX_SCALAR_CHARS:
        return NotParsed("the text is too long to be one value", "kind")
    text = unquoted(text.strip())
    if contract.kind == "boolean":
        return _parse_boolean(text)
    if contract.kind == "date":
        return _parse_date(text)
    if contract.kind in NUMERIC:
        return parse_number(text, contract)
    return NotParsed("only Not Applicable was asked for", "kind")


def _parse_text(text: str) -> str:
    """The text itself; one in quotes without them, in JSON's form decoded."""
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        try:
            decoded = json.loads(text)
        except (ValueError, RecursionError):
            decoded = None
        if isinstance(decoded, str):
            return decoded
    return unquoted(text)


def _parse_boolean(text: str) -> bool | NotParsed:
    word = normal(text).casefold().rstrip(".!")
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    if re.search(r"\b(yes|true)\b", word) and re.search(r"\b(no|false)\b", word):
        return NotParsed("it says both yes and no", "hedged")
    return NotParsed("it is neither yes nor no", "kind")


def _parse_date(text: str) -> datetime.date | NotParsed:
    written = normal(text).rstrip(".")
    if _ISO.fullmatch(written):
        try:
            return _date(datetime.datetime.fromisoformat(_padded(written)))
        except ValueError:
            return NotParsed("there is no such day", "kind")
    readings: set[datetime.datetime] = set()
    for default in _DEFAULTS:
        for day_first in (False, True):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    readings.add(dateparser.parse(written, default=default, dayfirst=day_first).replace(tzinfo=None))
            except (ValueError, OverflowError, TypeError, AttributeError, ArithmeticError, RecursionError):
                return NotParsed("it is not a date", "kind")
    if len(readings) > 1:
        return NotParsed("it could be several dates: write YYYY-MM-DD", "unclear")
    return _date(readings.pop())


def _padded(iso: str) -> str:
    day, *rest = re.split("[T ]", iso)
    year, month, number = day.split("-")
    return "T".join([f"{year}-{month:0>2}-{number:0>2}", *rest])


def _date(moment: datetime.datetime) -> datetime.date:
    """A midnight is a day, as in `infer`."""
    return moment.date() if moment.time() == datetime.time() else moment


# --- lists, sets, mappings -----------------------------------------------------------------------


def _parse_container(text: str, contract: Contract) -> Value | NotParsed:
    loaded = _literal(text)
    if loaded is not None:
        return _from_literal(loaded, contract)
    if contract.kind == "mapping":
        return _pairs(_mapping_lines(text), contract)
    parts = _parts(text, item_contract(contract))
    if isinstance(parts, NotParsed):
        return parts
    return _items(parts, contract)


def _literal(text: str) -> Any:
    """What the text is in JSON or as a Python literal; None when it is neither a list, a set nor a mapping."""
    fenced = re.fullmatch(r"(?:json|python)?\s*([\[{(].*[\]})])\.?", text, re.DOTALL)
    if fenced is None or len(text) > _MAX_LITERAL_CHARS:
        return None
    try:
        return json.loads(fenced[1], object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(fenced[1])
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its pairs: a dict would drop a key that comes twice."""


def _from_literal(loaded: Any, contract: Contract) -> Value | NotParsed:
    if contract.kind == "mapping":
        if isinstance(loaded, Mapping):
            return _pairs(list(loaded.items()), contract)
        pairs = loaded if isinstance(loaded, Sequence) else []
        if not pairs or any(not isinstance(pair, (list, tuple)) or len(pair) != 2 for pair in pairs):
            return NotParsed("it is not a mapping", "kind")
        return _pairs(list(pairs), contract)
    if isinstance(loaded, (_Pairs, Mapping)):
        return NotParsed("it is a mapping where a list was asked for", "kind")
    return _items(list(loaded), contract)


def _items(parts: Sequence[Any], contract: Contract) -> Value | NotParsed:
    item = item_contract(contract)
    found: list[Scalar] = []
    for part in parts:
        value = _element(part, item)
        if isinstance(value, NotParsed):
            return value
        found.append(value)
    return conform(tuple(found), contract)


def _pairs(parts: Sequence[tuple[Any, Any]] | NotParsed, contract: Contract) -> Value | NotParsed:
    if isinstance(parts, NotParsed):
        return parts
    found: list[tuple[Scalar, Scalar]] = []
    for key, item in parts:
        left, right = _element(key, key_contract(contract)), _element(item, item_contract(contract))
        if isinstance(left, NotParsed):
            return left
        if isinstance(right, NotParsed):
            return right
        found.append((left, right))
    return conform(tuple(found), contract)


def _element(part: Any, contract: Contract) -> Scalar | NotParsed:
    """One element, from its text or from its value in a literal."""
    if isinstance(part, str):
        if contract.kind in TEXTUAL:
            return part.strip() or NotParsed("an element is empty", "missing")
        if normal(part).casefold() in _NOT_APPLICABLE:
            return None
        return _parse_scalar(part.strip(), contract)
    if isinstance(part, (list, tuple, Mapping, Set)):
        return NotParsed("it is nested deeper than was asked for", "kind")
    try:
        value = conform(part, contract)
    except AnswerError as error:
        return NotParsed(str(error), "kind")
    if isinstance(value, tuple):
        return NotParsed("it is nested deeper than was asked for", "kind")
    return value  # type: ignore[return-value]  # conform gives scalars for scalar contracts


def _parts(text: str, item: Contract) -> list[str] | NotParsed:
    """The elements of a list written in bullets, lines, or with commas."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        return [unquoted(_BULLET.sub("", line).strip().rstrip(",;")) for line in lines]
    text = _BULLET.sub("", text) if item.kind not in NUMERIC else text
    if item.kind in NUMERIC or item.kind == "date":
        spaced = [part.strip() for part in _COMMA.split(text) if part.strip()]
        if len(spaced) > 1 or "," not in text:
            return spaced
        if re.fullmatch(r"\s*[-+]?\d{1,3}(,\d{3})+(\.\d+)?\s*", text):
            return NotParsed("it could be one number or several: put a space after each comma", "unclear")
        return [part.strip() for part in text.split(",")]
    separator = ";" if ";" in text and "," not in text else ","
    try:
        (row,) = csv.reader(
            io.StringIO(text.strip().rstrip(".") if item.kind == "boolean" else text.strip()),
            delimiter=separator,
            skipinitialspace=True,
        )
    except (csv.Error, ValueError):
        return NotParsed("it is not a list", "unclear")
    parts = [unquoted(part.strip()) for part in row]
    if any(not part for part in parts):
        return NotParsed("an element is empty", "missing")
    return parts


def _mapping_lines(text: str) -> list[tuple[Any, Any]] | NotParsed:
    """`a: 1` by line, or with commas."""
    lines = [_BULLET.sub("", line).strip().rstrip(",;") for line in text.splitlines() if line.strip()]
    if len(lines) == 1:
        lines = [part.strip() for part in _COMMA.split(lines[0]) if part.strip()]
    pairs: list[tuple[Any, Any]] = []
    for line in lines:
        key, separator, value = line.rpartition(":" if ":" in line else "=")
        if not separator or not key.strip():
            return NotParsed("it is not a mapping of keys to values", "kind")
        pairs.append((unquoted(key.strip().strip("*")), unquoted(value.strip().strip("*"))))
    return pairs
