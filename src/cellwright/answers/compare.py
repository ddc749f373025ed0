"""Whether an answer is right: under the task's contract, with the reason when it is not.

`unscored` is for what a person might accept and a program cannot tell; it is never counted as wrong.
"""

import datetime
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from cellwright.answers.clean import comparable
from cellwright.answers.lists import other_readings
from cellwright.answers.parse import parse
from cellwright.answers.rounding import agree, exact, neighbours, step
from cellwright.answers.scalars import is_not_applicable
from cellwright.answers.values import (
    CONTAINERS,
    NUMERIC,
    NotParsed,
    Value,
    conform,
    item_contract,
    key_contract,
)
from cellwright.core.types import Contract, Grade

_RELATIVE_TOLERANCE = 1e-9
"""For numbers without a stated rounding: what sums in another order differ by."""
_MOST_COARSE = 15
_SHOWN_CHARS = 60
_MAX_WORDS_CHARS = 20_000
_NOTHING = frozenset({"none", "null", "nan", "nat", "<na>", "nothing", "no answer", "not available", "-"})


def compare(expected: object, given: object, contract: Contract) -> Grade:
    """The verdict on `given`, a text that somebody wrote or a value that a program gave, against the right answer.

    Never raises: an `expected` that does not fit the contract leaves every answer unscored.
    """
    wanted = conform(expected, contract)
    if isinstance(wanted, NotParsed):
        return Grade("unscored", "expected", f"The expected answer does not fit its contract: {wanted.reason}.")
    if not isinstance(given, str):
        return _grade(wanted, conform(given, contract), given, contract)
    if isinstance(wanted, str):
        if len(given) > 2 * max(map(len, (wanted, *contract.alternatives))) + _MAX_WORDS_CHARS:
            return _wrong("value", wanted, given, ": it is much longer")
        if _key(wanted, contract) == _key(given, contract):
            return _CORRECT
    found = parse(given, contract)
    grade = _grade(wanted, found, given, contract)
    if grade.verdict == "correct" or _is_alternative(given, found, contract):
        return _CORRECT
    if wanted in (None, ()) and comparable(given[:_SHOWN_CHARS], case_sensitive=False).strip(" .\"'`*") in _NOTHING:
        return Grade("unscored", "unclear", f"{_shown(given)} may mean that there is none, or that none was found.")
    if contract.kind in CONTAINERS:
        others = (_compare(wanted, other, contract) for other in other_readings(given, contract))
        found_right = next((other for other in others if other.verdict == "correct"), None)
        return found_right or _of_elements(_tuple(wanted or ()), given, contract, grade)
    return _of_words(wanted, given, contract, grade) if isinstance(wanted, str) else grade


_CORRECT = Grade("correct", "same", "It is the expected answer.")


def _grade(wanted: Value, found: Value | NotParsed, given: object, contract: Contract) -> Grade:
    if not isinstance(found, NotParsed):
        return _compare(wanted, found, contract)
    if found.why == "unclear":
        return Grade("unscored", found.why, f"{_shown(given)} cannot be graded: {found.reason}.")
    return Grade("wrong", found.why, f"{_shown(given)} is no answer of the kind that was asked for: {found.reason}.")


def _is_alternative(given: str, found: Value | NotParsed, contract: Contract) -> bool:
    """Whether it is another text that the contract accepts, in any of the ways to write that one."""
    if len(given) > 2 * max(map(len, contract.alternatives), default=0) + _MAX_WORDS_CHARS:
        return False
    key = comparable(given, case_sensitive=contract.case_sensitive)
    if any(comparable(text, case_sensitive=contract.case_sensitive) == key for text in contract.alternatives):
        return True
    if isinstance(found, NotParsed):
        return False
    others = (parse(text, contract) for text in contract.alternatives)
    return any(
        not isinstance(other, NotParsed) and _compare(other, found, contract).verdict == "correct" for other in others
    )


