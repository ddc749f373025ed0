"""Contracts: proposed from a value, and stated in words.

`infer` proposes what a value alone can tell. That 45.2 is a percentage, or that a text is one of five labels, is known
only by whoever asks, who then changes the contract.
"""

import datetime
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import Any

from cellwright.answers.clean import comparable
from cellwright.answers.locales import decimal_comma
from cellwright.answers.rounding import exact
from cellwright.answers.values import CONTAINERS, NUMERIC, AnswerError, Scalar, Value, by_label, plain
from cellwright.core.types import AnswerKind, Contract

_USUAL_DECIMALS = 2
_LEAST_DIGITS = 3
"""Significant digits that rounding leaves: 0.01 for 0.0123 would be the answer of every value from 0.005 to 0.015."""
_MOST_DIGITS = 12
"""Significant digits that a sum of floats in another order still gives."""
_MOST_DECIMALS = 12
"""Smaller numbers are mostly what rounding errors left of a zero."""
_MOST_DECIMALS_OF_ITEMS = 6
"""One tiny item should not make a person write twelve decimals of every other one."""


def infer(value: object) -> Contract:
    """The contract that a value suggests. Raises AnswerError for what can be no answer: NaN, an empty text, a frame.

    A midnight is taken as a date, another datetime as a time to the second. A pandas Series is a mapping of its labels
    to its values, unless they only number its rows.
    """
    if not _has_row_numbers(value):
        value = by_label(value)
    kind, found = _container(value), plain(value)
    if kind is not None:
        assert isinstance(found, tuple)
        return _infer_container(kind, found)
    scalar = _scalar(found)
    kind = _kind(scalar)
    return Contract(kind, unit=_time_unit([scalar]), decimals=_decimals([scalar], _MOST_DECIMALS))


def _has_row_numbers(value: object) -> bool:
    index: Any = getattr(value, "index", None)
    return getattr(index, "name", None) is None and getattr(getattr(index, "dtype", None), "kind", "") in "iu"


def _container(value: object) -> AnswerKind | None:
    if isinstance(value, Mapping):
        return "mapping"
    if isinstance(value, Set):
        return "set"
    found = plain(value)
    if not isinstance(found, tuple):
        return None
    pairs = bool(found) and all(isinstance(item, tuple) and len(item) == 2 for item in found)
    return "mapping" if pairs else "list"


def _infer_container(kind: AnswerKind, found: tuple[Value, ...]) -> Contract:
    keys: list[Scalar] = []
    items: list[Scalar] = []
    for item in found:
        if kind == "mapping":
            assert isinstance(item, tuple)
            keys.append(_scalar(item[0]))
            items.append(_scalar(item[1]))
        else:
            items.append(_scalar(item))
    return Contract(
        kind,
        unit=_time_unit(items),
        decimals=_decimals(items, _MOST_DECIMALS_OF_ITEMS),
        item=_common_kind(items),
        key=_common_kind(keys) if kind == "mapping" else None,
        ordered=kind == "list",
        case_sensitive=_differ_by_case(keys or items),
    )


def _differ_by_case(labels: list[Scalar]) -> bool:
    """Whether two labels are one text but for upper and lower case."""
    texts = {label for label in labels if isinstance(label, str)}
    return len({comparable(text, case_sensitive=False) for text in texts}) < len(texts)


def _scalar(value: Value) -> Scalar:
    if isinstance(value, str) and not comparable(value, case_sensitive=True):
        raise AnswerError("an empty text cannot be told from no answer")
    if value is None or isinstance(value, (bool, int, float, str, datetime.date)):
        return value
    raise AnswerError("an answer is one value, a list or a mapping of values, not deeper")


def _kind(value: Scalar) -> AnswerKind:
    if value is None:
        return "not-applicable"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "text" if isinstance(value, str) else "date"


def _common_kind(values: list[Scalar]) -> AnswerKind:
    """The kind that all values have, missing ones apart; text where they have none in common."""
    kinds = {_kind(value) for value in values if value is not None}
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else "text"


def _decimals(values: list[Scalar], most: int) -> int | None:
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if not any(isinstance(number, float) for number in numbers) or _common_kind(values) != "number":
        return None
    powers = [exact(number).adjusted() for number in numbers if number]
    if not powers:
        return _USUAL_DECIMALS
    wanted = min(max(_USUAL_DECIMALS, _LEAST_DIGITS - 1 - min(powers)), most)
    return max(0, min(wanted, _MOST_DIGITS - 1 - max(powers)))


def _time_unit(values: list[Scalar]) -> str | None:
    times = [value for value in values if isinstance(value, datetime.datetime)]
    if _common_kind(values) != "date" or all(time.time() == datetime.time() for time in times):
        return None
    return "second"


# --- in words ----------------------------------------------------------------------------------


def sentence(contract: Contract) -> str:
    """The contract in words, for the end of a question."""
    return " ".join(_sentences(contract))


def state(question: str, contract: Contract) -> str:
    """The question with what it has not said of its contract; its rounding and unit are not said again.

    They are found by usual words such as "to two decimals" and "in years": in other words they are said twice.
    """
    said = " ".join(question.split()).casefold()
    whole = {"boolean": "yes or no", "not-applicable": "not applicable"}.get(contract.kind)
    shorter = [contract]
    if _says_rounding(said, contract):
        shorter += [replace(one, decimals=None) for one in shorter]
    if _says_unit(said, contract):
        shorter += [replace(one, unit=None) for one in shorter]
    unsaid = [text for text in _sentences(contract)[1:] if text.casefold() not in said]
    if contract.ties and contract.ties.casefold() in said:
        unsaid = [text for text in unsaid if text != _ties(contract)]
    if not (whole and whole in said) and not any(_first(one).casefold() in said for one in shorter):
        unsaid = [_first(shorter[-1]), *unsaid]
    return " ".join([question.strip(), *unsaid]).strip()


