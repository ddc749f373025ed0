"""A program in the making: the table that it works on, the steps taken so far, and what it can still use."""

import builtins
import keyword
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from cellwright.core.types import Table
from cellwright.proof.compose.keys import Join, Stack
from cellwright.proof.compose.profiles import ColumnProfile, TableProfile
from cellwright.proof.questions.shown import is_measured

LEAST_ROWS = 30
"""Rows that must be left for a statistic."""
_LEAST_IN_GROUP = 5
_MOST_GROUPS = 40
_COUNTED = re.compile(
    r"(?i).*(quality|score|rating|count|size|age|hours|tenure|quantity|qty|children|visits|points|goals)"
)
# A table with both kinds of column has one row per measure: its values are of many units, and their mean of none.
_UNITS = re.compile(r"(?i)unit|units|unit[ _]?code|indicator|measure|variable|metric|series|parameter|attribute")
_OF_ANY_UNIT = re.compile(r"(?i)value|values|obs[ _]?value|val|amount|number|data")
_TAKEN_NAMES = {*keyword.kwlist, *dir(builtins), "pd", "np", "stats", "rows", "top", "data"}


class Impossible(Exception):
    """The table has nothing that the program needs; another form is tried."""


@dataclass(frozen=True)
class Composed:
    """A program composed over tables, before anyone has run or worded it."""

    family: str
    tables: tuple[Table, ...]
    cells: tuple[tuple[str, ...], ...]
    """Statements, cell by cell."""
    expression: str
    """What is shown at the end."""
    wanted: frozenset[str]
    """Families of questions that may be asked about it; empty for all."""
    mentions: tuple[str, ...]
    """Names that the question must contain: a step that it leaves unsaid would be a step for nothing."""
    guard: str
    """Expression that must be True: enough rows, clear extremes."""
    joined: bool

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(statement for cell in self.cells for statement in cell)


@dataclass(frozen=True)
class Source:
    """Where a program's rows come from: one table, a join, or several tables one below the other."""

    name: str
    """Variable that holds them."""
    tables: tuple[TableProfile, ...]
    columns: tuple[ColumnProfile, ...]
    rows: float
    """Estimated."""
    cells: tuple[tuple[str, ...], ...]
    joined: bool = False
    repeated: frozenset[str] = frozenset()
    """Columns whose values a join has repeated: their mean would count some of them more than once."""
    other: str = ""
    """Variable of a second table that stands beside the first; `shared` says what they have in common."""
    shared: str = ""
    """Of two tables side by side, the column that both have as a key; empty where all their columns are the same."""

    @property
    def key(self) -> str:
        """Tells sources apart, the same in every build."""
        kind = "join" if self.joined else f"beside {self.shared}" if self.other else ""
        return "+".join(profile.table.sha256 for profile in self.tables) + f"|{kind}|{self.cells[-1][-1]}"


def variable(table: Table, taken: Iterable[str] = ()) -> str:
    """A name for a table's rows, from its file's name."""
    stem = table.name.rpartition("/")[2].partition(".")[0]
    name = re.sub(r"\W+", "_", stem).strip("_").lower()
    short = "_".join(part for part in name.split("_") if not part.isdigit())[:24].strip("_")
    if not short.isidentifier() or short in _TAKEN_NAMES:
        short = "table"
    while short in taken:
        short += "_2"
    return short


def single(profile: TableProfile) -> Source:
    """The rows of one table."""
    name = variable(profile.table)
    return Source(name, (profile,), profile.columns, profile.rows, ((f"{name} = {profile.load}",),))


