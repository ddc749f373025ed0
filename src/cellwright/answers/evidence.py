"""Whether what a cell showed bears out an answer: the numbers and names of the answer stand in it.

For answers without a contract, of which nothing more is known than their words. A number is borne out by one that
rounds to it; a percentage also by its fraction. What this does not promise: that the answer is right.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from cellwright.answers.clean import normal
from cellwright.answers.rounding import agree, places

_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-−–]?)[$€£]?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<power>[eE][+-]?\d{1,3})?(?P<percent>\s?%)?(?![\w])"
)
_SEPARATOR = re.compile(r"\s*(?:;|\n|,(?!\d{3}\b)|\band\b)\s*")
_SENTENCE_WORDS = 8
_MOST_CHARS = 1 << 20
_HUNDRED = Decimal(100)


class _Number(NamedTuple):
    value: Decimal
    is_percent: bool


def bears_out(text: str, answer: str) -> bool:
    """Whether every number of `answer`, and every name where it is a list of names, stands in `text`."""
    shown, wanted = normal(text[:_MOST_CHARS]), normal(answer[:_MOST_CHARS]).strip()
    parts = [part for part in _parts(wanted) if part]
    if not parts:
        return False
    numbers = list(_numbers(shown))
    folded = shown.casefold()
    is_sentence = len(wanted.split()) > _SENTENCE_WORDS and next(_numbers(wanted), None) is not None
    return all(_part_stands(part, folded, numbers, is_sentence) for part in parts)


def _part_stands(part: str, folded: str, numbers: list[_Number], is_sentence: bool) -> bool:
    own = list(_numbers(part))
    if own:
        return all(any(_same(number, other) for other in numbers) for number in own)
    return is_sentence or re.search(rf"(?<!\w){re.escape(part.casefold())}(?!\w)", folded) is not None


def _parts(answer: str) -> Iterator[str]:
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        yield from (str(item).strip() for item in value)
        return
    yield from (part.strip(" .\"'`*[](){}") for part in _SEPARATOR.split(answer))


def _numbers(text: str) -> Iterator[_Number]:
    for found in _NUMBER.finditer(text):
        try:
            value = Decimal(found["digits"].replace(",", "") + (found["power"] or ""))
        except InvalidOperation:
            continue
        yield _Number(-value if found["sign"] else value, found["percent"] is not None)


def _same(wanted: _Number, shown: _Number) -> bool:
    """Whether the shown number, rounded as the wanted one is, is the wanted one."""
    candidates = [shown.value]
    if wanted.is_percent and not shown.is_percent:
        candidates.append(shown.value * _HUNDRED)
    decimals = places(wanted.value)
    return any(agree(wanted.value, candidate, decimals) for candidate in candidates)
