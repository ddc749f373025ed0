"""The smallest part of a list that still passes a test: delta debugging, after
Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002.

What is left is 1-minimal: without any one of its items the test fails. There may be a smaller part elsewhere.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Test = Callable[[Sequence[Item]], Awaitable[bool]]
_LONG = 8
"""Items from which on whole stretches are tried before single ones."""


class Spent(Exception):
    """Raised by a test that may not be tried any more."""


@dataclass(frozen=True)
class Minimised(Generic[Item]):
    """What is left."""

    kept: tuple[Item, ...]
    is_minimal: bool
    """Whether each item was shown to be needed by what is left; False when the tries were spent before."""


async def minimise(
    items: Sequence[Item],
    passes: Test[Item],
    able: Callable[[Sequence[Item]], Sequence[Item]] = list,
    *,
    in_stretches: bool = True,
) -> Minimised[Item]:
    """Leave out what can go from `items`, which pass. Late items are tried first: their tests have more in common.

    `able` gives those of some items that can work without the others; the rest goes with what it depends on.
    `in_stretches`: whether many items are first tried many at a time.
    """
    kept = list(items)
    try:
        size = len(kept) // 2
        while in_stretches and size > 1 and len(items) > _LONG:
            for start in reversed(range(0, len(kept), size)):
                candidate = list(able([*kept[:start], *kept[start + size :]]))
                if len(candidate) < len(kept) and await passes(candidate):
                    kept = candidate
            size //= 2
        kept = await _one_by_one(kept, passes, able)
    except Spent:
        return Minimised(tuple(kept), False)
    return Minimised(tuple(kept), True)


async def _one_by_one(
    kept: list[Item], passes: Test[Item], able: Callable[[Sequence[Item]], Sequence[Item]]
) -> list[Item]:
    """Until every item has been tried since the last that went: what was needed before may not be needed after."""
    place, needed = len(kept) - 1, 0
    while needed < len(kept):
        candidate = list(able([*kept[:place], *kept[place + 1 :]]))
        if await passes(candidate):
            kept, needed = candidate, 0
            place = min(place, len(kept))
        else:
            needed += 1
        place = (place or len(kept)) - 1
    return kept


async def missing(known: Sequence[Item], others: Sequence[Item], passes: Test[Item]) -> list[Item] | None:
    """Which of `others` the `known` items lack, found by halving: few tests where few are missing.

    `passes` is asked of the known items with some of the others. None when even all of them do not pass.
    """
    found: list[Item] = []
    rest = list(others)
    while not await passes([*known, *found]):
        if not rest or not await passes([*known, *found, *rest]):
            return None
        low, high = 0, len(rest)  # it passes with rest[low:], and not with rest[high:]
        while high - low > 1:
            middle = (low + high) // 2
            if await passes([*known, *found, *rest[middle:]]):
                low = middle
            else:
                high = middle
        found.append(rest[low])
        rest = rest[low + 1 :]
    return found
