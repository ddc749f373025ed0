"""One seed of the experiment: a student, what it fails, and what becomes of it by each way to go on."""

import asyncio
import os
import random
import resource
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, get_args

import msgspec

from cellwright.core.hashing import sha256_bytes
from cellwright.core.types import Task, Trace
from cellwright.kernels import LocalPool
from cellwright.models.builtin import FOLDER, BuiltInModel, chat
from cellwright.models.builtin.network import WEIGHTS
from cellwright.training.distil.on_policy import learn
from cellwright.training.recipe import load_recipe
from cellwright.training.scratch.families import Form
from cellwright.training.scratch.fitting import Fit
from cellwright.training.scratch.lessons import Lesson
from cellwright.training.scratch.making import confirmed, make_lessons
from cellwright.training.scratch.school import Plan, exam_recipe, go_on, lessons_recipe, school
from cellwright.training.scratch.trial import Score, Sitting, score, sit

Way = Literal["no more", "more of the same", "its failures", "its failures half the time", "on policy"]
WAYS: tuple[Way, ...] = get_args(Way)
_KERNELS_USE = ("pandas",)
_WARM_UP = 20
_GENTLER = 0.2
"""Times the rates of the first training: with those of a beginning, 100 steps undo more than they teach."""
_TRIED_STEPS = 4
"""Of teaching on policy, to know what a step costs."""
_LEAST_STEP_S = 0.02


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    lessons: int
    steps: int
    """Of the student's first training."""
    pool: int
    """Further lessons, of which the student does the tasks."""
    further_steps: int
    """Of training on failures. With what the student's sitting cost they are what each way may cost."""
    seeds: int
    exam: Mapping[Form, int]


# After 400 steps a student does no task at all, and sitting 400 costs what 1,600 steps do: there is nothing to choose.
FULL = Size(4000, 800, 200, 100, 3, {"one-step": 100, "look-first": 50})
QUICK = Size(120, 8, 4, 4, 1, {"one-step": 2})


_ON_POLICY = (
    "template=auto",
    "data.window=1024",
    "check_memory=false",
    "on_policy.max_completion_length=64",
    "on_policy.per_device_train_batch_size=32",
    "on_policy.learning_rate=1e-3",
    "on_policy.warmup_steps=5",
    "on_policy.beta=0.5",
    "on_policy.save_strategy='no'",
)


@dataclass(frozen=True)
class Material:
    """What all seeds have in common: lessons are the same, the weights they begin from are not."""

    lessons: Sequence[Lesson]
    pool: Sequence[Lesson]
    exams: Mapping[Form, Sequence[Task]]
    store: Path


@dataclass(frozen=True)
class Outcome:
    """One way to go on."""

    way: Way
    steps: int
    cpu_s: float
    """Of going on: training, and where there is one the student's sitting."""
    lessons: int
    """Different ones that it went on with."""
    scores: Mapping[Form, Score]


@dataclass(frozen=True)
class _Kept:
    """One seed, as it stays for a later run of the same."""

    order: str
    outcomes: list[Outcome]


async def make_material(size: Size, store: Path) -> Material:
    """Lessons, further lessons of the same kinds, and exams under names that no lesson has."""
    async with LocalPool(1, preload=_KERNELS_USE) as pool:
        lessons = await make_lessons(lessons_recipe(size.lessons), pool, store)
        further = await make_lessons(lessons_recipe(size.pool, seed=1), pool, store)
        exams = {}
        for form, count in size.exam.items():
            made = await make_lessons(exam_recipe(count, form), pool, store)
            exams[form] = [lesson.task for lesson in await confirmed(made, pool, store)]
    return Material(lessons, further, exams, store)


