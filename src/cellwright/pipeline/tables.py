"""Before stage 7: the groups of tables to compose over: each notebook's, but no table and no combination twice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
    """Tables that one notebook reads."""

    id: str
    """The notebook's."""
    provenance: Provenance
    tables: tuple[Table, ...]
    loads: tuple[Loads, ...]
    alone: tuple[str, ...]
    """Names of the tables that no group before this one has."""


def table_groups(notebooks: Iterable[LinkedNotebook], wanted: bool) -> Iterator[TableGroup | Reject]:
    """A group for each notebook whose tables bring something new; none at all where nothing is wanted."""
    seen: set[str] = set()
    together: list[frozenset[str]] = []
    for linked in notebooks if wanted else ():
        notebook = linked.notebook
        tables = tuple(table for table in linked.tables if table.bytes <= _MOST_BYTES)[:_MOST_TABLES]
        hashes = frozenset(table.sha256 for table in tables)
        if not tables or any(hashes <= other for other in together):
            continue
        together.append(hashes)
        sources = [cell.source for cell in notebook.code_cells]
        ways = tuple(Loads(table.name, loads(table, sources)) for table in tables)
        alone = tuple({table.sha256: table.name for table in tables if table.sha256 not in seen}.values())
        seen |= hashes
        yield TableGroup(notebook.id, notebook.provenance, tables, ways, alone)
