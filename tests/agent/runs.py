"""Runs of the loop with scripted models and real kernels."""

import asyncio
import json
from collections.abc import Callable, Iterable

from cellwright.agent import Assignment, RunLimits, Watcher, run_agent
from cellwright.core.types import Message, ToolCall, Trace
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.models import Model, Reply, Request, ScriptedModel, Traits

Turn = Message | Reply


def call(name: str, **arguments: object) -> Message:
    return raw_call(name, json.dumps(arguments))


def raw_call(name: str, arguments: str) -> Message:
    return Message("assistant", "", tool_calls=(ToolCall("c", name, arguments),))


def code(source: str) -> Message:
    return call("execute_code", code=source, comment="A cell.")


ANSWER = call("final_answer", answer="4", comment="Done.")


def run(
    script: Iterable[Turn] | Callable[[Request], Turn] | Model,
    *,
    limits: RunLimits | None = None,
    traits: Traits | None = None,
    watcher: Watcher | None = None,
    assignment: Assignment | None = None,
    stop_after_s: float | None = None,
) -> Trace:
    """One run in a kernel of its own."""
    model = (
        script
        if not isinstance(script, Iterable) and not callable(script)
        else ScriptedModel(script, traits or Traits("scripted"))
    )

    async def job() -> Trace:
        stop = asyncio.Event()
        async with LocalPool(1, rung="trusted", preload=()) as pool, pool.kernel(KernelSettings()) as kernel:
            if stop_after_s is not None:
                asyncio.get_running_loop().call_later(stop_after_s, stop.set)
            task = assignment or Assignment("t", "What is 2 + 2?")
            try:
                return await run_agent(task, model, kernel, limits=limits, watcher=watcher, stop=stop)
            finally:
                await model.close()

    return asyncio.run(job())
