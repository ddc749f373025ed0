"""Before stage 7: how many tasks each group of tables gives, so that all together have the wanted share of joins.

What a group has for joins is known from its profiles alone. Groups are counted first and planned after, one at a time.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cellwright.pipeline.config import ComposeConfig
from cellwright.pipeline.profile import ProfiledGroup
from cellwright.proof.compose import Source, differing

NAME = "plan"
MORE_OF_SEVERAL = 2
"""Times as much as a table alone may give, that tables together may: they have the columns of each, and are rarer."""
CANDIDATES_PER_TASK, DRAFTS_PER_TASK = 3.5, 12
"""Different programs that are tried for each task, and drafts that are made to find these."""
_OWN_PER_TABLE = 0.5
"""Of what a table alone gives, how much its joins with its own groups give at the most: they are of a few forms."""
_OWN_OF_JOINS = 0.3
"""Share of the joins that are of a table with its own groups, for variety, where there are joins of several tables."""
_ROUNDS = 40


@dataclass(frozen=True)
class Quota:
    """Tasks of one group, by where their rows come from (`proof.compose.composer.Sources`)."""

    joins: int
    own: int
    several: int


@dataclass(frozen=True)
class PlannedGroup:
    """A group of tables with the tasks that it is to give beside those of each table alone."""

    group: ProfiledGroup
    quota: Quota


@dataclass(frozen=True)
class Room:
    """Tasks that there is room for, by where their rows come from."""

    alone: float = 0
    joins: float = 0
    own: float = 0
    several: float = 0

    def __add__(self, other: "Room") -> "Room":
        return Room(
            self.alone + other.alone, self.joins + other.joins, self.own + other.own, self.several + other.several
        )


def plan(groups: Callable[[], Iterable[ProfiledGroup]], config: ComposeConfig) -> Iterator[PlannedGroup]:
    """Each group with its quota. `groups` gives all of them each time that it is called."""
    rooms = [room(group, config) for group in groups()]
    total = sum(rooms, Room())
    wanted = settle(total, config.join_share, config.several_files_share)
    before = Room()
    for group, its_room in zip(groups(), rooms, strict=True):
        after = before + its_room
        yield PlannedGroup(group, Quota(*(_portion(before, after, total, wanted, kind) for kind in _KINDS)))
        before = after


_KINDS = ("joins", "own", "several")


def _portion(before: Room, after: Room, total: Room, wanted: Room, kind: str) -> int:
    """A group's part of what all groups give together: rounded so that the parts add up to the whole."""
    whole, want = getattr(total, kind), getattr(wanted, kind)
    if not whole:
        return 0
    ends = [round(want * getattr(until, kind) / whole) for until in (before, after)]
    return int(ends[1] - ends[0])


def room(group: ProfiledGroup, config: ComposeConfig) -> Room:
    """What one group could give."""
    found, most = group.sources, MORE_OF_SEVERAL * config.tasks_per_table

    def could_give(source: Source) -> float:
        """A join of a handful of rows has few programs; one in so many of them becomes a task."""
        enough = math.ceil(CANDIDATES_PER_TASK * most)
        drafts = differing(source, config.seed, config.families or None, drafts=DRAFTS_PER_TASK * most, enough=enough)
        return min(most, len(drafts) / CANDIDATES_PER_TASK)

    def of(kind: Sequence[Source]) -> float:
        return sum(could_give(source) for source in kind[: config.most_combinations])

    alone = config.tasks_per_table * len(found.alone)
    return Room(alone, of(found.joins), _OWN_PER_TABLE * config.tasks_per_table * len(found.own), of(found.several))


def settle(total: Room, join_share: float, several_share: float) -> Room:
    """How much of each kind gives the wanted shares, or as much of them as there is room for.

    Joins of several tables count for both shares; joins of a table with its own groups fill up what is left of the
    first, tables below or beside each other what is left of the second.
    """
    wanted = Room(total.alone)
    for _ in range(_ROUNDS):
        everything = wanted.alone + wanted.joins + wanted.own + wanted.several
        joins = min(total.joins, (1 - _OWN_OF_JOINS) * join_share * everything)
        own = min(total.own, join_share * everything - joins)
        several = min(total.several, max(0.0, several_share * everything - joins))
        wanted = Room(total.alone, joins, own, several)
    return wanted
