"""Distillation: scripted students and teachers behind real HTTP, real kernels, a dataset of a real build."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cellwright.agent import EXECUTE_CODE, FINAL_ANSWER
from cellwright.answers import from_json, render
from cellwright.core.errors import DatasetError, UsageError
from cellwright.core.records import read_shard, write_shard
from cellwright.core.types import Message, Reject, Task, ToolCall
from cellwright.dataset.files import REJECTS, TABLES, TASKS, load_tasks, load_traces
from cellwright.kernels import Limits, LocalPool
from cellwright.models import Endpoint, OpenAIModel, Traits
from cellwright.models.server import Answer, Failure, Script, ScriptedServer
from cellwright.pipeline.trace import user_prompt
from cellwright.training.distil import DATASET, TRACES_AS_TEACHER, Distil, Place, Tally, distil, load_tally
from cellwright.training.rows import read_talks

LOOK = "import pandas as pd\nprint('looked')"
ORDER = Distil("student", "teacher", samples=2)


class Player:
    """Looks, then answers: rightly those tasks that it knows. Some of its ways can be told to be odd."""

    def __init__(self, tasks: Sequence[Task], knows: Sequence[Task], *, looks: bool = True, calls: str = "") -> None:
        self._by_prompt = {user_prompt(task): task for task in tasks}
        self._knows = {task.id for task in knows}
        self._looks, self._execute = looks, calls or EXECUTE_CODE
        self.asked: list[str] = []
        """Ids of the tasks, a request each."""
        self.down: set[str] = set()
        """Ids of tasks at which the endpoint fails."""

    def __call__(self, request: Mapping[str, Any]) -> Answer:
        messages = request["messages"]
        task = self._by_prompt[next(m["content"] for m in messages if m["role"] == "user")]
        self.asked.append(task.id)
        if task.id in self.down:
            return Failure(500, "down")
        if self._looks and messages[-1]["role"] != "tool":
            return call(self._execute, code=LOOK)
        right = render(from_json(task.answer_json, task.contract), task.contract)
        return call(FINAL_ANSWER, answer=right if task.id in self._knows else "none of these")


def call(tool: str, **arguments: str) -> Message:
    text = json.dumps({**arguments, "comment": "As I was told."})
    return Message("assistant", "", tool_calls=(ToolCall("call_0", tool, text),))


def serving(script: Script) -> ScriptedServer:
    return ScriptedServer(script, names=("student", "teacher"))


def run(dataset: Path, out: Path, student: Script, teacher: Script | None, order: Distil = ORDER) -> Tally:
    """A distillation with both behind servers of their own."""

    async def job() -> Tally:
        with serving(student) as one, serving(teacher or student) as other:
            async with (
                OpenAIModel(Endpoint(one.url, Traits("student"), retries=0)) as pupil,
                OpenAIModel(Endpoint(other.url, Traits("teacher"), retries=0)) as master,
                LocalPool(2, preload=("pandas",)) as pool,
            ):
                place = Place(dataset, out, pool, 2, Limits(), lambda who, ended, runs: None)
                return await distil(order, pupil, master if teacher is not None else None, place)

    return asyncio.run(job())


@pytest.fixture(scope="module")
def split(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built dataset with the tasks of one table held out."""
    folder = tmp_path_factory.mktemp("split") / "dataset"
    folder.mkdir()
    tasks = load_tasks(dataset)
    held = tasks[-1].tables[0].sha256
    sides = [replace(t, split="test" if any(x.sha256 == held for x in t.tables) else "train") for t in tasks]
    side_of = {task.id: task.split for task in sides}
    assert set(side_of.values()) == {"train", "test"}
    write_shard(folder / TASKS, Task, sides)
    rows = [replace(row, split=str(side_of[row.task_id])) for row in load_traces(dataset)]
    write_shard(folder / "traces.parquet", type(rows[0]), rows)
    (folder / TABLES).symlink_to(dataset / TABLES)
    return folder


def training(split: Path) -> list[Task]:
    return [task for task in load_tasks(split) if task.split == "train"]


