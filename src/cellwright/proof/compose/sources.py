"""Where the rows of a program come from: one table, a join, several tables, or two tables that stay apart."""

import builtins
import keyword
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cellwright.core.types import Table
from cellwright.proof.compose.columns import is_number
from cellwright.proof.compose.keys import Join, Pair, Stack
from cellwright.proof.compose.profiles import ColumnProfile, TableProfile

Form = Literal["rows", "beside", "keyed", "compared", "own"]
"""What programs can do with a source: anything that can be done with rows; set two files of the same columns against
each other; keep rows by what another table holds; compare two tables group by group; compare rows with their group."""

# Python's names, and those that programs give to what they work out.
_TAKEN_NAMES = {*keyword.kwlist, *dir(builtins), "pd", "np", "stats", "rows", "data"}
_TAKEN_NAMES |= {"top", "chosen", "best", "bound", "counts", "frequent", "together", "series", "long", "table"}
_TAKEN_NAMES |= {"per_key", "per_group", "first", "second", "both"}


@dataclass(frozen=True)
class Source:
    """Rows to compose over, and what brings them together."""

    name: str
    """Variable that holds them."""
    tables: tuple[TableProfile, ...]
    columns: tuple[ColumnProfile, ...]
    rows: float
    """Estimated."""
    cells: tuple[tuple[str, ...], ...]
    joined: bool = False
    """Whether the rows are those of a join."""
    repeated: frozenset[str] = frozenset()
    """Columns whose values a join has repeated: their mean would count some of them more than once."""
    form: Form = "rows"
    other: str = ""
    """Variable of a second table that stands beside the first."""
    shared: str = ""
    """Column that both tables have: a key, or labels."""

    @property
    def key(self) -> str:
        """Tells sources apart, the same in every build."""
        hashes = "+".join(profile.table.sha256 for profile in self.tables)
        return f"{hashes}|{self.form}|{self.shared}|{self.cells[-1][-1]}"

    @property
    def opposite(self) -> "Source":
        """The second table alone, for conditions on it."""
        second = self.tables[1]
        return Source(self.other, (second,), second.columns, second.rows, self.cells)


def variable(table: Table, taken: Iterable[str] = ()) -> str:
    """A name for a table's rows, from its file's name."""
    stem = table.name.rpartition("/")[2].partition(".")[0]
    name = re.sub(r"\W+", "_", stem).strip("_").lower()
    short = "_".join(part for part in name.split("_") if not part.isdigit())[:24].strip("_")
    if not short.isidentifier() or short in _TAKEN_NAMES:
        short = "rows_of_file"
    while short in taken:
        short += "_2"
    return short


def single(profile: TableProfile) -> Source:
    """The rows of one table."""
    name = variable(profile.table)
    return Source(name, (profile,), profile.columns, profile.rows, ((f"{name} = {profile.load}",),))


def own(profile: TableProfile) -> Source:
    """The rows of one table, to be joined with what its own groups are like."""
    return replace(single(profile), form="own")


# --- joins ------------------------------------------------------------------------------------------------


def joined(join: Join) -> Source:
    """The rows of the left table, each with its row of the right one."""
    left, right, loads = _two(join.left, join.right)
    both = f"{left}_{right}"[:30].strip("_")
    lead, merge = _merging(join, left, right)
    mine = join.left.column(join.key)
    one_to_one = mine is not None and mine.distinct == join.left.rows
    repeated = frozenset(() if one_to_one else join.right.names)
    rows = join.left.rows * join.overlap
    cells = (loads, (*lead, f"{both} = {merge}"))
    return Source(both, (join.left, join.right), _of_both(join), rows, cells, joined=True, repeated=repeated)


def stacked_and_joined(stack: Stack, join: Join) -> Source:
    """The rows of several tables one below the other, each with its row of a further one."""
    below = stacked(stack)
    right = variable(join.right.table, [below.name, *(variable(profile.table) for profile in stack.tables)])
    loads = (*below.cells[0], f"{right} = {join.right.load}")
    lead, merge = _merging(join, below.name, right)
    kept = {column.name for column in below.columns} | set(join.right.names)
    columns = tuple(column for column in _of_both(join) if column.name in kept)
    rows = below.rows * join.overlap
    cells = (loads, *below.cells[1:], (*lead, f"{below.name} = {merge}"))
    tables = (*stack.tables, join.right)
    return Source(below.name, tables, columns, rows, cells, joined=True, repeated=frozenset(join.right.names))


def _merging(join: Join, left: str, right: str) -> tuple[list[str], str]:
    """Statements that make the names of the columns fit, and the expression of the join."""
    lead: list[str] = []
    if join.shared:
        lead.append(f"{left} = {left}.drop(columns={list(join.shared)!r})")
    if join.key != join.right_key:
        lead.append(f"{left} = {left}.rename(columns={{{join.key!r}: {join.right_key!r}}})")
    return lead, f"{left}.merge({right}, on={join.right_key!r}, how='inner')"


