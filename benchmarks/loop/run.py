"""The parts of the loop: make lessons and exams, train, let what was trained sit the exams."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from cellwright.core.hashing import sha256_bytes
from cellwright.core.types import Task
from cellwright.kernels import LocalPool
from cellwright.models import Model
from cellwright.models.builtin import BuiltInModel
from cellwright.models.local import served_locally
from cellwright.samples import lay_out
from cellwright.training.scratch.families import Form
from cellwright.training.scratch.fitting import Fit, Progress
from cellwright.training.scratch.lessons import Lesson
from cellwright.training.scratch.making import Recipe, confirmed, make_lessons
from cellwright.training.scratch.names import AS_IN_THE_WILD, SYLLABLES, Style
from cellwright.training.scratch.school import (
    Control,
    Plan,
    easy_lessons_recipe,
    exam_recipe,
    lessons_recipe,
    school,
    wide_exam_recipe,
)
from cellwright.training.scratch.tables import read_table
from cellwright.training.scratch.trial import Sitting, Slipping, sit

Exam = Literal["one-step", "look-first", "two-step", "three-step", "wide", "recovery", "real tables"]
_REAL = ("grunfeld", "statecrime", "fair", "longley", "cpunish", "copper", "macrodata", "elnino", "randhie", "nile")
_REAL_PER_TABLE = 3
_KERNELS_USE = ("pandas",)
_TOLD_EVERY = 250
"""Steps between two lines on where a training is."""


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    lessons: int
    steps: int
    seeds: int
    controls: tuple[Control, ...]
    tasks: Mapping[Exam, int]
    served: int
    """Tasks that the first seed also sits behind `transformers serve`."""
    layers: int = 4
    is_easy: bool = False
    """Two forms, and names of syllables: enough to see in minutes that something is learnt."""

    @property
    def style(self) -> Style:
        return SYLLABLES if self.is_easy else AS_IN_THE_WILD


FULL = Size(
    lessons=6000,
    steps=2500,
    seeds=3,
    controls=(),
    tasks={
        "one-step": 200,
        "look-first": 100,
        "two-step": 50,
        "three-step": 50,
        "wide": 100,
        "recovery": 100,
        "real tables": 100,
    },
    served=40,
)
BUILT_IN = replace(FULL, steps=3500, seeds=1)
"""What ships is trained for longer: it is made once."""
QUICK = Size(
    lessons=2000,
    steps=500,
    seeds=1,
    controls=("random weights",),
    tasks={"one-step": 40},
    served=0,
    layers=3,
    is_easy=True,
)
CONTROLS = replace(
    QUICK,
    controls=("random weights", "shuffled answers", "no outputs"),
    tasks={"one-step": 100, "look-first": 60},
)
"""What is taken away shows at a size that trains in minutes."""


@dataclass(frozen=True)
class Trained:
    """One model, and what its training took."""

    name: str
    folder: Path
    cpu_s: float
    tokens: int


def plans(size: Size) -> dict[str, Plan]:
    """Every training by its name."""
    plan = Plan(size.lessons, Fit(size.steps), style=size.style, layers=size.layers)
    found = {f"seed {seed}": replace(plan, fit=Fit(size.steps, seed=seed)) for seed in range(size.seeds)}
    return found | {control: replace(plan, control=control) for control in size.controls}


async def make_all(size: Size, store: Path) -> tuple[list[Lesson], dict[Exam, list[Task]]]:
    """The lessons, and the tasks of each exam: their answers confirmed by the judge, each in fresh processes."""
    async with LocalPool(1, preload=_KERNELS_USE) as pool:
        recipe = easy_lessons_recipe(size.lessons) if size.is_easy else lessons_recipe(size.lessons)
        lessons = await make_lessons(recipe, pool, store)
        exams: dict[Exam, list[Task]] = {}
        for name, count in size.tasks.items():
            if (exam := _recipe(name, count, size, store)) is not None:
                made = await make_lessons(exam, pool, store)
                exams[name] = [lesson.task for lesson in await confirmed(made, pool, store)]
    if "recovery" in size.tasks:
        exams["recovery"] = exams["one-step"][: size.tasks["recovery"]]
    return lessons, exams


def _recipe(name: Exam, count: int, size: Size, store: Path) -> Recipe | None:
    """What an exam is made of; none where it has the tasks of another one."""
    match name:
        case "recovery":
            return None
        case "wide":
            return wide_exam_recipe(count)
        case "real tables":
            return _real(count, store)
        case _:
            return exam_recipe(count, name, style=size.style)


def _real(count: int, store: Path) -> Recipe:
    lay_out(store / "samples")
    paths = [samples_of(store) / f"{name}.csv" for name in _REAL]
    tables = tuple(read_table(path, in_words=in_words) for path in paths for in_words in (False, True))
    forms: dict[Form, float] = {"one-step": 0.5, "look-first": 0.5}
    return Recipe(count, forms, seed=2, tables=tables, per_table=_REAL_PER_TABLE)


def samples_of(store: Path) -> Path:
    """Where the tables of the samples are laid out."""
    return store / "samples" / "data"


def train_all(lessons: Sequence[Lesson], size: Size, folder: Path, tell: Callable[[str], None]) -> list[Trained]:
    """All trainings, one process for each core, each on one thread. What `folder` holds of an earlier run, trained by
    the same plan on the same lessons, is taken as it is."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn")) as workers:
        jobs = {
            workers.submit(_train, lessons, plan, name, folder / name.replace(" ", "-")): name
            for name, plan in plans(size).items()
        }
        found: dict[str, Trained] = {}
        for job in as_completed(jobs):
            one = found[jobs[job]] = job.result()
            tell(f"{one.name}: trained in {one.cpu_s:.0f} CPU-s, {one.tokens} tokens")
        return [found[name] for name in jobs.values()]


