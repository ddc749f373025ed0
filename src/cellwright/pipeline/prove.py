"""Stage 9: the oracle runs again in fresh kernels with other seeds, and must give the same answer each time."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cellwright.answers import compare, from_json
from cellwright.core.types import GateResult, Proof, Reject, Task
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.pipeline.config import ProveConfig
from cellwright.pipeline.execute import table_paths
from cellwright.proof.judge import Judge, Program, Run, preload_list
from cellwright.proof.oracles import program_of
from cellwright.proof.values import python_value

NAME = "prove"
GATE = "re-execution"
# (seed of random and numpy.random, PYTHONHASHSEED) of each run; more runs count on from the last.
_SEEDS = ((11, 1), (222, 22), (3333, 333))


class ProveStage:
    """Re-runs the oracles of one notebook's tasks, each run in a kernel that has run nothing."""

    def __init__(self, pool: Pool, store: Path, limits: Limits, config: ProveConfig) -> None:
        self._pool, self._store, self._limits, self._config = pool, store, limits, config

    async def run(self, group: Sequence[Task]) -> Sequence[Task | Reject]:
        tables = {table.name: table for task in group for table in task.tables}
        programs = [program_of(task) for task in group]
        preload = preload_list([unit for program in programs for unit in program.units])
        rounds: list[list[Run]] = []
        environment = ""
        for seed, hash_seed in seeds(self._config.runs):
            settings = KernelSettings(table_paths(list(tables.values()), self._store), hash_seed, self._limits)
            async with self._pool.kernel(settings) as kernel:
                judge = Judge(kernel, timeout_s=self._config.program_timeout_s, seed=seed, preload=preload)
                *runs, versions = await judge.run([*programs, VERSIONS])
            rounds.append(runs)
            environment = str((versions.value or {}).get("v", ""))
        return [self._judged(task, [runs[number] for runs in rounds], environment) for number, task in enumerate(group)]

    def _judged(self, task: Task, runs: Sequence[Run], environment: str) -> Task | Reject:
        gate = reexecution_gate(task, runs, [seed for seed, _ in seeds(self._config.runs)])
        if not gate.passed:
            return Reject(NAME, task.id, "answer does not come out again", gate.evidence_json, task.provenance.path)
        return replace(task, proof=Proof((*task.proof.gates, gate)), environment=environment)

    async def close(self) -> None:
        """The pool belongs to the build."""


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


def reexecution_gate(task: Task, runs: Sequence[Run], run_seeds: Sequence[int]) -> GateResult:
    """Whether every run gave the task's answer, under its contract."""
    expected = from_json(task.answer_json, task.contract)
    seen: list[dict[str, object]] = []
    for run, seed in zip(runs, run_seeds, strict=True):
        if run.value is None:
            seen.append({"seed": seed, "error": run.error, "text": run.text, "correct": False})
            continue
        try:
            grade = compare(expected, python_value(run.value), task.contract)
            seen.append(
                {"seed": seed, "verdict": grade.verdict, "why": grade.why, "correct": grade.verdict == "correct"}
            )
        except ValueError as error:
            seen.append({"seed": seed, "error": "no plain value", "text": str(error), "correct": False})
    return GateResult(GATE, all(row["correct"] for row in seen), json.dumps(seen))