def test_what_the_student_fails_and_the_teacher_solves_is_taught(split: Path, tmp_path: Path) -> None:
    """One task the student does, one nobody, the others the teacher: those are a dataset that training reads."""
    tasks = training(split)
    student, teacher = Player(tasks, tasks[:1]), Player(tasks, tasks[:-1])
    tally = run(split, tmp_path, student, teacher)
    assert tally == Tally(
        held_out=len(load_tasks(split)) - len(tasks),
        asked=len(tasks),
        runs=2 * len(tasks),
        right_runs=2,
        unscored_runs=0,
        done=1,
        undecided=0,
        failed=len(tasks) - 1,
        taught=len(tasks) - 2,
        untaught={"the teacher is wrong": 1},
    )
    assert load_tally(tmp_path) == tally
    assert set(teacher.asked) == {task.id for task in tasks[1:]}
    talks = read_talks(tmp_path / DATASET, "non-thinking")
    assert len(talks["train"]) == len(tasks) - 2
    assert not talks["test"]
    said = [message for message in talks["train"][0].messages if message["role"] in ("assistant", "tool")]
    assert said[0]["tool_calls"][0]["function"]["arguments"]["code"] == LOOK
    assert said[1]["content"] == "looked"
    assert {row.model for row in load_traces(tmp_path / DATASET)} == {"teacher"}
    reject = next(iter(read_shard(tmp_path / DATASET / REJECTS, Reject)))
    assert (reject.record, reject.reason) == (tasks[-1].id, "the teacher is wrong")


def test_tasks_that_are_held_out_are_never_run(split: Path, tmp_path: Path) -> None:
    """Neither by the student nor by the teacher, and none is in what is written."""
    every = load_tasks(split)
    held = {task.id for task in every if task.split != "train"}
    student, teacher = Player(every, []), Player(every, every)
    run(split, tmp_path, student, teacher, replace(ORDER, samples=1))
    assert not held & {*student.asked, *teacher.asked}
    assert not held & {task.id for task in load_tasks(tmp_path / DATASET)}


def test_it_goes_on_where_it_was_stopped(split: Path, tmp_path: Path) -> None:
    """Runs that came to their end are not done again; what an endpoint lost is, and is no failure meanwhile."""
    tasks = training(split)
    student, teacher = Player(tasks, []), Player(tasks, tasks)
    student.down = {tasks[0].id}
    first = run(split, tmp_path, student, teacher)
    assert (first.undecided, first.failed, first.taught) == (1, len(tasks) - 1, len(tasks) - 1)
    student.down.clear()
    student.asked.clear()
    teacher.asked.clear()
    second = run(split, tmp_path, student, teacher)
    assert (second.undecided, second.failed, second.taught) == (0, len(tasks), len(tasks))
    assert set(student.asked) == set(teacher.asked) == {tasks[0].id}
    with pytest.raises(UsageError, match="holds another distillation"):
        run(split, tmp_path, student, teacher, replace(ORDER, samples=3))


def test_the_dataset_may_be_the_teacher(split: Path, tmp_path: Path) -> None:
    """Its own proved traces of the failed tasks are taken as they are, in both renderings."""
    tasks = training(split)
    student = Player(tasks, tasks[1:])
    tally = run(split, tmp_path, student, None, replace(ORDER, teacher=TRACES_AS_TEACHER))
    assert (tally.failed, tally.taught) == (1, 1)
    before = [row for row in load_traces(split) if row.task_id == tasks[0].id]
    assert load_traces(tmp_path / DATASET) == before
    assert len(before) == 2


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"looks": False}, "answered without running code"),
        ({"calls": "python"}, "a call not written as its tool is told"),
    ],
)
def test_right_answers_that_teach_the_wrong_thing_are_left_out(
    odd: dict[str, Any], reason: str, split: Path, tmp_path: Path
) -> None:
    """Guesses, and other scaffolds' words for the tools."""
    tasks = training(split)
    order = replace(ORDER, samples=1, tasks=1)
    tally = run(split, tmp_path, Player(tasks, []), Player(tasks, tasks, **odd), order)
    assert (tally.asked, tally.taught, tally.untaught) == (1, 0, {reason: 1})


def test_enough_right_runs_are_asked_for(split: Path, tmp_path: Path) -> None:
    """A student that is right now and then has still to learn."""
    tasks = training(split)[:1]
    now_and_then = Player(tasks, tasks)

    def script(request: Mapping[str, Any]) -> Answer:
        answer = now_and_then(request)
        is_first = len(now_and_then.asked) <= 2
        return answer if is_first or not isinstance(answer, Message) else call(FINAL_ANSWER, answer="none of these")

    order = replace(ORDER, tasks=1, enough=2)
    tally = run(split, tmp_path, script, Player(tasks, tasks), order)
    assert tally.right_runs <= 1
    assert (tally.failed, tally.taught) == (1, 1)


def test_a_dataset_whose_table_is_on_two_sides_is_refused(split: Path, tmp_path: Path) -> None:
    """What is held out must not come in by another task."""
    tasks = [replace(task, split="train" if n else "test") for n, task in enumerate(training(split))]
    (tmp_path / "bad").mkdir()
    write_shard(tmp_path / "bad" / TASKS, Task, tasks)
    with pytest.raises(DatasetError, match="is on two sides"):
        run(tmp_path / "bad", tmp_path / "out", Player(tasks, []), None)
    assert not (tmp_path / "out").exists()
