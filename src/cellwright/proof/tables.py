"""What tables hold, as a kernel told it, and the changes that it can make to copies of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ChangeKind = Literal["head", "reorder", "resample", "drop", "add", "missing", "widen", "values", "rename"]
ColumnKind = Literal["integer", "number", "date", "truth", "category", "text", "other"]


@dataclass(frozen=True)
class ReadHint:
    """What a program says of a table file by the way it reads it. Unknown ones are None."""

    function: str = ""
    """`read_csv` and the like; empty where it is not known."""
    sep: str | None = None
    header: int | None = 0
    """Line of the header among those not skipped; None for a file without one."""
    header_given: bool = False
    names: tuple[str, ...] = ()
    skiprows: int = 0
    skipped: tuple[int, ...] = ()
    comment: str | None = None
    encoding: str | None = None

    def data(self) -> dict[str, Any]:
        """As the kernel wants it."""
        told: dict[str, Any] = {"function": self.function, "skiprows": self.skiprows, "names": list(self.names)}
        told |= {"comment": self.comment, "encoding": self.encoding, "skipped": list(self.skipped)}
        if self.sep is not None:
            told["sep"] = self.sep
        if self.header_given:
            told["header"] = self.header
        return told


@dataclass(frozen=True)
class ColumnFacts:
    """One column."""

    name: str
    kind: ColumnKind
    distinct: int
    is_unique: bool
    missing: int
    labels: tuple[str, ...] = ()
    """All its texts, where they are few."""


@dataclass(frozen=True)
class TableFacts:
    """One table: what it holds, or why it cannot be changed."""

    rows: int = 0
    columns: tuple[ColumnFacts, ...] = ()
    problem: str = ""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns)


@dataclass(frozen=True)
class Change:
    """One change of one table (`inside.variants` has what each kind does)."""

    table: str
    kind: ChangeKind
    seed: int = 0
    columns: tuple[str, ...] | None = None
    """Columns that it is about; None for all but `others`."""
    others: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """Columns by which tables are joined: their values only change places."""
    how: Literal["jitter", "mirror", "shift", "mild"] = "jitter"
    share: float = 0.3
    keep: int | None = None
    """Rows that stay: of "head" the first ones, of "drop" any, in the place of a share."""
    reverse: bool = False
    suffix: str = ""

    def data(self) -> dict[str, Any]:
        """As the kernel wants it."""
        told = dataclasses.asdict(self)
        told["except"] = told.pop("others")
        for optional in ("columns", "keep"):
            if told[optional] is None:
                del told[optional]
        return told


@dataclass(frozen=True)
class Variant:
    """Changed copies of tables that stand in the places of those that a program reads."""

    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """The same for the same changes."""
        return repr(self.changes)


@dataclass(frozen=True)
class Survey:
    """Every table of a kernel."""

    tables: Mapping[str, TableFacts] = field(default_factory=dict)

    def changeable(self, names: Sequence[str]) -> list[str]:
        """Of these tables, those that can be changed."""
        return [name for name in names if name in self.tables and not self.tables[name].problem]


def facts(row: Mapping[str, Any]) -> TableFacts:
    """What the kernel told of one table."""
    if "problem" in row:
        return TableFacts(problem=str(row["problem"]))
    columns = tuple(ColumnFacts(**{**column, "labels": tuple(column["labels"])}) for column in row["columns"])
    return TableFacts(int(row["rows"]), columns)
