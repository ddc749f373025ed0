"""Many runs at once, and what is left of them when the program is killed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from cellwright.agent import Assignment
from cellwright.agent.batch import Failed, Job, TraceFile, run_all
from cellwright.core.errors import ModelMisused, ModelUnavailable
from cellwright.core.types import Message, Trace
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.models import Request, ScriptedModel

from .runs import ANSWER, code


class Script:
    """One cell, then an answer; counts its turns."""

    def __init__(self) -> None:
        self.turns = 0

    def __call__(self, request: Request) -> Message:
        self.turns += 1
        question = request.messages[1].content
        if question == "broken":
            raise ModelUnavailable("down")
        if question == "misused":
            raise ModelMisused("wrong key")
        return ANSWER if request.messages[-1].role == "tool" else code("print(1)")


def do(questions: Sequence[str], script: Script, path: Path) -> list[Trace | Failed]:
    async def job() -> list[Trace | Failed]:
        async with LocalPool(4, rung="trusted", preload=()) as pool:
            jobs = [Job(Assignment(f"run {n}", question), KernelSettings()) for n, question in enumerate(questions)]
            found = await run_all(jobs, ScriptedModel(script), pool, TraceFile(path), at_once=4)
            return list(found.values())

    return asyncio.run(job())


def test_finished_runs_are_not_done_again(tmp_path: Path) -> None:
    """A second time only the new ones run, also after half a line was written."""
    path, script = tmp_path / "traces.jsonl", Script()
    assert [trace.ending for trace in do(["a", "b"], script, path) if isinstance(trace, Trace)] == ["answered"] * 2
    with path.open("ab") as file:
        file.write(b'{"id": "run 2", "half')
    traces = do(["a", "b", "c"], script, path)
    assert [trace.id for trace in traces] == ["run 0", "run 1", "run 2"]
    assert script.turns == 6
    assert len(TraceFile(path).load()) == 3
    assert traces[2] == TraceFile(path).load()["run 2"]


def test_a_run_whose_endpoint_fails_loses_no_other(tmp_path: Path) -> None:
    """It is told with its reason, is in no file, and is tried again the next time."""
    path = tmp_path / "traces.jsonl"
    found = do(["a", "broken", "c"], Script(), path)
    assert found[1] == Failed("run 1", "ModelUnavailable: down")
    assert sorted(TraceFile(path).load()) == ["run 0", "run 2"]


def test_a_wrong_key_ends_all(tmp_path: Path) -> None:
    """No other run could succeed."""
    with pytest.raises(ModelMisused, match="wrong key"):
        do(["a", "misused", "misused", "c"], Script(), tmp_path / "traces.jsonl")