def _train(lessons: Sequence[Lesson], plan: Plan, name: str, folder: Path) -> Trained:
    texts = [(one.question, one.answer, [(turn.code, turn.shown) for turn in one.turns]) for one in lessons]
    order = {"plan": json.loads(json.dumps(asdict(plan))), "lessons": sha256_bytes(json.dumps(texts).encode())}
    mark = folder.with_name(f"{folder.name}.json")
    if mark.exists() and (kept := json.loads(mark.read_text()))["order"] == order:
        return Trained(name, folder, kept["cpu_s"], kept["tokens"])
    shutil.rmtree(folder, ignore_errors=True)
    began = time.process_time()
    last: list[Progress] = []

    def heard(progress: Progress) -> None:
        last.append(progress)
        if progress.step % _TOLD_EVERY == 0:
            sys.stderr.write(
                f"{name}: step {progress.step} of {plan.fit.steps}, loss {progress.loss:.3f}, "
                f"{progress.cpu_s:.0f} CPU-s\n"
            )

    school(lessons, plan, folder, heard)
    trained = Trained(name, folder, time.process_time() - began, last[-1].tokens if last else 0)
    # Beside the folder, which may go into the package; written last, so that what has it is whole.
    mark.write_text(json.dumps({"order": order, "cpu_s": trained.cpu_s, "tokens": trained.tokens}))
    return trained


async def examine(trained: Trained, exams: Mapping[Exam, Sequence[Task]], store: Path) -> dict[Exam, list[Sitting]]:
    """What one model does in every exam; `recovery` runs its first cell with a mistake in it."""
    model = BuiltInModel.load(trained.folder, trained.name, checks_scope=False)

    def model_for(exam: Exam) -> Callable[[Task], Model]:
        return lambda task: Slipping(model, task.id) if exam == "recovery" else model

    async with LocalPool(2, preload=_KERNELS_USE) as pool:
        return {exam: await sit(tasks, model_for(exam), pool, store, at_once=2) for exam, tasks in exams.items()}


async def examine_served(trained: Trained, tasks: Sequence[Task], store: Path) -> list[Sitting]:
    """The same behind an HTTP server of transformers, as any model would be used."""
    async with (
        served_locally(str(trained.folder), server="transformers") as model,
        LocalPool(1, preload=_KERNELS_USE) as pool,
    ):
        return await sit(tasks, lambda task: model, pool, store)
