"""Stage 4: run every notebook again, with its tables in place, in a fresh kernel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellwright.core.types import Reject, Table
from cellwright.corpus.links import LinkedNotebook
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.proof.execution import Execution, ExecutionLimits, execute

NAME = "execute"


@dataclass(frozen=True)
class ExecutedNotebook:
    """A linked notebook with what came of running it."""

    linked: LinkedNotebook
    execution: Execution


def table_paths(tables: Sequence[Table], store: Path) -> Mapping[str, Path]:
    """Name under `data/` to the stored file, as kernels want it."""
    return {table.name: store / table.stored_name for table in tables}


class ExecuteStage:
    """Runs notebooks in kernels of a pool. A failing cell does not stop the others."""

    def __init__(self, pool: Pool, store: Path, limits: Limits, execution: ExecutionLimits) -> None:
        self._pool, self._store, self._limits, self._execution = pool, store, limits, execution

    async def run(self, group: Sequence[LinkedNotebook]) -> Sequence[ExecutedNotebook | Reject]:
        (linked,) = group
        notebook = linked.notebook
        path = notebook.provenance.path
        settings = KernelSettings(table_paths(linked.tables, self._store), hash_seed=0, limits=self._limits)
        async with self._pool.kernel(settings) as kernel:
            execution = await execute(notebook, kernel, self._execution)
        if not execution.shown:
            first = next((cell.error for cell in execution.cells if cell.error), "it prints and shows nothing")
            return [Reject(NAME, notebook.id, "no cell showed a value", first, path)]
        return [ExecutedNotebook(linked, execution)]

    async def close(self) -> None:
        """The pool belongs to the build."""
