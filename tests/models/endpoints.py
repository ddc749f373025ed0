"""Models behind real HTTP servers with scripts."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cellwright.core.types import Message, ToolCall
from cellwright.models import Delta, Endpoint, Hear, OpenAIModel, Reply, Request, Traits
from cellwright.models.protocol import Sampling
from cellwright.models.server import Answer, ScriptedServer, in_order

TOOLS = json.dumps([{"type": "function", "function": {"name": "execute_code", "description": "", "parameters": {}}}])
CHAT = (Message("system", "You are."), Message("user", "What is 2 + 2?"))
CODE = Message("assistant", "Let me see.", tool_calls=(ToolCall("c1", "execute_code", '{"code": "2 + 2"}'),))


@contextmanager
def served(answers: Sequence[Answer] | Callable[[Any], Answer], **options: Any) -> Iterator[ScriptedServer]:
    """A server that gives these answers."""
    script = answers if callable(answers) else in_order(answers)
    with ScriptedServer(script, **options) as server:
        yield server


def endpoint(server: ScriptedServer, traits: Traits | None = None, **options: Any) -> Endpoint:
    return Endpoint(server.url, traits or Traits("scripted"), **{"first_wait_s": 0.01, **options})


def ask(
    where: Endpoint, messages: Sequence[Message] = CHAT, *, hear: Hear | None = None, sampling: Sampling | None = None
) -> Reply:
    """One reply."""

    async def job() -> Reply:
        async with OpenAIModel(where) as model:
            return await model.reply(Request(messages, TOOLS, sampling or Sampling()), hear)

    return asyncio.run(job())


def heard(where: Endpoint) -> tuple[Reply, list[Delta]]:
    """One reply, streamed, with its pieces."""
    pieces: list[Delta] = []
    return ask(where, hear=pieces.append), pieces
