"""Before stage 7: the groups of tables to compose over. Each notebook's own, then those of one folder that several
notebooks read, as tables that stand together often belong together. No table and no combination twice.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cellwright.core.hashing import short_id
from cellwright.core.types import Provenance, Reject, Table
from cellwright.corpus.links import LinkedNotebook
from cellwright.proof.compose import loads

NAME = "tables"
_MOST_TABLES = 12
_MOST_BYTES = 200_000_000


@dataclass(frozen=True)
class Loads:
    """How a table may be loaded."""

    name: str
    expressions: tuple[str, ...]


@dataclass(frozen=True)
class TableGroup:
    """Tables that may have to do with each other."""

    id: str
    """The notebook's that reads them all; one of its own where no notebook does."""
    provenance: Provenance
    """Of that notebook; of the first that reads one of them where no notebook reads them all."""
    tables: tuple[Table, ...]
    loads: tuple[Loads, ...]
    alone: tuple[str, ...] = ()
    """Names of the tables that no group before this one has."""
    known: tuple[tuple[str, ...], ...] = ()
    """Names of tables that a group before this one has together: nothing is composed over them again."""


def table_groups(notebooks: Callable[[], Iterable[LinkedNotebook]], wanted: bool) -> Iterator[TableGroup | Reject]:
    """A group for each notebook, then for each folder, whose tables bring something new; none where nothing is wanted.

    `notebooks` gives all of them each time that it is called.
    """
    if not wanted:
        return
    earlier = _Earlier()
    for linked in notebooks():
        tables = _usable(linked.tables)
        yield from _left_out(linked, tables)
        if tables:
            group = TableGroup(linked.notebook.id, linked.notebook.provenance, tables, _ways(linked, tables))
            yield from earlier.add(group)
    for group in _of_folders(notebooks()):
        yield from earlier.add(group)


class _Earlier:
    """The groups so far, as sets of hashes."""

    def __init__(self) -> None:
        self._groups: dict[str, set[frozenset[str]]] = {}
        """By each table, the groups that hold it."""

    def add(self, group: TableGroup) -> Iterator[TableGroup]:
        """The group with what is known of it; nothing where a group before held all of its tables."""
        names = {table.sha256: table.name for table in group.tables}
        hashes = frozenset(names)
        known = {hashes & other for table in hashes for other in self._groups.get(table, ())}
        if hashes in known:
            return
        alone = tuple(name for table, name in names.items() if table not in self._groups)
        for table in hashes:
            self._groups.setdefault(table, set()).add(hashes)
        together = sorted(tuple(sorted(names[table] for table in part)) for part in known if len(part) > 1)
        yield replace(group, alone=alone, known=tuple(together))


def _usable(tables: Sequence[Table]) -> tuple[Table, ...]:
    return tuple(table for table in tables if table.bytes <= _MOST_BYTES)[:_MOST_TABLES]


def _left_out(linked: LinkedNotebook, usable: Sequence[Table]) -> Iterator[Reject]:
    for table in linked.tables:
        if table not in usable:
            reason = "too large to compose over" if table.bytes > _MOST_BYTES else "more tables than one group takes"
            yield Reject(NAME, table.sha256, reason, f"{table.name} of {linked.notebook.provenance.path}")


def _ways(linked: LinkedNotebook, tables: Sequence[Table]) -> tuple[Loads, ...]:
    sources = [cell.source for cell in linked.notebook.code_cells]
    return tuple(Loads(table.name, loads(table, sources)) for table in tables)


def _of_folders(notebooks: Iterable[LinkedNotebook]) -> Iterator[TableGroup]:
    """The tables of each folder that more than one notebook reads from. A folder holds what one notebook added, and
    its tables keep the names that this notebook has for them."""
    found: dict[tuple[str, str], list[TableGroup]] = {}
    for linked in notebooks:
        provenance = linked.notebook.provenance
        tables = _usable(linked.tables)
        for folder in dict.fromkeys(posixpath.dirname(table.path) for table in tables):
            parts = found.setdefault((provenance.source, folder), [])
            known = {table.sha256 for part in parts for table in part.tables}
            names = {table.name.casefold() for part in parts for table in part.tables}
            added = tuple(
                table
                for table in tables
                if posixpath.dirname(table.path) == folder
                and table.sha256 not in known
                and table.name.casefold() not in names
            )
            if added and len(known) < _MOST_TABLES:
                parts.append(TableGroup("", provenance, added, _ways(linked, added)))
    for (source, folder), parts in found.items():
        if len(parts) > 1:
            tables = tuple(table for part in parts for table in part.tables)[:_MOST_TABLES]
            ways = tuple(way for part in parts for way in part.loads)[:_MOST_TABLES]
            yield TableGroup(short_id("folder", source, folder), parts[0].provenance, tables, ways)
