"""How many tasks of a dataset have twins; writes a section of docs/benchmarks.md.

`python -m benchmarks.twins [DATASET] [--tasks N] [--each N] [--show N]`. Tasks are drawn at random; each is asked for
twins, as `cellwright twin` is. Without a dataset, those of the sample notebooks are taken, and `--show` prints some
tasks with their twins in full: only tables that come with libraries may be shown here.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import table, write_section
from cellwright.answers import from_json, render
from cellwright.apps.progress import make_progress
from cellwright.core.errors import DatasetError
from cellwright.core.types import Reject, Table, Task
from cellwright.dataset.files import load_tasks
from cellwright.kernels import LocalPool
from cellwright.pipeline.build import build
from cellwright.pipeline.config import load_config
from cellwright.pipeline.twins import twin_of_dataset
from cellwright.samples import lay_out

_SEED = 20_261
_WORKERS = 2
_GOAL = "90%"


@dataclass(frozen=True)
class Twinned:
    """A task and what was made of each seed."""

    task: Task
    outcomes: tuple[Task | Reject, ...]

    @property
    def twins(self) -> list[Task]:
        return [outcome for outcome in self.outcomes if isinstance(outcome, Task)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.twins", description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--each", type=int, default=3, help="twins of each task")
    parser.add_argument("--show", type=int, default=3, help="tasks of the samples shown with their twins")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        dataset = given.dataset or _samples(Path(work))
        try:
            tasks = list(load_tasks(dataset))
        except DatasetError as error:
            parser.error(str(error))
        random.Random(_SEED).shuffle(tasks)
        found = asyncio.run(measured(tasks[: given.tasks], dataset, given.each))
    body = report(found, len(tasks), given.each)
    if given.dataset is None:
        body += "\n\n" + "\n\n".join(shown(one) for one in _of_many_kinds(found, given.show, given.each))
    sys.stdout.write(f"{body}\n")
    title = "Twins" if given.dataset is None else "Twins of a corpus"
    write_section(title, "make bench-twins", body)


def _samples(folder: Path) -> Path:
    lay_out(folder / "notebooks")
    with make_progress(quiet=True) as progress:
        asyncio.run(build([folder / "notebooks"], folder / "dataset", load_config(None, []), progress))
    return folder / "dataset"


async def measured(tasks: Sequence[Task], dataset: Path, each: int) -> list[Twinned]:
    """Twins of all tasks, by seeds from 1 on."""
    config = load_config(None, [])
    places = asyncio.Semaphore(_WORKERS)
    async with LocalPool(_WORKERS) as pool:

        async def one(task: Task) -> Twinned:
            async with places:
                made = [await twin_of_dataset(task, seed, dataset, None, pool, config) for seed in range(1, each + 1)]
            found = Twinned(task, tuple(made))
            sys.stderr.write(f"{task.id}: {len(found.twins)} of {each}\n")
            return found

        return list(await asyncio.gather(*(one(task) for task in tasks)))


def report(found: Sequence[Twinned], of: int, each: int) -> str:
    """How many have all, and why others have not."""
    full = sum(len(one.twins) == each for one in found)
    other = sum(len({twin.answer_json for twin in one.twins} | {one.task.answer_json}) > 1 for one in found)
    rows = [
        ("tasks drawn", f"{len(found)} of {of}", ""),
        (f"with {each} twins", f"{full} ({full / max(1, len(found)):.0%})", _GOAL),
        ("with none", str(sum(not one.twins for one in found)), ""),
        ("whose answer moves in a twin", str(other), ""),
    ]
    reasons = Counter(outcome.reason for one in found for outcome in one.outcomes if isinstance(outcome, Reject))
    parts = [table(("what", "count", "goal"), rows)]
    if reasons:
        parts.append(table(("why there is no twin", "count"), [(why, str(n)) for why, n in reasons.most_common()]))
    return "\n\n".join(parts)


def _of_many_kinds(found: Sequence[Twinned], count: int, each: int) -> list[Twinned]:
    """Tasks with all their twins, no two of one family."""
    by_family = {one.task.family: one for one in found if len(one.twins) == each}
    return sorted(by_family.values(), key=lambda one: -one.task.level)[:count]


def shown(one: Twinned) -> str:
    """A task and one twin, whole."""
    (twin, *_) = one.twins
    return "\n\n".join(
        f"**{name}** {task.question}\n\n```text\n{_program(task)}\n```\n\n"
        f"Answer: {render(from_json(task.answer_json, task.contract), task.contract)}. "
        f"Level {task.level}. Tables: {', '.join(_told(table) for table in task.tables)}. "
        f"Gates passed: {', '.join(gate.gate for gate in task.proof.gates)}."
        for name, task in (("Task.", one.task), ("Its twin.", twin))
    )


def _told(table: Table) -> str:
    return f"`{table.name}` ({table.bytes:,} bytes, SHA-256 {table.sha256[:8]}…)"


def _program(task: Task) -> str:
    return "\n".join(task.oracle.cells) if task.oracle is not None else ""


if __name__ == "__main__":
    main()
