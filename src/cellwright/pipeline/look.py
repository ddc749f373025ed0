"""Stage 8: the first rows of every table, as an agent will see them: what screening holds answers against.

The tables of twins come later, and are looked at then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from cellwright.core.types import Reject, Table, Task
from cellwright.corpus.links import LinkedNotebook
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.pipeline.execute import table_paths
from cellwright.proof.heads import TableHead, read_heads

NAME = "look"
OF_TWINS = "look-twins"


class LookStage:
    """Reads the heads of the tables of one notebook, in a kernel that has run nothing."""

    def __init__(self, pool: Pool, store: Path, limits: Limits) -> None:
        self._pool, self._store, self._limits = pool, store, limits

    async def run(self, group: Sequence[LinkedNotebook]) -> Sequence[TableHead | Reject]:
        tables = (table for linked in group for table in linked.tables)
        return await heads_of(tables, self._pool, self._store, self._limits)


class LookAtTwins:
    """Reads the heads of the tables of the twins of one notebook's tasks; those of their parents are known."""

    def __init__(self, pool: Pool, store: Path, limits: Limits) -> None:
        self._pool, self._store, self._limits = pool, store, limits

    async def run(self, group: Sequence[Task]) -> Sequence[TableHead | Reject]:
        tables = (table for task in group if task.twin_of for table in task.tables)
        return await heads_of(tables, self._pool, self._store, self._limits)


async def heads_of(tables: Iterable[Table], pool: Pool, store: Path, limits: Limits) -> list[TableHead]:
    """The head of each table, once, whatever names they have. Raises KernelDied when the kernel is lost over it."""
    different = {table.sha256: table for table in tables}.values()
    # Twins' tables have the names of their parents'. The suffix stays: it says how a table is read.
    apart = [replace(table, name=f"{number}-{table.name}") for number, table in enumerate(different)]
    if not apart:
        return []
    async with pool.kernel(KernelSettings(table_paths(apart, store), 0, limits)) as kernel:
        return await read_heads(apart, kernel)
