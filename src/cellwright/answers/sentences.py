"""The one answer that a sentence gives, for contracts that allow a sentence.

A sentence with two candidates is refused: which of them is the answer would be a guess.
"""

import re

from cellwright.answers.clean import marked, normal, without_latex
from cellwright.answers.dates import parse_date
from cellwright.answers.numbers import parse_number, spelled
from cellwright.answers.scalars import MAX_SENTENCE_CHARS, labels_in
from cellwright.answers.units import PERCENT, SCALES, SYMBOLS
from cellwright.answers.values import NUMERIC, NotParsed, Scalar
from cellwright.core.types import Contract

_HEDGE_BEFORE = re.compile(
    r"(?:\b(?:about|approx\w*|around|roughly|nearly|almost|circa|ca\.|at least|at most|more than|less than|fewer than|"
    r"over|under|above|below|up to|not|isn't|between|maybe|perhaps|probably|possibly|either|or|close to)|"
    r"[~≈<>≤≥±])\W*$",
    re.IGNORECASE,
)
_HEDGE_AFTER = re.compile(
    r"\W{0,3}(?:or\b|-?ish\b|\+|\?|at least|at most|or so|approximately|is (?:wrong|not))", re.IGNORECASE
)
_SYMBOLS = "|".join(re.escape(symbol) for symbol in SYMBOLS.split("|"))
_AFTER = "|".join(sorted((re.escape(word) for word in PERCENT | set(SCALES)), key=len, reverse=True))
_NEGATED = re.compile(r"\b(not|never|neither|nor|isn't|rather than|instead of|unlike|or)\b", re.IGNORECASE)
_DATE_IN = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|"
    r"\d{1,2}(?:st|nd|rd|th)?(?: of)? [A-Z][a-z]{2,8}\.?,? \d{4}|[A-Z][a-z]{2,8}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}"
)
_HEDGES = re.compile(
    r"\b(maybe|perhaps|probably|possibly|presumably|might|may be|could be|not sure|unsure|i guess|it depends|"
    r"or so)\b|\?",
    re.IGNORECASE,
)
_SEVERAL = NotParsed("the sentence holds several candidates for the answer", "unclear")
_NONE = NotParsed("the sentence holds no answer of the kind that was asked for", "kind")
_HEDGED = NotParsed("the sentence hedges", "hedged")


def from_sentence(text: str, contract: Contract) -> Scalar | NotParsed:
    """The value that a sentence gives under its contract, when it gives exactly one."""
    if len(text) > MAX_SENTENCE_CHARS or marked(text):
        return NotParsed("it is too long to be a sentence", "unclear")
    if _HEDGES.search(text):
        return _HEDGED
    if contract.kind in NUMERIC:
        return _number(text, contract)
    if contract.kind == "boolean":
        return _boolean(normal(text).casefold())
    if contract.kind == "date":
        return _date(normal(text), contract)
    if contract.kind == "category" and contract.choices:
        found = labels_in(text, contract)
        if len(found) == 1:
            return NotParsed("the label may be denied", "unclear") if _NEGATED.search(text) else found[0]
        return _SEVERAL if found else _NONE
    return NotParsed("which of its words are the answer cannot be told", "unclear")


def _number(text: str, contract: Contract) -> Scalar | NotParsed:
    written = spelled(without_latex(text).replace("**", "").replace("`", ""))
    unit = rf"|{re.escape(contract.unit)}" if contract.unit and contract.unit != "fraction" else ""
    token = re.compile(
        rf"(?<![\w.,/])(?:[+-]\s?)?(?:{_SYMBOLS})?\s?[+-]?(?:\d[\d.,'_]*(?:[eE][+-]?\d+)?|\.\d+)"
        rf"(?:\s?(?:{_AFTER}{unit})(?!\w))?(?:\s(?:{_AFTER}{unit})(?!\w))?(?!\w|[/:]\d)",
        re.IGNORECASE,
    )
    found: set[Scalar] = set()
    refused: NotParsed | None = None
    for match in token.finditer(written):
        if _HEDGE_BEFORE.search(written[max(0, match.start() - 40) : match.start()]) or _HEDGE_AFTER.match(
            written[match.end() : match.end() + 30]
        ):
            return _HEDGED
        value = parse_number(match[0].rstrip(".,'_ "), contract)
        if isinstance(value, NotParsed):
            refused = value
        else:
            found.add(value)
    if len(found) == 1 and refused is None:
        return found.pop()
    if found and (refused or len(found) > 1):
        return _SEVERAL
    return refused or _NONE


def _boolean(text: str) -> Scalar | NotParsed:
    first = re.match(r"\W*(yes|no)\b(?!\s+(?:or|and|one)\b)", text)
    if re.search(r"\b(yes and no|yes or no|but)\b", text):
        return _HEDGED
    if first:
        other = r"\bno\b[,.!]" if first[1] == "yes" else r"\byes\b"
        return _HEDGED if re.search(other, text[first.end() :]) else first[1] == "yes"
    said = set(re.findall(r"\b(yes|no|true|false)\b", text))
    if len(said) != 1 or _NEGATED.search(text):
        return _SEVERAL if said else _NONE
    word = said.pop()
    return NotParsed("a `no` inside a sentence need not be the answer", "unclear") if word == "no" else word != "false"


def _date(text: str, contract: Contract) -> Scalar | NotParsed:
    found = {parse_date(match[0], contract) for match in _DATE_IN.finditer(text)}
    if _NEGATED.search(text) or re.search(r"\b(about|around|between|before|after|maybe|probably)\b", text):
        return _HEDGED
    return found.pop() if len(found) == 1 else (_SEVERAL if found else _NONE)
