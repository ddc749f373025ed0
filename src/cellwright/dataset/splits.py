"""Splits by table: tasks that share a table, directly or through others, are on one side."""

import hashlib
from collections.abc import Iterable, Mapping

from cellwright.core.types import Split


class TableGroups:
    """Tables joined by the tasks that read them together (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def add(self, tables: Iterable[str]) -> None:
        """These tables are read by one task: they belong together."""
        first = ""
        for table in tables:
            self._parent.setdefault(table, table)
            first = first or table
            smaller, larger = sorted((self.group(first), self.group(table)))
            self._parent[larger] = smaller

    def group(self, table: str) -> str:
        """The name of the group that a table is in: the smallest of its tables', in whichever order they came."""
        while self._parent[table] != table:
            self._parent[table] = self._parent[self._parent[table]]
            table = self._parent[table]
        return table


def assign_splits(weights: Mapping[str, int], test_share: float, validation_share: float) -> dict[str, Split]:
    """A split for each group of tables, `weights` telling how many tasks it has.

    Groups come in an order that depends on their own hash only; test and validation are filled up to their share of
    tasks, a group that would overfill a side by half or more goes on to the next. Small sets may leave a side empty.
    """
    total = sum(weights.values())
    room: dict[Split, float] = {"test": test_share * total, "validation": validation_share * total}
    splits: dict[str, Split] = {}
    for group in sorted(weights, key=lambda name: hashlib.sha256(name.encode()).digest()):
        splits[group] = "train"
        for side, left in room.items():
            if left >= weights[group] / 2:
                room[side] -= weights[group]
                splits[group] = side
                break
    return splits
