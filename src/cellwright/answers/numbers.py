"""Numbers as people write them: 1,234.5 · $1.2M · 45 % · −5 · 1e3 · ½ · 3/4 · 12 years.

A unit, a percent sign or a currency is read only where the contract speaks of it: 45.24% is never 0.4524 by luck.
"""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from cellwright.answers.clean import normal
from cellwright.answers.values import MAX_DIGITS, NotParsed
from cellwright.core.types import Contract

_HEDGE = re.compile(
    r"\b(about|approx\w*|around|roughly|nearly|almost|circa|ca\.|or|between|maybe|probably|possibly|at least|at most|"
    r"more than|less than|over|under)\b|[~≈<>≤≥±]",
    re.IGNORECASE,
)
_PLAIN = r"\d+(?:\.\d*)?|\.\d+"
_GROUPED = r"\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d{1,3}(?:[ '_]\d{3})+(?:\.\d*)?"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)\s*(?P<money>(?:US\$|[$€£¥₹]|[A-Z]{{3}}\s)?)\s*(?P<inner>[+-]?)"
    rf"(?P<digits>{_GROUPED}|{_PLAIN})(?:[eE](?P<power>[+-]?\d{{1,4}}))?(?P<rest>.*)",
    re.DOTALL,
)
_FRACTION = re.compile(
    r"(?P<sign>[+-]?)\s*(?:(?P<whole>\d+)\s+)?(?P<top>\d+)\s*/\s*(?P<bottom>\d+)(?P<rest>.*)", re.DOTALL
)
_SCALES = {
    "k": 3,
    "thousand": 3,
    "m": 6,
    "mn": 6,
    "million": 6,
    "b": 9,
    "bn": 9,
    "billion": 9,
    "t": 12,
    "tn": 12,
    "trillion": 12,
}
_LETTER_SCALES = {"k", "m", "mn", "b", "bn", "t", "tn"}
_CURRENCIES = {
    "$": "usd",
    "us$": "usd",
    "usd": "usd",
    "dollar": "usd",
    "dollars": "usd",
    "€": "eur",
    "eur": "eur",
    "euro": "eur",
    "euros": "eur",
    "£": "gbp",
    "gbp": "gbp",
    "pound": "gbp",
    "pounds": "gbp",
    "¥": "jpy",
    "jpy": "jpy",
    "yen": "jpy",
    "₹": "inr",
    "inr": "inr",
    "rupees": "inr",
}
_PERCENT = {"%", "percent", "per cent", "pct", "percentage", "percents"}


def parse_number(text: str, contract: Contract) -> int | float | NotParsed:
    """One number under its contract, an int where it is a whole one."""
    cleaned = _spelled(text)
    if not any(character.isdigit() for character in cleaned):
        return NotParsed("there is no number in it", "kind")
    if _HEDGE.search(cleaned):
        return NotParsed("it hedges instead of giving one number", "hedged")
    found = _split(cleaned)
    if found is None:
        several = len(re.findall(r"(?<![\w.,])[+-]?\d[\d.,]*", cleaned)) > 1
        return NotParsed(
            "it holds several numbers" if several else "it is not a number alone", "hedged" if several else "unclear"
        )
    number, money, rest = found
    return _with_unit(number, money, rest, contract)


def _spelled(text: str) -> str:
    """Digits of other scripts and vulgar fractions as ASCII, LaTeX's escapes gone."""
    spelled: list[str] = []
    for character in normal(text.replace("\\%", "%").replace("\\$", "$").replace("\\,", "").replace("{,}", ",")):
        name = unicodedata.numeric(character, None) if not character.isascii() else None
        if name is None:
            spelled.append(character)
        elif name == int(name) and 0 <= name <= 9 and unicodedata.category(character) == "Nd":
            spelled.append(str(int(name)))
        else:
            fraction = Fraction(name).limit_denominator(1000)
            spelled.append(f" {fraction.numerator}/{fraction.denominator}")
    return " ".join("".join(spelled).split())


def _split(text: str) -> tuple[Fraction | Decimal, str, str] | None:
    """The number, the currency before it and the words after it; None when it does not begin with a number."""
    if match := _FRACTION.match(text):
        whole, top, bottom = (int(match[name] or 0) for name in ("whole", "top", "bottom"))
        if len(match[0]) > MAX_DIGITS or not bottom:
            return None
        value = whole + Fraction(top, bottom)
        return (-value if match["sign"] == "-" else value), "", match["rest"].strip()
    match = _NUMBER.match(text)
    if match is None or (match["sign"] and match["inner"]):
        return None
    digits = re.sub("[, '_]", "", match["digits"])
    if len(digits) > MAX_DIGITS:
        return None
    try:
        number = Decimal(digits).scaleb(int(match["power"] or 0))
    except InvalidOperation:
        return None
    sign = match["sign"] or match["inner"]
    return (-number if sign == "-" else number), match["money"].strip(), match["rest"].strip()


def _with_unit(number: Fraction | Decimal, money: str, rest: str, contract: Contract) -> int | float | NotParsed:
    rest = rest.removesuffix(".").strip()
    scale, rest = _scale(rest)
    if scale and isinstance(number, Decimal):
        number = number.scaleb(scale)
    percent = rest.casefold() in _PERCENT
    if percent:
        if contract.kind != "percent" and (contract.unit or "").casefold() not in _PERCENT:
            return NotParsed("it is a percentage where none was asked for", "unit")
        rest = ""
        if contract.unit == "fraction":
            number = number / 100
    for word in (money, rest):
        if word and not _is_unit(word, contract):
            if re.search(r"\d", word):
                return NotParsed("it holds several numbers", "hedged")
            return NotParsed(f"the unit {word[:40]!r} is not the one that was asked for", "unit")
    return _plain(number, contract)


def _scale(rest: str) -> tuple[int, str]:
    word, _, after = rest.partition(" ")
    folded = word.casefold()
    if folded in _SCALES and (folded not in _LETTER_SCALES or word in {"k", "K", "M", "mn", "B", "bn", "T", "tn", "m"}):
        return _SCALES[folded], after.strip()
    return 0, rest


def _is_unit(word: str, contract: Contract) -> bool:
    unit, folded = (contract.unit or "").casefold(), word.casefold().strip("() ")
    if contract.kind == "money" and folded in _CURRENCIES:
        return not unit or _CURRENCIES[folded] == _CURRENCIES.get(unit, unit)
    if not unit:
        return False
    return folded.rstrip("s.") == unit.rstrip("s.") or _CURRENCIES.get(folded) == _CURRENCIES.get(unit, unit)


def _plain(number: Fraction | Decimal, contract: Contract) -> int | float | NotParsed:
    try:
        # A short exponent can stand for a number of many digits: those are floats, and int() of them is never taken.
        if (isinstance(number, Fraction) or number.adjusted() < MAX_DIGITS) and number == int(number):
            return int(number)
        if contract.kind == "integer":
            return NotParsed("it is not a whole number", "kind")
        found = float(number)
    except (OverflowError, ValueError):
        return NotParsed("the number is out of all range", "value")
    return found if abs(found) != float("inf") else NotParsed("the number is out of all range", "value")
