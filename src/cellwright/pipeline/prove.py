"""Stage 10: every gate on every task; what does not pass one is rejected, with the gate's name and what it saw."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cellwright.core.types import Proof, Reject, Task
from cellwright.kernels import Kernel, KernelSettings, Limits, Pool
from cellwright.pipeline.config import ProveConfig
from cellwright.pipeline.execute import table_paths
from cellwright.proof.gates import GATES, Judged, reason_of, reexecution, through_gates
from cellwright.proof.judge import Judge, Program, Run, preload_list
from cellwright.proof.oracles import program_of

NAME = "prove"
# (seed of random and numpy.random, PYTHONHASHSEED) of each run; more runs count on from the last.
_SEEDS = ((11, 1), (222, 22), (3333, 333))


class ProveStage:
    """Proves the tasks of one notebook."""

    def __init__(self, pool: Pool, store: Path, limits: Limits, config: ProveConfig) -> None:
        self._prover = Prover(pool, store, limits, config)

    async def run(self, group: Sequence[Task]) -> Sequence[Task | Reject]:
        return [judged_task(judged) for judged in await self._prover.prove(group)]


def judged_task(judged: Judged) -> Task | Reject:
    """The task with its proof, or why it has none: a reason to count, and what the gate saw."""
    failed = judged.failed
    if failed is None:
        return replace(judged.task, proof=Proof((*judged.task.proof.gates, *judged.gates)))
    task = judged.task
    detail = f"{task.question}\n{failed.evidence_json}"[:4000]
    return Reject.of(NAME, task.id, f"{failed.gate}: {reason_of(failed)}", detail, task.provenance)


class Prover:
    """Runs tasks through all gates: re-runs in kernels that have run nothing, the other gates in the last of them."""

    def __init__(self, pool: Pool, store: Path, limits: Limits, config: ProveConfig) -> None:
        self._pool, self._store, self._limits, self._config = pool, store, limits, config

    async def prove(self, tasks: Sequence[Task]) -> list[Judged]:
        """What became of each task, in order, with `environment` filled in. All may name a table in one way only.

        Each is proved in its own era.
        """
        eras = dict.fromkeys(task.era for task in tasks)
        proved = [await self._prove_in(era, [task for task in tasks if task.era == era]) for era in eras]
        judged = {found.task.id: found for group in proved for found in group}
        return [judged[task.id] for task in tasks]

    async def _prove_in(self, era: str, tasks: Sequence[Task]) -> list[Judged]:
        tables = {table.name: table for task in tasks for table in task.tables}
        programs = [program_of(task) for task in tasks]
        preload = preload_list([unit for program in programs for unit in program.units])
        rounds: list[list[Run]] = []
        judged: list[Judged] = []
        run_seeds = seeds(self._config.runs)
        for number, (seed, hash_seed) in enumerate(run_seeds):
            paths = table_paths(list(tables.values()), self._store)
            settings = KernelSettings(paths, hash_seed, self._limits, era=era)
            async with self._pool.kernel(settings) as kernel:
                judge = self._judge(kernel, seed, preload)
                *runs, versions = await judge.run([*programs, VERSIONS])
                rounds.append(runs)
                if number == len(run_seeds) - 1:
                    environment = str((versions.value or {}).get("v", ""))
                    named = [replace(task, environment=environment) for task in tasks]
                    judged = await self._gates(named, rounds, judge)
        return judged

    def _judge(self, kernel: Kernel, seed: int, preload: Sequence[str]) -> Judge:
        return Judge(kernel, timeout_s=self._config.program_timeout_s, seed=seed, preload=preload)

    async def _gates(self, tasks: Sequence[Task], rounds: Sequence[Sequence[Run]], judge: Judge) -> list[Judged]:
        used = [seed for seed, _ in seeds(self._config.runs)]
        first = [reexecution(task, [runs[number] for runs in rounds], used) for number, task in enumerate(tasks)]
        good = [task for task, gate in zip(tasks, first, strict=True) if gate.passed]
        gates = GATES if self._config.gates else ()
        rest = {j.task.id: j.gates for j in await through_gates(good, judge, gates, most_cells=self._config.most_cells)}
        return [Judged(task, (gate, *rest.get(task.id, ()))) for task, gate in zip(tasks, first, strict=True)]


VERSIONS = Program(
    (
        "import platform, importlib.metadata",
        "_found = ['python ' + platform.python_version()]",
        "for _name in ('pandas', 'numpy', 'scipy', 'scikit-learn'):\n"
        "    try:\n"
        "        _found.append(_name + ' ' + importlib.metadata.version(_name))\n"
        "    except importlib.metadata.PackageNotFoundError:\n"
        "        pass",
    ),
    "', '.join(_found)",
)


def seeds(runs: int) -> list[tuple[int, int]]:
    """The seeds of each run."""
    last, last_hash = _SEEDS[-1]
    more = [(last + n, last_hash + n) for n in range(1, runs - len(_SEEDS) + 1)]
    return [*_SEEDS, *more][:runs]
