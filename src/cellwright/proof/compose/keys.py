"""What tables have to do with each other: columns that join them, and equal columns that let them stack."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from cellwright.proof.compose.columns import is_label
from cellwright.proof.compose.profiles import ColumnProfile, TableProfile

SKETCH = 64
"""Hashes that a sketch holds at the most."""
_LEAST_OVERLAP = 0.5
_LEAST_OVERLAP_OF_OTHER_NAMES = 0.7
_LEAST_DISTINCT = 5
_LEAST_DISTINCT_OF_OTHER_NAMES = 8
_MOST_SHARED = 4
_LEAST_OF_A_KEY = 20
_LEAST_LABELS, _MOST_LABELS = 4, 40
_GOOD_NUMBER_OF_LABELS = 12
_LEAST_ROWS_OF_A_LABEL = 3
# Names that number rows: equal values in two tables say nothing.
_ROW_NUMBER = re.compile(r"(?i)unnamed.*|index|id|_id|no\.?|nr\.?|row|row[ _]?(id|number)|number|#|rank|pos|position")
_KEY_KINDS = {"id", "code", "category", "name", "text", "date"}


@dataclass(frozen=True)
class Join:
    """Two tables that a column joins: every row of `left` meets at most one row of `right`."""

    left: TableProfile
    right: TableProfile
    key: str
    """Name of the left column."""
    right_key: str
    """Name of the right column; the left one is renamed to it where it differs."""
    overlap: float
    """Estimated share of the left column's distinct values that the right one has."""

    @property
    def shared(self) -> tuple[str, ...]:
        """Names that both tables have beside the key: which one is meant could not be told after the join."""
        others = (name for name in self.left.names if name in self.right.names)
        return tuple(name for name in others if name not in (self.key, self.right_key))


@dataclass(frozen=True)
class Pair:
    """Two tables that have a column in common, by its name and by its values."""

    first: TableProfile
    second: TableProfile
    column: str
    overlap: float
    """Estimated share of the first column's distinct values that the second has."""


@dataclass(frozen=True)
class Stack:
    """Tables with the same columns, such as one file per year."""

    tables: tuple[TableProfile, ...]


def joins(profiles: Sequence[TableProfile]) -> list[Join]:
    """The surest join of each two tables that the names and values of their columns speak for, the surest first."""
    found: list[Join] = []
    for left, right in permutations(profiles, 2):
        if left.names == right.names:
            continue
        pairs = [(mine, other) for mine in left.columns for other in right.columns]
        candidates = [join for mine, other in pairs if (join := _join(left, right, mine, other)) is not None]
        fitting = [join for join in candidates if len(join.shared) <= _MOST_SHARED]
        if fitting:
            found.append(max(fitting, key=lambda join: (join.key == join.right_key, join.overlap, join.key)))
    return sorted(found, key=lambda join: (-join.overlap, join.left.table.name, join.right.table.name))


def _join(left: TableProfile, right: TableProfile, mine: ColumnProfile, other: ColumnProfile) -> Join | None:
    """The join on these two columns; None where their names or values do not speak for it."""
    if any(_ROW_NUMBER.fullmatch(column.name) or column.kind not in _KEY_KINDS for column in (mine, other)):
        return None
    if other.distinct != right.rows or other.missing or mine.distinct < _LEAST_DISTINCT or mine.dirty:
        return None
    if _is_text(mine) != _is_text(other) or (mine.name != other.name and not _surely_same(mine, other)):
        return None
    if mine.name != other.name and (other.name in left.names or mine.name in right.names):
        return None
    overlap = contained(mine.sketch, other.sketch)
    least = _LEAST_OVERLAP if mine.name == other.name else _LEAST_OVERLAP_OF_OTHER_NAMES
    return Join(left, right, mine.name, other.name, overlap) if overlap >= least else None


def shared_keys(profiles: Sequence[TableProfile]) -> list[Pair]:
    """For each two tables the column of one name that tells the rows of at least one of them apart, and whose values
    meet, the surest first. Keys may repeat on the other side, and not all of them need be there."""

    def fits(mine: ColumnProfile, other: ColumnProfile) -> bool:
        kinds = all(c.kind in ("id", "name", "text", "date") and c.distinct >= _LEAST_OF_A_KEY for c in (mine, other))
        return kinds and (_tells_apart(mine) or _tells_apart(other))

    return _pairs(profiles, fits, 0.05)


