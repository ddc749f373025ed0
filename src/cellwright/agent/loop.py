"""The loop: a model says its turn, its code runs in a kernel, it sees the output, until it gives an answer.

Knows protocols only. Every run that uses a model, or a program in a model's place, is a run of this loop.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from cellwright.agent.observation import observe
from cellwright.agent.tools import EXECUTE_CODE, FINAL_ANSWER, tools_json
from cellwright.core.errors import KernelDied
from cellwright.core.types import Message, Step, ToolCall, Trace
from cellwright.kernels import Kernel
from cellwright.models import Model


@dataclass(frozen=True)
class RunLimits:
    """When a run ends without an answer."""

    steps: int = 25
    """Turns of the model; the original's limit."""
    cell_s: float = 60.0
    """Seconds for one cell."""
    corrections: int = 3
    """Turns without a usable tool call before the run is given up."""


def system_prompt() -> str:
    """The system prompt, without the header that says where it comes from."""
    text = files(__package__).joinpath("prompts/system.md").read_text()
    return text.partition("-->\n")[2].strip()


@dataclass
class _Run:
    """The state of one run, from which the Trace is made."""

    messages: list[Message]
    steps: list[Step] = field(default_factory=list)
    answer: str | None = None
    corrections: int = 0


async def run_agent(
    task_id: str, prompt: str, model: Model, kernel: Kernel, *, limits: RunLimits, versions: Mapping[str, str]
) -> Trace:
    """One run from the user's prompt to an answer or another ending. The kernel is the caller's to close."""
    run = _Run([Message("system", system_prompt()), Message("user", prompt)])
    ending = "step limit"
    for _ in range(limits.steps):
        started = time.monotonic()
        reply = await model.reply(run.messages, tools_json(thinking=False))
        run.messages.append(reply.message)
        ending = await _turn(run, reply.message, kernel, limits, started)
        if ending:
            break
        ending = "step limit"
    return Trace(
        id=task_id,
        task_id=task_id,
        messages=tuple(run.messages),
        steps=tuple(run.steps),
        answer=run.answer,
        ending=ending,
        model=model.name,
        kernel=kernel.isolation,
        versions=versions,
    )


async def _turn(run: _Run, message: Message, kernel: Kernel, limits: RunLimits, started: float) -> str:
    """Carry out one turn. Returns the ending of the run, empty when it goes on."""
    call = message.tool_calls[0] if message.tool_calls else None
    arguments = _arguments(call) if call is not None else None
    if call is None or arguments is None or len(message.tool_calls) > 1:
        return _correct(run, message, limits)
    comment = str(arguments.get("comment", ""))
    if call.name == FINAL_ANSWER and "answer" in arguments:
        run.answer = str(arguments["answer"])
        run.steps.append(Step(comment, None, None, time.monotonic() - started))
        return "answered"
    if call.name != EXECUTE_CODE or "code" not in arguments:
        return _correct(run, message, limits)
    code = str(arguments["code"])
    try:
        result = await kernel.execute(code, timeout_s=limits.cell_s)
    except KernelDied:
        return "kernel died"
    run.steps.append(Step(comment, code, result, time.monotonic() - started))
    run.messages.append(Message("tool", observe(result), tool_call_id=call.id))
    return "kernel died" if result.status == "dead" else ""


def _arguments(call: ToolCall) -> dict[str, object] | None:
    try:
        arguments = json.loads(call.arguments_json)
    except ValueError:
        return None
    return arguments if isinstance(arguments, dict) else None


def _correct(run: _Run, message: Message, limits: RunLimits) -> str:
    run.corrections += 1
    text = f"Call one tool: {EXECUTE_CODE} with code, or {FINAL_ANSWER} with the answer."
    if message.tool_calls:
        run.messages.extend(Message("tool", text, tool_call_id=call.id) for call in message.tool_calls)
    else:
        run.messages.append(Message("user", text))
    return "gave up" if run.corrections > limits.corrections else ""
