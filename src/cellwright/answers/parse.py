"""What a person or a model wrote, as a value under its contract.

Total: any text gives a value or a `NotParsed` with a reason. Nothing is guessed: a text that could mean two values is
refused.
"""

import json
import re

from cellwright.answers.clean import marked, normal, unwrapped, without_thought
from cellwright.answers.lists import parse_container
from cellwright.answers.scalars import MAX_SCALAR_CHARS, is_not_applicable, parse_scalar
from cellwright.answers.sentences import from_sentence
from cellwright.answers.values import CONTAINERS, TEXTUAL, NotParsed, Value
from cellwright.core.types import Contract

MAX_CHARS = 1_000_000
"""Longer texts are refused unread."""
_MOST_TIMES_SAID = 20
_NAMED = re.compile(r"\{\s*[\"'](?:final_)?(?:answer|result)[\"']\s*:\s*([^{}]*|\{[^{}]*\}\s*)\}", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"\b(or|not|isn't|about|approximately|roughly|maybe|probably|perhaps)\b|[≈~±]|\\approx", re.IGNORECASE
)


def parse(text: str, contract: Contract) -> Value | NotParsed:
    """The value of a text. Lists come as tuples, mappings as tuples of pairs, `Not Applicable` as None."""
    if len(text) > MAX_CHARS:
        return NotParsed("the text is too long to be an answer", "kind")
    text = without_thought(text)
    if len(text) > MAX_SCALAR_CHARS:
        return _parse_long(text, contract)
    marks = marked(text)
    if marks:
        return _parse_marked(marks, contract)
    cleaned = unwrapped(text)
    if not cleaned.strip():
        return NotParsed("the answer is empty", "missing")
    if contract.kind not in CONTAINERS:
        cleaned = _said_once(cleaned)
    if is_not_applicable(cleaned, contract):
        return None
    named = _NAMED.fullmatch(cleaned) if cleaned[0] == "{" else None
    if named and (contract.kind != "mapping" or named[1].startswith("{")):
        return _parse_named(named[1], contract)
    if contract.kind in CONTAINERS:
        return parse_container(cleaned, contract)
    found = parse_scalar(cleaned, contract)
    if isinstance(found, NotParsed) and contract.in_sentence:
        return from_sentence(cleaned, contract)
    return found


def _said_once(text: str) -> str:
    """The one line of a text whose lines all say the same."""
    if not 0 < text.count("\n") < _MOST_TIMES_SAID:
        return text
    lines = {unwrapped(line) for line in text.splitlines() if line.strip()}
    return lines.pop() if len(lines) == 1 else text


def _parse_named(value: str, contract: Contract) -> Value | NotParsed:
    """The answer of a JSON object that holds nothing else: {"answer": 5}."""
    try:
        loaded = json.loads(value)
    except (ValueError, RecursionError):
        loaded = None
    return parse(loaded if isinstance(loaded, str) else value.strip(), contract)


def _parse_long(text: str, contract: Contract) -> Value | NotParsed:
    """A text that is too long for one value and for words around it: itself, or a list in its plain forms."""
    if contract.kind in TEXTUAL:
        return parse_scalar(text, contract)
    if contract.kind in CONTAINERS:
        return parse_container(text.strip().removeprefix("```json").strip("`\n "), contract)
    return NotParsed("the text is too long to be one value", "kind")


def _parse_marked(marks: list[tuple[str, str]], contract: Contract) -> Value | NotParsed:
    """The answer that a text puts into a box, or between tags: the same each time, and not taken back beside it."""
    if len({normal(answer) for answer, _ in marks}) > 1:
        return NotParsed("it marks several different answers", "hedged")
    answer, around = marks[0]
    if _TAKEN_BACK.search(around):
        return NotParsed("the words beside the marked answer take it back", "hedged")
    return parse(answer, contract) if not marked(answer) else NotParsed("marks are nested", "unclear")