def joined(join: Join) -> Source:
    """The rows of the left table, each with its row of the right one."""
    left = variable(join.left.table)
    right = variable(join.right.table, (left,))
    both = f"{left}_{right}"[:30].strip("_")
    cells: list[tuple[str, ...]] = [(f"{left} = {join.left.load}", f"{right} = {join.right.load}")]
    lead: list[str] = []
    if join.shared:
        lead.append(f"{left} = {left}.drop(columns={list(join.shared)!r})")
    if join.key != join.right_key:
        lead.append(f"{left} = {left}.rename(columns={{{join.key!r}: {join.right_key!r}}})")
    cells.append((*lead, f"{both} = {left}.merge({right}, on={join.right_key!r}, how='inner')"))
    unclear = {*join.shared, join.key, join.right_key}
    columns = tuple(c for p in (join.left, join.right) for c in p.columns if c.name not in unclear)
    mine = join.left.column(join.key)
    one_to_one = mine is not None and mine.distinct == join.left.rows
    repeated = frozenset(() if one_to_one else join.right.names)
    rows = join.left.rows * join.overlap
    return Source(both, (join.left, join.right), columns, rows, tuple(cells), joined=True, repeated=repeated)


def summed(join: Join, rng: random.Random) -> Source | None:
    """The rows of the right table, each with a statistic of the rows of the left one that belong to it."""
    mine = join.left.column(join.key)
    numbers = [c for c in join.left.columns if is_number(c) and c.name not in join.right.names and c.name != join.key]
    if mine is None or mine.distinct > join.left.rows / 2 or join.key != join.right_key or not numbers:
        return None
    value, statistic = rng.choice(numbers), rng.choice(("mean", "max", "min", "median"))
    left = variable(join.left.table)
    right = variable(join.right.table, (left,))
    loads = (f"{left} = {join.left.load}", f"{right} = {join.right.load}")
    per = f"per_key = {left}.groupby({join.key!r}, as_index=False)[{value.name!r}].{statistic}()"
    both = f"{right} = {right}.merge(per_key, on={join.key!r}, how='inner')"
    found = ColumnProfile(value.name, "number", 0, max(10, mine.distinct), low=value.low, high=value.high)
    columns = (*(c for c in join.right.columns if c.name != join.key), found)
    rows = min(join.right.rows, mine.distinct)
    return Source(right, (join.right, join.left), columns, rows, (loads, (per, both)), joined=True)


def beside(first: TableProfile, second: TableProfile, shared: str = "") -> Source:
    """Two tables that stay apart."""
    name = variable(first.table)
    other = variable(second.table, (name,))
    loads = (f"{name} = {first.load}", f"{other} = {second.load}")
    columns = first.columns if shared else tuple(c for c in first.columns if _alike(c, second.column(c.name)))
    return Source(name, (first, second), columns, first.rows, (loads,), other=other, shared=shared)


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


def _alike(column: ColumnProfile, other: ColumnProfile | None) -> bool:
    return other is not None and other.kind == column.kind


def _together(column: ColumnProfile, others: Sequence[ColumnProfile | None]) -> ColumnProfile:
    missing = column.missing + sum(other.missing for other in others if other is not None)
    return ColumnProfile(**{**vars(column), "missing": missing})