_FIGURES = ("zero", "one", "two", "three", "four", "five", "six")


def _says_rounding(said: str, contract: Contract) -> bool:
    decimals = contract.decimals
    if not decimals or decimals < 0:
        return decimals == 0 and "nearest whole number" in said
    word = _FIGURES[decimals] if decimals < len(_FIGURES) else str(decimals)
    return re.search(rf"\b(?:{decimals}|{word})[ -](?:decimals?\b|digits? after)", said) is not None


def _says_unit(said: str, contract: Contract) -> bool:
    if contract.unit in (None, "fraction", "second"):  # the last two are forms, not units
        return False
    return re.search(rf"(?:\bin |\(){re.escape(str(contract.unit).casefold())}(?!\w)", said) is not None


def _sentences(contract: Contract) -> tuple[str, ...]:
    spelled = {contract.kind, contract.item, contract.key} & {"text", "category"}
    case = "Upper and lower case matter." if contract.case_sensitive and spelled else ""
    written = _locale(contract)
    return tuple(text for text in (_first(contract), case, written, _ties(contract)) if text)


def _first(contract: Contract) -> str:
    return f"Answer with {_wanted(contract)}."


def _ties(contract: Contract) -> str:
    return f"If there is a tie: {contract.ties.strip().rstrip('.')}." if contract.ties else ""


def _locale(contract: Contract) -> str:
    """How figures are written, where that is not the way of English."""
    kinds = {contract.kind, contract.item, contract.key}
    if kinds & (NUMERIC - {"integer"}) and decimal_comma(contract.locale):
        return "Write numbers with a decimal comma (1.234,5)."
    if "integer" in kinds and decimal_comma(contract.locale):
        return "A point groups thousands (1.234 is 1234)."
    return ""


def _wanted(contract: Contract) -> str:
    if contract.kind == "mapping":
        key = _noun(contract.key or "text", contract, as_key=True)
        return f"a JSON object that maps each {key} to {_one(contract.item or 'text', contract)}"
    if contract.kind == "set":
        return f"a comma-separated list of {_many(contract)}, each once, in any order"
    if contract.kind == "list":
        order = "in that order" if contract.ordered else "in any order"
        return f"a comma-separated list of {_many(contract)}, {order}"
    return _one(contract.kind, contract)


def _one(kind: AnswerKind, contract: Contract) -> str:
    """One value of the kind, with its article."""
    if kind == "text":
        return "the exact text"
    if kind == "category":
        return f"one of these labels: {_listed(contract.choices)}" if contract.choices else "the label as it is written"
    if kind == "boolean":
        return "yes or no"
    if kind == "not-applicable":
        return '"Not Applicable" if the question has no answer in the data'
    if kind in CONTAINERS:
        return f"a {kind}"
    noun = _noun(kind, contract)
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}{_details(kind, contract)}"


def _many(contract: Contract) -> str:
    kind = contract.item or "text"
    if kind == "boolean":
        return "yes or no values"
    if kind == "category" and contract.choices:
        return f"labels out of these: {_listed(contract.choices)}"
    return f"{_noun(kind, contract)}s{_details(kind, contract)}"


def _noun(kind: AnswerKind, contract: Contract, *, as_key: bool = False) -> str:
    if kind == "percent":
        return "percentage" if not _is_fraction(contract) else "fraction"
    if kind == "date":
        return "date and time" if _has_time(contract) and not as_key else "date"
    nouns: dict[AnswerKind, str] = {"integer": "integer", "number": "number", "money": "amount"}
    return nouns.get(kind, "label" if kind == "category" or as_key else "text")


def _details(kind: AnswerKind, contract: Contract) -> str:
    """Scale, unit, rounding or form: what turns a noun into a contract."""
    if kind == "date":
        return " as YYYY-MM-DD HH:MM:SS" if _has_time(contract) else " as YYYY-MM-DD"
    if kind not in NUMERIC:
        return ""
    rounding = _rounding(contract.decimals) if kind != "integer" else ""
    if kind == "percent":
        scale = " between 0 and 1 (0.5 for a half)" if _is_fraction(contract) else " on the scale of 0 to 100"
        example = "" if _is_fraction(contract) else " (12.5 for 12.5%)"
        return f"{scale}{',' if rounding and not example else ''}{example}{rounding}"
    unit = f" in {contract.unit}" if contract.unit else ""
    return f"{unit}{',' if unit and rounding else ''}{rounding}"


def _rounding(decimals: int | None) -> str:
    if decimals is None:
        return ""
    if decimals < 0:
        return f" rounded to the nearest {10**-decimals:,}"
    if decimals == 0:
        return " rounded to the nearest whole number"
    return f" rounded to {decimals} decimal{'s' if decimals > 1 else ''}"


def _is_fraction(contract: Contract) -> bool:
    return contract.unit == "fraction"


def _has_time(contract: Contract) -> bool:
    return contract.unit == "second"


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(f'"{label}"' if "," in label else label for label in labels)
