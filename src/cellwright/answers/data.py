"""Contracts from data and back: JSON objects, and a short form for people, such as `list of number, decimals=2`."""

import dataclasses
import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from cellwright.answers.parse import parse
from cellwright.answers.values import CONTAINERS, NUMERIC, AnswerError, NotParsed
from cellwright.core.types import AnswerKind, Contract

KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
_USUAL = {field.name: field.default for field in dataclasses.fields(Contract)}
_TEXTS = ("unit", "ties")
_SWITCHES = ("ordered", "case_sensitive", "in_sentence")
_TUPLES = ("alternatives", "choices")
_MOST_DECIMALS = 300
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_SHORT = re.compile(r"(?P<kind>[a-z-]+)(?:\s+of\s+(?P<first>[a-z-]+)(?:\s+to\s+(?P<second>[a-z-]+))?)?")


def contract_to_data(contract: Contract) -> dict[str, Any]:
    """The contract as a JSON object, without what is usual."""
    given = dataclasses.asdict(contract)
    found = {name: value for name, value in given.items() if name == "kind" or value != _USUAL[name]}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def contract_from_data(data: object) -> Contract:
    """The contract of a JSON object; `AnswerError` names the field that is wrong, and what it should be."""
    if not isinstance(data, Mapping):
        raise AnswerError(f'a contract is an object such as {{"kind": "number"}}, not {_shown(data)}')
    for name in data:
        if name not in _USUAL:
            raise AnswerError(f"a contract has no field {name!r}{_nearest(str(name), _USUAL)}")
    if "kind" not in data:
        raise AnswerError(f"a contract needs a kind: {', '.join(KINDS)}")
    contract = Contract(**{name: _checked(name, value) for name, value in data.items()})
    _check(contract)
    return contract


def contract_from_text(text: str) -> Contract:
    """The contract of a JSON object's text, or of a kind with fields: `mapping of text to integer, unit=EUR`.

    Several labels are separated by bars: `category, choices=red|green`. `AnswerError` as in `contract_from_data`.
    """
    if text.lstrip().startswith(("{", "[")):
        try:
            return contract_from_data(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise AnswerError(f"the contract is not JSON: {error}") from error
    head, *fields = re.split(r",\s*(?=[a-z_]+\s*=)", text.strip())
    match = _SHORT.fullmatch(head.strip())
    if match is None:
        raise AnswerError(
            f"{_shown(text)} is no contract: write JSON, or a kind with fields as in `number, decimals=2`"
        )
    data: dict[str, Any] = {"kind": match["kind"]}
    if match["first"]:
        data["item"] = match["second"] or match["first"]
    if match["second"]:
        data["key"] = match["first"]
    for field in fields:
        name, _, value = (part.strip() for part in field.partition("="))
        data[name] = _from_words(name, value)
    return contract_from_data(data)


def _from_words(name: str, value: str) -> object:
    if name == "decimals" and re.fullmatch(r"-?\d{1,4}", value):
        return int(value)
    if name in _SWITCHES and value.casefold() in ("yes", "true", "no", "false"):
        return value.casefold() in ("yes", "true")
    return [part.strip() for part in value.split("|")] if name in _TUPLES else value


def _checked(name: str, value: Any) -> Any:
    """The value of one field in the type that the contract keeps."""
    if name in ("kind", "item", "key") and not (value is None and name != "kind"):
        if value not in KINDS:
            raise AnswerError(f"{name}: {_shown(value)} is no kind{_nearest(str(value), KINDS)}")
        if name != "kind" and value in CONTAINERS:
            raise AnswerError(f"{name}: {value} is no kind of an element; elements are single values")
        return value
    if name == "decimals":
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MOST_DECIMALS):
            raise AnswerError(
                f"decimals: {_shown(value)} is no whole number from -{_MOST_DECIMALS} to {_MOST_DECIMALS}"
            )
        return value
    if name in _SWITCHES and not isinstance(value, bool):
        raise AnswerError(f"{name}: {_shown(value)} is neither true nor false")
    if name in _TEXTS and not (value is None or (isinstance(value, str) and value.strip())):
        raise AnswerError(f"{name}: {_shown(value)} is no text")
    if name in _TUPLES:
        if not isinstance(value, (list, tuple)) or not all(isinstance(text, str) for text in value):
            raise AnswerError(f"{name}: {_shown(value)} is no list of texts")
        return tuple(value)
    if name == "locale" and not (isinstance(value, str) and _LOCALE.fullmatch(value)):
        raise AnswerError(f"locale: {_shown(value)} is no language tag such as en, de or en-GB")
    return value


def _check(contract: Contract) -> None:
    """Refuse fields that say nothing beside the contract's kind: whoever wrote them meant something else."""
    kind, kinds = contract.kind, {contract.kind, contract.item}
    if (contract.item and kind not in CONTAINERS) or (contract.key and kind != "mapping"):
        name = "item" if kind not in CONTAINERS and contract.item else "key"
        raise AnswerError(f"{name}: a contract of the kind {kind} has none")
    if contract.choices and "category" not in kinds:
        raise AnswerError("choices: only a category has labels to choose from")
    if contract.decimals is not None and not kinds & (NUMERIC - {"integer"}):
        raise AnswerError(f"decimals: only numbers are rounded, and this is {_of(contract)}")
    if contract.unit == "fraction" and "percent" not in kinds:
        raise AnswerError('unit: "fraction" is the unit of a percent on the scale of 0 to 1')
    for text in contract.alternatives:
        if isinstance(found := parse(text, contract), NotParsed):
            raise AnswerError(f"alternatives: {_shown(text)} is no answer under the contract itself: {found.reason}")


def _of(contract: Contract) -> str:
    return (
        f"a {contract.kind} of {contract.item or 'text'}" if contract.kind in CONTAINERS else f"of kind {contract.kind}"
    )


def _nearest(name: str, known: Any) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; it can be one of {', '.join(known)}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
