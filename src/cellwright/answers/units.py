"""Units, currencies and scales in the words that people write after, and before, a number."""

import re
from functools import cache

SCALES = {
    "k": 3,
    "thousand": 3,
    "thousands": 3,
    "lakh": 5,
    "m": 6,
    "mn": 6,
    "mio": 6,
    "mm": 6,
    "million": 6,
    "millions": 6,
    "crore": 7,
    "b": 9,
    "bn": 9,
    "mrd": 9,
    "billion": 9,
    "billions": 9,
    "t": 12,
    "tn": 12,
    "trillion": 12,
    "trillions": 12,
}
_MONEY_SCALES = {"m", "mm", "b", "t", "k"}
"""Small letters that are a scale beside money only: elsewhere `5 m` are metres."""

_CURRENCIES = {
    "usd": "$ us$ usd dollar dollars us-dollar us-dollars",
    "eur": "€ eur euro euros",
    "gbp": "£ gbp pound pounds sterling",
    "jpy": "¥ jpy yen",
    "inr": "₹ inr rupee rupees rs",
    "cny": "cny rmb yuan cn¥",
    "chf": "chf sfr franken",
    "cad": "cad c$ ca$",
    "aud": "aud a$ au$",
    "nzd": "nzd nz$",
    "hkd": "hkd hk$",
    "brl": "brl r$ reais",
    "mxn": "mxn mx$",
    "krw": "₩ krw won",
    "rub": "₽ rub ruble rubles",
    "try": "₺ try lira",
    "ils": "₪ ils",
    "sek": "sek",
    "nok": "nok",
    "dkk": "dkk",
    "pln": "pln zł",
}
_UNITS = {
    "percent": "% percent pct percentage percents per-cent",
    "percentage point": "pp p.p percentage-point percentage-points %-points",
    "basis point": "bp bps basis-point basis-points",
    "metre": "m meter meters metre metres",
    "kilometre": "km kilometer kilometers kilometre kilometres kms",
    "centimetre": "cm centimeter centimeters centimetre centimetres",
    "millimetre": "mm millimeter millimeters millimetre millimetres",
    "mile": "mi mile miles",
    "foot": "ft foot feet",
    "inch": "in inch inches",
    "kilogram": "kg kgs kilogram kilograms kilo kilos",
    "gram": "g gram grams gramme grammes",
    "milligram": "mg milligram milligrams",
    "tonne": "t tonne tonnes metric-ton metric-tons",
    "pound": "lb lbs pound pounds",
    "ounce": "oz ounce ounces",
    "litre": "l liter liters litre litres",
    "millilitre": "ml milliliter milliliters millilitre millilitres",
    "millisecond": "ms millisecond milliseconds msec",
    "second": "s sec secs second seconds",
    "minute": "min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "day": "d day days",
    "week": "wk week weeks",
    "month": "mo month months",
    "year": "y yr yrs year years",
    "degree celsius": "°c c degrees-celsius celsius degree-celsius",
    "degree fahrenheit": "°f f degrees-fahrenheit fahrenheit degree-fahrenheit",
    "degree": "° degree degrees deg",
    "kilometre per hour": "km/h kph kmh",
    "mile per hour": "mph mi/h",
    "mile per gallon": "mpg",
    "square metre": "m² m^2 sqm square-meters square-metres sq-m",
    "square foot": "ft² ft^2 sqft square-feet sq-ft",
    "kilobyte": "kb kilobytes",
    "megabyte": "mb megabytes",
    "gigabyte": "gb gigabytes",
    "watt": "w watt watts",
    "kilowatt": "kw kilowatts",
    "kilowatt hour": "kwh kilowatt-hours",
    "hertz": "hz hertz",
    "pixel": "px pixel pixels",
}
PERCENT = frozenset(_UNITS["percent"].replace("-", " ").split()) | {"per cent"}
_SIGNS = "US$ CA$ AU$ NZ$ HK$ MX$ CN¥ R$ A$ C$ $ € £ ¥ ₹ ₩ ₽ ₺ ₪"
SYMBOLS = "|".join(map(re.escape, _SIGNS.split()))
"""A pattern of the signs of currencies that stand before an amount, the longer ones first."""


def _index(table: dict[str, str]) -> dict[str, str]:
    return {word.replace("-", " "): name for name, words in table.items() for word in words.split()}


_CURRENCY_OF, _UNIT_OF = _index(_CURRENCIES), _index(_UNITS)


def currency(word: str) -> str | None:
    """The code of a currency's sign, code or name."""
    return _CURRENCY_OF.get(word.casefold().replace("-", " ").strip("() ."))


def is_known_unit(word: str) -> bool:
    """Whether the word is a unit of measure or a currency of our tables."""
    plain = _plain(word)
    return plain in _UNIT_OF or _singular(plain) in _UNIT_OF or currency(plain) is not None


@cache
def same_unit(word: str, unit: str) -> bool:
    """Whether two words say one unit: km, kilometers and Kilometre; never a unit of another size."""
    one, other = _plain(word), _plain(unit)
    if one == other or _singular(one) == _singular(other):
        return True
    if currency(one) and currency(one) == currency(other):
        return True
    return one in _UNIT_OF and _UNIT_OF[one] == _UNIT_OF.get(other)


def may_be_mega(word: str, unit: str) -> bool:
    """Whether two short signs of units differ by a small or capital m, which stand for a thousandth and a million."""
    return len(word) < 4 and {word[:1], unit[:1]} == {"m", "M"} and word.casefold() != "min"


def _plain(word: str) -> str:
    return " ".join(word.casefold().strip("() .-").split()).replace("° ", "°")


def _singular(word: str) -> str:
    """Without the plural of English nouns: countries, boxes, orders."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if re.search(r"(?:ch|sh|x|ss)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


@cache
def unit_scale(unit: str | None) -> tuple[int, str]:
    """The power of ten in a unit, and the unit without it: (6, "USD") of `million USD`; (0, …) where there is none."""
    first, _, rest = (unit or "").strip().partition(" ")
    power = SCALES.get(first.casefold(), 0) if len(first) > 1 else 0
    return (power, rest.strip().removeprefix("of ")) if power else (0, unit or "")


def scale_of(word: str, *, money: bool) -> int | None:
    """The power of ten that a word multiplies by; None for a word that is no scale."""
    bare = word.rstrip(".")
    folded = bare.casefold()
    power = SCALES.get(folded)
    if power is None or money or len(folded) > 2:
        return power
    return None if bare in _MONEY_SCALES - {"k"} or folded in {"t", "mm"} else power
