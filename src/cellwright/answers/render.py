"""The canonical text of an answer, and the value as it is stored.

`parse` reads every rendered text back to an equal value. Short forms (`a, b, c`) are used where they read back, JSON
where they do not.
"""

import datetime
import json
from collections.abc import Sequence

from cellwright.answers.locales import decimal_comma
from cellwright.answers.parse import parse
from cellwright.answers.rounding import exact, rounded, settled
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

NOT_APPLICABLE = "Not Applicable"


def round_value(value: object, contract: Contract) -> Value:
    """The answer as it is stored; `AnswerError` when it does not fit the contract.

    Numbers are rounded to the contract's decimals, except that one that lies on a half keeps its final 5 (2.345 to two
    decimals): only so can `compare` accept both ways of rounding it. Integers are exact; times lose what is below a
    second.
    """
    fitted = conform(value, contract)
    if isinstance(fitted, NotParsed):
        raise AnswerError(fitted.reason)
    return _each(fitted, contract)


def _each(value: Value, contract: Contract) -> Value:
    if value is None:
        return None
    if contract.kind == "mapping":
        assert isinstance(value, tuple)
        keys, items = key_contract(contract), item_contract(contract)
        return tuple((_stored(pair[0], keys), _stored(pair[1], items)) for pair in value if isinstance(pair, tuple))
    if contract.kind in CONTAINERS:
        assert isinstance(value, tuple)
        found = tuple(_stored(item, item_contract(contract)) for item in value)
        return tuple(dict.fromkeys(found)) if contract.kind == "set" else found
    return _stored(value, contract)


def _stored(value: object, contract: Contract) -> Scalar:
    if isinstance(value, float) and contract.kind in NUMERIC and contract.decimals is not None:
        return float(settled(exact(value), contract.decimals))
    if contract.kind == "date" and isinstance(value, datetime.datetime):
        return value.replace(microsecond=0) if contract.unit == "second" else value.date()
    assert value is None or isinstance(value, (bool, int, float, str, datetime.date))
    return value


def render(value: object, contract: Contract) -> str:
    """The canonical text of an answer; `AnswerError` when it does not fit the contract."""
    stored = round_value(value, contract)
    if stored is None:
        return NOT_APPLICABLE
    if contract.kind == "mapping":
        assert isinstance(stored, tuple)
        return _mapping(stored, contract)
    if contract.kind in CONTAINERS:
        assert isinstance(stored, tuple)
        return _sequence(stored, contract)
    text = _text(stored, contract)
    if isinstance(stored, str) and not _reads_back(text, stored, contract):
        return json.dumps(stored)
    return text


def _reads_back(text: str, value: Value, contract: Contract) -> bool:
    return parse(text, contract) == value


def _text(value: Value, contract: Contract) -> str:
    """One value, unquoted, as its locale writes it."""
    text = _plain_text(value, contract)
    return text.replace(".", ",") if contract.kind in NUMERIC and decimal_comma(contract.locale) else text


def _plain_text(value: Value, contract: Contract) -> str:
    """One value as JSON and Python write it."""
    if value is None:
        return NOT_APPLICABLE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and contract.decimals is not None and contract.kind in NUMERIC:
        return f"{rounded(exact(value), contract.decimals):f}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def _sequence(values: Sequence[Value], contract: Contract) -> str:
    items = item_contract(contract)
    texts = [_text(value, items) for value in values]
    short = ", ".join(texts)
    wanted = tuple(_printed(value, items) for value in values)
    if values and _reads_back(short, wanted, contract):
        return short
    return f"[{', '.join(_json(value, items) for value in values)}]"


def _printed(value: Value, contract: Contract) -> Value:
    """What the value's text stands for: a half that is printed is rounded."""
    if isinstance(value, float) and contract.decimals is not None:
        return float(rounded(exact(value), contract.decimals))
    return value


def _mapping(pairs: Sequence[Value], contract: Contract) -> str:
    keys, items = key_contract(contract), item_contract(contract)
    split = [(pair[0], pair[1]) for pair in pairs if isinstance(pair, tuple)]
    body = ", ".join(f"{json.dumps(_text(key, keys), ensure_ascii=False)}: {_json(item, items)}" for key, item in split)
    wanted = tuple((_printed(key, keys), _printed(item, items)) for key, item in split)
    if _reads_back(f"{{{body}}}", wanted, contract):
        return f"{{{body}}}"
    return f"[{', '.join(f'[{_json(key, keys)}, {_json(item, items)}]' for key, item in split)}]"


def _json(value: Value, contract: Contract) -> str:
    """One value in JSON, with the decimals that its contract asks for."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = _plain_text(value, contract)
    return text if contract.kind in NUMERIC else json.dumps(text, ensure_ascii=contract.kind in TEXTUAL)