def _tells_apart(column: ColumnProfile) -> bool:
    return column.kind in ("id", "name") or (column.span is not None and column.span.unique)


def shared_labels(profiles: Sequence[TableProfile]) -> list[Pair]:
    """For each two tables the column of one name by whose labels both can be grouped."""

    def fits(mine: ColumnProfile, other: ColumnProfile) -> bool:
        return all(
            is_label(c) and _LEAST_LABELS <= c.distinct <= _MOST_LABELS and c.least >= _LEAST_ROWS_OF_A_LABEL
            for c in (mine, other)
        )

    # As many labels as show something and can still be told apart.
    return _pairs(profiles, fits, 0.5, lambda pair: -abs(_labels(pair) - _GOOD_NUMBER_OF_LABELS))


def _labels(pair: Pair) -> int:
    column = pair.first.column(pair.column)
    return column.distinct if column is not None else 0


def _pairs(
    profiles: Sequence[TableProfile],
    fits: Callable[[ColumnProfile, ColumnProfile], bool],
    least: float,
    worth: Callable[[Pair], float] = lambda pair: 0,
) -> list[Pair]:
    """For each two tables the pair of columns that meet best, of equals the one that is worth most."""
    found: list[Pair] = []
    for first, second in permutations(profiles, 2):
        candidates = [
            Pair(first, second, mine.name, overlap)
            for mine in first.columns
            if (other := second.column(mine.name)) is not None and fits(mine, other)
            if _is_text(mine) == _is_text(other)
            if not (_ROW_NUMBER.fullmatch(mine.name) or mine.dirty or other.dirty)
            if (overlap := _overlap(mine, other)) >= least
        ]
        if candidates:
            found.append(max(candidates, key=lambda pair: (pair.overlap, worth(pair), pair.column)))
    return sorted(found, key=lambda pair: (-pair.overlap, pair.first.table.name, pair.second.table.name))


def _overlap(mine: ColumnProfile, other: ColumnProfile) -> float:
    """Estimated share of the first column's values that the second has: by sketches, or else by labels."""
    if mine.sketch and other.sketch:
        return contained(mine.sketch, other.sketch)
    labels, others = ({label for label, _ in column.values} for column in (mine, other))
    return len(labels & others) / len(labels) if labels else 0.0


def _surely_same(mine: ColumnProfile, other: ColumnProfile) -> bool:
    """Whether columns of different names may be a key: numbers overlap by chance, short codes and names do not."""
    return _is_text(mine) and mine.distinct >= _LEAST_DISTINCT_OF_OTHER_NAMES and mine.kind != "date"


def _is_text(column: ColumnProfile) -> bool:
    return column.kind in ("category", "name", "text", "date")


def contained(first: Sequence[int], second: Sequence[int]) -> float:
    """Estimated share of the first column's distinct values that the second has, from the smallest hashes of both."""
    if not first or not second:
        return 0.0
    # Of a column with more values than a sketch holds, only those up to the largest hash in it are known.
    limit = min([max(sketch) for sketch in (first, second) if len(sketch) >= SKETCH], default=float("inf"))
    mine = {value for value in first if value <= limit}
    return len(mine & set(second)) / len(mine) if mine else 0.0


def stacks(profiles: Sequence[TableProfile]) -> list[Stack]:
    """Groups of tables with the same columns, the largest first; and pairs of them."""
    families: dict[tuple[str, ...], list[TableProfile]] = {}
    for profile in profiles:
        families.setdefault(profile.names, []).append(profile)
    alike = [members for members in families.values() if len(members) > 1 and _same_kinds(members)]
    return [Stack(tuple(pair)) for members in alike for pair in combinations(members, 2)] + [
        Stack(tuple(trio)) for members in alike for trio in combinations(members[:6], 3)
    ]


def _same_kinds(members: Sequence[TableProfile]) -> bool:
    """Whether columns of one name hold the same kind of value in most tables."""
    first = members[0]
    for other in members[1:]:
        pairs = [(column, other.column(column.name)) for column in first.columns]
        alike = sum(match is not None and match.kind == column.kind for column, match in pairs)
        if alike < 0.6 * len(pairs):
            return False
    return True