@dataclass
class Draft:
    """Takes steps until a family ends it. `depth` is how many optional steps it may still take."""

    source: Source
    rng: random.Random
    depth: int
    steps: list[tuple[str, ...]] = field(default_factory=list)
    guards: list[str] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=lambda: {"import pandas as pd"})
    used: dict[str, ColumnProfile] = field(default_factory=dict)
    share: float = 1.0
    """Share of the source's rows that are thought to be left."""

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def left(self) -> float:
        return self.source.rows * self.share

    def spend(self, chance: float) -> bool:
        """Whether to take one more optional step."""
        if self.depth <= 0 or self.rng.random() >= chance:
            return False
        self.depth -= 1
        return True

    # --- choosing columns --------------------------------------------------------------------------

    def choose(self, fits: Callable[[ColumnProfile], bool]) -> ColumnProfile:
        """A column not used yet; of a join, rather one of the table that was not used yet."""
        found = [c for c in self.source.columns if c.name not in self.used and fits(c) and self._enough(c)]
        if not found:
            raise Impossible
        if self.source.joined:
            fresh = [c for c in found if not (self._sides(c) & self._used_sides())]
            found = fresh or found
        column = self.rng.choice(found)
        self.used[column.name] = column
        self.mentions.append(column.name)
        return column

    def _enough(self, column: ColumnProfile) -> bool:
        return column.missing <= 0.5 * max(1.0, self.source.rows)

    def _sides(self, column: ColumnProfile) -> set[str]:
        return {p.table.name for p in self.source.tables if column.name in p.names}

    def _used_sides(self) -> set[str]:
        return {side for column in self.used.values() for side in self._sides(column)}

    def number(self, fits: Callable[[ColumnProfile], bool] = lambda column: True) -> ColumnProfile:
        """A column of measurements, one value for each row."""
        return self.choose(lambda c: self.measures(c) and c.name not in self.source.repeated and fits(c))

    def measures(self, column: ColumnProfile) -> bool:
        """Whether a column holds measurements of one kind."""
        mixed = any(_UNITS.fullmatch(name) for profile in self.source.tables for name in profile.names)
        return is_number(column) and not (mixed and _OF_ANY_UNIT.fullmatch(column.name))

    def label(self, least: int = 2, most: int = _MOST_GROUPS) -> ColumnProfile:
        """A column whose values make groups, each with enough rows."""

        def fits(column: ColumnProfile) -> bool:
            enough = self.left / max(1, column.distinct) >= 2 * _LEAST_IN_GROUP
            return is_label(column) and least <= column.distinct <= most and enough

        return self.choose(fits)

    # --- steps --------------------------------------------------------------------------------------

    def step(self, *statements: str) -> None:
        """One more cell."""
        self.steps.append(statements)

    def set(self, target: str, words: str) -> str:
        """A new column; gives its name."""
        self.step(f"{self.name}[{target!r}] = {words}")
        self.mentions.append(target)
        return target

    def need_rows(self, least: int = LEAST_ROWS) -> None:
        """The rows that are left must be so many."""
        self.guards.append(f"len({self.name}) >= {least}")

    def need_values(self, column: str, least: int) -> None:
        """A column that was worked out must have so many values, or it says nothing."""
        self.guards.append(f"{self.name}[{column!r}].nunique() >= {least}")

    def need_pairs(self, first: str, second: str) -> None:
        """Labels of one column must meet several of the other: a code and its meaning are one thing."""
        rows = f"{self.name}[[{first!r}, {second!r}]]"
        self.guards.append(f"{rows}.drop_duplicates().shape[0] >= 1.3 * {rows}.nunique().max()")

    def need_groups(self, groups: str, least: int) -> None:
        """So many groups or more, each with enough rows. `groups` is an expression such as `t.groupby('a')['b']`."""
        self.guards.append(
            f"(lambda n: {least} <= len(n) <= {_MOST_GROUPS} and int(n.min()) >= {_LEAST_IN_GROUP})({groups}.count())"
        )

    def finish(self, family: str, expression: str, wanted: Iterable[str] = ()) -> Composed:
        """The program with its cells in order: imports, loading, cleaning, the steps."""
        gaps = [column.name for column in self.used.values() if column.missing]
        if len(gaps) > 3:
            raise Impossible
        clean = [(f"{self.name} = {self.name}.dropna(subset={gaps!r})",)] if gaps else []
        cells = [tuple(sorted(self.imports, reverse=True)), *self.source.cells, *clean, *self.steps]
        tables = tuple(profile.table for profile in self.source.tables)
        if self.source.joined and len(self._used_sides()) < 2:
            raise Impossible  # a join that nothing depends on but the number of rows
        guard = " and ".join(self.guards) or "True"
        wanted_families = frozenset(wanted)
        return Composed(
            family, tables, tuple(cells), expression, wanted_families, tuple(self.mentions), guard, self.source.joined
        )


def is_number(column: ColumnProfile) -> bool:
    """Whether the mean of a column says something."""
    if not is_measured(column.name) or column.kind not in ("number", "code"):
        return False
    if column.kind == "number":
        return column.distinct >= 10 and column.low < column.high
    return column.distinct >= 6 and bool(_COUNTED.fullmatch(column.name))


def is_label(column: ColumnProfile) -> bool:
    """Whether the values of a column make groups that a person would look at."""
    if column.kind == "category":
        return not column.dirty and len(column.values) == min(column.distinct, 15)
    if column.kind == "code":
        return not _COUNTED.fullmatch(column.name) or column.distinct <= 12
    return column.kind == "boolean" and column.distinct == 2
