"""Stage 11: twins of proved tasks, on changed tables, each through all gates again.

Those that need no kernel come after, over all twins of a build (`screen.screen_twins`).
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from cellwright.core.errors import DatasetError
from cellwright.core.records import write_shard
from cellwright.core.types import Reject, Task
from cellwright.dataset.files import TABLES, TASKS, missing_tables
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.pipeline.config import BuildConfig, ProveConfig, TwinConfig
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.look import heads_of
from cellwright.pipeline.prove import Prover, judged_task
from cellwright.pipeline.screen import OF_TWINS, Screened, fingerprints, screen
from cellwright.proof.judge import Judge, preload_list
from cellwright.proof.oracles import program_of
from cellwright.proof.twins import STRONGEST, NoTwin, Twin, twin

NAME = "twins"
_SEED = 7


class TwinStage:
    """Gives back each task of one notebook, followed by its twins."""

    def __init__(self, twinner: "Twinner", per_task: int) -> None:
        self._twinner, self._per_task = twinner, per_task

    async def run(self, group: Sequence[Task]) -> Sequence[Task | Reject]:
        outcome: list[Task | Reject] = []
        for task in group:
            outcome += [task, *[await self._twinner.twin(task, seed) for seed in range(1, self._per_task + 1)]]
        return outcome


class Twinner:
    """Makes twins and proves them. Their tables are kept by hash in the store, beside those of their parents."""

    def __init__(self, pool: Pool, store: Path, limits: Limits, prove: ProveConfig, config: TwinConfig) -> None:
        self._pool, self._store, self._limits = pool, store, limits
        self._prove, self._config = prove, config

    async def twin(self, task: Task, seed: int) -> Task | Reject:
        """The proved twin for a seed, or why there is none: the last reason of several tries."""
        last = Reject.of(NAME, task.id, "no tries", task.question, task.provenance)
        for attempt in range(self._config.tries):
            found = await self._tried(task, seed + 1_000_003 * attempt, min(attempt, STRONGEST))
            if isinstance(found, Task):
                return found
            last = found
        return last

    async def _tried(self, task: Task, seed: int, strength: int) -> Task | Reject:
        try:
            made = await self._made(task, seed, strength)
        except NoTwin as problem:
            return Reject.of(NAME, task.id, f"no twin: {problem}", task.question, task.provenance)
        for sha256, data in made.contents.items():
            name = next(table.stored_name for table in made.task.tables if table.sha256 == sha256)
            _keep(data, self._store / name)
        prover = Prover(self._pool, self._store, self._limits, self._prove)
        return judged_task((await prover.prove([made.task]))[0])

    async def _made(self, task: Task, seed: int, strength: int) -> Twin:
        settings = KernelSettings(table_paths(task.tables, self._store), 0, self._limits, era=task.era)
        preload = preload_list(program_of(task).units)
        async with self._pool.kernel(settings) as kernel:
            judge = Judge(kernel, timeout_s=self._prove.program_timeout_s, seed=_SEED, preload=preload)
            return await twin(task, seed, judge, most_bytes=self._config.most_bytes, strength=strength)


def _keep(data: bytes, path: Path) -> None:
    """Write a file whole or not at all."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, delete=False) as partial:
        try:
            partial.write(data)
            partial.flush()
            Path(partial.name).chmod(0o444)
            os.replace(partial.name, path)  # noqa: PTH105
        except BaseException:
            Path(partial.name).unlink(missing_ok=True)
            raise


async def twin_of_dataset(
    task: Task, seed: int, dataset: Path, out: Path | None, pool: Pool, config: BuildConfig
) -> Task | Reject:
    """The twin of a task of a dataset, through all gates, written to `out` as a dataset of one where that is given.

    Raises DatasetError where a table of the dataset is missing.
    """
    if missing_tables(dataset, [task]):
        raise DatasetError(f"{dataset} does not hold the tables of task {task.id}: build it again")
    with TemporaryDirectory() as work:
        store = Path(work)
        for table in task.tables:
            shutil.copyfile(dataset / TABLES / table.stored_name, store / table.stored_name)
        made = await Twinner(pool, store, config.limits, config.prove, config.twins).twin(task, seed)
        if isinstance(made, Task):
            made = await _screened(made, pool, store, config)
        if isinstance(made, Task) and out is not None:
            (out / TABLES).mkdir(parents=True, exist_ok=True)
            for table in made.tables:
                shutil.copyfile(store / table.stored_name, out / TABLES / table.stored_name)
            write_shard(out / TASKS, Task, [made])
        return made


async def _screened(made: Task, pool: Pool, store: Path, config: BuildConfig) -> Task | Reject:
    """A twin with what the gates of the screening saw of it, or why it goes. What its notebook said is not known."""
    heads = await heads_of(made.tables, pool, store, config.limits)
    alone = Screened(lambda: [made], list, lambda: heads, store, OF_TWINS)
    (outcome,) = screen(alone, config.screen, fingerprints(config.screen))
    return outcome
