"""Composes programs over the tables of one group: which source, which family, how deep, from a seed."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

from cellwright.core.hashing import sha256_bytes
from cellwright.proof.compose.draft import Composed, Draft, Impossible
from cellwright.proof.compose.families import FAMILIES, Family
from cellwright.proof.compose.keys import Join, Pair, Stack, joins, shared_keys, shared_labels, stacks
from cellwright.proof.compose.pairing import COMPARED, KEYED, OWN, SIDE_BY_SIDE
from cellwright.proof.compose.profiles import TableProfile
from cellwright.proof.compose.sources import (
    Form,
    Source,
    beside,
    compared,
    counted,
    joined,
    keyed,
    own,
    single,
    stacked,
    stacked_and_joined,
    summed,
)

_MOST_JOINS, _MOST_STACKS, _MOST_PAIRS = 6, 6, 4
_MOST_ALIKE = 3
_TRIES = 6
"""Times in a row that a family may find nothing before it is given up for a source."""
_DEPTHS = (0, 1, 2, 3, 3, 4, 4, 5)
_OFFERED: Mapping[Form, Mapping[str, Family]] = {
    "rows": FAMILIES,
    "beside": SIDE_BY_SIDE,
    "keyed": KEYED,
    "compared": COMPARED,
    "own": OWN,
}


class Sources(NamedTuple):
    """Rows to compose over."""

    alone: list[Source]
    joins: list[Source]
    """Of several tables."""
    own: list[Source]
    """Single tables, to be joined with what their own groups are like."""
    several: list[Source]
    """Tables below or beside each other."""


def sources(profiles: Sequence[TableProfile], alone: Sequence[str], known: Sequence[Sequence[str]] = ()) -> Sources:
    """The rows of single tables (those named in `alone`), of joins, and of tables below or beside each other.

    Tables that stand together in one of `known` are not brought together again.
    """

    def new(*tables: TableProfile) -> bool:
        return not any(all(profile.table.name in names for profile in tables) for names in known)

    found = [join for join in joins(profiles) if new(join.left, join.right)][:_MOST_JOINS]
    below = [stack for stack in stacks(profiles) if new(*stack.tables)]
    rng = random.Random(f"{len(found)} joins, {len(below)} stacks")
    keys, labels = (
        [pair for pair in pairs if new(pair.first, pair.second)]
        for pairs in (shared_keys(profiles), shared_labels(profiles))
    )
    chosen = rng.sample(below, min(_MOST_STACKS, len(below)))
    mine = [profile for profile in _of_many_kinds(profiles) if profile.table.name in alone]
    return Sources(
        [single(profile) for profile in mine],
        _joins(found, below, _some(keys), _some(labels), rng),
        [own(profile) for profile in mine],
        [*(stacked(stack) for stack in chosen), *(beside(stack.tables[0], stack.tables[1]) for stack in chosen)],
    )


def _joins(
    found: Sequence[Join], below: Sequence[Stack], keys: Sequence[Pair], labels: Sequence[Pair], rng: random.Random
) -> list[Source]:
    """Every kind of join, the kinds taking turns: where only some of them are used, they are of many kinds."""
    kinds = [
        [joined(join) for join in found],
        [source for join in found if (source := summed(join, rng)) is not None],
        [source for join in found if (source := counted(join)) is not None],
        [keyed(pair) for pair in keys],
        [compared(pair) for pair in labels],
        [stacked_and_joined(stack, join) for join in found for stack in below[:1] if join.left in stack.tables],
    ]
    return [source for turn in zip_longest(*kinds) for source in turn if source is not None]


def _some(pairs: Sequence[Pair]) -> list[Pair]:
    """Few pairs of tables, rather of many tables than of one."""
    seen: Counter[str] = Counter()
    kept: list[Pair] = []
    for pair in pairs:
        names = (pair.first.table.name, pair.second.table.name)
        if len(kept) < _MOST_PAIRS and max(seen[name] for name in names) < 2:
            kept.append(pair)
            seen.update(names)
    return kept


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
    offered = _OFFERED[source.form]
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


def differing(
    source: Source, seed: int, families: Sequence[str] | None = None, *, drafts: int, enough: int
) -> list[Composed]:
    """The different programs among so many drafts, until there are enough."""
    found: dict[tuple[tuple[str, ...], str], Composed] = {}
    for composed in islice(compose(source, seed, families), drafts):
        found.setdefault((composed.units, composed.expression), composed)
        if len(found) >= enough:
            break
    return list(found.values())
