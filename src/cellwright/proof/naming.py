"""What a column's name says of its numbers: whether they measure something, of which kind, and in which unit.

A name is read by its words: `SalePrice`, `sale_price` and `Sale price (USD)` have the same. Numbers can be anything,
so what a name does not say stays allowed: only a name that says "no" is one.
"""

import re
from collections.abc import Iterable

_UNIT_IN_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]\s*$")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
# fmt: off
_GIVEN_BY_PEOPLE = frozenset((
    "id", "ids", "code", "codes", "zip", "phone", "telephone", "index", "idx", "key", "no", "nr", "num", "number",
    "numbers", "postal", "postcode", "plz", "ssn", "fips", "isbn", "ean", "upc", "sku", "barcode", "ward",
    "precinct", "flight", "serial", "vin", "group", "grp", "cluster", "category", "type", "page", "iban",
))
_OF_TIME_AND_PLACE = frozenset((
    "year", "yr", "quarter", "month", "mo", "week", "weekday", "day", "dy", "hour", "hr", "minute", "date", "time",
    "timestamp", "lat", "latitude", "lon", "lng", "long", "longitude", "birthyear", "dir", "direction", "bearing",
    "azimuth",
))
_ENDS_IN_ID = frozenset((
    "acid", "paid", "humid", "liquid", "solid", "rapid", "valid", "void", "grid", "bid", "kid", "mid", "aid",
    "raid", "hybrid", "fluid", "rigid",
))
_COUNTED = (
    "quality", "score", "rating", "count", "size", "age", "hours", "tenure", "quantity", "qty", "children",
    "visits", "points", "goals",
)
_MONEY = (
    "price", "cost", "salary", "income", "revenue", "fare", "charge", "charges", "amount", "fee", "sales", "wage",
    "budget", "spend", "spending", "bill", "tip", "gdp",
)
_ADDED_UP = (
    "sales", "amount", "total", "count", "cnt", "quantity", "qty", "revenue", "profit", "births", "deaths", "cases",
    "volume", "goals", "registered", "casual", "visits", "passengers", "servings", "budget", "income", "rooms",
    "bedrooms", "households", "crimes",
)
_NOT_ENDINGS = {
    "charge": ("discharge", "recharge"),
    "age": ("stage", "village", "mileage", "average", "page", "usage", "percentage", "wage", "voltage", "image"),
    "count": ("discount", "account"),
}
_NOT_ADDED_UP = frozenset((
    "median", "mean", "avg", "average", "rate", "pct", "percent", "percentage", "ratio", "share", "per", "cum",
    "cumulative", "max", "min", "std", "index", "score",
))
_COUNTED_ON = frozenset((
    "cases", "deaths", "vaccinations", "tests", "recovered", "confirmed",
))
_UNIT_COLUMN = frozenset((
    "unit", "units", "uom", "currency", "indicator", "metric", "measure", "variable", "parameter", "attribute",
    "series", "element", "scale",
))
_ABOUT_ONE = frozenset((
    "name", "code", "id", "label", "symbol", "type", "short",
))
_VALUE = frozenset((
    "value", "values", "val", "obs", "amount", "number", "data", "measurement",
))
# fmt: on
_UNITS = {
    unit: kind
    for kind, units in {
        "mass": "kg g mg mcg ug lb lbs oz kilograms grams pounds tonnes",
        "temperature": "c f celsius fahrenheit kelvin degc degf",
        "length": "km m cm mm mi mile miles ft feet inch inches meters metres",
        "area": "m2 sqm sqft ha acres km2 hectares",
        "money": "usd eur gbp jpy chf cny inr cad aud dollars euros",
        "speed": "mph kmh kph kts knots ms",
        "time": "s sec secs seconds mins minutes hours hrs days weeks months years",
        "energy": "wh kwh mwh gwh joules kcal",
        "pressure": "hpa mbar psi kpa pa bar",
        "angle": "deg degrees dir direction bearing angle azimuth",
    }.items()
    for unit in units.split()
}


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in lower case, a unit in brackets left out."""
    return tuple(word.lower() for word in _WORD.findall(_UNIT_IN_BRACKETS.sub("", name)))


def is_measured(name: str) -> bool:
    """Whether numbers could measure something: they are no names in digits, and no parts of dates and places."""
    words = words_of(name)
    while words and words[-1].isdigit():
        words = words[:-1]
    if not words or words[0] in ("year", "yr", "unnamed"):
        return False
    last = words[-1]
    fused = last.endswith(("code", "number", "phone")) or (last.endswith("id") and last not in _ENDS_IN_ID)
    return not (last in _GIVEN_BY_PEOPLE or last in _OF_TIME_AND_PLACE or fused)


def is_counted(name: str) -> bool:
    """Whether few whole numbers are scores or counts, whose mean says something, and no codes."""
    return _ends_in(name, _COUNTED)


def is_money(name: str) -> bool:
    """Whether numbers are sums of money."""
    return _ends_in(name, _MONEY)


def is_added_up(name: str) -> bool:
    """Whether a sum of the numbers is one of what they count: not of rates, of means, nor of what is a sum already."""
    words = frozenset(words_of(name))
    running = "total" in words and bool(words & _COUNTED_ON)
    return _ends_in(name, _ADDED_UP) and not running and not words & _NOT_ADDED_UP


def _ends_in(name: str, endings: Iterable[str]) -> bool:
    last = (words_of(name) or ("",))[-1]
    return any(last.endswith(end) and not last.endswith(_NOT_ENDINGS.get(end, ())) for end in endings)


def unit_of(name: str) -> str:
    """The unit that a name ends in; empty where it names none."""
    bracketed = _UNIT_IN_BRACKETS.search(name)
    if bracketed is not None:
        return re.sub(r"[\W_]", "", bracketed[1]).lower()
    words = words_of(name)
    joined = "".join(words[-2:])
    if len(words) > 2 and joined in _UNITS:
        return joined
    known = (word for word in reversed(words[1:]) if word in _UNITS)
    return next(known, "")


def differ_in_unit(first: str, second: str) -> bool:
    """Whether two names tell of different units."""
    units = unit_of(first), unit_of(second)
    return all(units) and units[0] != units[1]


def names_units(name: str) -> bool:
    """Whether a column's name says that it holds the unit, or the kind, of other columns' values."""
    words = words_of(name)
    return bool(words) and (words[-1] in _UNIT_COLUMN or (words[0] in _UNIT_COLUMN and words[-1] in _ABOUT_ONE))


def are_units(labels: Iterable[object]) -> bool:
    """Whether labels are units of one kind: kilograms and pounds, euros and dollars."""
    texts = {str(label).strip().lower().lstrip("°") for label in labels}
    if texts in ({"c", "f"}, {"c", "f", "k"}):
        return True
    kinds = {_UNITS.get(text, "") for text in texts if len(text) > 1 or text == "g"}
    return len(texts) > 1 and len(kinds) == 1 and "" not in kinds and all(len(t) > 1 or t == "g" for t in texts)


def is_of_any_unit(name: str, unit_columns: Iterable[str]) -> bool:
    """Whether the numbers of a column are in the units that another column names: all are, unless one is about others,
    as `dose_unit` is about `dose`, or the column names its own."""
    words = set(words_of(name))
    if unit_of(name):
        return False
    about = [set(words_of(column)) - _UNIT_COLUMN - _ABOUT_ONE for column in unit_columns]
    return any(not own or own & words or words & _VALUE for own in about)
