"""Messages as the JSON of OpenAI's chat completions, which nearly every server speaks.

https://platform.openai.com/docs/api-reference/chat/create
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from cellwright.core.types import Message, ToolCall

_PICTURE_WORDS = "What the last cell drew:"
_SURROGATES = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATES = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


def to_json(messages: Sequence[Message], *, thinking: bool = False) -> list[dict[str, Any]]:
    """The messages of a request. `thinking`: whether that of earlier turns goes along, as `reasoning_content`.

    Some servers refuse it. The template of a model that was trained on whole runs writes it.

    A tool's message cannot carry pictures there, so they follow it in a message of the user.
    """
    return [part for message in messages for part in _parts(message, thinking)]


def _parts(message: Message, thinking: bool) -> Iterable[dict[str, Any]]:
    thought = {"reasoning_content": message.reasoning} if thinking and message.reasoning else {}
    match message.role:
        case "tool":
            yield {"role": "tool", "tool_call_id": message.tool_call_id or "", "content": message.content}
            if message.images:
                yield {"role": "user", "content": _with_pictures(_PICTURE_WORDS, message.images)}
        case "assistant" if message.tool_calls:
            yield {
                "role": "assistant",
                "content": message.content or None,
                **thought,
                "tool_calls": [_tool_call(call) for call in message.tool_calls],
            }
        case _:
            yield {
                "role": message.role,
                "content": _with_pictures(message.content, message.images) if message.images else message.content,
                **thought,
            }


def _with_pictures(text: str, images: Sequence[str]) -> list[dict[str, Any]]:
    pictures = [{"type": "image_url", "image_url": {"url": image}} for image in images]
    return [{"type": "text", "text": text}, *pictures]


def _tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments_object(call)}
    return {"id": call.id, "type": "function", "function": function}


def arguments_object(call: ToolCall) -> str:
    """The call's arguments as a JSON object. Templates load it: one bad call of a model would end the chat for good."""
    try:
        if isinstance(json.loads(call.arguments_json), dict):
            return call.arguments_json
    except (ValueError, RecursionError):
        pass
    return json.dumps({"not_json": call.arguments_json}, ensure_ascii=False)


def storable(message: Message) -> Message:
    """A model's turn that can be sent and kept: half of a surrogate pair, which no encoding knows, is replaced."""
    calls = tuple(
        replace(call, name=storable_text(call.name), arguments_json=storable_json(call.arguments_json))
        for call in message.tool_calls
    )
    reasoning = None if message.reasoning is None else storable_text(message.reasoning)
    return replace(message, content=storable_text(message.content), reasoning=reasoning, tool_calls=calls)


def storable_text(text: str) -> str:
    """The text with halves of a pair joined, as where a stream was cut between them, and single ones replaced."""
    if not _SURROGATES.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def storable_json(text: str) -> str:
    """JSON whose strings are storable also where they say a character by its number. What is no JSON stays as it is."""
    text = storable_text(text)
    if not _ESCAPED_SURROGATES.search(text):
        return text
    try:
        found = json.dumps(json.loads(text, strict=False), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
    return storable_text(found) if _SURROGATES.search(found) else text
