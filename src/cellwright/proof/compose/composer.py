"""Composes programs over the tables of one group: which source, which family, how deep, from a seed."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cellwright.core.hashing import sha256_bytes
from cellwright.proof.compose.draft import Composed, Draft, Impossible, Source, joined, single, stacked
from cellwright.proof.compose.families import FAMILIES
from cellwright.proof.compose.keys import joins, stacks
from cellwright.proof.compose.profiles import TableProfile

_MOST_JOINS, _MOST_STACKS = 6, 6
_TRIES = 6
"""Times in a row that a family may find nothing before it is given up for a source."""
_DEPTHS = (0, 1, 2, 2, 3, 3, 4, 5)


class Sources(NamedTuple):
    """Rows to compose over."""

    alone: list[Source]
    joins: list[Source]
    stacks: list[Source]


def sources(profiles: Sequence[TableProfile], alone: Sequence[str]) -> Sources:
    """The rows of single tables (those named in `alone`), of joins, and of tables one below the other."""
    below = stacks(profiles)
    rng = random.Random(f"stacks {len(below)}")
    return Sources(
        [single(profile) for profile in profiles if profile.table.name in alone],
        [joined(join) for join in joins(profiles)[:_MOST_JOINS]],
        [stacked(stack) for stack in rng.sample(below, min(_MOST_STACKS, len(below)))],
    )


def compose(source: Source, seed: int, families: Sequence[str] | None = None) -> Iterator[Composed]:
    """Programs over one source, without end, the same for the same seed; none twice in a row of families.

    `families` names those to draw from; None means all.
    """
    # A text as seed, and not a hash of Python's own: the same in every process.
    rng = random.Random(sha256_bytes(f"{seed} {source.key}".encode()))
    known = [FAMILIES[name] for name in (FAMILIES if families is None else families)]
    impossible: dict[str, int] = {}
    while True:
        deck = [family for family in known if impossible.get(family.__name__, 0) < _TRIES]
        if not deck:
            return
        rng.shuffle(deck)
        for family in deck:
            draft = Draft(source, rng, rng.choice(_DEPTHS))
            try:
                yield family(draft)
                impossible[family.__name__] = 0
            except Impossible:
                impossible[family.__name__] = impossible.get(family.__name__, 0) + 1
