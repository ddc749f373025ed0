"""Numbers as people write them: 1,234.5 · $1.2M · 45 % · −5 · 1e3 · 1.2 × 10³ · ½ · 3/4 · 12 years.

A unit, a percent sign or a currency is read only where the contract speaks of it: 45.24% is never 0.4524 by luck. What
could be two numbers, such as 1,5 where commas group thousands, is refused.
"""

import re
import unicodedata
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from cellwright.answers.clean import normal, without_latex
from cellwright.answers.locales import decimal_comma
from cellwright.answers.rounding import agree, exact
from cellwright.answers.units import (
    PERCENT,
    SYMBOLS,
    currency,
    is_known_unit,
    may_be_mega,
    same_unit,
    scale_of,
    unit_scale,
)
from cellwright.answers.values import MAX_DIGITS, NotParsed
from cellwright.core.types import Contract

HEDGE = re.compile(
    r"\b(?:about|approx\w*|around|roughly|nearly|almost|circa|ca\.|or|between|maybe|perhaps|probably|possibly|likely|"
    r"estimated?|unsure|not|isn't|at least|at most|up to|more than|less than|fewer than|greater than|over|under|above|"
    r"below|close to|something like|to|and|but|vs)\b|\d\s*-?ish\b|\d\s*\+\s*$|\?|[~≈≃≅∼>≤≥≠±]|<(?!/)|!=|\+/-|\.\.",
    re.IGNORECASE,
)
_USUAL = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_SCALE_AND_SIGN = re.compile(rf"([a-zA-Z]{{1,3}})({SYMBOLS})")
_WORDS = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion)\b",
    re.IGNORECASE,
)
_MAX_CHARS = 1_000
_MAX_RESTATED_CHARS = 100
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
_RAISED = re.compile(f"[{''.join(_SUPERSCRIPTS)}]+")
_POWER = r"(?:[eE](?P<power>[+-]?\d{1,4})(?!\d)|\s*[x×*·⋅∙]\s*10\s*(?:\^|\*\*)\s*\(?(?P<ten>[+-]?\d{1,4})\)?(?!\d))?"
_POWER_OF_TEN = re.compile(r"^([+-]?\s*)10\s*(?:\^|\*\*)\s*(?=[+-]?\d)")
_MINUS = re.compile(r"^(?:minus|negative)\s+(?=[\d.$€£])", re.IGNORECASE)
_GOES_ON = re.compile(r"[.,]?\d|[.,]\s*[.,]")
_RESTATED = re.compile(r"(.*?)\s*(?:\((?:or |i\.e\.,? |= ?)?(.*\d.*)\)|=\s*(.*\d.*))", re.DOTALL)
_FRACTION = re.compile(
    r"(?P<sign>[+-]?)\s*(?:(?P<whole>\d{1,15})\s+)?(?P<top>\d{1,15})\s*/\s*(?P<bottom>\d{1,15})(?![\d/.,]\d|\d)"
    r"(?P<rest>.*)",
    re.DOTALL,
)


class _Written(NamedTuple):
    """A number with the words on both sides of it."""

    number: Fraction | Decimal
    before: str
    rest: str


