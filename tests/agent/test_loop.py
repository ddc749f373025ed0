"""The loop, with a scripted model and a real kernel."""

import asyncio
import json

from cellwright.agent import RunLimits, run_agent
from cellwright.core.types import Message, ToolCall, Trace
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.models import ScriptedModel


def call(name: str, **arguments: str) -> Message:
    return Message("assistant", "", tool_calls=(ToolCall("c", name, json.dumps(arguments)),))


def run(*turns: Message, steps: int = 10, cell_s: float = 20.0) -> Trace:
    """One run of these turns."""

    async def job() -> Trace:
        async with LocalPool(1, rung="trusted") as pool, pool.kernel(KernelSettings()) as kernel:
            limits = RunLimits(steps=steps, cell_s=cell_s)
            return await run_agent("t", "What is 2 + 2?", ScriptedModel(turns), kernel, limits=limits, versions={})

    return asyncio.run(job())


ANSWER = call("final_answer", answer="4", comment="Done.")


def test_code_runs_and_its_output_is_seen() -> None:
    """State stays from cell to cell, each output goes back to the model, and the answer ends the run."""
    trace = run(
        call("execute_code", code="x = 2", comment="Set."), call("execute_code", code="x + 2", comment="Add."), ANSWER
    )
    assert (trace.answer, trace.ending) == ("4", "answered")
    assert [message.content for message in trace.messages if message.role == "tool"] == ["(no output)", "4"]
    assert [step.comment for step in trace.steps] == ["Set.", "Add.", "Done."]
    assert trace.messages[0].role == "system"


def test_failing_code_is_shown_and_the_run_goes_on() -> None:
    """An error is an observation, not the end."""
    trace = run(call("execute_code", code="1 / 0"), ANSWER)
    assert trace.ending == "answered"
    assert trace.steps[0].result is not None
    assert trace.steps[0].result.status == "error"
    assert "ZeroDivisionError" in trace.messages[3].content


def test_turn_without_a_usable_call_is_corrected() -> None:
    """Prose, unknown tools and broken arguments are answered with what to do; too many end the run."""
    broken = Message("assistant", "", tool_calls=(ToolCall("c", "execute_code", "{not json"),))
    prose = Message("assistant", "I think it is four.")
    assert run(prose, broken, call("look_around"), ANSWER).ending == "answered"
    trace = run(prose, prose, prose, prose, ANSWER)
    assert (trace.answer, trace.ending) == (None, "gave up")


def test_runs_end_at_their_limits() -> None:
    """Too many steps, and a kernel that dies, are endings with names."""
    assert run(*[call("execute_code", code="1")] * 5, steps=3).ending == "step limit"
    assert run(call("execute_code", code="import os; os.kill(os.getpid(), 9)"), ANSWER).ending == "kernel died"