def _of_both(join: Join) -> tuple[ColumnProfile, ...]:
    unclear = {*join.shared, join.key, join.right_key}
    return tuple(c for p in (join.left, join.right) for c in p.columns if c.name not in unclear)


def summed(join: Join, rng: random.Random) -> Source | None:
    """The rows of the right table, each with a statistic of the rows of the left one that belong to it."""
    mine = join.left.column(join.key)
    numbers = [c for c in join.left.columns if is_number(c) and c.name not in join.right.names and c.name != join.key]
    if mine is None or mine.distinct > join.left.rows / 2 or join.key != join.right_key or not numbers:
        return None
    value, statistic = rng.choice(numbers), rng.choice(("mean", "max", "min", "median"))
    left, right, loads = _two(join.left, join.right)
    per = f"per_key = {left}.groupby({join.key!r}, as_index=False)[{value.name!r}].{statistic}()"
    both = f"{right} = {right}.merge(per_key, on={join.key!r}, how='inner')"
    found = ColumnProfile(value.name, "number", 0, max(10, mine.distinct), low=value.low, high=value.high)
    columns = (*(c for c in join.right.columns if c.name != join.key), found)
    rows = min(join.right.rows, mine.distinct)
    return Source(right, (join.right, join.left), columns, rows, (loads, (per, both)), joined=True)


def counted(join: Join) -> Source | None:
    """The rows of the right table, each with how many rows of the left one belong to it, also where there are none."""
    mine = join.left.column(join.key)
    name = f"{variable(join.left.table)}_rows"
    if mine is None or mine.distinct > join.left.rows / 2 or join.key != join.right_key or name in join.right.names:
        return None
    if mine.distinct * join.overlap < join.right.rows / 2:
        return None  # where most have none, the number tells little but which have any
    left, right, loads = _two(join.left, join.right)
    per = f"per_key = {left}.groupby({join.key!r}, as_index=False).size().rename(columns={{'size': {name!r}}})"
    both = f"{right} = {right}.merge(per_key, on={join.key!r}, how='left')"
    filled = f"{right}[{name!r}] = {right}[{name!r}].fillna(0)"
    found = ColumnProfile(name, "number", 0, max(10, mine.distinct), low=0, high=join.left.rows)
    columns = (*(c for c in join.right.columns if c.name != join.key), found)
    return Source(right, (join.right, join.left), columns, join.right.rows, (loads, (per, both, filled)), joined=True)


# --- several tables ---------------------------------------------------------------------------------------


def stacked(stack: Stack) -> Source:
    """The rows of several tables with the same columns."""
    names: list[str] = []
    for profile in stack.tables:
        names.append(variable(profile.table, names))
    loads = tuple(f"{name} = {profile.load}" for name, profile in zip(names, stack.tables, strict=True))
    put_together = f"together = pd.concat([{', '.join(names)}], ignore_index=True)"
    first, *others = stack.tables
    columns = tuple(c for c in first.columns if all(_alike(c, other.column(c.name)) for other in others))
    merged = tuple(_together(c, [other.column(c.name) for other in others]) for c in columns)
    rows = sum(profile.rows for profile in stack.tables)
    return Source("together", stack.tables, merged, rows, (loads, (put_together,)))


def _together(column: ColumnProfile, others: Sequence[ColumnProfile | None]) -> ColumnProfile:
    missing = column.missing + sum(other.missing for other in others if other is not None)
    return replace(column, missing=missing)


def beside(first: TableProfile, second: TableProfile) -> Source:
    """Two tables with the same columns that stay apart."""
    name, other, loads = _two(first, second)
    columns = tuple(c for c in first.columns if _alike(c, second.column(c.name)))
    return Source(name, (first, second), columns, first.rows, (loads,), form="beside", other=other)


def keyed(pair: Pair) -> Source:
    """Two tables that share a key: the rows of the first are kept by what the second holds."""
    return replace(_apart(pair), form="keyed")


def compared(pair: Pair) -> Source:
    """Two tables that share labels: each is brought to one row per label, and those are joined."""
    return replace(_apart(pair), form="compared")


def _apart(pair: Pair) -> Source:
    name, other, loads = _two(pair.first, pair.second)
    return Source(
        name,
        (pair.first, pair.second),
        pair.first.columns,
        pair.first.rows,
        (loads,),
        joined=True,
        other=other,
        shared=pair.column,
    )


def _two(first: TableProfile, second: TableProfile) -> tuple[str, str, tuple[str, str]]:
    """Variables of two tables, and the statements that load them."""
    name = variable(first.table)
    other = variable(second.table, (name,))
    return name, other, (f"{name} = {first.load}", f"{other} = {second.load}")


def _alike(column: ColumnProfile, other: ColumnProfile | None) -> bool:
    return other is not None and other.kind == column.kind