def _of_words(wanted: str, given: str, contract: Contract, grade: Grade) -> Grade:
    """A text that holds the expected one among others: hedged when it names several, else for a person to judge."""
    if len(given) > _MAX_WORDS_CHARS or grade.verdict != "wrong":
        return grade
    key, answer = _key(given, contract), _key(wanted, contract)
    parts = re.split(r"\s*(?:,|;|/|\bor\b|\band\b)\s*", str(key))
    if len(parts) > 1 and answer in parts:
        return Grade("wrong", "hedged", f"{_shown(given)} names {_shown(wanted)} among others.")
    if answer != key and answer == _without_marks(str(key)) and re.search(r"[^\W\d_]", str(answer)):
        return Grade("unscored", "unclear", f"{_shown(given)} is {_shown(wanted)} but for the marks around it.")
    if contract.in_sentence and re.search(rf"(?<!\w){re.escape(str(answer))}(?!\w)", str(key)):
        return Grade("unscored", "unclear", f"{_shown(wanted)} stands in {_shown(given)}, perhaps not as its answer.")
    return grade


def _of_elements(wanted: Sequence[Value], given: str, contract: Contract, grade: Grade) -> Grade:
    """A sentence that names all elements, of which fewer could be read, is for a person to judge."""
    if not contract.in_sentence or grade.why != "missing" or len(given) > _MAX_WORDS_CHARS:
        return grade
    key = comparable(given, case_sensitive=contract.case_sensitive)
    names = [comparable(name, case_sensitive=contract.case_sensitive) for name in wanted if isinstance(name, str)]
    if len(names) == len(wanted) and all(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", key) for name in names):
        return Grade("unscored", "unclear", f"All elements stand in {_shown(given)}, perhaps not as its answer.")
    return grade


def _without_marks(key: str) -> str:
    """The text without the mark of a list, a quotation or a heading before it, and one pair of brackets around it."""
    bare = re.sub(r"^(?:[-*•>]|#{1,6}|\d{1,3}[.)])\s+", "", key)
    match = re.fullmatch(r"\[\s*([\"']?)(.*)\1\s*\]|\((.*)\)|([^()]*)\)", bare)
    return next((part for part in match.group(2, 3, 4) if part), bare) if match else bare


def _wrong(why: str, wanted: object, found: object, note: str = "") -> Grade:
    return Grade("wrong", why, f"Expected {_shown(wanted)}, given {_shown(found)}{note}.")


def _shown(value: object) -> str:
    text = repr(value[: 2 * _SHOWN_CHARS] if isinstance(value, (str, tuple)) else value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _compare(wanted: Value, found: Value, contract: Contract) -> Grade:
    if wanted is None or found is None:
        said = found is None or (isinstance(found, str) and is_not_applicable(found, contract))
        return _CORRECT if wanted is None and said else _wrong("value", wanted, found)
    if contract.kind == "mapping":
        return _compare_mappings(_tuple(wanted), _tuple(found), contract)
    if contract.kind in CONTAINERS:
        return _compare_collections(_tuple(wanted), _tuple(found), contract)
    if contract.kind in NUMERIC:
        return _compare_numbers(wanted, found, contract)
    return _CORRECT if _key(wanted, contract) == _key(found, contract) else _wrong("value", wanted, found)


def _tuple(value: Value) -> tuple[Value, ...]:
    assert isinstance(value, tuple)
    return value


def _key(value: Value, contract: Contract) -> object:
    """What two equal scalars that are not rounded numbers have in common.

    The point at the end of a sentence is no part of a text; a contract for days does not look at times, and one for
    times not below the second. A day is its midnight.
    """
    if isinstance(value, str):
        found = comparable(value, case_sensitive=contract.case_sensitive)
        ended = len(found) > 1 and found.endswith(".") and not found.endswith("..")
        return found.removesuffix(".").rstrip() if ended else found
    if isinstance(value, datetime.date):
        time = value.time() if isinstance(value, datetime.datetime) and contract.unit == "second" else datetime.time()
        return datetime.datetime.combine(value, time.replace(microsecond=0))
    return value


# --- numbers -------------------------------------------------------------------------------------


def _equal_numbers(wanted: float, found: float, contract: Contract) -> bool:
    if contract.kind == "integer" or not math.isfinite(found):
        return wanted == found
    if contract.decimals is None:
        return abs(wanted - found) <= _RELATIVE_TOLERANCE * max(abs(wanted), abs(found))
    return agree(exact(wanted), exact(found), contract.decimals)


def _compare_numbers(wanted: Value, found: Value, contract: Contract) -> Grade:
    assert isinstance(wanted, (int, float))
    assert isinstance(found, (int, float))
    if _equal_numbers(wanted, found, contract):
        return _CORRECT
    if wanted and _equal_numbers(wanted, -found, contract):
        return _wrong("sign", wanted, found, ": the sign is the other one")
    if contract.kind == "percent" and any(_equal_numbers(wanted, found * factor, contract) for factor in (100, 0.01)):
        return _wrong("unit", wanted, found, ": a fraction for a percentage, or the other way round")
    if contract.kind == "money" and any(_equal_numbers(wanted, found * 10.0**power, contract) for power in (3, 6, 9)):
        return _wrong("unit", wanted, found, ": thousands, millions or billions are missing")
    if _is_rounding(wanted, found, contract):
        return _wrong("rounding", wanted, found, f": it is not rounded to {contract.decimals} decimals")
    return _wrong("value", wanted, found)


def _is_rounding(wanted: float, found: float, contract: Contract) -> bool:
    """Whether the number is the right one, rounded more coarsely or cut off instead of rounded."""
    if contract.decimals is None or contract.kind == "integer" or not found:
        return False
    most = min(contract.decimals, _MOST_COARSE)
    coarser = any(exact(found) in neighbours(exact(wanted), places) for places in range(most))
    return coarser or abs(exact(wanted) - exact(found)) <= step(contract.decimals)


# --- lists, sets, mappings -----------------------------------------------------------------------


def _compare_collections(wanted: Sequence[Value], found: Sequence[Value], contract: Contract) -> Grade:
    item = item_contract(contract)
    if contract.kind == "set":
        wanted, found = _distinct(wanted, item), _distinct(found, item)
    if len(wanted) != len(found):
        why = "missing" if len(found) < len(wanted) else "extra"
        return _wrong(why, wanted, found, f": {len(found)} elements where {len(wanted)} were expected")
    if contract.kind == "list" and contract.ordered:
        wrong = _first_wrong(wanted, found, item)
        if wrong is None:
            return _CORRECT
        if _first_wrong(_sorted(wanted, item), _sorted(found, item), item) is None:
            return _wrong("order", wanted, found, ": the elements are right, their order is not")
        return wrong
    return _first_wrong(_sorted(wanted, item), _sorted(found, item), item) or _CORRECT


def _first_wrong(wanted: Sequence[Value], found: Sequence[Value], item: Contract) -> Grade | None:
    grades = (_compare(one, other, item) for one, other in zip(wanted, found, strict=True))
    return next((grade for grade in grades if grade.verdict != "correct"), None)


def _sorted(values: Sequence[Value], item: Contract) -> list[Value]:
    order: Callable[[Value], tuple[bool, str, object]] = lambda value: (  # noqa: E731
        value is None,
        type(_key(value, item)).__name__ if item.kind not in NUMERIC else "",
        0 if value is None else _key(value, item),
    )
    return sorted(values, key=order)


def _distinct(values: Sequence[Value], item: Contract) -> list[Value]:
    """One of each: a text in two cases, or two numbers with the same rounding, are one element."""
    kept: list[Value] = []
    for value in _sorted(values, item):
        if not kept or _compare(kept[-1], value, item).verdict != "correct":
            kept.append(value)
    return kept


def _compare_mappings(wanted: Sequence[Value], found: Sequence[Value], contract: Contract) -> Grade:
    keys, item = key_contract(contract), item_contract(contract)
    expected = [(_key(_tuple(pair)[0], keys), _tuple(pair)[1]) for pair in wanted]
    given = [(_key(_tuple(pair)[0], keys), _tuple(pair)[1]) for pair in found]
    if len(set(dict(expected))) != len(expected):
        return Grade("unscored", "expected", "Two keys of the expected answer are the same text but for their case.")
    if twice := next((key for key, count in Counter(key for key, _ in given).items() if count > 1), None):
        return _wrong("hedged", wanted, found, f": the key {twice!r} comes twice")
    values = dict(given)
    if missing := [key for key, _ in expected if key not in values]:
        return _wrong("missing", wanted, found, f": the key {missing[0]!r} is missing")
    if len(values) > len(expected):
        return _wrong("extra", wanted, found, ": it has keys that were not asked for")
    for key, value in expected:
        grade = _compare(value, values[key], item)
        if grade.verdict != "correct":
            return Grade(grade.verdict, grade.why, f"For {key!r}: {grade.explanation}")
    return _CORRECT
