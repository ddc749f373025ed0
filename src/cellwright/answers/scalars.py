"""One value from its text: a text, a label, yes or no, a date, a number."""

import json
import re

from cellwright.answers.clean import comparable, normal, unquoted, without_latex
from cellwright.answers.dates import parse_date
from cellwright.answers.numbers import parse_number
from cellwright.answers.values import CONTAINERS, NUMERIC, TEXTUAL, NotParsed, Scalar
from cellwright.core.types import Contract

MAX_SCALAR_CHARS = 20_000
MAX_SENTENCE_CHARS = 2_000
_NOT_APPLICABLE = {"not applicable", "n/a", "n.a", "n/a (not applicable)", "not applicable (n/a)", "not-applicable"}
_TRUE, _FALSE = {"yes", "true", "1", "1.0", "y", "t"}, {"no", "false", "0", "0.0", "n", "f"}
_NOT_APPLICABLE_SINCE = re.compile(r"(?:not applicable|n/a)\s?[,.;:(-]\s?[^\d?]{2,200}", re.IGNORECASE)
_TAKEN_BACK = re.compile(r"\b(or|but|unless|otherwise|if|except|however|although|though)\b", re.IGNORECASE)
_MAYBE = re.compile(
    r"\b(maybe|perhaps|probably|possibly|likely|unlikely|unsure|not sure|partly|partially|sometimes|depends|or|but)\b|"
    r"\?"
)
_REPR = (
    (re.compile(r"\b(?:np|numpy)\.(?:float|int|uint|str|bool|longdouble)\w*\(([^()]*)\)"), r"\1"),
    (re.compile(r"\b(?:np|numpy)\.(True|False)_?\b"), r"\1"),
    (re.compile(r"\b(?:decimal\.)?Decimal\('([^'()]*)'\)"), r"\1"),
    (re.compile(r"\b(?:pd\.)?Timestamp\(('[^'()]*')[^()]*\)"), r"\1"),
    (re.compile(r"\b(?:np|numpy)\.datetime64\(('[^'()]*')[^()]*\)"), r"\1"),
    (re.compile(r"\bdatetime\.date(?:time)?\((\d{4}), (\d{1,2}), (\d{1,2})(?:, 0, 0)?\)"), r"'\1-\2-\3'"),
    (re.compile(r"^(?:set|frozenset|list|tuple|dict)\(\)$"), "[]"),
)
_ARRAY = re.compile(
    r"(?:(?:np|numpy)\.)?array\((?=\[)|(?:pd\.)?Index\((?=\[)|"
    r"(?:frozenset|set|dict|dict_keys|dict_values|(?:collections\.)?(?:OrderedDict|Counter))\((?=[\[{(])"
)


def without_repr(text: str) -> str:
    """What Python prints for a value of a library, as the value: np.float64(1.5) is 1.5."""
    if "(" in text or "np." in text:
        for pattern, plain in _REPR:
            text = pattern.sub(plain, text)
        if text.endswith(")") and (called := _ARRAY.match(text)):
            inner = text[called.end() : -1]
            head, mark, tail = inner.rpartition("], dtype=")
            return f"{head}]" if mark and len(tail) < 20 else inner
    return text


def is_not_applicable(text: str, contract: Contract) -> bool:
    """Whether the text says that there is no answer, with the reason or without; `NA` only where it is no label."""
    if len(text) > 300 or (text.isascii() and "n" not in text and "N" not in text):
        return False
    plain = normal(without_latex(text))
    if contract.kind not in TEXTUAL | CONTAINERS and _NOT_APPLICABLE_SINCE.fullmatch(plain):
        return not _TAKEN_BACK.search(plain)
    # A text in quotes is that text, as `render` writes it.
    word = (plain if contract.kind in TEXTUAL else unquoted(plain)).casefold().removesuffix(".")
    return word in _NOT_APPLICABLE or (word == "na" and contract.kind not in TEXTUAL)


def parse_scalar(text: str, contract: Contract, *, quick: bool = False) -> Scalar | NotParsed:
    """One value that stands alone. `quick` leaves out the forms that take long to read, for long lists."""
    if contract.kind in TEXTUAL:
        return _parse_text(text, contract)
    if len(text) > MAX_SCALAR_CHARS:
        return NotParsed("the text is too long to be one value", "kind")
    text = unquoted(without_repr(unquoted(text.strip()).strip()))
    if contract.kind == "boolean":
        return _parse_boolean(text)
    if contract.kind == "date":
        return parse_date(text, contract, usual=quick)
    if contract.kind in NUMERIC:
        return parse_number(text, contract)
    return NotParsed("only Not Applicable was asked for", "kind")


def _parse_text(text: str, contract: Contract) -> str | NotParsed:
    """The text itself; one in quotes without them, in JSON's form decoded; a label as the contract writes it."""
    found = unquoted(text)
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            decoded = json.loads(text)
        except (ValueError, RecursionError):
            decoded = None
        found = decoded if isinstance(decoded, str) else found
    elif "\\" in text and len(text) < MAX_SCALAR_CHARS:
        found = unquoted(without_latex(text))
    if not found.strip():
        return NotParsed("the answer is empty", "missing")
    return _label(found, contract) if contract.kind == "category" and contract.choices else found


def _label(text: str, contract: Contract) -> str | NotParsed:
    labels = {comparable(label, case_sensitive=contract.case_sensitive): label for label in contract.choices}
    if len(text) > MAX_SCALAR_CHARS:
        return NotParsed("the text is too long to be a label", "kind")
    key = comparable(text, case_sensitive=contract.case_sensitive)
    found = labels.get(key) or labels.get(key.removesuffix("."))
    if found is not None:
        return found
    if len(labels_in(text, contract)) > 1:
        return NotParsed("it names several of the labels", "hedged")
    return NotParsed("it is none of the labels to choose from", "value")


def labels_in(text: str, contract: Contract) -> list[str]:
    """The labels that a text names as whole words; of two that overlap the longer one."""
    rest = comparable(text[:MAX_SENTENCE_CHARS], case_sensitive=contract.case_sensitive)
    found: list[str] = []
    for label in sorted(contract.choices, key=len, reverse=True):
        word = re.escape(comparable(label, case_sensitive=contract.case_sensitive))
        rest, count = re.subn(rf"(?<!\w){word}(?!\w)", "\x00", rest)
        if count:
            found.append(label)
    return found


def _parse_boolean(text: str) -> bool | NotParsed:
    if len(text) > 1_000:
        return NotParsed("the text is too long to be yes or no", "kind")
    word = normal(without_latex(text)).casefold().rstrip(".!")
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    says_yes, says_no = re.search(r"\b(yes|true)\b", word), re.search(r"\b(no|false|not)\b", word)
    if (says_yes and re.search(r"\b(no|false)\b", word)) or _MAYBE.search(word):
        return NotParsed("it does not decide between yes and no", "hedged")
    if says_yes or says_no:
        return NotParsed("it is not yes or no alone", "unclear")
    return NotParsed("it is neither yes nor no", "kind")
