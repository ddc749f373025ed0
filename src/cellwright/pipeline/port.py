"""After stage 6, where a build has environments of other years: their tasks become modern ones, where they can.

It stands before the screening, so that of a question asked twice the one can be kept that today's libraries answer,
and before the gates, so that each task goes through them once, in the environment that it ends in.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cellwright.core.types import MODERN, Reject, Task
from cellwright.kernels import KernelSettings, Pool
from cellwright.pipeline.config import BuildConfig
from cellwright.pipeline.execute import table_paths
from cellwright.proof.judge import Judge, preload_list
from cellwright.proof.oracles import program_of
from cellwright.proof.porting import GATE, Mending, Ported, port

NAME = "port"
_SEED = 31


class PortStage:
    """Ports the tasks of one notebook; those that are modern already go through as they are."""

    def __init__(self, pool: Pool, store: Path, config: BuildConfig) -> None:
        self._pool, self._store, self._config = pool, store, config

    async def run(self, group: Sequence[Task]) -> Sequence[Task | Reject]:
        others = [task for task in group if task.era != MODERN]
        if not others:
            return group
        ported = {found.task.id: self._outcome(found) for found in await self._ported(others)}
        return [ported.get(task.id, task) for task in group]

    async def _ported(self, tasks: Sequence[Task]) -> list[Ported]:
        tables = {table.name: table for task in tasks for table in task.tables}
        settings = KernelSettings(table_paths(list(tables.values()), self._store), 0, self._config.limits)
        preload = preload_list([unit for task in tasks for unit in program_of(task).units])
        mending = Mending(lambda: self._pool.kernel(settings), self._config.execute)

        @asynccontextmanager
        async def judges() -> AsyncIterator[Judge]:
            async with self._pool.kernel(settings) as kernel:
                timeout_s = self._config.prove.program_timeout_s
                yield Judge(kernel, timeout_s=timeout_s, seed=_SEED, preload=preload, watch=True)

        return await port(tasks, judges, mending if self._config.repair.rules else None)

    def _outcome(self, found: Ported) -> Task | Reject:
        task = found.task
        if not found.reason or self._config.port.keep:
            return task
        detail = f"{task.question}\nholds in {task.era}: {task.proof.gates[-1].evidence_json}"[:4000]
        return Reject.of(NAME, task.id, f"{GATE}: in {MODERN}, {found.reason}", detail, task.provenance)
