"""A trace as chat rows: the messages and tools that `tokenizer.apply_chat_template` takes as they are.

Two renderings. `non-thinking`: each call says what it does in its `comment` argument. `thinking`: the same words stand
in `reasoning_content`, and the calls have no comment.
"""

import json
from dataclasses import dataclass
from typing import Literal

from cellwright.agent.tools import tools_json
from cellwright.answers import from_json, render
from cellwright.core.records import Json
from cellwright.core.types import Message, Task, Trace

Rendering = Literal["non-thinking", "thinking"]
RENDERINGS: tuple[Rendering, ...] = ("non-thinking", "thinking")


@dataclass(frozen=True)
class ChatFunction:
    """The function of a tool call; `arguments` is a JSON object."""

    name: str
    arguments: Json


@dataclass(frozen=True)
class ChatToolCall:
    """One tool call of an assistant message."""

    id: str
    type: str
    function: ChatFunction


@dataclass(frozen=True)
class ChatMessage:
    """One message; what a role does not have is null."""

    role: str
    content: str
    reasoning_content: str | None
    tool_calls: tuple[ChatToolCall, ...] | None
    tool_call_id: str | None


@dataclass(frozen=True)
class ChatRow:
    """One row of traces.parquet."""

    id: str
    task_id: str
    rendering: str
    messages: tuple[ChatMessage, ...]
    tools: Json
    """List of tool definitions."""
    question: str
    answer: str
    """The answer's canonical text, as the last message gives it."""
    split: str
    level: int
    ending: str
    model: str
    kernel: str
    notebook: str
    """Path of the source notebook in its source."""


def chat_row(task: Task, trace: Trace, rendering: Rendering) -> ChatRow:
    """A trace of a task, as a row of traces.parquet."""
    return ChatRow(
        id=f"{trace.id}-{rendering}",
        task_id=task.id,
        rendering=rendering,
        messages=chat_messages(trace, rendering),
        tools=chat_tools(rendering),
        question=task.question,
        answer=render(from_json(task.answer_json, task.contract), task.contract),
        split=task.split or "train",
        level=task.level,
        ending=trace.ending,
        model=trace.model,
        kernel=trace.kernel,
        notebook=task.provenance.path,
    )


def chat_messages(trace: Trace, rendering: Rendering) -> tuple[ChatMessage, ...]:
    """The messages of a trace in one rendering."""
    return tuple(_message(message, rendering) for message in trace.messages)


def chat_tools(rendering: Rendering) -> Json:
    """The tool definitions that go with a rendering."""
    return Json(tools_json(thinking=rendering == "thinking"))


def _message(message: Message, rendering: Rendering) -> ChatMessage:
    calls: list[ChatToolCall] = []
    thoughts = [message.reasoning] if message.reasoning else []
    for call in message.tool_calls:
        arguments = json.loads(call.arguments_json)
        if rendering == "thinking":
            thoughts.append(arguments.pop("comment", ""))
        text = json.dumps(arguments, ensure_ascii=False)
        calls.append(ChatToolCall(call.id, "function", ChatFunction(call.name, Json(text))))
    return ChatMessage(
        message.role,
        message.content,
        "\n".join(thought for thought in thoughts if thought) or None,
        tuple(calls) or None,
        message.tool_call_id,
    )