@cache
def _pattern(comma: bool) -> re.Pattern[str]:
    """A number in one of the two styles of the world, and all that follows it."""
    group, point = (r"\.", ",") if comma else (",", r"\.")
    grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d{{1,3}}(?: \d{{3}})+|\d{{1,3}}(?:'\d{{3}})+|\d{{1,3}}(?:_\d{{3}})+"
    indian = "" if comma else r"|\d{1,2}(?:,\d{2})+,\d{3}"
    digits = rf"(?:(?:{grouped}{indian})(?!\d)|\d+)(?:{point}\d+|{point}(?!\d))?|{point}\d+"
    return re.compile(
        rf"(?P<sign>[+-]?)\s*(?P<money>(?:{SYMBOLS}|(?:USD|EUR|[A-Z]{{3}})\s?)?)\s*(?P<inner>[+-]?)\s?"
        rf"(?P<digits>{digits}){_POWER}(?P<rest>.*)",
        re.DOTALL,
    )


def parse_number(text: str, contract: Contract) -> int | float | NotParsed:
    """One number under its contract: an int for the kind `integer`, a float for the others."""
    if _USUAL.fullmatch(text) and not decimal_comma(contract.locale):
        if contract.kind != "integer":
            return float(text) + 0.0
        if "." not in text:
            return int(text)
    if len(text) > _MAX_CHARS:
        return NotParsed("the text is too long to be one number", "kind")
    written = spelled(text)
    if not any(character.isdigit() for character in written):
        if _WORDS.search(written[:_MAX_RESTATED_CHARS]) and not HEDGE.search(written):
            return NotParsed("numbers in words are not read: write it in digits", "unclear")
        return NotParsed("there is no number in it", "kind")
    # A unit may hold words that hedge elsewhere: "orders under review".
    if HEDGE.search(_without_unit(written, contract)):
        return NotParsed("it hedges instead of giving one number", "hedged")
    found = _read(written, contract)
    return found if isinstance(found, NotParsed) else _with_unit(found, contract)


def _without_unit(text: str, contract: Contract) -> str:
    unit = contract.unit or ""
    return text[: -len(unit)] if unit and text.casefold().endswith(unit.casefold()) else text


def spelled(text: str) -> str:
    """Digits of other scripts, vulgar fractions and LaTeX in ASCII; `minus` as its sign."""
    text = _RAISED.sub(lambda found: "^" + "".join(_SUPERSCRIPTS[c] for c in found[0]), without_latex(text))
    text = normal(text.replace("−", "-").replace("⁄", "/").replace("∕", "/"))
    if not text.isascii():
        text = " ".join("".join(map(_ascii, text)).split())
    if "10" in text:
        text = _POWER_OF_TEN.sub(r"\g<1>1e", text)
    return _MINUS.sub("-", text) if text[:1] in "mMnN" else text


def _ascii(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    if character == "٫":
        return "."
    if character == "٬":
        return ","
    if unicodedata.decomposition(character).startswith("<fraction>"):
        value = Fraction(unicodedata.numeric(character)).limit_denominator(1000)
        return f" {value.numerator}/{value.denominator} "
    return character


def _read(text: str, contract: Contract) -> _Written | NotParsed:
    """The number that a text begins with, the currency before it, and the words after it."""
    comma = decimal_comma(contract.locale)
    if match := _FRACTION.match(text):
        whole, top, bottom = (int(match[name] or 0) for name in ("whole", "top", "bottom"))
        if not bottom:
            return NotParsed("it divides by zero", "kind")
        value = whole + Fraction(top, bottom)
        return _Written(-value if match["sign"] == "-" else value, "", match["rest"].strip())
    match = _pattern(comma).match(text)
    if match is None or (match["sign"] and match["inner"]):
        return NotParsed("it is not a number alone", "unclear")
    if _GOES_ON.match(match["rest"]):
        return NotParsed("it could be one number or another: write it without separators of thousands", "unclear")
    number = _decimal(match, comma=comma)
    if number is None:
        return NotParsed("the number is out of all range", "value")
    return _Written(number, match["money"].strip(), match["rest"].strip())


def _decimal(match: re.Match[str], *, comma: bool) -> Decimal | None:
    digits = re.sub("[ '_]", "", match["digits"])
    digits = digits.replace(".", "").replace(",", ".") if comma else digits.replace(",", "")
    if len(digits) > MAX_DIGITS:
        return None
    try:
        number = Decimal(digits).scaleb(int(match["power"] or match["ten"] or 0))
    except InvalidOperation:
        return None
    return -number if "-" in (match["sign"], match["inner"]) else number


def _with_unit(found: _Written, contract: Contract, *, again: bool = True) -> int | float | NotParsed:
    number, before, rest = found.number, found.before, found.rest.strip().rstrip(";").removesuffix(".").strip()
    restated = _RESTATED.fullmatch(rest) if again and 0 < len(rest) < _MAX_RESTATED_CHARS else None
    if restated:
        return _restated(_Written(number, before, restated[1]), restated[2] or restated[3], contract)
    if (scale := unit_scale(contract.unit))[0] and (before or rest):
        return _in_scale(_Written(number, before, rest), contract, *scale)
    if not _is_unit(rest, contract):
        number, rest = _scaled(number, rest, contract, money=bool(before))
    share = _percent(number, rest, contract)
    if isinstance(share, NotParsed):
        return share
    if share is not None:
        number, rest = share, ""
    for word in (before, rest):
        if word and not _is_unit(word, contract):
            return _strange(word, contract)
        if may_be_mega(word, contract.unit or ""):
            return NotParsed(f"{word!r} could mean another unit than {contract.unit!r}", "unclear")
    return _plain(number, contract)


def _in_scale(found: _Written, contract: Contract, power: int, base: str) -> int | float | NotParsed:
    """A number that says its unit itself, where the contract's has a scale: in `million USD`, $1.2M is 1.2."""
    number, rest = _scaled(found.number, found.rest, contract, money=bool(found.before) or currency(base) is not None)
    if rest == found.rest:
        return NotParsed("it names a unit without its scale", "unclear")
    number = number.scaleb(-power) if isinstance(number, Decimal) else number / 10**power
    return _with_unit(_Written(number, found.before, rest), replace(contract, unit=base or None), again=False)


def _strange(word: str, contract: Contract) -> NotParsed:
    """Why what stands beside the number is in the way."""
    if word.startswith("^"):
        return NotParsed("it is a power", "unclear")
    if re.fullmatch(r"[xob][0-9a-f]+", word):
        return NotParsed("it is not a decimal number", "unclear")
    if re.search(r"\d", word):
        return NotParsed("it holds several numbers", "hedged")
    if contract.unit and any(_is_unit(part, contract) for part in word.split()):
        return NotParsed(f"{word[:40]!r} is more than the unit that was asked for", "unclear")
    if not contract.unit and not is_known_unit(word):
        return NotParsed(f"no unit was asked for, and {word[:40]!r} may be more than one", "unclear")
    if len(word.split()) > 3 or not re.search(r"\w|[$€£¥₹%°]", word):
        return NotParsed("it is not a number alone", "unclear")
    return NotParsed(f"the unit {word[:40]!r} is not the one that was asked for", "unit")


def _restated(found: _Written, other: str, contract: Contract) -> int | float | NotParsed:
    """A number that is said twice, as in 0.45 (45%): fine where both are one value, hedged otherwise."""
    first = _with_unit(found, contract, again=False)
    if isinstance(first, NotParsed):
        is_sum = first.why == "hedged" and re.match(r"[-+*/×·÷]\s*\d", found.rest)
        return NotParsed("it is a calculation", "unclear") if is_sum else first
    read = _read(other.strip(), contract)
    second = read if isinstance(read, NotParsed) else _with_unit(read, contract, again=False)
    if isinstance(second, NotParsed):
        if second.why == "unit":
            return NotParsed("it says the number again in another unit", "unclear")
        return NotParsed("it holds several numbers", "hedged")
    if contract.kind == "percent" and _shows_percent(found.rest) != _shows_percent(other):
        # 45.24% (0.4524): the one with the sign says which scale is meant.
        first, second = (first, second) if _shows_percent(found.rest) else (second, first)
        second = second if contract.unit == "fraction" else second * 100
    same = first == second or agree(exact(first), exact(second), contract.decimals or 12)
    return first if same else NotParsed("it holds two different numbers", "hedged")


def _shows_percent(text: str) -> bool:
    return bool(re.search(r"%|percent|\bpct\b", text, re.IGNORECASE))


def _scaled(
    number: Fraction | Decimal, rest: str, contract: Contract, *, money: bool
) -> tuple[Fraction | Decimal, str]:
    word, _, after = rest.partition(" ")
    if word and (signed := _SCALE_AND_SIGN.fullmatch(word)):  # 1.2M$
        word, after = signed[1], f"{signed[2]} {after}"
    power = scale_of(word, money=money or contract.kind == "money")
    if power is None:
        return number, rest
    scaled = number.scaleb(power) if isinstance(number, Decimal) else number * 10**power
    return scaled, after.strip().removeprefix("of ")


def _percent(number: Fraction | Decimal, rest: str, contract: Contract) -> Fraction | Decimal | NotParsed | None:
    """The number of a text with a percent sign on the contract's scale; None where it has none."""
    folded = rest.casefold()
    if folded not in PERCENT and folded != "‰":
        return None
    if contract.kind != "percent" and (contract.unit or "").casefold() not in PERCENT:
        return NotParsed("it is a percentage where none was asked for", "unit")
    if folded == "‰":
        number = number / 10
    return number / 100 if contract.unit == "fraction" else number


def _is_unit(word: str, contract: Contract) -> bool:
    unit = contract.unit or ""
    if not word or unit == "fraction":
        return False
    if contract.kind == "money" and not unit:
        return currency(word) is not None
    return bool(unit) and len(word) < 100 and same_unit(word, unit)


def _plain(number: Fraction | Decimal, contract: Contract) -> int | float | NotParsed:
    try:
        if contract.kind != "integer":
            found = float(number) + 0.0
            return found if abs(found) != float("inf") else NotParsed("the number is out of all range", "value")
        # A short exponent can stand for a number of very many digits, of which int() is never taken.
        if (isinstance(number, Decimal) and number.adjusted() >= MAX_DIGITS) or number != int(number):
            return NotParsed("it is not a whole number", "kind")
        return int(number)
    except (OverflowError, ValueError):
        return NotParsed("the number is out of all range", "value")
