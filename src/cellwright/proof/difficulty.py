"""How hard a task is: from what its oracle did to its tables when it ran, not from anybody's opinion.

The operations are those that `inside.operations` saw: each place in the program that did something counts once. A step
that needs a second table, a test or a model weighs three; one that changes what a row is (groups, windows, bins, other
shapes), or takes a branch, weighs two; any other weighs one. Loading and joining conditions weigh nothing; each file
beyond the first weighs one more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """One thing that a program can do to a table."""

    weight: int
    words: str
    """As an instruction."""


OPERATIONS: Mapping[str, Operation] = {
    "load": Operation(0, "load the file"),
    "join": Operation(3, "join the tables"),
    "stack": Operation(2, "put tables one below the other"),
    "group": Operation(2, "group the rows"),
    "reshape": Operation(2, "change rows to columns, or columns to rows"),
    "resample": Operation(2, "put the rows into equal spans of time"),
    "window": Operation(2, "compare each row with those before it"),
    "bin": Operation(2, "put numbers into classes"),
    "filter": Operation(1, "keep some rows"),
    "compare": Operation(1, "state a condition"),
    "sort": Operation(1, "sort"),
    "extreme": Operation(1, "find where the highest or lowest value is"),
    "aggregate": Operation(1, "take a statistic"),
    "derive": Operation(1, "work out a new column"),
    "change": Operation(1, "change values"),
    "text": Operation(1, "look into texts"),
    "date": Operation(1, "read dates or their parts"),
    "arithmetic": Operation(1, "calculate"),
    "branch": Operation(2, "treat cases differently"),
    "loop": Operation(1, "go through items one by one"),
    "test": Operation(3, "measure how columns go together, or test a difference"),
    "model": Operation(3, "fit or use a model"),
}
THRESHOLDS = (4, 6, 9, 12)
"""Weights from which a task is of level 2, 3, 4 and 5. A statistic of the rows that meet a condition weighs 3, level 1;
one per group of such rows 5, level 2; with a worked-out column and an extreme 8, level 3; under one more condition 10,
level 4; over a join of two files 12, level 5."""


def weight(operations: Sequence[str], files: int) -> int:
    """The sum over all operations, and over the files beyond the first."""
    known = (OPERATIONS[name].weight for name in operations if name in OPERATIONS)
    return sum(known) + max(0, files - 1)


def level(operations: Sequence[str], files: int) -> int:
    """1 to 5."""
    found = weight(operations, files)
    return 1 + sum(found >= threshold for threshold in THRESHOLDS)
