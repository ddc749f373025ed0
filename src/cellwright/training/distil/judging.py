"""What runs show: whether the student can do a task, and whether a teacher's run is one to learn from."""

import json
from collections.abc import Sequence
from typing import Literal

from cellwright.agent import EXECUTE_CODE, FINAL_ANSWER
from cellwright.agent.batch import Failed
from cellwright.answers import compare, from_json
from cellwright.core.types import Grade, Task, ToolCall, Trace

Found = Literal["done", "failed", "undecided"]
_ARGUMENT = {EXECUTE_CODE: "code", FINAL_ANSWER: "answer"}


def grade(task: Task, trace: Trace) -> Grade | None:
    """None for a run without an answer, which is wrong."""
    if trace.answer is None:
        return None
    return compare(from_json(task.answer_json, task.contract), trace.answer, task.contract)


def verdict(task: Task, run: Trace | Failed) -> Literal["correct", "wrong", "unscored", "lost"]:
    """Of one run. `lost`: an endpoint or a kernel failed, which says nothing of the model."""
    if isinstance(run, Failed):
        return "lost"
    found = grade(task, run)
    return "wrong" if found is None else found.verdict


def judge(task: Task, runs: Sequence[Trace | Failed], enough: int) -> Found:
    """Whether the student can do a task. A run of which nobody can tell may have been right."""
    verdicts = [verdict(task, run) for run in runs]
    right = verdicts.count("correct")
    if right >= enough:
        return "done"
    return "undecided" if right + verdicts.count("unscored") + verdicts.count("lost") >= enough else "failed"


def why_not_taught(task: Task, run: Trace | Failed) -> str:
    """Why a teacher's run is none to learn from, in a few words that can be counted; empty where it is."""
    found = verdict(task, run)
    if isinstance(run, Failed):
        return "the teacher's endpoint or kernel failed"
    if found == "unscored":
        return "the grader could not tell"
    if found == "wrong":
        return "the teacher is wrong" if run.answer is not None else f"the teacher did not answer: {run.ending}"
    if not any(step.result is not None and step.result.status == "ok" for step in run.steps):
        return "answered without running code"
    if any(step.problem for step in run.steps):
        return "a turn of no use"
    if not all(_as_told(call) for message in run.messages for call in message.tool_calls):
        return "a call not written as its tool is told"
    return ""


def _as_told(call: ToolCall) -> bool:
    """The loop takes calls in other scaffolds' words too; a student should not learn those."""
    try:
        arguments = json.loads(call.arguments_json)
    except (ValueError, RecursionError):
        return False
    wanted = _ARGUMENT.get(call.name)
    return isinstance(arguments, dict) and isinstance(arguments.get(wanted), str)