def run_seeds(
    material: Material, size: Size, folder: Path, keep: Path | None, tell: Callable[[int, list[Outcome]], None]
) -> list[list[Outcome]]:
    """All seeds, one process for each core. What `keep` holds of an earlier run of the same is taken as it is."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn")) as workers:
        jobs = {workers.submit(_seed, material, size, seed, folder, keep): seed for seed in range(size.seeds)}
        for job in as_completed(jobs):
            tell(jobs[job], job.result())
        return [job.result() for job in jobs]


def _seed(material: Material, size: Size, seed: int, folder: Path, keep: Path | None) -> list[Outcome]:
    texts = [[(t.code, t.shown) for t in lesson.turns] for lesson in (*material.lessons, *material.pool)]
    lessons = sha256_bytes(msgspec.json.encode(texts))
    order = sha256_bytes(msgspec.json.encode([replace(size, seeds=1), seed, lessons, WAYS, _GENTLER]))
    mark = keep / f"seed-{seed}.json" if keep is not None else None
    if mark is not None and mark.exists():
        with suppress(msgspec.ValidationError):  # what other code kept
            kept = msgspec.json.decode(mark.read_bytes(), type=_Kept)
            if kept.order == order:
                return kept.outcomes
    outcomes = run_seed(material, size, seed, folder / f"seed-{seed}")
    if mark is not None:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_bytes(msgspec.json.encode(_Kept(order, outcomes)))
    return outcomes


def run_seed(material: Material, size: Size, seed: int, folder: Path) -> list[Outcome]:
    """The student and its ways, in the order of WAYS.

    Equal cost: what doing the tasks of the pool took is given, as further steps, to the way that needs no sitting; and
    on policy there are as many steps as cost what the further steps of the other ways do.
    """
    student = folder / "student"
    began = time.process_time()
    # The vocabulary is the built-in model's, so that it can be the teacher on policy.
    plan = Plan(size.lessons, Fit(size.steps, seed=seed))
    school(material.lessons, plan, student, lambda told: None, vocabulary=FOLDER)
    step_s = (time.process_time() - began) / size.steps
    before = _cpu_s()
    sittings = asyncio.run(_sit(student, [lesson.task for lesson in material.pool], material.store))
    sitting_s = _cpu_s() - before
    failed = [lesson for lesson, one in zip(material.pool, sittings, strict=True) if not one.is_correct]
    same = [*material.lessons, *material.pool]
    room = size.further_steps * Fit.batch // 2
    others = random.Random(f"others {seed}").sample(list(material.lessons), min(room, len(material.lessons)))
    half = [*others, *(failed * ceil(len(others) / max(1, len(failed))))]
    ways: dict[Way, tuple[Sequence[Lesson], int]] = {
        "no more": ((), 0),
        "more of the same": (same, size.further_steps + round(sitting_s / step_s)),
        "its failures": (failed, size.further_steps),
        "its failures half the time": (half if failed else (), size.further_steps),
    }
    found = []
    for way, (lessons, steps) in ways.items():
        place, began = folder / way.replace(" ", "-").replace(",", ""), time.process_time()
        if steps and lessons:
            go_on(student, lessons, Plan(len(lessons), _further(steps, seed)), place, lambda told: None)
        cpu_s = time.process_time() - began + (sitting_s if way.startswith("its failures") else 0.0)
        examined = place if steps and lessons else student
        scores = _examined(examined, material)
        different = len({id(lesson) for lesson in lessons})
        found.append(Outcome(way, steps if lessons else 0, cpu_s if steps else 0.0, different, scores))
    found.append(_on_policy(student, sittings, (sitting_s, step_s * size.further_steps), material, folder))
    return found


def _further(steps: int, seed: int) -> Fit:
    return Fit(
        steps,
        matrix_rate=Fit.matrix_rate * _GENTLER,
        other_rate=Fit.other_rate * _GENTLER,
        warm_up=min(_WARM_UP, steps),
        short_share=0.0,
        seed=seed + 100,
    )


def _on_policy(
    student: Path, sittings: Sequence[Sitting], costs: tuple[float, float], material: Material, folder: Path
) -> Outcome:
    """The built-in model as teacher. `costs`: CPU-seconds of the sitting, and those that there are for learning."""
    failed = [sitting.trace for sitting in sittings if not sitting.is_correct]
    turns = list(dict.fromkeys(turn for trace in failed for turn in _turns(trace)))

    def learnt(steps: int, place: Path) -> float:
        began = time.process_time()
        changes = ["fresh=null", f"on_policy.max_steps={steps}", f"sft.seed={steps}", *_ON_POLICY]
        recipe = load_recipe("tiny-from-scratch", changes, str(student))
        learn(turns, str(FOLDER), recipe, place, lambda told: None)
        return time.process_time() - began

    # The first is for what is slow once.
    _, few, many = (learnt(n * _TRIED_STEPS, folder / f"tried-{place}") for place, n in enumerate((1, 1, 4)))
    steps = max(1, round(costs[1] / max((many - few) / _TRIED_STEPS / 3, _LEAST_STEP_S)))
    cpu_s = learnt(steps, folder / "taught")
    # Its weights in the student's own folder: transformers writes the tokenizer in a form of its own.
    place = folder / "on-policy"
    shutil.copytree(student, place)
    shutil.copyfile(folder / "taught" / WEIGHTS, place / WEIGHTS)
    return Outcome("on policy", steps, cpu_s + costs[0], len(failed), _examined(place, material))


def _examined(folder: Path, material: Material) -> dict[Form, Score]:
    return {form: score(asyncio.run(_sit(folder, tasks, material.store))) for form, tasks in material.exams.items()}


def _turns(trace: Trace) -> Iterator[str]:
    """What the student was given before each of its turns; up to the first call that cannot be read as one."""
    said = [message for message in trace.messages if message.role != "system"]
    for end, message in enumerate(said):
        if message.role == "assistant":
            try:
                yield chat.render(said[:end], asks=True)
            except ValueError:
                return


async def _sit(folder: Path, tasks: Sequence[Task], store: Path) -> list[Sitting]:
    model = BuiltInModel.load(folder, checks_scope=False)
    async with LocalPool(1, preload=_KERNELS_USE) as pool:
        return await sit(tasks, lambda task: model, pool, store)


def _cpu_s() -> float:
    """Of this process and of the kernels that it had."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)
