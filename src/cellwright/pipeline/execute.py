"""Stage 4: run every notebook again, with its tables in place, in a fresh kernel; what fails is repaired."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cellwright.core.errors import ConfigError
from cellwright.core.types import Reject, Table
from cellwright.corpus.links import LinkedNotebook
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.models import Endpoint, Model, OpenAIModel, Traits
from cellwright.pipeline.config import RepairConfig
from cellwright.proof.execution import Execution, ExecutionLimits, execute
from cellwright.proof.repair import Loss, Proposer, Repair, Repaired, repair
from cellwright.proof.repair.model import ModelProposer

NAME = "execute"


@dataclass(frozen=True)
class ExecutedNotebook:
    """A linked notebook with what came of running it."""

    linked: LinkedNotebook
    """Its notebook is the repaired one, where repair made more of it run."""
    execution: Execution
    repairs: tuple[Repair, ...] = ()
    """Changes of the code, in the order in which they were made."""
    losses: tuple[Loss, ...] = ()
    """Statements that could not be made to run."""


def table_paths(tables: Sequence[Table], store: Path) -> Mapping[str, Path]:
    """Name under `data/` to the stored file, as kernels want it."""
    return {table.name: store / table.stored_name for table in tables}


class ExecuteStage:
    """Runs notebooks in kernels of a pool, and repairs them. A failing cell does not stop the others."""

    def __init__(
        self,
        pool: Pool,
        store: Path,
        limits: Limits,
        execution: ExecutionLimits,
        repairs: RepairConfig,
    ) -> None:
        self._pool, self._store, self._limits, self._execution = pool, store, limits, execution
        self._repairs, self._model = repairs.rules, _model(repairs)
        self._proposers: Sequence[Proposer] = (ModelProposer(self._model),) if self._model is not None else ()

    async def run(self, group: Sequence[LinkedNotebook]) -> Sequence[ExecutedNotebook | Reject]:
        (linked,) = group
        notebook = linked.notebook
        path = notebook.provenance.path
        settings = KernelSettings(table_paths(linked.tables, self._store), hash_seed=0, limits=self._limits)
        if self._repairs:
            repaired = await repair(notebook, lambda: self._pool.kernel(settings), self._execution, self._proposers)
        else:
            async with self._pool.kernel(settings) as kernel:
                repaired = Repaired(notebook, await execute(notebook, kernel, self._execution))
        execution = repaired.execution
        if not execution.shown:
            first = next((cell.error for cell in execution.cells if cell.error), "it prints and shows nothing")
            return [Reject(NAME, notebook.id, "no cell showed a value", first, path)]
        linked = replace(linked, notebook=repaired.notebook)
        return [ExecutedNotebook(linked, execution, repaired.repairs, repaired.losses)]

    async def close(self) -> None:
        """Let go of the model. The pool belongs to the build."""
        if self._model is not None:
            await self._model.close()


def _model(config: RepairConfig) -> Model | None:
    if not config.model:
        return None
    if not config.url:
        raise ConfigError(
            "repair.model needs repair.url, the endpoint that serves it, such as http://localhost:8000/v1"
        )
    return OpenAIModel(Endpoint(config.url, Traits(config.model), os.environ.get("OPENAI_API_KEY", "")))
