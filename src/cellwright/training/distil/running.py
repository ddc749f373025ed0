"""The student does every training task; what it fails goes to the teacher; what the teacher solves is a dataset.

Both run in the agent's own loop, in kernels of a pool, and are graded by `answers`. Runs are kept as they end, so that
a stopped distillation goes on with those that are left. The dataset has the files of a build's that training reads.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cellwright.agent import Assignment
from cellwright.agent.batch import Failed, Job, TraceFile, run_all
from cellwright.core.errors import DatasetError
from cellwright.core.hashing import sha256_file
from cellwright.core.records import write_shard
from cellwright.core.types import Reject, Task, Trace
from cellwright.dataset.chat import RENDERINGS, ChatRow, chat_row
from cellwright.dataset.files import REJECTS, TABLES, TASKS, TRACES, link, load_tasks, load_traces, missing_tables
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.models import Model, Sampling
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.trace import user_prompt
from cellwright.training.distil.judging import Found, judge, verdict, why_not_taught
from cellwright.training.distil.order import Distil, Tally, claim, keep
from cellwright.training.rows import check_sides

DATASET, MODEL = "dataset", "model"
"""Folders of what is made: the dataset, and the student that was trained on it."""
_STAGE = "distil"

Runs = Mapping[str, Sequence[Trace | Failed]]
"""Of each task, by its id."""
Tell = Callable[[str, int, int], None]
"""Is told who is at work, how many runs have ended, and how many there are."""


@dataclass(frozen=True)
class Place:
    """Where it happens."""

    dataset: Path
    """Folder of a build."""
    out: Path
    pool: Pool
    at_once: int
    """Runs under way together."""
    limits: Limits
    """Of a kernel."""
    tell: Tell


@dataclass(frozen=True)
class _Player:
    """A model that does tasks."""

    name: str
    """student or teacher."""
    model: Model
    times: int
    """At each task."""
    sampling: Sampling


async def distil(order: Distil, student: Model, teacher: Model | None, place: Place) -> Tally:
    """Write the dataset. Without a teacher, the traces of the dataset itself are what is taught.

    Raises DatasetError for a dataset that cannot be used so, UsageError for a folder that holds something else, and
    ModelMisused for an endpoint that will not serve.
    """
    seen = await _examine(order, student, place)
    if teacher is None:
        rows, rejects = _proved(place.dataset, seen.failed)
    else:
        player = _Player("teacher", teacher, order.tries, order.teacher_sampling)
        rows, rejects = _solved(seen.failed, await _play(player, seen.failed, order, place), teacher)
    taught = {row.task_id for row in rows}
    await asyncio.to_thread(_write, place, [task for task in seen.failed if task.id in taught], rows, rejects)
    tally = seen.tally(len(taught), Counter(reject.reason for reject in rejects))
    keep(place.out, tally)
    return tally


async def failures(order: Distil, student: Model, place: Place) -> tuple[Tally, list[tuple[Task, Trace]]]:
    """What the student did of its tasks, and its runs at those that it failed: for teaching on policy, where each is
    taught. Raises as `distil`."""
    seen = await _examine(order, student, place)
    runs = [(task, run) for task in seen.failed for run in seen.runs[task.id] if isinstance(run, Trace)]
    tally = seen.tally(len({task.id for task, _ in runs}), {})
    keep(place.out, tally)
    return tally, runs


@dataclass(frozen=True)
class _Seen:
    """What the student did."""

    tasks: Sequence[Task]
    held_out: int
    runs: Runs
    found: Mapping[str, Found]

    @property
    def failed(self) -> list[Task]:
        return [task for task in self.tasks if self.found[task.id] == "failed"]

    def tally(self, taught: int, untaught: Mapping[str, int]) -> Tally:
        verdicts = Counter(verdict(task, one) for task in self.tasks for one in self.runs[task.id])
        counts = Counter(self.found.values())
        return Tally(
            held_out=self.held_out,
            asked=len(self.tasks),
            runs=verdicts.total() - verdicts["lost"],
            right_runs=verdicts["correct"],
            unscored_runs=verdicts["unscored"],
            done=counts["done"],
            undecided=counts["undecided"],
            failed=counts["failed"],
            taught=taught,
            untaught=dict(untaught),
        )


async def _examine(order: Distil, student: Model, place: Place) -> _Seen:
    tasks, held_out = _training_tasks(place.dataset, order.tasks)
    claim(place.out, order, sha256_file(place.dataset / TASKS))
    runs = await _play(_Player("student", student, order.samples, order.student_sampling), tasks, order, place)
    return _Seen(tasks, held_out, runs, {task.id: judge(task, runs[task.id], order.enough) for task in tasks})


def _training_tasks(dataset: Path, most: int | None) -> tuple[list[Task], int]:
    """The tasks of the train split, and how many are on the other sides."""
    every = load_tasks(dataset)
    check_sides(dataset, load_traces(dataset) if (dataset / TRACES).exists() else [])
    tasks = [task for task in every if task.split == "train"]
    if not tasks:
        raise DatasetError(f"{dataset} has no task in its train split: there is nothing to distil")
    if missing := missing_tables(dataset, tasks):
        raise DatasetError(f"{dataset} does not hold the table {missing[0].name}, which its tasks read")
    return tasks[:most], len(every) - len(tasks)


async def _play(player: _Player, tasks: Sequence[Task], order: Distil, place: Place) -> Runs:
    """Every task so many times, each in a fresh kernel; runs of an earlier start count."""
    jobs = {task.id: [_job(player, task, number, place) for number in range(player.times)] for task in tasks}
    every = [job for some in jobs.values() for job in some]
    file = TraceFile(place.out / f"{player.name}.jsonl")
    ended = len(file.load().keys() & {job.assignment.id for job in every})
    place.tell(player.name, ended, len(every))

    def heard(run: Trace | Failed) -> None:
        nonlocal ended
        ended += 1
        place.tell(player.name, ended, len(every))

    runs = await run_all(every, player.model, place.pool, file, at_once=place.at_once, limits=order.limits, tell=heard)
    return {name: [runs[job.assignment.id] for job in some] for name, some in jobs.items()}


def _job(player: _Player, task: Task, number: int, place: Place) -> Job:
    # Another index is another reply, also from a cache or a model in this process.
    sampling = replace(player.sampling, index=number)
    assignment = Assignment(f"{task.id}-{player.name}-{number}", user_prompt(task), sampling=sampling)
    settings = KernelSettings(table_paths(task.tables, place.dataset / TABLES), 0, place.limits, era=task.era)
    return Job(assignment, settings)


def _solved(tasks: Sequence[Task], runs: Runs, teacher: Model) -> tuple[list[ChatRow], list[Reject]]:
    """The shortest of the teacher's runs at each task that can be learnt from, and of the others why not."""
    rows: list[ChatRow] = []
    rejects: list[Reject] = []
    # What a model that thinks is told of the tools has no room for a comment, so its runs have one rendering.
    renderings = [name for name in RENDERINGS if name == "thinking" or not teacher.traits.thinks]
    for task in tasks:
        reasons = [why_not_taught(task, run) for run in runs[task.id]]
        good = [run for run, why in zip(runs[task.id], reasons, strict=True) if isinstance(run, Trace) and not why]
        if good:
            best = min(good, key=lambda run: len(run.steps))
            rows += [chat_row(task, best, rendering) for rendering in renderings]
        else:
            rejects.append(Reject.of(_STAGE, task.id, reasons[0], task.question, task.provenance))
    return rows, rejects


def _proved(dataset: Path, tasks: Sequence[Task]) -> tuple[list[ChatRow], list[Reject]]:
    """The dataset's own rows for these tasks."""
    wanted = {task.id for task in tasks}
    rows = [row for row in load_traces(dataset) if row.task_id in wanted and row.ending == "answered"]
    have = {row.task_id for row in rows}
    without = [task for task in tasks if task.id not in have]
    return rows, [Reject.of(_STAGE, t.id, "the dataset has no trace", t.question, t.provenance) for t in without]


def _write(place: Place, tasks: Sequence[Task], rows: Sequence[ChatRow], rejects: Sequence[Reject]) -> None:
    """A dataset's folder that appears whole, or not at all."""
    partial, folder = place.out / f".{DATASET}.partial", place.out / DATASET
    shutil.rmtree(partial, ignore_errors=True)
    write_shard(partial / TASKS, Task, tasks)
    write_shard(partial / TRACES, ChatRow, rows)
    write_shard(partial / REJECTS, Reject, rejects)
    for table in {table.stored_name for task in tasks for table in task.tables}:
        link(place.dataset / TABLES / table, partial / TABLES / table)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
