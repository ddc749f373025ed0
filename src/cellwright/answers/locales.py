"""What a language tag says about numbers and dates: which sign is the decimal one, and whether the day comes first.

From the Unicode CLDR (https://cldr.unicode.org), the languages with the most readers. A language that is not here
writes numbers as English does, and its dates in figures stay ambiguous.
"""

from functools import cache

_COMMA_LANGUAGES = (
    "af az bg bs ca cs da de el es et eu fi fr gl hr hu hy id is it ka kk lt lv mk nb nl nn no pl pt ro ru sk sl sq sr "
    "sv tr uk uz vi"
)
_DECIMAL_COMMA = frozenset(_COMMA_LANGUAGES.split())
_DECIMAL_POINT = frozenset({"de-ch", "de-li", "es-mx", "es-us", "es-pr", "es-gt", "es-hn", "es-ni", "es-pa", "es-pe"})
"""Regions that write a point where their language elsewhere writes a comma."""
_MONTH_FIRST = frozenset({"en-us", "en-ph", "en-pr"})
_DAY_FIRST = frozenset({"en-gb", "en-ie", "en-au", "en-nz", "en-in", "en-sg", "hi", "th", "ar", "he"})
_YEAR_FIRST = frozenset({"hu", "lt", "sv", "zh", "ja", "ko", "eu"})


def _tag(locale: str) -> str:
    return locale.strip().replace("_", "-").casefold()


@cache
def decimal_comma(locale: str) -> bool:
    """Whether 1.234,5 is a number, and 1,234.5 is none."""
    tag = _tag(locale)
    return tag.partition("-")[0] in _DECIMAL_COMMA and tag not in _DECIMAL_POINT


def day_first(locale: str) -> bool | None:
    """Whether 03/04/2020 is in April; None where the language does not tell, as plain English."""
    tag = _tag(locale)
    language = tag.partition("-")[0]
    if tag in _MONTH_FIRST:
        return False
    if tag in _DAY_FIRST or language in _DAY_FIRST:
        return True
    return True if language in _DECIMAL_COMMA - _YEAR_FIRST else None
