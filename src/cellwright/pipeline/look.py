"""Stage 8: the first rows of every table, as an agent will see them: what screening holds answers against."""

from collections.abc import Sequence
from pathlib import Path

from cellwright.core.types import Reject
from cellwright.corpus.links import LinkedNotebook
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.pipeline.execute import table_paths
from cellwright.proof.heads import TableHead, read_heads

NAME = "look"


class LookStage:
    """Reads the heads of the tables of one notebook, in a kernel that has run nothing."""

    def __init__(self, pool: Pool, store: Path, limits: Limits) -> None:
        self._pool, self._store, self._limits = pool, store, limits

    async def run(self, group: Sequence[LinkedNotebook]) -> Sequence[TableHead | Reject]:
        tables = list({table.sha256: table for linked in group for table in linked.tables}.values())
        settings = KernelSettings(table_paths(tables, self._store), 0, self._limits)
        async with self._pool.kernel(settings) as kernel:
            return await read_heads(tables, kernel)

    async def close(self) -> None:
        """The pool belongs to the build."""
