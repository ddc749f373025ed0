"""`cellwright grade`: one answer against another, for a person who wants to know why."""

import datetime
import json

from rich.console import Console
from rich.markup import escape

from cellwright.answers import (
    AnswerError,
    NotParsed,
    compare,
    contract_from_text,
    contract_to_data,
    from_json,
    parse,
    render,
    sentence,
)
from cellwright.answers.values import Value
from cellwright.core.errors import UsageError
from cellwright.core.types import Contract, Grade

EXIT_CODES = {"correct": 0, "wrong": 1, "unscored": 3}
"""2 is for a command that cannot be carried out, as everywhere."""
_COLOURS = {"correct": "green", "wrong": "red", "unscored": "yellow"}
_SHOWN_CHARS = 200


def grade(expected: str, given: str, contract_text: str, *, as_json: bool) -> Grade:
    """Print the verdict on `given` with its reason.

    Raises UsageError for a text that is no contract, and for an expected answer that does not fit it.
    """
    try:
        contract = contract_from_text(contract_text)
    except AnswerError as error:
        raise UsageError(f"--contract: {error}") from error
    wanted = _expected(expected, contract)
    if _has_time(wanted) and contract.unit != "second":
        raise UsageError("--expected has a time of day, of which the contract does not ask: write 'date, unit=second'.")
    found = compare(wanted, given, contract)
    if as_json:
        _print_json(found, wanted, given, contract)
    else:
        _print(found, wanted, given, contract)
    return found


def _expected(text: str, contract: Contract) -> Value:
    """The right answer, written as an answer or as the JSON that datasets keep."""
    found = parse(text, contract)
    if not isinstance(found, NotParsed):
        return found
    try:
        return from_json(text, contract)
    except AnswerError:
        raise UsageError(
            f"--expected: {text[:_SHOWN_CHARS]!r} is no answer under the contract: {found.reason}. "
            f"It asks: {sentence(contract)}"
        ) from None


def _has_time(value: Value) -> bool:
    return isinstance(value, datetime.datetime) and value.time() != datetime.time()


def _print(found: Grade, wanted: Value, given: str, contract: Contract) -> None:
    console = Console(highlight=False, soft_wrap=True)
    why = f" ({found.why})" if found.verdict == "wrong" else ""
    console.print(f"[bold {_COLOURS[found.verdict]}]{found.verdict}{why}[/]: {escape(found.explanation)}")
    console.print(f"contract  {escape(sentence(contract))}")
    console.print(f"expected  {escape(_shown(wanted, contract))}")
    console.print(f"read as   {escape(_read(given, contract))}")


def _print_json(found: Grade, wanted: Value, given: str, contract: Contract) -> None:
    read = parse(given, contract)
    facts = {
        "verdict": found.verdict,
        "why": found.why,
        "explanation": found.explanation,
        "contract": contract_to_data(contract),
        "sentence": sentence(contract),
        "expected": render(wanted, contract),
        "read": None if isinstance(read, NotParsed) else render(read, contract),
        "not_read": read.reason if isinstance(read, NotParsed) else None,
    }
    Console(soft_wrap=True).print_json(json.dumps(facts))


def _read(given: str, contract: Contract) -> str:
    read = parse(given, contract)
    return f"nothing: {read.reason}" if isinstance(read, NotParsed) else _shown(read, contract)


def _shown(value: Value, contract: Contract) -> str:
    text = render(value, contract)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
