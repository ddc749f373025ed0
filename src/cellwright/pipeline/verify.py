"""Re-executes every task of a built dataset in fresh kernels."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from cellwright.core.hashing import sha256_file
from cellwright.core.types import Task
from cellwright.dataset.files import TABLES, load_tasks, missing_tables
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.pipeline.config import ProveConfig
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.stage import Progress
from cellwright.proof.gates import reexecution
from cellwright.proof.judge import Judge, preload_list
from cellwright.proof.oracles import program_of

_SEED, _HASH_SEED = 424242, 4242


@dataclass(frozen=True)
class Verdict:
    """What re-execution said of one task."""

    task_id: str
    correct: bool
    evidence: str
    """JSON of what the run gave, or what is wrong with the dataset."""


async def verify(folder: Path, pool: Pool, limits: Limits, config: ProveConfig, progress: Progress) -> list[Verdict]:
    """Run every oracle once, on the dataset's own tables, in a kernel that is new for each notebook."""
    tasks = load_tasks(folder)
    progress.begin("verify", len(tasks))
    broken = _broken_tables(folder, tasks)

    async def checked(group: Sequence[Task]) -> list[Verdict]:
        found = await _verify_group(group, folder, pool, limits, config, broken)
        progress.advance("verify", len(found))
        return found

    groups = [list(group) for _, group in groupby(sorted(tasks, key=_kernel_of), key=_kernel_of)]
    verdicts = [verdict for found in await asyncio.gather(*map(checked, groups)) for verdict in found]
    correct = sum(verdict.correct for verdict in verdicts)
    progress.end("verify", correct, len(verdicts) - correct)
    return verdicts


def _kernel_of(task: Task) -> tuple[str, str, str]:
    """Tasks of one notebook and one era share a kernel, but a twin has other tables of the same names."""
    return task.notebook_id, task.era, task.id if task.twin_of else ""


def _broken_tables(folder: Path, tasks: Sequence[Task]) -> set[str]:
    """Hashes of tables that are missing, or whose content is not what their name says."""
    broken = {table.sha256 for table in missing_tables(folder, tasks)}
    for table in {table for task in tasks for table in task.tables}:
        path = folder / TABLES / table.stored_name
        if path.exists() and sha256_file(path) != table.sha256:
            broken.add(table.sha256)
    return broken


async def _verify_group(
    tasks: Sequence[Task], folder: Path, pool: Pool, limits: Limits, config: ProveConfig, broken: set[str]
) -> list[Verdict]:
    sound = [task for task in tasks if not broken & {table.sha256 for table in task.tables}]
    verdicts = [Verdict(t.id, False, "a table is missing or altered") for t in tasks if t not in sound]
    if not sound:
        return verdicts
    programs = [program_of(task) for task in sound]
    tables = {table.name: table for task in sound for table in task.tables}
    paths = table_paths(list(tables.values()), folder / TABLES)
    settings = KernelSettings(paths, _HASH_SEED, limits, era=sound[0].era)
    preload = preload_list([unit for program in programs for unit in program.units])
    async with pool.kernel(settings) as kernel:
        judge = Judge(kernel, timeout_s=config.program_timeout_s, seed=_SEED, preload=preload)
        runs = await judge.run(programs)
    for task, run in zip(sound, runs, strict=True):
        gate = reexecution(task, [run], [_SEED])
        verdicts.append(Verdict(task.id, gate.passed, gate.evidence_json))
    return verdicts
