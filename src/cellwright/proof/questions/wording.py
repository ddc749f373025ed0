"""Words for values, names and lists."""

import math
import re
from collections.abc import Sequence

_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"")


def name(column: object) -> str:
    """A column's or file's name, set off from the sentence."""
    return f"`{column}`"


def value(constant: object) -> str:
    """A constant as a person would write it."""
    if isinstance(constant, bool):
        return str(constant)
    if isinstance(constant, str):
        return f'"{constant}"'
    if constant is None:
        return "missing"
    if constant in (math.inf, -math.inf):
        return "infinity" if constant == math.inf else "minus infinity"
    if isinstance(constant, float) and constant.is_integer() and abs(constant) < 1e15:
        return str(int(constant))
    return str(constant)


def listing(items: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def conditions(clauses: Sequence[str]) -> str:
    """Several conditions that all hold; one whose end could be taken for further on is set in parentheses."""
    if len(clauses) == 1:
        return clauses[0]
    return " and ".join(clause(one, " or ") for one in clauses)


_REACHES_ON = ("it is not true that ", " between ", ", ignoring case")


def clause(words: str, *others: str) -> str:
    """A condition inside a larger one: in parentheses where it has one of the `others`, or would reach on over what
    follows it."""
    bare = _QUOTED.sub("", words)
    return f"({words})" if any(part in bare for part in (*others, *_REACHES_ON)) else words


def places(decimals: int) -> str:
    """What is rounded to: "2 decimals"."""
    return f"{decimals} decimal{'s' if decimals > 1 else ''}" if decimals else "a whole number"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th …"""
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def capital(sentence: str) -> str:
    """The sentence with its first letter capital."""
    return sentence[:1].upper() + sentence[1:]
