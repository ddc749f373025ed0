"""Rounding as answers need it: in decimals, exactly, and fair to both ways of rounding a half.

Python, numpy, R and Excel do not agree on 2.345 to two decimals, and sums taken in another order differ in the last
bits. So a value that lies on a half, within that noise, keeps its final 5, and both neighbours are right.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

from cellwright.answers.values import MAX_DIGITS

_EXACT = Context(prec=2 * MAX_DIGITS)
_NOISE = Decimal("1e-12")
"""Relative difference between sums of the same million floats in two orders, generously."""
_NOISE_SHARE = Decimal("1e-3")
"""Noise never counts for more than this share of a rounding step."""
_MOST_PLACES = 300
"""A contract that asks for more decimals asks for what no float has."""


def exact(value: int | float) -> Decimal:
    """The number as it is written: 0.1 is 0.1, not the binary fraction nearest to it."""
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def step(decimals: int) -> Decimal:
    """One unit in the last place: 0.01 for two decimals, 1000 for -3."""
    return Decimal(1).scaleb(-max(-_MOST_PLACES, min(decimals, _MOST_PLACES)))


def noise(number: Decimal, decimals: int) -> Decimal:
    """How far two computations of the same number may lie apart."""
    return min(abs(number) * _NOISE, step(decimals) * _NOISE_SHARE)


def neighbours(number: Decimal, decimals: int) -> tuple[Decimal, ...]:
    """What the number may be rounded to: one value, or two when it lies on a half."""
    low, high = (number.quantize(step(decimals), way, _EXACT) for way in (ROUND_FLOOR, ROUND_CEILING))
    if low != high and abs(_EXACT.subtract(number, _middle(low, high))) <= noise(number, decimals):
        return (low, high)
    return (number.quantize(step(decimals), ROUND_HALF_EVEN, _EXACT),)


def _middle(low: Decimal, high: Decimal) -> Decimal:
    return _EXACT.divide(_EXACT.add(low, high), Decimal(2))


def rounded(number: Decimal, decimals: int) -> Decimal:
    """The number rounded, a half to the even neighbour as numpy and pandas do; never minus zero."""
    return _EXACT.plus(settled(number, decimals).quantize(step(decimals), ROUND_HALF_EVEN, _EXACT))


def settled(number: Decimal, decimals: int) -> Decimal:
    """The number as it is stored: rounded, except that a half keeps its final 5."""
    found = neighbours(number, decimals)
    return _EXACT.plus(_middle(found[0], found[-1]))


def agree(first: Decimal, second: Decimal, decimals: int) -> bool:
    """Whether both round to the same value; two different halves do not, though they share a neighbour."""
    one, other = neighbours(first, decimals), neighbours(second, decimals)
    if len(one) == len(other) == 2:
        return one == other
    return not set(one).isdisjoint(other)


def places(number: Decimal) -> int:
    """Decimals that the number shows; trailing zeros do not count."""
    exponent = number.normalize(_EXACT).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
