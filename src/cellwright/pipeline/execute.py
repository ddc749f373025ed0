"""Stage 4: run every notebook again, with its tables in place, in a fresh kernel; what fails is repaired.

Where a build names environments of other years, a notebook that repair does not make whole runs there too, as it is,
and goes on in the one in which most of its cells run.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cellwright.core.errors import ConfigError
from cellwright.core.types import MODERN, Reject, Table
from cellwright.corpus.links import LinkedNotebook
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.models import Endpoint, Model, OpenAIModel, Traits
from cellwright.pipeline.config import RepairConfig
from cellwright.proof.execution import Execution, ExecutionLimits, execute
from cellwright.proof.repair import Loss, Proposer, Repair, Repaired, cells_that_ran, repair
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
    era: str = MODERN
    """The environment in which it fared best, and in which all that follows is run."""


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
        eras: Sequence[str] = (),
    ) -> None:
        """`eras`: names of the environments besides the modern one; of two that do as well, the first counts."""
        self._pool, self._store, self._limits, self._execution, self._eras = pool, store, limits, execution, eras
        self._repairs, self._model = repairs.rules, _model(repairs)
        self._proposers: Sequence[Proposer] = (ModelProposer(self._model),) if self._model is not None else ()

    async def run(self, group: Sequence[LinkedNotebook]) -> Sequence[ExecutedNotebook | Reject]:
        (linked,) = group
        repaired, era = await self._where_it_fares_best(linked)
        execution = repaired.execution
        if not execution.shown:
            notebook = linked.notebook
            first = next((cell.error for cell in execution.cells if cell.error), "it prints and shows nothing")
            return [Reject.of(NAME, notebook.id, "no cell showed a value", first, notebook.provenance)]
        linked = replace(linked, notebook=repaired.notebook)
        return [ExecutedNotebook(linked, execution, repaired.repairs, repaired.losses, era)]

    async def _where_it_fares_best(self, linked: LinkedNotebook) -> tuple[Repaired, str]:
        """The run in which most cells are whole, and its environment. What is as good in the modern one stays there."""
        notebook = linked.notebook
        if self._repairs:
            modern = self._settings(linked, MODERN)
            best = await repair(notebook, lambda: self._pool.kernel(modern), self._execution, self._proposers)
        else:
            best = await self._as_it_is(linked, MODERN)
        era = MODERN
        for other in self._eras:
            if cells_that_ran(best) == len(notebook.code_cells):
                break
            there = await self._as_it_is(linked, other)
            if cells_that_ran(there) > cells_that_ran(best):
                best, era = there, other
        return best, era

    async def _as_it_is(self, linked: LinkedNotebook, era: str) -> Repaired:
        async with self._pool.kernel(self._settings(linked, era)) as kernel:
            return Repaired(linked.notebook, await execute(linked.notebook, kernel, self._execution))

    def _settings(self, linked: LinkedNotebook, era: str) -> KernelSettings:
        return KernelSettings(table_paths(linked.tables, self._store), hash_seed=0, limits=self._limits, era=era)

    async def aclose(self) -> None:
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
