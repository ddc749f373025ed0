"""Composes programs over the tables of one group: which source, which family, how deep, from a seed."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cellwright.core.hashing import sha256_bytes
from cellwright.proof.compose.draft import Composed, Draft, Impossible, Source, beside, joined, single, stacked, summed
from cellwright.proof.compose.families import FAMILIES, KEYED, SIDE_BY_SIDE
from cellwright.proof.compose.keys import joins, stacks
from cellwright.proof.compose.profiles import TableProfile

_MOST_JOINS, _MOST_STACKS = 6, 6
_MOST_ALIKE = 3
_TRIES = 6
"""Times in a row that a family may find nothing before it is given up for a source."""
_DEPTHS = (0, 1, 2, 3, 3, 4, 4, 5)


class Sources(NamedTuple):
    """Rows to compose over."""

    alone: list[Source]
    joins: list[Source]
    several: list[Source]


def sources(profiles: Sequence[TableProfile], alone: Sequence[str]) -> Sources:
    """The rows of single tables (those named in `alone`), of joins, and of tables below or beside each other."""
    found = joins(profiles)[:_MOST_JOINS]
    below = stacks(profiles)
    rng = random.Random(f"{len(found)} joins, {len(below)} stacks")
    chosen = rng.sample(below, min(_MOST_STACKS, len(below)))
    sums = [source for join in found if (source := summed(join, rng)) is not None]
    keyed = [beside(j.left, j.right, j.key) for j in found if j.key == j.right_key and j.overlap < 1]
    pairs = [beside(stack.tables[0], stack.tables[1]) for stack in chosen]
    return Sources(
        [single(profile) for profile in _of_many_kinds(profiles) if profile.table.name in alone],
        [*(joined(join) for join in found), *sums],
        [*(stacked(stack) for stack in chosen), *pairs, *keyed],
    )


def _of_many_kinds(profiles: Sequence[TableProfile]) -> list[TableProfile]:
    """The tables, few of those with the same columns: twelve files of one kind give the same questions twelve times."""
    seen: Counter[tuple[str, ...]] = Counter()
    kept: list[TableProfile] = []
    for profile in profiles:
        seen[profile.names] += 1
        if seen[profile.names] <= _MOST_ALIKE:
            kept.append(profile)
    return kept


def compose(source: Source, seed: int, families: Sequence[str] | None = None) -> Iterator[Composed]:
    """Programs over one source, without end, the same for the same seed; none twice in a row of families.

    `families` names those to draw from; None means all.
    """
    # A text as seed, and not a hash of Python's own: the same in every process.
    rng = random.Random(sha256_bytes(f"{seed} {source.key}".encode()))
    offered = FAMILIES if not source.other else KEYED if source.shared else SIDE_BY_SIDE
    known = [family for name, family in offered.items() if families is None or name in families]
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
