"""A program in the making: the table that it works on, the steps taken so far, and what it can still use."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cellwright.core.types import Table
from cellwright.proof.compose.columns import is_label, is_number
from cellwright.proof.compose.profiles import ColumnProfile
from cellwright.proof.compose.sources import Source
from cellwright.proof.naming import are_units, is_of_any_unit, names_units

LEAST_ROWS = 30
"""Rows that must be left for a statistic."""
_LEAST_IN_GROUP = 5
_MOST_GROUPS = 40


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
        """Tables that a column comes from: all of them, where it was worked out to join them."""
        every = {p.table.name for p in self.source.tables}
        return {p.table.name for p in self.source.tables if column.name in p.names} or every

    def _used_sides(self) -> set[str]:
        return {side for column in self.used.values() for side in self._sides(column)}

    def number(self, fits: Callable[[ColumnProfile], bool] = lambda column: True) -> ColumnProfile:
        """A column of measurements, one value for each row."""
        return self.choose(lambda c: self.measures(c) and c.name not in self.source.repeated and fits(c))

    def measures(self, column: ColumnProfile) -> bool:
        """Whether a column holds measurements of one kind."""
        return is_number(column) and not is_of_any_unit(column.name, self._unit_columns)

    @property
    def _unit_columns(self) -> list[str]:
        """Columns that say in which units, or of what, the numbers of a row are."""
        labels = [c.name for c in self.source.columns if c.kind == "category" and are_units(v for v, _ in c.values)]
        measured = {c.name for c in self.source.columns if c.kind == "number"}
        named = (name for profile in self.source.tables for name in profile.names if name not in measured)
        return [*labels, *(name for name in named if names_units(name))]

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

    def use(self, name: str) -> ColumnProfile:
        """A column that the program needs by its name."""
        column = next((column for column in self.source.columns if column.name == name), None)
        if column is None:
            raise Impossible
        self.used[name] = column
        self.mentions.append(name)
        return column

    def of_other(self) -> "Draft":
        """A draft over the second table, which takes its conditions for this one."""
        return Draft(self.source.opposite, self.rng, 0, mentions=self.mentions, imports=self.imports)

    def finish(self, family: str, expression: str, wanted: Iterable[str] = ()) -> Composed:
        """The program with its cells in order: imports, loading, cleaning, the steps."""
        gaps = [column.name for column in self.used.values() if column.missing]
        if len(gaps) > 3:
            raise Impossible
        clean = [(f"{self.name} = {self.name}.dropna(subset={gaps!r})",)] if gaps else []
        cells = [tuple(sorted(self.imports, reverse=True)), *self.source.cells, *clean, *self.steps]
        tables = tuple(profile.table for profile in self.source.tables)
        if self.source.joined and len(self._used_sides()) < len(self.source.tables):
            raise Impossible  # a join that nothing depends on but the number of rows
        guard = " and ".join(self.guards) or "True"
        wanted_families = frozenset(wanted)
        joined = self.source.joined or self.source.form == "own"
        return Composed(family, tables, tuple(cells), expression, wanted_families, tuple(self.mentions), guard, joined)
